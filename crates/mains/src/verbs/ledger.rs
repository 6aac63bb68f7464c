//! `mains ledger`: reads and checks the tamper-evident record, with the files alone.

use crate::cli::{Data, Ledger};
use crate::print::{self, Ended, Trouble};
use mains_ledger::VerifierKey;
use mains_ledger::tile::{self, Kind, TileName, WIDTH};
use mains_ledger::verify::{Fault, Files, Report, Scope, names, verify};
use mains_store::log::{LogReader, SignedCheckpoint};
use mains_units::RequestId;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The folder of the log, below the data folder.
const FOLDER: &str = "ledger";
/// The log's public key as text, beside that folder: whoever copies the folder cannot exchange it.
pub(crate) const VERIFIER: &str = "ledger.pub";
/// No key is longer.
const VERIFIER_BYTES_MAX: u64 = 4_096;

pub(crate) fn run(verb: &Ledger) -> Result<Ended, Trouble> {
    match verb {
        Ledger::Verify(data) => verify_all(data),
        Ledger::Show { from, count, kind, data } => show(*from, *count, kind.as_deref(), data),
        Ledger::Prove { leaf, data } => prove(leaf, data),
    }
}

/// A log on this disk and the key that checks it.
pub(crate) struct Log {
    reader: LogReader,
    key: VerifierKey,
}

impl Log {
    /// The log below a data folder.
    pub(crate) fn open(data: &Path) -> Result<Self, Trouble> {
        let (folder, public) = (data.join(FOLDER), data.join(VERIFIER));
        if !folder.join(names::JOURNAL).is_file() {
            return Err(Trouble::new(format!("there is no ledger in `{}`", data.display())).hint(
                "`--data` names the outlet's data folder; `mains serve` makes the ledger when it starts",
            ));
        }
        Ok(Self { reader: LogReader::at(&folder), key: read_key(&public)? })
    }

    /// Recomputes everything, telling a person who waits how far it is.
    pub(crate) fn verify(&self) -> Result<Report, Fault> {
        let read = AtomicU64::new(0);
        let counted = Counted { files: &self.reader, read: &read };
        let message = || format!("{:.0} MB checked", read.load(Ordering::Relaxed) as f64 / 1e6);
        print::while_watched(message, || verify(&counted, &self.key, Scope::Folder))
    }

    fn checkpoint(&self) -> Result<SignedCheckpoint, Trouble> {
        self.reader.checkpoint(&self.key).map_err(|error| {
            Trouble::new(error.0).hint("`mains ledger verify` says what is wrong with the whole")
        })
    }
}

fn read_key(path: &Path) -> Result<VerifierKey, Trouble> {
    let shown = path.display();
    let length = std::fs::metadata(path).map(|metadata| metadata.len());
    let text = match length {
        Ok(length) if length > VERIFIER_BYTES_MAX => {
            return Err(Trouble::new(format!("`{shown}` is too long to be a key")));
        }
        _ => std::fs::read_to_string(path).map_err(|error| {
            Trouble::new(format!("failed to read the log's public key `{shown}`: {}", print::lowered(&error)))
                .hint("`mains serve` writes it; a copy of a log needs a copy of its key, from its owner")
        })?,
    };
    VerifierKey::parse(text.trim()).map_err(|error| Trouble::new(format!("`{shown}`: {}", error.0)))
}

/// Counts what is read.
struct Counted<'l> {
    files: &'l LogReader,
    read: &'l AtomicU64,
}

impl Files for Counted<'_> {
    fn list(&self) -> Result<Vec<String>, String> {
        Files::list(self.files)
    }

    fn read(&self, path: &str, offset: u64, limit: usize) -> Result<Vec<u8>, String> {
        let bytes = Files::read(self.files, path, offset, limit)?;
        self.read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes)
    }
}

fn verify_all(data: &Data) -> Result<Ended, Trouble> {
    let log = Log::open(&data.data)?;
    let clock = mains_host::Clock::start();
    let start = clock.monotonic();
    let outcome = log.verify();
    let took = clock.monotonic().since(start);
    match outcome {
        Ok(report) => {
            if data.json {
                print::json(&report_document(&report, true, None))?;
            } else {
                print::data(&report_page(&report, &log.key));
                print::say(&format!("every byte recomputed in {:.2} s", took.as_s_f64()));
            }
            Ok(Ended::Clean)
        }
        Err(fault) => {
            if data.json {
                print::json(&report_document(&fault.before, false, Some(&fault)))?;
            } else {
                print::data(&fault_page(&fault));
            }
            Ok(Ended::Findings)
        }
    }
}

fn report_document(report: &Report, verifies: bool, fault: Option<&Fault>) -> Value {
    json!({
        "schema": "mains.ledger-verify/1",
        "verifies": verifies,
        "origin": report.origin,
        "leaves": report.leaves,
        "signed": report.signed,
        "unsigned": report.unsigned(),
        "root": report.root.map(mains_ledger::Hash::to_base64),
        "tiles": report.tiles,
        "bundles": report.bundles,
        "torn_bytes": report.torn_bytes,
        "fault": fault.map(|fault| json!({ "file": fault.file, "leaf": fault.index, "why": fault.why })),
    })
}

