//! What Mains refuses with, in every dialect: statuses, headers and bodies as clients read them.

use mains_units::{RequestId, Span, Timestamp};
use mains_wire::Dialect;
use mains_wire::error::{Deadline, ErrorBody, FailedAttempt, ProviderError, Refusal, StreamPlace, Whose};
use mains_wire::fault::{Fault, TRANSIENT, classify};
use mains_wire::sse::Decoder;
use proptest::prelude::*;
use serde_json::Value;

fn request() -> RequestId {
    RequestId::from_bytes([7; 12])
}

fn attempt(target: &str, fault: Fault, status: Option<u16>) -> FailedAttempt {
    FailedAttempt { target: target.into(), fault, status }
}

fn every_refusal() -> Vec<Refusal> {
    let attempts = vec![attempt("openai/a", TRANSIENT, Some(503)), attempt("groq/b", Fault::Timeout, None)];
    let budget = |as_429| Refusal::BudgetSpent {
        unit: "USD (limit 200.00)".into(),
        scope: "project:search".into(),
        renews_at: Some(Timestamp(1_796_083_200_000)),
        renews_in: Some(Span::from_ms(86_400_500)),
        as_429,
    };
    vec![
        Refusal::KeyUnknown { detail: "it has expired".into() },
        Refusal::PlaceForbidden { detail: "the origin `https://evil.example`".into() },
        Refusal::PolicyDenied {
            rules: vec!["eu-only".into()],
            reason: "the vendor is outside the EU".into(),
        },
        budget(false),
        budget(true),
        Refusal::RateLimited {
            limit: "60 requests per minute".into(),
            scope: "key:ci".into(),
            retry_after: Span::from_s(12),
        },
        Refusal::ModelUnknown { model: "gpt-4o-mni".into(), nearest: vec!["gpt-4o-mini".into()] },
        Refusal::ModelUnknown { model: "x".into(), nearest: vec![] },
        Refusal::PathUnknown { path: "/v1/files".into() },
        Refusal::NoHealthyTarget { attempts: attempts.clone(), retry_after: Some(Span::from_s(3)) },
        Refusal::NoHealthyTarget { attempts: vec![], retry_after: None },
        Refusal::Shed { wall: "power".into(), retry_after: Span::from_s(1) },
        Refusal::TimedOut {
            deadline: Deadline::FirstContent,
            after: Span::from_s(30),
            attempts: attempts.clone(),
        },
        Refusal::StreamBroken { detail: "the connection was reset".into(), attempts },
        Refusal::BodyTooLarge { limit: 1_000 },
        Refusal::BadRequest { message: "`messages` is missing".into(), param: Some("messages".into()) },
        Refusal::Internal { request: request() },
    ]
}

fn check(refusal: &Refusal, openai: (u16, &str, &str), anthropic: (u16, &str), whose: Whose) {
    let body = refusal.body();
    let rendered = body.render(Dialect::OpenaiChat, request());
    let value: Value = serde_json::from_slice(&rendered.body).unwrap();
    let said =
        (rendered.status, value["error"]["type"].as_str().unwrap(), value["error"]["code"].as_str().unwrap());
    assert_eq!(said, openai);
    assert_eq!(value["error"]["mains"]["whose"], whose.name());
    assert!(rendered.headers.contains(&("x-request-id", request().to_string())));
    assert!(rendered.headers.contains(&("x-mains-fault", whose.name().into())));
    let rendered = body.render(Dialect::AnthropicMessages, request());
    let value: Value = serde_json::from_slice(&rendered.body).unwrap();
    assert_eq!((rendered.status, value["error"]["type"].as_str().unwrap()), anthropic);
    assert_eq!(value["error"]["mains"]["whose"], whose.name());
    assert_eq!(
        (value["type"].as_str(), value["request_id"].as_str()),
        (Some("error"), Some(request().to_string().as_str()))
    );
    assert!(rendered.headers.contains(&("request-id", request().to_string())));
}

