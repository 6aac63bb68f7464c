//! Errors inside replies: found, classified, and never followed by a clean end.

use mains_wire::Dialect;
use mains_wire::fault::{Fault, TRANSIENT};
use mains_wire::tap::{Options, Shape, Step, Tap};

fn run(dialect: Dialect, shape: Shape, text: &str) -> (String, Step, Tap) {
    let mut tap = Tap::new(dialect, shape, Options::of(dialect));
    let mut forwarded = tap.push(text.as_bytes()).forward;
    let last = tap.finish();
    forwarded.extend_from_slice(&last.forward);
    (String::from_utf8(forwarded).unwrap(), last, tap)
}

fn check(dialect: Dialect, shape: Shape, text: &str, committed: bool, expect: Fault) {
    let (_, last, tap) = run(dialect, shape, text);
    assert_eq!(last.committed, committed, "{text}");
    assert_eq!(tap.failure().map(|(_, fault)| *fault), Some(expect), "{text}");
}

#[test]
fn an_error_before_content_leaves_the_way_open() {
    let (chat, stream) = (Dialect::OpenaiChat, Shape::Stream);
    check(
        chat,
        stream,
        "data: {\"error\":{\"message\":\"m\",\"type\":\"server_error\"}}\n\n",
        false,
        TRANSIENT,
    );
    let role = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
    check(
        chat,
        stream,
        &format!("{role}data: {{\"error\":{{\"code\":429,\"message\":\"m\"}}}}\n\n"),
        false,
        Fault::RateLimited { retry_after: None },
    );
    check(chat, stream, role, false, Fault::BrokenStream);
    check(chat, stream, "", false, Fault::BrokenStream);
    check(chat, stream, "<html>oops</html>", false, Fault::BrokenStream);
    let start = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\n";
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    check(Dialect::AnthropicMessages, stream, &format!("{start}{error}"), false, TRANSIENT);
    let failed = "event: response.failed\ndata: {\"type\":\"response.failed\",\"sequence_number\":3,\"response\":{\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"m\"}}}\n\n";
    check(Dialect::OpenaiResponses, stream, failed, false, Fault::RateLimited { retry_after: None });
}

#[test]
fn an_error_inside_a_reply_of_status_200_is_one() {
    check(
        Dialect::OpenaiChat,
        Shape::Whole,
        r#"{"error":{"code":402,"message":"Insufficient credits"}}"#,
        false,
        Fault::NoCredit,
    );
    check(
        Dialect::AnthropicMessages,
        Shape::Whole,
        r#"{"type":"error","error":{"type":"not_found_error","message":"model: x"}}"#,
        false,
        Fault::RetiredModel,
    );
    check(
        Dialect::OpenaiResponses,
        Shape::Whole,
        r#"{"id":"r","status":"failed","error":{"code":"server_error","message":"m"}}"#,
        false,
        TRANSIENT,
    );
    check(Dialect::OpenaiEmbeddings, Shape::Whole, r#"{"error":"no"}"#, false, TRANSIENT);
    check(Dialect::OpenaiChat, Shape::Whole, "<html></html>", false, Fault::BrokenStream);
}

#[test]
fn nothing_follows_an_error_that_was_told() {
    let content = "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n";
    let error = "data: {\"error\":{\"message\":\"m\"}}\n\n";
    let (forwarded, last, tap) =
        run(Dialect::OpenaiChat, Shape::Stream, &format!("{content}{error}{content}data: [DONE]\n\n"));
    assert_eq!(forwarded, format!("{content}{error}"));
    assert!(last.committed && last.failed && tap.told());
}

#[test]
fn an_event_that_is_no_json_breaks_the_stream() {
    let content = "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n";
    let (forwarded, last, tap) =
        run(Dialect::OpenaiChat, Shape::Stream, &format!("{content}data: {{oops\n\ndata: [DONE]\n\n"));
    assert_eq!(forwarded, content);
    assert!(last.failed && !tap.told());
    let (error, fault) = tap.failure().unwrap();
    assert_eq!(*fault, Fault::BrokenStream);
    assert!(error.message.contains("no JSON object"), "{}", error.message);
}

#[test]
fn every_fault_has_one_consequence_for_the_target() {
    let all = [
        TRANSIENT,
        Fault::RateLimited { retry_after: None },
        Fault::Auth,
        Fault::NoCredit,
        Fault::ContextLength,
        Fault::RetiredModel,
        Fault::BadRequest,
        Fault::Unsupported,
        Fault::BrokenStream,
        Fault::Timeout,
        Fault::Cancelled,
    ];
    for fault in all {
        assert!(!(fault.counts_against_target() && fault.opens_at_once()), "{fault:?}");
        assert!(!fault.may_retry_here() || fault.may_retry_elsewhere(), "{fault:?}");
        assert!(!fault.marks_model() || fault.opens_at_once(), "{fault:?}");
    }
}
