//! Answers and the schemas that their requests carried.

use mains_swap::grade::schema::{NotASchema, Schema, of_question, of_request};
use mains_swap::grade::{Extra, Fields};
use mains_swap::{Grader, Said};
use mains_wire::Dialect;
use serde_json::{Value, json};

fn ticket() -> Value {
    json!({"type": "object", "required": ["kind", "total"], "additionalProperties": false, "properties": {
        "kind": {"enum": ["refund", "other"]}, "total": {"type": "number", "minimum": 0},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}}},
        "$defs": {"line": {"type": "object", "properties": {"sku": {"type": "string", "pattern": "^[A-Z]+$"}}}}})
}

#[test]
fn a_text_holds_or_names_the_part_that_it_breaks() {
    let schema = Schema::parse(&ticket()).unwrap();
    let holds = |text: &str| schema.holds(text);
    assert_eq!(holds(r#" {"kind":"refund","total":1,"lines":[{"sku":"AB"}]} "#), Ok(()));
    assert_eq!(holds("Sure: {}"), Err("no JSON".into()));
    assert_eq!(holds("```json\n{\"kind\":\"other\",\"total\":1}\n```"), Err("no JSON".into()));
    assert_eq!(holds(r#"{"kind":"secret text","total":1}"#), Err("breaks `/properties/kind/enum`".into()));
    for broken in [
        r#"{"kind":"other"}"#,
        r#"{"kind":"other","total":-1}"#,
        r#"{"kind":"other","total":1,"more":1}"#,
        r#"{"kind":"other","total":1,"lines":[{"sku":"ab"}]}"#,
    ] {
        let why = holds(broken).unwrap_err();
        assert!(why.starts_with("breaks `/") && !why.contains("ab"), "{why}");
    }
}

#[test]
fn an_answer_that_breaks_the_schema_is_not_the_same() {
    let fields = Fields { extra: Extra::Forgiven, ..Fields::default() };
    let by_schema = Grader::Json(fields.clone()).with_schema(Schema::parse(&ticket()).unwrap());
    let old = Said::text(r#"{"kind":"other","total":1}"#);
    let more = Said::text(r#"{"kind":"other","total":1,"more":1}"#);
    assert!(Grader::Json(fields).grade(&old, &more).unwrap().same, "forgiven without a schema");
    let grade = by_schema.grade(&old, &more).unwrap();
    assert_eq!((grade.same, grade.note, grade.fields.len()), (false, Some("breaks the schema"), 3));
    assert!(by_schema.grade(&old, &old).unwrap().same);
    let fenced = Said::text("```json\n{\"kind\":\"other\",\"total\":1}\n```");
    assert_eq!(by_schema.grade(&old, &fenced).unwrap().note, Some("breaks the schema"));
    assert_eq!(by_schema.grade(&old, &Said::text("no")).unwrap().note, Some("no JSON"));
    assert!(matches!(Grader::FreeText.with_schema(Schema::parse(&ticket()).unwrap()), Grader::FreeText));
}

/// Definitions that each ask the next one `times` times.
fn ladder(steps: usize, times: usize) -> Value {
    let mut definitions = serde_json::Map::new();
    for step in 0..steps {
        let next = vec![json!({"$ref": format!("#/$defs/d{}", step + 1)}); times];
        definitions.insert(format!("d{step}"), json!({ "anyOf": next }));
    }
    definitions.insert(format!("d{steps}"), json!({"type": "string"}));
    json!({"$ref": "#/$defs/d0", "$defs": definitions})
}

#[test]
fn hostile_schemas_are_refused_and_trees_are_not() {
    let refused = |schema: Value| Schema::parse(&schema).unwrap_err();
    assert_eq!(refused(ladder(30, 2)), NotASchema::TooBig);
    assert!(Schema::parse(&ladder(8, 2)).is_ok());
    assert_eq!(refused(ladder(70, 1)), NotASchema::TooDeep);
    assert_eq!(refused(json!({"$ref": "#"})), NotASchema::Endless);
    let turns = json!({"anyOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"not": {"$ref": "#/$defs/a"}}}});
    assert_eq!(refused(turns), NotASchema::Endless);
    let mut deep = json!({"type": "string"});
    for _ in 0..100 {
        deep = json!({ "items": deep });
    }
    assert_eq!(refused(deep), NotASchema::TooDeep);
    for (wrong, said) in [
        (json!({"$ref": "https://example.com/schema.json"}), "names no part"),
        (json!({"$ref": "file:///etc/passwd"}), "names no part"),
        (json!({"properties": {"a": {"$ref": "#/$defs/none"}}}), "names no part"),
        (json!({"$dynamicRef": "#x"}), "beforehand"),
        (json!({"items": {"$id": "https://example.com/a", "$ref": "#"}}), "beforehand"),
        (json!({"type": "strong"}), ""),
        (json!({"pattern": "^(?=a)b"}), ""),
        (json!({"pattern": "((a{1000}){1000}){1000}"}), ""),
        (json!([1]), ""),
    ] {
        let why = refused(wrong.clone());
        assert!(matches!(&why, NotASchema::Wrong { why } if why.contains(said)), "{wrong}: {why:?}");
        assert!(why.to_string().chars().count() < 250);
    }
    let tree = Schema::parse(&json!({"type": "object", "required": ["name"], "properties": {
        "name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#"}}}}));
    let tree = tree.unwrap();
    assert_eq!(tree.holds(r#"{"name":"a","children":[{"name":"b","children":[]}]}"#), Ok(()));
    assert!(tree.holds(r#"{"name":"a","children":[{"children":[]}]}"#).is_err());
    let named = json!({"properties": {"$ref": {"type": "string"}, "enum": {"type": "number"}}});
    assert!(Schema::parse(&named).unwrap().holds(r##"{"$ref":"#","enum":1}"##).is_ok());
}

#[test]
fn the_schema_is_found_in_every_dialect() {
    let schema = ticket();
    let chat = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}], "response_format":
        {"type": "json_schema", "json_schema": {"name": "t", "schema": schema}}});
    let responses = json!({"model": "m", "input": "hi", "text":
        {"format": {"type": "json_schema", "name": "t", "schema": schema}}});
    let format = json!({"type": "json_schema", "schema": schema});
    let messages = json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}],
        "output_config": {"format": format}});
    let mut before = messages.clone();
    before.as_object_mut().unwrap().remove("output_config");
    before["output_format"] = format;
    for (dialect, body) in [
        (Dialect::OpenaiChat, &chat),
        (Dialect::OpenaiResponses, &responses),
        (Dialect::AnthropicMessages, &messages),
        (Dialect::AnthropicMessages, &before),
    ] {
        assert_eq!(of_request(body), Some(&schema), "{dialect:?}");
        // The responses dialect is not read into the neutral form.
        if dialect != Dialect::OpenaiResponses {
            let question = dialect.read_question(body.to_string().as_bytes()).unwrap();
            assert_eq!(of_question(&question), Some(schema.clone()), "{dialect:?}");
        }
    }
    let mut object = chat.clone();
    object["response_format"] = json!({"type": "json_object"});
    let any = Schema::parse(of_request(&object).unwrap()).unwrap();
    assert!(any.holds("{}").is_ok() && any.holds("[]").is_err());
    object["response_format"] = json!({"type": "text"});
    assert_eq!(of_request(&object), None);
    assert_eq!(of_request(&json!({"response_format": 1})), None);
}
