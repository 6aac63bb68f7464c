//! A chat completion request, read.

use super::{HERE, words};
use crate::dialects::Extras;
use crate::json::{Node, Object, ReadError};
use crate::neutral::{
    AnswerFormat, Block, CallKind, Content, Effort, Message, Question, Role, Sampling, Source, Tool,
    ToolCall, ToolChoice, ToolKind, ToolResult,
};

/// Reads a request body.
pub fn read_question(bytes: &[u8]) -> Result<Question, ReadError> {
    let mut body = Node::whole(bytes)?.object()?;
    let mut extras = Extras::new(HERE);
    let mut question = Question {
        model: body.require_string("model")?,
        tools: read_tools(&mut body, &mut extras)?,
        tool_choice: read_tool_choices(&mut body)?,
        parallel_tools: body.read("parallel_tool_calls", Node::bool)?,
        format: body.read("response_format", read_format)?,
        sampling: read_sampling(&mut body)?,
        stop: body.read("stop", read_stop)?.unwrap_or_default(),
        effort: body.read("reasoning_effort", read_effort)?,
        user: body.string("user")?,
        metadata: body.read("metadata", read_metadata)?.unwrap_or_default(),
        stream: body.read("stream", Node::bool)?.unwrap_or(false),
        ..Question::default()
    };
    let [new, old] = ["max_completion_tokens", "max_tokens"].map(|key| body.read(key, Node::u64));
    question.max_output_tokens = new?.or(old?);
    if let Some(mut options) = body.read("stream_options", Node::object)? {
        let include =
            options.read("include_usage", Node::bool).map_err(|error| error.within("stream_options"))?;
        question.include_usage = include.unwrap_or(false);
        extras.rest(options, "stream_options");
    }
    let mut messages = body
        .require("messages", |node| Conversation::default().read(node, &mut extras))?
        .into_iter()
        .peekable();
    while let Some(first) = messages.next_if(|message| matches!(message.role, Role::System | Role::Developer))
    {
        question.instructions.push(first);
    }
    question.messages = messages.collect();
    extras.top(body);
    question.extras = extras.into_vec();
    Ok(question)
}

fn read_sampling(body: &mut Object<'_>) -> Result<Sampling, ReadError> {
    Ok(Sampling {
        temperature: body.read("temperature", Node::f64)?,
        top_p: body.read("top_p", Node::f64)?,
        // Not OpenAI's; vLLM, llama.cpp, OpenRouter and others take it.
        top_k: body.read("top_k", |node| node.i64().map(|k| u64::try_from(k).ok()))?.flatten(),
        seed: body.read("seed", Node::i64)?,
        frequency_penalty: body.read("frequency_penalty", Node::f64)?,
        presence_penalty: body.read("presence_penalty", Node::f64)?,
        n: body.read("n", Node::u32)?,
        logprobs: body.read("logprobs", Node::bool)?,
        top_logprobs: body.read("top_logprobs", Node::u32)?,
    })
}

fn read_stop(node: Node<'_>) -> Result<Vec<String>, ReadError> {
    if node.is_string() { Ok(vec![node.string()?]) } else { node.each(|_, item| item.string()) }
}

fn read_effort(node: Node<'_>) -> Result<Effort, ReadError> {
    let word = node.string()?;
    Effort::from_word(&word)
        .ok_or_else(|| crate::dialects::unknown_word(&word, &Effort::ALL.map(Effort::word)))
}

fn read_metadata(node: Node<'_>) -> Result<Vec<(String, String)>, ReadError> {
    let pairs = node.object()?.leftover();
    pairs
        .map(|(key, value)| {
            let text = value.string().map_err(|error| error.within(&key))?;
            Ok((key.into_owned(), text))
        })
        .collect()
}

