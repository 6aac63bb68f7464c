//! From sightings to groups: attribution, dates, ranking.

use super::attribute::{Hints, packages};
use super::{
    At, Candidate, Effect, EndpointGroup, ListGroup, Malformed, MentionGroup, ModelGroup, Options, OtherDate,
    ProviderGroup, Report, Rule, SourceTag, Walked, money,
};
use crate::finding::{Attribution, Class, Confidence, FileFindings, Scope, Sighting, Signal};
use mains_catalog::{After, Basis, Catalog, Fact, Lifecycle, SubstituteKind};
use mains_units::Day;
use std::collections::{BTreeMap, BTreeSet};

/// Candidates of one kind that a group shows.
const CANDIDATES_PER_KIND: usize = 3;

impl Report {
    /// Dates, attributes, groups and ranks what was found. `files` may come in any order.
    pub fn build(files: &[FileFindings], walked: Walked, catalog: &Catalog, options: &Options<'_>) -> Self {
        let mut files: Vec<&FileFindings> =
            files.iter().filter(|file| !file.is_empty() || !file.ignores.is_empty()).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let owned: Vec<FileFindings> = files.iter().map(|file| (*file).clone()).collect();
        let mut builder = Builder { catalog, options, models: BTreeMap::new(), endpoints: BTreeMap::new() };
        let packages = packages(&owned);
        for file in &owned {
            builder.take(file, &Hints::of(file, &packages));
        }
        let models = builder.model_groups();
        let endpoints = builder.endpoint_groups();
        let gated = models.iter().filter(|group| group.gated).count()
            + endpoints.iter().filter(|group| group.gated).count();
        Self {
            schema: "mains.scan/1",
            as_of: options.as_of,
            horizon_days: options.horizon_days,
            catalogue: catalog.hash().to_owned(),
            catalogue_read_on: catalog.as_read_on(),
            walked,
            gated,
            models,
            endpoints,
            lists: lists(catalog, options, &owned),
            providers: providers(catalog, &owned),
            mentions: mentions(&owned),
            malformed_ignores: malformed(&owned),
        }
    }
}

struct Builder<'b> {
    catalog: &'b Catalog,
    options: &'b Options<'b>,
    /// By host and id.
    models: BTreeMap<(Option<String>, String), Vec<At>>,
    /// By host and name.
    endpoints: BTreeMap<(Option<String>, String), Vec<At>>,
}

