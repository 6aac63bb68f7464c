//! Aliases: names that stand for dated snapshots.
//!
//! Made by one rule, not by guessing: where a host has both an id and the same id with a date or revision
//! behind it, the dated one is a snapshot of the other; `x-latest` stands for the snapshots of `x`. A few
//! aliases that no list names any more are kept by hand.

use super::lifecycle::Life;
use super::models::Models;
use super::read::line;
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct AliasRow {
    pub(super) host: String,
    pub(super) id: String,
    snapshots: Vec<String>,
    source: &'static str,
}

/// Hosts that name snapshots this way.
const HOSTS: [&str; 9] =
    ["anthropic", "azure", "cohere", "google", "google-vertex", "mistral", "openai", "xai", "alibaba"];

/// Aliases that the providers document or documented, and that no list holds today.
const BY_HAND: [(&str, &str, &[&str]); 14] = [
    ("anthropic", "claude-2", &["claude-2.0", "claude-2.1"]),
    ("anthropic", "claude-instant-1", &["claude-instant-1.1", "claude-instant-1.2"]),
    ("anthropic", "claude-3-5-haiku-latest", &["claude-3-5-haiku-20241022"]),
    ("anthropic", "claude-3-5-sonnet-latest", &["claude-3-5-sonnet-20240620", "claude-3-5-sonnet-20241022"]),
    ("anthropic", "claude-3-7-sonnet-latest", &["claude-3-7-sonnet-20250219"]),
    ("anthropic", "claude-3-opus-latest", &["claude-3-opus-20240229"]),
    ("anthropic", "claude-opus-4-0", &["claude-opus-4-20250514"]),
    ("anthropic", "claude-sonnet-4-0", &["claude-sonnet-4-20250514"]),
    ("google", "gemini-1.5-flash-latest", &["gemini-1.5-flash-001", "gemini-1.5-flash-002"]),
    ("google", "gemini-1.5-pro-latest", &["gemini-1.5-pro-001", "gemini-1.5-pro-002"]),
    ("google", "gemini-1.0-pro-latest", &["gemini-1.0-pro-001"]),
    ("google", "gemini-pro", &["gemini-1.0-pro"]),
    ("openai", "gpt-4.1-mini", &["gpt-4.1-mini-2025-04-14"]),
    ("openai", "gpt-4.1-nano", &["gpt-4.1-nano-2025-04-14"]),
];

pub(super) fn made(models: &Models, life: &Life) -> Vec<AliasRow> {
    let mut found: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let versioned: BTreeSet<(&str, &str)> = life
        .rows
        .iter()
        .filter(|row| !row.version.is_empty())
        .map(|row| (row.host.as_str(), row.id.as_str()))
        .collect();
    for row in models.rows().filter(|row| HOSTS.contains(&row.host.as_str()) && !row.id.contains([':', '/']))
    {
        let version = life.rows.iter().find(|fact| {
            versioned.contains(&(row.host.as_str(), row.id.as_str()))
                && fact.id == row.id
                && fact.host == row.host
        });
        let by_version = version.and_then(|fact| row.id.strip_suffix(&fact.version)?.strip_suffix('-'));
        let Some(base) = by_version.or_else(|| undated(&row.host, &row.id)) else { continue };
        // Azure documents model and version apart, so the model is an alias whether a list has it or not.
        for alias in [base.to_owned(), format!("{base}-latest")] {
            if models.has(&row.host, &alias) || (by_version.is_some() && alias == base) {
                found.entry((row.host.clone(), alias)).or_default().insert(row.id.clone());
            }
        }
    }
    let mut rows: Vec<AliasRow> = found
        .into_iter()
        .map(|((host, id), snapshots)| AliasRow {
            host,
            id,
            snapshots: snapshots.into_iter().collect(),
            source: "R",
        })
        .collect();
    for (host, id, snapshots) in BY_HAND {
        rows.retain(|row| !(row.host == host && row.id.eq_ignore_ascii_case(id)));
        let known: Vec<String> =
            snapshots.iter().filter(|snapshot| models.has(host, snapshot)).map(|s| (*s).to_owned()).collect();
        if !known.is_empty() {
            rows.push(AliasRow { host: host.to_owned(), id: id.to_owned(), snapshots: known, source: "H" });
        }
    }
    rows.sort_by_key(|row| (row.id.to_ascii_lowercase(), row.host.clone()));
    rows
}

/// The id without the date or revision at its end, in the shapes that the host uses for snapshots. Four
/// digits alone are a snapshot only where the host itself makes the model: `deepseek-r1-0528` at Azure is a
/// model beside `deepseek-r1`, not a snapshot of it.
fn undated<'a>(host: &str, id: &'a str) -> Option<&'a str> {
    let shapes: &[&str] = match host {
        "openai" | "xai" => &["-dddd-dd-dd", "-dddddddd", "-dddd"],
        "azure" if id.starts_with("gpt-") => &["-dddd-dd-dd", "-dddd"],
        "mistral" => &["-dddd"],
        "cohere" => &["-dd-dddd"],
        "google" | "google-vertex" => &["@dddddddd", "-ddd"],
        _ => &["-dddd-dd-dd", "-dddddddd"],
    };
    for shape in shapes {
        let Some(start) = id.len().checked_sub(shape.len()).filter(|start| *start > 0) else { continue };
        let fits = |(byte, kind): (u8, u8)| if kind == b'd' { byte.is_ascii_digit() } else { byte == kind };
        if id.as_bytes()[start..].iter().copied().zip(shape.bytes()).all(fits) {
            return id.get(..start);
        }
    }
    None
}

pub(super) fn text(aliases: &[AliasRow]) -> String {
    let mut made = "host,id,snapshots,source\n".to_owned();
    for row in aliases {
        made.push_str(&line(&[&row.host, &row.id, &row.snapshots.join("|"), row.source]));
    }
    made
}
