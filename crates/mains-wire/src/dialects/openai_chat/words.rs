//! The dialect's vocabularies: why an answer ended, what it used, where a picture is.

use crate::json::{Node, Object, ReadError, Writer};
use crate::neutral::{CacheMark, Json, Source, StopReason};
use mains_units::Usage;

pub(super) fn stop_reason(word: String) -> StopReason {
    match word.as_str() {
        "stop" => StopReason::EndTurn,
        "length" => StopReason::MaxTokens,
        "tool_calls" | "function_call" => StopReason::ToolUse,
        "content_filter" => StopReason::Refusal { category: None, explanation: None },
        _ => StopReason::Other(word),
    }
}

pub(super) fn finish_reason(reason: &StopReason) -> &'static str {
    match reason {
        StopReason::EndTurn | StopReason::StopSequence(_) | StopReason::PauseTurn | StopReason::Other(_) => {
            "stop"
        }
        StopReason::MaxTokens | StopReason::ContextWindow => "length",
        StopReason::ToolUse => "tool_calls",
        StopReason::Refusal { .. } => "content_filter",
    }
}

/// Whether [`finish_reason`] keeps the whole meaning.
pub(super) fn is_exact(reason: &StopReason) -> bool {
    matches!(
        reason,
        StopReason::EndTurn
            | StopReason::MaxTokens
            | StopReason::ToolUse
            | StopReason::Refusal { category: None, explanation: None }
    )
}

/// `prompt_tokens` counts cached tokens in; the neutral form keeps them apart.
pub(super) fn read_usage(node: Node<'_>) -> Result<Usage, ReadError> {
    let mut usage = node.object()?;
    let prompt = usage.read("prompt_tokens", Node::u64)?.unwrap_or(0);
    let output = usage.read("completion_tokens", Node::u64)?.unwrap_or(0);
    let mut details = |key: &str, part: [&str; 2]| -> Result<[u64; 2], ReadError> {
        let Some(mut object) = usage.read(key, Node::object)? else { return Ok([0, 0]) };
        let mut count = |part| object.read(part, Node::u64).map(Option::unwrap_or_default);
        Ok([count(part[0])?, count(part[1])?])
    };
    let [cached_read, cached_write] =
        details("prompt_tokens_details", ["cached_tokens", "cache_write_tokens"])?;
    let [reasoning, _] = details("completion_tokens_details", ["reasoning_tokens", "text_tokens"])?;
    let input = prompt.saturating_sub(cached_read).saturating_sub(cached_write);
    Ok(Usage { input, cached_read, cached_write, output, reasoning })
}

pub(super) fn write_usage(writer: &mut Writer, usage: &Usage) {
    writer.field("prompt_tokens", &usage.input_total());
    writer.field("completion_tokens", &usage.output);
    writer.field("total_tokens", &usage.total());
    writer.object_field("prompt_tokens_details", |w| {
        w.field("cached_tokens", &usage.cached_read);
        if usage.cached_write > 0 {
            w.field("cache_write_tokens", &usage.cached_write);
        }
    });
    writer.object_field("completion_tokens_details", |w| w.field("reasoning_tokens", &usage.reasoning));
}

/// A data address holds its bytes itself; any other address is passed on.
pub(super) fn source_of_url(url: String) -> Source {
    let inline = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    match inline {
        Some((media_type, data)) if !media_type.is_empty() => {
            Source::Base64 { media_type: media_type.to_owned(), data: data.to_owned() }
        }
        _ => Source::Url(url),
    }
}

pub(super) fn data_url(media_type: &str, data: &str) -> String {
    format!("data:{media_type};base64,{data}")
}

/// `prompt_cache_breakpoint` of a content part; its lives are `30m` and `12h`.
pub(super) fn read_cache_mark(part: &mut Object<'_>) -> Result<Option<CacheMark>, ReadError> {
    part.read("prompt_cache_breakpoint", |node| {
        let ttl = node.object()?.string("ttl")?;
        Ok(CacheMark { minutes: ttl.as_deref().and_then(crate::dialects::minutes) })
    })
}

/// Joins the probabilities of a stream's chunks: the lists `content` and `refusal` one behind the other.
pub(crate) fn join_logprobs(pieces: &[Json]) -> Option<Json> {
    if let [only] = pieces {
        return Some(only.clone());
    }
    let mut lists: [Option<Vec<&str>>; 2] = [None, None];
    for piece in pieces {
        let Ok(mut object) = Node::trusted(piece.as_str()).object() else { continue };
        for (list, key) in lists.iter_mut().zip(["content", "refusal"]) {
            let items = object.take(key).and_then(|node| node.items().ok()).into_iter().flatten();
            for item in items {
                list.get_or_insert_default().push(item.text());
            }
        }
    }
    (!pieces.is_empty()).then(|| {
        Json::object(|w| {
            for (list, key) in lists.iter().zip(["content", "refusal"]) {
                match list {
                    Some(items) => w.array_field(key, |w| items.iter().for_each(|item| w.raw(item))),
                    None => w.field(key, &None::<u8>),
                }
            }
        })
    })
}
