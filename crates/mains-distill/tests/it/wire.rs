//! Both dialects come out alike, and what a label cannot be is left alone.

use mains_distill::task::{Call, Role, Turn};
use mains_distill::wire::{Asked, answered, asked};
use mains_wire::Dialect;
use serde_json::{Value, json};

fn read(dialect: Dialect, body: &Value) -> Option<Asked> {
    asked(&dialect.read_question(body.to_string().as_bytes()).unwrap())
}

fn turn(role: Role, text: &str) -> Turn {
    Turn { role, text: text.into() }
}

#[test]
fn a_request_is_the_same_in_both_dialects() {
    let schema = json!({"type": "object", "properties": {"intent": {"type": "string"}}});
    let chat = json!({"model": "m", "temperature": 0, "messages": [
        {"role": "system", "content": "Name the intent."}, {"role": "user", "content": "where is my card"}],
        "tools": [{"type": "function", "function": {"name": "label", "description": "d", "parameters": schema}}]});
    let messages = json!({"model": "m", "max_tokens": 9, "system": "Name the intent.",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "where is my card"}]}],
        "tools": [{"name": "label", "description": "d", "input_schema": schema}]});
    let found = read(Dialect::OpenaiChat, &chat).unwrap();
    assert_eq!(found.turns, [turn(Role::System, "Name the intent."), turn(Role::User, "where is my card")]);
    assert!(found.fixed.contains("\"name\":\"label\""), "{}", found.fixed);
    assert_eq!(Some(found), read(Dialect::AnthropicMessages, &messages));
}

#[test]
fn the_format_is_part_of_the_task_and_the_sampling_is_not() {
    let base = json!({"model": "m", "messages": [{"role": "user", "content": "x"}]});
    let with = |key: &str, value: Value| {
        let mut body = base.clone();
        body[key] = value;
        read(Dialect::OpenaiChat, &body)
    };
    let plain = read(Dialect::OpenaiChat, &base).unwrap();
    assert_eq!(plain.fixed, "");
    assert_eq!(with("temperature", json!(1)), Some(plain.clone()));
    assert_ne!(with("response_format", json!({"type": "json_object"})), Some(plain.clone()));
    // A label is one answer without probabilities of its tokens.
    assert_eq!(with("n", json!(2)), None);
    assert_eq!(with("logprobs", json!(true)), None);
    let picture = json!([{"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}]);
    assert_eq!(with("messages", json!([{"role": "user", "content": picture}])), None);
}

#[test]
fn an_answer_is_text_and_calls_and_one_that_was_cut_is_none() {
    let whole = |message: Value, finish: &str| {
        let body = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "message": message, "finish_reason": finish}]});
        let answer = Dialect::OpenaiChat.read_answer(body.to_string().as_bytes()).unwrap();
        answered(answer.choices.first().unwrap())
    };
    let said = json!({"role": "assistant", "content": "card_arrival"});
    assert_eq!(whole(said.clone(), "stop").unwrap().text, "card_arrival");
    assert_eq!(whole(said, "length"), None);
    let called = json!({"role": "assistant", "content": null, "tool_calls": [
        {"id": "1", "type": "function", "function": {"name": "label", "arguments": "{\"intent\":\"x\"}"}}]});
    let call = Call { name: "label".into(), arguments: "{\"intent\":\"x\"}".into() };
    assert_eq!(whole(called, "tool_calls").unwrap().calls, [call]);
    let declined = json!({"role": "assistant", "content": null, "refusal": "no"});
    assert_eq!(whole(declined, "stop"), None);
}
