//! The plain part of the dialect: a conversation of texts, functions and a form of the answer, and an answer of one
//! text or some calls. Whoever stands in for a provider on such requests reads and writes them here; everything else of
//! the dialect passes through only, and is refused by name.
//!
//! Fields and events as of 2026-11: <https://platform.openai.com/docs/api-reference/responses>.

use crate::Dialect;
use crate::json::ReadError;
use crate::neutral::{
    Answer, AnswerFormat, Block, CallKind, Choice, Content, Effort, Extra, Json, Message, Question, Role,
    StopReason, Tool, ToolCall, ToolChoice, ToolKind,
};
use crate::sse;
use mains_units::Usage;
use serde_json::{Map, Value, json};

const HERE: Dialect = Dialect::OpenaiResponses;

/// Reads a request that is plain; anything that is not is an error that names it.
pub fn read_plain_question(bytes: &[u8]) -> Result<Question, ReadError> {
    let body = object(serde_json::from_slice(bytes).map_err(|error| ReadError::new(error.to_string()))?)?;
    let mut question = Question::default();
    for (key, value) in body {
        if !value.is_null() {
            member(&mut question, &key, value).map_err(|error| error.within(&key))?;
        }
    }
    Ok(question)
}

fn member(question: &mut Question, key: &str, value: Value) -> Result<(), ReadError> {
    match key {
        "model" => question.model = text(value)?,
        "instructions" => question.instructions = vec![Message::text(Role::System, text(value)?)],
        "input" => question.messages = input(value)?,
        "tools" => question.tools = each(value, tool)?,
        "tool_choice" => question.tool_choice = Some(tool_choice(&value)?),
        "parallel_tool_calls" => question.parallel_tools = value.as_bool(),
        "text" => {
            let mut text = object(value)?;
            question.format = text.remove("format").map(|value| format(&value)).transpose()?;
            if let Some((key, _)) = text.iter().find(|(_, value)| !value.is_null()) {
                question.extras.push(Extra { dialect: HERE, path: format!("text.{key}"), value: None });
            }
        }
        "reasoning" => {
            let mut reasoning = object(value)?;
            let effort = reasoning.remove("effort").and_then(|word| Effort::from_word(word.as_str()?));
            question.effort = effort;
            if let Some((key, _)) = reasoning.iter().find(|(_, value)| !value.is_null()) {
                question.extras.push(Extra { dialect: HERE, path: format!("reasoning.{key}"), value: None });
            }
        }
        "temperature" => question.sampling.temperature = value.as_f64(),
        "top_p" => question.sampling.top_p = value.as_f64(),
        "top_logprobs" => {
            question.sampling.top_logprobs = value.as_u64().and_then(|count| u32::try_from(count).ok());
            question.sampling.logprobs = question.sampling.top_logprobs.map(|count| count > 0);
        }
        "max_output_tokens" => question.max_output_tokens = value.as_u64(),
        "user" => question.user = Some(text(value)?),
        "stream" => question.stream = value == Value::Bool(true),
        _ => {
            let value = Json::parse(&value.to_string());
            question.extras.push(Extra { dialect: HERE, path: key.to_owned(), value });
        }
    }
    Ok(())
}

fn object(value: Value) -> Result<Map<String, Value>, ReadError> {
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(ReadError::new("expected an object")),
    }
}

fn text(value: Value) -> Result<String, ReadError> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(ReadError::new("expected a text")),
    }
}

fn each<T>(value: Value, read: impl Fn(Value) -> Result<T, ReadError>) -> Result<Vec<T>, ReadError> {
    let Value::Array(items) = value else { return Err(ReadError::new("expected a list")) };
    let read = |(place, item)| read(item).map_err(|error| error.within_index(place));
    items.into_iter().enumerate().map(read).collect()
}

fn input(value: Value) -> Result<Vec<Message>, ReadError> {
    match value {
        Value::String(text) => Ok(vec![Message::text(Role::User, text)]),
        items => each(items, message),
    }
}

