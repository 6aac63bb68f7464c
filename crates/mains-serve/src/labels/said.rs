//! A label as an answer in the caller's dialect, whole or streamed, exactly as the task's answers look.

use crate::stops::Asked;
use bytes::Bytes;
use mains_distill::task::Answer;
use mains_units::Usage;
use mains_wire::Dialect;
use mains_wire::dialects::openai_responses::write_plain_answer;
use mains_wire::neutral::{
    self, Block, CallKind, Choice, Content, Question, StopReason, ToolCall, ToolChoice,
};

/// An answer, ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// The body, whole or as a stream.
    pub bytes: Bytes,
    /// The name under which it is given.
    pub model: String,
}

/// A labeller reads and writes no tokens, and says so.
pub(crate) const NO_TOKENS: Usage =
    Usage { input: 0, cached_read: 0, cached_write: 0, output: 0, reasoning: 0 };

/// Writes an answer under the labeller's own name. `None` where the dialect has no words for it.
pub(super) fn reply(target: &str, asked: &Asked, question: &Question, said: &Answer) -> Option<Reply> {
    let dialect = asked.who.dialect;
    let answer = neutral(target, asked, question, said);
    let bytes = match (dialect, asked.peek.stream) {
        (Dialect::OpenaiResponses, stream) => write_plain_answer(&asked.bytes, &answer, stream).ok()?,
        (_, false) => dialect.write_answer(&answer).ok()?.bytes,
        (_, true) => {
            let mut writer = dialect.stream_writer(asked.peek.include_usage, answer.created.unwrap_or(0))?;
            let mut bytes: Vec<u8> =
                answer.into_events().iter().flat_map(|event| writer.push(event)).collect();
            bytes.extend(writer.finish());
            bytes
        }
    };
    Some(Reply { bytes: bytes.into(), model: target.to_owned() })
}

fn neutral(target: &str, asked: &Asked, question: &Question, said: &Answer) -> neutral::Answer {
    let dialect = asked.who.dialect;
    let id = asked.who.id.to_string();
    let id = id.strip_prefix("req_").unwrap_or(&id);
    let (answer_name, call_name) = match dialect {
        Dialect::AnthropicMessages => ("msg_", "toolu_"),
        Dialect::OpenaiResponses => ("resp_", "call_"),
        Dialect::OpenaiChat | Dialect::OpenaiEmbeddings => ("chatcmpl-", "call_"),
    };
    let mut blocks = Vec::new();
    if !said.text.is_empty() {
        blocks.push(Block::text(said.text.clone()));
    }
    blocks.extend(said.calls.iter().enumerate().map(|(place, call)| {
        let id = format!("{call_name}{id}{}", if place == 0 { String::new() } else { place.to_string() });
        Block::new(Content::ToolCall(ToolCall {
            id,
            name: call.name.clone(),
            arguments: call.arguments.clone(),
            kind: CallKind::Function,
        }))
    }));
    // OpenAI's chat says `stop`, not `tool_calls`, where the one tool was named in the question.
    let named =
        dialect == Dialect::OpenaiChat && matches!(question.tool_choice, Some(ToolChoice::Named { .. }));
    let stop = if said.calls.is_empty() || named { StopReason::EndTurn } else { StopReason::ToolUse };
    neutral::Answer {
        id: format!("{answer_name}{id}"),
        model: target.to_owned(),
        created: Some(u64::try_from(asked.who.at.0 / 1_000).unwrap_or(0)),
        choices: vec![Choice { index: 0, blocks, stop: Some(stop), logprobs: None }],
        usage: Some(NO_TOKENS),
    }
}
