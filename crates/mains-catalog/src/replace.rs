//! What to use instead: the maker's own successor, the same model elsewhere, a smaller one.

use crate::catalog::Catalog;
use crate::fact::Fact;
use crate::lifecycle::{After, Basis, Lifecycle};
use crate::model::{Model, ModelRow, Price};
use crate::physics::Parameters;
use crate::spelling::bare_id;
use mains_units::Day;
use serde::Serialize;
use std::collections::HashSet;

/// One step of a chain of recommended replacements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step<'a> {
    /// The id that ends.
    pub from: &'a str,
    /// What the source recommends for it, as it says it.
    pub recommended: &'a str,
    /// The known id in that recommendation, in the host's spelling; `None` when there is none.
    pub to: Option<&'a str>,
    /// The state of that id on the day asked for: `alive`, `retired` …
    pub state: &'static str,
    /// The fact that recommends it.
    pub fact: &'a Fact,
}

/// A chain of replacements, walked until a living id or nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Replacements<'a> {
    /// The steps; the last one leads to `living`, or to a dead end.
    pub steps: Vec<Step<'a>>,
    /// The living id at the end, if the chain has one.
    pub living: Option<&'a str>,
}

/// Why a model is a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubstituteKind {
    /// The host recommends it, at the end of the chain.
    OwnSuccessor,
    /// The same model, served by another host.
    AnotherHost,
    /// A smaller or cheaper one of the same kind at the same host.
    Smaller,
}

/// A candidate to take a model's place, with what is known of its cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Substitute<'a> {
    /// Why it is one.
    pub kind: SubstituteKind,
    /// The model.
    pub model: &'a Model,
    /// Its list prices, where known.
    pub price: Option<&'a Price>,
    /// Its size, where known.
    pub parameters: Option<&'a Parameters>,
    /// The fact that recommends it, for a successor.
    pub fact: Option<&'a Fact>,
    /// Its own state on the day asked for: never retired, but it may be dying.
    pub lifecycle: Lifecycle<'a>,
}

/// Candidates of one kind that are handed out at most.
const AT_MOST: usize = 6;

