//! Splits: no group crosses, time holds as far as groups allow, one seed is one split.

use mains_distill::split::{Parts, Row, Shares, one_each, split};
use mains_units::Timestamp;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn rows_of(drawn: &[(u32, i64)]) -> Vec<Row> {
    drawn.iter().map(|(group, at)| Row { group: *group, at: Timestamp(*at) }).collect()
}

fn groups(places: &[usize], rows: &[Row]) -> BTreeSet<u32> {
    places.iter().map(|place| rows[*place].group).collect()
}

fn parts(parts: &Parts) -> [&Vec<usize>; 3] {
    [&parts.fit, &parts.calibrate, &parts.audit]
}

proptest! {
    #[test]
    fn no_group_crosses_and_every_row_is_in_one_part(
        drawn in prop::collection::vec((0u32..30, 0i64..50), 0..120), seed: u64,
        fit in 0u32..1_000_000, calibrate in 0u32..1_000_000,
    ) {
        let rows = rows_of(&drawn);
        let shares = Shares { fit_ppm: fit, calibrate_ppm: calibrate };
        let found = split(&rows, shares, seed);
        prop_assert_eq!(&found, &split(&rows, shares, seed));
        let mut all: Vec<usize> = parts(&found).into_iter().flatten().copied().collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..rows.len()).collect::<Vec<_>>());
        let sets = parts(&found).map(|part| groups(part, &rows));
        for (i, j) in [(0, 1), (0, 2), (1, 2)] {
            prop_assert!(sets[i].is_disjoint(&sets[j]));
        }
        // Groups go by their first row.
        let mut first: BTreeMap<u32, i64> = BTreeMap::new();
        for (group, at) in &drawn {
            let least = first.entry(*group).or_insert(*at);
            *least = (*least).min(*at);
        }
        for pair in sets.windows(2) {
            let last = pair[0].iter().map(|group| first[group]).max();
            let next = pair[1].iter().map(|group| first[group]).min();
            prop_assert!(last.zip(next).is_none_or(|(last, next)| last <= next));
        }
        for part in parts(&found) {
            prop_assert!(part.windows(2).all(|pair| rows[pair[0]].at <= rows[pair[1]].at));
            let each = one_each(part, &rows, seed);
            prop_assert_eq!(each.len(), groups(part, &rows).len());
            prop_assert_eq!(groups(&each, &rows), groups(part, &rows));
        }
    }
}

#[test]
fn parts_have_their_shares_and_seeds_matter_only_where_times_are_equal() {
    let apart = rows_of(&(0..100).map(|i| (i, i64::from(i))).collect::<Vec<_>>());
    let found = split(&apart, Shares::default(), 1);
    assert_eq!(parts(&found).map(Vec::len), [50, 35, 15]);
    assert_eq!(found, split(&apart, Shares::default(), 2), "time alone decides");
    let together = rows_of(&(0..100).map(|i| (i, 7)).collect::<Vec<_>>());
    let [one, other] = [1, 2].map(|seed| split(&together, Shares::default(), seed));
    assert_ne!(one, other);
    assert_eq!(parts(&one).map(Vec::len), [50, 35, 15]);
}

#[test]
fn which_row_stands_for_its_group_is_drawn() {
    let rows = rows_of(&[(0, 1); 50]);
    let places: Vec<usize> = (0..50).collect();
    let drawn: BTreeSet<usize> = (0..40).flat_map(|seed| one_each(&places, &rows, seed)).collect();
    assert!(drawn.len() > 15, "{drawn:?}");
}
