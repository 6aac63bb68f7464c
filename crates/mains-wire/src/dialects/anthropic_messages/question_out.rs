//! A messages request, written.

use super::{
    HERE,
    abilities::Abilities,
    blocks::{self, Place},
    words,
};
use crate::dialects::{WriteOptions, joined_text, write_extras};
use crate::json::Writer;
use crate::loss::{Encoded, Losses};
use crate::neutral::{
    AnswerFormat, Block, Content, Effort, Message, Question, Role, Thinking, Tool, ToolChoice, ToolKind,
};
use std::borrow::Cow;

/// The least budget that the API takes (SDK, documentation of `budget_tokens`).
const LEAST_BUDGET: u64 = 1_024;

/// Writes a request body.
pub fn write_question(question: &Question, options: &WriteOptions) -> Encoded {
    let model = options.model.as_ref().unwrap_or(&question.model);
    let mut out = Out { losses: Losses::default(), abilities: Abilities::of(model) };
    let mut writer = Writer::new();
    writer.object(|w| {
        w.field("model", model);
        let reasoning = out.reasoning(question, options);
        w.field("max_tokens", &reasoning.max_tokens);
        let mut turns = Writer::new();
        turns.array(|w| out.messages(w, question));
        let turns = turns.finish();
        if turns == b"[]" {
            w.array_field("messages", |w| out.instructions_only(w, question));
        } else {
            out.system(w, question);
            w.raw_field("messages", &String::from_utf8_lossy(&turns));
        }
        out.tools(w, question);
        out.sampling(w, question, reasoning.derived);
        out.stops(w, question);
        if let Some(thinking) = reasoning.thinking {
            w.object_field("thinking", |w| write_thinking(w, thinking));
        }
        out.output_config(w, question.format.as_ref(), reasoning.effort);
        if let Some(user) = &question.user {
            w.object_field("metadata", |w| w.field("user_id", user));
        }
        for (key, _) in &question.metadata {
            out.losses.add(format!("metadata.{key}"), "Anthropic keeps the user only");
        }
        words::write_cache(w, question.cache, "cache_control", &mut out.losses);
        if question.stream {
            w.field("stream", &true);
        }
        write_extras(w, &question.extras, HERE, &mut out.losses);
    });
    Encoded { bytes: writer.finish(), losses: out.losses.into_vec() }
}

struct Out {
    losses: Losses,
    abilities: Abilities,
}

/// What is said about thinking, and the room for it.
struct Reasoning {
    thinking: Option<Thinking>,
    effort: Option<Effort>,
    max_tokens: u64,
    /// Thinking was switched on by us because of an effort: what it excludes gives way.
    derived: bool,
}

impl Out {
    fn reasoning(&mut self, question: &Question, options: &WriteOptions) -> Reasoning {
        let max_tokens = question.max_output_tokens.unwrap_or(options.default_max_tokens);
        let effort = question.effort.and_then(|effort| self.effort(effort));
        let plain = |thinking| Reasoning { thinking, effort, max_tokens, derived: false };
        match (question.thinking, effort) {
            (Some(Thinking::Budget { tokens, omitted }), _) if self.abilities.adaptive_thinking() => {
                self.losses.add("thinking.budget_tokens", "this model takes an effort and no budget");
                let effort = effort.or_else(|| self.effort(Effort::covering(tokens)));
                Reasoning { effort, ..plain(Some(Thinking::Adaptive { omitted })) }
            }
            (Some(Thinking::Adaptive { omitted }), _) if !self.abilities.adaptive_thinking() => {
                self.losses.add("thinking.type", "this model takes a budget and decides not by itself");
                let wanted = effort.unwrap_or(Effort::Medium);
                self.budget(question, wanted, omitted, max_tokens)
            }
            (Some(thinking), _) => plain(Some(thinking)),
            (None, None) => plain(None),
            (None, Some(wanted)) if forces_tool(question) => {
                self.losses.add("effort", "Anthropic does not think where a tool is forced");
                let effort = self.abilities.adaptive_thinking().then_some(wanted);
                Reasoning { effort, ..plain(None) }
            }
            (None, Some(_)) if self.abilities.adaptive_thinking() => {
                Reasoning { derived: true, ..plain(Some(Thinking::Adaptive { omitted: None })) }
            }
            (None, Some(wanted)) => self.budget(question, wanted, None, max_tokens),
        }
    }

