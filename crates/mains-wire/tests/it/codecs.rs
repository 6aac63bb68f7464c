//! Every case of `tests/data/codecs` into every dialect, against golden files.

use crate::golden;
use mains_wire::Dialect;
use mains_wire::dialects::{StreamEnd, WriteOptions};
use mains_wire::loss::Loss;
use mains_wire::neutral::{Event, Fold};
use std::fmt::Write;

const CONVERSATIONS: [Dialect; 2] = [Dialect::OpenaiChat, Dialect::AnthropicMessages];

fn losses(losses: &[Loss]) -> String {
    losses.iter().fold(String::new(), |mut text, loss| {
        let _ = writeln!(text, "loss {loss}");
        text
    })
}

fn valid(bytes: &[u8], case: &str) {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes)
        .unwrap_or_else(|error| panic!("{case}: {error}\n{}", String::from_utf8_lossy(bytes)));
}

/// The models that a question is written for, by the target dialect.
fn targets(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::AnthropicMessages => &["claude-haiku-4-5", "claude-opus-5"],
        _ => &["gpt-5.2"],
    }
}

#[test]
fn questions_in_every_dialect() {
    for source in CONVERSATIONS {
        for (name, bytes) in golden::files(&golden::data().join(format!("codecs/{source}/question"))) {
            let case = format!("{source}/question/{name}");
            let question = source.read_question(&bytes).unwrap_or_else(|error| panic!("{case}: {error}"));
            let mut text = String::new();
            for target in CONVERSATIONS {
                for model in targets(target) {
                    let options =
                        WriteOptions { model: Some((*model).to_owned()), ..WriteOptions::default() };
                    let encoded = target.write_question(&question, &options).unwrap();
                    valid(&encoded.bytes, &case);
                    target.read_question(&encoded.bytes).unwrap_or_else(|error| panic!("{case}: {error}"));
                    let _ = writeln!(text, "== {target} for {model}");
                    let _ = writeln!(text, "{}", golden::pretty(&encoded.bytes));
                    text.push_str(&losses(&encoded.losses));
                }
            }
            golden::check(&format!("golden/{case}.txt"), &text);
        }
    }
}

#[test]
fn answers_in_every_dialect_whole_and_as_a_stream() {
    for source in CONVERSATIONS {
        for (name, bytes) in golden::files(&golden::data().join(format!("codecs/{source}/answer"))) {
            let case = format!("{source}/answer/{name}");
            let answer = source.read_answer(&bytes).unwrap_or_else(|error| panic!("{case}: {error}"));
            let mut text = String::new();
            for target in CONVERSATIONS {
                let encoded = target.write_answer(&answer).unwrap();
                valid(&encoded.bytes, &case);
                let _ = writeln!(text, "== {target}\n{}", golden::pretty(&encoded.bytes));
                text.push_str(&losses(&encoded.losses));
                let mut writer = target.stream_writer(true, 7).unwrap();
                let mut stream: Vec<u8> =
                    answer.clone().into_events().iter().flat_map(|event| writer.push(event)).collect();
                stream.extend(writer.finish());
                let _ = writeln!(text, "== {target} as a stream\n{}", String::from_utf8(stream).unwrap());
                text.push_str(&losses(&writer.into_losses()));
            }
            golden::check(&format!("golden/{case}.txt"), &text);
        }
    }
}

/// Reads a stream in one piece.
pub(crate) fn read_stream(dialect: Dialect, bytes: &[u8]) -> (Vec<Event>, StreamEnd) {
    let mut reader = dialect.stream_reader().unwrap();
    let mut events = reader.push(bytes);
    events.extend(reader.finish());
    (events, reader.end().clone())
}

