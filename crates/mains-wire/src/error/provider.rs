//! What a provider says when it fails, in whatever form.

use crate::scan as json;
use mains_units::{Span, Timestamp};
use std::borrow::Cow;

/// The longest message that is kept, in characters.
const MESSAGE_MAX: usize = 2_000;

/// A provider's error, read from any of the forms that providers use. Empty text where it said nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProviderError {
    /// The HTTP status; `None` for an error inside a stream or when no reply came.
    pub status: Option<u16>,
    /// The `type`.
    pub kind: String,
    /// The `code`; numbers as their digits.
    pub code: String,
    /// What it says, at most 2,000 characters, without anything that looks like a key.
    pub message: String,
    /// The `param` that it names.
    pub param: Option<String>,
    /// How long it asks to wait.
    pub retry_after: Option<Span>,
}

impl ProviderError {
    /// Reads the body of a reply whose status says that it failed: the envelopes of OpenAI and Anthropic,
    /// `{"error": "text"}`, `{"message": …}`, `{"detail": …}`, a list with one of these in it, a page of
    /// HTML, or anything else.
    pub fn read(status: u16, retry_after: Option<Span>, body: &[u8]) -> Self {
        let mut error = Self::from_json(body).unwrap_or_else(|| Self::from_page(body));
        error.status = Some(status);
        error.retry_after = retry_after;
        error.message = cleaned(&error.message);
        if error.message.is_empty() {
            error.message = format!("the provider answered with status {status} and no reason");
        }
        error
    }

    /// Reads an error that came inside a stream, or inside a reply whose status says that all is well.
    pub fn inside(value: &[u8]) -> Self {
        let mut error = Self::from_json(value).unwrap_or_else(|| Self::from_page(value));
        error.message = cleaned(&error.message);
        if error.message.is_empty() {
            "the provider sent an error without a reason".clone_into(&mut error.message);
        }
        error
    }

    /// An error in Mains' own words, when no reply came or the reply was broken.
    pub fn without_reply(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    fn from_json(body: &[u8]) -> Option<Self> {
        let body = body.trim_ascii();
        // Google's compatible interface wraps the object in a list.
        let object = if body.starts_with(b"[") { *json::elements(body).first()? } else { body };
        json::members(object).ok()?;
        let inner = match json::get(object, "error") {
            Some(inner) if inner.starts_with(b"{") => inner,
            Some(text) if text.starts_with(b"\"") => {
                return Some(Self { message: json::text(text).into_owned(), ..Self::default() });
            }
            _ => object,
        };
        let field =
            |key: &str| json::get(inner, key).map_or(String::new(), |value| json::text(value).into_owned());
        let mut message = field("message");
        if message.is_empty() {
            message = field("detail");
        }
        Some(Self {
            kind: field("type"),
            code: field("code"),
            message,
            param: json::get(inner, "param").and_then(json::string).map(Cow::into_owned),
            ..Self::default()
        })
    }

    /// The words of a page: its title if it has one, else the text between the tags.
    fn from_page(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(&body[..body.len().min(64 << 10)]);
        let lower = text.to_ascii_lowercase();
        let title = lower.find("<title>").and_then(|start| {
            let start = start + "<title>".len();
            let end = lower[start..].find("</title>")?;
            text.get(start..start + end)
        });
        let words = match title {
            Some(title) => title.to_owned(),
            None => without_tags(&text),
        };
        Self { message: words, ..Self::default() }
    }
}

fn without_tags(text: &str) -> String {
    let mut inside = false;
    let kept = |character: &char| {
        match character {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                return false;
            }
            _ => {}
        }
        !inside
    };
    text.chars().filter(kept).collect()
}

/// One line, of bounded length, in which nothing looks like a key: providers repeat keys in their errors,
/// and an error travels to callers and logs.
fn cleaned(message: &str) -> String {
    let words: Vec<Cow<'_, str>> = message
        .split(|character: char| character.is_whitespace() || character.is_control())
        .filter(|word| !word.is_empty())
        .map(hidden)
        .collect();
    words.join(" ").chars().take(MESSAGE_MAX).collect()
}

