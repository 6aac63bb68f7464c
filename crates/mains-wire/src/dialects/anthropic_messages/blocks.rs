//! Content blocks, read and written; questions and answers share them.

use super::{HERE, words};
use crate::dialects::Extras;
use crate::json::{Node, Object, ReadError, Writer};
use crate::loss::Losses;
use crate::neutral::{Block, CallKind, Citation, Content, Json, Source, ToolCall, ToolResult};
use std::borrow::Cow;

/// Reads content that is a string or an array of blocks.
pub(super) fn read_content(node: Node<'_>, path: &str, extras: &mut Extras) -> Result<Vec<Block>, ReadError> {
    if node.is_string() {
        return Ok(vec![Block::text(node.string()?)]);
    }
    if !node.is_array() {
        return Err(node.expected("a string or an array of blocks"));
    }
    node.each(|index, block| read_block(block, &format!("{path}[{index}]"), extras))
}

pub(super) fn read_block(node: Node<'_>, path: &str, extras: &mut Extras) -> Result<Block, ReadError> {
    let mut block = node.object()?;
    let kind = block.require_string("type")?;
    let content = match kind.as_str() {
        "text" => Content::Text {
            text: block.require_string("text")?,
            citations: block
                .read("citations", |node| node.each(|_, one| read_citation(one)))?
                .unwrap_or_default(),
        },
        "image" => match block.require("source", read_source)? {
            Some(source) => Content::Image { source, detail: None },
            None => return Ok(foreign(node)),
        },
        "document" => match read_document(&mut block)? {
            Some(content) => content,
            None => return Ok(foreign(node)),
        },
        "tool_use" => Content::ToolCall(ToolCall {
            id: block.require_string("id")?,
            name: block.require_string("name")?,
            arguments: block.require("input", read_input)?,
            kind: CallKind::Function,
        }),
        "tool_result" => Content::ToolResult(ToolResult {
            call_id: block.require_string("tool_use_id")?,
            content: block
                .read("content", |node| read_content(node, &format!("{path}.content"), extras))?
                .unwrap_or_default(),
            is_error: block.read("is_error", Node::bool)?.unwrap_or(false),
        }),
        "thinking" => Content::Reasoning {
            text: block.string("thinking")?.unwrap_or_default(),
            signature: block.string("signature")?.filter(|signature| !signature.is_empty()),
        },
        "redacted_thinking" => Content::RedactedReasoning { data: block.require_string("data")? },
        // Blocks of tools that the provider runs, and whatever comes next: kept whole for this dialect.
        _ => return Ok(foreign(node)),
    };
    let cache = words::read_cache(&mut block)?;
    // Says only that the model itself called, which is all that other dialects know.
    let caller = block.take("caller");
    if caller.is_some_and(|caller| !caller.text().contains("\"direct\"")) {
        extras.named(&format!("{path}.caller"));
    }
    extras.rest(block, path);
    Ok(Block { content, cache })
}

fn foreign(node: Node<'_>) -> Block {
    Block::new(Content::Foreign { dialect: HERE, raw: node.json() })
}

/// Arguments keep their text, whitespace included.
pub(super) fn read_input(node: Node<'_>) -> Result<String, ReadError> {
    if node.is_object() { Ok(node.text().to_owned()) } else { Err(node.expected("an object")) }
}

/// `None` for a source that only this dialect knows.
fn read_source(node: Node<'_>) -> Result<Option<Source>, ReadError> {
    let mut source = node.object()?;
    Ok(Some(match source.require_string("type")?.as_str() {
        "base64" => Source::Base64 {
            media_type: source.require_string("media_type")?,
            data: source.require_string("data")?,
        },
        "url" => Source::Url(source.require_string("url")?),
        "file" => Source::FileId(source.require_string("file_id")?),
        "text" => Source::Text(source.require_string("data")?),
        _ => return Ok(None),
    }))
}

