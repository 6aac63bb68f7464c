//! Streams with their framing: bytes in any pieces to neutral events, and back.

use super::{anthropic_messages as anthropic, openai_chat as openai};
use crate::Dialect;
use crate::json::{Node, ReadError, Writer as Json};
use crate::loss::{Loss, Losses};
use crate::neutral::{ErrorKind, Event, StreamError};
use crate::sse;

/// How a stream stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamEnd {
    /// More may come.
    Open,
    /// It ended as its dialect says that a stream ends, and every answer said why it ended.
    Clean,
    /// It carried an error, which was also given as [`Event::Error`].
    Failed(StreamError),
    /// It cannot be read, or it stopped in the middle; why.
    Broken(String),
}

/// Reads a stream. Feed bytes with [`push`](Self::push) until it is not [`StreamEnd::Open`] any more or the
/// connection ends; then say so with [`finish`](Self::finish).
///
/// [`Event::Stop`] comes only once the stream is [`StreamEnd::Clean`]: whoever writes the events on cannot give
/// a broken stream a clean end.
#[derive(Debug)]
pub struct StreamReader {
    frames: sse::Decoder,
    reader: Reader,
    /// Why answers ended, held back until the stream is known to be whole.
    stops: Vec<Event>,
    end: StreamEnd,
}

#[derive(Debug)]
enum Reader {
    OpenaiChat(openai::Reader),
    Anthropic(anthropic::Reader),
}

impl Dialect {
    /// A reader of streams. `None` for a dialect whose streams pass through only.
    pub fn stream_reader(self) -> Option<StreamReader> {
        let reader = match self {
            Self::OpenaiChat => Reader::OpenaiChat(openai::Reader::default()),
            Self::AnthropicMessages => Reader::Anthropic(anthropic::Reader::default()),
            Self::OpenaiResponses | Self::OpenaiEmbeddings => return None,
        };
        Some(StreamReader { frames: sse::Decoder::new(), reader, stops: Vec::new(), end: StreamEnd::Open })
    }

    /// A writer of streams. `include_usage`: the caller asked an OpenAI dialect for the usage at the end.
    /// `created`: now, in seconds since 1970, for dialects that require it where the source does not say it.
    /// `None` for a dialect whose streams pass through only.
    pub fn stream_writer(self, include_usage: bool, created: u64) -> Option<StreamWriter> {
        let writer = match self {
            Self::OpenaiChat => Writer::OpenaiChat(openai::Writer::new(include_usage, created)),
            Self::AnthropicMessages => Writer::Anthropic(anthropic::Writer::default()),
            Self::OpenaiResponses | Self::OpenaiEmbeddings => return None,
        };
        Some(StreamWriter { writer, losses: Losses::default(), over: false })
    }
}

