//! What passes from the upstream to the caller, and what is learnt on the way.
//!
//! Same dialect: the provider's own bytes, with a tap beside them. Another dialect, or a local model: through the
//! neutral form.

use crate::local::{LocalEvent, Vectors};
use bytes::Bytes;
use mains_host::Used;
use mains_units::Usage;
use mains_wire::Dialect;
use mains_wire::dialects::openai_embeddings;
use mains_wire::dialects::{StreamEnd, StreamReader, StreamWriter};
use mains_wire::error::{ProviderError, StreamPlace};
use mains_wire::fault::Fault;
use mains_wire::neutral::{EmbeddingsAnswer, Event, Fold, StreamError, VectorEncoding};
use mains_wire::tap::{Shape, Step, Tap};

/// What one piece came to.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// Bytes for the caller, in the caller's dialect.
    pub forward: Vec<u8>,
    /// Real content has begun.
    pub committed: bool,
    /// The answer carried an error, or broke.
    pub failed: Option<(ProviderError, Fault)>,
    /// What the caller's dialect could not carry.
    pub losses: Vec<String>,
}

/// What was learnt of the answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Learnt {
    /// Tokens, if anyone said.
    pub usage: Option<Usage>,
    /// The model that the provider named.
    pub model: Option<String>,
    /// What a local model used of this machine.
    pub used: Option<Used>,
    /// Whether the provider's end was seen.
    pub whole: bool,
}

/// The way from one upstream to one caller.
#[derive(Debug)]
pub(super) enum Translate {
    /// The same dialect, plain or streamed.
    Pass(Box<Tap>),
    /// A stream in another dialect.
    Stream {
        /// Reads usage and faults.
        tap: Box<Tap>,
        /// Reads the provider's dialect.
        reader: Box<StreamReader>,
        /// Writes the caller's.
        writer: Box<StreamWriter>,
    },
    /// A plain answer in another dialect.
    Whole {
        /// Reads usage and faults.
        tap: Box<Tap>,
        /// The provider's dialect.
        from: Dialect,
        /// The caller's.
        to: Dialect,
    },
    /// A local model, streamed.
    LocalStream {
        /// Writes the caller's dialect.
        writer: Box<StreamWriter>,
        /// What it said of itself.
        learnt: Learnt,
    },
    /// A labeller's answer, written already.
    Labelled {
        /// The body; empty once it is forwarded.
        bytes: Bytes,
        /// What it says of itself.
        learnt: Learnt,
    },
    /// A local model, in one piece.
    LocalWhole {
        /// What it said so far.
        fold: Box<Fold>,
        /// The caller's dialect.
        to: Dialect,
        /// What it said of itself.
        learnt: Learnt,
    },
    /// The vectors of a local encoder.
    LocalVectors {
        /// The model, as the caller called it.
        model: String,
        /// How the caller wants them written.
        encoding: VectorEncoding,
        /// What it said of itself.
        learnt: Learnt,
    },
}

impl Translate {
    /// Between two dialects. `None` where there is no way.
    pub(super) fn between(
        from: Dialect,
        to: Dialect,
        stream: bool,
        include_usage: bool,
        created: u64,
        tap: Tap,
    ) -> Option<Self> {
        let tap = Box::new(tap);
        if from == to {
            return Some(Self::Pass(tap));
        }
        if !stream {
            return Some(Self::Whole { tap, from, to });
        }
        let reader = Box::new(from.stream_reader()?);
        let writer = Box::new(to.stream_writer(include_usage, created)?);
        Some(Self::Stream { tap, reader, writer })
    }

    /// From a local model. `None` where the dialect has no neutral form.
    pub(super) fn local(to: Dialect, stream: bool, include_usage: bool, created: u64) -> Option<Self> {
        let learnt = Learnt::default();
        if !stream {
            return to.is_conversation().then(|| Self::LocalWhole {
                fold: Box::new(Fold::new()),
                to,
                learnt,
            });
        }
        Some(Self::LocalStream { writer: Box::new(to.stream_writer(include_usage, created)?), learnt })
    }

