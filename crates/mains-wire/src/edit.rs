//! A request as the client wrote it: a cheap look at what matters, and edits on the original bytes.
//!
//! When the same dialect goes in and out, the body is not written anew: [`apply`] changes the members that
//! the closed list of [`Edits`] names and leaves every other byte as it is, unknown fields, spacing,
//! doubled keys and large numbers included. [`peek`] tells what the stops before the full read need.

use crate::Dialect;
use crate::scan::{self as json, JsonError, Scanner, Token};
use std::ops::Range;

/// What is known of a request without reading it whole.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a member of the request that is true or false there"
)]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Peek {
    /// The model asked for; the last one if the member is doubled, as most parsers take it.
    pub model: Option<String>,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// Whether the client itself asked for usage in the stream (OpenAI chat).
    pub include_usage: bool,
    /// The most output tokens that the client allows, over all answers: times `n` where the dialect has it.
    pub max_output_tokens: Option<u64>,
    /// An upper bound of the text in the request, in bytes: everything but white space between values and
    /// the data of media. A token is at least a byte, so this also bounds the input tokens of the text.
    pub text_bytes: u64,
    /// How many strings hold media data (base64) or point to media by a `data:` address.
    pub media: u32,
    /// `store` of OpenAI responses and chat, if the client set it.
    pub store: Option<bool>,
    /// `previous_response_id` of OpenAI responses.
    pub previous_response_id: Option<String>,
    /// Whether OpenAI responses are to run in the background.
    pub background: bool,
    /// Whether OpenAI responses name a `conversation` kept at the provider.
    pub conversation: bool,
    /// `prompt_cache_key`, for affinity.
    pub prompt_cache_key: Option<String>,
}

/// Looks at a body. The whole text is checked to be one JSON object in UTF-8, nested at most 128 levels.
pub fn peek(dialect: Dialect, body: &[u8]) -> Result<Peek, JsonError> {
    if let Err(error) = std::str::from_utf8(body) {
        return Err(JsonError { at: error.valid_up_to(), what: "bytes that are not UTF-8" });
    }
    let mut peek = Peek::default();
    let mut answers = 1;
    let mut limits = [None; 2];
    for member in json::members(body)? {
        let value = member.value;
        match member.key.as_ref() {
            "model" => peek.model = json::string(value).map(Into::into),
            "stream" => peek.stream = value == b"true",
            "stream_options" => peek.include_usage = json::get(value, "include_usage") == Some(b"true"),
            "max_tokens" if dialect != Dialect::OpenaiResponses => limits[1] = json::integer(value),
            "max_completion_tokens" if dialect == Dialect::OpenaiChat => limits[0] = json::integer(value),
            "max_output_tokens" if dialect == Dialect::OpenaiResponses => limits[0] = json::integer(value),
            "n" if dialect == Dialect::OpenaiChat => answers = json::integer(value).unwrap_or(1).max(1),
            "store" => peek.store = boolean(value),
            "previous_response_id" => peek.previous_response_id = json::string(value).map(Into::into),
            "background" => peek.background = value == b"true",
            "conversation" => peek.conversation = value != b"null",
            "prompt_cache_key" => peek.prompt_cache_key = json::string(value).map(Into::into),
            _ => {}
        }
    }
    peek.max_output_tokens = limits[0].or(limits[1]).map(|limit: u64| limit.saturating_mul(answers));
    (peek.text_bytes, peek.media) = weigh(body)?;
    Ok(peek)
}

fn boolean(value: &[u8]) -> Option<bool> {
    match value {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    }
}

