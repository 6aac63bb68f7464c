//! Rows and purity: who may use whom, and who may not touch the world.

use super::Source;
use std::path::Path;

/// Every room and its row. A crate that is missing here fails the check, so a new one must be placed.
const ROWS: &[(&str, u8)] = &[
    ("mains-units", 1),
    ("mains-config", 2),
    ("mains-wire", 2),
    ("mains-catalog", 2),
    ("mains-ledger", 2),
    ("mains-meter", 3),
    ("mains-relay", 4),
    ("mains-scan", 4),
    ("mains-swap", 4),
    ("mains-distill", 4),
    ("mains-host", 5),
    ("mains-infer", 5),
    ("mains-store", 5),
    ("mains-serve", 6),
    ("mains", 7),
];

/// Rows up to this one have no effects.
const LAST_PURE_ROW: u8 = 4;

/// Text that shows an effect in a pure room, and what to do instead.
const EFFECTS: &[&str] = &[
    "std::fs",
    // Addresses are values; sockets are not.
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "std::env",
    "std::process",
    "std::thread",
    "std::time::SystemTime",
    "std::time::Instant",
    "SystemTime::now",
    "Instant::now",
    "async fn",
    "tokio::",
    "getrandom",
];

/// Libraries that a pure room may not lean on.
const EFFECTFUL: &[&str] =
    &["tokio", "hyper", "rusqlite", "getrandom", "ignore", "rustix", "memmap2", "ureq"];

pub(super) fn check(root: &Path, sources: &[Source]) -> Result<Vec<String>, String> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .exec()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let mut wrong = Vec::new();
    for package in &metadata.packages {
        let name = package.name.as_str();
        if matches!(name, "sim" | "xtask") {
            continue;
        }
        let Some(row) = row(name) else {
            wrong
                .push(format!("`{name}` has no row; place it in xtask/src/tidy/rows.rs and ARCHITECTURE.md"));
            continue;
        };
        for dependency in
            package.dependencies.iter().filter(|d| d.kind == cargo_metadata::DependencyKind::Normal)
        {
            wrong.extend(allowed(name, row, &dependency.name));
        }
    }
    wrong.extend(sources.iter().flat_map(effects));
    wrong.extend(sources.iter().filter_map(unsafe_code));
    Ok(wrong)
}

fn row(name: &str) -> Option<u8> {
    ROWS.iter().find(|(known, _)| *known == name).map(|(_, row)| *row)
}

fn allowed(name: &str, own: u8, dependency: &str) -> Option<String> {
    if let Some(other) = row(dependency) {
        return (other >= own).then(|| {
            format!("`{name}` (row {own}) uses `{dependency}` (row {other}); only lower rows may be used")
        });
    }
    (own <= LAST_PURE_ROW && EFFECTFUL.contains(&dependency))
        .then(|| format!("`{name}` is pure (row {own}) and depends on `{dependency}`"))
}

fn effects(source: &Source) -> Vec<String> {
    let pure = row(source.package()).is_some_and(|row| row <= LAST_PURE_ROW);
    if !pure || source.is_test() {
        return Vec::new();
    }
    let lines = source.production().lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .filter_map(|(number, line)| {
            let effect = EFFECTS.iter().find(|effect| line.contains(**effect))?;
            Some(format!(
                "{}:{}: `{effect}` in a pure room; take the value as a parameter",
                source.path,
                number + 1
            ))
        })
        .collect()
}

fn unsafe_code(source: &Source) -> Option<String> {
    let word = concat!("uns", "afe");
    let uses = [" {", " fn", " impl"].iter().any(|after| source.text.contains(&format!("{word}{after}")));
    (uses && !source.path.starts_with("crates/mains-infer/src/kernels/"))
        .then(|| format!("{}: `{word}` outside the kernels folder of mains-infer", source.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.into(), text: text.into() }
    }

    #[test]
    fn a_pure_room_may_not_read_the_clock_but_its_tests_may() {
        let text = "fn a() { std::time::Instant::now(); }\n#[cfg(test)]\nmod tests { use std::fs; }\n";
        assert_eq!(effects(&source("crates/mains-relay/src/lib.rs", text)).len(), 1);
        assert!(effects(&source("crates/mains-host/src/lib.rs", text)).is_empty());
        assert!(effects(&source("crates/mains-relay/tests/it/main.rs", text)).is_empty());
    }

    #[test]
    fn rows_are_only_used_downwards() {
        assert!(allowed("mains-relay", 4, "mains-scan").is_some(), "own row");
        assert!(allowed("mains-relay", 4, "mains-host").is_some(), "higher row");
        assert!(allowed("mains-relay", 4, "mains-units").is_none());
        assert!(allowed("mains-relay", 4, "tokio").is_some());
        assert!(allowed("mains-serve", 6, "tokio").is_none());
    }

    #[test]
    fn only_the_kernels_may_be_unsafe() {
        let text = concat!("uns", "afe { x }");
        assert!(unsafe_code(&source("crates/mains-infer/src/model.rs", text)).is_some());
        assert!(unsafe_code(&source("crates/mains-infer/src/kernels/avx2.rs", text)).is_none());
    }
}
