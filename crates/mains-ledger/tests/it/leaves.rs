//! Leaf v1, frozen: the bytes of each type must never change. `MAINS_BLESS=1` writes new files; a change of
//! an existing one needs a new `v`.

use mains_ledger::Hash;
use mains_ledger::leaf::{
    Config, ConfigOrigin, Deny, Drill, Ending, Erase, Estimate, Head, Intent, Key, KeyAction, Label, Leaf,
    LeafError, Model, ModelAction, Outcome, Policy, Recover, Refusal, RejectCount, Survivor, Swap,
    SwapAction, Verdict, check,
};
use mains_units::{Grade, NanoUsd, Range, RequestId, Timestamp, Usage};

fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

fn digest(text: &str) -> Hash {
    Hash::of_bytes(text.as_bytes())
}

fn head() -> Head {
    Head { at: Timestamp(1_795_550_813_120), instance: label("mains.example/one") }
}

fn policy(verdict: Verdict) -> Policy {
    Policy { set: label("allow-all"), ids: vec![label("baseline")], verdict }
}

fn request() -> RequestId {
    RequestId::from_bytes([1; 12])
}

fn estimate(value: f64, grade: Grade) -> Estimate {
    Estimate { range: Range::around(value, grade), grade }
}

fn outcome() -> Outcome {
    Outcome {
        request: request(),
        key: Some(label("key_4f1d")),
        project: Some(label("search")),
        tags_hash: Some(digest("tags")),
        intents: vec![17, 18],
        request_commit: digest("request"),
        response_commit: Some(digest("response")),
        data_classes: vec![],
        policy: policy(Verdict::Allow),
        targets_tried: vec![label("openai/gpt-3.5-turbo"), label("groq/openai/gpt-oss-20b")],
        target: Some(label("groq/openai/gpt-oss-20b")),
        provider: Some(label("groq")),
        vendor: Some(label("openai")),
        region: None,
        model: Some(label("openai/gpt-oss-20b")),
        weights: None,
        result: Ending::Complete,
        usage: Some(Usage { input: 812, cached_read: 128, cached_write: 0, output: 240, reasoning: 96 }),
        cost: Some(NanoUsd(193_200)),
        energy_j: Some(estimate(410.25, Grade::D)),
        co2_g: Some(estimate(0.043_712_6, Grade::D)),
        water_l: None,
        catalogue: digest("catalogue"),
        config: digest("config"),
    }
}

fn all() -> Vec<Leaf> {
    let intent = Intent {
        request: request(),
        key: None,
        project: Some(label("search")),
        attempt: 2,
        request_commit: digest("request"),
        data_classes: vec![label("pii")],
        policy: policy(Verdict::Allow),
        target: label("groq/openai/gpt-oss-20b"),
        provider: label("groq"),
        vendor: Some(label("openai")),
        region: Some(label("us-east")),
        model: label("openai/gpt-oss-20b"),
        config: digest("config"),
    };
    let deny = Deny {
        request: request(),
        key: Some(label("key_4f1d")),
        project: None,
        tags_hash: None,
        intents: vec![],
        request_commit: digest("request"),
        data_classes: vec![],
        policy: Some(policy(Verdict::Deny)),
        model: Some(Label::digest_of("a model that nobody knows")),
        result: Refusal::UnknownModel,
        config: digest("config"),
    };
    let (from, until) = (Timestamp(1_795_550_800_000), Timestamp(1_795_550_810_000));
    vec![
        Leaf::Intent(intent),
        Leaf::Outcome(outcome()),
        Leaf::Deny(deny),
        Leaf::RejectCount(RejectCount {
            from,
            until,
            malformed: 1,
            too_large: 0,
            unauthorized: 3000,
            other: 2,
        }),
        Leaf::Config(Config {
            config: digest("config"),
            previous: None,
            catalogue: digest("catalogue"),
            origin: ConfigOrigin::Start,
        }),
        Leaf::Key(Key {
            key: label("key_4f1d"),
            project: Some(label("search")),
            action: KeyAction::Created,
            expires: Some(until),
        }),
        Leaf::Erase(Erase { request: request(), content: true, commitment: true }),
        Leaf::Drill(Drill {
            target: label("openai/gpt-3.5-turbo"),
            from,
            until,
            requests: 20,
            failed: 1,
            answered_by: vec![Survivor { target: label("groq/openai/gpt-oss-20b"), answered: 19 }],
        }),
        Leaf::Swap(Swap {
            action: SwapAction::RolledBack,
            route: Some(label("gpt-4o")),
            from: label("openai/gpt-4o"),
            to: Some(label("openai/gpt-4.1-mini")),
            report: Some(digest("report")),
            share_percent: Some(0),
            verdict: None,
            reason: Some(label("refusals")),
        }),
        Leaf::Model(Model {
            action: ModelAction::Withdrawn,
            target: label("label/intents"),
            route: label("gpt-4o-mini"),
            file: digest("file"),
            certificate: digest("certificate"),
            teacher: label("gpt-4o-mini"),
            share_percent: 0,
            calls: 1200,
            local: 1100,
            differs: 60,
            reason: Some(label("promise_gone")),
        }),
        Leaf::Recover(Recover { leaves: 700, torn_bytes: 31, signed: 650, rebuilt: 3, loss_possible: true }),
    ]
}

