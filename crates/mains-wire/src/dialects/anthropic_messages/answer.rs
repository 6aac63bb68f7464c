//! A whole message, read and written.

use super::{
    HERE,
    blocks::{self, Place},
    words,
};
use crate::dialects::Extras;
use crate::json::{Node, ReadError, Writer};
use crate::loss::{Encoded, Losses};
use crate::neutral::{Answer, Block, Choice, Content};
use mains_units::Usage;

/// Reads an answer.
pub fn read_answer(bytes: &[u8]) -> Result<Answer, ReadError> {
    let mut body = Node::whole(bytes)?.object()?;
    if let Some(error) = body.take("error") {
        let error = crate::dialects::read_stream_error(error);
        return Err(
            ReadError::new(format!("an error instead of an answer: {}", error.message)).within("error")
        );
    }
    let mut extras = Extras::new(HERE);
    let blocks = body.require("content", |node| {
        node.each(|index, block| blocks::read_block(block, &format!("content[{index}]"), &mut extras))
    })?;
    Ok(Answer {
        id: body.string("id")?.unwrap_or_default(),
        model: body.string("model")?.unwrap_or_default(),
        created: None,
        choices: vec![Choice { index: 0, blocks, stop: words::read_stop(&mut body)?, logprobs: None }],
        usage: body.read("usage", |node| {
            let mut usage = Usage::default();
            words::read_usage(node, &mut usage).map(|()| usage)
        })?,
    })
}

/// Writes an answer: the first choice, for there is only one here.
pub fn write_answer(answer: &Answer) -> Encoded {
    let mut losses = Losses::default();
    let choice = answer.choices.first();
    for choice in answer.choices.iter().skip(1) {
        losses.add(format!("choices[{}]", choice.index), "Anthropic gives one answer");
    }
    let mut writer = Writer::new();
    writer.object(|w| {
        w.field("id", &answer.id);
        w.field("type", "message");
        w.field("role", "assistant");
        w.field("model", &answer.model);
        w.array_field("content", |w| {
            for (index, block) in choice.iter().flat_map(|choice| &choice.blocks).enumerate() {
                blocks::write_block(w, block, Place::Answer, &format!("content[{index}]"), &mut losses);
            }
        });
        write_end(w, choice, &mut losses);
        match &answer.usage {
            Some(usage) => w.object_field("usage", |w| words::write_usage(w, usage)),
            None => losses.add("usage", "unknown, and left out"),
        }
    });
    Encoded { bytes: writer.finish(), losses: losses.into_vec() }
}

fn write_end(w: &mut Writer, choice: Option<&Choice>, losses: &mut Losses) {
    let blocks: &[Block] = choice.map_or(&[], |choice| &choice.blocks);
    let calls = blocks.iter().any(|block| matches!(block.content, Content::ToolCall(_)));
    let refused = blocks.iter().find_map(|block| match &block.content {
        Content::Refusal { text } => Some(text.as_str()),
        _ => None,
    });
    if refused.is_some() {
        losses.add("refusal", "said as text, with the stop reason `refusal`");
    }
    words::write_stop(w, choice.and_then(|choice| choice.stop.as_ref()), calls, refused);
    if choice.is_some_and(|choice| choice.logprobs.is_some()) {
        losses.add("logprobs", "Anthropic has no such field");
    }
}
