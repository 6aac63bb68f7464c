//! What a trial says, in whole numbers, and whether a router may be switched on.

use super::bootstrap::{Draw, Drawn, interval};
use super::curve::{Earned, Order};
use super::{GROUPS_MIN, Settings};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The format of a report.
pub const SCHEMA: &str = "mains.distill.route/1";
/// Two-sided error level of every interval.
const ALPHA: f64 = 0.05;

/// What decides the order in which texts go to the strong model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Router {
    /// Lots.
    Random,
    /// The number of characters.
    Length,
    /// The gain, predicted from hashed n-grams.
    GainByNgrams,
    /// The gain, predicted from embeddings.
    GainByEmbeddings,
    /// That the weak model fails, predicted from hashed n-grams.
    FailsByNgrams,
    /// That the weak model fails, predicted from embeddings.
    FailsByEmbeddings,
}

impl Router {
    /// Whether it may be switched on; the others are there to compare with.
    pub fn is_candidate(self) -> bool {
        matches!(self, Self::GainByNgrams | Self::GainByEmbeddings)
    }
}

impl fmt::Display for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Random => "random",
            Self::Length => "prompt length",
            Self::GainByNgrams => "gain, n-grams",
            Self::GainByEmbeddings => "gain, embeddings",
            Self::FailsByNgrams => "weak fails, n-grams",
            Self::FailsByEmbeddings => "weak fails, embeddings",
        })
    }
}

/// A figure and its interval, in millionths; the interval is rounded outwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// On all rows.
    pub ppm: i64,
    /// Lower end.
    pub low_ppm: i64,
    /// Upper end.
    pub high_ppm: i64,
}

impl Figure {
    pub(super) fn of(value: f64, [low, high]: [f64; 2]) -> Self {
        Self { ppm: ppm(value, f64::round), low_ppm: ppm(low, f64::floor), high_ppm: ppm(high, f64::ceil) }
    }
}

/// A real number as millionths; what is out of range is cut.
fn ppm(value: f64, round: fn(f64) -> f64) -> i64 {
    const MOST: f64 = 9e15;
    #[expect(clippy::cast_possible_truncation, reason = "clamped to what is exact")]
    (round(value * 1e6).clamp(-MOST, MOST) as i64)
}

/// One router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Which.
    pub router: Router,
    /// Mean recovered gap; 500,000 is chance.
    pub apgr: Figure,
    /// Least share of calls to the strong model that recovers half of the gap.
    pub calls_50: Figure,
    /// Least share that recovers 80 % of it.
    pub calls_80: Figure,
    /// Share of the strong model's cost that is saved then; absent where a cost is not known.
    pub saved_80: Option<Figure>,
    /// APGR less that of chance or of length, whichever is more, in the same draws; for candidates. Where there are two
    /// of them, each interval has half of the error level.
    pub beyond: Option<Figure>,
}

/// All routers on rows that they did not learn from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// What the bootstrap drew: near duplicates together, or whole groups.
    pub units: u64,
    /// The routers; none where the strong model is not shown to be better.
    pub lines: Vec<Line>,
}

impl Table {
    /// The candidate that is surest to be better than chance and length, if there is one.
    pub fn best(&self) -> Option<Router> {
        let sure = self.lines.iter().filter_map(|line| Some((line.beyond?.low_ppm, line.router)));
        sure.filter(|(low, _)| *low > 0).max_by_key(|(low, _)| *low).map(|(_, router)| router)
    }
}

/// Whether a router may be switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Ruling {
    /// This one may.
    Enabled {
        /// Which.
        router: Router,
        /// Whether it holds for groups that were not seen; absent where that was not tried.
        unseen: Option<bool>,
    },
    /// None may.
    Refused {
        /// Why.
        why: Refusal,
    },
}

/// Why no router may be switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The strong model is not shown to be better, so that there is nothing to recover.
    StrongNotBetter,
    /// The interval of the best router meets chance or prompt length.
    NotBeyondLength,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::StrongNotBetter => "the strong model is not shown to be better than the weak one",
            Self::NotBeyondLength => "no router is shown to be better than chance and prompt length",
        })
    }
}

