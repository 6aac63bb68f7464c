//! How soon a teacher that changes is noticed.

use super::population::{labelled, shuffled};
use super::scorer::judge;
use mains_distill::certificate::{Calibration, Promise, Terms};
use mains_distill::watch::{Audited, Watch, calls_until_noticed};
use mains_units::{Chance, Timestamp};
use std::path::Path;

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

/// A recorded teacher that is replaced by another one in mid-stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Switched {
    /// The model that answers after the change.
    pub to: &'static str,
    /// How much of all traffic differs before and after, as fractions.
    pub differs: [f64; 2],
    /// The median of the audited calls from the change to the withdrawal.
    pub median: u64,
    /// What 95 % of the runs keep.
    pub late: u64,
    /// Runs in which it was not noticed.
    pub missed: u64,
}

/// Audited calls after which a change is given up on.
const CALLS_MAX: u64 = 5_000;

/// The overruling task: a labeller of GPT-4's answers is certified at 2 % of all traffic, and after 200 audited calls
/// the teacher is another model that says nothing of it. Nothing where the data set is not there.
pub fn switched(folder: &Path, runs: u32, seed: u64) -> Result<Vec<Switched>, String> {
    let file = folder.join("overruling_12llm/dev_half.csv");
    if !file.exists() {
        return Ok(Vec::new());
    }
    let others = ["gpt-3.5-turbo", "text-davinci-002", "text-curie-001"];
    let columns: Vec<String> =
        std::iter::once("gpt-4").chain(others).map(|model| format!("{model}_answer")).collect();
    let rows = shuffled(labelled(&file, "text", &columns)?, seed);
    let (training, calibration) = (400, 333);
    let (own, fresh) = judge(&rows, training);
    let places: Vec<usize> = (0..fresh.len()).collect();
    let (early, late) = places.split_at(calibration.min(fresh.len()));
    let terms = Terms::new(Promise::AllTraffic, 20_000);
    let certificate = super::lines::certified(&own, &fresh.pick(early), terms)?;
    let local = |place: usize| certificate.is_local(fresh.confidence[place], fresh.class[place], None);
    let mut chance = Chance::from_seed(seed);
    let mut found = Vec::new();
    for (number, to) in others.into_iter().enumerate() {
        let changed: Vec<bool> =
            places.iter().map(|place| rows[training + place].others[number] != fresh.class[*place]).collect();
        let stream = Stream { late, local: &local, before: &fresh, after: &changed };
        found.push(stream.switched(to, terms, runs, &mut chance.split())?);
    }
    Ok(found)
}

/// Rows that no threshold has seen, by two teachers.
struct Stream<'s> {
    late: &'s [usize],
    local: &'s dyn Fn(usize) -> bool,
    before: &'s Calibration,
    after: &'s [bool],
}

impl Stream<'_> {
    fn switched(
        &self,
        to: &'static str,
        terms: Terms,
        runs: u32,
        chance: &mut Chance,
    ) -> Result<Switched, String> {
        let (mut calls, mut missed) = (Vec::new(), 0);
        for _ in 0..runs {
            let mut watch = Watch::of(&terms, 10_000, 10_000).map_err(|error| error.to_string())?;
            for _ in 0..200 {
                self.call(&mut watch, &self.before.differs, chance);
            }
            match (1..=CALLS_MAX).find(|_| self.call(&mut watch, self.after, chance)) {
                Some(call) => calls.push(call),
                None => missed += 1,
            }
        }
        calls.sort_unstable();
        let at = |share: usize| calls.get(calls.len() * share / 100).copied().unwrap_or(CALLS_MAX);
        let share = |differs: &[bool]| {
            let wrong = self.late.iter().filter(|place| (self.local)(**place) && differs[**place]).count();
            wrong as f64 / self.late.len().max(1) as f64
        };
        let differs = [share(&self.before.differs), share(self.after)];
        Ok(Switched { to, differs, median: at(50), late: at(95), missed })
    }

    fn call(&self, watch: &mut Watch, differs: &[bool], chance: &mut Chance) -> bool {
        let drawn = usize::try_from(chance.below(self.late.len() as u64)).unwrap_or(0);
        let place = self.late.get(drawn).copied().unwrap_or(0);
        let audited = Audited { local: (self.local)(place), differs: differs[place] };
        watch.observe(audited, Timestamp(0)).is_some()
    }
}
