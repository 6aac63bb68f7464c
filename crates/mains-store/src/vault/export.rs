//! Exchanges as lines of JSON, for evaluation, training and other programs.
//!
//! A line is one object with these members, always all of them but for the choices:
//!
//! - `v`: 1. A member that is added or changed makes it another number.
//! - `request`, `at` (RFC 3339, UTC, milliseconds), `dialect`, `status`.
//! - `route`, `project`, `target`, `model`: text or `null`.
//! - `asked_type`, `answer_type`: the media types; empty where there was none.
//! - `asked` where the request's body is JSON: that JSON, digit for digit and in its order of members, without the
//!   white space between tokens. Else `asked_text` where it is UTF-8, else `asked_base64`.
//! - `answer`, `answer_text` or `answer_base64` in the same way. A stream is text: its events as they went out,
//!   in `dialect`.
//!
//! Bodies are not turned into the neutral form: what was on the wire is the evidence, and `mains-wire` reads it
//! by `dialect` and type wherever it is needed.

use super::exchange::{Body, Exchange};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde::ser::SerializeMap as _;
use serde_json::value::RawValue;

/// One exchange as a line, with its end of line.
pub fn line(exchange: &Exchange) -> String {
    // Nothing of it can fail to be written: keys are text, and no number is a float.
    let mut line = serde_json::to_string(&Line(exchange)).unwrap_or_default();
    line.push('\n');
    line
}

struct Line<'a>(&'a Exchange);

impl Serialize for Line<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let exchange = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("v", &1)?;
        map.serialize_entry("request", &exchange.request.to_string())?;
        map.serialize_entry("at", &exchange.at.to_string())?;
        map.serialize_entry("route", &exchange.route)?;
        map.serialize_entry("project", &exchange.project)?;
        map.serialize_entry("target", &exchange.target)?;
        map.serialize_entry("model", &exchange.model)?;
        map.serialize_entry("dialect", &exchange.dialect)?;
        map.serialize_entry("status", &exchange.status)?;
        body(&mut map, ["asked_type", "asked", "asked_text", "asked_base64"], &exchange.asked)?;
        body(&mut map, ["answer_type", "answer", "answer_text", "answer_base64"], &exchange.answer)?;
        map.end()
    }
}

fn body<M: serde::ser::SerializeMap>(map: &mut M, names: [&str; 4], body: &Body) -> Result<(), M::Error> {
    let [kind, json, text, base64] = names;
    map.serialize_entry(kind, &body.content_type)?;
    if let Some(value) = compact(&body.bytes) {
        map.serialize_entry(json, &value)
    } else if let Ok(value) = std::str::from_utf8(&body.bytes) {
        map.serialize_entry(text, value)
    } else {
        map.serialize_entry(base64, &STANDARD.encode(&body.bytes))
    }
}

/// The JSON value without white space between its tokens; `None` where the bytes are not one JSON value.
fn compact(bytes: &[u8]) -> Option<Box<RawValue>> {
    let value: &RawValue = serde_json::from_slice(bytes).ok()?;
    let mut compact = String::with_capacity(value.get().len());
    let (mut in_text, mut escaped) = (false, false);
    for c in value.get().chars() {
        if in_text {
            in_text = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if matches!(c, ' ' | '\t' | '\n' | '\r') {
            continue;
        } else {
            in_text = c == '"';
        }
        compact.push(c);
    }
    RawValue::from_string(compact).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compacted(text: &str) -> Option<String> {
        compact(text.as_bytes()).map(|value| value.get().to_owned())
    }

    #[test]
    fn json_loses_its_white_space_and_nothing_else() {
        let text = "\r\n{ \"b\" : [ 1.50 , -0 ,1e5, 18446744073709551617 ],\n\t\"a\":\"x \\\" y\\\\\" , \"\\\\\" : \" \" }\n";
        let same = "{\"b\":[1.50,-0,1e5,18446744073709551617],\"a\":\"x \\\" y\\\\\",\"\\\\\":\" \"}";
        assert_eq!(compacted(text).as_deref(), Some(same));
        for wrong in ["", "{", "1 2", "data: {}\n\n", "{\"a\":1}\n{\"a\":2}", "nul"] {
            assert_eq!(compacted(wrong), None, "{wrong}");
        }
        let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
        let _ = compacted(&deep);
    }
}
