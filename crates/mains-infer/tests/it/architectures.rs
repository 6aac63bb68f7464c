//! Small models of each family with random weights, against the logits of `transformers`; and blocks of each type,
//! against the `gguf` package. `tests/data/architectures.py` makes both.

use std::collections::HashMap;
use std::io::Cursor;

use mains_infer::InstructionSet;
use mains_infer::gguf::{Gguf, TensorType, dequantise};
use mains_infer::model::{ARCHITECTURES, Llama, Options};
use mains_infer::reference::Reference;
use serde::Deserialize;

#[derive(Deserialize)]
struct Expected {
    tokens: Vec<u32>,
    after: HashMap<usize, Vec<f32>>,
}

macro_rules! family {
    ($name:literal) => {
        (
            $name,
            include_bytes!(concat!("../data/architectures/", $name, ".gguf")).as_slice(),
            include_str!(concat!("../data/architectures/", $name, ".json")),
        )
    };
}

const FAMILIES: [(&str, &[u8], &str); 4] =
    [family!("llama3"), family!("mistral"), family!("qwen2"), family!("qwen3")];

/// How far the plain forward may be from the reference, in units of the spread of the logits: 32-bit sums of some
/// dozens of numbers through two layers differ by some 1e-6.
const PLAIN_MAX: f32 = 5e-5;
/// How far the engine may be: its cache holds keys and values of eleven significant bits.
const ENGINE_MAX: f32 = 1e-2;

/// The largest difference in units of the spread; the largest logit must be the same one.
fn compare(got: &[f32], expected: &[f32], most: f32, what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let spread = (expected.iter().map(|x| x * x).sum::<f32>() / expected.len() as f32).sqrt();
    let worst = got.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / spread;
    println!("{what}: {worst:.7} of the spread {spread:.2}");
    assert!(worst < most, "{what}: {worst} of the spread");
    let top = |logits: &[f32]| (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b]));
    assert_eq!(top(got), top(expected), "{what}");
}

#[test]
fn every_family_has_the_logits_of_the_reference() {
    for (name, file, expected) in FAMILIES {
        let expected: Expected = serde_json::from_str(expected).unwrap();
        let gguf = Gguf::read(&mut Cursor::new(file)).unwrap();
        let plain = Reference::load(&gguf, &mut Cursor::new(file)).unwrap();
        for (&length, logits) in &expected.after {
            let tokens = &expected.tokens[..length];
            compare(&plain.logits(tokens).unwrap(), logits, PLAIN_MAX, &format!("{name} plain {length}"));
            for set in InstructionSet::available() {
                let options = Options { threads: 2, context: 100, instruction_set: Some(set) };
                let mut model = Llama::load(&gguf, &mut Cursor::new(file), options).unwrap();
                // A prompt in one piece, then the rest token by token.
                let (prompt, rest) = tokens.split_at(length.div_ceil(2));
                model.feed(prompt).unwrap();
                for token in rest {
                    model.feed(&[*token]).unwrap();
                }
                compare(model.logits(), logits, ENGINE_MAX, &format!("{name} {set:?} {length}"));
            }
        }
    }
}

#[test]
fn pieces_of_a_prompt_do_not_change_a_bit_behind_a_window() {
    let (_, file, expected) = FAMILIES[1];
    let tokens = serde_json::from_str::<Expected>(expected).unwrap().tokens;
    let gguf = Gguf::read(&mut Cursor::new(file)).unwrap();
    for set in InstructionSet::available() {
        let bits = |threads: usize, piece: usize| {
            let options = Options { threads, context: 100, instruction_set: Some(set) };
            let mut model = Llama::load(&gguf, &mut Cursor::new(file), options).unwrap();
            for piece in tokens.chunks(piece) {
                model.feed(piece).unwrap();
            }
            model.logits().iter().map(|logit| logit.to_bits()).collect::<Vec<u32>>()
        };
        let expected = bits(1, 60);
        for (threads, piece) in [(1, 1), (2, 7), (3, 33)] {
            assert_eq!(bits(threads, piece), expected, "{set:?}, {threads} threads, pieces of {piece}");
        }
    }
}

#[test]
fn every_architecture_has_a_model_here() {
    let names: Vec<String> = FAMILIES
        .iter()
        .map(|(_, file, _)| {
            let gguf = Gguf::read(&mut Cursor::new(file)).unwrap();
            gguf.metadata().text("general.architecture").unwrap().to_owned()
        })
        .collect();
    for architecture in ARCHITECTURES {
        assert!(names.iter().any(|name| name == architecture.name), "{}", architecture.name);
    }
}

#[derive(Deserialize)]
struct Blocks {
    blocks: String,
    bits: Vec<u32>,
}

#[test]
fn every_block_stands_for_the_numbers_of_the_reference_to_the_bit() {
    let all: HashMap<String, Blocks> =
        serde_json::from_str(include_str!("../data/architectures/blocks.json")).unwrap();
    let kinds = [
        TensorType::BF16,
        TensorType::Q4_0,
        TensorType::Q4_1,
        TensorType::Q5_0,
        TensorType::Q5_1,
        TensorType::Q8_0,
        TensorType::Q4K,
        TensorType::Q5K,
        TensorType::Q6K,
    ];
    assert_eq!(all.len(), kinds.len());
    for kind in kinds {
        let Blocks { blocks, bits } = &all[kind.name()];
        let bytes: Vec<u8> = (0..blocks.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&blocks[at..at + 2], 16).unwrap())
            .collect();
        let numbers = dequantise(kind, &bytes);
        assert_eq!(numbers.len(), 512);
        for (at, (number, bits)) in numbers.iter().zip(bits).enumerate() {
            assert_eq!(number.to_bits(), *bits, "{} {at}", kind.name());
        }
    }
}
