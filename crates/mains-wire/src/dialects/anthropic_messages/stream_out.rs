//! A message stream, written event by event.

use super::{blocks, words};
use crate::json::Writer as Json;
use crate::loss::Losses;
use crate::neutral::{BlockStart, CallKind, Citation, Delta, Event, StopReason};
use mains_units::Usage;

/// How much of the model's own refusal is repeated in `stop_details`, in bytes.
const LONGEST_EXPLANATION: usize = 4_096;

/// Named events, each with its data.
pub(crate) type Named = (&'static str, Vec<u8>);

/// Writes events as Anthropic's.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    /// The start, held back until something follows, so that it can say the usage that is known.
    start: Option<(String, String)>,
    begun: bool,
    usage: Option<Usage>,
    /// How many blocks began.
    blocks: u32,
    /// The open block: the event's number, and what it is.
    open: Option<(u32, Open)>,
    calls_tools: bool,
    refused: Option<String>,
    stop: Option<StopReason>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Refusal,
    Reasoning,
    Call,
    Skipped,
}

impl Writer {
    /// The events that say one neutral event.
    pub(crate) fn event(&mut self, event: &Event, out: &mut Vec<Named>, losses: &mut Losses) {
        match event {
            Event::Start { id, model, .. } => {
                // No second `message_start`, ever: the first one stands.
                if !self.begun && self.start.is_none() {
                    self.start = Some((id.clone(), model.clone()));
                }
            }
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Logprobs { .. } => losses.add("logprobs", "Anthropic has no such field"),
            Event::BlockStart { choice: 1.., .. } => losses.add("choices", "Anthropic gives one answer"),
            Event::Delta { choice: 1.., .. }
            | Event::BlockEnd { choice: 1.., .. }
            | Event::Stop { choice: 1.., .. }
            | Event::Error(_) => {}
            Event::BlockStart { start, .. } => self.begin(start, out, losses),
            Event::Delta { delta, .. } => self.piece(delta, out, losses),
            Event::BlockEnd { .. } => self.end(out),
            Event::Stop { reason, .. } => {
                self.flush(out);
                self.stop.get_or_insert_with(|| reason.clone());
            }
        }
    }

    /// Whether the answer ended.
    pub(crate) fn is_whole(&self) -> bool {
        self.stop.is_some()
    }

