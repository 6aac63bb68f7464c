//! The promises of a verdict on a replacement model, in small: `swap-honesty` runs them at full size.

use sim::swap::{Line, Promise, table};

const SEED: u64 = 4;

#[test]
fn every_promise_is_kept_and_the_common_ways_fail() {
    let lines = table(120, SEED);
    let broken: Vec<String> = lines.iter().filter(|line| !line.is_kept()).map(Line::to_string).collect();
    assert!(broken.is_empty(), "seed {SEED}:\n{}", broken.join("\n"));
    let count = |promise| lines.iter().filter(|line| line.promise == promise).count();
    assert!(count(Promise::Honest) >= 10 && count(Promise::Able) >= 4 && count(Promise::Wrong) >= 5);
}

#[test]
fn one_seed_is_one_table() {
    let text = |seed| table(3, seed).iter().map(Line::to_string).collect::<Vec<_>>();
    assert_eq!(text(SEED), text(SEED));
    assert_ne!(text(SEED), text(SEED + 1));
}