    /// The effort in Anthropic's words; `None` if it has none.
    fn effort(&mut self, effort: Effort) -> Option<Effort> {
        let said = match effort {
            Effort::None => None,
            Effort::Minimal => Some(Effort::Low),
            Effort::XHigh if !self.abilities.xhigh() => Some(Effort::High),
            other => Some(other),
        };
        if said != Some(effort) {
            let reason = match said {
                None => "Anthropic has no effort `none`; thinking is not asked for".to_owned(),
                Some(said) => {
                    format!("this model has no effort `{}`; said as `{}`", effort.word(), said.word())
                }
            };
            self.losses.add("effort", reason);
        }
        said
    }

    /// A budget for models that know no effort. It must lie below `max_tokens`, which is raised where the
    /// question leaves it open.
    fn budget(
        &mut self,
        question: &Question,
        wanted: Effort,
        omitted: Option<bool>,
        max_tokens: u64,
    ) -> Reasoning {
        let none = Reasoning { thinking: None, effort: None, max_tokens, derived: false };
        if unsigned_calls(&question.messages) {
            self.losses
                .add("effort", "the last tool calls came without signed thoughts, which thinking requires");
            return none;
        }
        let mut tokens = wanted.budget_tokens().max(LEAST_BUDGET);
        let mut room = max_tokens;
        if question.max_output_tokens.is_none() {
            room = max_tokens.saturating_add(tokens);
        } else if max_tokens <= LEAST_BUDGET {
            self.losses.add("effort", format!("thinking needs `max_tokens` above {LEAST_BUDGET}"));
            return none;
        } else {
            tokens = tokens.min(max_tokens / 2).max(LEAST_BUDGET);
        }
        self.losses.add("effort", format!("this model knows no effort; said as a budget of {tokens} tokens"));
        let thinking = Some(Thinking::Budget { tokens, omitted });
        Reasoning { thinking, effort: None, max_tokens: room, derived: true }
    }

    /// All instructions in one list; one plain text is a string.
    fn system(&mut self, w: &mut Writer, question: &Question) {
        let messages = &question.instructions;
        for (index, message) in messages.iter().enumerate() {
            if message.name.is_some() {
                self.losses.add(format!("instructions[{index}].name"), "Anthropic has no names");
            }
        }
        let blocks: Vec<&Block> = messages.iter().flat_map(|message| &message.blocks).collect();
        match blocks.as_slice() {
            [] => {}
            [Block { content: Content::Text { text, citations }, cache: None }]
                if citations.is_empty() && !text.is_empty() =>
            {
                w.field("system", text);
            }
            blocks => w.array_field("system", |w| {
                for (index, block) in blocks.iter().enumerate() {
                    self.instruction(w, block, &format!("instructions[{index}]"));
                }
            }),
        }
    }

    fn block(&mut self, w: &mut Writer, block: &Block, path: &str) {
        blocks::write_block(w, block, Place::Question, path, &mut self.losses);
    }

    /// Instructions are text only.
    fn instruction(&mut self, w: &mut Writer, block: &Block, path: &str) {
        match block.content {
            Content::Text { .. } => self.block(w, block, path),
            _ => self.losses.add(path, "Anthropic takes instructions as text only"),
        }
    }

    /// The API requires a message: a question of instructions only says them as the user.
    fn instructions_only(&mut self, w: &mut Writer, question: &Question) {
        let user = |message: &Message| Message { role: Role::User, ..message.clone() };
        let turn: Vec<Message> = question.instructions.iter().map(user).collect();
        if !turn.is_empty() {
            self.losses.add("instructions", "Anthropic requires a message; said as the user");
            self.turn(w, "user", &turn.iter().collect::<Vec<_>>(), 0);
        }
    }

