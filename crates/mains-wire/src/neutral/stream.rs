//! An answer as a stream of events; how events fold into an answer, and an answer unfolds into events.

use super::{Answer, Block, CallKind, Choice, Citation, Content, Json, StopReason, ToolCall};
use mains_units::Usage;

/// A step of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The answer begins.
    Start {
        /// The provider's name for it.
        id: String,
        /// The model that answers.
        model: String,
        /// When, in seconds since 1970.
        created: Option<u64>,
    },
    /// A block begins. Blocks of a choice are numbered from 0 without gaps.
    BlockStart {
        /// Which answer.
        choice: u32,
        /// Which block of it.
        block: u32,
        /// What begins.
        start: BlockStart,
    },
    /// A piece of a block that is open.
    Delta {
        /// Which answer.
        choice: u32,
        /// Which block of it.
        block: u32,
        /// The piece.
        delta: Delta,
    },
    /// A block is whole.
    BlockEnd {
        /// Which answer.
        choice: u32,
        /// Which block of it.
        block: u32,
    },
    /// The probabilities of some tokens, as the dialect says them.
    Logprobs {
        /// Which answer.
        choice: u32,
        /// The probabilities.
        raw: Json,
    },
    /// What was used so far; each replaces the one before.
    Usage(Usage),
    /// An answer is whole.
    Stop {
        /// Which answer.
        choice: u32,
        /// Why it ended.
        reason: StopReason,
    },
    /// The stream failed; nothing follows.
    Error(StreamError),
}

/// What begins.
#[derive(Debug, Clone, PartialEq)]
pub enum BlockStart {
    /// Text.
    Text,
    /// A thought.
    Reasoning,
    /// A thought that the provider encrypted, whole.
    RedactedReasoning {
        /// The provider's bytes.
        data: String,
    },
    /// A tool is asked for; the arguments follow.
    ToolCall {
        /// Names the call.
        id: String,
        /// The tool.
        name: String,
        /// Which sort.
        kind: CallKind,
    },
    /// The model declines.
    Refusal,
    /// A block that only its own dialect knows, as it begins.
    Foreign {
        /// The dialect that knows it.
        dialect: crate::Dialect,
        /// The block.
        raw: Json,
    },
}

/// A piece of a block.
#[derive(Debug, Clone, PartialEq)]
pub enum Delta {
    /// More text, for text and refusals.
    Text(String),
    /// More of a thought.
    Reasoning(String),
    /// The proof of the thought.
    Signature(String),
    /// More of a tool's arguments.
    Arguments(String),
    /// A source that the text cites.
    Citation(Citation),
}

/// Why a stream failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamError {
    /// Which sort.
    pub kind: ErrorKind,
    /// In words.
    pub message: String,
    /// The provider's code, if any.
    pub code: Option<String>,
}

/// Sorts of errors that both families of dialects can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The question is wrong.
    InvalidRequest,
    /// The key is wrong.
    Authentication,
    /// There is no money left.
    Billing,
    /// It is not allowed.
    Permission,
    /// There is no such model.
    NotFound,
    /// The question is too large.
    TooLarge,
    /// Too many requests.
    RateLimit,
    /// The provider has no room.
    Overloaded,
    /// It took too long.
    Timeout,
    /// Anything else on the provider's side.
    Server,
}

/// Folds events into an answer. Feed events with [`push`](Self::push), then [`finish`](Self::finish).
#[derive(Debug, Default)]
pub struct Fold {
    answer: Answer,
    error: Option<StreamError>,
    logprobs: Vec<(u32, Vec<Json>)>,
}

/// More answers than any client asks for; a stream cannot make the fold allocate for its numbers.
const MOST_CHOICES: usize = 1_024;

impl Fold {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next event. Events for blocks that never began are ignored.
    pub fn push(&mut self, event: Event) {
        match event {
            Event::Start { id, model, created } => {
                self.answer.id = id;
                self.answer.model = model;
                self.answer.created = created;
            }
            Event::BlockStart { choice, start, .. } => {
                if let Some(choice) = self.choice(choice) {
                    choice.blocks.push(Block::new(begun(start)));
                }
            }
            Event::Delta { choice, block, delta } => {
                let block = self.choice(choice).and_then(|choice| choice.blocks.get_mut(block as usize));
                if let Some(block) = block {
                    extend(&mut block.content, delta);
                }
            }
            Event::BlockEnd { .. } => {}
            Event::Logprobs { choice, raw } => {
                match self.logprobs.iter_mut().find(|(index, _)| *index == choice) {
                    Some((_, all)) => all.push(raw),
                    None => self.logprobs.push((choice, vec![raw])),
                }
            }
            Event::Usage(usage) => self.answer.usage = Some(usage),
            Event::Stop { choice, reason } => {
                if let Some(choice) = self.choice(choice) {
                    choice.stop = Some(reason);
                }
            }
            Event::Error(error) => self.error = Some(error),
        }
    }