/// Bytes of the text that are neither white space between tokens nor media data, and how many strings are
/// media data.
fn weigh(body: &[u8]) -> Result<(u64, u32), JsonError> {
    let mut scanner = Scanner::new(body);
    let (mut media_bytes, mut media, mut after_data_key) = (0, 0, false);
    while let Some(token) = scanner.next_token()? {
        if let Token::String(span) = &token {
            let content = &body[span.start + 1..span.end - 1];
            if content.starts_with(b"data:") || (after_data_key && content.len() > 256 && is_base64(content))
            {
                media_bytes += content.len();
                media += 1;
            }
        }
        // Where the dialects keep base64: `source.data`, `input_audio.data`, `file.file_data`.
        after_data_key = matches!(&token, Token::Key(key)
            if matches!(&body[key.clone()], br#""data""# | br#""file_data""#));
    }
    Ok(((body.len() - scanner.space - media_bytes) as u64, media))
}

fn is_base64(content: &[u8]) -> bool {
    content
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_'))
}

/// The closed list of edits on a body that is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Edits<'a> {
    /// The name by which the provider knows the model, put in place of the one asked for.
    pub model: Option<&'a str>,
    /// Put in `stream_options.include_usage` if it is not there (OpenAI chat streams only). The extra chunk
    /// is then to be withheld from the client, see [`crate::tap::Options::withhold_usage`].
    pub include_usage: bool,
    /// Members under another name, where the target is known to refuse the caller's: old name, then new. One whose new
    /// name stands there too is left for the provider to refuse.
    pub renames: &'a [(&'a str, &'a str)],
}

/// The body with the edits made and every other byte as it was.
///
/// Every doubled `model` is replaced, or a second one could ask for another model than the one judged. A
/// `stream_options` that is neither an object nor `null` is left for the provider to refuse.
pub fn apply(body: &[u8], edits: &Edits<'_>) -> Result<Vec<u8>, JsonError> {
    let members = json::members(body)?;
    let mut changes: Vec<Change> = Vec::new();
    let mut added: Vec<Vec<u8>> = Vec::new();
    if let Some(model) = edits.model {
        let mut found = false;
        for member in members.iter().filter(|member| member.key == "model") {
            found = true;
            if json::string(member.value).as_deref() != Some(model) {
                changes.push((member.span.clone(), quoted(model)));
            }
        }
        if !found {
            added.push([&b"\"model\":"[..], &quoted(model)].concat());
        }
    }
    if edits.include_usage {
        let mut found = false;
        for member in members.iter().filter(|member| member.key == "stream_options") {
            found = true;
            changes.extend(ask_for_usage(member.value, member.span.start)?);
        }
        if !found {
            added.push(br#""stream_options":{"include_usage":true}"#.to_vec());
        }
    }
    for (old, new) in edits.renames {
        if members.iter().any(|member| member.key == *new) {
            continue;
        }
        let named = members.iter().filter(|member| member.key == *old && member.value != b"null");
        changes.extend(named.map(|member| (member.key_span.clone(), quoted(new))));
    }
    if !added.is_empty() {
        let text = added.join(&b","[..]);
        changes.push(insertion(body, members.is_empty(), &text));
    }
    Ok(splice(body, changes))
}

/// A span of the body, and what stands there instead.
type Change = (Range<usize>, Vec<u8>);

const USAGE: &[u8] = br#""include_usage":true"#;

/// The changes that make one `stream_options` value ask for usage.
fn ask_for_usage(options: &[u8], start: usize) -> Result<Vec<Change>, JsonError> {
    let shift = |span: Range<usize>| span.start + start..span.end + start;
    if options == b"null" {
        return Ok(vec![(shift(0..options.len()), [b"{", USAGE, b"}"].concat())]);
    }
    if !options.starts_with(b"{") {
        return Ok(Vec::new());
    }
    let members = json::members(options)?;
    let asked: Vec<_> = members.iter().filter(|member| member.key == "include_usage").collect();
    if asked.is_empty() {
        let (span, text) = insertion(options, members.is_empty(), USAGE);
        return Ok(vec![(shift(span), text)]);
    }
    let not_true = asked.into_iter().filter(|member| member.value != b"true");
    Ok(not_true.map(|member| (shift(member.span.clone()), b"true".to_vec())).collect())
}

/// The change that adds members before the brace that closes an object.
fn insertion(object: &[u8], empty: bool, text: &[u8]) -> Change {
    let brace = object.iter().rposition(|byte| *byte == b'}').unwrap_or(object.len());
    let comma: &[u8] = if empty { b"" } else { b"," };
    (brace..brace, [comma, text].concat())
}

/// A JSON string.
pub(crate) fn quoted(text: &str) -> Vec<u8> {
    serde_json::Value::from(text).to_string().into_bytes()
}

fn splice(body: &[u8], mut changes: Vec<Change>) -> Vec<u8> {
    changes.sort_by_key(|(span, _)| span.start);
    let grown: usize = changes.iter().map(|(_, text)| text.len()).sum();
    let mut out = Vec::with_capacity(body.len() + grown);
    let mut at = 0;
    for (span, text) in changes {
        out.extend_from_slice(&body[at..span.start]);
        out.extend_from_slice(&text);
        at = span.end;
    }
    out.extend_from_slice(&body[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, edits: &Edits<'_>, expect: &str) {
        let edited = apply(body.as_bytes(), edits).unwrap();
        assert_eq!(String::from_utf8(edited).unwrap(), expect, "{body}");
    }

    #[test]
    fn members_get_the_names_that_the_target_knows() {
        let edits = Edits { renames: &[("max_tokens", "max_completion_tokens")], ..Edits::default() };
        check(r#"{ "max_tokens" : 7, "x": 1}"#, &edits, r#"{ "max_completion_tokens" : 7, "x": 1}"#);
        for same in [
            r#"{"max_tokens": null}"#,
            r#"{"max_tokens": 7, "max_completion_tokens": 8}"#,
            r#"{"messages": [{"max_tokens": 7}]}"#,
            r#"{"y": "max_tokens"}"#,
        ] {
            check(same, &edits, same);
        }
    }

    #[test]
    fn only_the_named_members_change() {
        let model = Edits { model: Some("b\"x"), ..Edits::default() };
        check("{ \"model\" : \"a\" ,\n\"n\":1e99}", &model, "{ \"model\" : \"b\\\"x\" ,\n\"n\":1e99}");
        check(
            r#"{"model":"a","x":{"model":"a"},"\u006dodel":1}"#,
            &model,
            r#"{"model":"b\"x","x":{"model":"a"},"\u006dodel":"b\"x"}"#,
        );
        check("{ }", &model, "{ \"model\":\"b\\\"x\"}");
        check(r#"{"model":"b\u0022x"}"#, &model, r#"{"model":"b\u0022x"}"#);
    }

    #[test]
    fn usage_is_asked_for_where_it_is_missing() {
        let usage = Edits { include_usage: true, ..Edits::default() };
        check("{}", &usage, r#"{"stream_options":{"include_usage":true}}"#);
        check(r#"{"a":1 } "#, &usage, r#"{"a":1 ,"stream_options":{"include_usage":true}} "#);
        check(r#"{"stream_options":null}"#, &usage, r#"{"stream_options":{"include_usage":true}}"#);
        check(r#"{"stream_options": { }}"#, &usage, r#"{"stream_options": { "include_usage":true}}"#);
        check(
            r#"{"stream_options":{"x":"}"},"b":2}"#,
            &usage,
            r#"{"stream_options":{"x":"}","include_usage":true},"b":2}"#,
        );
        check(
            r#"{"stream_options":{"include_usage":false}}"#,
            &usage,
            r#"{"stream_options":{"include_usage":true}}"#,
        );
        check(
            r#"{"stream_options":{"include_usage": true}}"#,
            &usage,
            r#"{"stream_options":{"include_usage": true}}"#,
        );
        check(r#"{"stream_options":7}"#, &usage, r#"{"stream_options":7}"#);
    }

    #[test]
    fn a_peek_tells_what_the_stops_need() {
        let body = br#"{"model":"x","model":"gpt-4o-mini","stream":true,"max_tokens":10,"max_completion_tokens":7,"n":3,
            "stream_options":{"include_usage":true},"messages":[{"content":"h\u00e9"}]}"#;
        let seen = peek(Dialect::OpenaiChat, body).unwrap();
        assert_eq!(seen.model.as_deref(), Some("gpt-4o-mini"));
        assert!(seen.stream && seen.include_usage);
        assert_eq!(seen.max_output_tokens, Some(21));
        assert_eq!(seen.media, 0);
        assert_eq!(seen.text_bytes, body.len() as u64 - 13, "a line end and twelve spaces are no text");

        let responses = br#"{"model":"m","max_output_tokens":5,"store":false,"previous_response_id":"resp_1","background":true}"#;
        let seen = peek(Dialect::OpenaiResponses, responses).unwrap();
        assert_eq!((seen.max_output_tokens, seen.store), (Some(5), Some(false)));
        assert_eq!(seen.previous_response_id.as_deref(), Some("resp_1"));
        assert!(seen.background);
    }

    #[test]
    fn media_is_no_text() {
        let image = "A".repeat(4000);
        let body = format!(
            r#"{{"model":"m","a":{{"url":"data:image/png;base64,{image}"}},"b":{{"data":"{image}"}}}}"#
        );
        let seen = peek(Dialect::AnthropicMessages, body.as_bytes()).unwrap();
        assert_eq!(seen.media, 2);
        assert!(seen.text_bytes < 100, "{}", seen.text_bytes);
        let spoken = format!(r#"{{"data":"{}"}}"#, "two words ".repeat(50));
        assert_eq!(
            peek(Dialect::OpenaiChat, spoken.as_bytes()).unwrap().media,
            0,
            "text under that key counts"
        );
    }

    #[test]
    fn what_is_no_object_is_refused_with_its_place() {
        assert_eq!(peek(Dialect::OpenaiChat, b"[1]").unwrap_err().to_string(), "no JSON object at byte 0");
        assert_eq!(
            peek(Dialect::OpenaiChat, b"{\"a\":\xff}").unwrap_err().to_string(),
            "bytes that are not UTF-8 at byte 5"
        );
        assert!(peek(Dialect::OpenaiChat, format!("{{\"a\":{}", "[".repeat(200)).as_bytes()).is_err());
    }
}
