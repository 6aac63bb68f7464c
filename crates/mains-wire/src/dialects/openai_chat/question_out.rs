//! A chat completion request, written.

use super::{HERE, words};
use crate::dialects::{WriteOptions, write_extras};
use crate::json::Writer;
use crate::loss::{Encoded, Losses};
use crate::neutral::{
    AnswerFormat, Block, CacheMark, CallKind, Content, Effort, Message, Question, Role, Source, Thinking,
    Tool, ToolCall, ToolChoice, ToolKind, ToolResult,
};

/// OpenAI takes at most so many stop sequences (documentation of `stop`, read 2026-11-24).
const MOST_STOPS: usize = 4;

/// Claude Code says this first in its prompt, with another number each time: it means nothing to other makers
/// and spoils their caches (jwadow/kiro-gateway#215).
const CLAUDE_CODE_BILLING: &str = "x-anthropic-billing-header:";

/// Writes a request body.
pub fn write_question(question: &Question, options: &WriteOptions) -> Encoded {
    let mut out = Out { losses: Losses::default(), options };
    let mut writer = Writer::new();
    writer.object(|w| {
        w.field("model", options.model.as_ref().unwrap_or(&question.model));
        w.array_field("messages", |w| out.messages(w, question));
        out.tools(w, question);
        out.limits(w, question);
        out.reasoning(w, question);
        if let Some(format) = &question.format {
            write_format(w, format);
        }
        if question.stream {
            w.field("stream", &true);
            if question.include_usage || options.always_usage {
                w.object_field("stream_options", |w| w.field("include_usage", &true));
            }
        }
        w.optional("user", question.user.as_ref());
        if !question.metadata.is_empty() {
            w.object_field("metadata", |w| {
                question.metadata.iter().for_each(|(key, value)| w.field(key, value));
            });
        }
        if question.cache.is_some() {
            out.losses.add("cache_control", "OpenAI caches whole prompts by itself");
        }
        write_extras(w, &question.extras, HERE, &mut out.losses);
    });
    Encoded { bytes: writer.finish(), losses: out.losses.into_vec() }
}

struct Out<'a> {
    losses: Losses,
    options: &'a WriteOptions,
}

