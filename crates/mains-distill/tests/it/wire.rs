//! The same request in three dialects is the same to a task; what is not plain is refused by name.

use mains_distill::task::{Answer, Role};
use mains_distill::wire::{Asked, NotPlain, answered, asked, read_answer, read_question};
use mains_wire::Dialect;
use mains_wire::dialects::openai_responses::write_plain_answer;
use serde_json::json;

fn look(dialect: Dialect, body: &serde_json::Value) -> Result<Asked, NotPlain> {
    asked(&read_question(dialect, body.to_string().as_bytes())?)
}

#[test]
fn one_request_is_the_same_in_every_dialect() {
    let schema =
        json!({"type": "object", "properties": {"label": {"type": "string"}}, "required": ["label"]});
    let chat = json!({"model": "m", "messages": [{"role": "developer", "content": "Classify."}, {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}],
        "tools": [{"type": "function", "function": {"name": "set", "description": "d", "parameters": schema, "strict": true}}],
        "tool_choice": {"type": "function", "function": {"name": "set"}}, "temperature": 0});
    let messages = json!({"model": "m", "max_tokens": 9, "system": "Classify.", "messages": [{"role": "user", "content": "a\nb"}],
        "tools": [{"name": "set", "description": "d", "input_schema": schema}], "tool_choice": {"type": "tool", "name": "set"}});
    let responses = json!({"model": "m", "instructions": "Classify.", "input": [{"role": "user", "content": [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]}],
        "tools": [{"type": "function", "name": "set", "description": "d", "parameters": schema, "strict": null}], "tool_choice": {"type": "function", "name": "set"}});
    let first = look(Dialect::OpenaiChat, &chat).unwrap();
    assert_eq!(
        first.turns.iter().map(|turn| (turn.role, turn.text.as_str())).collect::<Vec<_>>(),
        [(Role::System, "Classify."), (Role::User, "a\nb")]
    );
    assert!(
        first.fixed.starts_with(r#"{"tool_choice":{"name":"set"},"tools":[{"description":"d","name":"set","#),
        "{}",
        first.fixed
    );
    assert_eq!(look(Dialect::AnthropicMessages, &messages).unwrap(), first);
    assert_eq!(look(Dialect::OpenaiResponses, &responses).unwrap(), first);
}

#[test]
fn the_order_of_keys_in_a_schema_says_nothing_and_its_content_does() {
    let body = |schema: &str| {
        format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":"a"}}],"response_format":{{"type":"json_schema","json_schema":{{"name":"n","schema":{schema}}}}}}}"#
        )
    };
    let fixed = |schema: &str| {
        asked(&read_question(Dialect::OpenaiChat, body(schema).as_bytes()).unwrap()).unwrap().fixed
    };
    assert_eq!(fixed(r#"{"type":"object","a":[1,2]}"#), fixed(r#"{ "a": [1, 2], "type": "object" }"#));
    assert_ne!(fixed(r#"{"type":"object","a":[1,2]}"#), fixed(r#"{"type":"object","a":[2,1]}"#));
    assert_eq!(look(Dialect::OpenaiChat, &json!({"model": "m", "messages": []})).unwrap().fixed, "");
}

#[test]
fn what_is_not_plain_is_named() {
    let user = |content: serde_json::Value| json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": content}]});
    let picture = user(json!([{"type": "image_url", "image_url": {"url": "https://a/b.png"}}]));
    assert_eq!(look(Dialect::OpenaiChat, &picture), Err(NotPlain::Holds("a picture")));
    let result = user(json!([{"type": "tool_result", "tool_use_id": "t", "content": "x"}]));
    assert_eq!(look(Dialect::AnthropicMessages, &result), Err(NotPlain::Holds("the result of a tool")));
    let named = json!({"model": "m", "messages": [{"role": "user", "name": "ann", "content": "a"}]});
    assert_eq!(look(Dialect::OpenaiChat, &named), Err(NotPlain::Holds("the name of a speaker")));
    let call =
        json!({"model": "m", "input": [{"type": "function_call_output", "call_id": "c", "output": "x"}]});
    assert!(matches!(look(Dialect::OpenaiResponses, &call), Err(NotPlain::Unreadable(_))));
}

#[test]
fn answers_are_read_as_tasks_compare_them_whole_and_streamed() {
    let chat = json!({"id": "c", "model": "m", "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "spam"}}]});
    let read = read_answer(Dialect::OpenaiChat, false, chat.to_string().as_bytes()).unwrap();
    let spam = Answer { text: "spam".into(), calls: Vec::new() };
    assert_eq!(answered(&read), Ok(spam.clone()));
    let cut = json!({"id": "c", "model": "m", "choices": [{"index": 0, "finish_reason": "length", "message": {"content": "sp"}}]});
    assert_eq!(
        answered(&read_answer(Dialect::OpenaiChat, false, cut.to_string().as_bytes()).unwrap()),
        Err(NotPlain::Cut)
    );
    // Written and read again in the responses dialect, both ways.
    for stream in [false, true] {
        let bytes = write_plain_answer(br#"{"model":"m","input":"a"}"#, &read, stream).unwrap();
        let again = read_answer(Dialect::OpenaiResponses, stream, &bytes).unwrap();
        assert_eq!(answered(&again), Ok(spam.clone()), "{}", String::from_utf8_lossy(&bytes));
    }
}
