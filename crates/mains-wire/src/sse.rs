//! Server-sent events: a decoder that takes the bytes in any pieces, and a writer.
//!
//! Read [`Decoder`] first. It cuts a stream into [`Frame`]s whose raw bytes, laid end to end, are
//! exactly the stream: what passes through Mains unchanged is forwarded frame by frame. A frame is an
//! event (it has data), or what stands between events: comments, which servers send to keep a
//! connection alive, and blank lines.
//!
//! The rules are those of the HTML standard, section 9.2.6 (read 2026-11-24): lines end with CRLF, LF
//! or CR; one byte order mark at the start is skipped; a line that starts with a colon is a comment;
//! one space after the colon is no part of a value; data of several lines is joined with LF.

use bytes::{Buf, Bytes, BytesMut};
use std::fmt;
use std::ops::Range;

/// The last event of an OpenAI chat completion stream.
pub const DONE: &[u8] = b"data: [DONE]\n\n";

/// How much a decoder keeps before it gives up, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest line.
    pub line: usize,
    /// The longest event, all its lines together.
    pub event: usize,
}

impl Default for Limits {
    /// 8 MiB a line, 16 MiB an event: a whole answer with an image in it fits, an endless line does not.
    fn default() -> Self {
        Self { line: 8 << 20, event: 16 << 20 }
    }
}

/// Why a stream cannot be read any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SseError {
    /// A line is longer than the limit.
    LineTooLong {
        /// Where the line starts, in bytes from the start of the stream.
        at: u64,
        /// The limit, in bytes.
        limit: usize,
    },
    /// An event is longer than the limit.
    EventTooLong {
        /// Where the event starts, in bytes from the start of the stream.
        at: u64,
        /// The limit, in bytes.
        limit: usize,
    },
}

impl fmt::Display for SseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LineTooLong { at, limit } => {
                write!(f, "a line of the event stream, from byte {at}, is longer than {limit} bytes")
            }
            Self::EventTooLong { at, limit } => {
                write!(f, "an event of the event stream, from byte {at}, is longer than {limit} bytes")
            }
        }
    }
}

impl std::error::Error for SseError {}

/// A piece of the stream: an event, or what stands between two events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Exactly the bytes that arrived, line ends included.
    pub raw: Bytes,
    /// Where `raw` starts, in bytes from the start of the stream.
    pub start: u64,
    /// The joined data lines. `None`: no event, only comments, blank lines or fields without data.
    pub data: Option<Bytes>,
    /// Whether the blank line that ends an event was seen. Only the frame of
    /// [`Decoder::finish`] may lack it; browsers drop such an event.
    pub complete: bool,
    name: Option<Bytes>,
    id: Option<Bytes>,
}

impl Frame {
    /// The value of the `event` field; empty if there is none or if it is not UTF-8.
    pub fn name(&self) -> &str {
        text_of(self.name.as_ref())
    }

    /// The value of the `id` field; empty if there is none or if it is not UTF-8.
    pub fn id(&self) -> &str {
        text_of(self.id.as_ref())
    }

    /// Where the frame's bytes stand in the stream.
    pub fn span(&self) -> Range<u64> {
        self.start..self.start + self.raw.len() as u64
    }

    /// Whether this is the event `[DONE]` that ends an OpenAI chat completion stream.
    pub fn is_done(&self) -> bool {
        self.data.as_ref().is_some_and(|data| data.trim_ascii().starts_with(b"[DONE]"))
    }
}

fn text_of(bytes: Option<&Bytes>) -> &str {
    bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or("")
}

/// The fields of the block being read, as spans of the decoder's buffer.
#[derive(Debug, Default)]
struct Fields {
    any: bool,
    data: Vec<Range<usize>>,
    name: Option<Range<usize>>,
    id: Option<Range<usize>>,
}

