//! The plan in the data folder, and what of it is served now.

use crate::print::{self, Trouble};
use mains_catalog::Catalog;
use mains_config::{KeyRef, Layers, Settings};
use mains_host::files::{Access, private_folder, write_atomic};
use mains_ledger::Hash;
use mains_scan::plan_toml;
use mains_scan::report::Report;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The hash of the plan as it was written, so that an edited one is seen.
const STAMP: &str = "plan.sha256";

/// A plan that lies in the data folder.
pub(super) struct Plan {
    pub(super) path: PathBuf,
    pub(super) routes: usize,
    pub(super) upstreams: usize,
    /// Models in the order of the plan: the worst first.
    pub(super) models: Vec<String>,
    /// Upstreams whose key is not in the environment.
    pub(super) absent: Vec<Absent>,
}

/// An upstream without a key.
#[derive(Debug, Clone)]
pub(super) struct Absent {
    pub(super) upstream: String,
    pub(super) provider: String,
    pub(super) variable: String,
}

/// Writes the plan of a report, unless one lies there that somebody has edited.
pub(super) fn write(report: &Report, catalog: &Catalog, data: &Path) -> Result<Plan, Trouble> {
    private_folder(data)?;
    let (path, stamp) = (data.join("mains.toml"), data.join(STAMP));
    let fresh = plan_toml(report, catalog);
    let text = match std::fs::read_to_string(&path) {
        Ok(found) if !is_ours(&found, &stamp) => {
            print::say(&format!(
                "`{}` was edited by hand and is used as it is; delete it for a new plan",
                path.display()
            ));
            found
        }
        _ => {
            write_atomic(&path, fresh.as_bytes(), Access::Usual)?;
            write_atomic(&stamp, Hash::of_bytes(fresh.as_bytes()).to_hex().as_bytes(), Access::Usual)?;
            fresh
        }
    };
    let settings = mains_config::parse(&text, &path.display().to_string())
        .map_err(|errors| Trouble::rendered(errors.to_string()))?;
    let absent = settings.upstreams.iter().filter_map(|upstream| {
        let KeyRef::Environment(variable) = &upstream.key.as_ref()?.value else { return None };
        let missing = std::env::var_os(variable).is_none_or(|value| value.is_empty());
        missing.then(|| Absent {
            upstream: upstream.name.value.clone(),
            provider: upstream
                .provider
                .as_ref()
                .map_or_else(|| upstream.name.value.clone(), |provider| provider.value.clone()),
            variable: variable.clone(),
        })
    });
    Ok(Plan {
        path,
        routes: settings.routes.len(),
        upstreams: settings.upstreams.len(),
        models: settings.routes.iter().map(|route| route.model.value.clone()).collect(),
        absent: absent.collect(),
    })
}

fn is_ours(text: &str, stamp: &Path) -> bool {
    std::fs::read_to_string(stamp).is_ok_and(|stamp| stamp.trim() == Hash::of_bytes(text.as_bytes()).to_hex())
}

/// The plan's settings, with every upstream that has no key pointed at its stand-in.
pub(super) fn settings(
    path: &Path,
    stand_ins: &[(Absent, SocketAddr)],
    flags: &[(String, String)],
) -> Result<Settings, Trouble> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Trouble::new(format!("failed to read `{shown}`: {}", print::lowered(&error))))?;
    let mut document: toml_edit::DocumentMut = text.parse()?;
    if let Some(upstreams) = document.get_mut("upstream").and_then(toml_edit::Item::as_array_of_tables_mut) {
        for upstream in upstreams.iter_mut() {
            let name = upstream.get("name").and_then(toml_edit::Item::as_str).unwrap_or_default();
            let Some((_, address)) = stand_ins.iter().find(|(absent, _)| absent.upstream == name) else {
                continue;
            };
            upstream.remove("key");
            upstream.insert("base_url", toml_edit::value(format!("http://{address}/v1")));
        }
    }
    let layers = Layers { flags: flags.to_vec(), environment: Vec::new() };
    mains_config::parse_layered(&document.to_string(), &shown, &layers)
        .map_err(|errors| Trouble::rendered(errors.to_string()))
}
