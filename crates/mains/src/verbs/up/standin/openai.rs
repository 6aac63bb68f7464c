//! The stand-in in OpenAI's dialects.

use super::Said;
use super::script::{Asked, Content, Tool, all_text, content, tokens};
use serde_json::{Value, json};
use std::fmt::Write as _;

const CREATED: u64 = 1_795_550_000;

/// What a host says of a model that has ended. OpenAI: github.com/openai/openai-quickstart-node/issues/127; Groq:
/// github.com/crewAIInc/crewAI/issues/1976 (both read 2026-11-24); Google: github.com/google/adk-python/issues/200 (read
/// 2026-11-28), in the list that its interface for OpenAI's dialect puts errors into. Other hosts are given OpenAI's
/// words, whose error object they share.
pub(super) fn gone(provider: &str, model: &str) -> Said {
    if provider == "google" {
        let message = format!(
            "models/{model} is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods."
        );
        return Said::json(
            404,
            &json!([{"error": {"code": 404, "message": message, "status": "NOT_FOUND"}}]),
        );
    }
    let (status, code, message) = match provider {
        "groq" => (
            400,
            "model_decommissioned",
            format!(
                "The model `{model}` has been decommissioned and is no longer supported. Please refer to https://console.groq.com/docs/deprecations for a recommendation on which model to use instead."
            ),
        ),
        _ => (
            404,
            "model_not_found",
            format!(
                "The model `{model}` has been deprecated, learn more here: https://platform.openai.com/docs/deprecations"
            ),
        ),
    };
    Said::json(
        status,
        &json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": code}}),
    )
}

/// The list of models.
pub(super) fn models(provider: &str, ids: &[&str]) -> Said {
    let one = |id: &&str| json!({"id": id, "object": "model", "created": CREATED, "owned_by": provider});
    Said::json(200, &json!({"object": "list", "data": ids.iter().map(one).collect::<Vec<_>>()}))
}

pub(super) fn no_such_path(path: &str) -> Said {
    let message = format!("Invalid URL ({path})");
    Said::json(
        404,
        &json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": null}}),
    )
}

fn asked<'a>(provider: &'a str, question: &Value) -> Asked<'a> {
    let messages = question["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let last = messages.last().unwrap_or(&Value::Null);
    let choice = &question["tool_choice"];
    let tools = question["tools"].as_array().map(Vec::as_slice).unwrap_or_default();
    let wanted = choice["function"]["name"].as_str();
    Asked {
        provider,
        last_words: all_text(&last["content"]),
        tools: tools
            .iter()
            .filter_map(|tool| {
                let name = tool["function"]["name"].as_str()?;
                let schema = tool["function"]["parameters"].clone();
                wanted.is_none_or(|wanted| wanted == name).then(|| Tool { name: name.into(), schema })
            })
            .collect(),
        must_call: choice == "required" || wanted.is_some(),
        answered_tool: last["role"] == "tool",
        schema: question["response_format"]["json_schema"].get("schema").cloned(),
        tokens_max: question["max_completion_tokens"].as_u64().or_else(|| question["max_tokens"].as_u64()),
    }
}

/// `POST /v1/chat/completions`.
pub(super) fn chat(provider: &str, question: &Value) -> Said {
    let content = content(&asked(provider, question));
    let input = tokens(&all_text(&question["messages"]));
    let (message, finish, output) = match &content {
        Content::Text { text, cut } => {
            let finish = if *cut { "length" } else { "stop" };
            (json!({"role": "assistant", "content": text, "refusal": null}), finish, tokens(text))
        }
        Content::Call { name, arguments } => {
            let call = json!({"id": "call_standin", "type": "function", "function": {"name": name, "arguments": arguments}});
            let message =
                json!({"role": "assistant", "content": null, "refusal": null, "tool_calls": [call]});
            (message, "tool_calls", tokens(arguments))
        }
    };
    let usage = json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output});
    if question["stream"] == true {
        return Said::stream(chat_stream(question, &content, finish, &usage));
    }
    Said::json(
        200,
        &json!({
            "id": "chatcmpl-standin", "object": "chat.completion", "created": CREATED, "model": question["model"],
            "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": finish}],
            "usage": usage,
        }),
    )
}

