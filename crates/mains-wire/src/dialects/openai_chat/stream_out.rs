//! A chat completion stream, written chunk by chunk.

use super::{answer::Annotation, answer::write_thinking_block, question_out::call_words, words};
use crate::json::Writer as Json;
use crate::loss::Losses;
use crate::neutral::{BlockStart, CallKind, Citation, Content, Delta, Event, StopReason};
use mains_units::Usage;

/// Writes events as chunks.
#[derive(Debug)]
pub(crate) struct Writer {
    include_usage: bool,
    started: bool,
    id: String,
    model: String,
    created: u64,
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Debug, Default)]
struct Choice {
    index: u32,
    open: Option<Open>,
    /// How many calls began.
    calls: u32,
    /// Length of the text so far in characters, which annotations count.
    length: u64,
    /// Citations of the open block, and where its text started.
    citations: Vec<Citation>,
    block_start: u64,
    refused: bool,
    stopped: bool,
}

/// The block that takes pieces now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Refusal,
    Reasoning,
    Call(CallKind),
    /// Nothing of it can be said.
    Skipped,
}

impl Writer {
    pub(crate) fn new(include_usage: bool, created: u64) -> Self {
        Self {
            include_usage,
            started: false,
            id: String::new(),
            model: String::new(),
            created,
            choices: Vec::new(),
            usage: None,
        }
    }

    /// The chunks of one event, each as the data of one server-sent event.
    pub(crate) fn event(&mut self, event: &Event, chunks: &mut Vec<Vec<u8>>, losses: &mut Losses) {
        match event {
            Event::Start { id, model, created } => {
                // A second start would begin a second answer; the first one stands.
                if !std::mem::replace(&mut self.started, true) {
                    self.id.clone_from(id);
                    self.model.clone_from(model);
                    self.created = created.unwrap_or(self.created);
                }
            }
            Event::BlockStart { choice, start, .. } => self.begin(*choice, start, chunks, losses),
            Event::Delta { choice, delta, .. } => self.piece(*choice, delta, chunks, losses),
            Event::BlockEnd { choice, .. } => self.end(*choice, chunks, losses),
            Event::Logprobs { choice, raw } => {
                self.choice(*choice, chunks);
                chunks.push(self.chunk(*choice, |_| {}, None, Some(raw.as_str())));
            }
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Stop { choice, reason } => self.stop(*choice, reason, chunks, losses),
            Event::Error(_) => {}
        }
    }

    /// Whether every answer that began also ended.
    pub(crate) fn is_whole(&self) -> bool {
        !self.choices.is_empty() && self.choices.iter().all(|choice| choice.stopped)
    }

    /// The chunk of the usage, if it was asked for and is known.
    pub(crate) fn last(&self) -> Option<Vec<u8>> {
        let usage = self.usage.filter(|_| self.include_usage)?;
        let mut json = Json::new();
        json.object(|w| {
            self.head(w);
            w.array_field("choices", |_| {});
            w.object_field("usage", |w| words::write_usage(w, &usage));
        });
        Some(json.finish())
    }

    fn head(&self, w: &mut Json) {
        w.field("id", &self.id);
        w.field("object", "chat.completion.chunk");
        w.field("created", &self.created);
        w.field("model", &self.model);
    }

    fn chunk(
        &self,
        index: u32,
        delta: impl FnOnce(&mut Json),
        finish_reason: Option<&str>,
        logprobs: Option<&str>,
    ) -> Vec<u8> {
        let mut json = Json::new();
        json.object(|w| {
            self.head(w);
            w.array_field("choices", |w| {
                w.object(|w| {
                    w.field("index", &index);
                    w.object_field("delta", delta);
                    if let Some(raw) = logprobs {
                        w.raw_field("logprobs", raw);
                    }
                    w.field("finish_reason", &finish_reason);
                });
            });
            if self.include_usage {
                w.field("usage", &None::<u8>);
            }
        });
        json.finish()
    }

    /// The state of an answer; its first chunk says the role.
    fn choice(&mut self, index: u32, chunks: &mut Vec<Vec<u8>>) -> &mut Choice {
        self.choice_with(index, Some(""), chunks)
    }

    /// The same, with the content of the first chunk: null where a tool call begins the answer, as OpenAI writes it.
    fn choice_with(&mut self, index: u32, content: Option<&str>, chunks: &mut Vec<Vec<u8>>) -> &mut Choice {
        let known = self.choices.iter().position(|choice| choice.index == index);
        let at = known.unwrap_or_else(|| {
            let role = |w: &mut Json| {
                w.field("role", "assistant");
                w.field("content", &content);
            };
            chunks.push(self.chunk(index, role, None, None));
            self.choices.push(Choice { index, ..Choice::default() });
            self.choices.len() - 1
        });
        &mut self.choices[at]
    }

