//! Does a text follow a JSON schema?
//!
//! Read this file (a schema, and whether a text holds to it), `bound` (which schemas are too much to check), then
//! `found` (where a request carries its schema).
//!
//! Nothing is fetched and no file is read: a schema that refers to anything outside of itself is refused. Patterns
//! run in an engine whose time is linear, so those with look-around or back-references are refused too. Formats
//! (`date`, `email`) are notes to the reader and not checked, as the drafts since 2019-09 have it.

mod bound;
mod found;

pub use found::{of_question, of_request};

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// The most bytes of memory for one compiled pattern.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// The longest reason, in characters.
const WHY_MAX: usize = 160;

/// A JSON schema, ready to check answers. The draft is the one that it names, else 2020-12. Cheap to clone.
#[derive(Clone)]
pub struct Schema(Arc<Validator>);

/// Why something cannot be used as a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotASchema {
    /// It breaks its draft, refers to something outside, or has a pattern that is not understood.
    Wrong {
        /// What is wrong.
        why: String,
    },
    /// With its references followed it has more parts than are checked.
    TooBig,
    /// It is nested, or its references are chained, deeper than is checked.
    TooDeep,
    /// It refers to itself for the same value, so that checking would never end.
    Endless,
}

impl fmt::Display for NotASchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong { why } => write!(f, "the JSON schema cannot be used: {why}"),
            Self::TooBig => write!(
                f,
                "the JSON schema has more than {} parts when its references are followed\nhint: refer to a part from fewer places",
                bound::PARTS_MAX
            ),
            Self::TooDeep => {
                write!(f, "the JSON schema is nested deeper than {} levels", bound::DEPTH_MAX)
            }
            Self::Endless => f.write_str("the JSON schema refers to itself for the same value without end"),
        }
    }
}

impl std::error::Error for NotASchema {}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Schema")
    }
}

impl Schema {
    /// Reads a schema. What is hostile is refused before it is compiled: see [`NotASchema`].
    pub fn parse(schema: &Value) -> Result<Self, NotASchema> {
        bound::check(schema)?;
        let patterns =
            PatternOptions::regex().size_limit(PATTERN_BYTES_MAX).dfa_size_limit(PATTERN_BYTES_MAX);
        let built = jsonschema::options()
            .offline()
            .with_pattern_options(patterns)
            .should_validate_formats(false)
            .build(schema);
        let wrong = |why: String| NotASchema::Wrong { why: short(&why) };
        built.map(|validator| Self(Arc::new(validator))).map_err(|error| wrong(error.to_string()))
    }

    /// Whether a text is JSON, with nothing around it, that follows the schema. The reason names the part of the
    /// schema that is broken and never quotes the text.
    pub fn holds(&self, text: &str) -> Result<(), String> {
        let Ok(value) = serde_json::from_str::<Value>(text) else { return Err("no JSON".into()) };
        self.0.validate(&value).map_err(|error| short(&format!("breaks `{}`", error.schema_path())))
    }
}

fn short(text: &str) -> String {
    if text.chars().count() <= WHY_MAX {
        return text.to_owned();
    }
    text.chars().take(WHY_MAX).chain(['…']).collect()
}
