//! What is asked: one JSON a line, in three forms and two dialects.

use crate::print::{self, Trouble};
use mains_swap::grade::Said;
use mains_swap::sample::Stratum;
use mains_units::Timestamp;
use mains_wire::Dialect;
use mains_wire::neutral::{Content, Question};
use serde_json::Value;
use std::path::Path;

/// One request, with the answer of the old model where it is recorded.
pub(super) struct Item {
    /// `line 3`, or the name of the recorded request.
    pub(super) id: String,
    pub(super) dialect: Dialect,
    pub(super) body: Value,
    pub(super) reference: Option<Said>,
    /// What the user wrote.
    text: String,
    tools: bool,
    pub(super) output_max: Option<u64>,
    /// When it was asked first, where the record tells.
    pub(super) at: Option<Timestamp>,
    /// What the recorded answer took, as far as the record tells.
    pub(super) recorded: Recorded,
}

/// What a recorded answer took; what the record does not tell is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Recorded {
    pub(super) nano_usd: Option<u64>,
    /// To the first token, in milliseconds.
    pub(super) first_ms: Option<u64>,
    /// To the whole answer, in milliseconds.
    pub(super) took_ms: Option<u64>,
    pub(super) input_tokens: Option<u64>,
    pub(super) output_tokens: Option<u64>,
}

impl Item {
    pub(super) fn stratum(&self) -> Stratum {
        Stratum::of(&self.text, self.tools, self.at.unwrap_or(Timestamp(0)))
    }

    /// Tokens in, guessed as one for four characters of the body.
    pub(super) fn input_guess(&self) -> u64 {
        (self.body.to_string().len() as u64).div_ceil(4)
    }
}

/// The items of a file.
pub(super) fn read(path: &Path) -> Result<Vec<Item>, Trouble> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Trouble::new(format!("failed to read `{shown}`: {}", print::lowered(&error))))?;
    let mut items = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let trouble = |why: String| {
            Trouble::new(format!("`{shown}` line {}: {why}", index + 1)).hint(
                "a line is a request body with `messages`, or `{\"request\": …, \"answer\": …}`, or an exported exchange",
            )
        };
        let value: Value = serde_json::from_str(line).map_err(|error| trouble(error.to_string()))?;
        let item = item(&value, index + 1).map_err(trouble)?;
        if items.iter().any(|known: &Item| known.id == item.id) {
            return Err(trouble(format!("the request `{}` stands here twice", item.id)));
        }
        items.push(item);
    }
    if items.is_empty() {
        return Err(Trouble::new(format!("`{shown}` holds no request")));
    }
    Ok(items)
}

fn item(value: &Value, line: usize) -> Result<Item, String> {
    let (id, body, answer) = if value.get("asked").is_some() {
        // An exported exchange: the answer of a failed one is an error, and no reference.
        let id = value["request"].as_str().ok_or("the exchange has no name")?.to_owned();
        let whole = value["status"] == 200;
        (id, &value["asked"], value.get("answer").filter(|_| whole))
    } else if value["request"].is_object() {
        (format!("line {line}"), &value["request"], value.get("answer").filter(|answer| !answer.is_null()))
    } else {
        (format!("line {line}"), value, None)
    };
    let named = value["dialect"].as_str().map(|name| Dialect::parse(name).ok_or(name));
    let dialect = match named {
        Some(found) => found.map_err(|name| format!("no dialect is called `{name}`"))?,
        None => dialect_of(body).ok_or("it has no `messages`")?,
    };
    let bytes = body.to_string();
    let question = dialect.read_question(bytes.as_bytes()).map_err(|error| error.to_string())?;
    let reference = match answer {
        None => None,
        Some(Value::String(text)) => Some(Said::text(text.clone())),
        Some(answer) => Some(said(dialect, answer)?),
    };
    let (tools, output_max) = (!question.tools.is_empty(), question.max_output_tokens);
    Ok(Item {
        id,
        dialect,
        body: body.clone(),
        reference,
        text: text_of(&question),
        tools,
        output_max,
        at: None,
        recorded: Recorded::default(),
    })
}

/// What an answer in a dialect says.
pub(super) fn said(dialect: Dialect, answer: &Value) -> Result<Said, String> {
    let answer = dialect.read_answer(answer.to_string().as_bytes()).map_err(|error| error.to_string())?;
    answer.choices.first().map(Said::of).ok_or_else(|| "the answer is empty".to_owned())
}

/// Anthropic's messages have their instructions beside them, or their tools without a `function` around them.
fn dialect_of(body: &Value) -> Option<Dialect> {
    body["messages"].as_array()?;
    let anthropic = body.get("system").is_some()
        || body.get("stop_sequences").is_some()
        || body["tools"].get(0).is_some_and(|tool| tool.get("input_schema").is_some());
    Some(if anthropic { Dialect::AnthropicMessages } else { Dialect::OpenaiChat })
}

fn text_of(question: &Question) -> String {
    let mut all = String::new();
    for block in question.messages.iter().flat_map(|message| &message.blocks) {
        if let Content::Text { text, .. } = &block.content {
            all.push_str(text);
            all.push('\n');
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn three_forms_and_two_dialects_are_read() {
        let chat = json!({"model": "m", "messages": [{"role": "user", "content": "hello"}]});
        let bare = item(&chat, 4).unwrap();
        assert_eq!((bare.id.as_str(), bare.dialect), ("line 4", Dialect::OpenaiChat));
        assert!(bare.reference.is_none() && bare.text.contains("hello"));
        let pair = item(&json!({"request": chat, "answer": "yes"}), 1).unwrap();
        assert_eq!(pair.reference, Some(Said::text("yes")));
        let messages =
            json!({"model": "m", "max_tokens": 7, "messages": [{"role": "user", "content": "hello"}]});
        let answer = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
            "content": [{"type": "text", "text": "ham"}], "stop_reason": "end_turn",
            "usage": {"input_tokens": 1, "output_tokens": 1}});
        let mut exchange = json!({"v": 1, "request": "req_1", "dialect": "anthropic_messages", "status": 200,
            "asked": messages, "answer": answer});
        let kept = item(&exchange, 1).unwrap();
        assert_eq!((kept.id.as_str(), kept.dialect), ("req_1", Dialect::AnthropicMessages));
        assert_eq!((kept.reference, kept.output_max), (Some(Said::text("ham")), Some(7)));
        exchange["status"] = 500.into();
        assert!(item(&exchange, 1).unwrap().reference.is_none(), "an error is no answer");
        assert!(item(&json!({"model": "m"}), 1).is_err());
    }
}
