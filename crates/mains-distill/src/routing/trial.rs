//! Routers learned on some rows and judged on others, in pieces that may run beside each other.

use super::bootstrap::Drawn;
use super::curve::{Item, Order, standings};
use super::design::{Design, Source};
use super::report::{self, Report, Router};
use super::{GROUPS_MIN, ROWS_MIN, Row, Settings, Untestable, ridge};
use crate::features::Rows;
use crate::group;
use crate::heads::dense::Embeddings;
use crate::heads::folds::Folds;
use std::collections::BTreeMap;

/// A trial of routers. `pieces` of work give the same whoever does them and in whatever order.
#[derive(Debug)]
pub struct Trial<'a> {
    rows: Vec<Row<'a>>,
    embeddings: Option<Embeddings<'a>>,
    ngrams: Rows,
    settings: Settings,
    /// Near duplicates do not cross.
    seen: Split,
    /// Groups do not cross, where there are enough.
    unseen: Option<Split>,
    groups: u32,
}

/// Rows dealt to folds by what must not cross.
#[derive(Debug)]
struct Split {
    units: Vec<u32>,
    folds: Folds,
}

/// What one piece came to: scores of the rows of one fold.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    split: usize,
    fold: u32,
    scores: Vec<(Router, Vec<f64>)>,
}

