//! What a passing reply tells, read beside it without changing it.
//!
//! Read [`Tap`]: bytes of the provider's reply go in, in any pieces, and a [`Step`] says which bytes to
//! forward and whether real content has begun (the commit point of failover). What was learnt on the way
//! is [`Observed`]. Then `usage` (how each dialect counts), and one file for each dialect.
//!
//! The bytes forwarded are the provider's own, whole events at a time. Three things are held back: the
//! usage chunk that only Mains asked for, an event that is no JSON, and whatever follows an error but
//! more errors (so that nothing can look like a clean end).

mod chat;
mod embeddings;
mod messages;
mod responses;
mod usage;

pub use usage::CachedTokens;

use crate::Dialect;
use crate::error::{ProviderError, StreamPlace};
use crate::fault::{Fault, FaultRule, classify};
use crate::scan as json;
use crate::sse::{Decoder, Frame, Limits};
use mains_units::Usage;

/// Whether a reply comes whole or as a stream of events; its content type says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One JSON object.
    Whole,
    /// Server-sent events.
    Stream,
}

/// How a reply is to be read.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Hold back the chunk with the usage: Mains asked for it and the client did not (OpenAI chat streams).
    pub withhold_usage: bool,
    /// How the provider counts cached tokens, from its record.
    pub cached: CachedTokens,
    /// The provider's own spellings of faults, from its record.
    pub faults: &'static [FaultRule],
    /// How much of a whole reply is kept to be read, in bytes. A longer one is passed on unread: its usage
    /// is then unknown.
    pub whole_limit: usize,
    /// Limits of a stream's lines and events.
    pub limits: Limits,
}

impl Options {
    /// The usual ones for a dialect: nothing held back, 64 MiB.
    pub fn of(dialect: Dialect) -> Self {
        Self {
            withhold_usage: false,
            cached: CachedTokens::of(dialect),
            faults: &[],
            whole_limit: 64 << 20,
            limits: Limits::default(),
        }
    }
}

/// What to do after some bytes have come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Step {
    /// What to forward, in order. Before the commit point the relay keeps it back.
    pub forward: Vec<u8>,
    /// Whether real content has been seen, in this step or before: from here on no other target may answer.
    pub committed: bool,
    /// Whether the reply has failed, see [`Tap::failure`]: nothing more will be forwarded.
    pub failed: bool,
}

/// How a reply ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum End {
    /// It did not, as far as was seen.
    #[default]
    Open,
    /// With the dialect's own mark: `[DONE]`, `message_stop`, `response.completed`, the last brace.
    Marked,
    /// Without a mark, but after a finish reason: some OpenAI-compatible servers send no `[DONE]`.
    Implied,
}

/// What was learnt from a reply.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    /// The provider's name of the model.
    pub model: Option<String>,
    /// The provider's id of the answer.
    pub id: Option<String>,
    /// Why the model stopped, in the words of the dialect.
    pub stop_reason: Option<String>,
    /// The tokens counted so far.
    pub usage: Option<Usage>,
    /// Whether `usage` is the last word: Anthropic counts the input at the start, the output at the end.
    pub usage_final: bool,
    /// Whether real content was seen.
    pub content: bool,
    /// Bytes of text, reasoning and tool arguments seen in a stream, as they are written in JSON: by these a
    /// broken answer is estimated.
    pub content_bytes: u64,
    /// Events with data seen in a stream.
    pub events: u64,
    /// How it ended.
    pub end: End,
    /// The next `sequence_number` of OpenAI responses.
    next_sequence: u64,
}

/// What one event is to the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// May come again from another target.
    Preamble,
    /// The answer itself.
    Content,
    /// Nothing but usage.
    Usage,
    /// The dialect's mark of a clean end.
    End,
    /// The provider says that it failed.
    Error(ProviderError),
    /// No event of the dialect.
    Broken(String),
}

/// Reads one reply of a provider as it passes.
#[derive(Debug)]
pub struct Tap {
    dialect: Dialect,
    shape: Shape,
    options: Options,
    decoder: Decoder,
    whole: Vec<u8>,
    /// A whole reply outgrew the limit and is passed on unread.
    unread: bool,
    observed: Observed,
    failure: Option<(ProviderError, Fault)>,
    /// The provider's own error event was forwarded.
    told: bool,
}

impl Tap {
    /// A tap on a reply that begins.
    pub fn new(dialect: Dialect, shape: Shape, options: Options) -> Self {
        Self {
            dialect,
            shape,
            decoder: Decoder::with_limits(options.limits),
            options,
            whole: Vec::new(),
            unread: false,
            observed: Observed::default(),
            failure: None,
            told: false,
        }
    }

    /// Takes the next bytes of the reply.
    pub fn push(&mut self, chunk: &[u8]) -> Step {
        match self.shape {
            Shape::Whole => self.push_whole(chunk),
            Shape::Stream => {
                self.decoder.push(chunk);
                let mut forward = Vec::with_capacity(chunk.len());
                self.drain(&mut forward);
                self.step(forward)
            }
        }
    }

    /// Says that the provider has ended its reply. Afterwards [`failure`](Self::failure) is complete.
    pub fn finish(&mut self) -> Step {
        let mut forward = Vec::new();
        match self.shape {
            Shape::Whole => self.finish_whole(&mut forward),
            Shape::Stream => {
                while let Ok(Some(frame)) = self.decoder.finish() {
                    self.take(&frame, &mut forward);
                }
            }
        }
        let chat = self.dialect == Dialect::OpenaiChat && self.shape == Shape::Stream;
        if self.observed.end == End::Open && chat && self.observed.stop_reason.is_some() {
            self.observed.end = End::Implied;
        }
        if self.observed.end == End::Open && self.failure.is_none() {
            self.fail("the reply ended before its end");
        }
        self.step(forward)
    }