    /// The end of a whole answer.
    pub(crate) fn last(&mut self, out: &mut Vec<Named>, losses: &mut Losses) {
        self.end(out);
        let mut json = Json::new();
        json.object(|w| {
            w.field("type", "message_delta");
            w.object_field("delta", |w| {
                words::write_stop(w, self.stop.as_ref(), self.calls_tools, self.refused.as_deref());
            });
            // The format requires the counts; the client's SDK adds them up.
            w.object_field("usage", |w| words::write_usage(w, &self.usage.unwrap_or_default()));
        });
        if self.usage.is_none() {
            losses.add("usage", "unknown, and said as 0 because the format requires it");
        }
        out.push(("message_delta", json.finish()));
        out.push(("message_stop", br#"{"type":"message_stop"}"#.to_vec()));
    }

    /// Writes `message_start` once.
    fn flush(&mut self, out: &mut Vec<Named>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let (id, model) = self.start.take().unwrap_or_default();
        let mut json = Json::new();
        json.object(|w| {
            w.field("type", "message_start");
            w.object_field("message", |w| {
                w.field("id", &id);
                w.field("type", "message");
                w.field("role", "assistant");
                w.field("model", &model);
                w.array_field("content", |_| {});
                w.field("stop_reason", &None::<u8>);
                w.field("stop_sequence", &None::<u8>);
                w.object_field("usage", |w| words::write_usage(w, &self.usage.unwrap_or_default()));
            });
        });
        out.push(("message_start", json.finish()));
    }

    fn begin(&mut self, start: &BlockStart, out: &mut Vec<Named>, losses: &mut Losses) {
        self.flush(out);
        self.end(out);
        let open = match start {
            BlockStart::Text => Open::Text,
            BlockStart::Refusal => {
                losses.add("refusal", "said as text, with the stop reason `refusal`");
                self.refused.get_or_insert_default();
                Open::Refusal
            }
            BlockStart::Reasoning => Open::Reasoning,
            BlockStart::RedactedReasoning { .. } => Open::Skipped,
            BlockStart::ToolCall { kind: CallKind::Function, .. } => {
                self.calls_tools = true;
                Open::Call
            }
            BlockStart::Foreign { dialect, .. } if *dialect == super::HERE => Open::Skipped,
            BlockStart::Foreign { .. } | BlockStart::ToolCall { kind: CallKind::Custom, .. } => {
                losses.add("content", "not a block of an Anthropic answer");
                return;
            }
        };
        let index = self.blocks;
        self.blocks = self.blocks.saturating_add(1);
        self.open = Some((index, open));
        let mut json = Json::new();
        json.object(|w| {
            w.field("type", "content_block_start");
            w.field("index", &index);
            match start {
                BlockStart::Foreign { raw, .. } => w.raw_field("content_block", raw.as_str()),
                _ => w.object_field("content_block", |w| write_start(w, start)),
            }
        });
        out.push(("content_block_start", json.finish()));
    }

    fn piece(&mut self, delta: &Delta, out: &mut Vec<Named>, losses: &mut Losses) {
        let Some((index, open)) = self.open else { return };
        if let (Open::Refusal, Delta::Text(text), Some(refused)) = (open, delta, &mut self.refused)
            && refused.len() + text.len() <= LONGEST_EXPLANATION
        {
            refused.push_str(text);
        }
        let (kind, key, text) = match (open, delta) {
            (Open::Text | Open::Refusal, Delta::Text(text)) => ("text_delta", "text", text),
            (Open::Reasoning, Delta::Reasoning(text)) => ("thinking_delta", "thinking", text),
            (Open::Reasoning, Delta::Signature(text)) => ("signature_delta", "signature", text),
            (Open::Call | Open::Skipped, Delta::Arguments(text)) => {
                ("input_json_delta", "partial_json", text)
            }
            (Open::Text, Delta::Citation(citation)) => return citation_piece(index, citation, out, losses),
            _ => return losses.add("content", "a piece that does not fit its block"),
        };
        let mut json = Json::new();
        json.object(|w| {
            w.field("type", "content_block_delta");
            w.field("index", &index);
            w.object_field("delta", |w| {
                w.field("type", kind);
                w.field(key, text);
            });
        });
        out.push(("content_block_delta", json.finish()));
    }

    fn end(&mut self, out: &mut Vec<Named>) {
        let Some((index, _)) = self.open.take() else { return };
        let mut json = Json::new();
        json.object(|w| {
            w.field("type", "content_block_stop");
            w.field("index", &index);
        });
        out.push(("content_block_stop", json.finish()));
    }
}

fn write_start(w: &mut Json, start: &BlockStart) {
    match start {
        BlockStart::Reasoning => {
            w.field("type", "thinking");
            w.field("thinking", "");
            w.field("signature", "");
        }
        BlockStart::RedactedReasoning { data } => {
            w.field("type", "redacted_thinking");
            w.field("data", data);
        }
        BlockStart::ToolCall { id, name, .. } => {
            w.field("type", "tool_use");
            w.field("id", id);
            w.field("name", name);
            w.object_field("input", |_| {});
        }
        BlockStart::Text | BlockStart::Refusal | BlockStart::Foreign { .. } => {
            w.field("type", "text");
            w.field("text", "");
        }
    }
}

fn citation_piece(index: u32, citation: &Citation, out: &mut Vec<Named>, losses: &mut Losses) {
    if matches!(citation, Citation::Foreign { dialect, .. } if *dialect != super::HERE) {
        return losses.add("citations", "Anthropic knows no such citation");
    }
    let mut json = Json::new();
    json.object(|w| {
        w.field("type", "content_block_delta");
        w.field("index", &index);
        w.object_field("delta", |w| {
            w.field("type", "citations_delta");
            let mut one = Json::new();
            blocks::write_citation(&mut one, citation, "content", losses);
            w.raw_field("citation", &String::from_utf8_lossy(&one.finish()));
        });
    });
    out.push(("content_block_delta", json.finish()));
}
