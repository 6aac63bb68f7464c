//! Forms of answers at a local model: what reaches the worker, and what becomes of a form that cannot be enforced. A
//! scripted worker stands in place of the real one, so that no weights are needed.

use crate::harness::{Got, Running, client, post};
use mains_serve::local::{Local, LocalAsks, LocalEvent};
use mains_wire::neutral::{AnswerFormat, ToolChoice};
use serde_json::{Value, json};

const CONFIG: &str = "[[upstream]]\nname = \"here\"\nprovider = \"local\"\n\
    [[route]]\nmodel = \"c\"\ntargets = [\"here/smollm2-135m-instruct\"]\ndegraded = \"allow\"\n";

/// A worker that refuses every schema with the word `uniqueItems`, says that prompts with a format are too long when
/// that is an object, and fails otherwise: none of the three is an answer.
fn worker() -> Local {
    let (local, mut questions) = Local::new(4);
    tokio::spawn(async move {
        while let Some((question, events)) = questions.recv().await {
            let LocalAsks::Answer { question, .. } = question.asks else { panic!("no conversation") };
            let event = match (&question.format, &question.tool_choice) {
                (Some(AnswerFormat::JsonSchema { schema, .. }), _) => {
                    assert!(schema.as_str().contains("uniqueItems"));
                    LocalEvent::Refused { why: "`uniqueItems` cannot be enforced here".into(), code: None }
                }
                (Some(AnswerFormat::JsonObject), _) => LocalEvent::Refused {
                    why: "the prompt has 9 tokens too many".into(),
                    code: Some("context_length_exceeded"),
                },
                (_, Some(ToolChoice::Named { name, .. })) => {
                    LocalEvent::Refused { why: format!("the tool {name} was asked for"), code: None }
                }
                other => panic!("{other:?}"),
            };
            events.send(event).await.unwrap();
        }
    });
    local
}

async fn ask(outlet: &Running, more: Value) -> Got {
    let mut question = json!({"model": "c", "messages": [{"role": "user", "content": "hello"}]});
    question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    post(&client(), outlet.address, "/v1/chat/completions", question.to_string()).await
}

#[tokio::test]
async fn what_cannot_be_enforced_is_the_callers_mistake_and_says_what() {
    let outlet = Running::start_around(tempfile::tempdir().unwrap(), "", CONFIG, Some(worker())).await;
    let schema = json!({"type": "array", "uniqueItems": true});
    let format = json!({"type": "json_schema", "json_schema": {"name": "x", "schema": schema}});
    let tool = json!({"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}});
    let forced = json!({"type": "function", "function": {"name": "weather"}});
    for (more, word) in [
        (json!({"response_format": format}), "`uniqueItems` cannot be enforced here"),
        (json!({"response_format": {"type": "json_object"}}), "9 tokens too many"),
        (json!({"tools": [tool], "tool_choice": forced}), "the tool weather was asked for"),
        // Among several the model would choose, which nothing can hold it to.
        (json!({"tools": [tool]}), "a choice of tools"),
    ] {
        let got = ask(&outlet, more).await;
        assert!(got.status == 400 && got.text().contains(word), "{word}: {} {}", got.status, got.text());
    }
}