    fn begin(&mut self, index: u32, start: &BlockStart, chunks: &mut Vec<Vec<u8>>, losses: &mut Losses) {
        let content = if matches!(start, BlockStart::ToolCall { .. }) { None } else { Some("") };
        let choice = self.choice_with(index, content, chunks);
        choice.block_start = choice.length;
        choice.open = Some(match start {
            BlockStart::Text => Open::Text,
            BlockStart::Reasoning => Open::Reasoning,
            BlockStart::Refusal => Open::Refusal,
            BlockStart::ToolCall { kind, .. } => Open::Call(*kind),
            BlockStart::RedactedReasoning { .. } => Open::Skipped,
            BlockStart::Foreign { .. } => {
                losses.add("content", "not a part of an OpenAI answer");
                Open::Skipped
            }
        });
        choice.refused |= *start == BlockStart::Refusal;
        match start {
            BlockStart::ToolCall { id, name, kind } => {
                choice.calls += 1;
                let number = choice.calls - 1;
                let (key, arguments) = call_words(*kind);
                let call = |w: &mut Json| {
                    w.field("index", &number);
                    w.field("id", id);
                    w.field("type", key);
                    w.object_field(key, |w| {
                        w.field("name", name);
                        w.field(arguments, "");
                    });
                };
                let delta = |w: &mut Json| w.array_field("tool_calls", |w| w.object(call));
                chunks.push(self.chunk(index, delta, None, None));
            }
            BlockStart::RedactedReasoning { data } => {
                let thought = Content::RedactedReasoning { data: data.clone() };
                chunks.push(self.thought(index, &thought));
            }
            _ => {}
        }
    }

    fn thought(&self, index: u32, thought: &Content) -> Vec<u8> {
        let delta = |w: &mut Json| w.array_field("thinking_blocks", |w| write_thinking_block(w, thought));
        self.chunk(index, delta, None, None)
    }

    fn piece(&mut self, index: u32, delta: &Delta, chunks: &mut Vec<Vec<u8>>, losses: &mut Losses) {
        let choice = self.choice(index, chunks);
        let open = choice.open;
        let number = choice.calls.saturating_sub(1);
        match (open, delta) {
            (Some(Open::Text), Delta::Text(text)) => {
                choice.length += text.chars().count() as u64;
                chunks.push(self.chunk(index, |w| w.field("content", text), None, None));
            }
            (Some(Open::Text), Delta::Citation(citation)) => choice.citations.push(citation.clone()),
            (Some(Open::Refusal), Delta::Text(text)) => {
                chunks.push(self.chunk(index, |w| w.field("refusal", text), None, None));
            }
            (Some(Open::Reasoning), Delta::Reasoning(text)) => {
                chunks.push(self.chunk(index, |w| w.field("reasoning_content", text), None, None));
            }
            (Some(Open::Reasoning), Delta::Signature(signature)) => {
                let signature = Some(signature.clone());
                chunks.push(self.thought(index, &Content::Reasoning { text: String::new(), signature }));
            }
            (Some(Open::Call(kind)), Delta::Arguments(text)) => {
                let (key, arguments) = call_words(kind);
                let call = |w: &mut Json| {
                    w.field("index", &number);
                    w.object_field(key, |w| w.field(arguments, text));
                };
                let delta = |w: &mut Json| w.array_field("tool_calls", |w| w.object(call));
                chunks.push(self.chunk(index, delta, None, None));
            }
            (Some(Open::Skipped), _) => {}
            _ => losses.add("content", "a piece that does not fit its block"),
        }
    }

    /// Ends a block: now it is known which characters its citations stand behind.
    fn end(&mut self, index: u32, chunks: &mut Vec<Vec<u8>>, losses: &mut Losses) {
        let choice = self.choice(index, chunks);
        choice.open = None;
        let citations = std::mem::take(&mut choice.citations);
        let (start, end) = (choice.block_start, choice.length);
        let mut annotations = Vec::new();
        for citation in &citations {
            match citation {
                Citation::Url { url, title, range, cited_text, encrypted_index } => {
                    let range = range.map_or((start, end), |(from, to)| {
                        (start.saturating_add(from), start.saturating_add(to))
                    });
                    annotations.push(Annotation { url, title: title.as_deref(), range });
                    if cited_text.is_some() || encrypted_index.is_some() {
                        losses.add("citations", "OpenAI has no cited text");
                    }
                }
                Citation::Foreign { .. } => losses.add("citations", "OpenAI cites pages of the web only"),
            }
        }
        if !annotations.is_empty() {
            let delta = |w: &mut Json| {
                w.array_field("annotations", |w| annotations.iter().for_each(|one| one.write(w)));
            };
            chunks.push(self.chunk(index, delta, None, None));
        }
    }

    fn stop(&mut self, index: u32, reason: &StopReason, chunks: &mut Vec<Vec<u8>>, losses: &mut Losses) {
        let choice = self.choice(index, chunks);
        if std::mem::replace(&mut choice.stopped, true) {
            return;
        }
        let refused = choice.refused;
        if let (false, StopReason::Refusal { explanation: Some(text), .. }) = (refused, reason) {
            chunks.push(self.chunk(index, |w| w.field("refusal", text), None, None));
        }
        let word = words::finish_reason(reason);
        if !words::is_exact(reason) {
            losses.add("stop_reason", format!("said as `{word}`, which says less"));
        }
        chunks.push(self.chunk(index, |_| {}, Some(word), None));
    }
}
