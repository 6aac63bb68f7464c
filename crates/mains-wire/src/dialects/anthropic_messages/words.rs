//! The dialect's vocabularies: why an answer ended, what it used, cache marks.

use crate::json::{Node, Object, ReadError, Writer};
use crate::loss::Losses;
use crate::neutral::{CacheMark, StopReason};
use mains_units::Usage;

/// Reads `stop_reason`, `stop_sequence` and `stop_details` of a message or of its last delta.
pub(super) fn read_stop(object: &mut Object<'_>) -> Result<Option<StopReason>, ReadError> {
    let sequence = object.string("stop_sequence")?;
    let details = object.read("stop_details", |node| {
        let mut details = node.object()?;
        Ok((details.string("category")?, details.string("explanation")?))
    })?;
    let Some(word) = object.string("stop_reason")? else { return Ok(None) };
    Ok(Some(match word.as_str() {
        "end_turn" => StopReason::EndTurn,
        "max_tokens" => StopReason::MaxTokens,
        "stop_sequence" => StopReason::StopSequence(sequence),
        "tool_use" => StopReason::ToolUse,
        "pause_turn" => StopReason::PauseTurn,
        "model_context_window_exceeded" => StopReason::ContextWindow,
        "refusal" => {
            let (category, explanation) = details.unwrap_or_default();
            StopReason::Refusal { category, explanation }
        }
        _ => StopReason::Other(word),
    }))
}

/// Writes `stop_reason`, `stop_sequence` and `stop_details`. `calls_tools`: some hosts end a turn that asks
/// for tools as an ordinary end, and then Anthropic's clients would not run the tools. `refused`: the model's
/// own words when it declined.
pub(super) fn write_stop(
    w: &mut Writer,
    reason: Option<&StopReason>,
    calls_tools: bool,
    refused: Option<&str>,
) {
    let word = match reason {
        None => None,
        Some(StopReason::EndTurn) if calls_tools => Some("tool_use"),
        Some(StopReason::EndTurn) if refused.is_some() => Some("refusal"),
        Some(StopReason::EndTurn) => Some("end_turn"),
        Some(StopReason::MaxTokens) => Some("max_tokens"),
        Some(StopReason::StopSequence(_)) => Some("stop_sequence"),
        Some(StopReason::ToolUse) => Some("tool_use"),
        Some(StopReason::PauseTurn) => Some("pause_turn"),
        Some(StopReason::ContextWindow) => Some("model_context_window_exceeded"),
        Some(StopReason::Refusal { .. }) => Some("refusal"),
        Some(StopReason::Other(word)) => Some(word.as_str()),
    };
    w.field("stop_reason", &word);
    let sequence = match reason {
        Some(StopReason::StopSequence(sequence)) => sequence.as_deref(),
        _ => None,
    };
    w.field("stop_sequence", &sequence);
    let (category, explanation) = match reason {
        Some(StopReason::Refusal { category, explanation }) => (category.as_deref(), explanation.as_deref()),
        _ => (None, None),
    };
    let explanation = explanation.or(refused);
    if word == Some("refusal") && (category.is_some() || explanation.is_some()) {
        w.object_field("stop_details", |w| {
            w.field("type", "refusal");
            w.field("category", &category);
            w.field("explanation", &explanation);
        });
    }
}

/// Takes the counts that are there into `usage`: a stream says them piece by piece, each replacing the last.
pub(super) fn read_usage(node: Node<'_>, usage: &mut Usage) -> Result<(), ReadError> {
    let mut object = node.object()?;
    let mut count = |key: &str, field: &mut u64| -> Result<(), ReadError> {
        if let Some(number) = object.read(key, Node::u64)? {
            *field = number;
        }
        Ok(())
    };
    count("input_tokens", &mut usage.input)?;
    count("cache_read_input_tokens", &mut usage.cached_read)?;
    count("cache_creation_input_tokens", &mut usage.cached_write)?;
    count("output_tokens", &mut usage.output)?;
    let thinking =
        object.read("output_tokens_details", |node| node.object()?.read("thinking_tokens", Node::u64))?;
    if let Some(thinking) = thinking.flatten() {
        usage.reasoning = thinking;
    }
    Ok(())
}

pub(super) fn write_usage(w: &mut Writer, usage: &Usage) {
    w.field("input_tokens", &usage.input);
    w.field("cache_creation_input_tokens", &usage.cached_write);
    w.field("cache_read_input_tokens", &usage.cached_read);
    w.field("output_tokens", &usage.output);
    if usage.reasoning > 0 {
        w.object_field("output_tokens_details", |w| w.field("thinking_tokens", &usage.reasoning));
    }
}

/// `cache_control`; its lives are `5m` and `1h`.
pub(super) fn read_cache(object: &mut Object<'_>) -> Result<Option<CacheMark>, ReadError> {
    object.read("cache_control", |node| {
        let ttl = node.object()?.string("ttl")?;
        Ok(CacheMark { minutes: ttl.as_deref().and_then(crate::dialects::minutes) })
    })
}

pub(super) fn write_cache(w: &mut Writer, cache: Option<CacheMark>, path: &str, losses: &mut Losses) {
    let Some(CacheMark { minutes }) = cache else { return };
    w.object_field("cache_control", |w| {
        w.field("type", "ephemeral");
        match minutes {
            None => {}
            Some(5) => w.field("ttl", "5m"),
            Some(60) => w.field("ttl", "1h"),
            Some(other) => {
                w.field("ttl", if other < 60 { "5m" } else { "1h" });
                losses.add(format!("{path}.cache_control.ttl"), "Anthropic keeps 5m or 1h");
            }
        }
    });
}
