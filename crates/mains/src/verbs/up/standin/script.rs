//! What a stand-in says: text that says what it is, a call of a tool, or an object that a schema asks for.

use serde_json::{Map, Value, json};

/// Letters that are counted as one token. Rough, and said to be so.
const LETTERS_PER_TOKEN: usize = 4;

/// What is answered.
pub(super) enum Content {
    /// Words.
    Text {
        /// The words.
        text: String,
        /// Whether they were cut at the caller's limit.
        cut: bool,
    },
    /// A call of one tool.
    Call {
        /// Its name.
        name: String,
        /// Its arguments, as JSON text.
        arguments: String,
    },
}

/// A tool as the script sees it.
pub(super) struct Tool {
    pub(super) name: String,
    pub(super) schema: Value,
}

/// What a question comes down to.
pub(super) struct Asked<'a> {
    pub(super) provider: &'a str,
    pub(super) last_words: String,
    pub(super) tools: Vec<Tool>,
    pub(super) must_call: bool,
    pub(super) answered_tool: bool,
    pub(super) schema: Option<Value>,
    pub(super) tokens_max: Option<u64>,
}

/// The answer to a question.
pub(super) fn content(asked: &Asked<'_>) -> Content {
    let words = asked.last_words.to_lowercase();
    let called = asked.tools.iter().find(|tool| asked.must_call || words.contains(&tool.name.to_lowercase()));
    if let Some(tool) = called.filter(|_| !asked.answered_tool) {
        return Content::Call { name: tool.name.clone(), arguments: fitting(&tool.schema, 0).to_string() };
    }
    if let Some(schema) = &asked.schema {
        return Content::Text { text: fitting(schema, 0).to_string(), cut: false };
    }
    let said: Vec<&str> = asked.last_words.split_whitespace().take(8).collect();
    let text = format!(
        "This is a scripted stand-in for {}: no key was found, so no model has answered. You said: \u{201c}{}\u{201d}.",
        asked.provider,
        said.join(" ")
    );
    let most = asked.tokens_max.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
    let letters = most.saturating_mul(LETTERS_PER_TOKEN);
    let cut = text.chars().count() > letters;
    Content::Text { text: text.chars().take(letters).collect(), cut }
}

/// Tokens of a text, four letters each.
pub(super) fn tokens(text: &str) -> u64 {
    text.chars().count().div_ceil(LETTERS_PER_TOKEN) as u64
}

/// Every text in a list of messages, for counting.
pub(super) fn all_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(all_text).collect(),
        Value::Object(fields) => {
            ["content", "text", "input"].iter().filter_map(|name| fields.get(*name)).map(all_text).collect()
        }
        _ => String::new(),
    }
}

/// The simplest value that a schema allows, as far as it is understood here.
fn fitting(schema: &Value, depth: usize) -> Value {
    if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
        return first.clone();
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str()).unwrap_or("object");
    match kind {
        "string" => json!("example"),
        "integer" => json!(1),
        "number" => json!(0.5),
        "boolean" => json!(true),
        "array" => json!([]),
        "null" => Value::Null,
        _ if depth > 16 => json!({}),
        _ => {
            let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
            let fields = required.iter().filter_map(|name| {
                let name = name.as_str()?;
                Some((name.to_owned(), fitting(&schema["properties"][name], depth + 1)))
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
    }
}
