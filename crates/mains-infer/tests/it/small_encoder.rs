//! Writes a small encoder with random weights as a safetensors file, with a tokenizer beside it, and runs it
//! plainly in 64 bits.

use std::collections::BTreeMap;
use std::path::PathBuf;

use mains_infer::encoder::{EncoderConfig, EncoderSource};
use mains_units::Chance;

pub(crate) const CONFIG: EncoderConfig = EncoderConfig {
    layers: 2,
    width: 96,
    heads: 3,
    inner: 80,
    vocabulary: 40,
    positions: 50,
    tokens_max: 48,
    norm_epsilon: 1e-12,
};

/// Tensors by name: shape and numbers.
#[derive(Clone)]
pub(crate) struct Small(pub(crate) BTreeMap<String, (Vec<usize>, Vec<f32>)>);

/// A small encoder with random weights.
pub(crate) fn small(seed: u64) -> Small {
    let mut chance = Chance::from_seed(seed);
    let mut tensors = BTreeMap::new();
    let EncoderConfig { layers, width, inner, vocabulary, positions, .. } = CONFIG;
    let mut put = |name: String, shape: &[usize], middle: f32, size: f32| {
        #[expect(clippy::cast_possible_truncation, reason = "single precision is wanted")]
        let numbers = (0..shape.iter().product()).map(|_| middle + (chance.unit() as f32 * 2.0 - 1.0) * size);
        tensors.insert(name, (shape.to_vec(), numbers.collect()));
    };
    put("embeddings.word_embeddings.weight".into(), &[vocabulary, width], 0.0, 1.0);
    put("embeddings.position_embeddings.weight".into(), &[positions, width], 0.0, 0.5);
    put("embeddings.token_type_embeddings.weight".into(), &[2, width], 0.0, 0.5);
    let mut norm = |name: &str| {
        put(format!("{name}.weight"), &[width], 1.0, 0.3);
        put(format!("{name}.bias"), &[width], 0.0, 0.3);
    };
    norm("embeddings.LayerNorm");
    for layer in 0..layers {
        norm(&format!("encoder.layer.{layer}.attention.output.LayerNorm"));
        norm(&format!("encoder.layer.{layer}.output.LayerNorm"));
    }
    for layer in 0..layers {
        for (part, outputs, inputs) in [
            ("attention.self.query", width, width),
            ("attention.self.key", width, width),
            ("attention.self.value", width, width),
            ("attention.output.dense", width, width),
            ("intermediate.dense", inner, width),
            ("output.dense", width, inner),
        ] {
            put(format!("encoder.layer.{layer}.{part}.weight"), &[outputs, inputs], 0.0, 0.3);
            put(format!("encoder.layer.{layer}.{part}.bias"), &[outputs], 0.0, 0.3);
        }
    }
    Small(tensors)
}

/// The bytes of a safetensors file with this header and these data.
pub(crate) fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

impl Small {
    /// The file, its numbers stored as `kind`.
    pub(crate) fn bytes(&self, kind: &str) -> Vec<u8> {
        let mut data = Vec::new();
        let mut header = serde_json::Map::new();
        header.insert("__metadata__".into(), serde_json::json!({ "format": "pt" }));
        // A tensor of another type, as published files carry one.
        header.insert(
            "embeddings.position_ids".into(),
            serde_json::json!({ "dtype": "I64", "shape": [1, 2], "data_offsets": [0, 16] }),
        );
        data.extend([0; 16]);
        for (name, (shape, numbers)) in &self.0 {
            let start = data.len();
            match kind {
                "BF16" => {
                    let halves = numbers.iter().map(|x| (x.to_bits() >> 16).to_le_bytes());
                    data.extend(halves.flat_map(|[low, high, ..]| [low, high]));
                }
                _ => data.extend(numbers.iter().flat_map(|x| x.to_le_bytes())),
            }
            let entry =
                serde_json::json!({ "dtype": kind, "shape": shape, "data_offsets": [start, data.len()] });
            header.insert(name.clone(), entry);
        }
        file(&serde_json::Value::Object(header).to_string(), &data)
    }

    /// The two files in the target folder, named by the test.
    pub(crate) fn on_disk(&self, name: &str) -> EncoderSource {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let weights = folder.join(format!("{name}.safetensors"));
        let words = folder.join(format!("{name}.tokenizer.json"));
        std::fs::write(&weights, self.bytes("F32")).unwrap();
        std::fs::write(&words, tokenizer().to_string()).unwrap();
        EncoderSource { config: CONFIG, weights, weights_sha256: None, words, words_sha256: None }
    }

    fn numbers(&self, name: &str) -> &[f32] {
        &self.0[name].1
    }

    fn dense(&self, name: &str, input: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let (weights, bias) =
            (self.numbers(&format!("{name}.weight")), self.numbers(&format!("{name}.bias")));
        let row = |x: &Vec<f64>| {
            let rows = weights.chunks(x.len()).zip(bias);
            rows.map(|(row, bias)| {
                f64::from(*bias) + row.iter().zip(x).map(|(w, x)| f64::from(*w) * x).sum::<f64>()
            })
            .collect()
        };
        input.iter().map(row).collect()
    }

