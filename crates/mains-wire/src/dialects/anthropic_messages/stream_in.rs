//! A message stream, read event by event.

use super::{HERE, blocks, words};
use crate::json::{Node, Object, ReadError};
use crate::neutral::{BlockStart, CallKind, Delta, Event};
use mains_units::Usage;

/// More blocks open at once than any server sends.
const MOST_OPEN: usize = 64;

/// Reads events in order.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    started: bool,
    blocks: u32,
    open: Vec<Open>,
    usage: Usage,
    stopped: bool,
    ended: bool,
}

/// A block that takes pieces.
#[derive(Debug)]
struct Open {
    /// The stream's number of it.
    index: u64,
    /// Ours.
    block: u32,
    /// The input that the block began with: the arguments of a tool, unless pieces follow.
    input: Option<String>,
}

impl Reader {
    /// Whether the stream said its end, and why the answer ended before.
    pub(crate) fn is_whole(&self) -> bool {
        self.ended && self.stopped
    }

    /// Whether the last event was read.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Reads one event; its name is in its data too.
    pub(crate) fn event(&mut self, data: &[u8], events: &mut Vec<Event>) -> Result<(), ReadError> {
        let mut event = Node::whole(data)?.object()?;
        match event.require_string("type")?.as_str() {
            "message_start" => event.require("message", |node| self.start(node, events)),
            "content_block_start" => self.begin(event, events),
            "content_block_delta" => self.piece(event, events),
            "content_block_stop" => {
                let index = event.require("index", Node::u64)?;
                let at = self.position(index)?;
                let open = self.open.remove(at);
                close(open, events);
                Ok(())
            }
            "message_delta" => self.delta(event, events),
            "message_stop" => {
                self.ended = true;
                Ok(())
            }
            "error" => {
                let error = event.require("error", |node| Ok(crate::dialects::read_stream_error(node)))?;
                events.push(Event::Error(error));
                Ok(())
            }
            // `ping`, and what comes next: the API says that unknown events may be added.
            _ => Ok(()),
        }
    }

    fn start(&mut self, node: Node<'_>, events: &mut Vec<Event>) -> Result<(), ReadError> {
        if std::mem::replace(&mut self.started, true) {
            return Err(ReadError::new("a second message begins in the same stream"));
        }
        let mut message = node.object()?;
        events.push(Event::Start {
            id: message.string("id")?.unwrap_or_default(),
            model: message.string("model")?.unwrap_or_default(),
            created: None,
        });
        self.usage(&mut message, events)
    }

    fn usage(&mut self, object: &mut Object<'_>, events: &mut Vec<Event>) -> Result<(), ReadError> {
        let usage = &mut self.usage;
        if object.read("usage", |node| words::read_usage(node, usage))?.is_some() {
            events.push(Event::Usage(self.usage));
        }
        Ok(())
    }

    fn position(&self, index: u64) -> Result<usize, ReadError> {
        let at = self.open.iter().position(|open| open.index == index);
        at.ok_or_else(|| ReadError::new(format!("block {index} is not open")).within("index"))
    }

    fn begin(&mut self, mut event: Object<'_>, events: &mut Vec<Event>) -> Result<(), ReadError> {
        let index = event.require("index", Node::u64)?;
        if self.position(index).is_ok() || self.open.len() >= MOST_OPEN {
            return Err(ReadError::new(format!("block {index} begins at a wrong time")).within("index"));
        }
        let block = self.blocks;
        self.blocks = self.blocks.saturating_add(1);
        let (start, input, deltas) = event.require("content_block", read_start)?;
        self.open.push(Open { index, block, input });
        events.push(Event::BlockStart { choice: 0, block, start });
        events.extend(deltas.into_iter().map(|delta| Event::Delta { choice: 0, block, delta }));
        Ok(())
    }

    fn piece(&mut self, mut event: Object<'_>, events: &mut Vec<Event>) -> Result<(), ReadError> {
        let index = event.require("index", Node::u64)?;
        let at = self.position(index)?;
        let Some(delta) = event.require("delta", read_delta)? else { return Ok(()) };
        let open = &mut self.open[at];
        if matches!(delta, Delta::Arguments(_)) {
            open.input = None;
        }
        events.push(Event::Delta { choice: 0, block: open.block, delta });
        Ok(())
    }

    fn delta(&mut self, mut event: Object<'_>, events: &mut Vec<Event>) -> Result<(), ReadError> {
        self.usage(&mut event, events)?;
        let reason = event.read("delta", |node| words::read_stop(&mut node.object()?))?.flatten();
        if let Some(reason) = reason.filter(|_| !self.stopped) {
            self.stopped = true;
            // A block that the token limit cut is not ended by its own event.
            self.open.drain(..).for_each(|open| close(open, events));
            events.push(Event::Stop { choice: 0, reason });
        }
        Ok(())
    }
}

fn close(open: Open, events: &mut Vec<Event>) {
    if let Some(input) = open.input {
        events.push(Event::Delta { choice: 0, block: open.block, delta: Delta::Arguments(input) });
    }
    events.push(Event::BlockEnd { choice: 0, block: open.block });
}

type Start = (BlockStart, Option<String>, Vec<Delta>);

/// How a block begins, the input it begins with, and content that it already has.
fn read_start(node: Node<'_>) -> Result<Start, ReadError> {
    let mut block = node.object()?;
    let mut said = |key: &str, delta: fn(String) -> Delta| -> Result<Option<Delta>, ReadError> {
        Ok(block.string(key)?.filter(|text| !text.is_empty()).map(delta))
    };
    let kind = node.object()?.require_string("type")?;
    Ok(match kind.as_str() {
        "text" => (BlockStart::Text, None, said("text", Delta::Text)?.into_iter().collect()),
        "thinking" => {
            let deltas = [said("thinking", Delta::Reasoning)?, said("signature", Delta::Signature)?];
            (BlockStart::Reasoning, None, deltas.into_iter().flatten().collect())
        }
        "redacted_thinking" => {
            (BlockStart::RedactedReasoning { data: block.require_string("data")? }, None, Vec::new())
        }
        "tool_use" => {
            let (id, name) = (block.require_string("id")?, block.require_string("name")?);
            let input = block.read("input", blocks::read_input)?.unwrap_or_else(|| "{}".into());
            (BlockStart::ToolCall { id, name, kind: CallKind::Function }, Some(input), Vec::new())
        }
        _ => (BlockStart::Foreign { dialect: HERE, raw: node.json() }, None, Vec::new()),
    })
}

/// `None` for an empty piece, and for kinds of pieces that we do not know.
fn read_delta(node: Node<'_>) -> Result<Option<Delta>, ReadError> {
    let mut delta = node.object()?;
    let kind = delta.require_string("type")?;
    let text = |delta: &mut Object<'_>, key: &str, piece: fn(String) -> Delta| {
        Ok(Some(delta.require_string(key)?).filter(|text| !text.is_empty()).map(piece))
    };
    match kind.as_str() {
        "text_delta" => text(&mut delta, "text", Delta::Text),
        "thinking_delta" => text(&mut delta, "thinking", Delta::Reasoning),
        "signature_delta" => text(&mut delta, "signature", Delta::Signature),
        "input_json_delta" => text(&mut delta, "partial_json", Delta::Arguments),
        "citations_delta" => {
            delta.require("citation", blocks::read_citation).map(|one| Some(Delta::Citation(one)))
        }
        _ => Ok(None),
    }
}
