//! A messages request, read.

use super::{HERE, blocks, words};
use crate::dialects::{Extras, unknown_word};
use crate::json::{Node, Object, ReadError};
use crate::neutral::{
    AnswerFormat, CallKind, Effort, Message, Question, Role, Sampling, Thinking, Tool, ToolChoice, ToolKind,
};

/// Reads a request body. `max_tokens` may be absent, as in `/v1/messages/count_tokens`.
pub fn read_question(bytes: &[u8]) -> Result<Question, ReadError> {
    let mut body = Node::whole(bytes)?.object()?;
    let mut extras = Extras::new(HERE);
    let mut question = Question {
        model: body.require_string("model")?,
        max_output_tokens: body.read("max_tokens", Node::u64)?,
        sampling: Sampling {
            temperature: body.read("temperature", Node::f64)?,
            top_p: body.read("top_p", Node::f64)?,
            top_k: body.read("top_k", Node::u64)?,
            ..Sampling::default()
        },
        stop: body.read("stop_sequences", |node| node.each(|_, item| item.string()))?.unwrap_or_default(),
        stream: body.read("stream", Node::bool)?.unwrap_or(false),
        thinking: body.read("thinking", read_thinking)?,
        cache: words::read_cache(&mut body)?,
        tools: body
            .read("tools", |node| node.each(|index, tool| read_tool(index, tool, &mut extras)))?
            .unwrap_or_default(),
        ..Question::default()
    };
    if let Some((choice, parallel)) = body.read("tool_choice", read_tool_choice)? {
        question.tool_choice = Some(choice);
        question.parallel_tools = parallel;
    }
    read_output_config(&mut body, &mut question, &mut extras)?;
    if let Some(mut metadata) = body.read("metadata", Node::object)? {
        question.user = metadata.string("user_id").map_err(|error| error.within("metadata"))?;
        extras.rest(metadata, "metadata");
    }
    let system = body.read("system", |node| blocks::read_content(node, "system", &mut extras))?;
    if let Some(blocks) = system.filter(|blocks| !blocks.is_empty()) {
        question.instructions.push(Message { role: Role::System, name: None, blocks });
    }
    question.messages = body.require("messages", |node| {
        node.each(|index, message| read_message(message, &format!("messages[{index}]"), &mut extras))
    })?;
    extras.top(body);
    question.extras = extras.into_vec();
    Ok(question)
}

fn read_message(node: Node<'_>, path: &str, extras: &mut Extras) -> Result<Message, ReadError> {
    let mut message = node.object()?;
    let role = match message.require_string("role")?.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        other => return Err(unknown_word(other, &["user", "assistant", "system"]).within("role")),
    };
    let path_of_content = format!("{path}.content");
    let blocks = message.require("content", |node| blocks::read_content(node, &path_of_content, extras))?;
    extras.rest(message, path);
    Ok(Message { role, name: None, blocks })
}

fn read_thinking(node: Node<'_>) -> Result<Thinking, ReadError> {
    let mut thinking = node.object()?;
    let omitted = match thinking.string("display")?.as_deref() {
        None => None,
        Some("summarized") => Some(false),
        Some("omitted") => Some(true),
        Some(other) => return Err(unknown_word(other, &["summarized", "omitted"]).within("display")),
    };
    match thinking.require_string("type")?.as_str() {
        "disabled" => Ok(Thinking::Disabled),
        "adaptive" => Ok(Thinking::Adaptive { omitted }),
        "between_tools" => Ok(Thinking::BetweenTools),
        "enabled" => {
            let tokens = thinking.require("budget_tokens", Node::u64)?;
            Ok(Thinking::Budget { tokens, omitted })
        }
        other => {
            let known = ["enabled", "disabled", "adaptive", "between_tools"];
            Err(unknown_word(other, &known).within("type"))
        }
    }
}

/// `output_config`, and the `output_format` that was in beta before it.
fn read_output_config(
    body: &mut Object<'_>,
    question: &mut Question,
    extras: &mut Extras,
) -> Result<(), ReadError> {
    if let Some(mut config) = body.read("output_config", Node::object)? {
        let effort = config.read("effort", |node| {
            let word = node.string()?;
            Effort::from_word(&word).ok_or_else(|| {
                unknown_word(&word, &Effort::ALL[2..].iter().map(|e| e.word()).collect::<Vec<_>>())
            })
        });
        question.effort = effort.map_err(|error| error.within("output_config"))?;
        question.format =
            config.read("format", read_format).map_err(|error| error.within("output_config"))?;
        extras.rest(config, "output_config");
    }
    if let Some(format) = body.read("output_format", read_format)? {
        question.format.get_or_insert(format);
    }
    Ok(())
}

fn read_format(node: Node<'_>) -> Result<AnswerFormat, ReadError> {
    let mut format = node.object()?;
    match format.require_string("type")?.as_str() {
        "json_schema" => Ok(AnswerFormat::JsonSchema {
            name: None,
            description: None,
            schema: format.require("schema", read_schema)?,
            strict: Some(true),
        }),
        other => Err(unknown_word(other, &["json_schema"]).within("type")),
    }
}

fn read_schema(node: Node<'_>) -> Result<crate::neutral::Json, ReadError> {
    if node.is_object() { Ok(node.json()) } else { Err(node.expected("a JSON schema (an object)")) }
}

fn read_tool(index: usize, node: Node<'_>, extras: &mut Extras) -> Result<Tool, ReadError> {
    let mut tool = node.object()?;
    let kind = tool.string("type")?.filter(|kind| kind != "custom");
    let cache = words::read_cache(&mut tool)?;
    if let Some(kind) = kind {
        // A tool that the provider runs; the mark is kept inside the whole.
        let name = tool.string("name")?.unwrap_or(kind);
        let kind = ToolKind::Foreign { dialect: HERE, raw: node.json() };
        return Ok(Tool { name, description: None, kind, cache: None });
    }
    let read = Tool {
        name: tool.require_string("name")?,
        description: tool.string("description")?,
        kind: ToolKind::Function {
            schema: Some(tool.require("input_schema", read_schema)?),
            strict: tool.read("strict", Node::bool)?,
        },
        cache,
    };
    extras.rest(tool, &format!("tools[{index}]"));
    Ok(read)
}

/// The choice, and whether tools may be used at once (`disable_parallel_tool_use` turned round).
fn read_tool_choice(node: Node<'_>) -> Result<(ToolChoice, Option<bool>), ReadError> {
    let mut choice = node.object()?;
    let parallel = choice.read("disable_parallel_tool_use", Node::bool)?.map(|disabled| !disabled);
    let choice = match choice.require_string("type")?.as_str() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Named { name: choice.require_string("name")?, kind: CallKind::Function },
        other => return Err(unknown_word(other, &["auto", "any", "tool", "none"]).within("type")),
    };
    Ok((choice, parallel))
}