    /// From a labeller.
    pub(super) fn labelled(reply: &crate::labels::Reply) -> Self {
        let usage = Some(crate::labels::NO_TOKENS);
        let learnt = Learnt { usage, model: Some(reply.model.clone()), ..Learnt::default() };
        Self::Labelled { bytes: reply.bytes.clone(), learnt }
    }

    /// From a local encoder.
    pub(super) fn vectors(model: &str, encoding: VectorEncoding) -> Self {
        Self::LocalVectors { model: model.to_owned(), encoding, learnt: Learnt::default() }
    }

    /// Bytes from the network.
    pub(super) fn bytes(&mut self, bytes: &Bytes) -> Passed {
        match self {
            Self::Pass(tap) | Self::Whole { tap, .. } => {
                let step = tap.push(bytes);
                passed(tap, step)
            }
            Self::Stream { tap, reader, writer } => {
                let step = tap.push(bytes);
                let events = reader.push(bytes);
                translated(tap, &step, events, writer)
            }
            Self::LocalStream { .. }
            | Self::LocalWhole { .. }
            | Self::LocalVectors { .. }
            | Self::Labelled { .. } => Passed::default(),
        }
    }

    /// An event of a local model.
    pub(super) fn event(&mut self, event: LocalEvent) -> Passed {
        if let Self::Labelled { bytes, .. } = self {
            let forward = std::mem::take(bytes).to_vec();
            return Passed { forward, committed: true, ..Passed::default() };
        }
        let event = match event {
            LocalEvent::Said(event) => event,
            LocalEvent::Used(used) => {
                if let Self::LocalStream { learnt, .. }
                | Self::LocalWhole { learnt, .. }
                | Self::LocalVectors { learnt, .. } = self
                {
                    learnt.used = Some(used);
                }
                return Passed::default();
            }
            LocalEvent::Embedded(vectors) => return self.embedded(vectors),
            _ => return Passed::default(),
        };
        let content = matches!(event, Event::Delta { .. });
        let usage = if let Event::Usage(usage) = &event { Some(*usage) } else { None };
        let forward = match self {
            Self::LocalStream { writer, learnt } => {
                learnt.usage = usage.or(learnt.usage);
                writer.push(&event)
            }
            Self::LocalWhole { fold, learnt, .. } => {
                learnt.usage = usage.or(learnt.usage);
                fold.push(event);
                Vec::new()
            }
            _ => Vec::new(),
        };
        Passed { forward, committed: content, ..Passed::default() }
    }

    /// The vectors of a local encoder. What it did not read of a text is told as a loss.
    fn embedded(&mut self, told: Vectors) -> Passed {
        let Self::LocalVectors { model, encoding, learnt } = self else { return Passed::default() };
        let usage = Usage { input: told.tokens, ..Usage::default() };
        learnt.usage = Some(usage);
        let losses = told.cut.iter().map(|(place, read)| {
            format!("input[{place}]: only the first {read} tokens were read, the model takes no more")
        });
        let losses = losses.collect();
        let answer = EmbeddingsAnswer { model: model.clone(), vectors: told.vectors, usage: Some(usage) };
        let forward = openai_embeddings::write_answer(&answer, *encoding);
        Passed { forward, committed: true, losses, ..Passed::default() }
    }