#[test]
fn streams_in_every_dialect() {
    for source in CONVERSATIONS {
        for (name, bytes) in golden::files(&golden::data().join(format!("codecs/{source}/stream"))) {
            let case = format!("{source}/stream/{name}");
            let (events, end) = read_stream(source, &bytes);
            let mut text = String::new();
            for event in &events {
                let _ = writeln!(text, "{event:?}");
            }
            let _ = writeln!(text, "end {end:?}");
            let mut fold = Fold::new();
            for event in events.iter().cloned() {
                fold.push(event);
            }
            let _ = writeln!(text, "folded {:#?}", fold.finish());
            for target in CONVERSATIONS {
                let mut writer = target.stream_writer(true, 7).unwrap();
                let mut stream: Vec<u8> = events.iter().flat_map(|event| writer.push(event)).collect();
                stream.extend(writer.finish());
                // What was not whole is not whole on the other side either, whatever the dialect.
                let (_, written_end) = read_stream(target, &stream);
                assert_eq!(end == StreamEnd::Clean, written_end == StreamEnd::Clean, "{case} to {target}");
                let _ = writeln!(text, "== {target}\n{}", String::from_utf8(stream).unwrap());
                text.push_str(&losses(&writer.into_losses()));
            }
            golden::check(&format!("golden/{case}.txt"), &text);
        }
    }
}

#[test]
fn bad_questions_say_where_what_and_how() {
    let deep = format!(r#"{{"model":"m","messages":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    let bodies: [(Dialect, &str); 18] = [
        (Dialect::OpenaiChat, ""),
        (Dialect::OpenaiChat, "<html>"),
        (Dialect::OpenaiChat, "[]"),
        (Dialect::OpenaiChat, r#"{"messages":[]}"#),
        (Dialect::OpenaiChat, r#"{"model":"m"}"#),
        (Dialect::OpenaiChat, r#"{"model":7,"messages":[]}"#),
        (
            Dialect::OpenaiChat,
            r#"{"model":"m","messages":[{"role":"user","content":"x"},{"role":"usr","content":"x"}]}"#,
        ),
        (Dialect::OpenaiChat, r#"{"model":"m","messages":[{"role":"user","content":[{"type":"txt"}]}]}"#),
        (Dialect::OpenaiChat, r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text"}]}]}"#),
        (Dialect::OpenaiChat, r#"{"model":"m","messages":[{"role":"user"}]}"#),
        (Dialect::OpenaiChat, r#"{"model":"m","messages":[],"max_tokens":-1}"#),
        (Dialect::OpenaiChat, r#"{"model":"m","messages":[],"messages":[]}"#),
        (Dialect::OpenaiChat, r#"{"model":"m","messages":[{"role":"user","content":"\ud800"}]}"#),
        (Dialect::OpenaiChat, &deep),
        (Dialect::AnthropicMessages, r#"{"model":"m","messages":[{"role":"tool","content":"x"}]}"#),
        (
            Dialect::AnthropicMessages,
            r#"{"model":"m","messages":[{"role":"user","content":[{"type":"tool_use","id":"a","name":"b","input":"{}"}]}]}"#,
        ),
        (Dialect::AnthropicMessages, r#"{"model":"m","messages":[],"thinking":{"type":"enabled"}}"#),
        (Dialect::OpenaiEmbeddings, r#"{"model":"m","input":"x"}"#),
    ];
    let mut text = String::new();
    for (dialect, body) in bodies {
        let error = dialect.read_question(body.as_bytes()).unwrap_err();
        let body = if body.len() > 200 { "(200 levels)" } else { body };
        let _ = writeln!(text, "{dialect} {body}\n{error}\n");
    }
    golden::check("golden/bad_questions.txt", &text);
}

#[test]
fn ten_thousand_messages_are_read_and_their_losses_are_few() {
    let message = r#"{"role":"user","name":"n","content":[{"type":"text","text":"x"}],"odd":1},"#;
    let body = format!(r#"{{"model":"m","messages":[{}]}}"#, message.repeat(10_000).trim_end_matches(','));
    let question = Dialect::OpenaiChat.read_question(body.as_bytes()).unwrap();
    assert_eq!(question.messages.len(), 10_000);
    let encoded = Dialect::AnthropicMessages.write_question(&question, &WriteOptions::default()).unwrap();
    valid(&encoded.bytes, "many");
    let times: Vec<u32> = encoded.losses.iter().map(|loss| loss.times).collect();
    assert_eq!(times, [10_000, 256], "{:?}", encoded.losses);
}