fn message(value: Value) -> Result<Message, ReadError> {
    let mut item = object(value)?;
    if item.get("type").is_some_and(|kind| kind != "message") {
        return Err(not_plain(item.get("type")));
    }
    let role = match item.get("role").and_then(Value::as_str) {
        Some("system") => Role::System,
        Some("developer") => Role::Developer,
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        _ => return Err(not_plain(item.get("role")).within("role")),
    };
    let blocks = match item.remove("content").unwrap_or_default() {
        Value::String(text) => vec![Block::text(text)],
        parts => each(parts, |part| {
            let mut part = object(part)?;
            match part.get("type").and_then(Value::as_str) {
                Some("input_text" | "output_text") => {
                    Ok(Block::text(text(part.remove("text").unwrap_or_default())?))
                }
                _ => Err(not_plain(part.get("type"))),
            }
        })?,
    };
    Ok(Message { role, name: None, blocks })
}

fn not_plain(found: Option<&Value>) -> ReadError {
    let found = found.map_or_else(|| "nothing".to_owned(), ToString::to_string);
    ReadError::new(format!("{} is no plain text", crate::json::shortened(&found)))
}

fn tool(value: Value) -> Result<Tool, ReadError> {
    let mut tool = object(value)?;
    if tool.get("type").is_none_or(|kind| kind != "function") {
        return Err(not_plain(tool.get("type")).within("type"));
    }
    let schema = tool.get("parameters").filter(|schema| !schema.is_null());
    let schema = schema.and_then(|schema| Json::parse(&schema.to_string()));
    let strict = tool.get("strict").and_then(Value::as_bool);
    Ok(Tool {
        name: text(tool.remove("name").unwrap_or_default())?,
        description: tool.remove("description").and_then(|text| text.as_str().map(str::to_owned)),
        kind: ToolKind::Function { schema, strict },
        cache: None,
    })
}

fn tool_choice(value: &Value) -> Result<ToolChoice, ReadError> {
    let name = |value: &Value| value["name"].as_str().map(str::to_owned);
    let choice = match value.as_str() {
        Some("auto") => Some(ToolChoice::Auto),
        Some("none") => Some(ToolChoice::None),
        Some("required") => Some(ToolChoice::Required),
        None if value["type"] == "function" => {
            name(value).map(|name| ToolChoice::Named { name, kind: CallKind::Function })
        }
        None if value["type"] == "allowed_tools" => Some(ToolChoice::Allowed {
            required: value["mode"] == "required",
            names: value["tools"].as_array().into_iter().flatten().filter_map(name).collect(),
        }),
        _ => None,
    };
    choice.ok_or_else(|| not_plain(Some(value)))
}

fn format(value: &Value) -> Result<AnswerFormat, ReadError> {
    let word = |key: &str| value[key].as_str().map(str::to_owned);
    match value["type"].as_str() {
        Some("text") => Ok(AnswerFormat::Text),
        Some("json_object") => Ok(AnswerFormat::JsonObject),
        Some("json_schema") => Ok(AnswerFormat::JsonSchema {
            name: word("name"),
            description: word("description"),
            schema: Json::parse(&value["schema"].to_string())
                .filter(Json::is_object)
                .ok_or_else(|| ReadError::new("expected an object").within("schema"))?,
            strict: value["strict"].as_bool(),
        }),
        _ => Err(not_plain(value.get("type"))),
    }
}

/// Reads an answer of texts and calls of functions; `stream`: from the events of a stream that came to its end.
pub fn read_plain_answer(bytes: &[u8], stream: bool) -> Result<Answer, ReadError> {
    let mut response = if stream { completed(bytes)? } else { parsed(bytes)? };
    let stop = match response["status"].as_str() {
        None | Some("completed") => None,
        Some("incomplete") if response["incomplete_details"]["reason"] == "max_output_tokens" => {
            Some(StopReason::MaxTokens)
        }
        Some(other) => Some(StopReason::Other(other.to_owned())),
    };
    let blocks =
        each(response["output"].take(), |value| item(&value)).map_err(|error| error.within("output"))?;
    let blocks: Vec<Block> = blocks.into_iter().flatten().collect();
    let calls = blocks.iter().any(|block| matches!(block.content, Content::ToolCall(_)));
    let done = if calls { StopReason::ToolUse } else { StopReason::EndTurn };
    Ok(Answer {
        id: response["id"].as_str().unwrap_or_default().to_owned(),
        model: response["model"].as_str().unwrap_or_default().to_owned(),
        created: created(&response["created_at"]),
        choices: vec![Choice { index: 0, blocks, stop: stop.or(Some(done)), logprobs: None }],
        usage: usage(&response["usage"]),
    })
}

