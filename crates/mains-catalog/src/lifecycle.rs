//! Is a model alive on a day, and which facts say so.
//!
//! A date belongs to a host: the same id ends on other days elsewhere. Where facts of one host disagree, the
//! rule is: an announced end refines "not sooner than"; the provider's own page wins over a data set, then
//! the newer reading, then the later announcement; the losers are handed out beside the winner.

use crate::catalog::Catalog;
use crate::fact::{AfterShutdown, Confidence, DateKind, Fact};
use crate::model::Price;
use crate::spelling::owner_ids;
use mains_units::Day;
use serde::Serialize;

/// From what a verdict was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "basis")]
pub enum Basis<'a> {
    /// A fact about this id at this host.
    Host,
    /// The id stands for dated snapshots, and lives as long as the last of them.
    LastSnapshot {
        /// The snapshot that ends last.
        snapshot: &'a str,
    },
    /// The host says nothing; this is the date of the maker's own API. The platform's date is not known and
    /// may be later.
    VendorDate {
        /// The maker.
        owner: &'a str,
    },
    /// The host is not known; this is the fact at the maker's own API. `elsewhere` has the others.
    Owner {
        /// The maker.
        owner: &'a str,
    },
    /// No fact: the id is in a price list or it is not.
    Listed,
}

/// The facts behind a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence<'a> {
    /// From what it was drawn.
    pub basis: Basis<'a>,
    /// The fact that decided.
    pub fact: Option<&'a Fact>,
    /// Facts about the same id at the same host that say otherwise.
    pub conflicts: Vec<&'a Fact>,
    /// What holds at other hosts, one fact each; filled when the host is not known.
    pub elsewhere: Vec<&'a Fact>,
}

impl Evidence<'_> {
    fn none() -> Self {
        Self { basis: Basis::Listed, fact: None, conflicts: Vec::new(), elsewhere: Vec::new() }
    }
}

/// What happens to a request after the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "after")]
pub enum After<'a> {
    /// It fails.
    Fails,
    /// Another model answers, at its own price and with its own behaviour: a silent change of the bill.
    Redirects {
        /// The model that answers.
        to: &'a str,
        /// What the dead model cost, where known.
        price_before: Option<&'a Price>,
        /// What the answering model costs, where known.
        price_after: Option<&'a Price>,
    },
    /// Not said by the source.
    Unknown,
}

/// The state of a model on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Lifecycle<'a> {
    /// Served, and no end is known.
    Alive {
        /// The facts, if any.
        evidence: Evidence<'a>,
    },
    /// Its end is announced without a day.
    Deprecated {
        /// The facts.
        evidence: Evidence<'a>,
    },
    /// It ends on a known day that is still to come.
    Dying {
        /// The first day without it.
        on: Day,
        /// What happens then.
        after: After<'a>,
        /// The facts.
        evidence: Evidence<'a>,
    },
    /// It has ended.
    Retired {
        /// The first day without it.
        since: Day,
        /// What happens to requests now.
        after: After<'a>,
        /// The facts.
        evidence: Evidence<'a>,
    },
    /// No end is announced, and the day until which there was to be none has passed.
    MayEndAnyDay {
        /// That day.
        not_sooner_than: Day,
        /// The facts.
        evidence: Evidence<'a>,
    },
    /// No source knows this id here.
    Unknown {
        /// What holds at other hosts, if anything.
        evidence: Evidence<'a>,
    },
}

impl<'a> Lifecycle<'a> {
    /// The facts behind it.
    pub fn evidence(&self) -> &Evidence<'a> {
        match self {
            Self::Alive { evidence }
            | Self::Deprecated { evidence }
            | Self::Dying { evidence, .. }
            | Self::Retired { evidence, .. }
            | Self::MayEndAnyDay { evidence, .. }
            | Self::Unknown { evidence } => evidence,
        }
    }

    fn evidence_mut(&mut self) -> &mut Evidence<'a> {
        match self {
            Self::Alive { evidence }
            | Self::Deprecated { evidence }
            | Self::Dying { evidence, .. }
            | Self::Retired { evidence, .. }
            | Self::MayEndAnyDay { evidence, .. }
            | Self::Unknown { evidence } => evidence,
        }
    }

    /// The day of the end, past or to come.
    pub fn ends_on(&self) -> Option<Day> {
        match self {
            Self::Dying { on, .. } => Some(*on),
            Self::Retired { since, .. } => Some(*since),
            _ => None,
        }
    }

    /// Whether a request is answered by the model that it names.
    pub fn serves(&self) -> bool {
        !matches!(self, Self::Retired { .. } | Self::Unknown { .. })
    }

    /// One word: `alive`, `deprecated`, `dying`, `retired`, `may-end-any-day`, `unknown`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Alive { .. } => "alive",
            Self::Deprecated { .. } => "deprecated",
            Self::Dying { .. } => "dying",
            Self::Retired { .. } => "retired",
            Self::MayEndAnyDay { .. } => "may-end-any-day",
            Self::Unknown { .. } => "unknown",
        }
    }
}