impl Out<'_> {
    fn limits(&mut self, w: &mut Writer, question: &Question) {
        let limit = if self.options.compatible_host { "max_tokens" } else { "max_completion_tokens" };
        w.optional(limit, question.max_output_tokens);
        let sampling = &question.sampling;
        w.optional("temperature", sampling.temperature);
        w.optional("top_p", sampling.top_p);
        if sampling.top_k.is_some() {
            self.losses.add("top_k", "OpenAI has no such field");
        }
        w.optional("seed", sampling.seed);
        w.optional("frequency_penalty", sampling.frequency_penalty);
        w.optional("presence_penalty", sampling.presence_penalty);
        w.optional("n", sampling.n);
        w.optional("logprobs", sampling.logprobs);
        w.optional("top_logprobs", sampling.top_logprobs);
        let stops = question.stop.get(..MOST_STOPS).unwrap_or(&question.stop);
        if !stops.is_empty() {
            w.field("stop", stops);
        }
        if question.stop.len() > MOST_STOPS {
            self.losses.add("stop", format!("OpenAI takes {MOST_STOPS} stop sequences; the first are kept"));
        }
    }

    /// OpenAI knows the effort only. A budget becomes the least effort that covers it.
    fn reasoning(&mut self, w: &mut Writer, question: &Question) {
        if let Some(effort) = question.effort {
            w.field("reasoning_effort", effort.word());
        }
        let omitted = match (question.thinking, question.effort) {
            (Some(Thinking::Budget { tokens, omitted }), None) => {
                let effort = Effort::covering(tokens);
                w.field("reasoning_effort", effort.word());
                let reason = format!("OpenAI takes no budget; said as effort `{}`", effort.word());
                self.losses.add("thinking.budget_tokens", reason);
                omitted
            }
            (Some(Thinking::Budget { omitted, .. }), Some(_)) => {
                self.losses.add("thinking.budget_tokens", "OpenAI takes no budget; the effort is said");
                omitted
            }
            (Some(Thinking::Adaptive { omitted }), _) => {
                self.losses.add("thinking.type", "OpenAI models decide by themselves how much to think");
                omitted
            }
            (Some(Thinking::Disabled | Thinking::BetweenTools), _) => {
                self.losses.add("thinking.type", "OpenAI has no such switch");
                None
            }
            (None, _) => None,
        };
        if omitted.is_some() {
            self.losses.add("thinking.display", "OpenAI has no such field");
        }
    }

    fn tools(&mut self, w: &mut Writer, question: &Question) {
        let known =
            |tool: &&Tool| !matches!(&tool.kind, ToolKind::Foreign { dialect, .. } if *dialect != HERE);
        for tool in question.tools.iter().filter(|tool| !known(tool)) {
            self.losses.add(format!("tools.{}", tool.name), "a tool that only its own provider runs");
        }
        if question.tools.iter().any(|tool| tool.cache.is_some()) {
            self.losses.add("tools.cache_control", "OpenAI has no cache mark on tools");
        }
        if !question.tools.iter().any(|tool| known(&tool)) {
            let lost = question.tool_choice.is_some() || question.parallel_tools.is_some();
            if lost {
                self.losses.add("tool_choice", "there are no tools to choose from");
            }
            return;
        }
        w.array_field("tools", |w| question.tools.iter().filter(known).for_each(|tool| write_tool(w, tool)));
        if let Some(choice) = &question.tool_choice {
            write_tool_choice(w, choice);
        }
        w.optional("parallel_tool_calls", question.parallel_tools);
    }

    fn messages(&mut self, w: &mut Writer, question: &Question) {
        for (index, message) in question.instructions.iter().enumerate() {
            self.instruction(w, message, &format!("instructions[{index}]"));
        }
        for (index, message) in question.messages.iter().enumerate() {
            let path = format!("messages[{index}]");
            match message.role {
                Role::System | Role::Developer => self.instruction(w, message, &path),
                Role::User => self.user(w, message, &path),
                Role::Assistant => self.assistant(w, message, &path),
            }
        }
    }

    fn instruction(&mut self, w: &mut Writer, message: &Message, path: &str) {
        let is_billing = |block: &&Block| match &block.content {
            Content::Text { text, .. } => text.starts_with(CLAUDE_CODE_BILLING),
            _ => false,
        };
        let blocks: Vec<&Block> = message.blocks.iter().filter(|block| !is_billing(block)).collect();
        if blocks.len() < message.blocks.len() {
            self.losses.add(format!("{path}.content"), "a note for Anthropic's billing, not for the model");
            if blocks.is_empty() {
                return;
            }
        }
        let developer = message.role == Role::Developer && !self.options.compatible_host;
        if message.role == Role::Developer && !developer {
            self.losses.add(format!("{path}.role"), "this host knows `system` only");
        }
        w.object(|w| {
            w.field("role", if developer { "developer" } else { "system" });
            w.optional("name", message.name.as_ref());
            self.content(w, &blocks, path, Parts::Text);
        });
    }

    /// Results first, as `tool` messages, or OpenAI refuses what stands between a call and its result.
    fn user(&mut self, w: &mut Writer, message: &Message, path: &str) {
        let is_result = |block: &Block| matches!(block.content, Content::ToolResult(_));
        let results = message.blocks.iter().filter(|block| is_result(block)).count();
        let mut rest: Vec<&Block> = Vec::new();
        for block in &message.blocks {
            let Content::ToolResult(result) = &block.content else { continue };
            if block.cache.is_some() {
                self.losses.add(format!("{path}.cache_control"), "OpenAI has no cache mark on tool results");
            }
            self.result(w, result, path, &mut rest);
        }
        if message.blocks.iter().skip(results).any(is_result) {
            self.losses.add(format!("{path}.content"), "results of tools are moved before the rest");
        }
        rest.extend(message.blocks.iter().filter(|block| !is_result(block)));
        if rest.is_empty() && results > 0 {
            if message.name.is_some() {
                self.losses.add(format!("{path}.name"), "OpenAI has no name on tool results");
            }
            return;
        }
        w.object(|w| {
            w.field("role", "user");
            w.optional("name", message.name.as_ref());
            self.content(w, &rest, path, Parts::All);
        });
    }

    /// A `tool` message holds text only; pictures and documents go into the user message that follows.
    fn result<'b>(&mut self, w: &mut Writer, result: &'b ToolResult, path: &str, rest: &mut Vec<&'b Block>) {
        let is_text = |block: &&Block| matches!(block.content, Content::Text { .. });
        let (text, other): (Vec<&Block>, Vec<&Block>) = result.content.iter().partition(is_text);
        w.object(|w| {
            w.field("role", "tool");
            w.field("tool_call_id", &result.call_id);
            self.content(w, &text, path, Parts::Text);
        });
        if result.is_error {
            self.losses.add(format!("{path}.is_error"), "OpenAI has no mark for a tool that failed");
        }
        if !other.is_empty() {
            let reason = "a tool result holds text only; moved to the user message that follows";
            self.losses.add(format!("{path}.content.tool_result"), reason);
            rest.extend(other);
        }
    }

    fn assistant(&mut self, w: &mut Writer, message: &Message, path: &str) {
        let is_said =
            |block: &&Block| matches!(block.content, Content::Text { .. } | Content::Refusal { .. });
        let said: Vec<&Block> = message.blocks.iter().filter(is_said).collect();
        let mut calls: Vec<&ToolCall> = Vec::new();
        for block in message.blocks.iter().filter(|block| !is_said(block)) {
            match &block.content {
                Content::ToolCall(call) => {
                    calls.push(call);
                    if block.cache.is_some() {
                        self.losses.add(format!("{path}.cache_control"), "OpenAI has no cache mark on calls");
                    }
                }
                Content::Reasoning { .. } | Content::RedactedReasoning { .. } => self.losses.add(
                    format!("{path}.reasoning"),
                    "OpenAI takes no thoughts back; they are never sent as text",
                ),
                _ => self.losses.add(format!("{path}.content"), "not a part of an OpenAI assistant message"),
            }
        }
        w.object(|w| {
            w.field("role", "assistant");
            w.optional("name", message.name.as_ref());
            if said.is_empty() {
                w.field("content", &None::<u8>);
            } else {
                self.content(w, &said, path, Parts::Assistant);
            }
            if !calls.is_empty() {
                w.array_field("tool_calls", |w| calls.iter().for_each(|call| write_tool_call(w, call)));
            }
        });
    }

    /// One plain text is a string, anything else an array of parts.
    fn content(&mut self, w: &mut Writer, blocks: &[&Block], path: &str, parts: Parts) {
        let mut content = Writer::new();
        let (mut count, mut plain) = (0, None);
        content.array(|w| {
            for (index, block) in blocks.iter().enumerate() {
                let before = w.len();
                self.part(w, block, &format!("{path}.content[{index}]"), parts);
                if w.len() > before {
                    count += 1;
                    plain = match block {
                        Block { content: Content::Text { text, .. }, cache: None } => Some(text),
                        _ => None,
                    };
                }
            }
        });
        match plain {
            _ if count == 0 => w.field("content", ""),
            Some(text) if count == 1 => w.field("content", text),
            _ => w.raw_field("content", &String::from_utf8_lossy(&content.finish())),
        }
    }

    fn citations(&mut self, citations: &[crate::neutral::Citation], path: &str) {
        if !citations.is_empty() {
            self.losses.add(format!("{path}.citations"), "OpenAI takes no citations back");
        }
    }

    fn part(&mut self, w: &mut Writer, block: &Block, path: &str, parts: Parts) {
        let cache = block.cache.filter(|_| self.options.cache_marks && parts != Parts::Assistant);
        if block.cache.is_some() && cache.is_none() {
            self.losses.add(format!("{path}.cache_control"), "this host caches prompts by itself");
        }
        match &block.content {
            Content::Text { text, citations } => {
                self.citations(citations, path);
                w.object(|w| {
                    w.field("type", "text");
                    w.field("text", text);
                    self.cache_mark(w, cache, path);
                });
            }
            Content::Refusal { text } if parts == Parts::Assistant => w.object(|w| {
                w.field("type", "refusal");
                w.field("refusal", text);
            }),
            Content::Image { source, detail } if parts == Parts::All => {
                let Some(url) = image_url(source) else {
                    let reason = "OpenAI takes pictures by address or inline only";
                    return self.losses.add(format!("{path}.source"), reason);
                };
                w.object(|w| {
                    w.field("type", "image_url");
                    w.object_field("image_url", |w| {
                        w.field("url", &url);
                        w.optional("detail", detail.as_ref());
                    });
                    self.cache_mark(w, cache, path);
                });
            }
            Content::Audio { data, format } if parts == Parts::All => w.object(|w| {
                w.field("type", "input_audio");
                w.object_field("input_audio", |w| {
                    w.field("data", data);
                    w.field("format", format);
                });
                self.cache_mark(w, cache, path);
            }),
            Content::File { source, name, context, citations } if parts == Parts::All => {
                if context.is_some() {
                    self.losses.add(format!("{path}.context"), "OpenAI has no context on files");
                }
                if *citations {
                    self.losses.add(format!("{path}.citations"), "OpenAI does not cite files");
                }
                self.file(w, source, name.as_deref(), cache, path);
            }
            _ => self.losses.add(path, "not a part of this OpenAI message"),
        }
    }

    fn file(
        &mut self,
        w: &mut Writer,
        source: &Source,
        name: Option<&str>,
        cache: Option<CacheMark>,
        path: &str,
    ) {
        if let Source::Text(text) = source {
            self.losses.add(format!("{path}.source"), "OpenAI has no plain text files; sent as text");
            return w.object(|w| {
                w.field("type", "text");
                w.field("text", text);
                self.cache_mark(w, cache, path);
            });
        }
        if matches!(source, Source::Url(_)) {
            return self.losses.add(format!("{path}.source"), "OpenAI takes files inline or uploaded only");
        }
        w.object(|w| {
            w.field("type", "file");
            w.object_field("file", |w| {
                w.optional("filename", name);
                match source {
                    Source::Base64 { media_type, data } => {
                        w.field("file_data", &words::data_url(media_type, data));
                    }
                    Source::FileId(id) | Source::Url(id) | Source::Text(id) => w.field("file_id", id),
                }
            });
            self.cache_mark(w, cache, path);
        });
    }

    fn cache_mark(&mut self, w: &mut Writer, cache: Option<CacheMark>, path: &str) {
        let Some(CacheMark { minutes }) = cache else { return };
        w.object_field("prompt_cache_breakpoint", |w| {
            w.field("mode", "explicit");
            match minutes {
                Some(30) => w.field("ttl", "30m"),
                Some(720) => w.field("ttl", "12h"),
                Some(_) => self.losses.add(format!("{path}.cache_control.ttl"), "OpenAI keeps 30m or 12h"),
                None => {}
            }
        });
    }
}

