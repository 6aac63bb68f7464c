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