/// Cuts a byte stream into [`Frame`]s.
///
/// After each [`push`](Self::push), call [`next_frame`](Self::next_frame) until it gives `None`: memory
/// is then bounded by the limits and one chunk. The frames do not depend on how the stream was cut. A
/// stream whose lines end with CR alone comes one byte late, because an LF might still follow.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    buffer: BytesMut,
    /// Stream offset of `buffer[0]`.
    start: u64,
    /// Start of the line being read, in `buffer`.
    line: usize,
    /// Everything before this was looked at, in `buffer`.
    seen: usize,
    fields: Fields,
    failed: Option<SseError>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// A decoder with the default limits.
    pub fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    /// A decoder with limits of one's own.
    pub fn with_limits(limits: Limits) -> Self {
        Self {
            limits,
            buffer: BytesMut::new(),
            start: 0,
            line: 0,
            seen: 0,
            fields: Fields::default(),
            failed: None,
        }
    }

    /// Takes the next bytes of the stream, in a piece of any size.
    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next complete frame, or `None` until more bytes come. Errors are final: the same error comes
    /// again on each call.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, SseError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        while let Some((content_end, line_end)) = self.next_line() {
            let content = self.content_start()..content_end;
            self.check_limits(content_end)?;
            self.line = line_end;
            self.seen = line_end;
            if content.is_empty() {
                return Ok(Some(self.take_frame(line_end, true)));
            }
            let comment = self.buffer[content.start] == b':';
            if !comment {
                self.read_field(content);
            } else if !self.fields.any {
                // A comment before any field may be a sign of life: it must not wait for the next event.
                return Ok(Some(self.take_frame(line_end, true)));
            }
        }
        self.check_limits(self.buffer.len())?;
        Ok(None)
    }

    /// What is left when the stream has ended: `None` if it ended at a frame's end, else the rest, with
    /// [`Frame::complete`] false. A last line without a line end is read too: some servers leave it out.
    pub fn finish(&mut self) -> Result<Option<Frame>, SseError> {
        if let Some(frame) = self.next_frame()? {
            return Ok(Some(frame));
        }
        if self.buffer.is_empty() {
            return Ok(None);
        }
        let end = self.buffer.len();
        let cr = self.buffer.last() == Some(&b'\r') && self.line < end;
        let content = self.content_start()..if cr { end - 1 } else { end };
        let blank = content.is_empty() && cr;
        if !content.is_empty() && self.buffer[content.start] != b':' {
            self.read_field(content);
        }
        Ok(Some(self.take_frame(end, blank)))
    }

    /// The bytes that were pushed and are in no frame yet; after an error, what may still be forwarded.
    pub fn rest(&self) -> &[u8] {
        &self.buffer
    }

    /// End of the next line's content, and of its line end, if both have arrived.
    fn next_line(&mut self) -> Option<(usize, usize)> {
        let Some(found) = memchr::memchr2(b'\n', b'\r', &self.buffer[self.seen..]) else {
            self.seen = self.buffer.len();
            return None;
        };
        let end = self.seen + found;
        if self.buffer[end] == b'\n' {
            return Some((end, end + 1));
        }
        self.seen = end;
        let next = *self.buffer.get(end + 1)?;
        Some((end, if next == b'\n' { end + 2 } else { end + 1 }))
    }

    /// Start of the line being read, behind a byte order mark.
    fn content_start(&self) -> usize {
        let first_line = self.start == 0 && self.line == 0;
        if first_line && self.buffer.starts_with("\u{feff}".as_bytes()) { 3 } else { self.line }
    }

    fn check_limits(&mut self, end: usize) -> Result<(), SseError> {
        let error = if end.saturating_sub(self.line) > self.limits.line {
            SseError::LineTooLong { at: self.start + self.line as u64, limit: self.limits.line }
        } else if end > self.limits.event {
            SseError::EventTooLong { at: self.start, limit: self.limits.event }
        } else {
            return Ok(());
        };
        self.failed = Some(error);
        Err(error)
    }

    fn read_field(&mut self, content: Range<usize>) {
        self.fields.any = true;
        let line = &self.buffer[content.clone()];
        let colon = memchr::memchr(b':', line);
        let name = &line[..colon.unwrap_or(line.len())];
        let mut value = colon.map_or(content.end, |colon| content.start + colon + 1)..content.end;
        if self.buffer[value.clone()].first() == Some(&b' ') {
            value.start += 1;
        }
        match name {
            b"data" => self.fields.data.push(value),
            b"event" => self.fields.name = Some(value),
            b"id" if !self.buffer[value.clone()].contains(&0) => self.fields.id = Some(value),
            _ => {}
        }
    }

    fn take_frame(&mut self, end: usize, complete: bool) -> Frame {
        let raw = Bytes::copy_from_slice(&self.buffer[..end]);
        self.buffer.advance(end);
        let fields = std::mem::take(&mut self.fields);
        let frame = Frame {
            data: join(&raw, &fields.data),
            name: fields.name.map(|span| raw.slice(span)),
            id: fields.id.map(|span| raw.slice(span)),
            start: self.start,
            complete,
            raw,
        };
        self.start += end as u64;
        self.line = 0;
        self.seen = 0;
        frame
    }
}

/// The data lines joined with LF; one line is not copied.
fn join(raw: &Bytes, lines: &[Range<usize>]) -> Option<Bytes> {
    match lines {
        [] => None,
        [line] => Some(raw.slice(line.clone())),
        lines => {
            let parts: Vec<&[u8]> = lines.iter().map(|line| &raw[line.clone()]).collect();
            Some(Bytes::from(parts.join(&b'\n')))
        }
    }
}