/// Seconds since 1970, which some write with a fraction.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked before")]
fn created(value: &Value) -> Option<u64> {
    value.as_f64().filter(|seconds| (0.0..9e15).contains(seconds)).map(|seconds| seconds as u64)
}

fn parsed(bytes: &[u8]) -> Result<Value, ReadError> {
    serde_json::from_slice(bytes).map_err(|error| ReadError::new(error.to_string()))
}

/// The response that the last event of a stream holds.
fn completed(bytes: &[u8]) -> Result<Value, ReadError> {
    let mut frames = sse::Decoder::new();
    frames.push(bytes);
    let broken = |error: sse::SseError| ReadError::new(error.to_string());
    while let Some(frame) = frames.next_frame().map_err(broken)? {
        let Some(data) = frame.data.as_ref().filter(|_| !frame.is_done()) else { continue };
        let mut event = parsed(data)?;
        if matches!(event["type"].as_str(), Some("response.completed" | "response.incomplete")) {
            return Ok(event["response"].take());
        }
    }
    Err(ReadError::new("the stream is not whole"))
}

fn item(value: &Value) -> Result<Vec<Block>, ReadError> {
    let word = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    match value["type"].as_str() {
        Some("message") => each(value["content"].clone(), |part| {
            let said = |key: &str| part[key].as_str().unwrap_or_default().to_owned();
            match part["type"].as_str() {
                Some("output_text") if part["annotations"].as_array().is_none_or(Vec::is_empty) => {
                    Ok(Block::text(said("text")))
                }
                Some("refusal") => Ok(Block::new(Content::Refusal { text: said("refusal") })),
                _ => Err(not_plain(part.get("type"))),
            }
        }),
        Some("function_call") => Ok(vec![Block::new(Content::ToolCall(ToolCall {
            id: word("call_id"),
            name: word("name"),
            arguments: word("arguments"),
            kind: CallKind::Function,
        }))]),
        Some("reasoning") => {
            Ok(vec![Block::new(Content::Reasoning { text: String::new(), signature: None })])
        }
        _ => Err(not_plain(value.get("type"))),
    }
}

fn usage(value: &Value) -> Option<Usage> {
    let input = value["input_tokens"].as_u64()?;
    let cached = value["input_tokens_details"]["cached_tokens"].as_u64().unwrap_or(0);
    Some(Usage {
        input: input.saturating_sub(cached),
        cached_read: cached,
        output: value["output_tokens"].as_u64()?,
        reasoning: value["output_tokens_details"]["reasoning_tokens"].as_u64().unwrap_or(0),
        ..Usage::default()
    })
}

/// Writes the reply to the request in `asked` whose first answer is a text or calls of functions, whole or as the
/// events of a stream. What a reply repeats of its request is taken from there; nothing of it is stored, and it says so.
pub fn write_plain_answer(asked: &[u8], answer: &Answer, stream: bool) -> Result<Vec<u8>, ReadError> {
    let asked = parsed(asked)?;
    let output: Vec<Value> = answer
        .choices
        .iter()
        .take(1)
        .flat_map(|choice| &choice.blocks)
        .enumerate()
        .filter_map(|(place, block)| said(answer, place, &block.content))
        .collect();
    let response = |status: &str, output: &[Value], usage: Option<&Usage>| {
        let mut response = echo(&asked);
        response["id"] = answer.id.as_str().into();
        response["model"] = answer.model.as_str().into();
        response["created_at"] = answer.created.unwrap_or(0).into();
        response["status"] = status.into();
        response["output"] = output.into();
        response["usage"] = usage.map_or(Value::Null, write_usage);
        response
    };
    let whole = response("completed", &output, answer.usage.as_ref());
    if !stream {
        return Ok(whole.to_string().into_bytes());
    }
    let mut events = Events::default();
    for name in ["response.created", "response.in_progress"] {
        events.push(name, json!({"response": response("in_progress", &[], None)}));
    }
    for (place, item) in output.iter().enumerate() {
        events.item(place, item);
    }
    events.push("response.completed", json!({"response": whole}));
    Ok(events.out)
}

