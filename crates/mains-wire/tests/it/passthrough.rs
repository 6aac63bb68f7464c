//! What passes through keeps every byte that is not on the closed list of edits.

use mains_wire::Dialect;
use mains_wire::edit::{Edits, apply, peek};
use mains_wire::sse::Limits;
use mains_wire::tap::{End, Options, Shape, Step, Tap};
use proptest::prelude::*;
use std::path::PathBuf;

/// A member as text, and what the edits must make of it.
#[derive(Debug, Clone)]
struct Piece {
    key: &'static str,
    value: String,
    spaces: [&'static str; 4],
}

fn space() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", " ", "\n", "\t \r\n", "   "])
}

fn value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        prop::sample::select(vec![
            "null",
            "true",
            "false",
            "0",
            "-0.0",
            "1e400",
            "123456789012345678901234567890",
            "0.10000000000000000555",
            r#""\u0041\ud83d\ude00""#,
            r#""}{][,:\"""#,
            r#""é😀""#,
            r#""\\""#,
            "\"\"",
            "{}",
            "[ ]",
        ])
        .prop_map(str::to_owned),
        "[a-z ]{0,8}".prop_map(|text| format!("\"{text}\"")),
    ];
    scalar.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("[ {}]", items.join(" ,"))),
            prop::collection::vec(inner, 0..3).prop_map(|items| {
                let members: Vec<String> = items.iter().map(|item| format!("\"model\" :{item}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

fn piece() -> impl Strategy<Value = Piece> {
    let keys =
        vec![r#""model""#, r#""mod\u0065l""#, r#""Model""#, r#""messages""#, r#""x_unknown""#, r#""models""#];
    (prop::sample::select(keys), value(), [space(), space(), space(), space()])
        .prop_map(|(key, value, spaces)| Piece { key, value, spaces })
}

/// The object as text, with the value of every model replaced by `model` where it is given.
fn written(pieces: &[Piece], end: &str, model: Option<&str>) -> String {
    let members: Vec<String> = pieces
        .iter()
        .map(|piece| {
            let [a, b, c, d] = piece.spaces;
            let named = matches!(piece.key, r#""model""# | r#""mod\u0065l""#);
            let value = model.filter(|_| named).unwrap_or(&piece.value);
            format!("{a}{}{b}:{c}{value}{d}", piece.key)
        })
        .collect();
    format!("{end}{{{}}}{end}", members.join(","))
}

proptest! {
    #[test]
    fn only_the_model_changes(pieces in prop::collection::vec(piece(), 0..8), end in space()) {
        let body = written(&pieces, end, None);
        let edited = apply(body.as_bytes(), &Edits { model: Some("new/model"), ..Edits::default() }).unwrap();
        let mut expected = written(&pieces, end, Some("\"new/model\""));
        if !pieces.iter().any(|piece| matches!(piece.key, r#""model""# | r#""mod\u0065l""#)) {
            let brace = expected.rfind('}').unwrap();
            let comma = if pieces.is_empty() { "" } else { "," };
            expected.insert_str(brace, &format!("{comma}\"model\":\"new/model\""));
        }
        prop_assert_eq!(String::from_utf8(edited.clone()).unwrap(), expected);
        let seen = peek(Dialect::OpenaiChat, &edited).unwrap();
        prop_assert_eq!(seen.model.as_deref(), Some("new/model"));
        prop_assert!(seen.text_bytes <= edited.len() as u64);
    }

    #[test]
    fn no_edits_change_nothing(pieces in prop::collection::vec(piece(), 0..8), end in space()) {
        let body = written(&pieces, end, None).into_bytes();
        prop_assert_eq!(apply(&body, &Edits::default()).unwrap(), body);
    }

    #[test]
    fn usage_is_asked_for_once_and_the_rest_stays(pieces in prop::collection::vec(piece(), 0..6), end in space()) {
        let edits = Edits { include_usage: true, ..Edits::default() };
        let body = written(&pieces, end, None);
        let edited = apply(body.as_bytes(), &edits).unwrap();
        let added: &str = if pieces.is_empty() { "\"stream_options\":{\"include_usage\":true}" } else { ",\"stream_options\":{\"include_usage\":true}" };
        let text = String::from_utf8(edited.clone()).unwrap();
        prop_assert_eq!(text.replacen(added, "", 1), body);
        prop_assert!(peek(Dialect::OpenaiChat, &edited).unwrap().include_usage);
        prop_assert_eq!(apply(&edited, &edits).unwrap(), edited);
    }

    #[test]
    fn no_body_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..200), cut in 0_usize..200) {
        let edits = Edits { model: Some("m"), include_usage: true, ..Edits::default() };
        for dialect in Dialect::ALL {
            let _ = peek(dialect, &body);
        }
        let _ = apply(&body, &edits);
        let text = r#"{"model":"a","stream_options":{"include_usage":false},"messages":[{"content":[{"data":"x"}]}]}"#;
        let cut = cut.min(text.len());
        prop_assert_eq!(apply(&text.as_bytes()[..cut], &edits).is_ok(), cut == text.len());
    }
}

fn run(dialect: Dialect, shape: Shape, options: Options, text: &[u8], chunk: usize) -> (Vec<u8>, Step, Tap) {
    let mut tap = Tap::new(dialect, shape, options);
    let mut forwarded = Vec::new();
    for piece in text.chunks(chunk.max(1)) {
        forwarded.extend(tap.push(piece).forward);
    }
    let last = tap.finish();
    forwarded.extend_from_slice(&last.forward);
    (forwarded, last, tap)
}

fn fixture(path: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/providers").join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_usage_chunk_that_only_mains_asked_for_is_held_back() {
    let text = fixture("openai/chat.sse");
    let start = memchr(&text, b"data: {\"id\": \"chatcmpl-2\", \"object\": \"chat.completion.chunk\", \"created\": 1764000000, \"model\": \"gpt-4o-mini-2024-07-18\", \"choices\": []");
    let end = memchr(&text, b"data: [DONE]");
    let without = [&text[..start], &text[end..]].concat();
    for chunk in [1, 3, 100, text.len()] {
        let options = Options { withhold_usage: true, ..Options::of(Dialect::OpenaiChat) };
        let (forwarded, _, tap) = run(Dialect::OpenaiChat, Shape::Stream, options, &text, chunk);
        assert!(forwarded == without, "chunks of {chunk}");
        assert_eq!(tap.observed().usage.map(|usage| usage.output), Some(3));
    }
}

fn memchr(text: &[u8], part: &[u8]) -> usize {
    text.windows(part.len()).position(|window| window == part).expect("the fixture has the part")
}

#[test]
fn usage_beside_content_is_never_held_back() {
    let text = b"data: {\"choices\":[{\"delta\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}\n\ndata: [DONE]\n\n";
    let options = Options { withhold_usage: true, ..Options::of(Dialect::OpenaiChat) };
    let (forwarded, _, _) = run(Dialect::OpenaiChat, Shape::Stream, options, text, 9);
    assert_eq!(forwarded, text);
}

/// Cuts a stream after each of its events and checks where it may still be taken back.
fn check_commit(file: &str, dialect: Dialect, preamble_events: u64) {
    let text = fixture(file);
    let mut tap = Tap::new(dialect, Shape::Stream, Options::of(dialect));
    let mut committed_at = None;
    for byte in text.chunks(1) {
        let step = tap.push(byte);
        if step.committed && committed_at.is_none() {
            committed_at = Some(tap.observed().events);
        }
    }
    assert_eq!(committed_at, Some(preamble_events + 1), "{file}");
}

#[test]
fn the_preamble_is_no_content() {
    check_commit("openai/chat.sse", Dialect::OpenaiChat, 1);
    check_commit("azure/chat.sse", Dialect::OpenaiChat, 2);
    check_commit("anthropic/messages.sse", Dialect::AnthropicMessages, 3);
    check_commit("openai/responses.sse", Dialect::OpenaiResponses, 4);
}

#[test]
fn a_stream_cut_anywhere_has_no_clean_end() {
    let streams = [
        ("openai/chat.sse", Dialect::OpenaiChat),
        ("anthropic/messages.sse", Dialect::AnthropicMessages),
        ("openai/responses.sse", Dialect::OpenaiResponses),
    ];
    for (file, dialect) in streams {
        let text = fixture(file);
        for cut in 0..text.len() {
            let (forwarded, last, tap) = run(dialect, Shape::Stream, Options::of(dialect), &text[..cut], 50);
            assert!(text.starts_with(&forwarded), "{file} cut at {cut}");
            let end = tap.observed().end;
            // The last event may lack its blank line: some servers leave it out.
            let near = text.len() - cut <= 2;
            match end {
                End::Marked => assert!(near, "{file} cut at {cut}"),
                End::Implied => {
                    assert!(tap.observed().stop_reason.is_some() && dialect == Dialect::OpenaiChat);
                }
                End::Open => assert!(last.failed, "{file} cut at {cut}"),
            }
        }
    }
}

#[test]
fn a_whole_reply_is_given_at_once_or_not_at_all() {
    let text = fixture("openai/chat.json");
    let options = Options::of(Dialect::OpenaiChat);
    let mut tap = Tap::new(Dialect::OpenaiChat, Shape::Whole, options);
    assert_eq!(tap.push(&text[..100]), Step::default());
    assert!(tap.finish().failed, "half a reply is none");

    let small = Options { whole_limit: 64, ..options };
    let (forwarded, last, tap) = run(Dialect::OpenaiChat, Shape::Whole, small, &text, 10);
    assert_eq!(
        (forwarded, last.failed, tap.observed().usage),
        (text, false, None),
        "too long to be read, but passed on"
    );
}

#[test]
fn an_endless_line_ends_the_stream_and_keeps_no_memory() {
    let options =
        Options { limits: Limits { line: 1_000, event: 2_000 }, ..Options::of(Dialect::OpenaiChat) };
    let mut tap = Tap::new(Dialect::OpenaiChat, Shape::Stream, options);
    let steps: Vec<Step> = (0..100).map(|_| tap.push(&[b'x'; 500])).collect();
    assert!(steps.iter().all(|step| step.forward.is_empty()));
    assert!(steps[3].failed && !steps[99].committed);
    assert!(tap.failure().unwrap().0.message.contains("longer than 1000 bytes"));
}

#[test]
fn recorded_streams_pass_unchanged() {
    let shared =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/wire-fixtures/anthropic-sse");
    let Ok(folder) = std::fs::read_dir(&shared) else {
        assert!(std::env::var("MAINS_REQUIRE_ALL").as_deref() != Ok("1"), "shared/wire-fixtures is missing");
        println!("left out: recorded_streams_pass_unchanged needs shared/wire-fixtures");
        return;
    };
    let mut count = 0;
    for entry in folder {
        let path = entry.unwrap().path();
        let text = std::fs::read(&path).unwrap();
        let dialect = Dialect::AnthropicMessages;
        for chunk in [1, 11, text.len()] {
            let (forwarded, last, tap) = run(dialect, Shape::Stream, Options::of(dialect), &text, chunk);
            assert!(forwarded == text && !last.failed, "{}", path.display());
            assert!(tap.observed().usage_final && tap.observed().stop_reason.is_some(), "{}", path.display());
        }
        count += 1;
    }
    assert_eq!(count, 4);
}

/// Bytes that look like an event stream often enough to reach the depths.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let lines = vec![
        "data: [DONE]",
        "data: {}",
        "data: {\"choices\":[]}",
        "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}",
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}",
        "data: {\"error\":{\"message\":\"no\"}}",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":18446744073709551615,\"completion_tokens\":18446744073709551615,\"total_tokens\":3}}",
        "data: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":1}}}",
        "data: {\"type\":\"message_stop\"}",
        "data: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"\"}}",
        "data: {\"type\":\"response.completed\",\"sequence_number\":18446744073709551615}",
        "data: {\"type\":\"error\"}",
        "data: {\"choices\":{},\"usage\":[]}",
        "data: nonsense",
        "event: error",
        ": comment",
        "",
        "",
    ];
    let line = prop_oneof![
        4 => prop::sample::select(lines).prop_map(|line| line.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ];
    prop::collection::vec((line, prop::sample::select(vec!["\n", "\r\n", "\r", "\n\n"])), 0..12).prop_map(
        |lines| lines.into_iter().flat_map(|(line, end)| [line, end.as_bytes().to_vec()].concat()).collect(),
    )
}

proptest! {
    #[test]
    fn no_reply_makes_a_tap_panic_and_the_cutting_does_not_matter(text in stream(), chunk in 1_usize..40, withhold in any::<bool>()) {
        for dialect in Dialect::ALL {
            for shape in [Shape::Whole, Shape::Stream] {
                let options = Options { withhold_usage: withhold, ..Options::of(dialect) };
                let (once, last, tap) = run(dialect, shape, options, &text, usize::MAX);
                let (pieces, last_of_pieces, tap_of_pieces) = run(dialect, shape, options, &text, chunk);
                prop_assert_eq!(&once, &pieces);
                prop_assert_eq!((last.committed, last.failed), (last_of_pieces.committed, last_of_pieces.failed));
                prop_assert_eq!(tap.observed(), tap_of_pieces.observed());
                prop_assert_eq!(last.failed, tap.observed().end == End::Open || tap.failure().is_some());
                if !withhold && !last.failed {
                    prop_assert_eq!(&once, &text);
                }
            }
        }
    }
}
