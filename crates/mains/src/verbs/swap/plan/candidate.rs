//! One candidate with all that is known of it.

use super::super::requests::Item;
use super::configured::{self, Access, Configured};
use super::mix::Mix;
use super::needs::{Missing, Needs};
use super::parameters::{self, Met};
use super::subject::{Subject, at};
use mains_catalog::{Catalog, Fact, Host, Lifecycle, Model, SubstituteKind};
use mains_meter::{Answer, Footprint, Meter};
use mains_serve::live::Upstream;
use mains_units::{Day, NanoUsd};
use std::sync::Arc;

/// Candidates of a kind that are looked at.
const LOOKED_AT: usize = 40;

/// An end within so many days puts a candidate behind the others: the next replacement would follow at once.
const SHORT_LIFE_DAYS: i64 = 180;

/// Why it is a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    /// The host names it in place of the old one.
    Successor,
    /// It stands behind the old one in its route.
    InRoute,
    /// The same model at another host.
    SameModel,
    /// A smaller or cheaper one.
    Smaller,
}

impl Why {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Successor => "successor",
            Self::InRoute => "in the route",
            Self::SameModel => "same model",
            Self::Smaller => "smaller",
        }
    }
}

/// What 1,000 requests cost there.
#[derive(Default)]
pub(super) struct Measured {
    pub(super) cost: Option<NanoUsd>,
    pub(super) footprint: Option<Footprint>,
}

pub(super) struct Candidate<'c> {
    pub(super) why: Why,
    pub(super) host: &'c Host,
    pub(super) model: &'c Model,
    pub(super) lifecycle: Lifecycle<'c>,
    /// Until its own end, where a day is known.
    pub(super) days_left: Option<i64>,
    /// The fact that names it.
    pub(super) fact: Option<&'c Fact>,
    pub(super) missing: Missing,
    pub(super) measured: Measured,
    pub(super) access: Access,
    /// `upstream/model` for `--to`; the host's id stands for an upstream that is missing.
    pub(super) target: String,
    pub(super) met: Met,
}

/// What candidates are looked at with.
pub(super) struct View<'v, 'c> {
    pub(super) catalog: &'c Catalog,
    pub(super) as_of: Day,
    pub(super) configured: &'v Configured,
    pub(super) needs: &'v Needs,
    pub(super) mix: &'v Mix,
    pub(super) items: &'v [Item],
}

/// All candidates for a model, in no order yet.
pub(super) fn all<'c>(view: &View<'_, 'c>, subject: &Subject<'c>) -> Vec<Candidate<'c>> {
    let (host, id) = (&subject.host.id, &subject.model.id);
    let mut found: Vec<Candidate<'c>> = Vec::new();
    let substitutes = view.catalog.substitutes_up_to(LOOKED_AT, host, id, view.as_of);
    for substitute in &substitutes {
        let Some(host) = view.catalog.host(&substitute.model.host) else { continue };
        let why = match substitute.kind {
            SubstituteKind::OwnSuccessor => Why::Successor,
            SubstituteKind::AnotherHost => Why::SameModel,
            SubstituteKind::Smaller => Why::Smaller,
        };
        found.push(view.candidate(why, host, substitute.model, substitute.fact, None));
    }
    drop_dated(&mut found);
    let route = subject.route.as_deref().unwrap_or_default();
    for (upstream, name) in view.configured.targets(route) {
        let Some(resolved) = at(&upstream, &name, view.catalog) else { continue };
        let same = |model: &Model| model.host == resolved.model.host && model.id == resolved.model.id;
        if same(subject.model) || found.iter().any(|known| known.why == Why::Successor && same(known.model)) {
            continue;
        }
        found.retain(|known| !same(known.model));
        let candidate =
            view.candidate(Why::InRoute, resolved.host, resolved.model, None, Some((upstream, name)));
        if candidate.lifecycle.serves() {
            found.push(candidate);
        }
    }
    found
}

/// A dated snapshot beside its undated name says nothing new.
fn drop_dated(found: &mut Vec<Candidate<'_>>) {
    let names: Vec<(String, String)> =
        found.iter().map(|known| (known.host.id.to_string(), known.model.id.to_string())).collect();
    found.retain(|known| {
        let undated = |(host, id): &(String, String)| {
            let rest = known.model.id.strip_prefix(id.as_str()).filter(|_| *host == known.host.id);
            rest.is_some_and(|rest| {
                let digits = rest.bytes().filter(u8::is_ascii_digit).count();
                digits >= 4 && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
            })
        };
        known.why != Why::Smaller || !names.iter().any(undated)
    });
}

