//! The request that imported labels answered.

use crate::cli::DistillImport;
use crate::print::{self, Trouble};
use mains_distill::task::{MARK, Role, Shape, Turn};
use mains_distill::wire;
use mains_wire::Dialect;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// A request with `{text}` where the text stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::verbs::distill) struct Asked {
    /// Tools and answer format, as `mains_distill::wire` writes them.
    pub(in crate::verbs::distill) fixed: String,
    turns: Vec<(Role, String)>,
}

impl Asked {
    pub(in crate::verbs::distill) fn turns(&self) -> Vec<Turn> {
        self.turns.iter().map(|(role, text)| Turn { role: *role, text: text.clone() }).collect()
    }
}

/// The request that the flags name.
pub(super) fn of(arguments: &DistillImport) -> Result<Asked, Trouble> {
    if let Some(path) = &arguments.prompt {
        return of_file(path);
    }
    let system = arguments.system.iter().map(|text| (Role::System, text.clone()));
    let user = arguments.user.clone().unwrap_or_else(|| MARK.to_owned());
    Ok(Asked { fixed: String::new(), turns: system.chain([(Role::User, user)]).collect() })
}

fn of_file(path: &Path) -> Result<Asked, Trouble> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Trouble::new(format!("failed to read `{shown}`: {}", print::lowered(&error))))?;
    match serde_json::from_str::<Value>(&text) {
        Ok(body) if body["messages"].is_array() => of_body(body)
            .map_err(|why| Trouble::new(format!("`{shown}` is no request with a text in it: {why}"))),
        _ => {
            // An editor ends the last line; a program that fills in the text does not.
            let text = text.strip_suffix('\n').unwrap_or(&text).to_owned();
            Ok(Asked { fixed: String::new(), turns: vec![(Role::User, text)] })
        }
    }
}

/// A request body as a client would send it, so that tools and schemas are as they will be asked for.
fn of_body(mut body: Value) -> Result<Asked, String> {
    let anthropic = body.get("system").is_some()
        || body["tools"].get(0).is_some_and(|tool| tool.get("input_schema").is_some());
    let dialect = if anthropic { Dialect::AnthropicMessages } else { Dialect::OpenaiChat };
    if let Some(members) = body.as_object_mut() {
        members.entry("model").or_insert_with(|| "any".into());
        if anthropic {
            members.entry("max_tokens").or_insert_with(|| 1.into());
        }
    }
    let question =
        wire::read_question(dialect, body.to_string().as_bytes()).map_err(|error| error.to_string())?;
    let asked = wire::asked(&question).map_err(|error| error.to_string())?;
    Ok(Asked {
        fixed: asked.fixed,
        turns: asked.turns.into_iter().map(|turn| (turn.role, turn.text)).collect(),
    })
}

/// `word`, `json:KEY` or `tool:NAME:ARGUMENT`; JSON without white space, as providers write what fits a schema.
pub(super) fn shape(text: &str) -> Result<Shape, Trouble> {
    let parts: Vec<&str> = text.splitn(3, ':').collect();
    let around = |key: &str| (format!("{{{}:", Value::String(key.to_owned())), "}".to_owned());
    match parts.as_slice() {
        ["word"] => Ok(Shape::Word),
        ["json", key] if !key.is_empty() => {
            let (before, after) = around(key);
            Ok(Shape::Field { key: (*key).to_owned(), before, after })
        }
        ["tool", name, argument] if !name.is_empty() && !argument.is_empty() => {
            let (before, after) = around(argument);
            Ok(Shape::Tool { name: (*name).to_owned(), argument: (*argument).to_owned(), before, after })
        }
        _ => Err(Trouble::new(format!("`{text}` is no shape of an answer"))
            .hint("write `--answer word`, `--answer json:KEY` or `--answer tool:NAME:ARGUMENT`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_looks_as_its_shape_says() {
        fn shape_of(text: &str) -> Shape {
            shape(text).unwrap_or_else(|trouble| panic!("{}", trouble.text()))
        }
        let text = |shape: &str, label: &str| shape_of(shape).write(label);
        assert_eq!(text("word", "spam").text, "spam");
        assert_eq!(text("json:intent", "\"spam\"").text, "{\"intent\":\"spam\"}");
        assert_eq!(text("tool:say:intent", "\"spam\"").calls[0].arguments, "{\"intent\":\"spam\"}");
        for wrong in ["", "json", "json:", "tool:x", "tool:x:", "xml:a"] {
            assert!(shape(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_body_brings_its_tools() {
        let tools =
            json!([{"type": "function", "function": {"name": "say", "parameters": {"type": "object"}}}]);
        let body = json!({"messages": [{"role": "system", "content": "Label."}, {"role": "user", "content": "{text}"}],
            "tools": tools});
        let asked = of_body(body).unwrap();
        assert_eq!(asked.turns, [(Role::System, "Label.".into()), (Role::User, "{text}".into())]);
        assert!(asked.fixed.contains("\"say\""), "{}", asked.fixed);
        assert!(of_body(json!({"messages": [{}]})).is_err());
    }
}
