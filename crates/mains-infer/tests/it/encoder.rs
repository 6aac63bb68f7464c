//! The encoder from outside: against a plain forward on small random weights, against the reference
//! implementation where the published weights are at hand, and its promises about batches and threads.

use std::path::Path;

use mains_infer::encoder::{EncoderSource, Words};
use mains_infer::{Embedder, InstructionSet};
use mains_units::Chance;
use serde::Deserialize;

use crate::small_encoder::{CONFIG, small, tokenizer};
use crate::weights::known;

fn cosine(a: &[f32], b: &[f64]) -> f64 {
    let (mut dot, mut left, mut right) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().map(|a| f64::from(*a)).zip(b) {
        dot += a * b;
        left += a * a;
        right += b * b;
    }
    dot / (left * right).sqrt()
}

fn tokens(count: usize, chance: &mut Chance) -> Vec<u32> {
    (0..count).map(|_| u32::try_from(chance.below(CONFIG.vocabulary as u64)).unwrap()).collect()
}

#[test]
fn every_instruction_set_agrees_with_the_plain_forward() {
    let mut chance = Chance::from_seed(3);
    let model = small(3);
    let source = model.on_disk("plain-forward");
    for set in InstructionSet::available() {
        let embedder = Embedder::load_on(&source, 1, Some(set)).unwrap();
        assert_eq!(embedder.instruction_set(), set);
        for count in (1..=20).chain([31, 32, 33, 47, 48]) {
            let tokens = tokens(count, &mut chance);
            let (got, expected) = (embedder.embed_tokens(&tokens).unwrap(), model.plain(&tokens));
            let worst = got.iter().zip(&expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
            assert!(worst < 2e-6, "{set:?}, {count} tokens: {worst}");
        }
    }
}

#[test]
fn a_text_has_the_same_bits_in_any_batch_and_on_any_threads() {
    let source = small(5).on_disk("same-bits");
    let words = ["hello", "worlds", "lamp", "on", "a", "b", "zzz", "学", "!"];
    let mut chance = Chance::from_seed(6);
    let text = |chance: &mut Chance| {
        let count = usize::try_from(chance.below(40)).unwrap();
        let words: Vec<&str> = (0..count).map(|_| words[usize::try_from(chance.below(9)).unwrap()]).collect();
        words.join(" ")
    };
    let texts: Vec<String> = (0..60).map(|_| text(&mut chance)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let bits = |vector: &[f32]| vector.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
    let mut first: Option<Vec<Vec<u32>>> = None;
    for set in InstructionSet::available() {
        let one = Embedder::load_on(&source, 1, Some(set)).unwrap();
        let alone: Vec<Vec<u32>> = texts.iter().map(|text| bits(&one.embed(&[text]).unwrap()[0])).collect();
        for threads in [1, 2, 3] {
            let embedder = Embedder::load_on(&source, threads, Some(set)).unwrap();
            let together: Vec<Vec<u32>> = embedder.embed(&texts).unwrap().iter().map(|v| bits(v)).collect();
            assert_eq!(together, alone, "{set:?}, {threads} threads");
        }
        // The two sets with fused products do the same steps in the same order.
        if set != InstructionSet::Plain {
            assert_eq!(*first.get_or_insert_with(|| alone.clone()), alone, "{set:?}");
        }
    }
}

#[test]
fn texts_are_counted_cut_and_cancelled() {
    let embedder = Embedder::load(&small(7).on_disk("counted"), 2).unwrap();
    let long = "lamp ".repeat(46) + "on";
    let fits = "lamp ".repeat(46);
    let texts = ["", "hello, Wörlds!", &fits, &long];
    let embedded = embedder.embed_until(&texts, &|| false).unwrap().unwrap();
    // `hel ##lo`, a comma that is unknown, `world ##s`, `!`.
    assert_eq!(embedded.tokens, [2, 8, 48, 48]);
    assert_eq!(embedded.cut, [false, false, false, true]);
    assert_eq!(embedded.vectors[2], embedded.vectors[3]);
    for vector in &embedded.vectors {
        let length: f32 = vector.iter().map(|x| x * x).sum();
        assert!(vector.len() == CONFIG.width && (length - 1.0).abs() < 1e-5, "{length}");
    }
    assert_eq!(embedder.embed(&[]).unwrap(), Vec::<Vec<f32>>::new());
    // One embedder serves many threads.
    let again = std::thread::scope(|scope| scope.spawn(|| embedder.embed(&texts)).join().unwrap());
    assert_eq!(again.unwrap(), embedded.vectors);
    // Asked before each text and each pass: twelve texts of 48 tokens go in three passes of at most 256.
    let asked = std::cell::Cell::new(0);
    let cancel = |at: usize| {
        asked.set(0);
        let asked = &asked;
        move || {
            asked.set(asked.get() + 1);
            asked.get() == at
        }
    };
    let many = vec![fits.as_str(); 12];
    assert!(embedder.embed_until(&many, &cancel(99)).unwrap().is_some());
    assert_eq!(asked.get(), 12 + 3);
    assert_eq!(embedder.embed_until(&many, &cancel(15)).unwrap(), None);
    assert!(embedder.embed_tokens(&[40]).is_err() && embedder.embed_tokens(&[]).is_err());
    assert!(embedder.embed_tokens(&[1; 49]).is_err());
}

#[test]
fn a_long_text_has_the_tokens_of_its_beginning() {
    let words = Words::from_json(tokenizer().to_string().as_bytes()).unwrap();
    let whole = words.encode(&"hello worlds ".repeat(4_000), 1 << 20).unwrap();
    assert_eq!((whole.tokens.len(), whole.cut), (16_002, false));
    let short = words.encode(&"hello worlds ".repeat(4_000), 100).unwrap();
    assert_eq!((&short.tokens[..99], short.cut), (&whole.tokens[..99], true));
    // Nothing but spaces in front: the tokens stand behind the first look.
    let late = words.encode(&(" ".repeat(100_000) + "lamp"), 100).unwrap();
    assert_eq!((late.tokens.len(), late.cut), (3, false));
    let one = words.encode(&"a".repeat(1 << 16), 100).unwrap();
    assert_eq!(one.tokens, [2, 1, 3], "a word that is too long is unknown");
}

#[test]
fn wrong_hashes_sizes_and_kinds_are_refused_by_name() {
    let source = small(8).on_disk("refused");
    let refusal = |source: &EncoderSource| Embedder::load(source, 1).err().unwrap().to_string();
    let wrong = Some("0".repeat(64));
    assert!(refusal(&EncoderSource { weights_sha256: wrong.clone(), ..source.clone() }).contains("SHA-256"));
    assert!(refusal(&EncoderSource { words_sha256: wrong, ..source.clone() }).contains("SHA-256"));
    assert!(refusal(&EncoderSource { words: "no/such".into(), ..source.clone() }).contains("no/such"));
    let mut other = source.clone();
    other.config.layers = 3;
    assert!(refusal(&other).contains("encoder.layer.2"));
    other.config = CONFIG;
    other.config.width = 64;
    assert!(refusal(&other).contains("is not run here"), "{}", refusal(&other));
    other.config.heads = 2;
    assert!(refusal(&other).contains("[40, 96]"), "{}", refusal(&other));
    assert!(Embedder::load(&source, 0).is_err());
    for (place, value) in [("normalizer", "NFC"), ("pre_tokenizer", "ByteLevel"), ("model", "BPE")] {
        let mut file = tokenizer();
        file[place]["type"] = value.into();
        let error = Words::from_json(file.to_string().as_bytes()).err().unwrap();
        assert!(error.to_string().contains(&format!("`{value}` is not read here")), "{error}");
    }
    let mut file = tokenizer();
    file["model"]["vocab"].as_object_mut().unwrap().remove("[SEP]");
    assert!(Words::from_json(file.to_string().as_bytes()).is_err());
}

#[derive(Deserialize)]
struct Golden {
    text: String,
    tokens: Vec<u32>,
    embedding: Vec<f64>,
}

#[test]
fn tokens_and_vectors_are_those_of_the_reference_implementation() {
    let Some((model, folder)) = known("all-minilm-l6-v2", "tokens_and_vectors_are_those_of_the_reference")
    else {
        return;
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/embed.json");
    let golden: Vec<Golden> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert!(golden.len() >= 40);
    let source = EncoderSource::known(model, &folder).unwrap();
    let embedder = Embedder::load(&source, 2).unwrap();
    let texts: Vec<&str> = golden.iter().map(|golden| golden.text.as_str()).collect();
    let vectors = embedder.embed(&texts).unwrap();
    let (mut least, mut worst) = (1.0_f64, 0.0_f64);
    for (golden, vector) in golden.iter().zip(&vectors) {
        let tokens = embedder.words().encode(&golden.text, 256).unwrap().tokens;
        assert_eq!(tokens, golden.tokens, "{:?}", golden.text);
        let cosine = cosine(vector, &golden.embedding);
        assert!(cosine >= 0.9999, "{cosine} for {:?}", golden.text);
        least = least.min(cosine);
        let differences = vector.iter().zip(&golden.embedding).map(|(a, b)| (f64::from(*a) - b).abs());
        worst = differences.fold(worst, f64::max);
    }
    println!("{} texts: least cosine {least:.9}, largest difference {worst:.2e}", golden.len());
}
