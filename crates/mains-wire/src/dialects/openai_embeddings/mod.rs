//! OpenAI embeddings: question and answer.
//!
//! Facts are of the types in the official SDK for Python 3.57.0 (read 2026-11-24).

use super::{Extras, unknown_word, write_extras};
use crate::Dialect;
use crate::json::{Node, ReadError, Writer};
use crate::loss::{Encoded, Losses};
use crate::neutral::{EmbeddingsAnswer, EmbeddingsInput, EmbeddingsQuestion, VectorEncoding};
use base64::{Engine, engine::general_purpose::STANDARD};
use mains_units::Usage;

/// This dialect.
const HERE: Dialect = Dialect::OpenaiEmbeddings;

/// Reads a request body.
pub fn read_question(bytes: &[u8]) -> Result<EmbeddingsQuestion, ReadError> {
    let mut body = Node::whole(bytes)?.object()?;
    let mut extras = Extras::new(HERE);
    let model = body.require_string("model")?;
    let input = body.require("input", read_input)?;
    let encoding = body.read("encoding_format", |node| match node.string()?.as_str() {
        "float" => Ok(VectorEncoding::Float),
        "base64" => Ok(VectorEncoding::Base64),
        other => Err(unknown_word(other, &["float", "base64"])),
    })?;
    let dimensions = body.read("dimensions", Node::u32)?;
    let user = body.string("user")?;
    extras.top(body);
    Ok(EmbeddingsQuestion { model, input, encoding, dimensions, user, extras: extras.into_vec() })
}

fn read_input(node: Node<'_>) -> Result<EmbeddingsInput, ReadError> {
    if node.is_string() {
        return Ok(EmbeddingsInput::Text(node.string()?));
    }
    if !node.is_array() {
        return Err(node.expected("a string, or an array of strings or token numbers"));
    }
    let items = node.items()?;
    match items.first() {
        None => Err(ReadError::new("the list is empty").hint("send at least one text")),
        Some(first) if first.is_string() => Ok(EmbeddingsInput::Texts(node.each(|_, item| item.string())?)),
        Some(first) if first.is_array() => {
            Ok(EmbeddingsInput::TokenLists(node.each(|_, item| item.each(|_, token| token.u32()))?))
        }
        Some(_) => Ok(EmbeddingsInput::Tokens(node.each(|_, token| token.u32())?)),
    }
}

/// Writes a request body; `model` is the target's name for it.
pub fn write_question(question: &EmbeddingsQuestion, model: Option<&str>) -> Encoded {
    let mut losses = Losses::default();
    let mut writer = Writer::new();
    writer.object(|w| {
        w.field("model", model.unwrap_or(&question.model));
        match &question.input {
            EmbeddingsInput::Text(text) => w.field("input", text),
            EmbeddingsInput::Texts(texts) => w.field("input", texts),
            EmbeddingsInput::Tokens(tokens) => w.field("input", tokens),
            EmbeddingsInput::TokenLists(lists) => w.field("input", lists),
        }
        w.optional(
            "encoding_format",
            question.encoding.map(|encoding| match encoding {
                VectorEncoding::Float => "float",
                VectorEncoding::Base64 => "base64",
            }),
        );
        w.optional("dimensions", question.dimensions);
        w.optional("user", question.user.as_ref());
        write_extras(w, &question.extras, HERE, &mut losses);
    });
    Encoded { bytes: writer.finish(), losses: losses.into_vec() }
}

/// Reads an answer; its vectors may be numbers or base64, in any order.
pub fn read_answer(bytes: &[u8]) -> Result<EmbeddingsAnswer, ReadError> {
    let mut body = Node::whole(bytes)?.object()?;
    if let Some(error) = body.take("error") {
        let error = super::read_stream_error(error);
        return Err(
            ReadError::new(format!("an error instead of an answer: {}", error.message)).within("error")
        );
    }
    let mut vectors = body.require("data", |node| node.each(read_vector))?;
    vectors.sort_by_key(|(index, _)| *index);
    if vectors.iter().zip(0_u64..).any(|((index, _), expected)| *index != expected) {
        return Err(ReadError::new("the indices are not 0, 1, 2 and so on").within("data"));
    }
    Ok(EmbeddingsAnswer {
        model: body.string("model")?.unwrap_or_default(),
        vectors: vectors.into_iter().map(|(_, vector)| vector).collect(),
        usage: body.read("usage", |node| {
            let input = node.object()?.read("prompt_tokens", Node::u64)?;
            Ok(Usage { input: input.unwrap_or(0), ..Usage::default() })
        })?,
    })
}

fn read_vector(position: usize, node: Node<'_>) -> Result<(u64, Vec<f32>), ReadError> {
    let mut item = node.object()?;
    let index = item.read("index", Node::u64)?.unwrap_or(position as u64);
    let vector = item.require("embedding", |node| {
        if !node.is_string() {
            return node.floats();
        }
        let bytes = STANDARD.decode(node.string()?).ok().filter(|bytes| bytes.len() % 4 == 0);
        let bytes = bytes.ok_or_else(|| ReadError::new("not base64 of 32-bit floats"))?;
        Ok(bytes
            .chunks_exact(4)
            .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]))
            .collect())
    })?;
    Ok((index, vector))
}

/// Writes an answer in the encoding that the question asked for.
pub fn write_answer(answer: &EmbeddingsAnswer, encoding: VectorEncoding) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.object(|w| {
        w.field("object", "list");
        w.array_field("data", |w| {
            for (index, vector) in answer.vectors.iter().enumerate() {
                w.object(|w| {
                    w.field("object", "embedding");
                    w.field("index", &index);
                    match encoding {
                        VectorEncoding::Float => w.field("embedding", vector),
                        VectorEncoding::Base64 => {
                            let bytes: Vec<u8> =
                                vector.iter().flat_map(|number| number.to_le_bytes()).collect();
                            w.field("embedding", &STANDARD.encode(bytes));
                        }
                    }
                });
            }
        });
        w.field("model", &answer.model);
        if let Some(usage) = &answer.usage {
            w.object_field("usage", |w| {
                w.field("prompt_tokens", &usage.input_total());
                w.field("total_tokens", &usage.input_total());
            });
        }
    });
    writer.finish()
}