/// OpenAI's status, type and code; Anthropic's status and type; whose fault.
type Expected = ((u16, &'static str, &'static str), (u16, &'static str), Whose);

#[test]
fn the_table_of_refusals() {
    let expected: [Expected; 17] = [
        ((401, "invalid_request_error", "invalid_api_key"), (401, "authentication_error"), Whose::Caller),
        ((403, "permission_error", "place_forbidden"), (403, "permission_error"), Whose::Caller),
        ((403, "permission_error", "policy_denied"), (403, "permission_error"), Whose::Caller),
        ((402, "insufficient_quota", "budget_exceeded"), (402, "billing_error"), Whose::Caller),
        ((429, "insufficient_quota", "budget_exceeded"), (429, "rate_limit_error"), Whose::Caller),
        ((429, "rate_limit_error", "rate_limit_exceeded"), (429, "rate_limit_error"), Whose::Caller),
        ((404, "invalid_request_error", "model_not_found"), (404, "not_found_error"), Whose::Caller),
        ((404, "invalid_request_error", "model_not_found"), (404, "not_found_error"), Whose::Caller),
        ((404, "invalid_request_error", "path_not_found"), (404, "not_found_error"), Whose::Caller),
        ((503, "server_error", "no_healthy_target"), (529, "overloaded_error"), Whose::Provider),
        ((503, "server_error", "no_healthy_target"), (529, "overloaded_error"), Whose::Provider),
        ((503, "server_error", "limit_reached"), (529, "overloaded_error"), Whose::Mains),
        ((504, "server_error", "timeout"), (504, "timeout_error"), Whose::Provider),
        ((502, "server_error", "stream_broken"), (502, "api_error"), Whose::Provider),
        ((413, "invalid_request_error", "request_too_large"), (413, "request_too_large"), Whose::Caller),
        ((400, "invalid_request_error", "invalid_request"), (400, "invalid_request_error"), Whose::Caller),
        ((500, "server_error", "internal_error"), (500, "api_error"), Whose::Mains),
    ];
    for (refusal, (openai, anthropic, whose)) in every_refusal().iter().zip(expected) {
        check(refusal, openai, anthropic, whose);
    }
}

#[test]
fn a_spent_budget_is_not_asked_again() {
    let refusal = &every_refusal()[3];
    let rendered = refusal.body().render(Dialect::OpenaiChat, request());
    assert!(rendered.headers.contains(&("x-should-retry", "false".into())));
    assert!(
        rendered.headers.contains(&("retry-after", "86401".into())),
        "rounded up: {:?}",
        rendered.headers
    );
    let text = String::from_utf8(rendered.body).unwrap();
    for part in ["USD (limit 200.00)", "project:search", "2026-12-01T"] {
        assert!(text.contains(part), "{text} lacks {part}");
    }
}

#[test]
fn messages_say_what_to_do() {
    let message = |at: usize| every_refusal()[at].body().message;
    assert!(message(6).contains("did you mean `gpt-4o-mini`?"));
    assert!(message(2).contains("rules: `eu-only`"));
    assert_eq!(message(9), "every target failed: `openai/a`: transient (503), `groq/b`: timeout");
    assert!(message(12).starts_with("no target began to answer within 30000 ms"));
    let body = every_refusal()[9].body().render(Dialect::OpenaiChat, request()).body;
    let value: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(value["error"]["mains"]["attempts"][0]["target"], "openai/a");
}

fn events(bytes: &[u8]) -> Vec<(String, Value)> {
    let mut decoder = Decoder::new();
    decoder.push(bytes);
    let mut out = Vec::new();
    while let Some(frame) = decoder.next_frame().unwrap() {
        assert!(!frame.is_done(), "a clean end behind an error");
        out.push((frame.name().to_owned(), serde_json::from_slice(frame.data.as_ref().unwrap()).unwrap()));
    }
    assert!(decoder.rest().is_empty());
    out
}

#[test]
fn a_stream_ends_with_an_error_that_the_sdks_raise() {
    let place = StreamPlace { next_sequence: 9, id: Some("resp_1".into()), model: Some("m".into()) };
    for refusal in every_refusal() {
        let body = refusal.body();
        let chat = events(&body.in_stream(Dialect::OpenaiChat, request(), &place));
        assert_eq!((chat.len(), chat[0].0.as_str()), (1, ""));
        assert!(chat[0].1["error"]["message"].is_string());
        let messages = events(&body.in_stream(Dialect::AnthropicMessages, request(), &place));
        assert_eq!(
            (messages.len(), messages[0].0.as_str(), &messages[0].1["type"]),
            (1, "error", &"error".into())
        );
        let responses = events(&body.in_stream(Dialect::OpenaiResponses, request(), &place));
        let names: Vec<&str> = responses.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["response.failed", "error"]);
        assert_eq!(
            (&responses[0].1["sequence_number"], &responses[1].1["sequence_number"]),
            (&9.into(), &10.into())
        );
        assert_eq!(
            (&responses[0].1["response"]["status"], &responses[0].1["response"]["id"]),
            (&"failed".into(), &"resp_1".into())
        );
        assert!(responses[1].1["error"]["message"].is_string() && responses[1].1["message"].is_string());
    }
}

fn translated(status: u16, body: &str, expect: (u16, &str, Whose)) {
    let error = ProviderError::read(status, None, body.as_bytes());
    let ours = ErrorBody::from_provider(&error, classify(&[], &error));
    assert_eq!((ours.status, ours.code.as_str(), ours.whose), expect, "{body}");
}

#[test]
fn a_providers_error_is_told_without_misleading_the_caller() {
    translated(401, r#"{"error":{"message":"bad key sk-abcdefgh"}}"#, (502, "upstream_auth", Whose::Mains));
    translated(402, "", (502, "upstream_no_credit", Whose::Mains));
    translated(429, "", (429, "rate_limit_exceeded", Whose::Provider));
    translated(
        400,
        r#"{"error":{"code":"context_length_exceeded"}}"#,
        (400, "context_length_exceeded", Whose::Caller),
    );
    translated(422, r#"{"error":{"code":"odd","type":"t","message":"m"}}"#, (422, "odd", Whose::Caller));
    translated(404, r#"{"error":{"code":"model_not_found"}}"#, (404, "model_not_found", Whose::Provider));
    translated(529, r#"{"error":{"type":"overloaded_error"}}"#, (503, "overloaded", Whose::Provider));
    translated(500, "<html>", (502, "upstream_error", Whose::Provider));
    let error = ProviderError::read(401, None, b"{}");
    let rendered =
        ErrorBody::from_provider(&error, Fault::Auth).render(Dialect::AnthropicMessages, request());
    assert!(rendered.headers.contains(&("x-should-retry", "false".into())));
}

proptest! {
    #[test]
    fn any_body_of_a_provider_becomes_a_readable_error(status in 200_u16..600, body in prop::collection::vec(any::<u8>(), 0..300)) {
        let error = ProviderError::read(status, None, &body);
        prop_assert!(!error.message.is_empty() && error.message.chars().count() <= 2_000);
        let ours = ErrorBody::from_provider(&error, classify(&[], &error));
        for dialect in Dialect::ALL {
            let rendered = ours.render(dialect, request());
            prop_assert!((400..600).contains(&rendered.status));
            prop_assert!(serde_json::from_slice::<Value>(&rendered.body).is_ok());
            events(&ours.in_stream(dialect, request(), &StreamPlace::default()));
        }
        let _ = ProviderError::inside(&body);
    }
}
