//! `mains config check` and `show`: the settings, checked, and where each comes from.

use crate::print::{self, Ended, Trouble};
use crate::settings::{self, Loaded};
use mains_catalog::Catalog;
use mains_config::{Errors, KeyRef, Origin, Problem, Settings};
use mains_serve::live::Live;
use mains_units::Secret;
use std::path::Path;

pub(crate) fn check(file: Option<&Path>) -> Result<Ended, Trouble> {
    let Loaded { settings, path, .. } = load(file)?;
    cross_check(&settings, Catalog::builtin()).map_err(|errors| Trouble::rendered(errors.to_string()))?;
    print::say(&format!(
        "{} is in order: {}, {}, {}",
        path.display(),
        print::plural(settings.upstreams.len() as u64, "upstream"),
        print::plural(settings.routes.len() as u64, "route"),
        print::plural(settings.budgets.len() as u64, "budget"),
    ));
    Ok(Ended::Clean)
}

pub(crate) fn show(file: Option<&Path>, json: bool) -> Result<Ended, Trouble> {
    let Loaded { settings, path, .. } = load(file)?;
    if json {
        let rows = settings.shown().iter().map(|shown| {
            let line = if let Origin::File { line, .. } = shown.origin { Some(line) } else { None };
            serde_json::json!({
                "key": shown.key, "value": shown.value, "origin": kind_of(&shown.origin), "line": line,
                "variable": if let Origin::Environment(name) = &shown.origin { Some(name) } else { None },
            })
        });
        print::json(&serde_json::json!({
            "schema": "mains.config/1",
            "file": path.display().to_string(),
            "settings": rows.collect::<Vec<_>>(),
        }))?;
        return Ok(Ended::Clean);
    }
    let rows = settings.shown().iter().map(|shown| {
        let origin = match &shown.origin {
            Origin::File { line, .. } => format!("{}:{line}", path.display()),
            other => other.to_string(),
        };
        vec![shown.key.clone(), shown.value.clone(), origin]
    });
    print::data(&print::table(&["setting", "value", "from"], rows));
    Ok(Ended::Clean)
}

fn load(file: Option<&Path>) -> Result<Loaded, Trouble> {
    let named = std::env::var_os("MAINS_CONFIG").filter(|name| !name.is_empty());
    settings::load(file.or(named.as_deref().map(Path::new)), Vec::new())
}

fn kind_of(origin: &Origin) -> &'static str {
    match origin {
        Origin::Flag => "flag",
        Origin::Environment(_) => "environment",
        Origin::File { .. } => "file",
        Origin::Default => "default",
    }
}

/// What only the rooms above the settings know: whether providers, dialects and zones exist, and whether an
/// outlet can be built of them. Keys are not read: a check needs no secret.
pub(crate) fn cross_check(settings: &Settings, catalog: &Catalog) -> Result<(), Errors> {
    let zones = settings.upstreams.iter().filter_map(|upstream| upstream.zone.as_ref());
    let unknown = zones.filter(|zone| catalog.grid(&zone.value).is_none());
    let problems: Vec<Problem> = unknown
        .map(|zone| {
            Problem::at(zone.span().unwrap_or_default(), format!("no grid zone is called `{}`", zone.value))
                .hint("zones are countries in three letters (`USA`, `FRA`), or `WOR` for the world's mean")
        })
        .collect();
    if !problems.is_empty() {
        return Err(Errors::new(settings.source().clone(), problems));
    }
    let no_key = |_: &KeyRef| Ok(Secret::new("not-read".to_owned()));
    Live::build(settings.clone(), catalog, &no_key, super::now().day()).map(drop)
}
