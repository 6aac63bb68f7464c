//! A file into JSON values, each with the place where it stands.
//!
//! One value a line (JSONL), one array, or one object that holds an array as `data` (what list endpoints answer).

use crate::print::{self, Trouble};
use serde_json::Value;
use std::fmt;
use std::path::Path;

/// No file is read that is longer: all of it has to fit in memory, twice.
const FILE_BYTES_MAX: u64 = 2 << 30;

/// No outlet lets a longer body in, and an answer stands beside it on the line.
const LINE_BYTES_MAX: usize = 64 << 20;

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// On this line, from 1.
    Line(usize),
    /// In an array, from 1.
    Nth(usize),
    /// Nowhere in particular.
    None,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Nth(nth) => write!(f, "record {nth}"),
            Self::None => f.write_str("by time"),
        }
    }
}

pub(super) struct Record {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// The records of a file.
pub(super) fn read(path: &Path) -> Result<Vec<Record>, Trouble> {
    let shown = path.display();
    let unreadable =
        |error: std::io::Error| Trouble::new(format!("failed to read `{shown}`: {}", print::lowered(&error)));
    let length = std::fs::metadata(path).map_err(unreadable)?.len();
    if length > FILE_BYTES_MAX {
        return Err(Trouble::new(format!("`{shown}` is too long to be read at once: {length} bytes"))
            .hint("split it, for example with `split --line-bytes=1G`"));
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.split(|byte| *byte == b'\n').count();
        Trouble::new(format!("`{shown}` line {line}: no UTF-8 text")).hint("save or export it again as UTF-8")
    })?;
    parse(text.trim_start_matches('\u{feff}')).map_err(|why| Trouble::new(format!("`{shown}` {why}")))
}

/// The records of a text; on failure what is wrong, beginning with the line.
fn parse(text: &str) -> Result<Vec<Record>, String> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let Some((_, first)) = lines.next() else { return Err("is empty".into()) };
    let alone = lines.next().is_none();
    // A document over many lines does not begin with a line that is a whole value.
    if alone || serde_json::from_str::<serde::de::IgnoredAny>(first).is_err() {
        return whole(text).map_err(|error| format!("line {}: {}", error.line(), cause(&error)));
    }
    let mut records = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = Place::Line(index + 1);
        if line.len() > LINE_BYTES_MAX {
            return Err(format!(
                "{place}: longer than the {} MiB that a record may have",
                LINE_BYTES_MAX >> 20
            ));
        }
        let value = serde_json::from_str(line).map_err(|error| format!("{place}: {}", cause(&error)))?;
        records.push(Record { place, value });
    }
    Ok(records)
}

fn whole(text: &str) -> Result<Vec<Record>, serde_json::Error> {
    let value: Value = serde_json::from_str(text)?;
    let listed = match value {
        Value::Array(listed) => listed,
        Value::Object(mut members) => match members.remove("data") {
            Some(Value::Array(listed)) => listed,
            other => {
                if let Some(data) = other {
                    members.insert("data".into(), data);
                }
                return Ok(vec![Record { place: Place::Line(1), value: Value::Object(members) }]);
            }
        },
        other => return Ok(vec![Record { place: Place::Line(1), value: other }]),
    };
    let numbered = listed.into_iter().enumerate();
    Ok(numbered.map(|(index, value)| Record { place: Place::Nth(index + 1), value }).collect())
}

/// What the parser says, without its place: that is said already.
fn cause(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<String> {
        parse(text).unwrap().iter().map(|record| record.place.to_string()).collect()
    }

    #[test]
    fn lines_arrays_and_lists_are_records_with_places() {
        assert_eq!(places("{\"a\":1}\n\n{\"a\":2}\n"), ["line 1", "line 3"]);
        assert_eq!(places("[{\"a\":1},\n {\"a\":2}]"), ["record 1", "record 2"]);
        assert_eq!(places("{\n \"object\": \"list\", \"data\": [{}, {}]\n}"), ["record 1", "record 2"]);
        assert_eq!(places("{\n \"messages\": []\n}"), ["line 1"]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, said) in [
            ("", "is empty"),
            (" \n\n", "is empty"),
            ("hello", "line 1: expected value"),
            ("{\"a\":1}\n{\"a\":\n", "line 2: EOF while parsing a value"),
            ("[{\"a\":1},\n{\"a\" 2}]", "line 2: expected `:`"),
            ("{\"a\":1}\nhello\n", "line 2: expected value"),
        ] {
            assert_eq!(parse(text).map(|_| ()).unwrap_err(), said, "{text}");
        }
        let huge = format!("{{}}\n\"{}\"", "x".repeat(LINE_BYTES_MAX));
        assert!(parse(&huge).map(|_| ()).unwrap_err().starts_with("line 2: longer than the 64 MiB"));
        let deep = "[".repeat(100_000);
        assert!(parse(&deep).is_err(), "nesting has an end");
    }
}