fn read_format(node: Node<'_>) -> Result<AnswerFormat, ReadError> {
    let mut format = node.object()?;
    match format.require_string("type")?.as_str() {
        "text" => Ok(AnswerFormat::Text),
        "json_object" => Ok(AnswerFormat::JsonObject),
        "json_schema" => format.require("json_schema", |node| {
            let mut schema = node.object()?;
            Ok(AnswerFormat::JsonSchema {
                name: schema.string("name")?,
                description: schema.string("description")?,
                strict: schema.read("strict", Node::bool)?,
                schema: schema.require("schema", read_schema)?,
            })
        }),
        other => {
            Err(crate::dialects::unknown_word(other, &["text", "json_object", "json_schema"]).within("type"))
        }
    }
}

fn read_schema(node: Node<'_>) -> Result<crate::neutral::Json, ReadError> {
    if node.is_object() { Ok(node.json()) } else { Err(node.expected("a JSON schema (an object)")) }
}

/// `tools`, and the `functions` that were before them.
fn read_tools(body: &mut Object<'_>, extras: &mut Extras) -> Result<Vec<Tool>, ReadError> {
    let tools = body.read("tools", |node| node.each(|index, tool| read_tool(index, tool, extras)))?;
    let functions = body.read("functions", |node| {
        node.each(|index, function| read_function(function, &format!("functions[{index}]"), extras))
    })?;
    Ok(tools.into_iter().chain(functions).flatten().collect())
}

fn read_tool(index: usize, node: Node<'_>, extras: &mut Extras) -> Result<Tool, ReadError> {
    let mut tool = node.object()?;
    match tool.string("type")?.as_deref() {
        Some("function") | None => {
            let path = format!("tools[{index}].function");
            let read = tool.require("function", |function| read_function(function, &path, extras))?;
            extras.rest(tool, &format!("tools[{index}]"));
            Ok(read)
        }
        Some("custom") => tool.require("custom", |custom| {
            let mut custom = custom.object()?;
            Ok(Tool {
                name: custom.require_string("name")?,
                description: custom.string("description")?,
                kind: ToolKind::Custom { format: custom.take("format").map(Node::json) },
                cache: None,
            })
        }),
        Some(other) => Ok(Tool {
            name: other.to_owned(),
            description: None,
            kind: ToolKind::Foreign { dialect: HERE, raw: node.json() },
            cache: None,
        }),
    }
}

fn read_function(node: Node<'_>, path: &str, extras: &mut Extras) -> Result<Tool, ReadError> {
    let mut function = node.object()?;
    let tool = Tool {
        name: function.require_string("name")?,
        description: function.string("description")?,
        kind: ToolKind::Function {
            schema: function.read("parameters", read_schema)?,
            strict: function.read("strict", Node::bool)?,
        },
        cache: None,
    };
    extras.rest(function, path);
    Ok(tool)
}

/// `tool_choice`, and the `function_call` that was before it.
fn read_tool_choices(body: &mut Object<'_>) -> Result<Option<ToolChoice>, ReadError> {
    let new = body.read("tool_choice", read_tool_choice)?;
    let old = body.read("function_call", |node| {
        if node.is_string() {
            return read_tool_choice(node);
        }
        Ok(ToolChoice::Named { name: node.object()?.require_string("name")?, kind: CallKind::Function })
    })?;
    Ok(new.or(old))
}

fn read_tool_choice(node: Node<'_>) -> Result<ToolChoice, ReadError> {
    if node.is_string() {
        return match node.string()?.as_str() {
            "auto" => Ok(ToolChoice::Auto),
            "none" => Ok(ToolChoice::None),
            "required" => Ok(ToolChoice::Required),
            other => Err(crate::dialects::unknown_word(other, &["auto", "none", "required"])),
        };
    }
    let mut choice = node.object()?;
    let named = |choice: &mut Object<'_>, key: &str| {
        choice.require(key, |named| named.object()?.require_string("name"))
    };
    match choice.require_string("type")?.as_str() {
        "function" => {
            Ok(ToolChoice::Named { name: named(&mut choice, "function")?, kind: CallKind::Function })
        }
        "custom" => Ok(ToolChoice::Named { name: named(&mut choice, "custom")?, kind: CallKind::Custom }),
        "allowed_tools" => choice.require("allowed_tools", read_allowed),
        other => {
            Err(crate::dialects::unknown_word(other, &["function", "custom", "allowed_tools"]).within("type"))
        }
    }
}