impl Builder<'_> {
    fn take(&mut self, file: &FileFindings, hints: &Hints) {
        for sighting in &file.sightings {
            match &sighting.signal {
                Signal::Model { .. } if sighting.class == Class::Use => {
                    let attribution = hints.attribute(self.catalog, sighting);
                    let key = self.resolve(attribution.as_ref(), &sighting.text);
                    let at = self.at(file, sighting, attribution.as_ref(), hints);
                    self.models.entry(key).or_default().push(at);
                }
                Signal::Endpoint { path } if sighting.class == Class::Use => {
                    self.take_endpoint(file, sighting, path, hints);
                }
                Signal::LegacyCall { shape } => self.take_endpoint(file, sighting, shape, hints),
                _ => {}
            }
        }
    }

    fn take_endpoint(&mut self, file: &FileFindings, sighting: &Sighting, name: &str, hints: &Hints) {
        let host = sighting.attribution.as_ref().map(|attribution| attribution.host.clone());
        let at = self.at(file, sighting, sighting.attribution.as_ref(), hints);
        self.endpoints.entry((host, name.to_owned())).or_default().push(at);
    }

    /// Host and id under which a model is grouped: the catalogue's spelling where it has one.
    fn resolve(&self, attribution: Option<&Attribution>, text: &str) -> (Option<String>, String) {
        let host = attribution.map(|attribution| attribution.host.clone());
        let at_host = host.as_deref().map(|host| self.catalog.lookup(Some(host), text));
        if let Some(resolved) = at_host.and_then(mains_catalog::Lookup::into_first) {
            return (Some(resolved.model.host.to_string()), resolved.model.id.to_string());
        }
        let anywhere = self.catalog.lookup(None, text);
        if let Some(resolved) = anywhere.into_first() {
            return (host.or_else(|| Some(resolved.model.host.to_string())), resolved.model.id.to_string());
        }
        (host, text.to_owned())
    }

    fn at(
        &self,
        file: &FileFindings,
        sighting: &Sighting,
        attribution: Option<&Attribution>,
        hints: &Hints,
    ) -> At {
        let mut confidence = sighting.confidence;
        let (in_file, in_package) = hints.strength();
        if matches!(sighting.signal, Signal::Model { .. })
            && confidence == Confidence::Medium
            && (in_file || in_package)
        {
            confidence = Confidence::High;
        }
        let id = sighting.text.to_ascii_lowercase();
        let rule_independent = format!("{:016x}", fingerprint(&file.path, sighting.line_hash, &id));
        let line = sighting.place.line;
        let silenced = file
            .ignores
            .iter()
            .find(|ignore| Rule::ALL.iter().any(|rule| ignore.silences(rule.id(), line, self.options.as_of)));
        At {
            file: file.path.clone(),
            line,
            column: sighting.place.column,
            start: sighting.place.start,
            end: sighting.place.end,
            text: sighting.text.clone(),
            class: sighting.class,
            scope: file.scope,
            confidence,
            attributed_by: attribution.map(|attribution| attribution.by),
            why: sighting.why.clone(),
            fingerprint: rule_independent,
            // Kept as written; whether it names this finding's rule is decided when the rule is known.
            ignored: silenced.map(|ignore| {
                let reason = if ignore.reason.is_empty() { "no reason given" } else { &ignore.reason };
                format!("{}|{reason}", ignore.rules.join(","))
            }),
        }
    }

    fn model_groups(&mut self) -> Vec<ModelGroup> {
        let models = std::mem::take(&mut self.models);
        let mut groups: Vec<ModelGroup> =
            models.into_iter().map(|((host, id), places)| self.model_group(host, id, places)).collect();
        groups.sort_by_cached_key(|group| {
            let asked = !group.is_asked_for();
            let urgency = match group.state {
                "dying" => group.days_left.unwrap_or(i64::MAX),
                _ => 0,
            };
            let uses = std::cmp::Reverse(group.places.len());
            (asked && group.rule < Rule::Unknown, state_rank(group.state), urgency, uses, group.name())
        });
        groups
    }

    fn model_group(&self, host: Option<String>, id: String, mut places: Vec<At>) -> ModelGroup {
        let as_of = self.options.as_of;
        let lifecycle = self.catalog.lifecycle(host.as_deref(), &id, as_of);
        let rule = self.rule(&lifecycle, host.as_deref(), &id);
        settle_ignores(&mut places, rule);
        let ends_on = match &lifecycle {
            Lifecycle::MayEndAnyDay { not_sooner_than, .. } => Some(*not_sooner_than),
            other => other.ends_on(),
        };
        let days_left = lifecycle.ends_on().map(|day| as_of.days_until(day));
        let within = days_left.is_some_and(|days| days <= self.options.horizon_days);
        let known = host.as_deref().and_then(|host| self.catalog.model(host, &id));
        let mut group = ModelGroup {
            rule,
            attributed_by: places.iter().filter_map(|at| at.attributed_by).min(),
            kind: known.map_or("", |model| model.kind.name()),
            state: lifecycle.word(),
            ends_on,
            days_left,
            effect: effect(&lifecycle),
            basis: basis(&lifecycle),
            source: lifecycle.evidence().fact.map(|fact| self.source(fact)),
            others: self.others(&lifecycle),
            price: known.and_then(|model| model.price.as_ref()).map(money::tag),
            energy: host.as_deref().and_then(|host| self.options.energy?(host, &id)),
            substitutes: host.as_deref().map_or_else(Vec::new, |host| self.candidates(host, &id)),
            nearest: Vec::new(),
            gated: false,
            places,
            host,
            id,
        };
        if rule == Rule::Unknown {
            group.nearest = self.catalog.nearest(&group.id, 3).into_iter().map(str::to_owned).collect();
        }
        group.gated = within && group.is_asked_for();
        group
    }

    fn rule(&self, lifecycle: &Lifecycle<'_>, host: Option<&str>, id: &str) -> Rule {
        match lifecycle {
            Lifecycle::Retired { .. } => Rule::Retired,
            Lifecycle::Dying { .. } => Rule::Retiring,
            Lifecycle::Deprecated { .. } => Rule::Deprecated,
            Lifecycle::MayEndAnyDay { .. } => Rule::AnyDay,
            Lifecycle::Alive { .. } if host.is_some_and(|host| self.catalog.alias(host, id).is_some()) => {
                Rule::Alias
            }
            Lifecycle::Alive { .. } => Rule::Model,
            Lifecycle::Unknown { .. } => Rule::Unknown,
        }
    }

    fn source(&self, fact: &Fact) -> SourceTag {
        source_tag(self.catalog, fact)
    }

    fn others(&self, lifecycle: &Lifecycle<'_>) -> Vec<OtherDate> {
        let evidence = lifecycle.evidence();
        let others = evidence.conflicts.iter().chain(&evidence.elsewhere);
        let mut others: Vec<OtherDate> = others
            .map(|fact| OtherDate {
                host: fact.host.to_string(),
                shutdown: fact.shutdown,
                source: source_tag(self.catalog, fact).source,
            })
            .collect();
        others.dedup();
        others
    }

    fn candidates(&self, host: &str, id: &str) -> Vec<Candidate> {
        let mut counts = BTreeMap::new();
        let mut substitutes = self.catalog.substitutes(host, id, self.options.as_of);
        // Within a kind, hosts whose ends the catalogue follows come first: they cannot vanish unseen; then
        // what more than one source lists there.
        let followed = |host: &str| self.catalog.facts().any(|fact| fact.host == host);
        substitutes.sort_by_cached_key(|substitute| {
            let model = substitute.model;
            (substitute.kind, !followed(&model.host), listed_by(&model.source) < 2)
        });
        substitutes
            .iter()
            .filter(|substitute| {
                let count = counts.entry(substitute.kind).or_insert(0_usize);
                *count += 1;
                *count <= CANDIDATES_PER_KIND
            })
            .map(|substitute| Candidate {
                kind: kind_name(substitute.kind),
                host: substitute.model.host.to_string(),
                id: substitute.model.id.to_string(),
                state: substitute.lifecycle.word(),
                ends_on: substitute.lifecycle.ends_on(),
                price: substitute.price.map(money::tag),
                energy: self
                    .options
                    .energy
                    .and_then(|energy| energy(&substitute.model.host, &substitute.model.id)),
                source: substitute.fact.map(|fact| source_tag(self.catalog, fact).source),
                listed_by: listed_by(&substitute.model.source),
            })
            .collect()
    }

    fn endpoint_groups(&mut self) -> Vec<EndpointGroup> {
        let endpoints = std::mem::take(&mut self.endpoints);
        let mut groups: Vec<EndpointGroup> = endpoints
            .into_iter()
            .map(|((host, name), mut places)| {
                settle_ignores(&mut places, Rule::Endpoint);
                self.endpoint_group(host, name, places)
            })
            .collect();
        groups.sort_by_cached_key(|group| {
            (!group.gated, group.days_left.unwrap_or(i64::MAX), group.name.clone())
        });
        groups
    }

    fn endpoint_group(&self, host: Option<String>, name: String, places: Vec<At>) -> EndpointGroup {
        let legacy = self.catalog.legacy_calls().find(|legacy| legacy.shape == name);
        let path = legacy.map_or(name.as_str(), |legacy| legacy.endpoint.as_ref());
        let endpoint = self.catalog.endpoints().find(|endpoint| {
            endpoint.path == path && host.as_deref().is_none_or(|host| host == endpoint.host)
        });
        let fact = endpoint.map(|endpoint| endpoint.fact);
        let ends_on = fact.and_then(|fact| fact.shutdown);
        let days_left = ends_on.map(|day| self.options.as_of.days_until(day));
        let asked = places
            .iter()
            .any(|at| at.class == Class::Use && at.scope == Scope::Product && at.ignored.is_none());
        let instead = match (legacy, fact) {
            (Some(legacy), _) => legacy.successor.to_string(),
            (None, Some(fact)) => fact.replacement.to_string(),
            (None, None) => String::new(),
        };
        EndpointGroup {
            rule: Rule::Endpoint,
            host,
            name,
            ends_on,
            days_left,
            instead,
            source: fact.map(|fact| self.source(fact)),
            gated: asked && days_left.is_some_and(|days| days <= self.options.horizon_days),
            places,
        }
    }
}