impl Catalog {
    /// The state of a model on a day. `id` is a known id or any spelling that [`Catalog::lookup`] resolves.
    ///
    /// Without a host, the maker's own API decides and the facts of other hosts are handed out in
    /// `evidence.elsewhere`; the same id may end there on other days.
    pub fn lifecycle<'a>(&'a self, host: Option<&str>, id: &str, as_of: Day) -> Lifecycle<'a> {
        let Some(host) = host else { return self.lifecycle_anywhere(id, as_of) };
        let Some(host) = self.host(host) else { return Lifecycle::Unknown { evidence: Evidence::none() } };
        if self.name(id).is_none()
            && let Some(resolved) = self.lookup(Some(&host.id), id).resolved()
        {
            return self.lifecycle_at(&resolved.model.host, &resolved.model.id, as_of);
        }
        self.lifecycle_at(&host.id, id, as_of)
    }

    fn lifecycle_anywhere(&self, id: &str, as_of: Day) -> Lifecycle<'_> {
        let known = if self.name(id).is_some() { None } else { self.lookup(None, id).into_first() };
        if let Some(resolved) = &known
            && resolved.host_is_certain()
        {
            return self.lifecycle_at(&resolved.model.host, &resolved.model.id, as_of);
        }
        let id = known.map_or(id, |resolved| resolved.model.id.as_ref());
        let hosts = self.hosts_naming(id);
        let owner = self.owner(id).filter(|owner| hosts.contains(&owner.id.as_ref()));
        let only = if let [only] = hosts.as_slice() { Some(*only) } else { None };
        let mut verdict = match (owner, only) {
            (Some(owner), _) => {
                let mut verdict = self.lifecycle_at(&owner.id, id, as_of);
                if verdict.evidence().basis == Basis::Host {
                    verdict.evidence_mut().basis = Basis::Owner { owner: &owner.id };
                }
                verdict
            }
            (None, Some(only)) => self.lifecycle_at(only, id, as_of),
            (None, None) => self.lifecycle_by_vote(&hosts, id, as_of),
        };
        let decided = verdict.evidence().fact.map(|fact| fact.host.clone());
        let elsewhere = hosts
            .iter()
            .filter(|host| decided.as_deref() != Some(**host))
            .filter_map(|host| self.lifecycle_at(host, id, as_of).evidence().fact)
            .filter(|fact| decided.as_ref() != Some(&fact.host))
            .collect();
        verdict.evidence_mut().elsewhere = elsewhere;
        verdict
    }

    /// Without host and maker: alive if any host serves it, else not known.
    fn lifecycle_by_vote(&self, hosts: &[&str], id: &str, as_of: Day) -> Lifecycle<'_> {
        let alive = hosts.iter().any(|host| self.lifecycle_at(host, id, as_of).serves());
        if alive {
            Lifecycle::Alive { evidence: Evidence::none() }
        } else {
            Lifecycle::Unknown { evidence: Evidence::none() }
        }
    }

    /// Every host with a row of any kind for this id.
    fn hosts_naming(&self, id: &str) -> Vec<&str> {
        let models = self.model_rows(id).iter().map(|row| row.host.as_ref());
        let facts = self.facts_named(id).iter().map(|fact| fact.host.as_ref());
        let aliases = self.aliases_named(id).iter().map(|alias| alias.host.as_ref());
        let mut hosts: Vec<&str> = models.chain(facts).chain(aliases).collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts
    }

    fn lifecycle_at<'a>(&'a self, host: &str, id: &str, as_of: Day) -> Lifecycle<'a> {
        let own = self.own_facts(host, id);
        let by_snapshots = self.last_snapshot(host, id, as_of);
        match (winner(&own), by_snapshots) {
            (Some(best), Some(mut last)) if outranks(last.evidence().fact, best) => {
                last.evidence_mut().conflicts.extend(own);
                last
            }
            (Some(best), _) => self.verdict(best, Basis::Host, &own, as_of),
            (None, Some(last)) => last,
            (None, None) => self.vendor_date(host, id, as_of),
        }
    }

    fn own_facts<'a>(&'a self, host: &str, id: &str) -> Vec<&'a Fact> {
        self.facts_named(id).iter().filter(|fact| fact.host == host).collect()
    }

    /// The verdict on the snapshot that ends last; alive as soon as one of them is.
    fn last_snapshot<'a>(&'a self, host: &str, id: &str, as_of: Day) -> Option<Lifecycle<'a>> {
        let alias = self.alias(host, id)?;
        let mut last: Option<(Option<Day>, &str, Lifecycle<'a>)> = None;
        for snapshot in &alias.snapshots {
            let own = self.own_facts(host, snapshot);
            let Some(best) = winner(&own) else {
                self.model(host, snapshot)?;
                let evidence = Evidence { basis: Basis::LastSnapshot { snapshot }, ..Evidence::none() };
                return Some(Lifecycle::Alive { evidence });
            };
            let verdict = self.verdict(best, Basis::LastSnapshot { snapshot }, &own, as_of);
            // No day of an end is later than any day.
            let later = last.as_ref().is_none_or(|(day, ..)| match (verdict.ends_on(), day) {
                (None, _) => true,
                (Some(new), Some(old)) => new >= *old,
                (Some(_), None) => false,
            });
            if later {
                last = Some((verdict.ends_on(), snapshot, verdict));
            }
        }
        last.map(|(_, _, verdict)| verdict)
    }

    /// The host says nothing about this id: what the maker's own API says, if the model is the maker's alone
    /// to end.
    fn vendor_date<'a>(&'a self, host: &str, id: &str, as_of: Day) -> Lifecycle<'a> {
        let listed = self.model(host, id).is_some();
        let unknown_or_listed = if listed {
            Lifecycle::Alive { evidence: Evidence::none() }
        } else {
            Lifecycle::Unknown { evidence: Evidence::none() }
        };
        let Some(owner) = self.owner(id).filter(|owner| owner.id != host) else { return unknown_or_listed };
        if self.has_open_weights(id) {
            return unknown_or_listed;
        }
        for candidate in owner_ids(id, &owner.id) {
            let own = self.own_facts(&owner.id, &candidate);
            let basis = Basis::VendorDate { owner: &owner.id };
            if let Some(best) = winner(&own) {
                return self.verdict(best, basis, &own, as_of);
            }
            if let Some(mut verdict) = self.last_snapshot(&owner.id, &candidate, as_of)
                && verdict.evidence().fact.is_some()
            {
                verdict.evidence_mut().basis = basis;
                return verdict;
            }
        }
        unknown_or_listed
    }

    /// Whether any source says that the weights are open: then other hosts may serve it as long as they like.
    fn has_open_weights(&self, id: &str) -> bool {
        self.models_named(id).any(|model| model.capabilities.open_weights == Some(true))
    }

    fn verdict<'a>(
        &'a self,
        best: &'a Fact,
        basis: Basis<'a>,
        all: &[&'a Fact],
        as_of: Day,
    ) -> Lifecycle<'a> {
        let differs = |fact: &&&Fact| {
            (fact.shutdown, fact.date_kind, &fact.replacement)
                != (best.shutdown, best.date_kind, &best.replacement)
        };
        let conflicts = all.iter().filter(differs).copied().collect();
        let evidence = Evidence { basis, fact: Some(best), conflicts, elsewhere: Vec::new() };
        match (best.date_kind, best.shutdown) {
            (DateKind::NotSoonerThan, Some(day)) if day <= as_of => {
                Lifecycle::MayEndAnyDay { not_sooner_than: day, evidence }
            }
            (DateKind::NotSoonerThan, _) => Lifecycle::Alive { evidence },
            (DateKind::NoDate, _) | (_, None) => Lifecycle::Deprecated { evidence },
            (DateKind::Exact | DateKind::Earliest, Some(day)) => {
                let after = self.after(best);
                if day <= as_of {
                    Lifecycle::Retired { since: day, after, evidence }
                } else {
                    Lifecycle::Dying { on: day, after, evidence }
                }
            }
        }
    }

    fn after<'a>(&'a self, fact: &'a Fact) -> After<'a> {
        match &fact.after {
            AfterShutdown::Fails | AfterShutdown::RedirectsThenFails => After::Fails,
            AfterShutdown::Redirects { to } => After::Redirects {
                to,
                price_before: self.price(&fact.host, &fact.id),
                price_after: self.price(&fact.host, to),
            },
            AfterShutdown::Unknown => After::Unknown,
        }
    }
}

/// The fact that decides among those of one id at one host.
pub(crate) fn winner<'a>(facts: &[&'a Fact]) -> Option<&'a Fact> {
    facts.iter().copied().max_by(|a, b| {
        let announced_end = |fact: &Fact| matches!(fact.date_kind, DateKind::Exact | DateKind::Earliest);
        let trust = |fact: &Fact| std::cmp::Reverse(fact.confidence);
        announced_end(a)
            .cmp(&announced_end(b))
            .then(trust(a).cmp(&trust(b)))
            .then(a.source_read.cmp(&b.source_read))
            .then((a.date_kind == DateKind::Exact).cmp(&(b.date_kind == DateKind::Exact)))
            .then(a.announced.cmp(&b.announced))
            .then(a.shutdown.cmp(&b.shutdown))
    })
}

/// Whether the snapshot's fact is the provider's own word and the alias's is not.
fn outranks(snapshot: Option<&Fact>, alias: &Fact) -> bool {
    snapshot.is_some_and(|fact| fact.confidence <= Confidence::Primary)
        && alias.confidence > Confidence::Primary
}
