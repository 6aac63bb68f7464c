//! A whole chat completion, read and written.

use super::{question_in, question_out, words};
use crate::json::{Node, Object, ReadError, Writer};
use crate::loss::{Encoded, Losses};
use crate::neutral::{Answer, Block, CallKind, Choice, Citation, Content, StopReason, ToolCall};

/// Reads an answer.
pub fn read_answer(bytes: &[u8]) -> Result<Answer, ReadError> {
    let mut body = Node::whole(bytes)?.object()?;
    if let Some(error) = body.take("error") {
        let error = crate::dialects::read_stream_error(error);
        return Err(
            ReadError::new(format!("an error instead of an answer: {}", error.message)).within("error")
        );
    }
    Ok(Answer {
        id: body.string("id")?.unwrap_or_default(),
        model: body.string("model")?.unwrap_or_default(),
        created: body.read("created", read_time)?,
        choices: body.require("choices", |choices| choices.each(read_choice))?,
        usage: body.read("usage", words::read_usage)?,
    })
}

/// Seconds since 1970; some hosts write a fraction.
pub(super) fn read_time(node: Node<'_>) -> Result<u64, ReadError> {
    let whole = node.text().split_once('.').map_or(node.text(), |(whole, _)| whole);
    if node.is_number() { Ok(whole.parse().unwrap_or(0)) } else { Err(node.expected("a time")) }
}

fn read_choice(position: usize, node: Node<'_>) -> Result<Choice, ReadError> {
    let mut choice = node.object()?;
    let index = choice.read("index", Node::u32)?;
    Ok(Choice {
        index: index.unwrap_or_else(|| u32::try_from(position).unwrap_or(u32::MAX)),
        blocks: choice.require("message", read_message)?,
        stop: choice.string("finish_reason")?.map(words::stop_reason),
        logprobs: choice.take("logprobs").map(Node::json),
    })
}

fn read_message(node: Node<'_>) -> Result<Vec<Block>, ReadError> {
    let mut message = node.object()?;
    let mut blocks = read_reasoning(&mut message)?;
    let citations = message.read("annotations", read_annotations)?.unwrap_or_default();
    let text = message.string("content")?.unwrap_or_default();
    if !text.is_empty() || !citations.is_empty() {
        blocks.push(Block::new(Content::Text { text, citations }));
    }
    let refusal = message.string("refusal")?.filter(|text| !text.is_empty());
    blocks.extend(refusal.map(|text| Block::new(Content::Refusal { text })));
    if let Some(call) = message.read("function_call", Node::object)? {
        blocks.push(Block::new(Content::ToolCall(read_legacy_call(call)?)));
    }
    blocks.extend(message.read("tool_calls", question_in::read_tool_calls)?.unwrap_or_default());
    Ok(blocks)
}

fn read_legacy_call(mut call: Object<'_>) -> Result<ToolCall, ReadError> {
    Ok(ToolCall {
        id: "function_call".into(),
        name: call.require_string("name")?,
        arguments: call.string("arguments")?.filter(|text| !text.is_empty()).unwrap_or_else(|| "{}".into()),
        kind: CallKind::Function,
    })
}

/// Thoughts are no part of OpenAI's own format. Hosts write `reasoning_content` (DeepSeek, vLLM, llama.cpp)
/// or `reasoning` (OpenRouter, Ollama); `thinking_blocks` (LiteLLM) also carries signatures, so it wins.
pub(super) fn read_reasoning(message: &mut Object<'_>) -> Result<Vec<Block>, ReadError> {
    let blocks = message.read("thinking_blocks", |node| node.each(|_, block| read_thinking_block(block)))?;
    let [long, short] = ["reasoning_content", "reasoning"].map(|key| message.take(key));
    if let Some(blocks) = blocks.filter(|blocks| !blocks.is_empty()) {
        return Ok(blocks.into_iter().map(Block::new).collect());
    }
    let text = long.or(short).filter(|node| node.is_string()).map(Node::string).transpose()?;
    let text = text.filter(|text| !text.is_empty());
    Ok(text.map(|text| Block::new(Content::Reasoning { text, signature: None })).into_iter().collect())
}

pub(super) fn read_thinking_block(node: Node<'_>) -> Result<Content, ReadError> {
    let mut block = node.object()?;
    if block.string("type")?.as_deref() == Some("redacted_thinking") {
        return Ok(Content::RedactedReasoning { data: block.require_string("data")? });
    }
    Ok(Content::Reasoning {
        text: block.string("thinking")?.unwrap_or_default(),
        signature: block.string("signature")?.filter(|signature| !signature.is_empty()),
    })
}

pub(super) fn read_annotations(node: Node<'_>) -> Result<Vec<Citation>, ReadError> {
    let read = |_, node: Node<'_>| {
        let mut annotation = node.object()?;
        annotation.read("url_citation", read_url_citation)
    };
    Ok(node.each(read)?.into_iter().flatten().collect())
}

fn read_url_citation(node: Node<'_>) -> Result<Citation, ReadError> {
    let mut citation = node.object()?;
    let start = citation.read("start_index", Node::u64)?;
    let end = citation.read("end_index", Node::u64)?;
    Ok(Citation::Url {
        url: citation.require_string("url")?,
        title: citation.string("title")?,
        range: start.zip(end),
        cited_text: None,
        encrypted_index: None,
    })
}