fn read_allowed(node: Node<'_>) -> Result<ToolChoice, ReadError> {
    let mut allowed = node.object()?;
    let required = match allowed.require_string("mode")?.as_str() {
        "auto" => false,
        "required" => true,
        other => return Err(crate::dialects::unknown_word(other, &["auto", "required"]).within("mode")),
    };
    let names = allowed.require("tools", |tools| {
        tools.each(|_, tool| {
            let mut tool = tool.object()?;
            let kind = tool.require_string("type")?;
            match tool.read(&kind, Node::object)? {
                Some(mut named) => named.require_string("name"),
                None => tool.require_string("name"),
            }
        })
    })?;
    Ok(ToolChoice::Allowed { required, names })
}

/// Reads messages in order; results of tools that follow each other become one user message.
#[derive(Default)]
struct Conversation {
    messages: Vec<Message>,
    /// The last message is made of `tool` messages and takes more of them.
    in_results: bool,
    /// The id made up for the last `function_call`, which had none.
    legacy_call: Option<String>,
}

impl Conversation {
    fn read(mut self, node: Node<'_>, extras: &mut Extras) -> Result<Vec<Message>, ReadError> {
        for (index, item) in node.items()?.into_iter().enumerate() {
            self.message(index, item, extras).map_err(|error| error.within_index(index))?;
        }
        Ok(self.messages)
    }

    fn message(&mut self, index: usize, node: Node<'_>, extras: &mut Extras) -> Result<(), ReadError> {
        let mut message = node.object()?;
        let path = format!("messages[{index}]");
        let role = match message.require_string("role")?.as_str() {
            "system" => Role::System,
            "developer" => Role::Developer,
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "tool" => {
                let call_id = message.require_string("tool_call_id")?;
                self.result(call_id, &mut message, &path, extras)?;
                extras.rest(message, &path);
                return Ok(());
            }
            "function" => {
                let name = message.require_string("name")?;
                let call_id = self.legacy_call.clone().unwrap_or(name);
                return self.result(call_id, &mut message, &path, extras);
            }
            other => {
                let known = ["system", "developer", "user", "assistant", "tool"];
                return Err(crate::dialects::unknown_word(other, &known).within("role"));
            }
        };
        let name = message.string("name")?;
        let blocks = if role == Role::Assistant {
            self.assistant_blocks(index, &mut message, &path, extras)?
        } else {
            message.require("content", |content| read_content(content, &path, extras))?
        };
        self.messages.push(Message { role, name, blocks });
        self.in_results = false;
        extras.rest(message, &path);
        Ok(())
    }

    fn result(
        &mut self,
        call_id: String,
        message: &mut Object<'_>,
        path: &str,
        extras: &mut Extras,
    ) -> Result<(), ReadError> {
        let content = message.read("content", |content| read_content(content, path, extras))?;
        let result = ToolResult { call_id, content: content.unwrap_or_default(), is_error: false };
        let block = Block::new(Content::ToolResult(result));
        match self.messages.last_mut().filter(|_| self.in_results) {
            Some(results) => results.blocks.push(block),
            None => self.messages.push(Message { role: Role::User, name: None, blocks: vec![block] }),
        }
        self.in_results = true;
        Ok(())
    }

    fn assistant_blocks(
        &mut self,
        index: usize,
        message: &mut Object<'_>,
        path: &str,
        extras: &mut Extras,
    ) -> Result<Vec<Block>, ReadError> {
        let mut blocks = super::answer::read_reasoning(message)?;
        let content = message.read("content", |content| read_content(content, path, extras))?;
        blocks.extend(content.unwrap_or_default());
        let refusal = message.string("refusal")?;
        blocks.extend(refusal.map(|text| Block::new(Content::Refusal { text })));
        blocks.extend(message.read("tool_calls", read_tool_calls)?.unwrap_or_default());
        let legacy = message.read("function_call", |call| {
            let mut call = call.object()?;
            Ok(ToolCall {
                id: format!("function_call_{index}"),
                name: call.require_string("name")?,
                arguments: arguments_or_empty(call.string("arguments")?),
                kind: CallKind::Function,
            })
        })?;
        if let Some(call) = legacy {
            self.legacy_call = Some(call.id.clone());
            blocks.push(Block::new(Content::ToolCall(call)));
        }
        Ok(blocks)
    }
}

