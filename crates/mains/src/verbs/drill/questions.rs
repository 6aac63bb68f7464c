//! What a drill sends: requests of a file, or built-in ones for every route that has the target.

use crate::print::{self, Trouble};
use mains_catalog::{Catalog, ModelKind};
use serde_json::{Value, json};
use std::path::Path;

const CHAT: &str = "/v1/chat/completions";
const EMBEDDINGS: &str = "/v1/embeddings";
const RESPONSES: &str = "/v1/responses";
const MESSAGES: &str = "/v1/messages";

/// One request, sent more than once.
pub(super) struct Question {
    pub(super) path: &'static str,
    pub(super) model: String,
    pub(super) body: Value,
}

/// The bodies of a file, one a line.
pub(super) fn read(path: &Path) -> Result<Vec<Question>, Trouble> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Trouble::new(format!("failed to read `{shown}`: {}", print::lowered(&error))))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let questions: Vec<Question> = lines
        .map(|(index, line)| {
            let trouble = |why: &str| {
                Trouble::new(format!("`{shown}` line {}: {why}", index + 1))
                    .hint("write one request body a line, as JSON with `model` and `messages` or `input`")
            };
            let body: Value = serde_json::from_str(line).map_err(|error| trouble(&error.to_string()))?;
            let model = body["model"].as_str().ok_or_else(|| trouble("it names no model"))?.to_owned();
            let path =
                path_of(&model, &body).ok_or_else(|| trouble("it has neither `messages` nor `input`"))?;
            Ok(Question { path, model, body })
        })
        .collect::<Result<_, Trouble>>()?;
    if questions.is_empty() {
        return Err(Trouble::new(format!("`{shown}` holds no request")));
    }
    Ok(questions)
}

/// The path that a body belongs to. Anthropic's messages have their instructions beside them, or their tools without
/// a `function` around them.
fn path_of(model: &str, body: &Value) -> Option<&'static str> {
    if body["messages"].is_array() {
        let anthropic = body.get("system").is_some()
            || body.get("stop_sequences").is_some()
            || body["tools"].get(0).is_some_and(|tool| tool.get("input_schema").is_some());
        return Some(if anthropic { MESSAGES } else { CHAT });
    }
    body.get("input")?;
    Some(if kind(model) == Some(ModelKind::Embedding) { EMBEDDINGS } else { RESPONSES })
}

/// One plain and one streamed question for every conversation that has the target, one text for every embedding.
pub(super) fn built_in(target: &str, routes: &[(String, String)]) -> Result<Vec<Question>, Trouble> {
    let concerned = |routed: &str| {
        routed == target || (!target.contains('/') && routed.split('/').next() == Some(target))
    };
    let mut models: Vec<&str> = Vec::new();
    for (model, _) in routes.iter().filter(|(_, routed)| concerned(routed)) {
        if !models.contains(&model.as_str()) {
            models.push(model);
        }
    }
    if models.is_empty() {
        return Err(Trouble::new(format!("no route has a target `{target}`"))
            .hint("name a whole target (`openai/gpt-4o`) or an upstream (`openai`)"));
    }
    let questions: Vec<Question> = models.into_iter().flat_map(for_model).collect();
    if questions.is_empty() {
        return Err(Trouble::new(format!(
            "the routes of `{target}` are neither conversations nor embeddings"
        ))
        .hint("name a file of requests with `--requests`"));
    }
    Ok(questions)
}

fn for_model(model: &str) -> Vec<Question> {
    let question = |path, body| Question { path, model: model.to_owned(), body };
    match kind(model) {
        Some(ModelKind::Embedding) => {
            vec![question(EMBEDDINGS, json!({"model": model, "input": "this is a drill"}))]
        }
        None | Some(ModelKind::Chat | ModelKind::Completion | ModelKind::Unknown) => [false, true]
            .map(|stream| {
                let messages = json!([{"role": "user", "content": "This is a drill. Answer with one word."}]);
                question(
                    CHAT,
                    json!({"model": model, "stream": stream, "max_tokens": 16, "messages": messages}),
                )
            })
            .into(),
        // Pictures, speech and film are not relayed.
        Some(_) => Vec::new(),
    }
}

fn kind(model: &str) -> Option<ModelKind> {
    Catalog::builtin().lookup(None, model).into_first().map(|found| found.model.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(model, target)| ((*model).to_owned(), (*target).to_owned())).collect()
    }

    #[test]
    fn every_route_of_the_target_is_asked_in_its_own_way() {
        let routes = routes(&[
            ("gpt-4o", "openai/gpt-4o"),
            ("gpt-4o", "openai/gpt-4o-mini"),
            ("text-embedding-3-small", "openai/text-embedding-3-small"),
            ("sora-2", "openai/sora-2"),
            ("other", "groq/openai"),
        ]);
        let asked = |target: &str| {
            let questions = built_in(target, &routes).map_err(|trouble| trouble.text())?;
            Ok::<_, String>(
                questions.iter().map(|question| (question.model.clone(), question.path)).collect::<Vec<_>>(),
            )
        };
        let chat = |model: &str| (model.to_owned(), CHAT);
        let embedding = ("text-embedding-3-small".to_owned(), EMBEDDINGS);
        assert_eq!(asked("openai").unwrap(), [chat("gpt-4o"), chat("gpt-4o"), embedding]);
        assert_eq!(asked("openai/gpt-4o-mini").unwrap(), [chat("gpt-4o"), chat("gpt-4o")]);
        assert!(asked("openai/sora-2").unwrap_err().contains("--requests"));
        assert!(asked("azure").unwrap_err().contains("no route has a target `azure`"));
    }

    #[test]
    fn a_body_tells_its_dialect() {
        let path = |body: Value| path_of(body["model"].as_str().unwrap(), &body);
        assert_eq!(path(json!({"model": "m", "messages": []})), Some(CHAT));
        assert_eq!(path(json!({"model": "m", "messages": [], "system": "s"})), Some(MESSAGES));
        assert_eq!(path(json!({"model": "gpt-4o", "input": "x"})), Some(RESPONSES));
        assert_eq!(path(json!({"model": "text-embedding-3-small", "input": "x"})), Some(EMBEDDINGS));
        assert_eq!(path(json!({"model": "m"})), None);
    }
}