/// Writes an answer. The format requires `created`: fill it in before, or it is written as 0.
pub fn write_answer(answer: &Answer) -> Encoded {
    let mut losses = Losses::default();
    let mut writer = Writer::new();
    writer.object(|w| {
        w.field("id", &answer.id);
        w.field("object", "chat.completion");
        w.field("created", &answer.created.unwrap_or(0));
        w.field("model", &answer.model);
        w.array_field("choices", |w| {
            for (position, choice) in answer.choices.iter().enumerate() {
                write_choice(w, choice, &format!("choices[{position}]"), &mut losses);
            }
        });
        if let Some(usage) = &answer.usage {
            w.object_field("usage", |w| words::write_usage(w, usage));
        }
    });
    Encoded { bytes: writer.finish(), losses: losses.into_vec() }
}

fn write_choice(w: &mut Writer, choice: &Choice, path: &str, losses: &mut Losses) {
    w.object(|w| {
        w.field("index", &choice.index);
        w.object_field("message", |w| write_message(w, choice, path, losses));
        match &choice.logprobs {
            Some(raw) => w.raw_field("logprobs", raw.as_str()),
            None => w.field("logprobs", &None::<u8>),
        }
        w.field("finish_reason", &choice.stop.as_ref().map(words::finish_reason));
        let inexact = choice.stop.as_ref().filter(|reason| !words::is_exact(reason));
        if let Some(reason) = inexact {
            let word = words::finish_reason(reason);
            losses.add(format!("{path}.stop_reason"), format!("said as `{word}`, which says less"));
        }
    });
}

fn write_message(w: &mut Writer, choice: &Choice, path: &str, losses: &mut Losses) {
    let mut parts = Parts::default();
    for block in &choice.blocks {
        match &block.content {
            Content::Text { text, citations } => parts.text(text, citations, path, losses),
            Content::Refusal { text } => parts.refusal.get_or_insert_default().push_str(text),
            Content::Reasoning { .. } | Content::RedactedReasoning { .. } => {
                parts.thoughts.push(&block.content);
            }
            Content::ToolCall(call) => parts.calls.push(call),
            _ => losses.add(format!("{path}.content"), "not a part of an OpenAI answer"),
        }
    }
    if let (None, Some(StopReason::Refusal { explanation, .. })) = (&parts.refusal, &choice.stop) {
        parts.refusal.clone_from(explanation);
    }
    w.field("role", "assistant");
    w.field("content", &parts.content);
    w.field("refusal", &parts.refusal);
    parts.write_thoughts(w);
    if !parts.annotations.is_empty() {
        w.array_field("annotations", |w| parts.annotations.iter().for_each(|one| one.write(w)));
    }
    if !parts.calls.is_empty() {
        w.array_field("tool_calls", |w| {
            parts.calls.iter().for_each(|call| question_out::write_tool_call(w, call));
        });
    }
}

/// The members of an OpenAI message: each kind of block has its own.
#[derive(Default)]
struct Parts<'a> {
    content: Option<String>,
    /// Length of `content` in characters, which annotations count.
    length: u64,
    annotations: Vec<Annotation<'a>>,
    refusal: Option<String>,
    thoughts: Vec<&'a Content>,
    calls: Vec<&'a ToolCall>,
}

/// A page, and the part of the text that cites it.
pub(super) struct Annotation<'a> {
    pub(super) url: &'a str,
    pub(super) title: Option<&'a str>,
    pub(super) range: (u64, u64),
}

impl Annotation<'_> {
    pub(super) fn write(&self, w: &mut Writer) {
        w.object(|w| {
            w.field("type", "url_citation");
            w.object_field("url_citation", |w| {
                w.field("start_index", &self.range.0);
                w.field("end_index", &self.range.1);
                w.field("title", self.title.unwrap_or_default());
                w.field("url", self.url);
            });
        });
    }
}

impl<'a> Parts<'a> {
    fn text(&mut self, text: &str, citations: &'a [Citation], path: &str, losses: &mut Losses) {
        let start = self.length;
        let length = text.chars().count() as u64;
        self.length += length;
        self.content.get_or_insert_default().push_str(text);
        for citation in citations {
            match citation {
                Citation::Url { url, title, range, cited_text, encrypted_index } => {
                    let (from, to) = range.unwrap_or((0, length));
                    let range = (start.saturating_add(from), start.saturating_add(to));
                    self.annotations.push(Annotation { url, title: title.as_deref(), range });
                    if cited_text.is_some() || encrypted_index.is_some() {
                        losses.add(format!("{path}.citations"), "OpenAI has no cited text");
                    }
                }
                Citation::Foreign { .. } => {
                    losses.add(format!("{path}.citations"), "OpenAI cites pages of the web only");
                }
            }
        }
    }

    /// Text in `reasoning_content`; signatures and encrypted thoughts in `thinking_blocks` beside it.
    fn write_thoughts(&self, w: &mut Writer) {
        let text: String = self
            .thoughts
            .iter()
            .filter_map(|thought| match thought {
                Content::Reasoning { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        if !text.is_empty() {
            w.field("reasoning_content", &text);
        }
        let plain = |thought: &&Content| matches!(thought, Content::Reasoning { signature: None, .. });
        if self.thoughts.len() > 1 || !self.thoughts.iter().all(plain) {
            w.array_field("thinking_blocks", |w| {
                self.thoughts.iter().for_each(|thought| write_thinking_block(w, thought));
            });
        }
    }
}

pub(super) fn write_thinking_block(w: &mut Writer, thought: &Content) {
    w.object(|w| match thought {
        Content::RedactedReasoning { data } => {
            w.field("type", "redacted_thinking");
            w.field("data", data);
        }
        Content::Reasoning { text, signature } => {
            w.field("type", "thinking");
            w.field("thinking", text);
            w.optional("signature", signature.as_ref());
        }
        _ => {}
    });
}
