//! Answers made together, beginnings that are not computed again, and forms that are kept.

use std::cell::Cell;
use std::collections::HashMap;

use mains_infer::backend::{Constraint, Event, Finish, Generate, Reason, SEQUENCES_MAX, Sampling, Told};
use mains_infer::model::Run;
use mains_infer::{Backend, InstructionSet, LocalModel};
use serde_json::{Value, json};

use crate::engine::{OPTIONS, answer, llama, local, raw, tokens};
use crate::small::{self, Plan, Q4_1, Q8_0};

type Answers = HashMap<u64, (String, Finish)>;

/// Runs requests together; a request joins after so many steps.
fn together(model: &mut LocalModel, requests: &[(u64, usize, Generate)]) -> Answers {
    let mut texts: HashMap<u64, String> = HashMap::new();
    let mut answers = Answers::new();
    for step in 0.. {
        for (id, _, request) in requests.iter().filter(|(_, at, _)| *at == step) {
            model.begin(*id, request).unwrap();
        }
        if answers.len() == requests.len() {
            break;
        }
        model.step(&|_| false, &mut |id, told| match told {
            Told::Event(Event::Text(text)) => texts.entry(id).or_default().push_str(&text),
            Told::Event(Event::Prompt { .. }) => {}
            Told::Ended(finish) => {
                let text = texts.remove(&id).unwrap_or_default();
                assert!(answers.insert(id, (text, finish.unwrap())).is_none());
            }
        });
    }
    assert_eq!(model.running(), 0);
    answers
}

#[test]
fn rows_of_several_sequences_have_the_bits_of_one() {
    let file = small::model(Plan { kind: Q4_1, tied: true, seed: 8 });
    let texts: Vec<Vec<u32>> = [40, 3, 17, 1].iter().zip(50..).map(|(n, seed)| tokens(seed, *n)).collect();
    for set in InstructionSet::available() {
        for threads in [1, 3] {
            let options = mains_infer::model::Options { threads, instruction_set: Some(set), ..OPTIONS };
            let mut model = llama(&file, options);
            let bits = |logits: &[f32]| logits.iter().map(|logit| logit.to_bits()).collect::<Vec<u32>>();
            let alone: Vec<Vec<u32>> = texts
                .iter()
                .map(|text| {
                    model.truncate(0);
                    model.feed(text).unwrap();
                    bits(model.logits())
                })
                .collect();
            let mut sequences: Vec<_> =
                texts.iter().map(|text| model.sequence(text.len()).unwrap()).collect();
            let mut runs: Vec<Run<'_>> =
                sequences.iter_mut().zip(&texts).map(|(sequence, tokens)| Run { sequence, tokens }).collect();
            model.pass(&mut runs).unwrap();
            let company = bits(model.logits_of(&[39, 42, 59, 60]));
            assert_eq!(company, alone.concat(), "{set:?}, {threads} threads");
        }
    }
}

#[test]
fn a_beginning_that_is_taken_over_has_the_bits_of_one_that_is_computed() {
    let file = small::model(Plan { kind: Q8_0, tied: false, seed: 12 });
    for set in InstructionSet::available() {
        let mut model = llama(&file, mains_infer::model::Options { instruction_set: Some(set), ..OPTIONS });
        let text = tokens(60, 90);
        model.feed(&text).unwrap();
        let expected: Vec<u32> = model.logits().iter().map(|logit| logit.to_bits()).collect();
        // Cut within a block of keys, at its end, and behind another ending.
        for shared in [1, 16, 31, 48, 89] {
            let mut first = model.sequence(128).unwrap();
            let other = [&text[..shared], &tokens(61, 20)[..]].concat();
            model.pass(&mut [Run { sequence: &mut first, tokens: &other }]).unwrap();
            let mut second = model.sequence(90).unwrap();
            second.copy_from(&first, shared).unwrap();
            model.pass(&mut [Run { sequence: &mut second, tokens: &text[shared..] }]).unwrap();
            let got: Vec<u32> = model.logits().iter().map(|logit| logit.to_bits()).collect();
            assert_eq!(got, expected, "{set:?}, {shared} shared");
            assert!(second.copy_from(&first, 120).is_err(), "more than it has");
        }
    }
}