/// How many sources a row of the catalogue names.
fn listed_by(sources: &str) -> usize {
    sources.split('+').filter(|source| !source.is_empty()).count()
}

/// Keeps an ignore only where it names the rule of the finding, or all rules.
fn settle_ignores(places: &mut [At], rule: Rule) {
    for at in places {
        at.ignored = at.ignored.take().and_then(|kept| {
            let (rules, reason) = kept.split_once('|')?;
            let named = rules.is_empty() || rules.split(',').any(|name| name == rule.id());
            named.then(|| reason.to_owned())
        });
    }
}

/// FNV-1a over the file, the line without blanks and the id, so that moving lines changes nothing.
fn fingerprint(file: &str, line_hash: u64, id: &str) -> u64 {
    let parts = file.bytes().chain([0]).chain(line_hash.to_be_bytes()).chain([0]).chain(id.bytes());
    parts.fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x100_0000_01b3))
}

fn state_rank(state: &str) -> u8 {
    match state {
        "retired" => 0,
        "dying" => 1,
        "deprecated" => 2,
        "may-end-any-day" => 3,
        "alive" => 4,
        _ => 5,
    }
}

fn kind_name(kind: SubstituteKind) -> &'static str {
    match kind {
        SubstituteKind::OwnSuccessor => "own-successor",
        SubstituteKind::AnotherHost => "another-host",
        SubstituteKind::Smaller => "smaller",
    }
}

