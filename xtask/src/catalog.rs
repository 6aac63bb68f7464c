//! `cargo xtask catalog`: makes the data files of `mains-catalog` from the collected public sources.
//!
//! The same sources give the same bytes. `--check` writes nothing and says which files are stale; `--from`
//! names another folder than `../shared` (seen from the workspace). Which source wins is said where it is
//! decided: prices and limits in `models`, lifecycle in `lifecycle`, addresses in `hosts`.

mod aliases;
mod genai;
mod hosts;
mod lifecycle;
mod models;
mod physics;
mod read;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};

/// One made file: its name under `data/` and its text.
pub(crate) type Made = (&'static str, String);

/// The day on which the collected copies were read (`catalogue-sources/SOURCES.md`).
pub(crate) const READ_ON: &str = "2026-11-24";

/// Runs the verb.
///
/// # Errors
/// A source that is absent or not as expected, a file that cannot be written, stale files under `--check`.
pub(crate) fn run(arguments: &[String]) -> Result<String, String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut from = workspace.join("../shared");
    let mut check = false;
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.as_slice().first()) {
            ("--check", _) => check = true,
            ("--from", Some(folder)) => {
                from = PathBuf::from(folder);
                arguments.next();
            }
            _ => {
                return Err(format!(
                    "unknown argument `{argument}`\nhint: catalog [--check] [--from FOLDER]"
                ));
            }
        }
    }
    let made = make(&from)?;
    let data = workspace.join("crates/mains-catalog/data");
    let stale: Vec<&str> = made
        .iter()
        .filter(|(name, text)| fs::read_to_string(data.join(name)).ok().as_ref() != Some(text))
        .map(|(name, _)| *name)
        .collect();
    if check {
        return if stale.is_empty() {
            Ok(format!("{} files of the catalogue are fresh", made.len()))
        } else {
            Err(format!("stale: {}\nhint: run `cargo xtask catalog`", stale.join(", ")))
        };
    }
    for (name, text) in &made {
        let path = data.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        }
        fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    let sizes = made.iter().map(|(name, text)| format!("{name} {} rows, {} bytes", rows(text), text.len()));
    let total: usize = made.iter().map(|(_, text)| text.len()).sum();
    Ok(format!("{}\n{total} bytes in all; changed: {}", sizes.collect::<Vec<_>>().join("\n"), stale.len()))
}

fn rows(text: &str) -> usize {
    text.lines().count().saturating_sub(1)
}

/// Makes every file from the sources under `from`.
///
/// # Errors
/// A source that is absent or not as expected.
pub(crate) fn make(from: &Path) -> Result<Vec<Made>, String> {
    let sources = read::Sources::open(from)?;
    let hosts = hosts::Hosts::from(&sources)?;
    let life = lifecycle::Life::from(&sources)?;
    let mut models = models::Models::from(&sources, &hosts)?;
    models.add_dead(&life);
    let aliases = aliases::made(&models, &life);
    models.add_aliases(&aliases);
    let mut made = vec![
        ("aliases.csv", aliases::text(&aliases)),
        ("hosts.csv", hosts.text(&models)),
        ("legacy.csv", read::legacy()?),
        ("lifecycle.csv", life.text()),
        ("models.csv", models.text()),
        ("mpl/grid.csv", physics::grid(&sources)?),
        ("mpl/hardware.csv", physics::hardware(&sources)?),
        ("mpl/video.csv", physics::video(&sources)?),
        ("parameters.csv", physics::parameters(&sources)?),
        ("sites.csv", physics::sites()),
        ("sources.csv", sources::text(&life)),
    ];
    let files = made.iter().map(|(name, text)| (*name, text.as_bytes()));
    let hash = mains_catalog::hash_of_files(files);
    made.push(("catalogue.sha256", format!("{hash}\n")));
    Ok(made)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_committed_files_are_what_the_sources_make() {
        let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
        if !shared.is_dir() {
            assert!(std::env::var_os("MAINS_REQUIRE_ALL").is_none(), "shared/ is required and absent");
            println!(
                "left out: the_committed_files_are_what_the_sources_make needs shared/catalogue-sources"
            );
            return;
        }
        assert_eq!(super::run(&["--check".into()]).map(|_| ()), Ok(()));
        let twice = [super::make(&shared), super::make(&shared)];
        assert!(twice[0].is_ok() && twice[0] == twice[1], "the same sources give the same bytes");
    }
}
