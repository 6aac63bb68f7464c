//! Where a request carries the schema of its answer.

use mains_wire::neutral::{AnswerFormat, Question};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// What "some JSON object" asks for.
static ANY_OBJECT: LazyLock<Value> = LazyLock::new(|| json!({"type": "object"}));

/// The schema that a request body asks its answer to follow: OpenAI chat completions (`response_format`), OpenAI
/// responses (`text.format`), Anthropic messages (`output_config.format`, and `output_format` of its beta). Where
/// any JSON object will do, that as a schema. Where the request was read into the neutral form,
/// [`of_question`] says the same.
pub fn of_request(body: &Value) -> Option<&Value> {
    let places = ["/response_format", "/text/format", "/output_config/format", "/output_format"];
    places.iter().filter_map(|place| body.pointer(place)).find_map(of_format)
}

fn of_format(format: &Value) -> Option<&Value> {
    match format.get("type")?.as_str()? {
        "json_object" => Some(&ANY_OBJECT),
        "json_schema" => {
            format.pointer("/json_schema/schema").or(format.get("schema")).filter(|s| s.is_object())
        }
        _ => None,
    }
}

/// The schema that a question asks its answer to follow.
pub fn of_question(question: &Question) -> Option<Value> {
    match question.format.as_ref()? {
        AnswerFormat::Text => None,
        AnswerFormat::JsonObject => Some(ANY_OBJECT.clone()),
        AnswerFormat::JsonSchema { schema, .. } => serde_json::from_str(schema.as_str()).ok(),
    }
}
