//! Canonical JSON (RFC 8785) without fractions: one text for one report, so that it has one hash.

use super::Report;
use serde_json::Value;
use std::fmt;

/// The largest whole number that every JSON reader keeps exactly.
const WHOLE_MAX: u64 = 1 << 53;

/// Why a report has no canonical text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotCanonical {
    /// The number that does not fit.
    pub number: String,
}

impl fmt::Display for NotCanonical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the number {} in the report is no whole number up to 2^53, so other readers may change it",
            self.number
        )
    }
}

impl std::error::Error for NotCanonical {}

/// The one text of a report: keys in the order of their UTF-16 units, no white space, the shortest escapes.
pub fn canonical(report: &Report) -> Result<String, NotCanonical> {
    // A report holds no map with keys that are not text and no value that refuses to be written.
    let value = serde_json::to_value(report).map_err(|error| NotCanonical { number: error.to_string() })?;
    let mut text = String::new();
    write(&value, &mut text)?;
    Ok(text)
}

fn write(value: &Value, out: &mut String) -> Result<(), NotCanonical> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Number(number) => {
            let size = number.as_i64().map(i64::unsigned_abs).or(number.as_u64());
            if size.is_none_or(|size| size > WHOLE_MAX) {
                return Err(NotCanonical { number: number.to_string() });
            }
            out.push_str(&number.to_string());
        }
        // serde_json writes strings as RFC 8785 asks: two-letter escapes, lower-case \u00xx, all else as it is.
        Value::String(_) => out.push_str(&value.to_string()),
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write(item, out)?;
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16()));
            out.push('{');
            for (place, (key, item)) in members.into_iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                out.push_str(&Value::String(key.clone()).to_string());
                out.push(':');
                write(item, out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}