/// The starts of keys as providers issue them: general knowledge, not read again in their documentation.
const KEY_STARTS: [&str; 9] = ["sk-", "sk_", "gsk_", "xai-", "aiza", "hf_", "nvapi-", "pplx-", "csk-"];

fn hidden(word: &str) -> Cow<'_, str> {
    let trimmed = word.trim_start_matches(|character: char| !character.is_alphanumeric());
    let lower = trimmed.to_ascii_lowercase();
    if lower.len() >= 8 && KEY_STARTS.iter().any(|start| lower.starts_with(start)) {
        Cow::Borrowed("[key]")
    } else {
        Cow::Borrowed(word)
    }
}

/// How long to wait by the headers `retry-after-ms` and `retry-after` (seconds, or a date as RFC 9110
/// section 10.2.3 has it). `None` without a readable header, or for a date in the past.
pub fn retry_after(milliseconds: Option<&str>, header: Option<&str>, now: Timestamp) -> Option<Span> {
    let number =
        |text: &str| text.trim().parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0);
    if let Some(value) = milliseconds.and_then(number) {
        return Some(span_of_ms(value));
    }
    let header = header?;
    if let Some(value) = number(header) {
        return Some(span_of_ms(value * 1_000.0));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(header.trim()).ok()?;
    let ms = date.as_millisecond().checked_sub(now.0)?;
    u64::try_from(ms).ok().map(Span::from_ms)
}

/// Rounded up, so that nobody comes too early; at most 30 days, which is as good as never.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
fn span_of_ms(ms: f64) -> Span {
    Span::from_ms(ms.clamp(0.0, 2_592_000_000.0).ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, kind: &str, code: &str, message: &str) {
        let error = ProviderError::read(400, None, body.as_bytes());
        assert_eq!(
            (error.kind.as_str(), error.code.as_str(), error.message.as_str()),
            (kind, code, message),
            "{body}"
        );
    }

    #[test]
    fn every_form_is_read() {
        check(r#"{"error":{"message":"m","type":"t","param":null,"code":"c"}}"#, "t", "c", "m");
        check(
            r#"{"type":"error","error":{"type":"not_found_error","message":"model: x"},"request_id":"r"}"#,
            "not_found_error",
            "",
            "model: x",
        );
        check(
            r#"{"object":"error","message":"m","type":"NotFoundError","param":null,"code":404}"#,
            "NotFoundError",
            "404",
            "m",
        );
        check(r#"{"error":"model 'x' not found"}"#, "", "", "model 'x' not found");
        check(
            r#"[{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED"}}]"#,
            "",
            "429",
            "quota",
        );
        check(r#"{"detail":"Not Found"}"#, "", "", "Not Found");
        check("<html><head><title>502 Bad Gateway</title></head></html>", "", "", "502 Bad Gateway");
        check("<p>so <b>sorry</b></p>", "", "", "so sorry");
        check("plain\n text", "", "", "plain text");
        check("", "", "", "the provider answered with status 400 and no reason");
        check("{\"error\":{\"message\":7}}", "", "", "7");
        check("\u{fffd}{{{", "", "", "\u{fffd}{{{");
    }

    #[test]
    fn a_key_is_not_repeated() {
        check(
            r#"{"error":{"message":"Incorrect API key provided: sk-proj-abcdef1234. You can find it."}}"#,
            "",
            "",
            "Incorrect API key provided: [key] You can find it.",
        );
        check("'gsk_abcdefgh' is wrong", "", "", "[key] is wrong");
    }

    #[test]
    fn waiting_times_are_read_in_every_form() {
        let now = Timestamp(784_111_777_000 - 5_000);
        assert_eq!(retry_after(None, Some("1.5"), now), Some(Span::from_ms(1_500)));
        assert_eq!(retry_after(Some("20"), Some("9"), now), Some(Span::from_ms(20)));
        assert_eq!(retry_after(None, Some("Sun, 06 Nov 1994 08:49:37 GMT"), now), Some(Span::from_s(5)));
        for none in ["-1", "soon", "", "nan", "Sun, 06 Nov 1994 08:49:00 GMT"] {
            assert_eq!(retry_after(None, Some(none), now), None, "{none}");
        }
        assert_eq!(retry_after(None, None, now), None);
    }
}
