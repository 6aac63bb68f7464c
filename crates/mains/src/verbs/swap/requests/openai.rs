//! OpenAI's files: batch input and output, stored chat completions, chat examples for fine-tuning.
//!
//! Shapes: `BatchRequestInput`, `BatchRequestOutput`, `ChatCompletionList`, `ChatCompletionMessageList` and
//! `FineTuneChatRequestInput` of OpenAI's OpenAPI document 2.3.0 (docs.rs/crate/openai-client-base, read
//! 2026-11-28). The list of stored completions is without what was asked; `GET
//! /v1/chat/completions/{id}/messages` has it, and is expected as `messages` in each object.

use super::item::Item;
use super::records::{Place, Record};
use super::{Made, answer, litellm::one_line, records, value};
use crate::print::Trouble;
use mains_units::Timestamp;
use mains_wire::Dialect;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;

/// The answers of a batch, by `custom_id`.
pub(super) struct Answers(HashMap<String, Value>);

impl Answers {
    /// Reads a batch output.
    pub(super) fn read(path: &Path) -> Result<Self, Trouble> {
        let shown = path.display();
        let mut answers = HashMap::new();
        for Record { place, value } in records::read(path)? {
            let wrong = |why: &str| {
                Trouble::new(format!("`{shown}` {place}: {why}"))
                    .hint("`--answers` is the output file of the batch: `{\"custom_id\": …, \"response\": …}` a line")
            };
            let id = value["custom_id"].as_str().ok_or_else(|| wrong("it has no `custom_id`"))?.to_owned();
            if value.get("response").is_none() {
                return Err(wrong("it has no `response`"));
            }
            if answers.insert(id.clone(), value).is_some() {
                return Err(wrong(&format!("the answer of `{id}` stands here twice")));
            }
        }
        Ok(Self(answers))
    }

    /// How many belong to no request.
    pub(super) fn into_unused(self) -> u64 {
        self.0.len() as u64
    }
}

/// The item of a line of a batch input.
pub(super) fn batch(line: &Value, answers: Option<&mut Answers>) -> Made {
    let Some(id) = line["custom_id"].as_str() else {
        return Made::Wrong("its `custom_id` is no text".into());
    };
    let path = line["url"].as_str().unwrap_or("/v1/chat/completions");
    if Dialect::at_path(path) != Some(Dialect::OpenaiChat) {
        return Made::Left(format!("were asked at another endpoint (`{}`)", one_line(path)));
    }
    let mut item = match Item::new(id.to_owned(), Dialect::OpenaiChat, line["body"].clone()) {
        Ok(item) => Box::new(item),
        Err(why) => return Made::Wrong(format!("in `body`: {why}")),
    };
    let Some(answers) = answers else { return Made::Item(item) };
    let Some(answer) = answers.0.remove(id) else {
        return Made::Unanswered(item, "are not in `--answers`".into());
    };
    let response = &answer["response"];
    if response["status_code"] != 200 {
        return Made::Unanswered(item, "failed when they were asked first".into());
    }
    item.at = created(&response["body"]);
    match item.answered(&response["body"]) {
        Ok(()) => Made::Item(item),
        Err(_) => Made::Unanswered(item, "have an answer that cannot be read".into()),
    }
}

/// The refusal of a batch output without its input.
pub(super) fn only_answers(shown: &str) -> Trouble {
    Trouble::new(format!("{shown} is a batch output, which holds answers without what was asked"))
        .hint("`--requests INPUT.jsonl --answers OUTPUT.jsonl` joins it with the batch input")
}

/// The item of a stored chat completion.
pub(super) fn stored(completion: &Value) -> Made {
    let Some(id) = completion["id"].as_str() else { return Made::Left("have no `id`".into()) };
    let listed = completion["messages"].get("data").unwrap_or(&completion["messages"]).as_array();
    let Some(listed) = listed.filter(|listed| !listed.is_empty()) else {
        return Made::Left("are without what was asked".into());
    };
    let messages: Vec<Value> = listed.iter().cloned().map(asked).collect();
    let mut body = json!({"model": completion["model"].as_str().unwrap_or("unnamed"), "messages": messages});
    // The list says every parameter, whether it was set or not; a default says nothing.
    let defaults =
        [("temperature", 1.0), ("top_p", 1.0), ("presence_penalty", 0.0), ("frequency_penalty", 0.0)];
    for (name, default) in defaults {
        if completion[name].as_f64().is_some_and(|set| (set - default).abs() > f64::EPSILON) {
            body[name] = completion[name].clone();
        }
    }
    for name in ["tools", "tool_choice", "response_format", "seed"] {
        if completion.get(name).is_some_and(|set| !set.is_null()) {
            body[name] = completion[name].clone();
        }
    }
    let mut item = match Item::new(id.to_owned(), Dialect::OpenaiChat, body) {
        Ok(item) => Box::new(item),
        Err(why) => return Made::Left(format!("hold a request that cannot be read: {}", one_line(&why))),
    };
    item.at = created(completion);
    match item.answered(completion) {
        Ok(()) => Made::Item(item),
        Err(_) => Made::Unanswered(item, "have an answer that cannot be read".into()),
    }
}

/// A message as it was asked: without the name that storing gave it, its parts in their place.
fn asked(mut message: Value) -> Value {
    if let Some(members) = message.as_object_mut() {
        members.remove("id");
        if let Some(parts) = members.remove("content_parts").filter(|parts| !value::is_empty(parts)) {
            members.insert("content".into(), parts);
        }
        members.retain(|name, value| name == "content" || !value.is_null());
    }
    message
}

/// The item of a fine-tuning example: the last message is the answer.
pub(super) fn fine_tuning(mut example: Value, place: Place) -> Made {
    let Some(messages) = example["messages"].as_array_mut() else {
        return Made::Wrong("its `messages` are no list".into());
    };
    for message in messages.iter_mut().filter_map(Value::as_object_mut) {
        message.remove("weight");
    }
    let Some(last) = messages.pop().filter(|last| last["role"] == "assistant") else {
        return Made::Left("do not end with an answer of the assistant".into());
    };
    example["model"] = "unnamed".into();
    let mut item = match Item::new(place.to_string(), Dialect::OpenaiChat, example) {
        Ok(item) => Box::new(item),
        Err(why) => return Made::Wrong(why),
    };
    match answer::said_loosely(&last) {
        Ok(said) => item.reference = Some(said),
        Err(why) => return Made::Wrong(format!("in the last message: {why}")),
    }
    Made::Item(item)
}

fn created(answer: &Value) -> Option<Timestamp> {
    value::moment(&answer["created"])
}
