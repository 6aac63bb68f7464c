//! A labeller whose head stands on sentence embeddings: the worker is asked for each text in scope, what it used is in
//! the figures, and what it cannot give sends the request on. A scripted worker stands in place of the real one.

use crate::harness::{ENCODER, ENCODER_HASH, Running, Upstream, client, post};
use crate::labels::{LABELS, SYLLABLES, fresh, line, local, plain, put, signer, task, teacher, text};
use mains_distill::heads::average::Heads;
use mains_distill::labeller::{Draft, Labeller, Seal};
use mains_distill::task::Shape;
use mains_distill::training::{Alone, Embedded, Example, Lesson, Settings, train};
use mains_host::Used;
use mains_ledger::Signer;
use mains_serve::control::Answer;
use mains_serve::local::{Local, LocalAsks, LocalEvent, Vectors};
use mains_units::{Chance, Timestamp};
use serde_json::json;
use std::sync::OnceLock;

/// A model whose energy the catalogue can estimate.
const TEACHER: &str = "gpt-4o-mini";

/// As long as the vectors of the known encoder.
const WIDTH: usize = 384;

/// How many words of each class a text has, and a little of its length.
fn vector(text: &str) -> Vec<f32> {
    let mut vector = vec![0.01; WIDTH];
    for (place, syllable) in SYLLABLES.iter().enumerate() {
        vector[place] = text.split(' ').filter(|word| word.starts_with(syllable)).count() as f32 / 8.0;
    }
    vector
}

/// A worker whose sensor shows three joules for each text; it fails at the word `fail`.
fn worker() -> Local {
    let (local, mut questions) = Local::new(4);
    tokio::spawn(async move {
        while let Some((question, events)) = questions.recv().await {
            assert_eq!(question.model, ENCODER);
            let LocalAsks::Vectors(texts) = question.asks else { panic!("no texts: {question:?}") };
            let told = if texts.iter().any(|text| text.contains("fail")) {
                vec![LocalEvent::Failed("the worker failed".into())]
            } else {
                let vectors = texts.iter().map(|text| vector(text)).collect();
                let used = Used { cpu_s: 0.5, all_cpu_s: 1.0, packages_j: Some(6.0) };
                let embedded = LocalEvent::Embedded(Vectors { vectors, tokens: 8, cut: Vec::new() });
                vec![LocalEvent::Begun, embedded, LocalEvent::Used(used), LocalEvent::Done]
            };
            for event in told {
                events.send(event).await.unwrap();
            }
        }
    });
    local
}

fn trained() -> &'static Labeller {
    static TRAINED: OnceLock<Labeller> = OnceLock::new();
    TRAINED.get_or_init(|| {
        let mut chance = Chance::from_seed(23);
        let task = task("", Shape::Word, TEACHER);
        let examples: Vec<Example> = (0..1_000)
            .map(|row| {
                let class = chance.below(3);
                let label = task.labels.find(LABELS[usize::try_from(class).unwrap()]).unwrap();
                Example {
                    name: format!("row {row}"),
                    text: text(class, &mut chance),
                    label,
                    at: Timestamp(row),
                }
            })
            .collect();
        let values: Vec<f32> = examples.iter().flat_map(|example| vector(&example.text)).collect();
        let embedded = Embedded { model_sha256: ENCODER_HASH.0, values: &values, dim: WIDTH };
        let lesson = Lesson { task, examples, costs: None };
        let settings = Settings { heads: Some(Heads::Dense), ..Settings::new(7, Timestamp(0)) };
        let trained = train(&lesson, Some(embedded), &settings, &Alone, &|_| ()).unwrap();
        assert!(trained.certificates.served().threshold_micro().is_some(), "the task is easy");
        trained.labeller
    })
}

fn file(labeller: &Labeller) -> Vec<u8> {
    let draft = Draft::of(labeller);
    let signature = signer().sign(&draft.to_sign()).unwrap().try_into().unwrap();
    draft.finish(Some(&Seal { key: signer().verifier().public_bytes(), signature }))
}

