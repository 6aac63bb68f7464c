//! What a seed decides before anything happens.

use crate::ledger::Death;
use crate::provider::{Kind, Mood};
use mains_relay::budget::{Cap, Path, Per, Scope, UnknownPrice};
use mains_relay::relay::{Deadlines, Durability, Mode, Retry, Settings};
use mains_relay::route::{Allowed, Capabilities, Degraded, Place, Route, Target};
use mains_units::{Chance, Instant, ModelId, Quantity, Span, Timestamp};
use std::sync::Arc;

/// A target and what is true of it.
#[derive(Debug, Clone)]
pub struct TargetSpec {
    /// Its name.
    pub target: Arc<Target>,
    /// What it can.
    pub can: Capabilities,
    /// The catalogue says that it is retired.
    pub retired: bool,
    /// Nano-USD per token, if anyone knows.
    pub price: Option<u64>,
    /// Its moods, each until a moment; the last for ever.
    pub weather: Vec<(Instant, Mood)>,
}

impl TargetSpec {
    /// The mood at a moment.
    pub fn mood(&self, now: Instant) -> Mood {
        let now = self.weather.iter().find(|(until, _)| now < *until).or(self.weather.last());
        now.map_or(Mood::Fine, |(_, mood)| *mood)
    }
}

/// One request.
#[derive(Debug, Clone)]
pub struct RequestSpec {
    /// When it comes.
    pub arrives: Instant,
    /// How long its caller waits, if not for ever.
    pub patience: Option<Span>,
    /// Whose it is.
    pub path: Path,
    /// What it needs.
    pub needs: Capabilities,
    /// Streamed or not.
    pub mode: Mode,
    /// Input tokens.
    pub input: u64,
    /// Output tokens at most.
    pub tokens_max: u64,
}

/// One world.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The route that all requests take.
    pub route: Route,
    /// The policy's verdict.
    pub allowed: Allowed,
    /// The targets by their place in the route.
    pub targets: Vec<TargetSpec>,
    /// The budgets.
    pub caps: Vec<Cap>,
    /// The relay's settings, but for the mode.
    pub settings: Settings,
    /// The requests, by arrival.
    pub requests: Vec<RequestSpec>,
    /// Steps of the calendar: when, and by how many milliseconds.
    pub clock_steps: Vec<(Instant, i64)>,
    /// The calendar at the start.
    pub calendar: Timestamp,
    /// Providers bill more than their rules say.
    pub overbilling: bool,
    /// Answers to `Ask` take a while.
    pub slow_permits: bool,
    /// How the outlet dies, and after how many steps of its disk, if it dies.
    pub death: Option<(Death, u64)>,
    /// The chance that an intent cannot be written.
    pub intent_fails: f64,
}

impl Spec {
    /// The world of a seed.
    pub fn draw(chance: &mut Chance) -> Self {
        let mut spec = Self::without_pair(chance);
        spec.pair();
        spec
    }

    /// In a third of the worlds whose route begins with two single targets before others, these two are asked first, and
    /// must agree. Nothing is drawn for it, so that all else of a world stays as it is.
    fn pair(&mut self) {
        let pair = match self.route.places.as_slice() {
            [Place::One(first), Place::One(second), _, ..] if self.calendar.0 % 3 == 0 => {
                [Arc::clone(first), Arc::clone(second)]
            }
            _ => return,
        };
        self.route.places.drain(..2);
        self.route.agree = Some(pair);
    }

    fn without_pair(chance: &mut Chance) -> Self {
        // One world in 25 is a storm: enough requests in one outage to empty the retry budget.
        let storm = chance.hits(0.04);
        let count = 1 + chance.below(4);
        let targets: Vec<_> = (0..count).map(|number| target(number, storm, chance)).collect();
        let mut route = Route::new(ModelId::new("asked"), places(&targets, chance));
        route.degraded = if chance.hits(0.5) { Degraded::Allow } else { Degraded::Refuse };
        route.deadlines = deadlines(chance);
        route.retry = Retry {
            attempts_max: u32::try_from(1 + chance.below(4)).unwrap_or(1),
            tries_per_target: u32::try_from(1 + chance.below(2)).unwrap_or(1),
            pause: Span::from_ms(chance.below(300)),
            pause_max: Span::from_ms(chance.below(4_000)),
        };
        let allowed = if chance.hits(0.5) {
            Allowed::All
        } else {
            let names = targets.iter().map(|spec| spec.target.name.clone());
            Allowed::Only(names.filter(|_| chance.hits(0.7)).collect())
        };
        let requests = requests(storm, chance);
        let durability = if chance.hits(0.5) { Durability::Strict } else { Durability::Batched };
        Self {
            allowed,
            caps: if storm { Vec::new() } else { caps(chance) },
            settings: Settings {
                deadlines: route.deadlines,
                retry: route.retry,
                durability,
                mode: Mode::Stream,
                kept_max: 60 + chance.below(400),
            },
            route,
            targets,
            requests,
            clock_steps: clock_steps(chance),
            calendar: Timestamp(1_795_550_813_120 + i64::try_from(chance.below(90_000_000)).unwrap_or(0)),
            overbilling: chance.hits(0.1),
            slow_permits: chance.hits(0.3),
            death: chance.hits(0.1).then(|| {
                let death = if chance.hits(0.5) { Death::Kill } else { Death::PowerCut };
                (death, 1 + chance.below(6_000))
            }),
            intent_fails: if chance.hits(0.1) { 0.1 } else { 0.0 },
        }
    }
}