    /// The answer, or the error that the stream carried.
    pub fn finish(mut self) -> Result<Answer, StreamError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        for (index, pieces) in std::mem::take(&mut self.logprobs) {
            if let Some(choice) = self.choice(index) {
                choice.logprobs = crate::dialects::join_logprobs(&pieces);
            }
        }
        self.answer.choices.sort_by_key(|choice| choice.index);
        Ok(self.answer)
    }

    fn choice(&mut self, index: u32) -> Option<&mut Choice> {
        let known = self.answer.choices.iter().position(|choice| choice.index == index);
        let at = match known {
            Some(at) => at,
            None if self.answer.choices.len() < MOST_CHOICES => {
                self.answer.choices.push(Choice { index, ..Choice::default() });
                self.answer.choices.len() - 1
            }
            None => return None,
        };
        self.answer.choices.get_mut(at)
    }
}

fn begun(start: BlockStart) -> Content {
    match start {
        BlockStart::Text => Content::Text { text: String::new(), citations: Vec::new() },
        BlockStart::Reasoning => Content::Reasoning { text: String::new(), signature: None },
        BlockStart::RedactedReasoning { data } => Content::RedactedReasoning { data },
        BlockStart::ToolCall { id, name, kind } => {
            Content::ToolCall(ToolCall { id, name, arguments: String::new(), kind })
        }
        BlockStart::Refusal => Content::Refusal { text: String::new() },
        BlockStart::Foreign { dialect, raw } => Content::Foreign { dialect, raw },
    }
}

fn extend(content: &mut Content, delta: Delta) {
    match (content, delta) {
        (Content::Text { text, .. } | Content::Refusal { text }, Delta::Text(more))
        | (Content::Reasoning { text, .. }, Delta::Reasoning(more)) => text.push_str(&more),
        (Content::Reasoning { signature, .. }, Delta::Signature(more)) => {
            signature.get_or_insert_default().push_str(&more);
        }
        (Content::ToolCall(call), Delta::Arguments(more)) => call.arguments.push_str(&more),
        (Content::Text { citations, .. }, Delta::Citation(citation)) => citations.push(citation),
        _ => {}
    }
}

impl Answer {
    /// The events of a stream that says this answer, each block in one piece.
    pub fn into_events(self) -> Vec<Event> {
        let mut events = vec![Event::Start { id: self.id, model: self.model, created: self.created }];
        events.extend(self.usage.map(Event::Usage));
        for Choice { index: choice, blocks, stop, logprobs } in self.choices {
            for (block, number) in blocks.into_iter().zip(0_u32..) {
                unfold(choice, number, block.content, &mut events);
            }
            events.extend(logprobs.map(|raw| Event::Logprobs { choice, raw }));
            events.extend(stop.map(|reason| Event::Stop { choice, reason }));
        }
        events
    }
}

fn unfold(choice: u32, block: u32, content: Content, events: &mut Vec<Event>) {
    let (start, deltas) = match content {
        Content::Text { text, citations } => {
            let mut deltas: Vec<Delta> = citations.into_iter().map(Delta::Citation).collect();
            deltas.insert(0, Delta::Text(text));
            (BlockStart::Text, deltas)
        }
        Content::Reasoning { text, signature } => {
            let signature = signature.map(Delta::Signature);
            (BlockStart::Reasoning, [Delta::Reasoning(text)].into_iter().chain(signature).collect())
        }
        Content::RedactedReasoning { data } => (BlockStart::RedactedReasoning { data }, Vec::new()),
        Content::ToolCall(ToolCall { id, name, arguments, kind }) => {
            (BlockStart::ToolCall { id, name, kind }, vec![Delta::Arguments(arguments)])
        }
        Content::Refusal { text } => (BlockStart::Refusal, vec![Delta::Text(text)]),
        Content::Foreign { dialect, raw } => (BlockStart::Foreign { dialect, raw }, Vec::new()),
        // No dialect answers with these in a stream; an answer that holds one keeps its numbering.
        Content::Image { .. } | Content::Audio { .. } | Content::File { .. } | Content::ToolResult(_) => {
            (BlockStart::Text, Vec::new())
        }
    };
    events.push(Event::BlockStart { choice, block, start });
    let full = |delta: &Delta| !matches!(delta, Delta::Text(t) | Delta::Reasoning(t) if t.is_empty());
    let deltas = deltas.into_iter().filter(full);
    events.extend(deltas.map(|delta| Event::Delta { choice, block, delta }));
    events.push(Event::BlockEnd { choice, block });
}
