//! Questions and answers in the engine's words.

use mains_host::Used;
use mains_infer::backend::{Constraint, Generate, Question, Reason, Sampling};
use mains_infer::tokenizer::{Message, Role as ModelRole};
use mains_units::Usage;
use mains_wire::neutral::{
    AnswerFormat, BlockStart, CallKind, Content, Delta, Event, Json, Question as Neutral, Role, StopReason,
    Tool, ToolChoice, ToolKind,
};

/// What an answer becomes: text, or the arguments of the tool that must be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Call(String),
}

impl Form {
    /// The events that open the answer.
    pub(super) fn begin(&self, model: &str, id: u64) -> [Event; 2] {
        let start = match self {
            Self::Text => BlockStart::Text,
            Self::Call(name) => BlockStart::ToolCall {
                id: format!("call_local_{id}"),
                name: name.clone(),
                kind: CallKind::Function,
            },
        };
        [
            Event::Start { id: format!("local-{id}"), model: model.to_owned(), created: None },
            Event::BlockStart { choice: 0, block: 0, start },
        ]
    }

    /// More of the answer.
    pub(super) fn piece(&self, text: String) -> Event {
        let delta = match self {
            Self::Text => Delta::Text(text),
            Self::Call(_) => Delta::Arguments(text),
        };
        Event::Delta { choice: 0, block: 0, delta }
    }

    /// The events that close the answer.
    pub(super) fn end(&self, finish: Reason, usage: Usage) -> [Event; 3] {
        let reason = match (finish, self) {
            (Reason::Stop, Self::Text) => StopReason::EndTurn,
            (Reason::Stop, Self::Call(_)) => StopReason::ToolUse,
            (Reason::Length, _) => StopReason::MaxTokens,
            (Reason::Cancelled, _) => StopReason::Other("cancelled".into()),
        };
        [Event::BlockEnd { choice: 0, block: 0 }, Event::Stop { choice: 0, reason }, Event::Usage(usage)]
    }
}

/// The one function that this question must call, if there is one: the local model can be held to that, and cannot
/// be trusted to choose among several.
pub(crate) fn forced_tool(question: &Neutral) -> Option<&Tool> {
    let named = |name: &str| question.tools.iter().find(|tool| tool.name == name);
    let tool = match question.tool_choice.as_ref()? {
        ToolChoice::Named { name, .. } => named(name)?,
        ToolChoice::Required => match &question.tools[..] {
            [only] => only,
            _ => return None,
        },
        ToolChoice::Allowed { required: true, names } => match &names[..] {
            [only] => named(only)?,
            _ => return None,
        },
        ToolChoice::Auto | ToolChoice::None | ToolChoice::Allowed { required: false, .. } => return None,
    };
    matches!(tool.kind, ToolKind::Function { .. }).then_some(tool)
}

/// The question in the engine's words, and what its answer becomes. What it cannot carry is refused: the choice of
/// targets has already skipped this one for images and for tools that the model would choose among.
pub(super) fn generate(question: &Neutral, max_tokens: u64) -> Result<(Generate, Form), String> {
    let mut messages = Vec::new();
    for message in question.instructions.iter().chain(&question.messages) {
        let role = match message.role {
            Role::System | Role::Developer => ModelRole::System,
            Role::User => ModelRole::User,
            Role::Assistant => ModelRole::Assistant,
        };
        let mut content = String::new();
        for block in &message.blocks {
            match &block.content {
                Content::Text { text, .. } => content.push_str(text),
                Content::Reasoning { .. } | Content::RedactedReasoning { .. } => {}
                _ => return Err("the local model takes text only".into()),
            }
        }
        messages.push(Message { role, content });
    }
    let (constraint, form) = form(question)?;
    if let Some(tool) = forced_tool(question) {
        explain(tool, &mut messages);
    }
    #[expect(clippy::cast_possible_truncation, reason = "sampling needs no more than single precision")]
    let sampling = Sampling {
        temperature: question.sampling.temperature.unwrap_or(1.0) as f32,
        top_p: question.sampling.top_p.unwrap_or(1.0) as f32,
        top_k: u32::try_from(question.sampling.top_k.unwrap_or(0)).unwrap_or(0),
        seed: question.sampling.seed.unwrap_or(0).cast_unsigned(),
    };
    let request = Generate {
        max_tokens: Some(max_tokens),
        sampling,
        stop: question.stop.clone(),
        constraint,
        ..Generate::new(Question::Chat(messages))
    };
    Ok((request, form))
}

/// The form that the answer must have.
fn form(question: &Neutral) -> Result<(Option<Constraint>, Form), String> {
    let parsed = |what: &str, schema: &Json| {
        serde_json::from_str(schema.as_str())
            .map(Constraint::JsonSchema)
            .map_err(|error| format!("{what} is not a JSON schema that can be read: {error}"))
    };
    if let Some(tool) = forced_tool(question) {
        let constraint = match &tool.kind {
            ToolKind::Function { schema: Some(schema), .. } => {
                parsed(&format!("`parameters` of the tool `{}`", tool.name), schema)?
            }
            _ => Constraint::JsonSchema(serde_json::json!({"type": "object", "additionalProperties": false})),
        };
        return Ok((Some(constraint), Form::Call(tool.name.clone())));
    }
    if !question.tools.is_empty() && question.tool_choice != Some(ToolChoice::None) {
        return Err("the local model calls a tool only where one function is forced\n\
                    hint: set `tool_choice` to that function, or leave the tools out"
            .into());
    }
    let constraint = match &question.format {
        None | Some(AnswerFormat::Text) => None,
        Some(AnswerFormat::JsonObject) => Some(Constraint::JsonObject),
        Some(AnswerFormat::JsonSchema { schema, .. }) => Some(parsed("`response_format`", schema)?),
    };
    Ok((constraint, Form::Text))
}