fn report_page(report: &Report, key: &VerifierKey) -> String {
    let mut page = format!("{}  {}\n", print::bold("the log verifies"), report.origin);
    let mut line = |name: &str, value: String| {
        let _ = writeln!(page, "{name:<12}{value}");
    };
    line("leaves", print::thousands(report.leaves));
    line("signed", format!("{} under the checkpoint", print::thousands(report.signed)));
    if report.unsigned() > 0 {
        line("unsigned", format!("{} in the journal since", print::thousands(report.unsigned())));
    }
    line("root", report.root.map_or_else(|| "-".to_owned(), mains_ledger::Hash::to_base64));
    line(
        "recomputed",
        format!("{} and {}", print::plural(report.tiles, "tile"), print::plural(report.bundles, "bundle")),
    );
    if report.torn_bytes > 0 {
        line(
            "torn",
            format!(
                "{} of a frame cut short; cut off at the next start",
                print::plural(report.torn_bytes, "byte")
            ),
        );
    }
    line("key", key.to_string());
    page
}

fn fault_page(fault: &Fault) -> String {
    let red = anstyle::AnsiColor::Red.on_default().bold();
    let mut page = format!("{red}the log does not verify{red:#}\n");
    let _ = writeln!(page, "{:<12}{}", "file", fault.file);
    if let Some(index) = fault.index {
        let _ = writeln!(page, "{:<12}{}", "leaf", print::thousands(index));
    }
    let _ = writeln!(page, "{:<12}{}", "why", fault.why);
    let _ = writeln!(
        page,
        "{:<12}{} in order before it",
        "until then",
        print::plural(fault.before.leaves, "leaf").replace("leafs", "leaves")
    );
    page
}

fn show(from: Option<u64>, count: u64, kind: Option<&str>, data: &Data) -> Result<Ended, Trouble> {
    let log = Log::open(&data.data)?;
    let signed = log.checkpoint()?;
    let size = signed.checkpoint.size;
    let start = from.unwrap_or(if kind.is_some() { 0 } else { size.saturating_sub(count) });
    if start > size || (start == size && size > 0) {
        return Err(Trouble::new(format!("the checkpoint signs {size} leaves; there is no leaf {start}")));
    }
    let mut leaves = Vec::new();
    let end = if kind.is_some() { size } else { size.min(start.saturating_add(count)) };
    for index in start..end {
        let bytes = log.reader.leaf(index, &signed).map_err(|error| Trouble::new(error.0))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if kind.is_none_or(|kind| is_of(&text, kind)) {
            leaves.push((index, text));
        }
    }
    // Of one type the last ones are wanted, unless a first one was named.
    let most = usize::try_from(count).unwrap_or(usize::MAX);
    if from.is_none() {
        leaves.drain(..leaves.len().saturating_sub(most));
    }
    leaves.truncate(most);
    if data.json {
        let leaves = leaves.iter().map(|(index, text)| {
            // As it lies there; a leaf that is no JSON is shown as text rather than passed over.
            let leaf = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()));
            json!({ "index": index, "leaf": leaf })
        });
        print::json(&json!({
            "schema": "mains.ledger-show/1",
            "origin": signed.checkpoint.origin,
            "size": size,
            "leaves": leaves.collect::<Vec<_>>(),
        }))?;
    } else {
        let mut page = String::new();
        for (index, text) in &leaves {
            page.push_str(&leaf_line(*index, text));
        }
        print::data(&page);
        print::say(&format!("{} signed; `--json` prints leaves whole", print::thousands(size)));
    }
    Ok(Ended::Clean)
}

fn is_of(text: &str, kind: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|leaf| leaf["type"] == kind)
}

/// One leaf on one line: when, what, and what tells it from others.
fn leaf_line(index: u64, text: &str) -> String {
    let leaf: Value = serde_json::from_str(text).unwrap_or(Value::Null);
    let field = |name: &str| leaf.get(name).and_then(Value::as_str).unwrap_or("");
    let mut line = format!("{index:>8}  {}  {:<12}", field("at"), field("type"));
    if field("type") == "model" {
        let _ = write!(line, "  {}", field("action"));
    }
    for name in ["request", "target", "result", "reason", "origin"] {
        if !field(name).is_empty() {
            let _ = write!(line, "  {}", field(name));
        }
    }
    if field("type") == "swap" {
        line.push_str(&swap_part(&leaf));
    }
    if let Ok(nano) = field("cost_nano_usd").parse() {
        let _ = write!(line, "  {}", mains_units::NanoUsd(nano));
    }
    line.push('\n');
    line
}