/// What a message's content may be made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parts {
    Text,
    All,
    Assistant,
}

fn image_url(source: &Source) -> Option<String> {
    match source {
        Source::Url(url) => Some(url.clone()),
        Source::Base64 { media_type, data } => Some(words::data_url(media_type, data)),
        Source::FileId(_) | Source::Text(_) => None,
    }
}

pub(super) fn write_tool_call(w: &mut Writer, call: &ToolCall) {
    w.object(|w| {
        w.field("id", &call.id);
        let (kind, arguments) = call_words(call.kind);
        w.field("type", kind);
        w.object_field(kind, |w| {
            w.field("name", &call.name);
            w.field(arguments, &call.arguments);
        });
    });
}

/// The key of a call's object, and of its arguments within.
pub(super) fn call_words(kind: CallKind) -> (&'static str, &'static str) {
    match kind {
        CallKind::Function => ("function", "arguments"),
        CallKind::Custom => ("custom", "input"),
    }
}

fn write_tool(w: &mut Writer, tool: &Tool) {
    let described = |w: &mut Writer| {
        w.field("name", &tool.name);
        w.optional("description", tool.description.as_ref());
    };
    match &tool.kind {
        ToolKind::Function { schema, strict } => w.object(|w| {
            w.field("type", "function");
            w.object_field("function", |w| {
                described(w);
                if let Some(schema) = schema {
                    w.raw_field("parameters", schema.as_str());
                }
                w.optional("strict", *strict);
            });
        }),
        ToolKind::Custom { format } => w.object(|w| {
            w.field("type", "custom");
            w.object_field("custom", |w| {
                described(w);
                if let Some(format) = format {
                    w.raw_field("format", format.as_str());
                }
            });
        }),
        ToolKind::Foreign { raw, .. } => w.raw(raw.as_str()),
    }
}