impl<'a> Trial<'a> {
    /// Groups near duplicates and deals the folds. Embeddings belong to the rows, in their order.
    pub fn new(
        rows: &[Row<'a>],
        embeddings: Option<Embeddings<'a>>,
        settings: Settings,
    ) -> Result<Self, Untestable> {
        check(rows, embeddings)?;
        let texts: Vec<&str> = rows.iter().map(|row| row.text).collect();
        let near = group::group(&texts);
        if near.near_groups < ROWS_MIN {
            return Err(Untestable::Few(near.near_groups));
        }
        let split = |units: Vec<u32>| {
            let folds = Folds::by_group(&units, settings.folds, settings.seed);
            Split { units, folds }
        };
        let (named, groups) = groups(rows);
        let seen = split(near.near);
        let unseen = (groups >= GROUPS_MIN).then(|| split(named));
        let ngrams = Rows::of(texts);
        Ok(Self { rows: rows.to_vec(), embeddings, ngrams, settings, seen, unseen, groups })
    }

    /// How many pieces of work there are.
    pub fn pieces(&self) -> usize {
        self.splits().map(|split| split.folds.count() as usize).sum::<usize>() * self.sources().len()
    }

    /// Does one piece: learns from all folds but one, by n-grams or by embeddings, and scores that one. Nothing beyond
    /// the last.
    pub fn solve(&self, piece: usize) -> Option<Part> {
        let sources = self.sources();
        let (source, fold) = (piece % sources.len(), piece / sources.len());
        let each = self.splits().enumerate();
        let mut all =
            each.flat_map(|(place, split)| (0..split.folds.count()).map(move |fold| (place, split, fold)));
        let (place, split, fold) = all.nth(fold)?;
        let (teach, held) = (split.folds.others(fold), split.folds.held(fold));
        let (source, [gain, fails]) = sources[source];
        let design = Design::new(source, &teach);
        let score = |target: &dyn Fn(&Row<'_>) -> f64| {
            let target: Vec<f64> = self.rows.iter().map(target).collect();
            let ridge = ridge::fit(&design, &target, &teach, &split.units, self.settings.seed);
            held.iter().map(|row| design.dot(*row, &ridge.weights)).collect()
        };
        let mut scores =
            vec![(gain, score(&|row| row.strong - row.weak)), (fails, score(&|row| 1.0 - row.weak))];
        if piece.is_multiple_of(sources.len()) {
            scores.push((Router::Length, self.lengths(&teach, &held)));
        }
        Some(Part { split: place, fold, scores })
    }

    /// Puts all parts together and rules.
    pub fn report(&self, parts: &[Part]) -> Report {
        let items: Vec<Item> = self
            .rows
            .iter()
            .map(|row| Item {
                gain: row.strong - row.weak,
                extra: row.costs.map_or(0.0, |[weak, strong]| strong - weak),
            })
            .collect();
        let costs: Option<Vec<[f64; 2]>> = self.rows.iter().map(|row| row.costs).collect();
        let table = |place: usize, split: &Split| {
            let drawn = Drawn { items: &items, units: &split.units, costs: costs.as_deref() };
            let (routers, orders): (Vec<Router>, Vec<Order>) =
                self.orders(place, &split.folds, parts).into_iter().unzip();
            report::table(&drawn, &routers, &orders, self.settings)
        };
        let seen = table(0, &self.seen);
        let unseen = self.unseen.as_ref().map(|split| table(1, split));
        let quality =
            |which: fn(&Row<'_>) -> f64| self.rows.iter().map(which).sum::<f64>() / self.rows.len() as f64;
        let means = [quality(|row| row.weak), quality(|row| row.strong)];
        report::report(self.rows.len(), self.groups, means, self.settings, seen, unseen)
    }

    /// The order of each router over the rows of all folds.
    fn orders(&self, split: usize, folds: &Folds, parts: &[Part]) -> Vec<(Router, Order)> {
        let held: Vec<Vec<usize>> = (0..folds.count()).map(|fold| folds.held(fold)).collect();
        let mut scores: BTreeMap<Router, Vec<f64>> = BTreeMap::new();
        for part in parts.iter().filter(|part| part.split == split) {
            for (router, found) in &part.scores {
                let all = scores.entry(*router).or_insert_with(|| vec![0.0; self.rows.len()]);
                for (row, score) in held[part.fold as usize].iter().zip(found) {
                    all[*row] = *score;
                }
            }
        }
        scores.into_iter().map(|(router, scores)| (router, Order::by(&standings(&scores, &held)))).collect()
    }

    /// Characters of each held text; the other way round where shorter texts gain more among those that teach.
    fn lengths(&self, teach: &[usize], held: &[usize]) -> Vec<f64> {
        let length = |row: usize| self.rows[row].text.chars().count() as f64;
        let n = teach.len().max(1) as f64;
        let mean = teach.iter().map(|row| length(*row)).sum::<f64>() / n;
        let together = |row: &usize| (length(*row) - mean) * (self.rows[*row].strong - self.rows[*row].weak);
        let sign = if teach.iter().map(together).sum::<f64>() < 0.0 { -1.0 } else { 1.0 };
        held.iter().map(|row| sign * length(*row)).collect()
    }

    fn splits(&self) -> impl Iterator<Item = &Split> {
        std::iter::once(&self.seen).chain(&self.unseen)
    }

    fn sources(&self) -> Vec<(Source<'_>, [Router; 2])> {
        let ngrams = (Source::Ngrams(&self.ngrams), [Router::GainByNgrams, Router::FailsByNgrams]);
        let embeddings = self.embeddings.map(|embeddings| {
            (Source::Embeddings(embeddings), [Router::GainByEmbeddings, Router::FailsByEmbeddings])
        });
        std::iter::once(ngrams).chain(embeddings).collect()
    }
}

fn check(rows: &[Row<'_>], embeddings: Option<Embeddings<'_>>) -> Result<(), Untestable> {
    for (place, row) in rows.iter().enumerate() {
        if ![row.weak, row.strong].iter().all(|quality| (0.0..=1.0).contains(quality)) {
            return Err(Untestable::Quality(place));
        }
        if row.costs.is_some_and(|costs| costs.iter().any(|cost| !cost.is_finite() || *cost < 0.0)) {
            return Err(Untestable::Cost(place));
        }
    }
    let Some(embeddings) = embeddings else { return Ok(()) };
    if embeddings.len() != rows.len() || embeddings.values.len() != rows.len() * embeddings.dim {
        return Err(Untestable::Embeddings(embeddings.len(), rows.len()));
    }
    let finite = |row: &usize| embeddings.row(*row).iter().all(|value| value.is_finite());
    match (0..rows.len()).find(|row| !finite(row)) {
        Some(row) => Err(Untestable::NotFinite(row)),
        None => Ok(()),
    }
}

/// The number of each row's group in the order of first appearance; rows without one are groups of their own.
fn groups(rows: &[Row<'_>]) -> (Vec<u32>, u32) {
    let mut known: BTreeMap<&str, u32> = BTreeMap::new();
    let mut next = 0;
    let mut number = || {
        next += 1;
        next - 1
    };
    let numbers = rows.iter().map(|row| match row.group {
        Some(group) => *known.entry(group).or_insert_with(&mut number),
        None => number(),
    });
    let numbers = numbers.collect();
    (numbers, u32::try_from(known.len()).unwrap_or(u32::MAX))
}
