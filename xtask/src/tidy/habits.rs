//! Habits that a compiler cannot see.

use super::{Source, walk};
use std::path::Path;

/// Text that no file may hold, with the reason. Written in halves so that this file passes its own check.
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("index.cra", "tes.io"), "names a package registry's host"),
    (concat!("static.cra", "tes.io"), "names a package registry's host"),
    (concat!("py", "pi.org"), "names a package registry's host"),
    (concat!("files.python", "hosted.org"), "names a package registry's host"),
    (concat!("regis", "try.npmjs.org"), "names a package registry's host"),
    (concat!("deb.deb", "ian.org"), "names a package registry's host"),
    (concat!("\"/wo", "rk/"), "names a path of one machine"),
    (concat!("/wo", "rk/main"), "names a path of one machine"),
];

/// Text that production code may not hold.
const MARKS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];

pub(super) fn check(root: &Path, sources: &[Source]) -> Result<Vec<String>, String> {
    let mut wrong: Vec<String> = sources.iter().flat_map(habits).collect();
    wrong.extend(sources.iter().filter_map(|source| never(root, source)));
    let mut found = Vec::new();
    walk(root, &mut |path| {
        let name = path.to_string_lossy();
        if !name.contains("/.git/") && !name.ends_with("Cargo.lock") {
            found.push(path.to_path_buf());
        }
    })?;
    found.sort();
    for path in found {
        // Files that are not text have nothing to say here.
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let relative = path.strip_prefix(root).unwrap_or(&path).display();
        wrong.extend(
            FORBIDDEN
                .iter()
                .filter(|(needle, _)| text.contains(needle))
                .map(|(needle, why)| format!("{relative}: `{needle}` {why}")),
        );
    }
    Ok(wrong)
}

fn habits(source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, line) in source.text.lines().enumerate() {
        let mut say = |what: &str| wrong.push(format!("{}:{}: {what}", source.path, number + 1));
        if line.trim_start().starts_with(concat!("#[al", "low("))
            || line.trim_start().starts_with(concat!("#![al", "low("))
        {
            say("use `#[expect(…, reason = \"…\")]`, which complains when it is no longer needed");
        }
        if line.trim_start().starts_with(concat!("#[ign", "ore")) {
            say("an ignored test is no test; make it a command of xtask");
        }
        if MARKS.iter().any(|mark| line.contains(mark)) {
            say("a left-over mark");
        }
    }
    if source.is_test() && source.text.contains(concat!("sle", "ep(")) {
        wrong.push(format!("{}: a test that sleeps; pass the time in", source.path));
    }
    wrong
}

/// A crate's first doc says what the crate never does.
fn never(root: &Path, source: &Source) -> Option<String> {
    let is_root = source.path.starts_with("crates/")
        && (source.path.ends_with("/src/lib.rs") || source.path == "crates/mains/src/main.rs")
        && source.path.matches('/').count() == 3;
    let head: String = source.text.lines().take_while(|line| line.starts_with("//!")).collect();
    (is_root && root.exists() && !head.contains("Never:"))
        .then(|| format!("{}: the first doc lacks a line `Never: …`", source.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleeping_test_and_a_mark_are_found() {
        let text =
            format!("fn a() {{ std::thread::{}(x); }} // {}", concat!("sle", "ep"), concat!("TO", "DO"));
        assert_eq!(habits(&Source { path: "crates/mains-relay/tests/it/a.rs".into(), text }).len(), 2);
    }
}
