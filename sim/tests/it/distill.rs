//! The promises of certificates, in small and on planted tasks: `distill-honesty` runs them at full size.

use sim::distill::{Line, Shows, faults, noticed, planted, table};

const SEED: u64 = 5;

#[test]
fn promises_are_kept_and_the_common_way_breaks_them() {
    let populations = [planted("smooth", 0.5, 0.0, SEED), planted("hump", 0.3, 0.06, SEED)];
    let lines = table(&populations, 100, SEED).unwrap();
    assert!(faults(&lines).is_empty(), "seed {SEED}:\n{}", faults(&lines).join("\n"));
    let count = |shows| lines.iter().filter(|line| line.shows == shows).count();
    assert_eq!((count(Shows::Kept), count(Shows::Wrong)), (8, 8));
    let text = |lines: &[Line]| lines.iter().map(Line::to_string).collect::<Vec<_>>();
    let small = |seed| text(&table(&populations, 3, seed).unwrap());
    assert_eq!(small(SEED), small(SEED));
    assert_ne!(small(SEED), small(SEED + 1));
}

#[test]
fn a_line_that_breaks_more_or_a_table_that_never_does_is_a_fault() {
    let line = |broken, shows| Line {
        world: String::new(),
        method: "",
        runs: 300,
        certified: 300,
        broken,
        local: 0.5,
        shows,
    };
    // Summed in exact fractions, the 95 % quantile of 300 draws at 0.05 is 21.
    assert_eq!(line(0, Shows::Kept).bound(), 21);
    assert!(line(21, Shows::Kept).is_kept() && !line(22, Shows::Kept).is_kept());
    assert!(line(22, Shows::Wrong).is_kept() && !line(21, Shows::Wrong).is_kept());
    assert_eq!(faults(&[line(0, Shows::Kept), line(100, Shows::Wrong)]).len(), 1);
    assert!(faults(&[line(3, Shows::Kept)]).is_empty());
}

#[test]
fn a_change_is_noticed_soon_and_false_alarms_are_rare() {
    for found in noticed(60, SEED, [0.015, 0.2]).unwrap() {
        assert!(found.median <= found.formula + found.formula / 10, "{found:?}");
        assert!(found.late <= 2 * found.formula + 10 && found.too_early <= 3, "{found:?}");
    }
}