#[test]
fn an_answer_is_the_same_alone_and_in_company() {
    let mut model = local("company", Plan { kind: Q8_0, tied: false, seed: 21 });
    let constant = "hello world, this is the same for all of them: ".repeat(2);
    let requests: Vec<(u64, usize, Generate)> = (0..SEQUENCES_MAX as u64)
        .map(|id| {
            let at = usize::try_from(id).unwrap();
            let text = if at.is_multiple_of(2) { format!("{constant}{id}") } else { format!("number {id}") };
            let warm = Sampling { temperature: 1.2, top_p: 0.9, top_k: 40, seed: id };
            let sampling = if at.is_multiple_of(3) { Sampling::default() } else { warm };
            (id, at / 3, Generate { sampling, ..raw(&text, 10 + id * 3) })
        })
        .collect();
    let got = together(&mut model, &requests);
    let mut cached = 0;
    for (id, _, request) in &requests {
        // A fresh model knows no beginning.
        let mut alone = local("company-alone", Plan { kind: Q8_0, tied: false, seed: 21 });
        let (text, finish) = answer(&mut alone, request);
        let (text_together, finish_together) = &got[id];
        assert_eq!(&text, text_together, "{id}");
        assert_eq!(finish.reason, finish_together.reason);
        assert_eq!(finish.usage.output, finish_together.usage.output);
        assert_eq!(finish.usage.input, finish_together.usage.input_total());
        cached += finish_together.usage.cached_read;
    }
    // Seven of the eight begin like the first of them, and no prompt of the others is long enough.
    assert!(cached >= 7 * 64, "{cached}");
}

#[test]
fn what_is_not_computed_again_is_said_and_old_beginnings_go() {
    let mut model = local("prefix", Plan { kind: Q4_1, tied: true, seed: 27 });
    let constant = "the same instructions for every text that comes: ".repeat(4);
    let (first, finish) = answer(&mut model, &raw(&format!("{constant}one"), 8));
    assert_eq!(finish.usage.cached_read, 0);
    let request = raw(&format!("{constant}two"), 8);
    let (_, finish) = answer(&mut model, &request);
    let prompt = model.count(&request.question).unwrap();
    // All but the last word, which differs.
    assert_eq!((finish.usage.input, finish.usage.input_total()), (3, prompt));
    let (again, finish) = answer(&mut model, &raw(&format!("{constant}one"), 8));
    assert_eq!(again, first);
    assert_eq!(finish.usage.input, 1, "the last token is computed for its logits");
    assert_eq!(answer(&mut model, &raw("short", 2)).1.usage.cached_read, 0);
}

#[test]
fn nobody_learns_what_anothers_prompt_began_with() {
    let mut model = local("readers", Plan { kind: Q4_1, tied: true, seed: 27 });
    let constant = "the same instructions for every text that comes: ".repeat(4);
    let of = |reader: Option<&str>| Generate { reader: reader.map(str::to_owned), ..raw(&constant, 8) };
    let (said, first) = answer(&mut model, &of(Some("payroll")));
    assert_eq!(first.usage.cached_read, 0);
    for other in [Some("sales"), None] {
        let (text, finish) = answer(&mut model, &of(other));
        assert_eq!((text, finish.usage.cached_read), (said.clone(), 0), "{other:?}");
    }
    // Three are kept, and each reader finds its own.
    for reader in [Some("payroll"), Some("sales"), None] {
        let (text, finish) = answer(&mut model, &of(reader));
        assert_eq!((text, finish.usage.input), (said.clone(), 1), "{reader:?}");
    }
    // Nor while both are being answered: the second reads its whole prompt beside the first.
    let mut model = local("readers-together", Plan { kind: Q4_1, tied: true, seed: 27 });
    let got = together(&mut model, &[(0, 0, of(Some("payroll"))), (1, 1, of(Some("sales")))]);
    assert_eq!((got[&1].0.clone(), got[&1].1.usage.cached_read), (said, 0));
}