fn said(answer: &Answer, place: usize, content: &Content) -> Option<Value> {
    // Names of items need only differ within one account; the reply's own name makes them so.
    let name = answer.id.strip_prefix("resp_").unwrap_or(&answer.id);
    match content {
        Content::Text { text, .. } => Some(json!({
            "type": "message", "id": format!("msg_{name}{place}"), "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}],
        })),
        Content::ToolCall(call) => Some(json!({
            "type": "function_call", "id": format!("fc_{name}{place}"), "call_id": call.id, "name": call.name,
            "arguments": call.arguments, "status": "completed",
        })),
        _ => None,
    }
}

fn write_usage(usage: &Usage) -> Value {
    json!({
        "input_tokens": usage.input_total(),
        "input_tokens_details": {"cached_tokens": usage.cached_read},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.total(),
    })
}

/// What a reply repeats of its request, with the defaults of the reference.
fn echo(asked: &Value) -> Value {
    let given = |key: &str, otherwise: Value| match &asked[key] {
        Value::Null => otherwise,
        given => given.clone(),
    };
    json!({
        "object": "response", "background": false, "error": null, "incomplete_details": null,
        "instructions": asked["instructions"], "max_output_tokens": asked["max_output_tokens"],
        "max_tool_calls": asked["max_tool_calls"], "previous_response_id": null, "prompt_cache_key": asked["prompt_cache_key"],
        "safety_identifier": asked["safety_identifier"], "user": asked["user"], "store": false,
        "metadata": given("metadata", json!({})), "parallel_tool_calls": given("parallel_tool_calls", true.into()),
        "reasoning": {"effort": asked["reasoning"]["effort"], "summary": null}, "service_tier": "default",
        "temperature": given("temperature", 1.0.into()), "top_p": given("top_p", 1.0.into()), "top_logprobs": 0,
        "text": given("text", json!({"format": {"type": "text"}, "verbosity": "medium"})),
        "tool_choice": given("tool_choice", "auto".into()), "tools": given("tools", json!([])), "truncation": "disabled",
    })
}

/// The events of a stream, each with its number.
#[derive(Default)]
struct Events {
    out: Vec<u8>,
    sequence: u64,
}

impl Events {
    fn push(&mut self, name: &str, mut event: Value) {
        event["type"] = name.into();
        event["sequence_number"] = self.sequence.into();
        self.sequence += 1;
        sse::write_event(&mut self.out, name, event.to_string().as_bytes());
    }

    fn item(&mut self, place: usize, item: &Value) {
        let id = &item["id"];
        let mut begun = item.clone();
        begun["status"] = "in_progress".into();
        let call = item["type"] == "function_call";
        begun[if call { "arguments" } else { "content" }] = if call { "".into() } else { json!([]) };
        self.push("response.output_item.added", json!({"output_index": place, "item": begun}));
        if call {
            let arguments = &item["arguments"];
            let at = |key: &str| json!({"item_id": id, "output_index": place, key: arguments});
            self.push("response.function_call_arguments.delta", at("delta"));
            let mut done = at("arguments");
            done["name"] = item["name"].clone();
            self.push("response.function_call_arguments.done", done);
        } else {
            let part = &item["content"][0];
            let mut empty = part.clone();
            empty["text"] = "".into();
            let at = |key: &str, value: &Value| json!({"item_id": id, "output_index": place, "content_index": 0, key: value});
            self.push("response.content_part.added", at("part", &empty));
            let text = |key: &str| {
                let mut event = at(key, &part["text"]);
                event["logprobs"] = json!([]);
                event
            };
            self.push("response.output_text.delta", text("delta"));
            self.push("response.output_text.done", text("text"));
            self.push("response.content_part.done", at("part", part));
        }
        self.push("response.output_item.done", json!({"output_index": place, "item": item}));
    }
}
