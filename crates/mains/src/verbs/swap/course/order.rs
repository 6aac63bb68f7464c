//! The order of the sample: one for a seed, of which a test takes a beginning and a longer test a longer one.

use crate::print::Trouble;
use crate::verbs::swap::requests::Item;
use crate::verbs::swap::state::{Drawn, State};
use mains_ledger::Hash;
use mains_swap::sample::{Stratum, proportional};
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
