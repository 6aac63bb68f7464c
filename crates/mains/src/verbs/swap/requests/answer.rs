//! What was answered: whole, as the events of a stream, or as a message alone.

use mains_swap::grade::Said;
use mains_wire::{Dialect, neutral::Answer};
use serde_json::{Value, json};

/// What an answer in a dialect says.
pub(in crate::verbs::swap) fn said(dialect: Dialect, answer: &Value) -> Result<Said, String> {
    let answer = dialect.read_answer(answer.to_string().as_bytes()).map_err(|error| error.to_string())?;
    first(&answer)
}

/// The same for an answer that came as a stream: its server-sent events as text.
pub(super) fn said_of_stream(dialect: Dialect, events: &str) -> Result<Said, String> {
    first(&dialect.read_streamed_answer(events.as_bytes()).map_err(|error| error.to_string())?)
}

fn first(answer: &Answer) -> Result<Said, String> {
    answer.choices.first().map(Said::of).ok_or_else(|| "the answer is empty".to_owned())
}

/// What an answer says that is a whole answer of either dialect, a message, or text. Content in parts is joined.
pub(super) fn said_loosely(answer: &Value) -> Result<Said, String> {
    match answer {
        Value::String(text) => return Ok(Said::text(text.clone())),
        Value::Array(several) => {
            let [only] = several.as_slice() else { return Err("the answer is a list".into()) };
            return said_loosely(only);
        }
        _ => {}
    }
    if answer.get("choices").is_some() {
        return said(Dialect::OpenaiChat, answer);
    }
    if answer["type"] == "message" {
        return said(Dialect::AnthropicMessages, answer);
    }
    if answer.get("content").is_none() && answer.get("tool_calls").is_none() {
        return Err("the answer is in no form that is known here".into());
    }
    let mut message = answer.clone();
    if let Some(joined) = joined(&answer["content"]) {
        message["content"] = joined.into();
    }
    let whole = json!({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]});
    said(Dialect::OpenaiChat, &whole)
}

/// The text of content in parts; `None` where it is no list of parts.
fn joined(content: &Value) -> Option<String> {
    let parts = content.as_array()?;
    Some(parts.iter().filter_map(|part| part["text"].as_str().or(part.as_str())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAT: &str = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\
        \"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"he\"},\"finish_reason\":null}]}\n\n\
        data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\
        \"choices\":[{\"index\":0,\"delta\":{\"content\":\"llo\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

    #[test]
    fn a_stream_is_read_whole_and_a_broken_one_is_none() {
        assert_eq!(said_of_stream(Dialect::OpenaiChat, CHAT), Ok(Said::text("hello")));
        let cut = &CHAT[..CHAT.len() / 2];
        assert_eq!(
            said_of_stream(Dialect::OpenaiChat, cut),
            Err("the stream is not whole: the stream stopped before its end".into())
        );
        assert!(said_of_stream(Dialect::OpenaiResponses, CHAT).is_err());
        assert!(said_of_stream(Dialect::AnthropicMessages, "").is_err());
    }

    #[test]
    fn an_answer_is_read_in_the_forms_that_exports_use() {
        for answer in [
            json!("ham"),
            json!({"role": "assistant", "content": "ham"}),
            json!({"content": [{"type": "text", "text": "h"}, {"type": "text", "text": "am"}]}),
            json!([{"role": "assistant", "content": "ham"}]),
            json!({"choices": [{"message": {"role": "assistant", "content": "ham"}}]}),
            json!({"id": "msg", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
                "content": [{"type": "text", "text": "ham"}], "usage": {"input_tokens": 1, "output_tokens": 1}}),
        ] {
            assert_eq!(said_loosely(&answer), Ok(Said::text("ham")), "{answer}");
        }
        let call = json!({"role": "assistant", "content": null,
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]});
        assert_eq!(said_loosely(&call).unwrap().calls.len(), 1);
        for wrong in [json!(null), json!(5), json!({}), json!([]), json!([1, 2]), json!({"choices": 3})] {
            assert!(said_loosely(&wrong).is_err(), "{wrong}");
        }
    }
}
