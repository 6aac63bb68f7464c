//! A sample in the traffic's own proportions.

use mains_units::Chance;
use std::collections::BTreeMap;

/// Draws `size` of the items, each named by its place, given the stratum of each; all of them if there are not
/// more. The same seed gives the same sample.
///
/// Each stratum gets its share (largest remainders, ties to the earlier stratum), so that the plain mean over the
/// sample is the mean over the traffic. Small strata are not fattened: that would need weights, and their slices
/// say how many outcomes they lack. The whole sample is in random order, so that a test may stop at any item.
pub fn draw<K: Ord>(strata: &[K], size: usize, chance: &mut Chance) -> Vec<usize> {
    let mut members: BTreeMap<&K, Vec<usize>> = BTreeMap::new();
    for (place, stratum) in strata.iter().enumerate() {
        members.entry(stratum).or_default().push(place);
    }
    let (size, all) = (size.min(strata.len()), strata.len().max(1));
    let mut shares: Vec<usize> = members.values().map(|places| places.len() * size / all).collect();
    let mut by_remainder: Vec<usize> = (0..shares.len()).collect();
    let remainders: Vec<usize> = members.values().map(|places| places.len() * size % all).collect();
    by_remainder.sort_by_key(|stratum| std::cmp::Reverse(remainders[*stratum]));
    let missing = size - shares.iter().sum::<usize>();
    for stratum in by_remainder.into_iter().take(missing) {
        shares[stratum] += 1;
    }
    let mut drawn = Vec::with_capacity(size);
    for (mut places, share) in members.into_values().zip(shares) {
        shuffle(&mut places, chance);
        drawn.extend_from_slice(&places[..share]);
    }
    shuffle(&mut drawn, chance);
    drawn
}

/// Items of a block, each of which is a small picture of the traffic.
const BLOCK: usize = 20;

/// Every place once, in random order: a sample is a beginning of it, and a longer one begins with the shorter. It goes in
/// blocks that hold each stratum in its share to within two. Any place may come
/// first, second or last with the same chance, so that no beginning favours a stratum.
///
/// The places lie by stratum, shuffled inside, and are cut into runs as long as there are blocks; each run gives one
/// place to every block, by lot, and each block is shuffled. A last run that is too short leaves some blocks one short.
pub fn proportional<K: Ord>(strata: &[K], chance: &mut Chance) -> Vec<usize> {
    let mut places: Vec<usize> = (0..strata.len()).collect();
    shuffle(&mut places, chance);
    places.sort_by_key(|place| &strata[*place]);
    let count = places.len().div_ceil(BLOCK).max(1);
    let mut blocks: Vec<Vec<usize>> = vec![Vec::with_capacity(BLOCK); count];
    for run in places.chunks(count) {
        let mut lots: Vec<usize> = (0..count).collect();
        shuffle(&mut lots, chance);
        for (place, block) in run.iter().zip(lots) {
            blocks[block].push(*place);
        }
    }
    for block in &mut blocks {
        shuffle(block, chance);
    }
    blocks.concat()
}

/// An item for human eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HumanItem {
    /// Its place among the items.
    pub item: usize,
    /// Whether the new model's answer is shown on the left; the reader is not told.
    pub new_left: bool,
}

/// Picks items for human verdicts, blind and in random order, before anything is known of their answers.
pub fn for_humans(items: usize, count: usize, chance: &mut Chance) -> Vec<HumanItem> {
    let mut places: Vec<usize> = (0..items).collect();
    shuffle(&mut places, chance);
    places.truncate(count);
    places.into_iter().map(|item| HumanItem { item, new_left: chance.hits(0.5) }).collect()
}

/// Fisher and Yates.
fn shuffle(places: &mut [usize], chance: &mut Chance) {
    for last in (1..places.len()).rev() {
        let other = usize::try_from(chance.below(last as u64 + 1)).unwrap_or(last);
        places.swap(last, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_has_the_proportions_of_the_whole() {
        for seed in 0..50 {
            let stratum =
                |place: usize| u8::from(place.is_multiple_of(7)) + u8::from(place.is_multiple_of(2));
            let strata: Vec<u8> = (0..707).map(stratum).collect();
            let order = proportional(&strata, &mut Chance::from_seed(seed));
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..707).collect::<Vec<_>>(), "seed {seed}");
            let of =
                |places: &[usize], wanted| places.iter().filter(|place| strata[**place] == wanted).count();
            for stratum in 0..3 {
                let share = of(&order, stratum) as f64 / 707.0;
                let first = of(&order[..BLOCK], stratum) as f64;
                assert!((first - share * 20.0).abs() <= 2.5, "seed {seed}: {first} of {stratum}");
            }
        }
    }

    #[test]
    fn every_item_comes_first_about_as_often_as_any_other() {
        let strata: Vec<u8> = (0..40).map(|place| u8::from(place < 5)).collect();
        let mut first = [0_u32; 40];
        for seed in 0..8_000 {
            first[proportional(&strata, &mut Chance::from_seed(seed))[0]] += 1;
        }
        // 200 each are expected, give or take 14.
        assert!(first.iter().all(|count| (140..=260).contains(count)), "{first:?}");
    }
}
