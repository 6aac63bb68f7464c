//! A stand-in: a scripted server on loopback that answers for a provider whose key is absent, in the provider's own
//! dialect. It exists in `mains up` and in tests of clients; every reply of it says what it is.
//!
//! `script` decides what is said, `openai` and `anthropic` say it.

mod anthropic;
mod openai;
mod script;

use crate::print::Trouble;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use mains_catalog::{Catalog, Lifecycle};
use mains_serve::http::ReplyBody;
use mains_serve::http::listen::{Bounds, serve};
use mains_units::Day;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The provider whose own dialect is not OpenAI's.
const ANTHROPIC: &str = "anthropic";

/// Most bytes of a question.
const QUESTION_BYTES_MAX: usize = 16 << 20;

/// What a stand-in answers: a status, a content type, a body.
pub(super) struct Said {
    status: u16,
    kind: &'static str,
    body: String,
}

impl Said {
    fn json(status: u16, body: &Value) -> Self {
        Self { status, kind: "application/json", body: body.to_string() }
    }

    fn stream(body: String) -> Self {
        Self { status: 200, kind: "text/event-stream", body }
    }
}

/// Starts a stand-in; it ends when `stop` turns true.
pub(crate) async fn start(
    provider: &str,
    listen: SocketAddr,
    as_of: Day,
    stop: watch::Receiver<bool>,
) -> Result<SocketAddr, Trouble> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let bounds = Bounds {
        connections_max: 10_000,
        head_timeout: Duration::from_secs(30),
        drain: Duration::from_millis(100),
    };
    let provider: std::sync::Arc<str> = provider.into();
    tokio::spawn(serve(listener, bounds, stop, move |request, _| {
        let provider = std::sync::Arc::clone(&provider);
        async move { answer(&provider, as_of, request).await }
    }));
    Ok(address)
}

async fn answer(provider: &str, as_of: Day, request: Request<Incoming>) -> Response<ReplyBody> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, QUESTION_BYTES_MAX).collect().await;
    let bytes = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let question: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let said = say(provider, as_of, &head.method, head.uri.path(), &question);
    let mut response = Response::new(ReplyBody::whole(said.body));
    *response.status_mut() = StatusCode::from_u16(said.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert("content-type", HeaderValue::from_static(said.kind));
    if let Ok(name) = HeaderValue::from_str(provider) {
        response.headers_mut().insert("x-mains-stand-in", name);
    }
    response
}

fn say(provider: &str, as_of: Day, method: &Method, path: &str, question: &Value) -> Said {
    let model = question["model"].as_str().unwrap_or_default();
    let has_ended = ended(provider, model, as_of).is_some();
    // Hosts have their own roots (`/v1`, `/openai/deployments/NAME`); what is asked for stands at the end.
    let asks = |end: &str| path.ends_with(end);
    match *method {
        Method::GET if asks("/models") => models(provider, as_of),
        Method::POST if asks("/messages") && has_ended => anthropic::gone(model),
        Method::POST if asks("/messages") => anthropic::messages(provider, question),
        Method::POST if has_ended => openai::gone(provider, model),
        Method::POST if asks("/chat/completions") => openai::chat(provider, question),
        Method::POST if asks("/responses") => openai::responses(provider, question),
        Method::POST if asks("/embeddings") => openai::embeddings(question),
        _ if provider == ANTHROPIC => anthropic::no_such_path(path),
        _ => openai::no_such_path(path),
    }
}

/// `GET /v1/models`: what the catalogue knows to be alive at this provider.
fn models(provider: &str, as_of: Day) -> Said {
    let catalog = Catalog::builtin();
    let here = catalog.models().filter(|model| *model.host == *provider);
    let mut alive: Vec<&str> =
        here.map(|model| &*model.id).filter(|id| ended(provider, id, as_of).is_none()).collect();
    alive.sort_unstable();
    if provider == ANTHROPIC { anthropic::models(&alive) } else { openai::models(provider, &alive) }
}

/// The day on which a model ended at this provider, if that day has come.
fn ended(provider: &str, model: &str, as_of: Day) -> Option<Day> {
    match Catalog::builtin().lifecycle(Some(provider), model, as_of) {
        Lifecycle::Retired { since, .. } => Some(since),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn post(path: &str, question: &Value) -> Said {
        say("openai", Day::parse("2026-11-24").unwrap(), &Method::POST, path, question)
    }

    #[test]
    fn a_dead_model_fails_as_it_does_at_its_provider_and_a_living_one_answers() {
        let ask = |model: &str| {
            post(
                "/v1/chat/completions",
                &json!({"model": model, "messages": [{"role": "user", "content": "hello"}]}),
            )
        };
        let dead = ask("gpt-3.5-turbo");
        assert!(dead.status == 404 && dead.body.contains("has been deprecated"), "{}", dead.body);
        let living = ask("gpt-4o-mini");
        assert!(living.status == 200 && living.body.contains("stand-in"), "{}", living.body);
        assert_eq!(post("/v1/videos", &json!({"model": "sora-2"})).status, 404);
        let list =
            say("openai", Day::parse("2026-11-24").unwrap(), &Method::GET, "/v1/models", &Value::Null).body;
        assert!(list.contains("\"gpt-4o-mini\"") && !list.contains("\"gpt-3.5-turbo\""), "{list}");
    }

    #[test]
    fn hosts_fail_in_their_own_words_and_on_their_own_paths() {
        let day = Day::parse("2026-11-24").unwrap();
        let question = |model: &str| json!({"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]});
        let at = |provider: &str, path: &str, model: &str| {
            say(provider, day, &Method::POST, path, &question(model))
        };
        let gone = at("anthropic", "/v1/messages", "claude-2.1");
        assert!(gone.status == 404 && gone.body.contains("\"not_found_error\""), "{}", gone.body);
        let gone = at("groq", "/v1/chat/completions", "llama-3.1-70b-versatile");
        assert!(gone.status == 400 && gone.body.contains("model_decommissioned"), "{}", gone.body);
        let gone = at("google", "/v1beta/openai/chat/completions", "imagen-4.0-fast-generate-001");
        assert!(gone.status == 404 && gone.body.contains("is not found for API version"), "{}", gone.body);
        assert_eq!(at("azure", "/openai/deployments/ours/chat/completions", "ours").status, 200);
        assert_eq!(at("anthropic", "/v1/nothing", "").status, 404);
    }

    #[test]
    fn a_tool_that_is_required_is_called_with_what_its_schema_requires() {
        let schema = json!({"type": "object", "properties": {"city": {"type": "string"}, "n": {"type": "integer"}}, "required": ["city", "n"]});
        let said = post(
            "/v1/chat/completions",
            &json!({"model": "gpt-4o-mini", "tool_choice": "required", "messages": [{"role": "user", "content": "x"}],
            "tools": [{"type": "function", "function": {"name": "weather", "parameters": schema}}]}),
        );
        let answer: Value = serde_json::from_str(&said.body).unwrap();
        let arguments =
            answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
        let arguments: Value = serde_json::from_str(arguments).unwrap();
        assert!(arguments["city"].is_string() && arguments["n"].is_i64(), "{arguments}");
    }
}
