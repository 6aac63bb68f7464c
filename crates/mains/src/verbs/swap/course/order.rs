//! The order of the sample: one for a seed, of which a test takes a beginning and a longer test a longer one.

use crate::print::Trouble;
use crate::verbs::swap::requests::Item;
use crate::verbs::swap::state::{Drawn, State};
use mains_ledger::Hash;
use mains_swap::sample::Stratum;
use mains_units::Chance;
use std::collections::{BTreeMap, BTreeSet};

/// All items in the order of the test: first those that were drawn before, then the rest.
pub(in super::super) fn order<'i>(
    items: &'i [Item],
    seed: u64,
    state: &State,
) -> Result<Vec<&'i Item>, Trouble> {
    let by_id: BTreeMap<&str, &Item> = items.iter().map(|item| (item.id.as_str(), item)).collect();
    let mut ordered = Vec::with_capacity(items.len());
    for drawn in &state.drawn {
        match by_id.get(drawn.id.as_str()) {
            Some(item) if sha256(item) == drawn.sha256 => ordered.push(*item),
            _ => {
                return Err(Trouble::new(format!(
                    "`{}` was tested here before, and is not among the requests now",
                    drawn.id
                ))
                .hint(
                    "new requests may be added behind the old ones; `--out` names another folder for others",
                ));
            }
        }
    }
    let known: BTreeSet<&str> = state.drawn.iter().map(|drawn| drawn.id.as_str()).collect();
    let strata: Vec<Stratum> = items.iter().map(Item::stratum).collect();
    let rest = proportional(&strata, &mut Chance::from_seed(seed));
    let rest = rest.into_iter().filter_map(|place| items.get(place));
    ordered.extend(rest.filter(|item| !known.contains(item.id.as_str())));
    Ok(ordered)
}

/// What the state notes of an item.
pub(in super::super) fn drawn(item: &Item) -> Drawn {
    Drawn { id: item.id.clone(), sha256: sha256(item) }
}

fn sha256(item: &Item) -> String {
    Hash::of_bytes(item.body.to_string().as_bytes()).to_hex()
}

/// Items of a block, each of which is a small picture of the traffic.
const BLOCK: usize = 20;

/// Every place once, in random order, in blocks that hold each stratum in its share to within two. Any place may come
/// first, second or last with the same chance, so that no beginning favours a stratum.
///
/// The places lie by stratum, shuffled inside, and are cut into runs as long as there are blocks; each run gives one
/// place to every block, by lot, and each block is shuffled. A last run that is too short leaves some blocks one short.
fn proportional<K: Ord>(strata: &[K], chance: &mut Chance) -> Vec<usize> {
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
    blocks.iter_mut().for_each(|block| shuffle(block, chance));
    blocks.concat()
}

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
