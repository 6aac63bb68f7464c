//! How an answer carries its label, so that a labeller can answer alike.

use super::exchange::{Answer, Call};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The shape of a task's answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Shape {
    /// The label and nothing else.
    Word,
    /// A JSON object with the label as its only field.
    Field {
        /// The field.
        key: String,
        /// What stands before the label, as the model writes it.
        before: String,
        /// What stands after it.
        after: String,
    },
    /// A call of a tool with the label as its only argument.
    Tool {
        /// The tool.
        name: String,
        /// The argument.
        argument: String,
        /// What stands before the label in the arguments.
        before: String,
        /// What stands after it.
        after: String,
    },
}

/// Labels are short.
const LABEL_BYTES_MAX: usize = 64;

/// An answer taken apart.
pub(super) struct Said {
    pub(super) shape: Shape,
    /// The label as it stands in the answer.
    pub(super) written: String,
    /// The label by which answers are compared.
    pub(super) name: String,
}

/// What an answer is that carries no label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Not {
    /// An object or a call with more than one field, or with fields inside.
    Fields,
    /// A text.
    Text,
}

impl Shape {
    /// The answer that carries a label, written as the model writes it.
    pub fn write(&self, written: &str) -> Answer {
        match self {
            Self::Word => Answer { text: written.to_owned(), calls: Vec::new() },
            Self::Field { before, after, .. } => {
                Answer { text: format!("{before}{written}{after}"), calls: Vec::new() }
            }
            Self::Tool { name, before, after, .. } => Answer {
                text: String::new(),
                calls: vec![Call { name: name.clone(), arguments: format!("{before}{written}{after}") }],
            },
        }
    }

    /// The kind with its names, without how it is spaced.
    pub(super) fn kind(&self) -> (&str, &str) {
        match self {
            Self::Word => ("", ""),
            Self::Field { key, .. } => ("", key),
            Self::Tool { name, argument, .. } => (name, argument),
        }
    }
}

/// Takes an answer apart.
pub(super) fn read(answer: &Answer) -> Result<Said, Not> {
    match answer.calls.as_slice() {
        [] => {}
        [call] => {
            let field = field(&call.arguments)?;
            let Field { key, before, written, after, name } = field;
            let shape = Shape::Tool { name: call.name.clone(), argument: key, before, after };
            return Ok(Said { shape, written, name });
        }
        _ => return Err(Not::Fields),
    }
    let text = answer.text.trim();
    if text.starts_with('{') && serde_json::from_str::<Value>(text).is_ok() {
        let Field { key, before, written, after, name } = field(&answer.text)?;
        return Ok(Said { shape: Shape::Field { key, before, after }, written, name });
    }
    let name = bare(text);
    if name.is_empty() || name.len() > LABEL_BYTES_MAX || text.contains('\n') {
        return Err(Not::Text);
    }
    Ok(Said { shape: Shape::Word, written: answer.text.clone(), name })
}

struct Field {
    key: String,
    before: String,
    written: String,
    after: String,
    name: String,
}

/// The only field of an object.
fn field(text: &str) -> Result<Field, Not> {
    let Ok(Value::Object(object)) = serde_json::from_str(text) else { return Err(Not::Text) };
    let mut members = object.into_iter();
    let (Some((key, value)), None) = (members.next(), members.next()) else { return Err(Not::Fields) };
    if value.is_array() || value.is_object() || value.is_null() {
        return Err(Not::Fields);
    }
    let name = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let name = bare(&name);
    // The value is the last thing of the object, so its last place is its own. One that is escaped in another way
    // than ours is not found, and one that has two spellings is two.
    let written = value.to_string();
    let place = text.rfind(&written).ok_or(Not::Text)?;
    if name.is_empty() || name.len() > LABEL_BYTES_MAX {
        return Err(Not::Text);
    }
    let (before, rest) = text.split_at(place);
    let after = &rest[written.len()..];
    Ok(Field { key, before: before.to_owned(), after: after.to_owned(), written, name })
}

/// A label without quotes, emphasis or a full stop around it, in lower case.
pub(super) fn bare(text: &str) -> String {
    let text = text.trim().trim_matches(['"', '\'', '`', '*']);
    let text = text.strip_suffix('.').unwrap_or(text);
    text.trim_matches(['"', '\'', '`', '*']).trim().to_lowercase()
}