fn write_tool_choice(w: &mut Writer, choice: &ToolChoice) {
    match choice {
        ToolChoice::Auto => w.field("tool_choice", "auto"),
        ToolChoice::None => w.field("tool_choice", "none"),
        ToolChoice::Required => w.field("tool_choice", "required"),
        ToolChoice::Named { name, kind } => w.object_field("tool_choice", |w| {
            let (kind, _) = call_words(*kind);
            w.field("type", kind);
            w.object_field(kind, |w| w.field("name", name));
        }),
        ToolChoice::Allowed { required, names } => w.object_field("tool_choice", |w| {
            w.field("type", "allowed_tools");
            w.object_field("allowed_tools", |w| {
                w.field("mode", if *required { "required" } else { "auto" });
                w.array_field("tools", |w| {
                    for name in names {
                        w.object(|w| {
                            w.field("type", "function");
                            w.object_field("function", |w| w.field("name", name));
                        });
                    }
                });
            });
        }),
    }
}

fn write_format(w: &mut Writer, format: &AnswerFormat) {
    w.object_field("response_format", |w| match format {
        AnswerFormat::Text => w.field("type", "text"),
        AnswerFormat::JsonObject => w.field("type", "json_object"),
        AnswerFormat::JsonSchema { name, description, schema, strict } => {
            w.field("type", "json_schema");
            w.object_field("json_schema", |w| {
                w.field("name", name.as_deref().unwrap_or("answer"));
                w.optional("description", description.as_ref());
                w.raw_field("schema", schema.as_str());
                w.optional("strict", *strict);
            });
        }
    });
}