    fn norm(&self, name: &str, state: &[Vec<f64>], change: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let (weight, bias) = (self.numbers(&format!("{name}.weight")), self.numbers(&format!("{name}.bias")));
        let row = |(state, change): (&Vec<f64>, &Vec<f64>)| {
            let x: Vec<f64> = state.iter().zip(change).map(|(a, b)| a + b).collect();
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64;
            let normed = x.iter().zip(weight).zip(bias);
            normed.map(|((x, w), b)| (x - mean) / variance.sqrt() * f64::from(*w) + f64::from(*b)).collect()
        };
        state.iter().zip(change).map(row).collect()
    }

    /// The vector of a text in 64 bits, written from the papers.
    pub(crate) fn plain(&self, tokens: &[u32]) -> Vec<f64> {
        let width = CONFIG.width;
        let row = |name: &str, at: usize| {
            self.numbers(name)[at * width..][..width].iter().map(|x| f64::from(*x)).collect::<Vec<f64>>()
        };
        let embed = |(position, token): (usize, &u32)| {
            let token = row("embeddings.word_embeddings.weight", *token as usize);
            let position = row("embeddings.position_embeddings.weight", position);
            let segment = row("embeddings.token_type_embeddings.weight", 0);
            (0..width).map(|at| token[at] + position[at] + segment[at]).collect::<Vec<f64>>()
        };
        let state: Vec<Vec<f64>> = tokens.iter().enumerate().map(embed).collect();
        let zero = vec![vec![0.0; width]; tokens.len()];
        let mut state = self.norm("embeddings.LayerNorm", &state, &zero);
        for layer in 0..CONFIG.layers {
            let name = |part: &str| format!("encoder.layer.{layer}.{part}");
            let attended = self.attend(&name("attention.self"), &state);
            let change = self.dense(&name("attention.output.dense"), &attended);
            state = self.norm(&name("attention.output.LayerNorm"), &state, &change);
            let mut inner = self.dense(&name("intermediate.dense"), &state);
            for x in inner.iter_mut().flatten() {
                *x *= 0.5 * (1.0 + erf(*x / 2.0_f64.sqrt()));
            }
            let change = self.dense(&name("output.dense"), &inner);
            state = self.norm(&name("output.LayerNorm"), &state, &change);
        }
        let mut mean: Vec<f64> = (0..width).map(|at| state.iter().map(|row| row[at]).sum()).collect();
        let norm = mean.iter().map(|x| x * x).sum::<f64>().sqrt();
        for x in &mut mean {
            *x /= norm;
        }
        mean
    }

    fn attend(&self, name: &str, state: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let [queries, keys, values] =
            ["query", "key", "value"].map(|side| self.dense(&format!("{name}.{side}"), state));
        let size = CONFIG.width / CONFIG.heads;
        let mut out = vec![vec![0.0; CONFIG.width]; state.len()];
        for head in (0..CONFIG.width).step_by(size) {
            for (query, out) in queries.iter().zip(&mut out) {
                let scores = keys.iter().map(|key| {
                    let pairs = query[head..head + size].iter().zip(&key[head..head + size]);
                    (pairs.map(|(q, k)| q * k).sum::<f64>() / (size as f64).sqrt()).exp()
                });
                let scores: Vec<f64> = scores.collect();
                let sum: f64 = scores.iter().sum();
                for (score, value) in scores.iter().zip(&values) {
                    for at in head..head + size {
                        out[at] += score / sum * value[at];
                    }
                }
            }
        }
        out
    }
}

/// The error function by its series (small arguments) or its continued fraction (large ones).
pub(crate) fn erf(x: f64) -> f64 {
    if x < 0.0 {
        return -erf(-x);
    }
    if x < 3.0 {
        let (mut term, mut sum) = (x, x);
        for n in 1..100 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        return sum * std::f64::consts::FRAC_2_SQRT_PI;
    }
    let fraction = (1..60).rev().fold(x, |below, n| x + f64::from(n) / 2.0 / below);
    1.0 - (-x * x).exp() / fraction / std::f64::consts::PI.sqrt()
}

/// A tokenizer of forty tokens: letters, and some pieces of words.
pub(crate) fn tokenizer() -> serde_json::Value {
    let mut names: Vec<String> = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"].map(str::to_owned).to_vec();
    names.extend(('a'..='z').map(String::from));
    names.extend(["hel", "##lo", "##l", "##o", "world", "!", "##s", "lamp", "on", "学"].map(str::to_owned));
    assert_eq!(names.len(), CONFIG.vocabulary);
    let vocabulary: BTreeMap<&str, usize> = names.iter().map(String::as_str).zip(0..).collect();
    let added: Vec<_> = names[..4]
        .iter()
        .zip(0..)
        .map(|(name, id)| serde_json::json!({ "id": id, "content": name }))
        .collect();
    serde_json::json!({
        "added_tokens": added,
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
            "lowercase": true,
        },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocabulary,
        },
    })
}
