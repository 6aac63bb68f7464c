//! The report as SARIF 2.1.0, for code scanning.

use super::text::detail;
use super::{At, EndpointGroup, ModelGroup, Report, Rule};
use crate::finding::{Class, Scope};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Code scanning takes at most this many results of one run.
const RESULTS_MAX: usize = 25_000;

impl Report {
    /// SARIF: one result a place, all rules declared, paths relative to the root.
    pub fn to_sarif(&self) -> String {
        let mut results = Vec::new();
        for group in &self.models {
            let message = model_message(group);
            results.extend(group.places.iter().map(|at| result(group.rule, level(group, at), &message, at)));
        }
        for group in &self.endpoints {
            let message = endpoint_message(group);
            let gated = |at: &At| if group.gated && at.scope == Scope::Product { "error" } else { "note" };
            results.extend(group.places.iter().map(|at| result(group.rule, gated(at), &message, at)));
        }
        for list in &self.lists {
            let message = format!(
                "offers {} models, {} dead, {} dying",
                list.models,
                list.retired.len(),
                list.retiring.len()
            );
            results.push(json!({
                "ruleId": list.rule, "ruleIndex": index(list.rule), "level": "note",
                "message": { "text": message },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": uri(&list.file) },
                    "region": { "startLine": list.line } } }],
                "partialFingerprints": { "mains/v1": format!("list:{}", list.file) },
            }));
        }
        results.truncate(RESULTS_MAX);
        let rules: Vec<Value> = Rule::ALL
            .iter()
            .map(|rule| {
                json!({
                    "id": rule, "name": rule.id().trim_start_matches("MAINS-"),
                    "shortDescription": { "text": rule.meaning() },
                    "defaultConfiguration": { "level": default_level(*rule) },
                })
            })
            .collect();
        let mut document = json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "mains", "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "properties": { "catalogue": self.catalogue, "as_of": self.as_of },
                    "rules": rules } },
                "columnKind": "unicodeCodePoints",
                "results": results,
            }],
        });
        // One order of keys, whichever this build's maps keep.
        document.sort_all_objects();
        let mut text = serde_json::to_string_pretty(&document).unwrap_or_else(|_| "{}".to_owned());
        text.push('\n');
        text
    }
}

fn default_level(rule: Rule) -> &'static str {
    match rule {
        Rule::Retired | Rule::Endpoint => "error",
        Rule::Retiring | Rule::Deprecated | Rule::AnyDay => "warning",
        _ => "note",
    }
}

/// A use of a dead model is an error; what ends within the horizon, or may end any day, a warning; tests and
/// examples are notes.
fn level(group: &ModelGroup, at: &At) -> &'static str {
    if at.scope != Scope::Product || at.class != Class::Use {
        return "note";
    }
    match group.rule {
        Rule::Retired => "error",
        Rule::Retiring if group.gated => "warning",
        Rule::AnyDay | Rule::Deprecated => "warning",
        _ => "note",
    }
}

fn index(rule: Rule) -> usize {
    Rule::ALL.iter().position(|known| *known == rule).unwrap_or(0)
}

fn result(rule: Rule, level: &str, message: &str, at: &At) -> Value {
    let end_column = at.column as usize + at.text.chars().count();
    let mut result = json!({
        "ruleId": rule, "ruleIndex": index(rule), "level": level,
        "message": { "text": message },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&at.file) },
            "region": {
                "startLine": at.line, "startColumn": at.column, "endColumn": end_column,
                "byteOffset": at.start, "byteLength": at.end - at.start } } }],
        "partialFingerprints": { "mains/v1": at.fingerprint },
        "properties": { "class": at.class, "scope": at.scope, "confidence": at.confidence, "why": at.why },
    });
    if let Some(reason) = &at.ignored {
        result["suppressions"] = json!([{ "kind": "inSource", "justification": reason }]);
    }
    result
}

fn model_message(group: &ModelGroup) -> String {
    let mut text = format!("`{}` is {}", group.name(), group.state.replace('-', " "));
    let detail = detail(group);
    if !detail.is_empty() {
        text = format!("{text}: {detail}");
    }
    if let Some(first) = group.substitutes.first().filter(|_| group.rule < Rule::Alias) {
        text = format!("{text}; instead: `{}/{}`", first.host, first.id);
    }
    text
}

fn endpoint_message(group: &EndpointGroup) -> String {
    let mut text = format!("`{}` ends {}", group.name, super::build::day_or_dash(group.ends_on));
    if !group.instead.is_empty() {
        text = format!("{text}; instead: {}", group.instead);
    }
    text
}

/// A path as a relative URI reference: bytes that may not stand in one are percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn a_path_becomes_a_relative_uri() {
        assert_eq!(uri("a b/ü:#.py"), "a%20b/%C3%BC%3A%23.py");
    }
}
