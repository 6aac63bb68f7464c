//! Sizes: a file fits in the head, a function on a screen. What is larger stands in the ratchet
//! (`xtask/ratchet.txt`), which may only shrink.

use super::Source;
use std::collections::BTreeMap;
use std::path::Path;

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

pub(super) fn check(root: &Path, sources: &[Source]) -> Result<Vec<String>, String> {
    let path = root.join("xtask/ratchet.txt");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let allowed = ratchet(&text)?;
    let mut wrong = Vec::new();
    let mut seen = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.is_test()) {
        let lines = source.production().lines().count();
        if lines > FILE_LINES_MAX {
            seen.insert(source.path.clone(), lines);
        }
        for (name, lines) in functions(source.production()) {
            if lines > FUNCTION_LINES_MAX {
                seen.insert(format!("{}::{name}", source.path), lines);
            }
        }
    }
    for (what, lines) in &seen {
        match allowed.get(what) {
            None => wrong.push(format!("{what}: {lines} lines is more than a screen can hold; split it")),
            Some(most) if lines > most => {
                wrong.push(format!("{what}: grew from {most} to {lines} lines; split it"));
            }
            Some(most) if lines < most => {
                wrong.push(format!(
                    "{what}: shrank from {most} to {lines} lines; write {lines} in xtask/ratchet.txt"
                ));
            }
            Some(_) => {}
        }
    }
    for what in allowed.keys().filter(|what| !seen.contains_key(*what)) {
        wrong.push(format!("{what}: fits now; take its line out of xtask/ratchet.txt"));
    }
    Ok(wrong)
}

/// Lines of `path lines`; `#` starts a comment.
fn ratchet(text: &str) -> Result<BTreeMap<String, usize>, String> {
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (what, lines) =
                line.rsplit_once(' ').ok_or_else(|| format!("xtask/ratchet.txt: `{line}`"))?;
            let lines = lines.parse().map_err(|_| format!("xtask/ratchet.txt: `{line}`"))?;
            Ok((what.to_owned(), lines))
        })
        .collect()
}

/// Name and length of every function, from its first line to the brace that closes it at the same indent.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let indent = &line[..line.len() - line.trim_start().len()];
        let Some(name) = function_name(line.trim_start()) else { continue };
        if line.ends_with('}') || line.ends_with(';') {
            continue;
        }
        let closing = format!("{indent}}}");
        if let Some(length) = lines[start + 1..].iter().position(|line| line.starts_with(&closing)) {
            found.push((name, length + 1));
        }
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let mut rest = line;
    while let Some(after) = ["pub(crate) ", "pub(super) ", "pub ", "const ", "async ", concat!("uns", "afe ")]
        .iter()
        .find_map(|word| rest.strip_prefix(word))
    {
        rest = after;
    }
    let name = rest.strip_prefix("fn ")?;
    Some(name.split(['(', '<']).next().unwrap_or("").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_measured_to_its_own_closing_brace() {
        let body = "    x();\n".repeat(80);
        let text = format!("pub(crate) async fn long(a: u8) {{\n{body}}}\nfn short() {{\n    x();\n}}\n");
        assert_eq!(functions(&text), [("long".to_owned(), 81), ("short".to_owned(), 2)]);
    }
}