/// A function without arguments is called with an empty object: some hosts send an empty text.
fn arguments_or_empty(arguments: Option<String>) -> String {
    arguments.filter(|text| !text.trim().is_empty()).unwrap_or_else(|| "{}".into())
}

pub(super) fn read_tool_calls(node: Node<'_>) -> Result<Vec<Block>, ReadError> {
    node.each(|_, call| {
        let mut call = call.object()?;
        let id = call.string("id")?.unwrap_or_default();
        let custom = call.string("type")?.as_deref() == Some("custom");
        let call = if custom {
            call.require("custom", |custom| {
                let mut custom = custom.object()?;
                let name = custom.require_string("name")?;
                let arguments = custom.string("input")?.unwrap_or_default();
                Ok(ToolCall { id, name, arguments, kind: CallKind::Custom })
            })?
        } else {
            call.require("function", |function| {
                let mut function = function.object()?;
                let name = function.require_string("name")?;
                let arguments = function.read("arguments", read_arguments)?;
                Ok(ToolCall { id, name, arguments: arguments_or_empty(arguments), kind: CallKind::Function })
            })?
        };
        Ok(Block::new(Content::ToolCall(call)))
    })
}

/// Arguments are JSON in a text; some local servers send the object itself.
pub(super) fn read_arguments(node: Node<'_>) -> Result<String, ReadError> {
    if node.is_object() { Ok(node.text().to_owned()) } else { node.string() }
}

fn read_content(node: Node<'_>, path: &str, extras: &mut Extras) -> Result<Vec<Block>, ReadError> {
    if node.is_string() {
        return Ok(vec![Block::text(node.string()?)]);
    }
    if !node.is_array() {
        return Err(node.expected("a string or an array of parts"));
    }
    node.each(|index, part| read_part(part, &format!("{path}.content[{index}]"), extras))
}

fn read_part(node: Node<'_>, path: &str, extras: &mut Extras) -> Result<Block, ReadError> {
    let mut part = node.object()?;
    let cache = words::read_cache_mark(&mut part)?;
    let content = match part.require_string("type")?.as_str() {
        "text" => Content::Text { text: part.require_string("text")?, citations: Vec::new() },
        "refusal" => Content::Refusal { text: part.require_string("refusal")? },
        "image_url" => part.require("image_url", |image| {
            if image.is_string() {
                let source = words::source_of_url(image.string()?);
                return Ok(Content::Image { source, detail: None });
            }
            let mut image = image.object()?;
            let source = words::source_of_url(image.require_string("url")?);
            Ok(Content::Image { source, detail: image.string("detail")? })
        })?,
        "input_audio" => part.require("input_audio", |audio| {
            let mut audio = audio.object()?;
            Ok(Content::Audio {
                data: audio.require_string("data")?,
                format: audio.require_string("format")?,
            })
        })?,
        "file" => part.require("file", read_file)?,
        other => {
            let known = ["text", "image_url", "input_audio", "file", "refusal"];
            return Err(crate::dialects::unknown_word(other, &known).within("type"));
        }
    };
    extras.rest(part, path);
    Ok(Block { content, cache })
}

fn read_file(node: Node<'_>) -> Result<Content, ReadError> {
    let mut file = node.object()?;
    let name = file.string("filename")?;
    let data = file.string("file_data")?.map(|data| match words::source_of_url(data) {
        // Bare base64 is taken for the only document that OpenAI took at first.
        Source::Url(data) => Source::Base64 { media_type: "application/pdf".into(), data },
        source => source,
    });
    let source = match data {
        Some(source) => source,
        None => Source::FileId(file.require_string("file_id")?),
    };
    Ok(Content::File { source, name, context: None, citations: false })
}
