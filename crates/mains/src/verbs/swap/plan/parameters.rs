//! What a candidate refuses, renames or ignores of the requests as they would be sent to it, and what the way
//! through another dialect drops.

use super::super::requests::Item;
use mains_wire::dialects::WriteOptions;
use mains_wire::parameters::{self, ParameterFact};
use mains_wire::providers::Provider;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What the requests meet at one candidate.
#[derive(Default)]
pub(super) struct Met {
    /// Each fact with the number of requests that meet it; all facts with 0 where no requests were given.
    pub(super) facts: Vec<(&'static ParameterFact, u64)>,
    /// What the other dialect cannot say, with the number of requests.
    pub(super) losses: BTreeMap<String, u64>,
}

/// What these requests meet at a model of a host.
pub(super) fn met(items: &[Item], host: &str, model: &str, provider: &Provider) -> Met {
    let mut met =
        Met { facts: parameters::of(host, model).map(|fact| (fact, 0)).collect(), ..Met::default() };
    if items.is_empty() {
        return met;
    }
    let options = WriteOptions::of(provider, model, 4_096);
    for item in items {
        let Some(sent) = sent(item, provider, &options, &mut met.losses) else { continue };
        for (fact, count) in &mut met.facts {
            let asked = if fact.effect == parameters::Effect::Required { &item.body } else { &*sent };
            *count += u64::from(fact.meets(asked));
        }
    }
    met.facts.retain(|(_, count)| *count > 0);
    met
}

/// The body that would reach the provider: the original where it speaks the dialect, else a translation.
fn sent<'i>(
    item: &'i Item,
    provider: &Provider,
    options: &WriteOptions,
    losses: &mut BTreeMap<String, u64>,
) -> Option<Cow<'i, Value>> {
    let dialect = provider.dialect_for(item.dialect)?;
    if dialect == item.dialect {
        return Some(Cow::Borrowed(&item.body));
    }
    let encoded = dialect.write_question(&item.question().ok()?, options).ok()?;
    for loss in encoded.losses {
        *losses.entry(format!("`{}`: {}", loss.path, loss.reason)).or_insert(0) += 1;
    }
    serde_json::from_slice(&encoded.bytes).ok().map(Cow::Owned)
}