impl StreamReader {
    /// Takes the next bytes, and gives the events that they complete. Bytes behind the end are ignored.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        if self.end != StreamEnd::Open {
            return events;
        }
        self.frames.push(bytes);
        while self.end == StreamEnd::Open {
            match self.frames.next_frame() {
                Ok(Some(frame)) => self.frame(&frame, &mut events),
                Ok(None) => break,
                Err(error) => self.end = StreamEnd::Broken(error.to_string()),
            }
        }
        self.release(&mut events);
        events
    }

    /// The connection has ended: reads what is left, and settles how the stream ended.
    pub fn finish(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        if self.end == StreamEnd::Open {
            match self.frames.finish() {
                Ok(Some(frame)) => self.frame(&frame, &mut events),
                Ok(None) => {}
                Err(error) => self.end = StreamEnd::Broken(error.to_string()),
            }
        }
        if self.end == StreamEnd::Open {
            // Some hosts leave out `[DONE]`; an answer that said why it ended is whole all the same.
            self.end = self.settled("the stream stopped before its end");
        }
        self.release(&mut events);
        events
    }

    fn release(&mut self, events: &mut Vec<Event>) {
        if self.end == StreamEnd::Clean {
            events.append(&mut self.stops);
        }
    }

    /// How the stream stands.
    pub fn end(&self) -> &StreamEnd {
        &self.end
    }

    fn settled(&self, otherwise: &str) -> StreamEnd {
        let whole = match &self.reader {
            Reader::OpenaiChat(reader) => reader.is_whole(),
            Reader::Anthropic(reader) => reader.is_whole(),
        };
        if whole { StreamEnd::Clean } else { StreamEnd::Broken(otherwise.into()) }
    }

    fn frame(&mut self, frame: &sse::Frame, events: &mut Vec<Event>) {
        let Some(data) = frame.data.as_deref().filter(|data| !data.is_empty()) else { return };
        let before = events.len();
        let read = match &mut self.reader {
            Reader::OpenaiChat(_) if frame.is_done() => {
                self.end = self.settled("the stream ended without a finish reason");
                return;
            }
            Reader::OpenaiChat(reader) => reader.chunk(data, events),
            Reader::Anthropic(reader) => reader.event(data, events),
        };
        if let Err(error) = read {
            // A last event without its blank line is cut in the middle, unless it can be read.
            let what =
                if frame.complete { error.to_string() } else { "cut in the middle of an event".into() };
            events.truncate(before);
            self.end = StreamEnd::Broken(what);
            return;
        }
        self.stops.extend(events.extract_if(before.., |event| matches!(event, Event::Stop { .. })));
        if let Some(Event::Error(error)) = events.last() {
            self.end = StreamEnd::Failed(error.clone());
        } else if matches!(&self.reader, Reader::Anthropic(reader) if reader.has_ended()) {
            self.end = self.settled("the stream ended without a stop reason");
        }
    }
}

/// Writes a stream. Whatever comes in, the answer begins once, nothing follows an error, and an end is written
/// only behind a whole answer.
#[derive(Debug)]
pub struct StreamWriter {
    writer: Writer,
    losses: Losses,
    over: bool,
}

#[derive(Debug)]
enum Writer {
    OpenaiChat(openai::Writer),
    Anthropic(anthropic::Writer),
}

impl StreamWriter {
    /// The bytes that say an event; often none.
    pub fn push(&mut self, event: &Event) -> Vec<u8> {
        let mut out = Vec::new();
        if self.over {
            return out;
        }
        if let Event::Error(error) = event {
            self.over = true;
            self.write_error(error, &mut out);
            return out;
        }
        match &mut self.writer {
            Writer::OpenaiChat(writer) => {
                let mut chunks = Vec::new();
                writer.event(event, &mut chunks, &mut self.losses);
                for chunk in &chunks {
                    sse::write_event(&mut out, "", chunk);
                }
            }
            Writer::Anthropic(writer) => {
                let mut named = Vec::new();
                writer.event(event, &mut named, &mut self.losses);
                for (name, data) in &named {
                    sse::write_event(&mut out, name, data);
                }
            }
        }
        out
    }

