//! Whatever of a request but its messages must be the same for the task to be the same, as one text.

use super::NotPlain;
use crate::canonical;
use mains_wire::neutral::{AnswerFormat, CallKind, Json, Question, Tool, ToolChoice, ToolKind};
use serde_json::{Map, Value, json};

/// Tools, the choice among them and the form of the answer as canonical JSON: keys sorted, no white space, so that
/// order and spacing of a schema say nothing. Empty where a request has none of them.
///
/// The same tool means the same whichever dialect names it. `strict` is a promise of the provider about its answers
/// and is left out: what a labeller writes fits anyway, because it is what the teacher wrote.
pub fn fixed(question: &Question) -> Result<String, NotPlain> {
    let mut all = Map::new();
    if !question.tools.is_empty() {
        let tools = question.tools.iter().map(tool).collect::<Result<Vec<Value>, NotPlain>>()?;
        all.insert("tools".into(), Value::Array(tools));
    }
    // `auto` is what no choice means.
    if let Some(choice) = question.tool_choice.as_ref().filter(|choice| **choice != ToolChoice::Auto) {
        all.insert("tool_choice".into(), choice_of(choice)?);
    }
    match &question.format {
        None | Some(AnswerFormat::Text) => {}
        Some(AnswerFormat::JsonObject) => {
            all.insert("format".into(), "json_object".into());
        }
        // Name and description of a schema are read by the model like the rest of the prompt.
        Some(AnswerFormat::JsonSchema { name, description, schema, .. }) => {
            let format = json!({"name": name, "description": description, "schema": value(schema)?});
            all.insert("format".into(), format);
        }
    }
    if all.is_empty() { Ok(String::new()) } else { Ok(canonical::json(&all)) }
}

fn tool(tool: &Tool) -> Result<Value, NotPlain> {
    let ToolKind::Function { schema, .. } = &tool.kind else {
        return Err(NotPlain::Holds("a tool that is no function"));
    };
    let schema = schema.as_ref().map(value).transpose()?;
    Ok(json!({"name": tool.name, "description": tool.description, "schema": schema}))
}

fn choice_of(choice: &ToolChoice) -> Result<Value, NotPlain> {
    Ok(match choice {
        ToolChoice::Auto => "auto".into(),
        ToolChoice::None => "none".into(),
        ToolChoice::Required => "required".into(),
        ToolChoice::Named { name, kind: CallKind::Function } => json!({"name": name}),
        ToolChoice::Named { .. } => return Err(NotPlain::Holds("a tool that is no function")),
        ToolChoice::Allowed { required, names } => json!({"allowed": names, "required": required}),
    })
}

fn value(json: &Json) -> Result<Value, NotPlain> {
    serde_json::from_str(json.as_str()).map_err(|error| NotPlain::Unreadable(error.to_string()))
}