/// Appends one event. `name` is left out when empty; line ends in the data start a new data line, and
/// those in the name are left out, so that no value can break the frame.
pub fn write_event(out: &mut Vec<u8>, name: &str, data: &[u8]) {
    if !name.is_empty() {
        out.extend_from_slice(b"event: ");
        out.extend(name.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')));
        out.push(b'\n');
    }
    let mut rest = data;
    loop {
        out.extend_from_slice(b"data: ");
        let end = memchr::memchr2(b'\n', b'\r', rest);
        out.extend_from_slice(&rest[..end.unwrap_or(rest.len())]);
        out.push(b'\n');
        let Some(end) = end else { break };
        let crlf = rest[end..].starts_with(b"\r\n");
        rest = &rest[end + if crlf { 2 } else { 1 }..];
    }
    out.push(b'\n');
}

/// Appends a comment, which clients skip: a sign of life, or a footer for people.
pub fn write_comment(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(b": ");
    out.extend(text.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(stream: &[u8], chunk: usize) -> Vec<Frame> {
        let mut decoder = Decoder::new();
        let mut frames = Vec::new();
        for piece in stream.chunks(chunk.max(1)) {
            decoder.push(piece);
            while let Some(frame) = decoder.next_frame().unwrap() {
                frames.push(frame);
            }
        }
        while let Some(frame) = decoder.finish().unwrap() {
            frames.push(frame);
        }
        frames
    }

    fn check(stream: &str, expect: &[(&str, &str)]) {
        for chunk in 1..=stream.len().max(1) {
            let frames = all(stream.as_bytes(), chunk);
            let events: Vec<(String, String)> = frames
                .iter()
                .filter_map(|frame| {
                    let data = frame.data.as_ref()?;
                    Some((frame.name().to_owned(), String::from_utf8_lossy(data).into_owned()))
                })
                .collect();
            let expect: Vec<_> = expect.iter().map(|(n, d)| ((*n).to_owned(), (*d).to_owned())).collect();
            assert_eq!(events, expect, "chunks of {chunk}");
        }
    }

    #[test]
    fn events_are_read_with_every_line_end_and_in_every_cutting() {
        check("event: a\ndata: 1\n\ndata: 2\n\n", &[("a", "1"), ("", "2")]);
        check("event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n", &[("a", "1"), ("", "2")]);
        check("event: a\rdata: 1\r\rdata: 2\r\r", &[("a", "1"), ("", "2")]);
        check("\u{feff}data: x\n\n", &[("", "x")]);
        check("data: a\n: comment\ndata:b\ndata\ndata:  c\n\n", &[("", "a\nb\n\n c")]);
        check(": alive\n\n:\n\ndata: x\n\n", &[("", "x")]);
        check("event: lonely\n\nid: 7\nfoo: bar\ndata:\n\n", &[("", "")]);
        check("data: [DONE]", &[("", "[DONE]")]);
    }

    #[test]
    fn a_comment_between_events_does_not_wait() {
        let mut decoder = Decoder::new();
        decoder.push(b": alive\n");
        assert_eq!(decoder.next_frame().unwrap().unwrap().raw, &b": alive\n"[..]);
    }

    #[test]
    fn an_unfinished_event_is_marked() {
        let frames = all(b"data: {\"a\":1}\n\ndata: {\"b\"", 3);
        assert_eq!(frames.iter().map(|frame| frame.complete).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn an_endless_line_and_an_endless_event_are_refused() {
        let mut decoder = Decoder::with_limits(Limits { line: 16, event: 64 });
        decoder.push(b"data: ok\n\n");
        assert!(decoder.next_frame().unwrap().is_some());
        decoder.push(&[b'x'; 17]);
        let error = decoder.next_frame().unwrap_err();
        assert_eq!(error, SseError::LineTooLong { at: 10, limit: 16 });
        assert_eq!(decoder.next_frame().unwrap_err(), error);
        assert_eq!(error.to_string(), "a line of the event stream, from byte 10, is longer than 16 bytes");

        let mut decoder = Decoder::with_limits(Limits { line: 16, event: 64 });
        let error = (0..20)
            .find_map(|_| {
                decoder.push(b"data: x\n");
                decoder.next_frame().err()
            })
            .unwrap();
        assert_eq!(error, SseError::EventTooLong { at: 0, limit: 64 });
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut out = Vec::new();
        write_event(&mut out, "error", b"a\nb\r\nc\rd");
        write_comment(&mut out, "two\nlines");
        let frames = all(&out, 1);
        assert_eq!(frames[0].data.as_deref(), Some(&b"a\nb\nc\nd"[..]));
        assert_eq!(frames[0].name(), "error");
        assert!(frames[1..].iter().all(|frame| frame.data.is_none()));
        assert!(all(DONE, 1)[0].is_done());
    }

    proptest! {
        #[test]
        fn frames_laid_end_to_end_are_the_stream_in_any_cutting(
            stream in proptest::collection::vec(
                prop_oneof![Just(b'\n'), Just(b'\r'), Just(b':'), Just(b' '), Just(b'd'), any::<u8>()], 0..200),
            chunk in 1_usize..50,
        ) {
            let frames = all(&stream, chunk);
            prop_assert_eq!(&frames, &all(&stream, usize::MAX));
            let mut at = 0;
            for frame in &frames {
                prop_assert_eq!(frame.start, at);
                at = frame.span().end;
            }
            let joined: Vec<u8> = frames.iter().flat_map(|frame| frame.raw.to_vec()).collect();
            prop_assert_eq!(joined, stream);
        }

        #[test]
        fn a_written_event_is_one_event(name in "[a-z.\n\r]{0,12}", data in proptest::collection::vec(any::<u8>(), 0..100)) {
            let mut out = Vec::new();
            write_event(&mut out, &name, &data);
            let events: Vec<_> = all(&out, 7).into_iter().filter(|frame| frame.data.is_some()).collect();
            prop_assert_eq!(events.len(), 1);
        }
    }
}