    /// Turns of one speaker that follow each other become one; the API wants them to alternate.
    fn messages(&mut self, w: &mut Writer, question: &Question) {
        let mut start = 0;
        let mut behind_user = false;
        while start < question.messages.len() {
            let speaker = self.speaker(&question.messages[start], behind_user);
            let mut end = start + 1;
            while let Some(next) = question.messages.get(end) {
                let user = question.messages[start..end].iter().any(|message| message.role == Role::User);
                if self.speaker(next, user || speaker == "system") != speaker {
                    break;
                }
                end += 1;
                // A user's turn is all there is to know, so a long run is not looked through again.
                if user && speaker == "user" {
                    let run = &question.messages[end..];
                    end += run.iter().take_while(|message| self.speaker(message, true) == speaker).count();
                    break;
                }
            }
            let turn: Vec<&Message> = question.messages[start..end].iter().collect();
            behind_user = self.turn(w, speaker, &turn, start) && speaker != "assistant";
            start = end;
        }
    }

    /// The role that a message gets here. A system message may stand behind a user's turn, on models that
    /// take it.
    fn speaker(&self, message: &Message, behind_user: bool) -> &'static str {
        match message.role {
            Role::Assistant => "assistant",
            Role::System | Role::Developer if self.abilities.system_in_conversation() && behind_user => {
                "system"
            }
            Role::User | Role::System | Role::Developer => "user",
        }
    }

    /// Writes one turn; says whether anything of it is left.
    fn turn(&mut self, w: &mut Writer, speaker: &str, messages: &[&Message], first: usize) -> bool {
        let mut said: Vec<(Cow<'_, Block>, String)> = Vec::new();
        // Results of tools come first, or the API refuses the turn.
        for results in [true, false] {
            for (message, index) in messages.iter().zip(first..) {
                let path = format!("messages[{index}]");
                if message.name.is_some() && results {
                    self.losses.add(format!("{path}.name"), "Anthropic has no names");
                }
                if speaker == "user" && matches!(message.role, Role::System | Role::Developer) {
                    if !results {
                        said.extend(self.said_as_user(message, &path).map(|block| (Cow::Owned(block), path)));
                    }
                    continue;
                }
                let is_result = |block: &Block| matches!(block.content, Content::ToolResult(_));
                let blocks =
                    message.blocks.iter().enumerate().filter(|(_, block)| is_result(block) == results);
                said.extend(
                    blocks.map(|(at, block)| (Cow::Borrowed(block), format!("{path}.content[{at}]"))),
                );
            }
        }
        let mut content = Writer::new();
        let (mut count, mut plain) = (0, None);
        content.array(|w| {
            for (block, path) in &said {
                let before = w.len();
                match speaker {
                    "system" => self.instruction(w, block, path),
                    _ if fits(speaker, &block.content) => self.block(w, block, path),
                    _ => self.losses.add(path.as_str(), "not taken from this speaker"),
                }
                if w.len() > before {
                    count += 1;
                    plain = plain_text(block);
                }
            }
        });
        if count == 0 {
            self.losses.add(format!("messages[{first}]"), "nothing is left of this message");
            return false;
        }
        w.object(|w| {
            w.field("role", speaker);
            match plain.filter(|_| count == 1) {
                Some(text) => w.field("content", text),
                None => w.raw_field("content", &String::from_utf8_lossy(&content.finish())),
            }
        });
        true
    }

    /// A system message where this model takes none.
    fn said_as_user(&mut self, message: &Message, path: &str) -> Option<Block> {
        let text = joined_text(&message.blocks, "\n");
        if text.is_empty() {
            self.losses.add(path, "nothing is left of this message");
            return None;
        }
        self.losses
            .add(path, "no system message is taken at this place; said as the user, marked `<system>`");
        Some(Block::text(format!("<system>\n{text}\n</system>")))
    }

    fn tools(&mut self, w: &mut Writer, question: &Question) {
        let allowed = |tool: &Tool| match &question.tool_choice {
            Some(ToolChoice::Allowed { names, .. }) => names.contains(&tool.name),
            _ => true,
        };
        let mut tools: Vec<&Tool> = Vec::new();
        for tool in &question.tools {
            let path = format!("tools.{}", tool.name);
            match &tool.kind {
                _ if !allowed(tool) => {
                    self.losses.add(path, "left out, because the choice does not allow it");
                }
                ToolKind::Custom { .. } => self.losses.add(path, "Anthropic has no tools of free text"),
                ToolKind::Foreign { dialect, .. } if *dialect != HERE => {
                    self.losses.add(path, "a tool that only its own provider runs");
                }
                _ => tools.push(tool),
            }
        }
        if tools.is_empty() {
            if question.tool_choice.is_some() || question.parallel_tools.is_some() {
                self.losses.add("tool_choice", "there are no tools to choose from");
            }
            return;
        }
        w.array_field("tools", |w| {
            for tool in tools {
                self.tool(w, tool);
            }
        });
        self.tool_choice(w, question);
    }

    fn tool(&mut self, w: &mut Writer, tool: &Tool) {
        let (schema, strict) = match &tool.kind {
            ToolKind::Foreign { raw, .. } => return w.raw(raw.as_str()),
            ToolKind::Function { schema, strict } => (schema.as_ref(), *strict),
            ToolKind::Custom { .. } => return,
        };
        w.object(|w| {
            w.field("name", &tool.name);
            w.optional("description", tool.description.as_ref());
            w.raw_field("input_schema", schema.map_or(r#"{"type":"object"}"#, |schema| schema.as_str()));
            w.optional("strict", strict);
            words::write_cache(w, tool.cache, &format!("tools.{}", tool.name), &mut self.losses);
        });
    }

    fn tool_choice(&mut self, w: &mut Writer, question: &Question) {
        let parallel = question.parallel_tools;
        let (kind, name) = match &question.tool_choice {
            None if parallel.is_none() => return,
            None | Some(ToolChoice::Auto | ToolChoice::Allowed { required: false, .. }) => ("auto", None),
            Some(ToolChoice::Required | ToolChoice::Allowed { required: true, .. }) => ("any", None),
            Some(ToolChoice::None) => ("none", None),
            Some(ToolChoice::Named { name, .. }) => ("tool", Some(name)),
        };
        if kind == "none" && parallel.is_some() {
            self.losses.add("parallel_tools", "no tool is used");
        }
        w.object_field("tool_choice", |w| {
            w.field("type", kind);
            w.optional("name", name);
            w.optional(
                "disable_parallel_tool_use",
                parallel.filter(|_| kind != "none").map(|parallel| !parallel),
            );
        });
    }

    fn sampling(&mut self, w: &mut Writer, question: &Question, thinking_derived: bool) {
        let sampling = &question.sampling;
        let refusal = if !self.abilities.sampling() {
            Some("this model takes no sampling parameters")
        } else if thinking_derived {
            Some("not taken together with thinking, which the effort asks for")
        } else {
            None
        };
        match (refusal, sampling.temperature) {
            (_, None) => {}
            (Some(reason), Some(_)) => self.losses.add("temperature", reason),
            (None, Some(temperature)) => {
                if temperature > 1.0 {
                    self.losses.add("temperature", "Anthropic takes 1 at most; said as 1");
                }
                w.field("temperature", &temperature.min(1.0));
            }
        }
        match refusal {
            None => {
                w.optional("top_p", sampling.top_p);
                w.optional("top_k", sampling.top_k);
            }
            Some(reason) => {
                let set = [("top_p", sampling.top_p.is_some()), ("top_k", sampling.top_k.is_some())];
                set.iter().filter(|(_, set)| *set).for_each(|(name, _)| self.losses.add(*name, reason));
            }
        }
        let unknown = [
            ("seed", sampling.seed.is_some()),
            ("frequency_penalty", sampling.frequency_penalty.is_some()),
            ("presence_penalty", sampling.presence_penalty.is_some()),
            ("logprobs", sampling.logprobs.is_some()),
            ("top_logprobs", sampling.top_logprobs.is_some()),
        ];
        for (name, _) in unknown.iter().filter(|(_, set)| *set) {
            self.losses.add(*name, "Anthropic has no such field");
        }
        if let Some(n) = sampling.n {
            let reason =
                if n > 1 { "Anthropic gives one answer" } else { "Anthropic always gives one answer" };
            self.losses.add("n", reason);
        }
    }

    fn stops(&mut self, w: &mut Writer, question: &Question) {
        let (said, blank): (Vec<_>, Vec<_>) = question.stop.iter().partition(|stop| !stop.trim().is_empty());
        if !said.is_empty() {
            w.field("stop_sequences", &said);
        }
        if !blank.is_empty() {
            self.losses.add("stop", "Anthropic takes no stop sequence of white space only");
        }
    }

    fn output_config(&mut self, w: &mut Writer, format: Option<&AnswerFormat>, effort: Option<Effort>) {
        let schema = match format {
            None | Some(AnswerFormat::Text) => None,
            Some(AnswerFormat::JsonObject) => {
                self.losses.add("response_format", "Anthropic takes a JSON schema, not JSON in general");
                None
            }
            Some(AnswerFormat::JsonSchema { name, description, schema, strict }) => {
                for (key, set) in [("name", name.is_some()), ("description", description.is_some())] {
                    if set {
                        self.losses
                            .add(format!("response_format.{key}"), "Anthropic's schema has no such field");
                    }
                }
                if *strict == Some(false) {
                    self.losses.add("response_format.strict", "Anthropic always keeps to the schema");
                }
                Some(schema)
            }
        };
        if schema.is_none() && effort.is_none() {
            return;
        }
        w.object_field("output_config", |w| {
            w.optional("effort", effort.map(Effort::word));
            if let Some(schema) = schema {
                w.object_field("format", |w| {
                    w.field("type", "json_schema");
                    w.raw_field("schema", schema.as_str());
                });
            }
        });
    }
}

/// Whether a block may stand in a turn of user or assistant.
fn fits(speaker: &str, content: &Content) -> bool {
    match content {
        Content::Image { .. } | Content::Audio { .. } | Content::File { .. } | Content::ToolResult(_) => {
            speaker == "user"
        }
        Content::ToolCall(_) | Content::Reasoning { .. } | Content::RedactedReasoning { .. } => {
            speaker == "assistant"
        }
        Content::Text { .. } | Content::Refusal { .. } | Content::Foreign { .. } => true,
    }
}

/// The text of a block that is nothing but text.
fn plain_text(block: &Block) -> Option<&str> {
    match block {
        Block { content: Content::Text { text, citations }, cache: None } if citations.is_empty() => {
            Some(text)
        }
        _ => None,
    }
}

fn forces_tool(question: &Question) -> bool {
    matches!(
        question.tool_choice,
        Some(ToolChoice::Required | ToolChoice::Named { .. } | ToolChoice::Allowed { required: true, .. })
    )
}

/// Whether the last assistant turn calls tools without a signed thought.
fn unsigned_calls(messages: &[Message]) -> bool {
    let Some(last) = messages.iter().rev().find(|message| message.role == Role::Assistant) else {
        return false;
    };
    let any = |is: fn(&Content) -> bool| last.blocks.iter().any(|block| is(&block.content));
    let signed = any(|content| {
        matches!(content, Content::Reasoning { signature: Some(_), .. } | Content::RedactedReasoning { .. })
    });
    any(|content| matches!(content, Content::ToolCall(_))) && !signed
}

fn write_thinking(w: &mut Writer, thinking: Thinking) {
    let (kind, tokens, omitted) = match thinking {
        Thinking::Disabled => ("disabled", None, None),
        Thinking::BetweenTools => ("between_tools", None, None),
        Thinking::Adaptive { omitted } => ("adaptive", None, omitted),
        Thinking::Budget { tokens, omitted } => ("enabled", Some(tokens), omitted),
    };
    w.field("type", kind);
    w.optional("budget_tokens", tokens);
    w.optional("display", omitted.map(|omitted| if omitted { "omitted" } else { "summarized" }));
}
