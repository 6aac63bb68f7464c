//! The simulation in small, and proof that each of its checkers can fail.

mod distill;
mod swap;

use mains_relay::{Fault, Outcome};
use sim::{Plant, Run};
use std::collections::BTreeSet;

/// How a failing seed is run again.
fn replay(run: &Run) -> String {
    let laws: Vec<_> = run.violations.iter().map(ToString::to_string).collect();
    format!("seed {}: {}\nreplay: cargo run -p sim -- --seed {} --trace", run.seed, laws.join("; "), run.seed)
}

#[test]
fn no_law_is_broken_and_every_fault_and_outcome_occurs() {
    let (mut faults, mut outcomes, mut died) = (BTreeSet::new(), BTreeSet::new(), 0);
    for seed in 0..600 {
        let run = sim::run(seed, None);
        assert!(run.violations.is_empty(), "{}", replay(&run));
        died += u32::from(run.died);
        faults.extend(run.faults.into_keys());
        outcomes.extend(run.outcomes.into_keys());
    }
    assert!(died > 10, "the worlds are too tame: {died} outlets died midway");
    let missing: Vec<_> = Fault::ALL.into_iter().filter(|fault| !faults.contains(fault)).collect();
    assert!(missing.is_empty(), "the worlds are too tame: {missing:?} never occurred");
    let missing: Vec<_> = Outcome::ALL.into_iter().filter(|outcome| !outcomes.contains(outcome)).collect();
    assert!(missing.is_empty(), "the worlds are too tame: {missing:?} never occurred");
}

#[test]
fn one_seed_is_one_world() {
    for seed in 0..50 {
        let (one, other) = (sim::run(seed, None), sim::trace(seed, None));
        assert_eq!(one.digest, other.digest, "seed {seed}");
        assert!(one.trace.is_empty() && !other.trace.is_empty());
    }
    let digests: BTreeSet<_> = (0..50).map(|seed| sim::run(seed, None).digest).collect();
    assert_eq!(digests.len(), 50, "and two seeds are two worlds");
}

#[test]
fn every_checker_finds_its_planted_bug() {
    const SEEDS: u64 = 800;
    let mut proven = BTreeSet::new();
    for plant in Plant::ALL {
        let found = (0..SEEDS).find(|seed| {
            let run = sim::run(*seed, Some(plant));
            run.violations.iter().any(|violation| violation.checker == plant.checker())
        });
        assert!(found.is_some(), "{plant:?} was not found by {:?} in {SEEDS} seeds", plant.checker());
        proven.insert(plant.checker());
    }
    let all: BTreeSet<_> = sim::Checker::ALL.into_iter().collect();
    assert_eq!(proven, all, "every checker has its bug");
}

#[test]
fn a_bug_is_read_by_its_name() {
    assert_eq!(Plant::parse("doublereply"), Some(Plant::DoubleReply));
    assert_eq!(Plant::parse("none"), None);
}