fn source_tag(catalog: &Catalog, fact: &Fact) -> SourceTag {
    let source = catalog.source(&fact.source).filter(|source| !source.origin.is_empty());
    SourceTag {
        source: source.map_or_else(|| fact.source.to_string(), |source| source.origin.to_string()),
        read: fact.source_read,
        confidence: fact.confidence.name(),
    }
}

fn effect(lifecycle: &Lifecycle<'_>) -> Option<Effect> {
    let (Lifecycle::Dying { after, .. } | Lifecycle::Retired { after, .. }) = lifecycle else { return None };
    Some(match after {
        After::Fails => Effect::Fails,
        After::Redirects { to, price_before, price_after } => Effect::Redirects {
            to: (*to).to_owned(),
            price_before: price_before.map(money::tag),
            price_after: price_after.map(money::tag),
        },
        After::Unknown => Effect::Unknown,
    })
}

/// From what the verdict was drawn, as a clause.
fn basis(lifecycle: &Lifecycle<'_>) -> String {
    match lifecycle.evidence().basis {
        Basis::Host => "the host's own date".to_owned(),
        Basis::LastSnapshot { snapshot } => format!("it lives as long as its last snapshot, `{snapshot}`"),
        Basis::VendorDate { owner } => {
            format!("the date of {owner}'s own API; this platform names none and may be later")
        }
        Basis::Owner { owner } => format!("the date of {owner}'s own API, as nothing names another host"),
        Basis::Listed => "no fact about its end".to_owned(),
    }
}