impl Catalog {
    /// Walks the recommended replacements of a model at a host to a living id, or to nowhere.
    pub fn replacements<'a>(&'a self, host: &str, id: &str, as_of: Day) -> Replacements<'a> {
        let mut walked = Replacements::default();
        let Some(host) = self.host(host) else { return walked };
        let Some(mut fact) = self.recommending_fact(&host.id, id, as_of) else { return walked };
        let mut seen: Vec<&str> = vec![&fact.id];
        loop {
            let candidates = self.recommended_ids(&host.id, &fact.replacement);
            let states: Vec<_> =
                candidates.iter().map(|id| (*id, self.lifecycle(Some(&host.id), id, as_of))).collect();
            let alive = states.iter().find(|(_, state)| state.serves());
            let chosen = alive.or(states.first());
            let (to, state) = chosen.map_or((None, "unknown"), |(id, state)| (Some(*id), state.word()));
            walked.steps.push(Step { from: &fact.id, recommended: &fact.replacement, to, state, fact });
            if alive.is_some() {
                walked.living = to;
                return walked;
            }
            let next = to.filter(|id| !seen.contains(id));
            let next = next.and_then(|id| self.recommending_fact(&host.id, id, as_of));
            let Some(next) = next else { return walked };
            seen.push(&next.id);
            fact = next;
        }
    }

    /// The deciding fact of an id, if it recommends anything; a conflicting fact that does is better than none.
    fn recommending_fact<'a>(&'a self, host: &str, id: &str, as_of: Day) -> Option<&'a Fact> {
        let lifecycle = self.lifecycle(Some(host), id, as_of);
        let evidence = lifecycle.evidence();
        if matches!(evidence.basis, Basis::VendorDate { .. }) {
            return None;
        }
        let facts = evidence.fact.into_iter().chain(evidence.conflicts.iter().copied());
        facts.into_iter().find(|fact| !fact.replacement.is_empty())
    }

    /// The known ids in a recommendation: `a`, `a or b`, `a, b`, `a|b`. Prose holds none.
    fn recommended_ids(&self, host: &str, recommendation: &str) -> Vec<&str> {
        let parts = recommendation.split(" or ").flat_map(|part| part.split(" / "));
        let parts = parts.flat_map(|part| part.split(" and ")).flat_map(|part| part.split([',', '|', ';']));
        let named = |part: &str| {
            let part = part.trim().trim_matches('`');
            let found = self.lookup(Some(host), part).resolved()?;
            Some(found.model.id.as_ref())
        };
        parts.filter_map(named).collect()
    }

    /// What could take the place of a model: the host's own living successor, then the same model at other
    /// hosts, then smaller ones of the same kind; each kind cheapest first, unpriced last.
    pub fn substitutes<'a>(&'a self, host: &str, id: &str, as_of: Day) -> Vec<Substitute<'a>> {
        self.substitutes_up_to(AT_MOST, host, id, as_of)
    }

    /// The same with at most so many of each kind, for who sorts them out by what they can do.
    pub fn substitutes_up_to<'a>(
        &'a self,
        at_most: usize,
        host: &str,
        id: &str,
        as_of: Day,
    ) -> Vec<Substitute<'a>> {
        let Some(resolved) = self.lookup(Some(host), id).into_first() else { return Vec::new() };
        let original = resolved.model;
        let mut found = Vec::new();
        let walked = self.replacements(&original.host, &original.id, as_of);
        let redirected = match self.lifecycle(Some(&original.host), &original.id, as_of) {
            Lifecycle::Retired { after: After::Redirects { to, .. }, .. } => Some(to),
            _ => None,
        };
        if let Some(successor) = walked.living.or(redirected)
            && let Some(model) = self.model(&original.host, successor)
        {
            let fact = walked.steps.last().map(|step| step.fact);
            found.extend(self.substitute(SubstituteKind::OwnSuccessor, model, fact, as_of));
        }
        found.extend(self.elsewhere(original, at_most, as_of));
        let known: Vec<&Model> = found.iter().map(|substitute| substitute.model).collect();
        found.extend(self.smaller(original, &known, at_most, as_of));
        found
    }

    fn substitute<'a>(
        &'a self,
        kind: SubstituteKind,
        model: &'a Model,
        fact: Option<&'a Fact>,
        as_of: Day,
    ) -> Option<Substitute<'a>> {
        let lifecycle = self.lifecycle(Some(&model.host), &model.id, as_of);
        let parameters = self.parameters(&model.id);
        let price = model.price.as_ref();
        lifecycle.serves().then_some(Substitute { kind, model, price, parameters, fact, lifecycle })
    }

    /// The same model, under any spelling, at other hosts.
    fn elsewhere<'a>(&'a self, original: &'a Model, at_most: usize, as_of: Day) -> Vec<Substitute<'a>> {
        let bare = bare_id(&original.id);
        let same = |row: &&ModelRow| {
            row.host != original.host && row.id.len() >= bare.len() && bare_id(&row.id) == bare
        };
        let mut hosts: HashSet<&str> = HashSet::new();
        let mut same: Vec<&Model> = self.models.iter().filter(same).map(ModelRow::get).collect();
        same.sort_by_key(|model| (typical_price(model), &model.host, &model.id));
        same.retain(|model| hosts.insert(&model.host));
        let substitutes = same.into_iter();
        let kind = SubstituteKind::AnotherHost;
        substitutes.filter_map(|model| self.substitute(kind, model, None, as_of)).take(at_most).collect()
    }

    /// Models of the same host and kind that take and give the same, and are smaller or, where sizes are not
    /// known, cheaper.
    fn smaller<'a>(
        &'a self,
        original: &'a Model,
        known: &[&Model],
        at_most: usize,
        as_of: Day,
    ) -> Vec<Substitute<'a>> {
        let size = self.parameters(&original.id).map(|parameters| parameters.active.max);
        let price = typical_price(original);
        let mut candidates: Vec<&Model> = self
            .models
            .iter()
            .filter(|row| row.host == original.host && row.id != original.id)
            .map(ModelRow::get)
            .filter(|model| model.kind == original.kind && model.output.covers(original.output))
            .filter(|model| model.input.covers(original.input) && !known.contains(model))
            .filter(|model| {
                let other = self.parameters(&model.id).map(|parameters| parameters.active.max);
                match (size, other) {
                    (Some(size), Some(other)) => other < size,
                    _ => typical_price(model) < price,
                }
            })
            .collect();
        candidates.sort_by_key(|model| (typical_price(model), &model.id));
        let kind = SubstituteKind::Smaller;
        let substitutes =
            candidates.into_iter().filter_map(|model| self.substitute(kind, model, None, as_of));
        substitutes.take(at_most).collect()
    }

    /// The size of a text model under any of its spellings; `None` when no source knows it.
    pub fn parameters(&self, id: &str) -> Option<&Parameters> {
        if let Some(found) = self.parameters_named(id).first() {
            return Some(found);
        }
        let bare = bare_id(id);
        if let Some(found) = self.parameters_named(&bare).first() {
            return Some(found);
        }
        let tail = |known: &Parameters| {
            known.id.rsplit('/').next().is_some_and(|tail| tail.eq_ignore_ascii_case(&bare))
        };
        self.all_parameters().find(|known| tail(known))
    }
}

/// What three parts input and one part output cost: an order by price, unpriced last.
fn typical_price(model: &Model) -> u64 {
    let price = model.price.as_ref();
    let Some((input, output)) = price.and_then(|price| Some((price.input?, price.output?))) else {
        return price
            .and_then(|price| price.units.iter().map(|unit| unit.pico_usd).min())
            .unwrap_or(u64::MAX);
    };
    input.0.saturating_mul(3).saturating_add(output.0) / 4
}
