//! One conformance test for every provider: its record against the fixtures in `tests/data/providers`.

use mains_units::{Day, Secret, Usage};
use mains_wire::Dialect;
use mains_wire::error::ProviderError;
use mains_wire::providers::{ALL, Auth, Provider, TargetError, by_name, forwards};
use mains_wire::tap::{Shape, Tap};
use serde_json::Value;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/providers")
}

fn bytes(provider: &str, file: &str) -> Vec<u8> {
    let path = folder().join(provider).join(file);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn rows(provider: &str, file: &str) -> Vec<Value> {
    let text = bytes(provider, file);
    serde_json::from_slice::<Vec<Value>>(&text).unwrap_or_else(|error| panic!("{provider}/{file}: {error}"))
}

fn dialect_of(row: &Value) -> Dialect {
    Dialect::parse(row["dialect"].as_str().unwrap()).unwrap()
}

fn over_the_network() -> impl Iterator<Item = &'static Provider> {
    ALL.iter().copied().filter(|provider| provider.network)
}

#[test]
fn every_record_is_complete() {
    for (at, provider) in ALL.iter().enumerate() {
        assert!(ALL[..at].iter().all(|other| other.name != provider.name), "{} twice", provider.name);
        assert_eq!(by_name(&provider.name).map(|found| &found.name), Some(&provider.name));
        assert_eq!(provider.endpoints.is_empty(), !provider.network, "{}", provider.name);
        assert!(!provider.key_variable.is_empty() || provider.auth == Auth::None, "{}", provider.name);
        for quirk in provider.quirks {
            assert!(!quirk.what.is_empty() && !quirk.source.is_empty(), "{}", provider.name);
            assert!(Day::parse(quirk.read).is_some(), "{}", provider.name);
        }
        for rule in provider.faults {
            assert!(!rule.source.is_empty() && Day::parse(rule.read).is_some(), "{}", provider.name);
            assert!(!rule.code.is_empty() || !rule.message.is_empty(), "{}: {rule:?}", provider.name);
            assert_eq!(rule.message, rule.message.to_lowercase(), "{}", provider.name);
        }
    }
    assert!(by_name("nobody").is_none());
}

#[test]
fn requests_go_where_the_provider_listens() {
    let key = Secret::new("k-123".into());
    for provider in over_the_network() {
        let rows = rows(&provider.name, "requests.json");
        for endpoint in provider.endpoints.iter().chain(provider.queried) {
            assert!(
                rows.iter().any(|row| dialect_of(row) == endpoint.dialect),
                "{} has no request fixture of {}",
                provider.name,
                endpoint.dialect
            );
        }
        for row in rows {
            let target = provider
                .request(
                    dialect_of(&row),
                    row["base_url"].as_str(),
                    row["model"].as_str().unwrap(),
                    Some(&key),
                )
                .unwrap_or_else(|error| panic!("{}: {error}", provider.name));
            assert_eq!(target.url, row["url"].as_str().unwrap(), "{}", provider.name);
            let (header, value) = target.auth.as_ref().unwrap();
            assert_eq!(*header, row["auth"].as_str().unwrap(), "{}", provider.name);
            assert_eq!(value.expose().trim_start_matches("Bearer "), "k-123");
            assert!(!format!("{target:?}").contains("k-123"), "the key is printed");
            for (name, value) in row["headers"].as_object().unwrap() {
                assert!(
                    target.headers.iter().any(|(n, v)| n == name && Some(v.as_str()) == value.as_str()),
                    "{} lacks {name}",
                    provider.name
                );
            }
            assert!(target.headers.contains(&("accept-encoding", "identity".into())));
            let keyless = provider.request(dialect_of(&row), row["base_url"].as_str(), "m", None).unwrap();
            assert!(keyless.auth.is_none());
        }
    }
}

#[test]
fn replies_are_read_in_every_cutting() {
    for provider in over_the_network() {
        let rows = rows(&provider.name, "replies.json");
        for endpoint in provider.endpoints {
            let shapes: Vec<&str> = rows
                .iter()
                .filter(|row| dialect_of(row) == endpoint.dialect)
                .filter_map(|row| row["shape"].as_str())
                .collect();
            let streams = endpoint.dialect != Dialect::OpenaiEmbeddings;
            assert!(shapes.contains(&"whole"), "{}: {}", provider.name, endpoint.dialect);
            assert!(!streams || shapes.contains(&"stream"), "{}: {}", provider.name, endpoint.dialect);
        }
        for row in rows {
            let text = bytes(&provider.name, row["file"].as_str().unwrap());
            for chunk in [1, 7, 64, text.len()] {
                check_reply(provider, &row, &text, chunk);
            }
        }
    }
}

fn check_reply(provider: &Provider, row: &Value, text: &[u8], chunk: usize) {
    let dialect = dialect_of(row);
    let shape = if row["shape"] == "stream" { Shape::Stream } else { Shape::Whole };
    let mut tap = Tap::new(dialect, shape, provider.tap_options(dialect));
    let mut forwarded = Vec::new();
    for piece in text.chunks(chunk) {
        forwarded.extend(tap.push(piece).forward);
    }
    let last = tap.finish();
    forwarded.extend(last.forward);
    let at = format!("{} {} by {chunk}", provider.name, row["file"]);
    assert!(forwarded == text, "{at}: the bytes changed");
    assert!(last.committed && !last.failed, "{at}: {:?}", tap.failure());
    let seen = tap.observed();
    assert_eq!(seen.model.as_deref(), row["model"].as_str(), "{at}");
    assert_eq!(seen.id.as_deref(), row["id"].as_str(), "{at}");
    assert_eq!(seen.stop_reason.as_deref(), row["stop"].as_str(), "{at}");
    let expected: Usage = serde_json::from_value(row["usage"].clone()).unwrap();
    assert_eq!(seen.usage, Some(expected), "{at}");
    assert!(seen.usage_final, "{at}");
}

