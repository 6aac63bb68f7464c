//! The promises of a verdict on a replacement model, in small: `swap-honesty` runs them at full size.

use sim::swap::{Line, Promise, canary, table};

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

#[test]
fn a_switch_is_rolled_back_when_it_is_worse_and_only_then() {
    let lines = canary::table(40, SEED);
    let broken: Vec<String> =
        lines.iter().filter(|line| !line.is_kept()).map(canary::Line::to_string).collect();
    assert!(broken.is_empty(), "seed {SEED}:\n{}", broken.join("\n"));
    let count = |promise| lines.iter().filter(|line| line.promise == promise).count();
    assert!(count(Promise::Honest) >= 9 && count(Promise::Able) >= 6 && count(Promise::Wrong) >= 8);
    // Of regressions that are found, the cause is named.
    let named = lines.iter().filter(|line| line.promise == Promise::Able).filter_map(|line| line.named);
    assert!(named.clone().count() >= 6 && named.clone().all(|named| named > 0.9), "seed {SEED}");
    let again: Vec<String> = canary::table(2, SEED).iter().map(canary::Line::to_string).collect();
    assert_eq!(again, canary::table(2, SEED).iter().map(canary::Line::to_string).collect::<Vec<_>>());
}