fn target(number: u64, storm: bool, chance: &mut Chance) -> TargetSpec {
    let mut target = Target::new(&format!("upstream-{number}"), "model");
    target.substitute = !storm && chance.hits(0.1);
    let mut weather = Vec::new();
    let mut until = Instant(0);
    for _ in 0..=chance.below(3) {
        until = until.after(Span::from_ms(chance.below(4_000)));
        weather.push((until, mood(chance)));
    }
    if storm {
        weather = vec![(until, Mood::Stuck(Kind::ContextLength))];
    }
    TargetSpec {
        target: Arc::new(target),
        can: if chance.hits(0.1) { Capabilities::TOOLS } else { Capabilities::ALL },
        retired: chance.hits(0.08),
        price: chance.hits(0.85).then(|| 1 + chance.below(20)),
        weather,
    }
}

fn mood(chance: &mut Chance) -> Mood {
    match chance.below(10) {
        0..5 => Mood::Fine,
        5..7 => Mood::Flaky,
        _ => Mood::Stuck(Kind::ALL[usize::try_from(chance.below(19)).unwrap_or(0)]),
    }
}

/// Each target alone, or the last two as a pool.
fn places(targets: &[TargetSpec], chance: &mut Chance) -> Vec<Place> {
    let mut places: Vec<_> = targets.iter().map(|spec| Place::One(Arc::clone(&spec.target))).collect();
    if targets.len() >= 2 && chance.hits(0.4) {
        places.truncate(targets.len() - 2);
        let members = targets[targets.len() - 2..].iter();
        let weight = |chance: &mut Chance| u32::try_from(chance.below(4)).unwrap_or(0);
        places.push(Place::Pool(members.map(|spec| (Arc::clone(&spec.target), weight(chance))).collect()));
    }
    places
}

fn deadlines(chance: &mut Chance) -> Deadlines {
    let mut span = |least: u64, more: u64| Span::from_ms(least + chance.below(more));
    Deadlines {
        connect: span(100, 400),
        first_content: span(500, 1_500),
        idle: span(300, 700),
        whole: span(1_000, 2_000),
        total: span(2_000, 6_000),
    }
}

fn requests(storm: bool, chance: &mut Chance) -> Vec<RequestSpec> {
    let count = if storm { 150 + chance.below(100) } else { 1 + chance.below(40) };
    let spread = if storm { 2_000 } else { 200 + chance.below(12_000) };
    let mut requests: Vec<_> = (0..count)
        .map(|_| RequestSpec {
            arrives: Instant(0).after(Span::from_ms(chance.below(spread))),
            patience: (!storm && chance.hits(0.15)).then(|| Span::from_ms(chance.below(3_000))),
            path: Path {
                project: chance.hits(0.7).then(|| "search".into()),
                key: chance.hits(0.7).then(|| "ci".into()),
            },
            needs: if chance.hits(0.1) { Capabilities::IMAGES } else { Capabilities::NONE },
            mode: if chance.hits(0.6) { Mode::Stream } else { Mode::Whole },
            input: chance.below(50),
            tokens_max: 1 + chance.below(12),
        })
        .collect();
    requests.sort_by_key(|request| request.arrives);
    requests
}

fn caps(chance: &mut Chance) -> Vec<Cap> {
    let scopes = [Scope::Organisation, Scope::Project("search".into()), Scope::Key("ci".into())];
    let pers = [Per::Minute, Per::Hour, Per::Day, Per::Week, Per::Month];
    let quantities = [Quantity::Money, Quantity::Tokens, Quantity::Requests, Quantity::Energy];
    let pick = |chance: &mut Chance, count: u64| usize::try_from(chance.below(count)).unwrap_or(0);
    (0..chance.below(4))
        .map(|_| {
            let quantity = quantities[pick(chance, 4)];
            let most = match quantity {
                Quantity::Requests => 40,
                Quantity::Money => 20_000,
                _ => 2_500,
            };
            let scope = scopes[pick(chance, 3)].clone();
            let mut cap = Cap::new(scope, pers[pick(chance, 5)], quantity, chance.below(most));
            if chance.hits(0.3) {
                cap.unknown = UnknownPrice::Allow;
            }
            cap
        })
        .collect()
}

fn clock_steps(chance: &mut Chance) -> Vec<(Instant, i64)> {
    (0..chance.below(3))
        .map(|_| {
            let at = Instant(0).after(Span::from_ms(chance.below(12_000)));
            let size = i64::try_from(chance.below(200_000)).unwrap_or(0);
            (at, if chance.hits(0.5) { size } else { -size })
        })
        .collect()
}
