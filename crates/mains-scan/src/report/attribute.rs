//! Whose model is it: a date belongs to a host, so the host comes first.

use crate::finding::{AttributedBy, Attribution, Class, FileFindings, Sighting, Signal};
use mains_catalog::Catalog;
use std::collections::{BTreeMap, BTreeSet};

/// What a file, and the package around it, say of providers: strongest first.
#[derive(Debug, Default)]
pub(super) struct Hints {
    own: Vec<Attribution>,
    package: Vec<Attribution>,
}

/// The hosts that the dependencies of each folder name.
pub(super) fn packages(files: &[FileFindings]) -> BTreeMap<String, BTreeSet<String>> {
    let mut packages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for sighting in file.sightings.iter().filter(|s| matches!(s.signal, Signal::Manifest { .. })) {
            let hosts = packages.entry(folder.to_owned()).or_default();
            hosts.extend(sighting.attribution.iter().map(|a| a.host.clone()));
        }
    }
    packages
}

impl Hints {
    /// The hints for the models of one file.
    pub(super) fn of(file: &FileFindings, packages: &BTreeMap<String, BTreeSet<String>>) -> Self {
        let used = file
            .sightings
            .iter()
            .filter(|s| s.class == Class::Use && !matches!(s.signal, Signal::Model { .. }));
        let mut own: Vec<Attribution> = Vec::new();
        for attribution in used.filter_map(|sighting| sighting.attribution.as_ref()) {
            if !own.contains(attribution) {
                own.push(attribution.clone());
            }
        }
        own.sort_by_key(|attribution| attribution.by);
        let mut package = Vec::new();
        let mut folder = file.path.as_str();
        while let Some((parent, _)) = folder.rsplit_once('/').or((!folder.is_empty()).then_some(("", ""))) {
            folder = parent;
            if let Some(hosts) = packages.get(folder) {
                let by = AttributedBy::Manifest;
                package = hosts.iter().map(|host| Attribution { host: host.clone(), by }).collect();
                break;
            }
        }
        Self { own, package }
    }

    /// Whether the file itself, or else its package, says anything.
    pub(super) fn strength(&self) -> (bool, bool) {
        (!self.own.is_empty(), !self.package.is_empty())
    }

    /// The host of one model sighting. What the place says wins; then the first hint whose host has the
    /// model; then who makes it; then, for a model that nobody knows, the only host that the file names.
    pub(super) fn attribute(&self, catalog: &Catalog, sighting: &Sighting) -> Option<Attribution> {
        if let Some(attribution) = &sighting.attribution {
            return Some(attribution.clone());
        }
        let text = sighting.text.as_str();
        let known = matches!(sighting.signal, Signal::Model { known: true });
        let serves = |hint: &&Attribution| catalog.lookup(Some(&hint.host), text).resolved().is_some();
        if known {
            if let Some(hint) = self.own.iter().chain(&self.package).find(serves) {
                return Some(hint.clone());
            }
            let host = catalog.owner(text).map(|owner| owner.id.to_string());
            let host = host.or_else(|| Some(catalog.lookup(None, text).into_first()?.host.id.to_string()))?;
            return Some(Attribution { host, by: AttributedBy::Owner });
        }
        let made_by = catalog.owner(text).map(|owner| owner.id.to_string());
        let hinted = self.own.iter().chain(&self.package).find(|hint| Some(&hint.host) == made_by.as_ref());
        if let Some(hint) = hinted {
            return Some(hint.clone());
        }
        if let Some(host) = made_by {
            return Some(Attribution { host, by: AttributedBy::Owner });
        }
        self.own.first().cloned()
    }
}
