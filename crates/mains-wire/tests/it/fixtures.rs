//! Recorded streams of others decode.

use crate::codecs::read_stream;
use mains_wire::Dialect;
use mains_wire::dialects::StreamEnd;
use mains_wire::neutral::{Answer, Content, Fold, StopReason};
use std::path::Path;

fn recorded(test: &str, name: &str) -> Option<Vec<u8>> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/wire-fixtures/anthropic-sse").join(name);
    let found = std::fs::read(path).ok();
    if found.is_none() {
        println!("left out: {test} needs shared/wire-fixtures");
        assert!(std::env::var_os("MAINS_REQUIRE_ALL").is_none(), "shared/wire-fixtures is missing");
    }
    found
}

fn folded(bytes: &[u8]) -> Answer {
    let (events, end) = read_stream(Dialect::AnthropicMessages, bytes);
    assert_eq!(end, StreamEnd::Clean);
    let mut fold = Fold::new();
    for event in events {
        fold.push(event);
    }
    fold.finish().unwrap()
}

#[test]
fn a_basic_answer() {
    let Some(bytes) = recorded("a_basic_answer", "basic_response.txt") else { return };
    let answer = folded(&bytes);
    let choice = &answer.choices[0];
    let Content::Text { text, .. } = &choice.blocks[0].content else { panic!("{answer:?}") };
    assert_eq!((text.as_str(), choice.stop.clone()), ("Hello there!", Some(StopReason::EndTurn)));
    let usage = answer.usage.unwrap();
    assert_eq!((usage.input, usage.output), (11, 6));
}

#[test]
fn tools_with_their_arguments_in_pieces() {
    let Some(bytes) = recorded("tools_with_their_arguments_in_pieces", "tool_use_response.txt") else {
        return;
    };
    let answer = folded(&bytes);
    let Content::ToolCall(call) = &answer.choices[0].blocks[1].content else { panic!("{answer:?}") };
    assert_eq!((call.name.as_str(), call.arguments.as_str()), ("get_weather", r#"{"location": "Paris"}"#));
    assert_eq!(answer.choices[0].stop, Some(StopReason::ToolUse));
    assert_eq!(answer.usage.unwrap().output, 65);
}

#[test]
fn arguments_that_the_token_limit_cut() {
    let name = "incomplete_partial_json_response.txt";
    let Some(bytes) = recorded("arguments_that_the_token_limit_cut", name) else { return };
    let answer = folded(&bytes);
    assert_eq!(answer.choices[0].stop, Some(StopReason::MaxTokens));
    let Content::ToolCall(call) = &answer.choices[0].blocks[1].content else { panic!("{answer:?}") };
    assert!(call.arguments.ends_with("\"Filing taxes"), "{}", call.arguments);
    // No JSON, so it cannot be said as an object; it is kept and said.
    let encoded = Dialect::AnthropicMessages.write_answer(&answer).unwrap();
    assert!(encoded.losses.iter().any(|loss| loss.path.ends_with("input")), "{:?}", encoded.losses);
}

#[test]
fn a_refusal_with_its_category() {
    let Some(bytes) = recorded("a_refusal_with_its_category", "refusal_response.txt") else { return };
    let stop = folded(&bytes).choices[0].stop.clone();
    let Some(StopReason::Refusal { category, explanation }) = stop else { panic!("{stop:?}") };
    assert_eq!(category.as_deref(), Some("cyber"));
    assert_eq!(explanation.as_deref(), Some("This request was refused due to policy."));
}