/// The encoder has a route, so that the outlet knows that it runs one.
fn config(upstream: &Upstream) -> String {
    format!(
        "[[upstream]]\nname = \"a\"\nprovider = \"openai\"\nbase_url = \"http://{}/v1\"\n\
         [[upstream]]\nname = \"here\"\nprovider = \"local\"\n\
         [[route]]\nmodel = \"v\"\ntargets = [\"here/{ENCODER}\"]\ndegraded = \"allow\"\n\
         [[route]]\nmodel = \"m\"\ntargets = [\"label/intents\", \"a/{TEACHER}\"]\n[route.label]\nstage = \"serve\"\n\
         [[route]]\nmodel = \"alone\"\ntargets = [\"a/{TEACHER}\"]\n",
        upstream.address
    )
}

async fn start(upstream: &Upstream) -> Running {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("data")).unwrap();
    mains_store::log::key::create(&folder.path().join("data/ledger.key"), "mains.test/one", &[7; 32])
        .unwrap();
    put(folder.path(), &file(trained()));
    Running::start_around(folder, "", &config(upstream), Some(worker())).await
}

fn least_joules(header: &str) -> f64 {
    header.split("..").next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn an_answer_stands_on_the_embedding_and_counts_what_the_worker_used() {
    let upstream = Upstream::start(teacher).await;
    let running = start(&upstream).await;
    for (class, label) in LABELS.iter().enumerate() {
        let got = local(&client(), &running, "/v1/chat/completions", &plain(class as u64)).await;
        assert_eq!(got.json()["choices"][0]["message"]["content"], *label, "{}", fresh(class as u64));
        // The head itself takes microseconds.
        assert!(least_joules(got.header("x-mains-energy-j")) > 1.0, "{:?}", got.headers);
    }
    running.finish().await;
}

#[tokio::test]
async fn what_the_worker_took_of_a_request_that_goes_on_is_added_to_its_figures() {
    let upstream = Upstream::start(teacher).await;
    let running = start(&upstream).await;
    let ask = async |model: &str, text: &str| {
        let body =
            json!({"model": model, "messages": [{"role": "user", "content": format!("Classify: {text}")}]});
        let got = post(&client(), running.address, "/v1/chat/completions", body.to_string()).await;
        assert_eq!((got.status, got.header("x-mains-target")), (200, "a/gpt-4o-mini"), "{}", got.text());
        let grade = got.header("x-mains-grade").to_owned();
        (got.header("x-mains-label").to_owned(), least_joules(got.header("x-mains-energy-j")), grade)
    };
    let (said, alone, own_grade) = ask("alone", "zzz qqq xxx www vvv").await;
    assert_eq!(said, "");
    let (said, unsure, _) = ask("m", "zzz qqq xxx www vvv").await;
    assert!(said.starts_with("escalated; reason=unsure; us="), "{said}");
    assert!(unsure > alone + 1.0, "{alone} J by the teacher alone, {unsure} J with what the worker took");
    let (said, failed, grade) = ask("m", "fail").await;
    assert!(said.starts_with("escalated; reason=lacking; us="), "{said}");
    assert!(failed < alone + 1.0, "{alone} J by the teacher alone, {failed} J where the worker failed");
    assert_eq!(grade, own_grade, "microseconds do not change how well the answer is known");
    let stands = line(&running).await;
    assert_eq!((stands.requests, stands.answered, stands.withdrawn), (2, 0, None));
    running.finish().await;
}

#[tokio::test]
async fn another_encoder_is_refused_by_a_reload_and_the_old_file_goes_on() {
    let upstream = Upstream::start(teacher).await;
    let running = start(&upstream).await;
    let mut other = trained().clone();
    other.dense.as_mut().unwrap().model_sha256 = [8; 32];
    put(running.folder.path(), &file(&other));
    let Answer::Refused(why) = running.reload(str::to_owned).await else { panic!("it was taken") };
    assert!(why.contains("an encoder that this outlet does not run") && why.contains("hint:"), "{why}");
    local(&client(), &running, "/v1/chat/completions", &plain(0)).await;
    running.finish().await;
}