fn read_document(block: &mut Object<'_>) -> Result<Option<Content>, ReadError> {
    let Some(source) = block.require("source", read_source)? else { return Ok(None) };
    let citations = block.read("citations", |node| node.object()?.read("enabled", Node::bool))?.flatten();
    Ok(Some(Content::File {
        source,
        name: block.string("title")?,
        context: block.string("context")?,
        citations: citations.unwrap_or(false),
    }))
}

pub(super) fn read_citation(node: Node<'_>) -> Result<Citation, ReadError> {
    let mut citation = node.object()?;
    if citation.string("type")?.as_deref() != Some("web_search_result_location") {
        return Ok(Citation::Foreign { dialect: HERE, raw: node.json() });
    }
    Ok(Citation::Url {
        url: citation.require_string("url")?,
        title: citation.string("title")?,
        range: None,
        cited_text: citation.string("cited_text")?,
        encrypted_index: citation.string("encrypted_index")?,
    })
}

/// Where a block stands: questions take pictures and results, answers do not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Question,
    Answer,
}

/// Writes one block, or says why not.
pub(super) fn write_block(w: &mut Writer, block: &Block, place: Place, path: &str, losses: &mut Losses) {
    let cache = block.cache;
    match &block.content {
        Content::Text { text, .. } if text.is_empty() && place == Place::Question => {
            losses.add(path, "Anthropic takes no empty text");
        }
        Content::Text { text, citations } => w.object(|w| {
            w.field("type", "text");
            w.field("text", text);
            write_citations(w, citations, place, path, losses);
            words::write_cache(w, cache, path, losses);
        }),
        // There is no block for it; the words are the model's own and meant for the reader.
        Content::Refusal { text } => {
            if place == Place::Question {
                losses.add(path, "Anthropic has no refusal block; sent as text");
            }
            w.object(|w| {
                w.field("type", "text");
                w.field("text", text);
                words::write_cache(w, cache, path, losses);
            });
        }
        Content::ToolCall(call) => w.object(|w| {
            write_call(w, call, place, path, losses);
            words::write_cache(w, cache, path, losses);
        }),
        Content::Reasoning { text, signature } => match (signature, place) {
            (None, Place::Question) => {
                losses.add(path, "Anthropic takes back only thoughts that it signed");
            }
            (signature, _) => w.object(|w| {
                w.field("type", "thinking");
                w.field("thinking", text);
                w.field("signature", signature.as_deref().unwrap_or_default());
            }),
        },
        Content::RedactedReasoning { data } => w.object(|w| {
            w.field("type", "redacted_thinking");
            w.field("data", data);
        }),
        Content::Foreign { dialect, raw } if *dialect == HERE => w.raw(raw.as_str()),
        Content::Image { .. } | Content::File { .. } | Content::ToolResult(_) if place == Place::Question => {
            write_input(w, block, path, losses);
        }
        Content::Audio { .. } => losses.add(path, "Anthropic takes no sound"),
        _ => losses.add(path, "not a block of this Anthropic message"),
    }
}

/// Blocks that only questions hold.
fn write_input(w: &mut Writer, block: &Block, path: &str, losses: &mut Losses) {
    w.object(|w| {
        match &block.content {
            Content::Image { source, detail } => {
                if detail.is_some() {
                    losses.add(format!("{path}.detail"), "Anthropic has no such field");
                }
                w.field("type", "image");
                write_source(w, source);
            }
            Content::File { source, name, context, citations } => {
                w.field("type", "document");
                write_source(w, source);
                w.optional("title", name.as_ref());
                w.optional("context", context.as_ref());
                if *citations {
                    w.object_field("citations", |w| w.field("enabled", &true));
                }
            }
            Content::ToolResult(result) => write_result(w, result, path, losses),
            _ => {}
        }
        words::write_cache(w, block.cache, path, losses);
    });
}

