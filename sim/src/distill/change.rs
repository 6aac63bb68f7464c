//! How soon a teacher that changes is noticed.

use mains_distill::certificate::{Promise, Terms};
use mains_distill::watch::{Audited, Watch, calls_until_noticed};
use mains_units::{Chance, Timestamp};

/// Audited calls from the change to the withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noticed {
    /// Audited calls before the change.
    pub before: u32,
    /// As the formula says.
    pub formula: u64,
    /// The median of the runs.
    pub median: u64,
    /// What 95 % of the runs keep.
    pub late: u64,
    /// Runs that were withdrawn before anything had changed.
    pub too_early: u64,
}

/// At most 2 % may differ; the share that does goes from the first chance to the second.
pub fn noticed(runs: u32, seed: u64, chances: [f64; 2]) -> Result<Vec<Noticed>, String> {
    let terms = Terms::new(Promise::AllTraffic, 20_000);
    let mut found = Vec::new();
    for before in [0, 100, 1_000, 10_000] {
        let mut chance = Chance::from_seed(seed.wrapping_add(before.into()));
        let (mut calls, mut too_early) = (Vec::new(), 0);
        for _ in 0..runs {
            let mut watch = Watch::of(&terms, 10_000, 10_000).map_err(|error| error.to_string())?;
            let mut call = |watch: &mut Watch, often| {
                watch.observe(Audited { local: true, differs: chance.hits(often) }, Timestamp(0)).is_some()
            };
            if (0..before).any(|_| call(&mut watch, chances[0])) {
                too_early += 1;
                continue;
            }
            // A difference that stays below the promise would never be noticed.
            calls.extend((1..=100_000u64).find(|_| call(&mut watch, chances[1])));
        }
        calls.sort_unstable();
        let at = |share: usize| calls.get(calls.len() * share / 100).copied().unwrap_or(u64::MAX);
        let formula = calls_until_noticed(terms.eps(), 0.01, before.into(), chances[1]).unwrap_or(u64::MAX);
        found.push(Noticed { before, formula, median: at(50), late: at(95), too_early });
    }
    Ok(found)
}