fn chat_stream(question: &Value, content: &Content, finish: &str, usage: &Value) -> String {
    let mut out = String::new();
    let mut chunk = |choices: Value, usage: Option<&Value>| {
        let mut chunk = json!({"id": "chatcmpl-standin", "object": "chat.completion.chunk", "created": CREATED, "model": question["model"], "choices": choices});
        if let Some(usage) = usage {
            chunk["usage"] = usage.clone();
        }
        let _ = write!(out, "data: {chunk}\n\n");
    };
    let choice = |delta: Value, finish: Value| json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]);
    chunk(choice(json!({"role": "assistant", "content": ""}), Value::Null), None);
    match content {
        Content::Text { text, .. } => {
            for word in text.split_inclusive(' ') {
                chunk(choice(json!({"content": word}), Value::Null), None);
            }
        }
        Content::Call { name, arguments } => {
            let first = json!({"index": 0, "id": "call_standin", "type": "function", "function": {"name": name, "arguments": ""}});
            chunk(choice(json!({"tool_calls": [first]}), Value::Null), None);
            let rest = json!({"index": 0, "function": {"arguments": arguments}});
            chunk(choice(json!({"tool_calls": [rest]}), Value::Null), None);
        }
    }
    chunk(choice(json!({}), json!(finish)), None);
    if question["stream_options"]["include_usage"] == true {
        chunk(json!([]), Some(usage));
    }
    out + "data: [DONE]\n\n"
}

/// `POST /v1/responses`, text only.
pub(super) fn responses(provider: &str, question: &Value) -> Said {
    let words = all_text(&question["input"]);
    let plain = Asked {
        provider,
        last_words: words.clone(),
        tools: Vec::new(),
        must_call: false,
        answered_tool: false,
        schema: None,
        tokens_max: question["max_output_tokens"].as_u64(),
    };
    let Content::Text { text, .. } = content(&plain) else { return no_such_path("/responses") };
    let (input, output) = (tokens(&words), tokens(&text));
    let part = json!({"type": "output_text", "text": text, "annotations": []});
    let item = |status: &str, content: Value| json!({"id": "msg_standin", "type": "message", "status": status, "role": "assistant", "content": content});
    let response = |status: &str, output_items: Value, usage: Value| {
        json!({"id": "resp_standin", "object": "response", "created_at": CREATED, "status": status, "model": question["model"],
            "output": output_items, "usage": usage, "error": null, "incomplete_details": null, "instructions": null, "metadata": {},
            "parallel_tool_calls": true, "tool_choice": "auto", "tools": [], "temperature": 1.0, "top_p": 1.0})
    };
    let usage = json!({"input_tokens": input, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": input + output});
    let done = response("completed", json!([item("completed", json!([part]))]), usage);
    if question["stream"] != true {
        return Said::json(200, &done);
    }
    let begun = response("in_progress", json!([]), Value::Null);
    let empty = json!({"type": "output_text", "text": "", "annotations": []});
    let events = [
        json!({"type": "response.created", "response": begun}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": item("in_progress", json!([]))}),
        json!({"type": "response.content_part.added", "item_id": "msg_standin", "output_index": 0, "content_index": 0, "part": empty}),
        json!({"type": "response.output_text.delta", "item_id": "msg_standin", "output_index": 0, "content_index": 0, "delta": text, "logprobs": []}),
        json!({"type": "response.output_text.done", "item_id": "msg_standin", "output_index": 0, "content_index": 0, "text": text, "logprobs": []}),
        json!({"type": "response.content_part.done", "item_id": "msg_standin", "output_index": 0, "content_index": 0, "part": part}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": item("completed", json!([part]))}),
        json!({"type": "response.completed", "response": done}),
    ];
    let mut out = String::new();
    for (number, mut event) in events.into_iter().enumerate() {
        event["sequence_number"] = json!(number);
        let name = event["type"].as_str().unwrap_or_default().to_owned();
        let _ = write!(out, "event: {name}\ndata: {event}\n\n");
    }
    Said::stream(out)
}

/// `POST /v1/embeddings`: eight numbers that follow from the letters, the same for the same text.
pub(super) fn embeddings(question: &Value) -> Said {
    let inputs = match &question["input"] {
        Value::Array(items) => items.clone(),
        one => vec![one.clone()],
    };
    let input = inputs.iter().map(|text| tokens(&all_text(text))).sum::<u64>();
    let base64 = question["encoding_format"] == "base64";
    let data: Vec<Value> = inputs
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let vector = vector(&all_text(text));
            let embedding = if base64 { json!(encoded(&vector)) } else { json!(vector) };
            json!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    Said::json(
        200,
        &json!({"object": "list", "data": data, "model": question["model"], "usage": {"prompt_tokens": input, "total_tokens": input}}),
    )
}

fn vector(text: &str) -> Vec<f32> {
    let mut sums = [1.0_f32; 8];
    for (place, byte) in text.bytes().enumerate() {
        sums[place % 8] += f32::from(byte) / 128.0;
    }
    let length = sums.iter().map(|x| x * x).sum::<f32>().sqrt();
    sums.iter().map(|x| x / length).collect()
}

fn encoded(vector: &[f32]) -> String {
    use base64::Engine as _;
    let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
