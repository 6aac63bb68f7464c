//! All that is known about one id, and what differs between two catalogues: plain data, printed elsewhere.

use crate::catalog::Catalog;
use crate::fact::{Fact, Source};
use crate::lifecycle::Lifecycle;
use crate::model::Model;
use crate::physics::Parameters;
use crate::replace::Replacements;
use mains_units::Day;
use serde::Serialize;
use std::collections::BTreeMap;

/// All that is known about one id at one host.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HostDescription<'a> {
    /// The host.
    pub host: &'a str,
    /// The id there.
    pub id: &'a str,
    /// Kind, limits, capabilities, price; `None` for an id that only lifecycle facts name.
    pub model: Option<&'a Model>,
    /// Its state on the day asked for.
    pub lifecycle: Lifecycle<'a>,
    /// Every fact about it there.
    pub facts: Vec<&'a Fact>,
    /// The snapshots that it stands for.
    pub snapshots: Vec<&'a str>,
    /// What is recommended instead.
    pub replacements: Replacements<'a>,
}

/// All that is known about one id.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Description<'a> {
    /// The id, in lower case.
    pub id: &'a str,
    /// The day asked for.
    pub as_of: Day,
    /// The host of its maker, where known.
    pub owner: Option<&'a str>,
    /// Its size, where known.
    pub parameters: Option<&'a Parameters>,
    /// Host by host, the maker's own first.
    pub hosts: Vec<HostDescription<'a>>,
    /// The sources that these facts name.
    pub sources: Vec<&'a Source>,
    /// Known names that look like it.
    pub nearest: Vec<&'a str>,
}

/// One fact as text, so that any two catalogues can be compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Statement {
    /// `model`, `price`, `lifecycle`, `alias`, `host`.
    pub about: &'static str,
    /// The host.
    pub host: String,
    /// The id, or empty.
    pub id: String,
    /// What is stated, as canonical JSON.
    pub value: String,
}

/// What differs between two catalogues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "change")]
pub enum Change {
    /// Only the new one says it.
    Added {
        /// The new statement.
        new: Statement,
    },
    /// Only the old one says it.
    Removed {
        /// The old statement.
        old: Statement,
    },
    /// Both say something else.
    Changed {
        /// The old statement.
        old: Statement,
        /// The new statement.
        new: Statement,
    },
}

impl Catalog {
    /// All that is known about an id, or about what a spelling means. An unknown text has no hosts.
    pub fn describe<'a>(&'a self, text: &str, as_of: Day) -> Description<'a> {
        let known = self.name(text).map(|name| name.text.as_ref());
        let resolved = || self.lookup(None, text).into_first();
        let id =
            known.or_else(|| resolved().and_then(|found| Some(self.name(&found.model.id)?.text.as_ref())));
        let Some(id) = id else {
            let nearest = self.nearest(text, 5);
            return Description {
                id: "",
                as_of,
                owner: None,
                parameters: None,
                hosts: Vec::new(),
                sources: Vec::new(),
                nearest,
            };
        };
        let owner = self.owner(id).map(|owner| owner.id.as_ref());
        let mut names: Vec<&str> = self.model_rows(id).iter().map(|row| row.host.as_ref()).collect();
        names.extend(self.facts_named(id).iter().map(|fact| fact.host.as_ref()));
        names.extend(self.aliases_named(id).iter().map(|alias| alias.host.as_ref()));
        names.sort_unstable();
        names.dedup();
        names.sort_by_key(|host| Some(*host) != owner);
        let hosts: Vec<_> = names.into_iter().map(|host| self.describe_at(host, id, as_of)).collect();
        let sources = self.sources_of(&hosts);
        let nearest = self.nearest(id, 6).into_iter().filter(|near| *near != id).take(5).collect();
        Description { id, as_of, owner, parameters: self.parameters(id), hosts, sources, nearest }
    }

    fn describe_at<'a>(&'a self, host: &'a str, id: &'a str, as_of: Day) -> HostDescription<'a> {
        let model = self.model(host, id);
        let snapshots = self.alias(host, id).map_or(&[][..], |alias| &alias.snapshots);
        HostDescription {
            host,
            id: model.map_or(id, |model| &model.id),
            model,
            lifecycle: self.lifecycle(Some(host), id, as_of),
            facts: self.facts_named(id).iter().filter(|fact| fact.host == host).collect(),
            snapshots: snapshots.iter().map(AsRef::as_ref).collect(),
            replacements: self.replacements(host, id, as_of),
        }
    }

    fn sources_of(&self, hosts: &[HostDescription<'_>]) -> Vec<&Source> {
        let mut codes: Vec<&str> = Vec::new();
        for host in hosts {
            if let Some(model) = host.model {
                codes.extend(model.source.split('+'));
                codes.extend(model.price.as_ref().map(|price| price.source.as_ref()));
            }
            codes.extend(host.facts.iter().map(|fact| fact.source.as_ref()));
            codes.extend(host.lifecycle.evidence().fact.map(|fact| fact.source.as_ref()));
        }
        codes.sort_unstable();
        codes.dedup();
        codes.into_iter().filter_map(|code| self.source(code)).collect()
    }

    /// Everything that this catalogue states about models and hosts, one statement each.
    fn statements(&self) -> BTreeMap<(&'static str, String, String), Vec<String>> {
        let mut all: BTreeMap<(&'static str, String, String), Vec<String>> = BTreeMap::new();
        let mut state = |about: &'static str, host: &str, id: &str, value: String| {
            all.entry((about, host.to_owned(), id.to_ascii_lowercase())).or_default().push(value);
        };
        for model in self.models() {
            if let Some(price) = &model.price {
                state("price", &model.host, &model.id, json(price));
            }
            state("model", &model.host, &model.id, json(&Model { price: None, ..model.clone() }));
        }
        for fact in self.facts.iter().chain(&self.other_facts) {
            state("lifecycle", &fact.host, &fact.id, json(fact));
        }
        for alias in &self.aliases {
            state("alias", &alias.host, &alias.id, json(alias));
        }
        for host in &self.hosts {
            state("host", &host.id, "", json(host));
        }
        all
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// What `new` says that `old` does not, and the other way round; in a fixed order.
pub fn diff(old: &Catalog, new: &Catalog) -> Vec<Change> {
    let (before, after) = (old.statements(), new.statements());
    let mut changes = Vec::new();
    let mut keys: Vec<_> = before.keys().chain(after.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let none = Vec::new();
        let (was, is) = (before.get(key).unwrap_or(&none), after.get(key).unwrap_or(&none));
        let lost: Vec<_> = was.iter().filter(|value| !is.contains(value)).collect();
        let won: Vec<_> = is.iter().filter(|value| !was.contains(value)).collect();
        for i in 0..lost.len().max(won.len()) {
            let statement = |value: &&String| Statement {
                about: key.0,
                host: key.1.clone(),
                id: key.2.clone(),
                value: (*value).clone(),
            };
            changes.push(match (lost.get(i).map(statement), won.get(i).map(statement)) {
                (Some(old), Some(new)) => Change::Changed { old, new },
                (Some(old), None) => Change::Removed { old },
                (None, Some(new)) => Change::Added { new },
                (None, None) => continue,
            });
        }
    }
    changes
}