#[test]
fn every_type_has_frozen_bytes() {
    let leaves = all();
    assert_eq!(leaves.iter().map(Leaf::kind).collect::<Vec<_>>(), Leaf::TYPES);
    for leaf in leaves {
        let path = format!("{}/tests/data/leaf/{}.json", env!("CARGO_MANIFEST_DIR"), leaf.kind());
        let bytes = leaf.encode(&head()).unwrap();
        if std::env::var_os("MAINS_BLESS").is_some() && !std::path::Path::new(&path).exists() {
            std::fs::write(&path, &bytes).unwrap();
        }
        let frozen = std::fs::read(&path).unwrap();
        assert_eq!(String::from_utf8_lossy(&bytes), String::from_utf8_lossy(&frozen), "{path}");
        assert_eq!(check(&bytes), Ok(leaf.kind()));
    }
}

#[test]
fn every_action_of_a_swap_is_one_word_of_its_own() {
    let words: Vec<&str> = SwapAction::ALL.iter().map(|action| action.as_str()).collect();
    assert_eq!(words, ["tested", "switched", "stepped", "whole", "rolled_back", "retired", "cancelled"]);
}

#[test]
fn every_step_of_a_model_is_one_word_of_its_own() {
    let words: Vec<&str> = ModelAction::ALL.iter().map(|action| action.as_str()).collect();
    assert_eq!(words, ["loaded", "shadow", "canary", "serve", "withdrawn", "removed"]);
}

#[test]
fn the_outcome_has_exactly_the_fields_of_the_design() {
    let bytes = Leaf::Outcome(outcome()).encode(&head()).unwrap();
    let parsed: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&bytes).unwrap();
    let mut fields: Vec<&str> = parsed.keys().map(String::as_str).collect();
    fields.sort_unstable();
    let mut design = "v type at instance request key project tags_hash intents request_commit response_commit \
        data_classes policy targets_tried target provider vendor region model weights result usage cost_nano_usd \
        energy_j co2_g water_l catalogue config"
        .split_whitespace()
        .collect::<Vec<_>>();
    design.sort_unstable();
    assert_eq!(fields, design);
}

#[test]
fn what_must_not_be_in_a_leaf_is_refused() {
    let mut leaf = outcome();
    leaf.energy_j =
        Some(Estimate { range: Range { low: 0.0, central: f64::NAN, high: 1.0 }, grade: Grade::E });
    assert_eq!(Leaf::Outcome(leaf).encode(&head()), Err(LeafError::Figure));
    let mut leaf = outcome();
    leaf.intents = vec![(1 << 53) + 1];
    assert_eq!(Leaf::Outcome(leaf).encode(&head()), Err(LeafError::Integer));
    let mut leaf = outcome();
    leaf.targets_tried = vec![label(&"x".repeat(200)); 400];
    assert!(matches!(Leaf::Outcome(leaf).encode(&head()), Err(LeafError::Long { .. })));
    for (wrong, why) in [
        ("{\"type\":\"intent\",\"v\":1} ", LeafError::NotCanonical),
        ("{\"v\":1,\"type\":\"intent\"}", LeafError::NotCanonical),
        ("{\"type\":\"intent\",\"type\":\"intent\",\"v\":1}", LeafError::NotCanonical),
        ("{\"type\":\"intent\",\"v\":1.0}", LeafError::NotCanonical),
        ("{\"type\":\"\\u0069ntent\",\"v\":1}", LeafError::NotCanonical),
        ("{\"type\":\"intent\",\"v\":2}", LeafError::Unknown),
        ("{\"type\":\"gossip\",\"v\":1}", LeafError::Unknown),
        ("[]", LeafError::Unknown),
        ("", LeafError::NotCanonical),
    ] {
        assert_eq!(check(wrong.as_bytes()), Err(why), "{wrong}");
    }
}
