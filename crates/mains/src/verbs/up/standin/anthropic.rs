//! The stand-in in Anthropic's dialect.

use super::Said;
use super::script::{Asked, Content, Tool, all_text, content, tokens};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// What Anthropic says of a model that is not there.
pub(super) fn gone(model: &str) -> Said {
    let error = json!({"type": "not_found_error", "message": format!("model: {model}")});
    Said::json(404, &json!({"type": "error", "error": error, "request_id": "req_standin"}))
}

pub(super) fn no_such_path(path: &str) -> Said {
    let error = json!({"type": "not_found_error", "message": format!("{path} is not a path of this API")});
    Said::json(404, &json!({"type": "error", "error": error, "request_id": "req_standin"}))
}

/// The list of models, on one page.
pub(super) fn models(ids: &[&str]) -> Said {
    let one = |id: &&str| json!({"type": "model", "id": id, "display_name": id, "created_at": "2026-01-01T00:00:00Z"});
    let data: Vec<Value> = ids.iter().map(one).collect();
    Said::json(200, &json!({"data": data, "has_more": false, "first_id": ids.first(), "last_id": ids.last()}))
}

fn asked<'a>(provider: &'a str, question: &Value) -> Asked<'a> {
    let messages = question["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let last = messages.last().unwrap_or(&Value::Null);
    let tools = question["tools"].as_array().map(Vec::as_slice).unwrap_or_default();
    let choice = &question["tool_choice"];
    let wanted = choice["name"].as_str();
    let blocks = last["content"].as_array().map(Vec::as_slice).unwrap_or_default();
    Asked {
        provider,
        last_words: all_text(&last["content"]),
        tools: tools
            .iter()
            .filter_map(|tool| {
                let name = tool["name"].as_str()?;
                let schema = tool["input_schema"].clone();
                wanted.is_none_or(|wanted| wanted == name).then(|| Tool { name: name.into(), schema })
            })
            .collect(),
        must_call: matches!(choice["type"].as_str(), Some("any" | "tool")),
        answered_tool: blocks.iter().any(|block| block["type"] == "tool_result"),
        schema: question["output_config"]["format"].get("schema").cloned(),
        tokens_max: question["max_tokens"].as_u64(),
    }
}

/// `POST /v1/messages`.
pub(super) fn messages(provider: &str, question: &Value) -> Said {
    let content = content(&asked(provider, question));
    let input = tokens(&all_text(&question["system"])) + tokens(&all_text(&question["messages"]));
    let (block, stop, output) = match &content {
        Content::Text { text, cut } => {
            let stop = if *cut { "max_tokens" } else { "end_turn" };
            (json!({"type": "text", "text": text}), stop, tokens(text))
        }
        Content::Call { name, arguments } => {
            let input: Value = serde_json::from_str(arguments).unwrap_or_default();
            (
                json!({"type": "tool_use", "id": "toolu_standin", "name": name, "input": input}),
                "tool_use",
                tokens(arguments),
            )
        }
    };
    let usage = json!({"input_tokens": input, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": output});
    let message = |blocks: Value, stop: Value, usage: &Value| {
        json!({"id": "msg_standin", "type": "message", "role": "assistant", "model": question["model"],
            "content": blocks, "stop_reason": stop, "stop_sequence": null, "usage": usage})
    };
    if question["stream"] != true {
        return Said::json(200, &message(json!([block]), json!(stop), &usage));
    }
    let mut out = String::new();
    let mut event = |name: &str, data: Value| {
        let _ = write!(out, "event: {name}\ndata: {data}\n\n");
    };
    let start = json!({"input_tokens": input, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 1});
    event(
        "message_start",
        json!({"type": "message_start", "message": message(json!([]), Value::Null, &start)}),
    );
    let delta = |delta: Value| json!({"type": "content_block_delta", "index": 0, "delta": delta});
    match &content {
        Content::Text { text, .. } => {
            event(
                "content_block_start",
                json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            );
            event("ping", json!({"type": "ping"}));
            for word in text.split_inclusive(' ') {
                event("content_block_delta", delta(json!({"type": "text_delta", "text": word})));
            }
        }
        Content::Call { name, arguments } => {
            let empty = json!({"type": "tool_use", "id": "toolu_standin", "name": name, "input": {}});
            event(
                "content_block_start",
                json!({"type": "content_block_start", "index": 0, "content_block": empty}),
            );
            event(
                "content_block_delta",
                delta(json!({"type": "input_json_delta", "partial_json": arguments})),
            );
        }
    }
    event("content_block_stop", json!({"type": "content_block_stop", "index": 0}));
    event(
        "message_delta",
        json!({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": null}, "usage": {"output_tokens": output}}),
    );
    event("message_stop", json!({"type": "message_stop"}));
    Said::stream(out)
}