#[test]
fn errors_are_understood_and_every_spelling_has_one() {
    for provider in over_the_network() {
        let rows = rows(&provider.name, "errors.json");
        check_errors(provider, &rows);
    }
    let rows = rows("compatible", "errors.json");
    for row in &rows {
        let host = row["host"].as_str().unwrap().to_owned();
        let provider = Provider::compatible(host, "https://api.example/v1", "EXAMPLE_API_KEY");
        let own: Vec<Value> = rows.iter().filter(|other| other["host"] == row["host"]).cloned().collect();
        assert!(!provider.tried_live);
        for row in own {
            check_error(&provider, &row);
        }
    }
}

fn check_error(provider: &Provider, row: &Value) -> ProviderError {
    let status = u16::try_from(row["status"].as_u64().unwrap()).unwrap();
    let error = ProviderError::read(status, None, row["body"].as_str().unwrap().as_bytes());
    let fault = provider.classify(&error);
    assert_eq!(fault.name(), row["fault"].as_str().unwrap(), "{}: {row}", provider.name);
    assert!(!row["source"].as_str().unwrap().is_empty());
    assert!(!error.message.is_empty() && !error.message.contains("sk-proj"), "{}", error.message);
    error
}

fn check_errors(provider: &Provider, rows: &[Value]) {
    let errors: Vec<ProviderError> = rows.iter().map(|row| check_error(provider, row)).collect();
    for rule in provider.faults {
        let met = errors.iter().any(|error| {
            rule.status.is_none_or(|status| error.status == Some(status))
                && (rule.code.is_empty() || rule.code == error.code || rule.code == error.kind)
                && error.message.to_lowercase().contains(rule.message)
                && provider.classify(error).name() == rule.fault.name()
        });
        assert!(met, "{}: no fixture for {rule:?}", provider.name);
    }
}

#[test]
fn a_host_from_data_is_a_provider() {
    let groq = Provider::compatible("groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY");
    let key = Secret::new("gsk_x".into());
    let target = groq.request(Dialect::OpenaiChat, None, "openai/gpt-oss-20b", Some(&key)).unwrap();
    assert_eq!(target.url, "https://api.groq.com/openai/v1/chat/completions");
    assert_eq!(target.auth.unwrap().1.expose(), "Bearer gsk_x");
    assert_eq!(groq.models(None, None).unwrap().url, "https://api.groq.com/openai/v1/models");
    assert_eq!(groq.dialect_for(Dialect::AnthropicMessages), Some(Dialect::OpenaiChat));
    assert_eq!(groq.dialect_for(Dialect::OpenaiResponses), None);
    let bare = Provider::compatible("deepseek", "https://api.deepseek.com", "DEEPSEEK_API_KEY");
    let url = bare.request(Dialect::OpenaiChat, None, "m", None).unwrap().url;
    assert_eq!(url, "https://api.deepseek.com/chat/completions", "a base from data is used as it is");
}

#[test]
fn addresses_that_cannot_be_are_refused() {
    let openai = by_name("openai").unwrap();
    for bad in
        ["ftp://x", "api.openai.com", "https://", "https://a b", "https://user:key@host/v1", "https://x/#y"]
    {
        let error = openai.request(Dialect::OpenaiChat, Some(bad), "m", None).unwrap_err();
        assert!(matches!(error, TargetError::BadAddress { .. }), "{bad}");
        assert!(error.to_string().contains("hint:"));
    }
    let azure = by_name("azure").unwrap().request(Dialect::OpenaiChat, None, "m", None).unwrap_err();
    assert!(matches!(azure, TargetError::NoAddress { .. }));
    let spoken = openai.request(Dialect::AnthropicMessages, None, "m", None).unwrap_err();
    assert!(matches!(spoken, TargetError::NotSpoken { .. }));
    let old = Some("https://a.openai.azure.com?api-version=2024-10-21");
    assert!(by_name("azure").unwrap().request(Dialect::OpenaiResponses, old, "m", None).is_err());
    let local = by_name("local").unwrap();
    assert!(local.request(Dialect::OpenaiChat, None, "m", None).is_err() && !local.network);
}

#[test]
fn other_addresses_and_headers() {
    let anthropic = by_name("anthropic").unwrap();
    let counted = anthropic.count_tokens(None, None).unwrap().url;
    assert_eq!(counted, "https://api.anthropic.com/v1/messages/count_tokens");
    let azure = by_name("azure").unwrap();
    let old = Some("https://a.openai.azure.com?api-version=2024-10-21");
    assert_eq!(
        azure.models(old, None).unwrap().url,
        "https://a.openai.azure.com/openai/models?api-version=2024-10-21"
    );
    assert!(
        forwards("anthropic-beta", Dialect::AnthropicMessages)
            && !forwards("anthropic-beta", Dialect::OpenaiChat)
    );
    assert!(forwards("openai-beta", Dialect::OpenaiResponses));
    for ours in ["authorization", "x-api-key", "openai-organization", "cookie", "traceparent"] {
        assert!(Dialect::ALL.iter().all(|dialect| !forwards(ours, *dialect)), "{ours}");
    }
}