#[test]
fn one_that_is_cancelled_leaves_the_others_as_they_are() {
    let mut model = local("leaves", Plan { kind: Q8_0, tied: false, seed: 21 });
    let request = |id: u64| Generate {
        sampling: Sampling { temperature: 1.0, top_p: 1.0, top_k: 0, seed: 100 + id },
        ..raw(&format!("hello {id}"), 30)
    };
    let alone: Vec<(String, Finish)> = (0..3).map(|id| answer(&mut model, &request(id))).collect();
    for id in 0..3 {
        model.begin(id, &request(id)).unwrap();
    }
    let (steps, mut texts, mut ends) = (Cell::new(0), vec![String::new(); 3], Vec::new());
    while model.running() > 0 {
        steps.set(steps.get() + 1);
        model.step(&|id| id == 1 && steps.get() == 4, &mut |id, told| match told {
            Told::Event(Event::Text(text)) => texts[usize::try_from(id).unwrap()].push_str(&text),
            Told::Event(Event::Prompt { .. }) => {}
            Told::Ended(finish) => ends.push((id, finish.unwrap())),
        });
    }
    ends.sort_by_key(|(id, _)| *id);
    assert!(alone[1].1.usage.output > 3, "seed 101 makes an answer that can be cancelled");
    assert_eq!((ends[1].1.reason, ends[1].1.usage.output), (Reason::Cancelled, 3));
    for at in [0, 2] {
        assert_eq!((&texts[at], ends[at].1.reason), (&alone[at].0, alone[at].1.reason));
        assert_eq!(ends[at].1.usage.output, alone[at].1.usage.output);
    }
}

fn constrained(constraint: Constraint, max_tokens: u64, seed: u64) -> Generate {
    let sampling = Sampling { temperature: 1.5, top_p: 1.0, top_k: 0, seed };
    Generate { sampling, constraint: Some(constraint), ..raw("hello world", max_tokens) }
}

/// A schema with what people use, and with bounds, so that even a model of random weights comes to an end.
fn ticket() -> Value {
    json!({
        "type": "object",
        "properties": {
            "label": {"enum": ["refund", "return", "other thing"]},
            "summary": {"type": "string", "maxLength": 20},
            "score": {"type": "integer", "minimum": 0, "maximum": 100},
            "urgent": {"type": "boolean"},
            "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}, "maxItems": 3},
            "note": {"anyOf": [{"type": "null"}, {"type": "string", "maxLength": 5}]},
        },
        "required": ["label", "summary", "score", "urgent", "tags", "note"],
        "additionalProperties": false,
        "$defs": {"tag": {"type": "string", "pattern": "^[a-z]{1,6}$"}},
    })
}

/// Whether an answer is what [`ticket`] asks for, said in our own words.
fn is_ticket(text: &str) -> bool {
    let Ok(Value::Object(members)) = serde_json::from_str::<Value>(text) else { return false };
    let short = |value: &Value, most: usize| value.as_str().is_some_and(|text| text.chars().count() <= most);
    let tag = |tag: &Value| {
        tag.as_str().is_some_and(|t| (1..=6).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_lowercase()))
    };
    members.len() == 6
        && ["refund", "return", "other thing"].iter().any(|label| members["label"] == *label)
        && short(&members["summary"], 20)
        && members["score"].as_u64().is_some_and(|score| score <= 100)
        && members["urgent"].is_boolean()
        && members["tags"].as_array().is_some_and(|tags| tags.len() <= 3 && tags.iter().all(tag))
        && (members["note"].is_null() || short(&members["note"], 5))
}