    /// What was learnt so far.
    pub fn observed(&self) -> &Observed {
        &self.observed
    }

    /// Why the reply failed, if it did: the provider's own error inside it, or that it broke off. After
    /// [`finish`](Self::finish), `None` means that it is whole.
    pub fn failure(&self) -> Option<&(ProviderError, Fault)> {
        self.failure.as_ref()
    }

    /// Whether the failure is an error event of the provider's own that is among the bytes to forward: the
    /// client then knows, and Mains adds none of its own.
    pub fn told(&self) -> bool {
        self.told
    }

    /// Where the stream stands, for [`crate::error::ErrorBody::in_stream`].
    pub fn place(&self) -> StreamPlace {
        StreamPlace {
            next_sequence: self.observed.next_sequence,
            id: self.observed.id.clone(),
            model: self.observed.model.clone(),
        }
    }

    fn step(&self, forward: Vec<u8>) -> Step {
        Step { forward, committed: self.observed.content, failed: self.failure.is_some() }
    }

    fn fail(&mut self, why: &str) {
        self.failure = Some((ProviderError::without_reply(why), Fault::BrokenStream));
    }

    fn drain(&mut self, forward: &mut Vec<u8>) {
        loop {
            match self.decoder.next_frame() {
                Ok(Some(frame)) => self.take(&frame, forward),
                Ok(None) => return,
                Err(error) => {
                    if self.failure.is_none() {
                        self.fail(&error.to_string());
                    }
                    // The rest cannot be read any more and must not be kept.
                    self.decoder = Decoder::with_limits(self.options.limits);
                    return;
                }
            }
        }
    }

    fn take(&mut self, frame: &Frame, forward: &mut Vec<u8>) {
        let Some(data) = frame.data.as_ref().filter(|data| !data.is_empty()) else {
            if self.failure.is_none() {
                forward.extend_from_slice(&frame.raw);
            }
            return;
        };
        self.observed.events += 1;
        let kind = self.read(frame, data);
        if self.failure.is_some() && !(self.told && matches!(kind, Kind::Error(_))) {
            return;
        }
        match kind {
            Kind::Content => self.observed.content = true,
            Kind::Usage if self.options.withhold_usage => return,
            Kind::Preamble | Kind::Usage => {}
            Kind::End => {
                self.observed.content = true;
                self.observed.end = End::Marked;
            }
            Kind::Error(error) => {
                let fault = classify(self.options.faults, &error);
                self.failure.get_or_insert((error, fault));
                self.told = true;
            }
            Kind::Broken(why) => {
                self.fail(&why);
                return;
            }
        }
        forward.extend_from_slice(&frame.raw);
    }

    fn read(&mut self, frame: &Frame, data: &[u8]) -> Kind {
        if frame.is_done() && !self.dialect.is_anthropic() {
            return Kind::End;
        }
        let members = match json::members(data) {
            Ok(members) => members,
            Err(_) if !frame.complete => return Kind::Broken("the reply ended inside an event".into()),
            Err(error) => return Kind::Broken(format!("an event of the reply is no JSON object: {error}")),
        };
        match self.dialect {
            Dialect::OpenaiChat => chat::event(&mut self.observed, &members, self.options.cached),
            Dialect::AnthropicMessages => messages::event(&mut self.observed, &members, self.options.cached),
            Dialect::OpenaiResponses => {
                responses::event(&mut self.observed, data, &members, self.options.cached)
            }
            Dialect::OpenaiEmbeddings => Kind::Content,
        }
    }

    fn push_whole(&mut self, chunk: &[u8]) -> Step {
        if self.unread {
            return self.step(chunk.to_vec());
        }
        self.whole.extend_from_slice(chunk);
        if self.whole.len() <= self.options.whole_limit {
            return self.step(Vec::new());
        }
        self.unread = true;
        self.observed.content = true;
        self.observed.end = End::Implied;
        let forward = std::mem::take(&mut self.whole);
        self.step(forward)
    }

    fn finish_whole(&mut self, forward: &mut Vec<u8>) {
        if self.unread {
            return;
        }
        *forward = std::mem::take(&mut self.whole);
        let members = match json::members(forward) {
            Ok(members) => members,
            Err(error) => {
                self.fail(&format!("the reply is no JSON object: {error}"));
                return;
            }
        };
        let observed = &mut self.observed;
        let failed = match self.dialect {
            Dialect::OpenaiChat => chat::whole(observed, forward, &members, self.options.cached),
            Dialect::AnthropicMessages => messages::whole(observed, forward, &members, self.options.cached),
            Dialect::OpenaiResponses => responses::whole(observed, forward, &members, self.options.cached),
            Dialect::OpenaiEmbeddings => embeddings::whole(observed, forward, &members, self.options.cached),
        };
        if let Some(error) = failed {
            let fault = classify(self.options.faults, &error);
            self.failure = Some((error, fault));
            return;
        }
        observed.content = true;
        observed.end = End::Marked;
    }
}

impl Observed {
    /// Keeps the first name that is not empty.
    fn note(slot: &mut Option<String>, value: &[u8]) {
        if slot.is_none() {
            *slot = json::string(value).filter(|text| !text.is_empty()).map(Into::into);
        }
    }
}

/// Whether a value says nothing: `null`, an empty string, list or object.
fn is_empty(value: &[u8]) -> bool {
    matches!(value, b"null" | b"\"\"" | b"[]" | b"{}")
}

/// The bytes between the quotes of a string; for other values, all of them.
fn weight(value: &[u8]) -> u64 {
    (if value.starts_with(b"\"") { value.len() - 2 } else { value.len() }) as u64
}
