//! The plan in the data folder, and what of it is served now.

use crate::print::{self, Trouble};
use mains_catalog::Catalog;
use mains_config::{KeyRef, Layers, Settings};
use mains_host::files::{Access, private_folder, write_atomic};
use mains_ledger::Hash;
use mains_scan::plan_toml;
use mains_scan::report::Report;
use mains_wire::providers;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The hash of the plan as it was written, so that an edited one is seen.
const STAMP: &str = "plan.sha256";

/// A plan that lies in the data folder.
pub(super) struct Plan {
    pub(super) path: PathBuf,
    pub(super) upstreams: usize,
    /// Models that have a route, in the order of the file.
    pub(super) models: Vec<String>,
    /// Upstreams whose key is not in the environment.
    pub(super) absent: Vec<Absent>,
}

/// An upstream without a key.
#[derive(Debug, Clone)]
pub(super) struct Absent {
    pub(super) upstream: String,
    pub(super) provider: String,
    /// The variable in which the key was looked for, if it is known.
    pub(super) variable: Option<String>,
}

/// Writes the plan of a report, unless one lies there that somebody has edited.
pub(super) fn write(report: &Report, catalog: &Catalog, data: &Path) -> Result<Plan, Trouble> {
    private_folder(data)?;
    let (path, stamp) = (data.join("mains.toml"), data.join(STAMP));
    // The plan lies in the data folder itself, so that `mains serve --config` goes on where this ends.
    let fresh = plan_toml(report, catalog).replacen("data = \".mains\"", "data = \".\"", 1);
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
    let absent = settings.upstreams.iter().filter_map(absent);
    Ok(Plan {
        path,
        upstreams: settings.upstreams.len(),
        models: settings.routes.iter().map(|route| route.model.value.clone()).collect(),
        absent: absent.collect(),
    })
}

/// An upstream that cannot be asked because its key is not at hand. Servers of one's own need none.
fn absent(upstream: &mains_config::Upstream) -> Option<Absent> {
    let name = &upstream.name.value;
    let provider = upstream.provider.as_ref().map_or(name, |provider| &provider.value);
    let variable = match upstream.key.as_ref().map(|key| &key.value) {
        Some(KeyRef::Environment(variable)) => {
            if std::env::var_os(variable).is_some_and(|value| !value.is_empty()) {
                return None;
            }
            Some(variable.clone())
        }
        Some(_) => return None,
        None => {
            let keyless = providers::by_name(provider).is_some_and(|known| known.key_variable.is_empty());
            if keyless || upstream.base_url.is_some() {
                return None;
            }
            None
        }
    };
    Some(Absent { upstream: name.clone(), provider: provider.clone(), variable })
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
            // Leaves name the region of whoever answered: the ledger, too, must not say that it was the provider.
            upstream.insert("region", toml_edit::value("stand-in"));
            upstream.insert("base_url", toml_edit::value(format!("http://{address}/v1")));
        }
    }
    let layers = Layers { flags: flags.to_vec(), environment: Vec::new() };
    mains_config::parse_layered(&document.to_string(), &shown, &layers)
        .map_err(|errors| Trouble::rendered(errors.to_string()))
}