    /// The body has ended.
    pub(super) fn finish(&mut self) -> Passed {
        match self {
            Self::Pass(tap) => {
                let step = tap.finish();
                passed(tap, step)
            }
            Self::Stream { tap, reader, writer } => {
                let step = tap.finish();
                let events = reader.finish();
                let mut passed = translated(tap, &step, events, writer);
                // The tap looks at the shape of events, the reader at what they say: both must have seen a whole answer.
                if let (None, StreamEnd::Broken(why)) = (&passed.failed, reader.end()) {
                    passed.failed = Some(garbage(why));
                }
                if passed.failed.is_none() {
                    passed.forward.extend(writer.finish());
                }
                passed
            }
            Self::Whole { tap, from, to } => {
                let step = tap.finish();
                let (from, to) = (*from, *to);
                let mut passed = passed(tap, step);
                if passed.failed.is_none() {
                    whole(from, to, &mut passed);
                }
                passed
            }
            Self::LocalVectors { learnt, .. } => {
                learnt.whole = learnt.usage.is_some();
                let failed = (!learnt.whole).then(|| garbage("it has no vectors"));
                Passed { failed, ..Passed::default() }
            }
            Self::LocalStream { writer, learnt } => {
                learnt.whole = true;
                Passed { forward: writer.finish(), committed: true, ..Passed::default() }
            }
            Self::Labelled { learnt, .. } => {
                learnt.whole = true;
                Passed { committed: true, ..Passed::default() }
            }
            Self::LocalWhole { fold, to, learnt } => {
                learnt.whole = true;
                let answer = std::mem::take(fold.as_mut()).finish();
                let mut passed = Passed { committed: true, ..Passed::default() };
                match answer.map(|answer| to.write_answer(&answer)) {
                    Ok(Ok(encoded)) => passed.forward = encoded.bytes,
                    Ok(Err(error)) => passed.failed = Some(garbage(&error.to_string())),
                    Err(StreamError { message, .. }) => passed.failed = Some(garbage(&message)),
                }
                passed
            }
        }
    }

    /// What was learnt so far.
    pub(super) fn learnt(&self) -> Learnt {
        match self {
            Self::Pass(tap) | Self::Stream { tap, .. } | Self::Whole { tap, .. } => {
                let observed = tap.observed();
                Learnt {
                    used: None,
                    usage: observed.usage,
                    model: observed.model.clone(),
                    whole: observed.end != mains_wire::tap::End::Open,
                }
            }
            Self::LocalStream { learnt, .. }
            | Self::LocalWhole { learnt, .. }
            | Self::LocalVectors { learnt, .. }
            | Self::Labelled { learnt, .. } => learnt.clone(),
        }
    }

    /// Where a stream stands, for an error inside it.
    pub(super) fn place(&self) -> StreamPlace {
        match self {
            Self::Pass(tap) => tap.place(),
            _ => StreamPlace::default(),
        }
    }

    /// What the caller's dialect could not carry of a stream; complete once it has ended.
    pub(super) fn stream_losses(self) -> Vec<String> {
        match self {
            Self::Stream { writer, .. } | Self::LocalStream { writer, .. } => {
                writer.into_losses().iter().map(ToString::to_string).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether the provider has already told the caller of its error inside the stream.
    pub(super) fn told(&self) -> bool {
        matches!(self, Self::Pass(tap) if tap.told())
    }
}

/// A tap for an answer of this shape.
pub(super) fn tap(dialect: Dialect, stream: bool, options: mains_wire::tap::Options) -> Tap {
    Tap::new(dialect, if stream { Shape::Stream } else { Shape::Whole }, options)
}

fn passed(tap: &Tap, step: Step) -> Passed {
    let failed = if step.failed { tap.failure().cloned() } else { None };
    Passed { forward: step.forward, committed: step.committed, failed, losses: Vec::new() }
}

fn translated(tap: &Tap, step: &Step, events: Vec<Event>, writer: &mut StreamWriter) -> Passed {
    let failed = if step.failed { tap.failure().cloned() } else { None };
    let said = events.into_iter().filter(|event| !matches!(event, Event::Error(_)));
    let forward = said.flat_map(|event| writer.push(&event)).collect();
    Passed { forward, committed: step.committed, failed, losses: Vec::new() }
}

fn whole(from: Dialect, to: Dialect, passed: &mut Passed) {
    let written = from.read_answer(&passed.forward).and_then(|answer| to.write_answer(&answer));
    match written {
        Ok(encoded) => {
            passed.losses = encoded.losses.iter().map(ToString::to_string).collect();
            passed.forward = encoded.bytes;
        }
        Err(error) => {
            passed.forward.clear();
            passed.failed = Some(garbage(&error.to_string()));
        }
    }
}

fn garbage(why: &str) -> (ProviderError, Fault) {
    (ProviderError::without_reply(format!("the answer could not be read: {why}")), Fault::BrokenStream)
}