/// The whole trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// `SCHEMA`.
    pub schema: String,
    /// How many rows there were.
    pub rows: u64,
    /// How many groups they name.
    pub groups: u64,
    /// Decided the folds and the draws.
    pub seed: u64,
    /// Folds.
    pub folds: u32,
    /// Draws.
    pub resamples: u32,
    /// Mean quality of the weak model alone.
    pub weak_ppm: i64,
    /// Mean quality of the strong model alone.
    pub strong_ppm: i64,
    /// On texts like those that were seen: no near duplicate of a text taught its router.
    pub seen: Table,
    /// On groups that were not seen; absent where there are too few groups.
    pub unseen: Option<Table>,
    /// What follows.
    pub ruling: Ruling,
}

impl Report {
    /// How many groups are needed before groups that were not seen are tried.
    pub const GROUPS_MIN: u32 = GROUPS_MIN;
}

/// Whole report from its tables.
pub(super) fn report(
    rows: usize,
    groups: u32,
    [weak, strong]: [f64; 2],
    settings: Settings,
    seen: Table,
    unseen: Option<Table>,
) -> Report {
    let ruling = match seen.best() {
        Some(router) => {
            let holds = |table: &Table| {
                let line = table.lines.iter().find(|line| line.router == router);
                line.and_then(|line| line.beyond).is_some_and(|beyond| beyond.low_ppm > 0)
            };
            Ruling::Enabled { router, unseen: unseen.as_ref().map(holds) }
        }
        None if seen.lines.is_empty() => Ruling::Refused { why: Refusal::StrongNotBetter },
        None => Ruling::Refused { why: Refusal::NotBeyondLength },
    };
    Report {
        schema: SCHEMA.to_owned(),
        rows: rows as u64,
        groups: groups.into(),
        seed: settings.seed,
        folds: settings.folds,
        resamples: settings.resamples,
        weak_ppm: ppm(weak, f64::round),
        strong_ppm: ppm(strong, f64::round),
        seen,
        unseen,
        ruling,
    }
}

/// The table of one split.
pub(super) fn table(drawn: &Drawn<'_>, routers: &[Router], orders: &[Order], settings: Settings) -> Table {
    let draws = drawn.draws(orders, settings.resamples, settings.seed);
    let once = drawn.once(orders);
    let lines = once.and_then(|once| lines(&once, &draws, routers)).unwrap_or_default();
    Table { units: drawn.units().into(), lines }
}

/// `None` where the strong model is not better in more draws than a tail holds.
fn lines(once: &Draw, draws: &[Option<Draw>], routers: &[Router]) -> Option<Vec<Line>> {
    let length = routers.iter().position(|router| *router == Router::Length);
    let candidates = routers.iter().filter(|router| router.is_candidate()).count().max(1);
    let figure = |alpha: f64, of: &dyn Fn(&Draw) -> f64| {
        let values: Vec<Option<f64>> = draws.iter().map(|draw| draw.as_ref().map(of)).collect();
        Some(Figure::of(of(once), interval(&values, alpha)?))
    };
    let mut lines = Vec::with_capacity(routers.len() + 1);
    for place in std::iter::once(None).chain((0..routers.len()).map(Some)) {
        let router = place.map_or(Router::Random, |place| routers[place]);
        let earned = |draw: &Draw| place.map_or_else(|| lots(draw), |place| draw.earned[place]);
        let beyond = |draw: &Draw| {
            let of_length = length.map_or(0.5, |length| draw.earned[length].apgr);
            earned(draw).apgr - of_length.max(0.5)
        };
        let saved = |draw: &Draw| {
            draw.costs.map_or(0.0, |[weak, strong]| 1.0 - (weak + earned(draw).extra_80) / strong)
        };
        let priced = once.costs.is_some_and(|[_, strong]| strong > 0.0);
        lines.push(Line {
            router,
            apgr: figure(ALPHA, &|draw| earned(draw).apgr)?,
            calls_50: figure(ALPHA, &|draw| earned(draw).calls_50)?,
            calls_80: figure(ALPHA, &|draw| earned(draw).calls_80)?,
            saved_80: if priced { figure(ALPHA, &saved) } else { None },
            beyond: if router.is_candidate() {
                Some(figure(ALPHA / candidates as f64, &beyond)?)
            } else {
                None
            },
        });
    }
    Some(lines)
}

/// What lots earn on average.
fn lots(draw: &Draw) -> Earned {
    let extra = draw.costs.map_or(0.0, |[weak, strong]| strong - weak);
    Earned { apgr: 0.5, calls_50: 0.5, calls_80: 0.8, extra_80: 0.8 * extra }
}