/// One group a file.
fn lists(catalog: &Catalog, options: &Options<'_>, files: &[FileFindings]) -> Vec<ListGroup> {
    let mut groups = Vec::new();
    let packages = packages(files);
    for file in files {
        let listed: Vec<&Sighting> = file
            .sightings
            .iter()
            .filter(|s| s.class == Class::List && matches!(s.signal, Signal::Model { .. }))
            .collect();
        let Some(first) = listed.first() else { continue };
        let hints = Hints::of(file, &packages);
        let (mut retired, mut retiring, mut all) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for sighting in &listed {
            if !all.insert(sighting.text.clone()) {
                continue;
            }
            let host = hints.attribute(catalog, sighting).map(|attribution| attribution.host);
            let lifecycle = catalog.lifecycle(host.as_deref(), &sighting.text, options.as_of);
            match lifecycle {
                Lifecycle::Retired { .. } => retired.insert(sighting.text.clone()),
                Lifecycle::Dying { on, .. } if options.as_of.days_until(on) <= options.horizon_days => {
                    retiring.insert(sighting.text.clone())
                }
                _ => false,
            };
        }
        groups.push(ListGroup {
            rule: Rule::List,
            file: file.path.clone(),
            scope: file.scope,
            line: first.place.line,
            models: all.len(),
            retired: retired.into_iter().collect(),
            retiring: retiring.into_iter().collect(),
        });
    }
    groups
}

fn providers(catalog: &Catalog, files: &[FileFindings]) -> Vec<ProviderGroup> {
    let mut signs: BTreeMap<String, (BTreeMap<String, u64>, BTreeSet<&str>)> = BTreeMap::new();
    for file in files {
        for sighting in file.sightings.iter().filter(|s| s.class == Class::Use) {
            let label = match &sighting.signal {
                Signal::Import { package } => format!("import {package}"),
                Signal::Manifest { package } => format!("dependency {package}"),
                Signal::Host | Signal::KeyVariable | Signal::Service => sighting.text.clone(),
                _ => continue,
            };
            let host = sighting.attribution.as_ref().map_or("many", |attribution| attribution.host.as_str());
            let (labels, paths) = signs.entry(host.to_owned()).or_default();
            *labels.entry(label).or_default() += 1;
            paths.insert(&file.path);
        }
    }
    let mut groups: Vec<ProviderGroup> = signs
        .into_iter()
        .map(|(host, (signs, files))| {
            let known = catalog.host(&host);
            ProviderGroup {
                name: known
                    .map_or_else(|| "libraries that reach many providers".to_owned(), |h| h.name.to_string()),
                key_variable: known.and_then(|h| h.key_variables.first()).map(ToString::to_string),
                signs,
                files: files.len(),
                host,
            }
        })
        .collect();
    groups.sort_by_cached_key(|group| (std::cmp::Reverse(group.files), group.host.clone()));
    groups
}

fn mentions(files: &[FileFindings]) -> Vec<MentionGroup> {
    let mut mentions: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for file in files {
        let spoken = file.sightings.iter().filter(|s| s.class == Class::Mention);
        for sighting in spoken.filter(|s| matches!(s.signal, Signal::Model { .. })) {
            let id = sighting.text.to_ascii_lowercase();
            let entry = mentions.entry(id).or_insert((0, format!("{}:{}", file.path, sighting.place.line)));
            entry.0 += 1;
        }
    }
    mentions.into_iter().map(|(id, (places, first))| MentionGroup { id, places, first }).collect()
}

fn malformed(files: &[FileFindings]) -> Vec<Malformed> {
    let mut all = Vec::new();
    for file in files {
        for ignore in &file.ignores {
            if let Some(problem) = &ignore.malformed {
                all.push(Malformed { file: file.path.clone(), line: ignore.line, problem: problem.clone() });
            }
        }
    }
    all
}

/// Days to an end in words: `61 days ago`, `today`, `in 12 days`.
pub(super) fn days_in_words(days: i64) -> String {
    match days {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        -1 => "yesterday".to_owned(),
        days if days < 0 => format!("{} days ago", -days),
        days => format!("in {days} days"),
    }
}

/// A day, or a dash.
pub(super) fn day_or_dash(day: Option<Day>) -> String {
    day.map_or_else(|| "-".to_owned(), |day| day.to_string())
}
