//! The known model that generates, where its weights are at hand.

use std::path::PathBuf;

use mains_infer::backend::{Event, Generate, Question, Reason, Source};
use mains_infer::gguf::Gguf;
use mains_infer::model::{Llama, Options};
use mains_infer::models::{self, KnownModel};
use mains_infer::reference::Reference;
use mains_infer::tokenizer::{Message, Prompt, Role, Tokenizer};
use mains_infer::{Backend, LocalModel};

/// A known model and the folder in which its files stand, or a line that says what was left out.
pub(crate) fn known(name: &str, test: &str) -> Option<(&'static KnownModel, PathBuf)> {
    let model = models::find(name).unwrap();
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).or(home);
    let folders = [std::env::var_os("MAINS_MODELS").map(PathBuf::from), data.map(|d| d.join("mains/models"))];
    let whole = |folder: &PathBuf| model.files().all(|file| file.path(model, folder).is_file());
    let found = folders.into_iter().flatten().find(whole);
    if found.is_none() {
        assert!(std::env::var_os("MAINS_REQUIRE_ALL").is_none_or(|v| v != "1"), "{test} needs the weights");
        println!("left out: {test} needs the weights of {}", model.name);
    }
    found.map(|folder| (model, folder))
}

/// The file of the model that generates.
fn weights(test: &str) -> Option<PathBuf> {
    known("smollm2-135m-instruct", test).map(|(model, folder)| model.path(&folder))
}

/// Tokens of llama.cpp (llama-cpp-python 0.3.36, 2026-11-24) for the same file.
const TOKENS: [(&str, &[u32]); 3] = [
    ("The capital of France is", &[504, 3575, 282, 4649, 314]),
    (
        "In 2026 the price of 1,234 units rose by 5.6 %, so the new total is",
        &[
            788, 216, 34, 32, 34, 38, 260, 4319, 282, 216, 33, 28, 34, 35, 36, 4784, 8739, 411, 216, 37, 30,
            38, 2471, 28, 588, 260, 725, 2719, 314,
        ],
    ),
    (
        "Übung macht den Meister; 学而时习之 — ¿cómo se dice en inglés? 🙂",
        &[
            142, 246, 82, 2280, 2525, 100, 4017, 2867, 2712, 43, 13223, 251, 116, 39648, 230, 33526, 27948,
            250, 27948, 229, 1841, 3351, 140, 83, 7342, 15771, 427, 26562, 430, 3623, 92, 17842, 47, 47526,
        ],
    ),
];

#[test]
fn the_tokens_are_those_of_another_engine() {
    let Some(path) = weights("the_tokens_are_those_of_another_engine") else { return };
    let gguf = Gguf::read(&mut std::fs::File::open(path).unwrap()).unwrap();
    let tokenizer = Tokenizer::from_gguf(&gguf).unwrap();
    for (text, tokens) in TOKENS {
        assert_eq!(tokenizer.encode(&Prompt::raw(text)).unwrap(), tokens, "{text}");
        let bytes: Vec<u8> = tokens.iter().flat_map(|token| tokenizer.bytes(*token)).collect();
        assert_eq!(String::from_utf8(bytes).unwrap(), text);
    }
}

#[test]
fn the_logits_are_near_the_plain_forward() {
    let Some(path) = weights("the_logits_are_near_the_plain_forward") else { return };
    let mut file = std::fs::File::open(path).unwrap();
    let gguf = Gguf::read(&mut file).unwrap();
    let tokens = TOKENS[0].1;
    let expected = Reference::load(&gguf, &mut file).unwrap().logits(tokens).unwrap();
    let options = Options { threads: 1, context: 64, instruction_set: None };
    let mut model = Llama::load(&gguf, &mut file, options).unwrap();
    model.feed(tokens).unwrap();
    let worst = model.logits().iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    // llama.cpp's own difference on this prompt is 0.96; `bench/local.sh` compares ten prompts.
    assert!(worst < 1.2, "{worst}");
}

#[test]
fn a_chat_begins_as_in_another_engine() {
    let Some(path) = weights("a_chat_begins_as_in_another_engine") else { return };
    let sha256 = models::find("smollm2-135m-instruct").map(|model| model.sha256.to_owned());
    let options = Options { threads: 1, context: 512, instruction_set: None };
    let mut model = LocalModel::load(&Source { path, sha256 }, options).unwrap();
    let content = "What is the capital of France?".to_owned();
    let question = Question::Chat(vec![Message { role: Role::User, content }]);
    let request = Generate { max_tokens: Some(40), ..Generate::new(question) };
    let mut text = String::new();
    let finish = model.generate(&request, &|| false, &mut |event| {
        if let Event::Text(more) = event {
            text.push_str(&more);
        }
    });
    let finish = finish.unwrap();
    // What llama.cpp answers, greedily, to the same prompt: a small model, and not a wise one.
    assert!(text.starts_with("L'Étoile, la Marseillaise, la femme au"), "{text}");
    assert_eq!((finish.reason, finish.usage.output), (Reason::Length, 40));
    assert_eq!(finish.usage.input, model.count(&request.question).unwrap());
}