impl<'c> View<'_, 'c> {
    fn candidate(
        &self,
        why: Why,
        host: &'c Host,
        model: &'c Model,
        fact: Option<&'c Fact>,
        named: Option<(Arc<Upstream>, String)>,
    ) -> Candidate<'c> {
        let lifecycle = self.catalog.lifecycle(Some(&host.id), &model.id, self.as_of);
        let (access, target) = match named {
            Some((upstream, name)) => {
                let target = format!("{}/{name}", upstream.name);
                (Access::Upstream(upstream), target)
            }
            None => match self.configured.access(host) {
                Access::Upstream(upstream) => {
                    let target = format!("{}/{}", upstream.name, model.id);
                    (Access::Upstream(upstream), target)
                }
                other => (other, format!("{}/{}", host.id, model.id)),
            },
        };
        let upstream = match &access {
            Access::Upstream(upstream) => Some(upstream),
            _ => None,
        };
        let mut missing = self.needs.missing(model);
        let provider =
            upstream.map(|upstream| upstream.provider.clone()).or_else(|| configured::provider(host));
        let met = provider
            .map(|provider| parameters::met(self.items, &host.id, &model.id, &provider))
            .unwrap_or_default();
        if matches!(access, Access::Unreachable) {
            missing.lacks.push("a way there (Mains speaks no dialect of this host)".into());
        }
        Candidate {
            why,
            host,
            model,
            days_left: lifecycle.ends_on().map(|day| self.as_of.days_until(day)),
            lifecycle,
            fact,
            missing,
            measured: self.measured(&host.id, &model.id, upstream),
            access,
            target,
            met,
        }
    }

    /// What 1,000 requests of this mix cost at a model.
    pub(super) fn measured(&self, host: &str, model: &str, upstream: Option<&Arc<Upstream>>) -> Measured {
        let meter = Meter::new(self.catalog);
        let rates = |input| match upstream {
            Some(upstream) => configured::rates(upstream, model, self.catalog, self.as_of, input),
            None => meter.rates(host, model, input),
        };
        let costs: Option<Vec<u64>> =
            self.mix.usages.iter().map(|usage| Some(rates(usage.input)?.cost(usage).0)).collect();
        let cost = costs.map(|costs| {
            let sum: u128 = costs.iter().map(|cost| u128::from(*cost)).sum();
            let mean = (sum * 1_000).div_ceil(costs.len().max(1) as u128);
            NanoUsd(u64::try_from(mean).unwrap_or(u64::MAX))
        });
        let zone = upstream.and_then(|upstream| upstream.zone.as_deref());
        let answer = Answer { host, model, usage: self.mix.mean(), latency_s: None, zone };
        let thousand = |one: Footprint| Footprint {
            energy_j: one.energy_j.scaled(1_000.0),
            co2_g: one.co2_g.scaled(1_000.0),
            water_l: one.water_l.scaled(1_000.0),
            grade: one.grade,
        };
        Measured { cost, footprint: meter.footprint(&answer).map(thousand) }
    }
}

impl Candidate<'_> {
    /// Whether nothing is known that it lacks.
    pub(super) fn is_capable(&self) -> bool {
        self.missing.lacks.is_empty()
    }

    /// The best first: able, named by the host, then with a life ahead, configured, cheap.
    pub(super) fn rank(&self) -> (bool, bool, bool, u8, Why, u64, String) {
        let short = self.days_left.is_some_and(|days| days < SHORT_LIFE_DAYS);
        let access = match self.access {
            Access::Upstream(_) => 0,
            Access::Missing(_) => 1,
            Access::Unreachable => 2,
        };
        // The same model and a smaller one are told apart by price alone.
        let why = if self.why == Why::Smaller { Why::SameModel } else { self.why };
        let cost = self.measured.cost.map_or(u64::MAX, |cost| cost.0);
        let successor = self.why == Why::Successor;
        (!self.is_capable(), !successor, short, access, why, cost, self.target.clone())
    }
}