    /// The end: a clean one behind a whole answer, an error behind anything else, nothing behind an error.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        let whole = match &self.writer {
            Writer::OpenaiChat(writer) => writer.is_whole(),
            Writer::Anthropic(writer) => writer.is_whole(),
        };
        if !whole {
            return self.push(&Event::Error(StreamError {
                kind: ErrorKind::Server,
                message: "the answer broke off before its end".into(),
                code: Some("stream_broken".into()),
            }));
        }
        if std::mem::replace(&mut self.over, true) {
            return out;
        }
        match &mut self.writer {
            Writer::OpenaiChat(writer) => {
                if let Some(usage) = writer.last() {
                    sse::write_event(&mut out, "", &usage);
                }
                out.extend_from_slice(sse::DONE);
            }
            Writer::Anthropic(writer) => {
                let mut named = Vec::new();
                writer.last(&mut named, &mut self.losses);
                for (name, data) in &named {
                    sse::write_event(&mut out, name, data);
                }
            }
        }
        out
    }

    /// A sign of life that clients skip.
    pub fn keep_alive(&self) -> &'static [u8] {
        match self.writer {
            Writer::OpenaiChat(_) => b": keep-alive\n\n",
            Writer::Anthropic(_) => b"event: ping\ndata: {\"type\":\"ping\"}\n\n",
        }
    }

    /// What the stream could not say; complete after [`finish`](Self::finish).
    pub fn into_losses(self) -> Vec<Loss> {
        self.losses.into_vec()
    }

    fn write_error(&self, error: &StreamError, out: &mut Vec<u8>) {
        let mut json = Json::new();
        match self.writer {
            Writer::OpenaiChat(_) => {
                json.object(|w| {
                    w.object_field("error", |w| {
                        w.field("message", &error.message);
                        w.field("type", openai_type(error.kind));
                        w.field("param", &None::<u8>);
                        w.field("code", &error.code);
                    });
                });
                sse::write_event(out, "", &json.finish());
            }
            Writer::Anthropic(_) => {
                json.object(|w| {
                    w.field("type", "error");
                    w.object_field("error", |w| {
                        w.field("type", anthropic_type(error.kind));
                        w.field("message", &error.message);
                    });
                });
                sse::write_event(out, "error", &json.finish());
            }
        }
    }
}

/// The words of both families that name a sort of error, the one that we write first.
const WORDS: [(ErrorKind, &[&str], &[&str]); 10] = [
    (ErrorKind::InvalidRequest, &["invalid_request_error"], &["invalid_request_error"]),
    (
        ErrorKind::Authentication,
        &["authentication_error", "invalid_api_key", "invalid_authentication"],
        &["authentication_error"],
    ),
    (ErrorKind::Billing, &["insufficient_quota", "billing_hard_limit_reached"], &["billing_error"]),
    (ErrorKind::Permission, &["permission_error"], &["permission_error"]),
    (ErrorKind::NotFound, &["not_found_error", "model_not_found"], &["not_found_error"]),
    (ErrorKind::TooLarge, &["request_too_large"], &["request_too_large"]),
    (
        ErrorKind::RateLimit,
        &["rate_limit_error", "rate_limit_exceeded", "requests", "tokens"],
        &["rate_limit_error"],
    ),
    (ErrorKind::Overloaded, &["overloaded_error", "engine_overloaded", "overloaded"], &["overloaded_error"]),
    (ErrorKind::Timeout, &["timeout", "timeout_error"], &["timeout_error"]),
    (ErrorKind::Server, &["server_error", "api_error", "internal_error"], &["api_error"]),
];

fn openai_type(kind: ErrorKind) -> &'static str {
    WORDS.iter().find(|(one, ..)| *one == kind).map_or("server_error", |(_, words, _)| words[0])
}

fn anthropic_type(kind: ErrorKind) -> &'static str {
    WORDS.iter().find(|(one, ..)| *one == kind).map_or("api_error", |(.., words)| words[0])
}

/// Reads the error of either family: the code says more than the type, so it is asked first. Some hosts send
/// the text alone.
pub(super) fn read_error(node: Node<'_>) -> StreamError {
    let read = || -> Result<StreamError, ReadError> {
        let mut error = node.object()?;
        let text = |node: Node<'_>| if node.is_string() { node.string() } else { Ok(node.text().to_owned()) };
        let message = error.read("message", text)?.unwrap_or_else(|| crate::json::shortened(node.text()));
        let code = error.read("code", text)?;
        let kind = error.read("type", text)?;
        let of = |word: &Option<String>| {
            let word = word.as_deref()?;
            WORDS
                .iter()
                .find(|(_, one, other)| one.contains(&word) || other.contains(&word))
                .map(|(kind, ..)| *kind)
        };
        let kind = of(&code).or_else(|| of(&kind)).unwrap_or(ErrorKind::Server);
        Ok(StreamError { kind, message, code })
    };
    read().unwrap_or_else(|_| {
        let message = node.string().unwrap_or_else(|_| crate::json::shortened(node.text()));
        StreamError { kind: ErrorKind::Server, message, code: None }
    })
}