fn write_source(w: &mut Writer, source: &Source) {
    w.object_field("source", |w| match source {
        Source::Url(url) => {
            w.field("type", "url");
            w.field("url", url);
        }
        Source::Base64 { media_type, data } => {
            w.field("type", "base64");
            w.field("media_type", media_type);
            w.field("data", data);
        }
        Source::FileId(id) => {
            w.field("type", "file");
            w.field("file_id", id);
        }
        Source::Text(text) => {
            w.field("type", "text");
            w.field("media_type", "text/plain");
            w.field("data", text);
        }
    });
}

fn write_result(w: &mut Writer, result: &ToolResult, path: &str, losses: &mut Losses) {
    w.field("type", "tool_result");
    w.field("tool_use_id", &call_id(&result.call_id));
    match result.content.as_slice() {
        [] => {}
        [Block { content: Content::Text { text, citations }, cache: None }] if citations.is_empty() => {
            w.field("content", text);
        }
        blocks => w.array_field("content", |w| {
            for (index, block) in blocks.iter().enumerate() {
                let path = format!("{path}.content[{index}]");
                match &block.content {
                    Content::Text { .. }
                    | Content::Image { .. }
                    | Content::File { .. }
                    | Content::Foreign { .. } => {
                        write_block(w, block, Place::Question, &path, losses);
                    }
                    _ => losses.add(path, "not a part of an Anthropic tool result"),
                }
            }
        }),
    }
    if result.is_error {
        w.field("is_error", &true);
    }
}

/// The id as the API takes it back; call and result are respelled alike. Other makers use more letters, such
/// as `functions.weather:0`.
fn call_id(id: &str) -> Cow<'_, str> {
    let known = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if id.is_empty() {
        Cow::Borrowed("call")
    } else if id.chars().all(known) {
        Cow::Borrowed(id)
    } else {
        Cow::Owned(id.chars().map(|letter| if known(letter) { letter } else { '_' }).collect())
    }
}

/// `input` must be an object. A model can write arguments that are none; they are kept under one key.
fn write_call(w: &mut Writer, call: &ToolCall, place: Place, path: &str, losses: &mut Losses) {
    w.field("type", "tool_use");
    let id = if place == Place::Question { call_id(&call.id) } else { Cow::Borrowed(call.id.as_str()) };
    if id != call.id {
        losses.add(format!("{path}.id"), "Anthropic takes letters, digits, `_` and `-`; respelled");
    }
    w.field("id", &id);
    w.field("name", &call.name);
    if let Some(input) = Json::parse(&call.arguments).filter(Json::is_object) {
        return w.raw_field("input", input.as_str());
    }
    losses.add(format!("{path}.input"), "the arguments are no JSON object; kept under the key `input`");
    w.object_field("input", |w| w.field("input", &call.arguments));
}

fn write_citations(w: &mut Writer, citations: &[Citation], place: Place, path: &str, losses: &mut Losses) {
    let writable = |citation: &&Citation| match citation {
        Citation::Foreign { dialect, .. } => *dialect == HERE,
        Citation::Url { encrypted_index, .. } => place == Place::Answer || encrypted_index.is_some(),
    };
    if !citations.iter().all(|citation| writable(&citation)) {
        losses.add(format!("{path}.citations"), "Anthropic takes back only citations that it made");
    }
    let mut rest = citations.iter().filter(writable).peekable();
    if rest.peek().is_some() {
        w.array_field("citations", |w| rest.for_each(|citation| write_citation(w, citation, path, losses)));
    }
}

pub(super) fn write_citation(w: &mut Writer, citation: &Citation, path: &str, losses: &mut Losses) {
    match citation {
        Citation::Foreign { raw, .. } => w.raw(raw.as_str()),
        Citation::Url { url, title, range, cited_text, encrypted_index } => {
            if range.is_some() {
                losses.add(format!("{path}.citations"), "Anthropic does not say which characters cite");
            }
            w.object(|w| {
                w.field("type", "web_search_result_location");
                w.field("url", url);
                w.field("title", title);
                w.field("cited_text", cited_text.as_deref().unwrap_or_default());
                w.field("encrypted_index", encrypted_index.as_deref().unwrap_or_default());
            });
        }
    }
}
