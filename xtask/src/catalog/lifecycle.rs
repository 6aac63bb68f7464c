//! Lifecycle facts: our own table whole, and the rows of the deprecations.info feed that it lacks.
//!
//! The three other collections (modeldeprecations.dev, the aggregator's list, depdesk) state no licence and
//! are never carried over.

use super::read::{Sources, items, line, text};
use std::collections::{BTreeMap, BTreeSet};

/// One fact, as the columns of our data file.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) host: String,
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) version: String,
    announced: String,
    shutdown: String,
    date_kind: String,
    after: String,
    replacement: String,
    /// The source as text; the file has its code.
    source: String,
    read: String,
    confidence: String,
    note: String,
}

impl Row {
    pub(super) fn source(&self) -> &str {
        &self.source
    }
}

/// All facts and the codes of their sources.
pub(super) struct Life {
    pub(super) rows: Vec<Row>,
    /// Source text to code and the newest day it was read.
    pub(super) codes: BTreeMap<String, (String, String)>,
}

impl Life {
    pub(super) fn from(sources: &Sources) -> Result<Self, String> {
        let mut rows = Vec::new();
        for record in &sources.lifecycle {
            let mut fields: Vec<&str> = record.iter().collect();
            if fields.len() != 12 {
                return Err(format!("lifecycle-facts.csv: a row has {} columns, not 12", fields.len()));
            }
            let fields: [&str; 12] = std::array::from_fn(|i| std::mem::take(&mut fields[i]));
            rows.push(own(fields));
        }
        let known: BTreeSet<(String, String)> = sources
            .lifecycle
            .iter()
            .map(|record| (record[0].to_owned(), record[1].to_ascii_lowercase()))
            .collect();
        for entry in items(&sources.feed) {
            let row = from_feed(entry);
            if !known.contains(&(row.host.clone(), text(entry, "model_id").to_ascii_lowercase())) {
                rows.push(row);
            }
        }
        for row in &rows {
            if row.source.is_empty() || row.read.len() != 10 {
                return Err(format!("the fact about {} at {} has no source or no date", row.id, row.host));
            }
        }
        let key = |row: &Row| {
            let order = (row.id.to_ascii_lowercase(), row.host.clone(), row.shutdown.clone());
            (order, row.announced.clone(), row.source.clone(), row.read.clone())
        };
        rows.sort_by_cached_key(key);
        let mut newest: BTreeMap<String, String> = BTreeMap::new();
        for row in &rows {
            let read = newest.entry(row.source.clone()).or_default();
            *read = std::mem::take(read).max(row.read.clone());
        }
        let codes =
            newest.into_iter().enumerate().map(|(i, (source, read))| (source, (format!("s{i:03}"), read)));
        Ok(Self { rows, codes: codes.collect() })
    }

    pub(super) fn text(&self) -> String {
        let mut made = "host,id,kind,version,announced,shutdown,date_kind,after,replacement,source,read,confidence,note\n"
            .to_owned();
        for row in &self.rows {
            let code = self.codes.get(&row.source).map_or("", |(code, _)| code);
            made.push_str(&line(&[
                &row.host,
                &row.id,
                &row.kind,
                &row.version,
                &row.announced,
                &row.shutdown,
                &row.date_kind,
                &row.after,
                &row.replacement,
                code,
                &row.read,
                &row.confidence,
                &row.note,
            ]));
        }
        made
    }
}

fn own(fields: [&str; 12]) -> Row {
    let [host, id, kind, announced, shutdown, date_kind, after, replacement, source, read, confidence, note] =
        fields;
    let (id, version) = parted(id);
    Row {
        host: host.to_owned(),
        kind: kind_of(kind, &id).to_owned(),
        id,
        version,
        announced: announced.to_owned(),
        shutdown: shutdown.to_owned(),
        date_kind: date_kind.to_owned(),
        after: after_shutdown(after),
        replacement: replacement.to_owned(),
        source: source.to_owned(),
        read: read.to_owned(),
        confidence: confidence.to_owned(),
        // What else the column said stays in the note.
        note: if kind == "parameter" { format!("{note}; after: {after}") } else { note.to_owned() },
    }
}

/// Azure names model and version apart: `gpt-4o (version 2024-05-13)` is the id `gpt-4o-2024-05-13`.
fn parted(id: &str) -> (String, String) {
    match id.strip_suffix(')').and_then(|id| id.split_once(" (version ")) {
        Some((model, version)) => (format!("{model}-{version}"), version.to_owned()),
        // The path is what code holds.
        None if id == "Videos API (/v1/videos)" => ("/v1/videos".to_owned(), String::new()),
        None => (id.to_owned(), String::new()),
    }
}

/// A name with spaces is a product's, whatever the table calls it: no code asks for it.
fn kind_of<'a>(kind: &'a str, id: &str) -> &'a str {
    if kind == "model" && id.contains(' ') { "product" } else { kind }
}

fn after_shutdown(text: &str) -> String {
    if let Some(rest) = text.strip_prefix("redirects to ") {
        return format!("redirects:{}", rest.split(' ').next().unwrap_or(rest));
    }
    match text {
        "fails" => "fails",
        "redirects before the date, then fails" => "redirects-then-fails",
        _ => "unknown",
    }
    .to_owned()
}

fn from_feed(entry: &serde_json::Value) -> Row {
    let observed = text(entry, "last_observed");
    let (shutdown, announced) = (text(entry, "shutdown_date"), text(entry, "deprecation_date"));
    let host = match text(entry, "provider") {
        "Google Vertex" => "google-vertex".to_owned(),
        other => other.to_ascii_lowercase(),
    };
    let (id, version) = parted(text(entry, "model_id"));
    let replacements: Vec<&str> = items(&entry["replacement_models"]).filter_map(|id| id.as_str()).collect();
    Row {
        host,
        kind: kind_of("model", &id).to_owned(),
        id,
        version,
        announced: if announced == shutdown { "" } else { announced }.to_owned(),
        shutdown: shutdown.to_owned(),
        date_kind: if shutdown.is_empty() { "not-announced" } else { "exact" }.to_owned(),
        after: "unknown".to_owned(),
        replacement: replacements.join(" or "),
        source: format!("{} (as observed {observed} by the deprecations.info feed, MIT)", text(entry, "url")),
        read: observed.to_owned(),
        confidence: "dataset".to_owned(),
        note: String::new(),
    }
}