/// What a swap did: the action, the route, from where to where, and the share from then on.
fn swap_part(leaf: &Value) -> String {
    let field = |name: &str| leaf.get(name).and_then(Value::as_str);
    let mut part = String::new();
    for name in ["action", "route", "from"] {
        if let Some(word) = field(name) {
            let _ = write!(part, "  {word}");
        }
    }
    if let Some(to) = field("to") {
        let _ = write!(part, " -> {to}");
    }
    if let Some(share) = leaf.get("share_percent").and_then(Value::as_u64) {
        let _ = write!(part, "  {share} %");
    }
    part
}

fn prove(leaf: &str, data: &Data) -> Result<Ended, Trouble> {
    let log = Log::open(&data.data)?;
    let signed = log.checkpoint()?;
    let index = match leaf.parse::<u64>() {
        Ok(index) => index,
        Err(_) => index_of_request(&log, &signed, leaf)?,
    };
    let proof = log.reader.prove(index, &signed, &log.key).map_err(|error| Trouble::new(error.0))?;
    if data.json {
        let bytes = log.reader.leaf(index, &signed).map_err(|error| Trouble::new(error.0))?;
        print::json(&json!({
            "schema": "mains.ledger-proof/1",
            "index": index,
            "leaf": String::from_utf8_lossy(&bytes),
            "proof": proof.to_text(),
            "key": log.key.to_string(),
        }))?;
    } else {
        print::data(&proof.to_text());
        print::say(&format!("leaf {index} of {}; check it with the key {}", signed.checkpoint.size, log.key));
    }
    Ok(Ended::Clean)
}

/// The closing leaf of a request, looked for in the log itself from its end: the database may say anything,
/// the log is what is proved.
fn index_of_request(log: &Log, signed: &SignedCheckpoint, name: &str) -> Result<u64, Trouble> {
    let Some(request) = RequestId::parse(name) else {
        return Err(Trouble::new(format!(
            "`{name}` is neither the index of a leaf nor the name of a request"
        ))
        .hint("write a number, or `req_…` as the header `x-request-id` names it"));
    };
    let (size, needle) = (signed.checkpoint.size, request.to_string());
    let lost = |why: String| Trouble::new(format!("a bundle is not at hand: {why}"));
    let mut bundle = size.div_ceil(WIDTH);
    while bundle > 0 {
        bundle -= 1;
        let first = bundle * WIDTH;
        let Some(file) = TileName::holding(Kind::Entries, first, size) else { continue };
        let (file, bytes) = match log.reader.file(&file.to_string()) {
            Some(bytes) => (file, bytes),
            // The partial bundle goes when the full one comes.
            None => (
                file.full(),
                log.reader.file(&file.full().to_string()).ok_or_else(|| lost(file.to_string()))?,
            ),
        };
        let leaves = tile::decode_bundle(&bytes, file.width).map_err(lost)?;
        let found = leaves.iter().enumerate().rev().find(|(_, leaf)| closes(leaf, &needle));
        if let Some(index) = found.map(|(place, _)| first + place as u64).filter(|index| *index < size) {
            return Ok(index);
        }
    }
    Err(Trouble::new(format!("no leaf closes the request `{name}` under the checkpoint of {size} leaves"))
        .hint("a request that has just ended is signed within a second"))
}

/// Whether a leaf is the closing one of this request.
fn closes(leaf: &[u8], request: &str) -> bool {
    // Parsing every leaf of a long log would take minutes; most do not hold the name at all.
    let Ok(text) = std::str::from_utf8(leaf) else { return false };
    if !text.contains(request) {
        return false;
    }
    let Ok(leaf) = serde_json::from_str::<Value>(text) else { return false };
    leaf["request"] == request && (leaf["type"] == "outcome" || leaf["type"] == "deny")
}

/// Where the log's public key lies.
pub(crate) fn verifier_path(data: &Path) -> PathBuf {
    data.join(VERIFIER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_closing_leaf_of_a_request_closes_it() {
        let leaf = |kind: &str, request: &str| format!(r#"{{"request":"{request}","type":"{kind}","v":1}}"#);
        assert!(closes(leaf("outcome", "req_a").as_bytes(), "req_a"));
        assert!(closes(leaf("deny", "req_a").as_bytes(), "req_a"));
        assert!(!closes(leaf("intent", "req_a").as_bytes(), "req_a"));
        assert!(!closes(leaf("outcome", "req_ab").as_bytes(), "req_a"));
        assert!(!closes(b"\xff", "req_a"));
    }

    #[test]
    fn a_swap_says_from_where_to_where() {
        let leaf = r#"{"action":"stepped","at":"now","from":"a/old","report":null,"route":"r","share_percent":25,"to":"b/new","type":"swap","v":1}"#;
        assert!(leaf_line(7, leaf).ends_with("  stepped  r  a/old -> b/new  25 %\n"));
    }

    #[test]
    fn a_leaf_that_is_no_json_still_has_a_line() {
        assert!(leaf_line(7, "nonsense").starts_with("       7"));
    }
}
