//! A chat completion stream, read chunk by chunk.

use super::{answer, question_in, words};
use crate::json::{Node, Object, ReadError};
use crate::neutral::{BlockStart, CallKind, Content, Delta, Event};

/// More answers at once than anybody asks for; a stream cannot fill the memory with their numbers.
const MOST_CHOICES: usize = 128;

/// Reads chunks in order.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    started: bool,
    choices: Vec<Choice>,
}

#[derive(Debug)]
struct Choice {
    index: u32,
    /// How many blocks began.
    blocks: u32,
    open: Option<Open>,
    stopped: bool,
}

/// The block that takes pieces now.
#[derive(Debug, PartialEq, Eq)]
enum Open {
    Text,
    Reasoning,
    Refusal,
    Call { index: u64, id: String, kind: CallKind, empty: bool },
}

impl Reader {
    /// Whether every answer that began also said why it ended.
    pub(crate) fn is_whole(&self) -> bool {
        !self.choices.is_empty() && self.choices.iter().all(|choice| choice.stopped)
    }

    /// Reads one chunk.
    pub(crate) fn chunk(&mut self, data: &[u8], events: &mut Vec<Event>) -> Result<(), ReadError> {
        let mut chunk = Node::whole(data)?.object()?;
        if let Some(error) = chunk.take("error") {
            events.push(Event::Error(crate::dialects::read_stream_error(error)));
            return Ok(());
        }
        let choices = chunk.read("choices", Node::items)?.unwrap_or_default();
        let usage = chunk.read("usage", words::read_usage)?;
        // Groq says the usage in a member of its own, in its last chunk.
        let groq = chunk.read("x_groq", |node| {
            let Ok(mut object) = node.object() else { return Ok(None) };
            object.read("usage", words::read_usage)
        })?;
        // Azure begins with a chunk about its filters that has neither name nor model.
        if !self.started && (!choices.is_empty() || usage.is_some()) {
            self.started = true;
            events.push(Event::Start {
                id: chunk.string("id")?.unwrap_or_default(),
                model: chunk.string("model")?.unwrap_or_default(),
                created: chunk.read("created", answer::read_time)?,
            });
        }
        for (position, choice) in choices.into_iter().enumerate() {
            self.choice(choice, events).map_err(|error| error.within_index(position).within("choices"))?;
        }
        events.extend(usage.or(groq.flatten()).map(Event::Usage));
        Ok(())
    }

    fn choice(&mut self, node: Node<'_>, events: &mut Vec<Event>) -> Result<(), ReadError> {
        let mut object = node.object()?;
        let index = object.read("index", Node::u32)?.unwrap_or(0);
        let at = match self.choices.iter().position(|choice| choice.index == index) {
            Some(at) => at,
            None if self.choices.len() < MOST_CHOICES => {
                self.choices.push(Choice { index, blocks: 0, open: None, stopped: false });
                self.choices.len() - 1
            }
            None => return Err(ReadError::new(format!("more than {MOST_CHOICES} choices"))),
        };
        let choice = &mut self.choices[at];
        if let Some(delta) = object.read("delta", Node::object)? {
            choice.delta(delta, events).map_err(|error| error.within("delta"))?;
        }
        let logprobs = object.take("logprobs").map(Node::json);
        events.extend(logprobs.map(|raw| Event::Logprobs { choice: index, raw }));
        // An empty reason is what some local servers send before the end.
        let reason = object.string("finish_reason")?.filter(|word| !word.is_empty());
        if let Some(word) = reason.filter(|_| !choice.stopped) {
            choice.close(events);
            choice.stopped = true;
            events.push(Event::Stop { choice: index, reason: words::stop_reason(word) });
        }
        Ok(())
    }
}

impl Choice {
    fn delta(&mut self, mut delta: Object<'_>, events: &mut Vec<Event>) -> Result<(), ReadError> {
        let thoughts =
            delta.read("thinking_blocks", |node| node.each(|_, one| answer::read_thinking_block(one)))?;
        let [long, short] = ["reasoning_content", "reasoning"].map(|key| delta.take(key));
        let thought = long.or(short).filter(|node| node.is_string()).map(Node::string).transpose()?;
        let thought = thought.filter(|text| !text.is_empty());
        if let Some(text) = thought {
            self.piece(Open::Reasoning, Delta::Reasoning(text), events)?;
        }
        for thought in thoughts.into_iter().flatten() {
            self.thinking_block(thought, events)?;
        }
        if let Some(text) = delta.string("content")?.filter(|text| !text.is_empty()) {
            self.piece(Open::Text, Delta::Text(text), events)?;
        }
        let citations = delta.read("annotations", answer::read_annotations)?.unwrap_or_default();
        for citation in citations {
            self.piece(Open::Text, Delta::Citation(citation), events)?;
        }
        if let Some(text) = delta.string("refusal")?.filter(|text| !text.is_empty()) {
            self.piece(Open::Refusal, Delta::Text(text), events)?;
        }
        if let Some(call) = delta.read("function_call", Node::object)? {
            self.call_piece(0, Some("function_call".into()), call, CallKind::Function, events)?;
        }
        delta.read("tool_calls", |node| node.each(|_, call| self.call(call, events)))?;
        Ok(())
    }