#[test]
fn a_schema_is_kept_with_every_seed() {
    let mut model = local("schema", Plan { kind: Q8_0, tied: false, seed: 33 });
    let mut different = std::collections::HashSet::new();
    for seed in 0..100 {
        let (text, finish) = answer(&mut model, &constrained(Constraint::JsonSchema(ticket()), 400, seed));
        assert_eq!(finish.reason, Reason::Stop, "{seed}: {text}");
        assert!(is_ticket(&text), "{seed}: {text}");
        different.insert(text);
    }
    assert!(different.len() > 90, "the model still chooses: {} of 100", different.len());
    assert!(!is_ticket("{\"label\":\"refund\"}") && !is_ticket("[]"), "the judge can say no");
}

#[test]
fn labels_are_the_only_answers_and_the_model_chooses_among_them() {
    let mut model = local("labels", Plan { kind: Q8_0, tied: false, seed: 34 });
    // One begins another, one has a quote, one is not ASCII.
    let labels = ["card", "card lost", "a \"quote\" \\", "größe", "hello"];
    let constraint = Constraint::Labels(labels.iter().map(ToString::to_string).collect());
    let mut seen = HashMap::new();
    for seed in 0..100 {
        let mut request = constrained(constraint.clone(), 60, seed);
        // So hot that a model of random weights hardly prefers anything.
        request.sampling.temperature = 50.0;
        let (text, finish) = answer(&mut model, &request);
        assert_eq!(finish.reason, Reason::Stop, "{text}");
        assert!(labels.contains(&text.as_str()), "{text}");
        *seen.entry(text).or_insert(0) += 1;
    }
    assert!(seen.len() >= 3, "{seen:?}");
}

#[test]
fn answers_with_and_without_a_form_are_made_together() {
    let mut model = local("mixed", Plan { kind: Q8_0, tied: false, seed: 33 });
    let requests: Vec<(u64, usize, Generate)> = (0..8)
        .map(|id| {
            let request = match id % 4 {
                0 => constrained(Constraint::JsonSchema(ticket()), 400, id),
                1 => constrained(Constraint::Labels(vec!["yes".into(), "no".into()]), 9, id),
                2 => raw("hello world", 40),
                _ => constrained(Constraint::JsonObject, 12, id),
            };
            (id, usize::try_from(id).unwrap(), request)
        })
        .collect();
    let got = together(&mut model, &requests);
    for (id, _, request) in &requests {
        let (text, finish) = answer(&mut model, request);
        assert_eq!((&text, finish.reason), (&got[id].0, got[id].1.reason), "{id}");
        match id % 4 {
            0 => assert!(is_ticket(&text), "{text}"),
            1 => assert!(["yes", "no"].contains(&text.as_str()), "{text}"),
            2 => {}
            _ => assert!(text.starts_with('{'), "{text}"),
        }
    }
}

#[test]
fn what_cannot_be_enforced_is_refused_by_name() {
    let mut model = local("refused", Plan { kind: Q8_0, tied: true, seed: 35 });
    for (schema, word) in [
        (json!({"type": "array", "items": {"type": "integer"}, "uniqueItems": true}), "uniqueItems"),
        (json!({"not": {"type": "string"}}), "not"),
        (json!({"$ref": "https://example.org/schema.json"}), "ref"),
        (
            json!({"type": "object", "x-guidance": {"lenient": true}, "propertyNames": {"maxLength": 3}}),
            "propertyNames",
        ),
        (json!({"type": "integer", "minimum": 3, "maximum": 2}), "nsatisfiable"),
        (json!([1]), "object"),
    ] {
        let request = constrained(Constraint::JsonSchema(schema), 5, 1);
        let error = model.generate(&request, &|| false, &mut |_| {}).unwrap_err();
        assert_eq!(error.fault(), mains_infer::Fault::Request, "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
    for labels in [vec![], vec![String::new()], vec!["x".repeat(2_000)]] {
        let request = constrained(Constraint::Labels(labels), 5, 1);
        assert!(model.generate(&request, &|| false, &mut |_| {}).is_err());
    }
    assert_eq!(model.running(), 0);
    assert!(model.generate(&raw("hello", 2), &|| false, &mut |_| {}).is_ok());
}
