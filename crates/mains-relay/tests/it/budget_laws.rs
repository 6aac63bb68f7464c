//! Budgets by law: random caps, holds, extensions, settlements and clocks.

use mains_relay::budget::{Cap, Draw, Hold, Path, Per, Scope, Tree};
use mains_units::{Grade, Quantity, Timestamp};
use proptest::prelude::*;

const PERS: [Per; 5] = [Per::Minute, Per::Hour, Per::Day, Per::Week, Per::Month];
const GRADES: [Grade; 3] = [Grade::A, Grade::B, Grade::D];

#[derive(Debug, Clone)]
enum Step {
    Reserve {
        path: usize,
        amounts: [u64; 6],
        grade: usize,
    },
    Extend {
        hold: usize,
        amounts: [u64; 6],
        grade: usize,
    },
    /// Settles to this many thousandths of the hold.
    Settle {
        hold: usize,
        thousandths: u64,
    },
    Release {
        hold: usize,
    },
    Clock {
        ms: i64,
    },
    Reconfigure {
        caps: Vec<Cap>,
    },
}

fn paths(index: usize) -> Path {
    let name = |on: bool, name: &str| on.then(|| name.into());
    Path { project: name(index & 1 == 1, "p"), key: name(index & 2 == 2, "k") }
}

fn scope() -> impl Strategy<Value = Scope> {
    prop_oneof![Just(Scope::Organisation), Just(Scope::Project("p".into())), Just(Scope::Key("k".into()))]
}

fn caps() -> impl Strategy<Value = Vec<Cap>> {
    let cap = (scope(), 0..PERS.len(), 0..6usize, 0u64..2_000)
        .prop_map(|(scope, per, quantity, limit)| Cap::new(scope, PERS[per], Quantity::ALL[quantity], limit));
    prop::collection::vec(cap, 0..6)
}

fn step() -> impl Strategy<Value = Step> {
    let amounts = || prop::array::uniform6(0u64..600);
    prop_oneof![
        4 => (0..4usize, amounts(), 0..GRADES.len())
            .prop_map(|(path, amounts, grade)| Step::Reserve { path, amounts, grade }),
        2 => (0..8usize, amounts(), 0..GRADES.len())
            .prop_map(|(hold, amounts, grade)| Step::Extend { hold, amounts, grade }),
        3 => (0..8usize, 0u64..=1_000).prop_map(|(hold, thousandths)| Step::Settle { hold, thousandths }),
        1 => (0..8usize).prop_map(|hold| Step::Release { hold }),
        2 => prop_oneof![-90_000_000i64..0, 0i64..200_000, 0i64..90_000_000].prop_map(|ms| Step::Clock { ms }),
        1 => caps().prop_map(|caps| Step::Reconfigure { caps }),
    ]
}

fn draw(amounts: [u64; 6], grade: Grade) -> Draw {
    Quantity::ALL
        .into_iter()
        .fold(Draw::default(), |draw, quantity| draw.estimated(quantity, amounts[quantity as usize], grade))
}

fn part_of(hold: &Hold, thousandths: u64) -> Draw {
    Quantity::ALL.into_iter().fold(Draw::default(), |draw, quantity| {
        draw.exactly(quantity, hold.held().get(quantity) * thousandths / 1_000)
    })
}

/// No cap is exceeded, whatever happened. A cap that was lowered below its use is the only exception,
/// and it refuses everything then.
fn check_caps(tree: &mut Tree, now: Timestamp, lowered: bool) -> Result<(), TestCaseError> {
    for reading in tree.readings(now) {
        let reached = reading.used + reading.held;
        prop_assert!(lowered || reached <= reading.cap.limit, "{reached} reached of {reading:?}");
        let totals = reading.totals;
        prop_assert!(totals.held >= totals.settled + totals.released, "{reading:?}");
        prop_assert_eq!(totals.overshoot, 0);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(3),
        ..ProptestConfig::default()
    })]

    #[test]
    fn held_is_settled_and_released_and_no_cap_is_exceeded(
        first in caps(),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut now = Timestamp(1_795_550_813_120);
        let mut tree = Tree::new(first, now);
        let mut holds: Vec<Hold> = Vec::new();
        let mut lowered = false;
        for step in steps {
            match step {
                Step::Reserve { path, amounts, grade } => {
                    let before = tree.readings(now);
                    if let Ok(hold) = tree.reserve(paths(path), &draw(amounts, GRADES[grade]), now) {
                        holds.push(hold);
                    } else {
                        prop_assert_eq!(before, tree.readings(now), "a refusal changes nothing");
                    }
                }
                Step::Extend { hold, amounts, grade } => {
                    let Some(hold) = holds.get_mut(hold) else { continue };
                    let before = (tree.readings(now), hold.held());
                    if tree.extend(hold, &draw(amounts, GRADES[grade]), now).is_err() {
                        prop_assert_eq!(before, (tree.readings(now), hold.held()));
                    }
                }
                Step::Settle { hold, thousandths } if hold < holds.len() => {
                    let hold = holds.swap_remove(hold);
                    let actual = part_of(&hold, thousandths);
                    let settlement = tree.settle(hold, &actual);
                    prop_assert_eq!(settlement.held, settlement.settled.plus(&settlement.released));
                    prop_assert!(!settlement.overshoots());
                }
                Step::Release { hold } if hold < holds.len() => {
                    let settlement = tree.release(holds.swap_remove(hold));
                    prop_assert_eq!(settlement.held, settlement.released);
                }
                Step::Clock { ms } => now.0 += ms,
                Step::Reconfigure { caps } => {
                    lowered = true;
                    tree.reconfigure(caps, now);
                }
                Step::Settle { .. } | Step::Release { .. } => {}
            }
            check_caps(&mut tree, now, lowered)?;
        }
        for hold in holds {
            tree.release(hold);
        }
        for reading in tree.readings(now) {
            prop_assert_eq!(reading.held, 0, "nothing is left behind: {:?}", reading);
            let totals = reading.totals;
            prop_assert_eq!(totals.held, totals.settled + totals.released);
        }
    }

    #[test]
    fn what_is_used_beyond_the_hold_is_counted_in_full(held in any::<u64>(), actual in any::<u64>()) {
        let now = Timestamp(0);
        let cap = Cap::new(Scope::Organisation, Per::Day, Quantity::Money, u64::MAX);
        let mut tree = Tree::new(vec![cap], now);
        let draw = |amount| Draw::one_request().exactly(Quantity::Money, amount);
        let hold = tree.reserve(Path::default(), &draw(held), now).unwrap();
        let settlement = tree.settle(hold, &draw(actual));
        let money = |amounts: mains_units::Amounts| amounts.get(Quantity::Money);
        prop_assert_eq!(money(settlement.settled) + money(settlement.released), held);
        prop_assert_eq!(money(settlement.settled) + money(settlement.overshoot), actual);
        prop_assert_eq!(tree.readings(now)[0].used, actual);
    }
}