/// Tells the model what it is about to call: its template knows nothing of tools.
fn explain(tool: &Tool, messages: &mut Vec<Message>) {
    let mut words = format!("Answer with the arguments of the function `{}` as JSON.", tool.name);
    if let Some(description) = &tool.description {
        words.push_str("\nWhat it does: ");
        words.push_str(description);
    }
    if let ToolKind::Function { schema: Some(schema), .. } = &tool.kind {
        words.push_str("\nThe JSON schema of its arguments: ");
        words.push_str(schema.as_str());
    }
    match messages.first_mut() {
        Some(first) if first.role == ModelRole::System => {
            first.content.push_str("\n\n");
            first.content.push_str(&words);
        }
        _ => messages.insert(0, Message { role: ModelRole::System, content: words }),
    }
}

/// The part of an answer that has just begun.
pub(super) const NOTHING_USED: Used = Used { cpu_s: 0.0, all_cpu_s: 0.0, packages_j: Some(0.0) };

/// What an answer used so far and one of `parts` equal parts of what the process used since. What everything on the
/// machine used stays whole: the answer's part of the energy follows from the ratio of the two.
pub(super) fn with_part(used: &Used, since: &Used, parts: f64) -> Used {
    Used {
        cpu_s: used.cpu_s + since.cpu_s / parts,
        all_cpu_s: used.all_cpu_s + since.all_cpu_s,
        packages_j: used.packages_j.zip(since.packages_j).map(|(used, since)| used + since),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(name: &str) -> Tool {
        let schema = Json::parse(r#"{"type":"object","properties":{"city":{"type":"string"}}}"#);
        let kind = ToolKind::Function { schema, strict: None };
        Tool { name: name.into(), description: Some("Says the weather.".into()), kind, cache: None }
    }

    #[test]
    fn a_forced_tool_becomes_a_schema_and_a_free_choice_is_refused() {
        let mut question = Neutral { tools: vec![tool("weather"), tool("time")], ..Neutral::default() };
        let named = ToolChoice::Named { name: "weather".into(), kind: CallKind::Function };
        for (choice, forced) in [
            (Some(named), Some("weather")),
            (Some(ToolChoice::Allowed { required: true, names: vec!["time".into()] }), Some("time")),
            (Some(ToolChoice::Required), None),
            (Some(ToolChoice::Auto), None),
            (None, None),
        ] {
            question.tool_choice = choice;
            assert_eq!(forced_tool(&question).map(|tool| tool.name.as_str()), forced);
            match (generate(&question, 5), forced) {
                (Ok((request, form)), Some(name)) => {
                    assert_eq!(form, Form::Call(name.into()));
                    assert!(matches!(request.constraint, Some(Constraint::JsonSchema(_))));
                    let Question::Chat(messages) = request.question else { panic!("a chat") };
                    assert_eq!(messages[0].role, ModelRole::System);
                    assert!(
                        messages[0].content.contains(name)
                            && messages[0].content.contains("Says the weather.")
                    );
                }
                (Err(why), None) => assert!(why.contains("hint:"), "{why}"),
                (other, _) => panic!("{other:?}"),
            }
        }
        question.tools.truncate(1);
        question.tool_choice = Some(ToolChoice::Required);
        assert!(forced_tool(&question).is_some(), "one tool that is required is forced");
        question.tool_choice = Some(ToolChoice::None);
        assert_eq!(generate(&question, 5).unwrap().0.constraint, None);
    }

    #[test]
    fn formats_are_carried_over_and_not_dropped() {
        let of = |format| {
            let question = Neutral { format, ..Neutral::default() };
            generate(&question, 5).unwrap().0.constraint
        };
        assert_eq!(of(None), None);
        assert_eq!(of(Some(AnswerFormat::Text)), None);
        assert_eq!(of(Some(AnswerFormat::JsonObject)), Some(Constraint::JsonObject));
        let schema = Json::parse(r#"{"enum":["a","b"]}"#).unwrap();
        let format = AnswerFormat::JsonSchema { name: None, description: None, schema, strict: None };
        let expected = Constraint::JsonSchema(serde_json::json!({"enum": ["a", "b"]}));
        assert_eq!(of(Some(format)), Some(expected));
    }

    #[test]
    fn what_two_used_together_adds_up_to_what_was_used() {
        let since = Used { cpu_s: 3.0, all_cpu_s: 4.0, packages_j: Some(8.0) };
        let half = with_part(&NOTHING_USED, &since, 2.0);
        assert_eq!(half, Used { cpu_s: 1.5, all_cpu_s: 4.0, packages_j: Some(8.0) });
        let unknown = Used { packages_j: None, ..since };
        assert_eq!(with_part(&half, &unknown, 1.0).packages_j, None);
    }
}