    /// What `reasoning_content` cannot say: the signature of the open thought, or an encrypted one.
    fn thinking_block(&mut self, thought: Content, events: &mut Vec<Event>) -> Result<(), ReadError> {
        match thought {
            Content::Reasoning { signature: Some(signature), .. } => {
                self.piece(Open::Reasoning, Delta::Signature(signature), events)?;
                self.close(events);
            }
            Content::RedactedReasoning { data } => {
                self.begin(BlockStart::RedactedReasoning { data }, events)?;
                events.push(Event::BlockEnd { choice: self.index, block: self.blocks - 1 });
            }
            _ => {}
        }
        Ok(())
    }

    /// A piece of text, thought or refusal; another kind of block ends the open one.
    fn piece(&mut self, kind: Open, delta: Delta, events: &mut Vec<Event>) -> Result<(), ReadError> {
        if self.open.as_ref() != Some(&kind) {
            let start = match kind {
                Open::Reasoning => BlockStart::Reasoning,
                Open::Refusal => BlockStart::Refusal,
                Open::Text | Open::Call { .. } => BlockStart::Text,
            };
            self.begin(start, events)?;
            self.open = Some(kind);
        }
        events.push(Event::Delta { choice: self.index, block: self.blocks - 1, delta });
        Ok(())
    }

    fn call(&mut self, node: Node<'_>, events: &mut Vec<Event>) -> Result<(), ReadError> {
        let mut call = node.object()?;
        let index = call.read("index", Node::u64)?.unwrap_or(0);
        let id = call.string("id")?.filter(|id| !id.is_empty());
        let kind = match call.string("type")?.as_deref() {
            Some("custom") => CallKind::Custom,
            _ if call.contains("custom") => CallKind::Custom,
            _ => CallKind::Function,
        };
        let key = if kind == CallKind::Custom { "custom" } else { "function" };
        match call.read(key, Node::object)? {
            Some(piece) => self.call_piece(index, id, piece, kind, events).map_err(|error| error.within(key)),
            None => Ok(()),
        }
    }

    fn call_piece(
        &mut self,
        index: u64,
        id: Option<String>,
        mut piece: Object<'_>,
        kind: CallKind,
        events: &mut Vec<Event>,
    ) -> Result<(), ReadError> {
        let name = piece.string("name")?.filter(|name| !name.is_empty());
        let key = if kind == CallKind::Custom { "input" } else { "arguments" };
        let arguments = piece.read(key, question_in::read_arguments)?.unwrap_or_default();
        let goes_on = match &self.open {
            // Ollama numbers every call 0; another id is another call.
            Some(Open::Call { index: open, id: open_id, .. }) => {
                *open == index && id.as_ref().is_none_or(|id| id == open_id)
            }
            _ => false,
        };
        if !goes_on {
            let Some(name) = name else {
                return Err(ReadError::new(format!("call {index} goes on after another block began")));
            };
            let id = id.unwrap_or_else(|| format!("call_{}_{}", self.index, self.blocks));
            self.begin(BlockStart::ToolCall { id: id.clone(), name, kind }, events)?;
            self.open = Some(Open::Call { index, id, kind, empty: true });
        }
        if let (false, Some(Open::Call { empty, .. })) = (arguments.is_empty(), &mut self.open) {
            *empty = false;
            let delta = Delta::Arguments(arguments);
            events.push(Event::Delta { choice: self.index, block: self.blocks - 1, delta });
        }
        Ok(())
    }

    fn begin(&mut self, start: BlockStart, events: &mut Vec<Event>) -> Result<(), ReadError> {
        if self.stopped {
            return Err(ReadError::new("content after the reason why the answer ended"));
        }
        self.close(events);
        events.push(Event::BlockStart { choice: self.index, block: self.blocks, start });
        self.blocks = self.blocks.saturating_add(1);
        Ok(())
    }

    /// Ends the open block. A function that got no arguments is called with an empty object.
    fn close(&mut self, events: &mut Vec<Event>) {
        let Some(open) = self.open.take() else { return };
        let (choice, block) = (self.index, self.blocks - 1);
        if let Open::Call { empty: true, kind: CallKind::Function, .. } = open {
            events.push(Event::Delta { choice, block, delta: Delta::Arguments("{}".into()) });
        }
        events.push(Event::BlockEnd { choice, block });
    }
}
