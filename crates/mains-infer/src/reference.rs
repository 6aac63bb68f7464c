//! The forward pass once more, in plain dequantised floats with sums in 64 bits: slow, short, and written
//! without the kernels, so that both can be held against it.

use std::io::{Read, Seek};

use crate::Error;
use crate::gguf::{Gguf, dequantise};
use crate::model::{Config, Pairs};

/// A model whose weights are 32-bit floats.
pub struct Reference {
    config: Config,
    tensors: std::collections::HashMap<String, Vec<f32>>,
}

impl Reference {
    /// Loads and dequantises every tensor: four bytes a number.
    pub fn load(gguf: &Gguf, source: &mut (impl Read + Seek)) -> Result<Self, Error> {
        let config = Config::from_gguf(gguf)?;
        let mut tensors = std::collections::HashMap::new();
        for tensor in gguf.tensors() {
            let bytes = gguf.load(source, tensor)?;
            tensors.insert(tensor.name.clone(), dequantise(tensor.kind, &bytes));
        }
        Ok(Self { config, tensors })
    }

    /// The logits after the last of these tokens.
    pub fn logits(&self, tokens: &[u32]) -> Result<Vec<f32>, Error> {
        let width = self.config.embedding;
        let embeddings = self.tensor("token_embd.weight")?;
        let mut states = Vec::new();
        for &token in tokens {
            let start = token as usize * width;
            let row = embeddings.get(start..start + width);
            states.push(row.ok_or_else(|| Error::request(format!("there is no token {token}")))?.to_vec());
        }
        for layer in 0..self.config.layers {
            self.layer(layer, &mut states)?;
        }
        let last = states.last().ok_or_else(|| Error::request("no tokens"))?;
        let normed = self.norm(last, "output_norm.weight")?;
        let head =
            if self.tensors.contains_key("output.weight") { "output.weight" } else { "token_embd.weight" };
        self.product(head, &normed)
    }

    fn layer(&self, layer: usize, states: &mut [Vec<f32>]) -> Result<(), Error> {
        let name = |part: &str| format!("blk.{layer}.{part}.weight");
        let Config { heads, kv_heads, head, .. } = self.config;
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        for (position, state) in states.iter_mut().enumerate() {
            let normed = self.norm(state, &name("attn_norm"))?;
            let [mut query, mut key, value] = self
                .sides(&["attn_q", "attn_k", "attn_v"].map(|part| format!("blk.{layer}.{part}")), &normed)?;
            self.rotate(&mut query, position);
            self.rotate(&mut key, position);
            keys.push(key);
            values.push(value);
            let first = keys.len().saturating_sub(self.config.window);
            let mut attended = vec![0.0; heads * head];
            for (index, out) in attended.chunks_exact_mut(head).enumerate() {
                let start = index / (heads / kv_heads) * head;
                let query = &query[index * head..][..head];
                attend(query, &keys[first..], &values[first..], start, out);
            }
            add(state, &self.product(&name("attn_output"), &attended)?);
            let normed = self.norm(state, &name("ffn_norm"))?;
            let gate = self.product(&name("ffn_gate"), &normed)?;
            let up = self.product(&name("ffn_up"), &normed)?;
            let inner: Vec<f32> = gate.iter().zip(&up).map(|(g, u)| g / (1.0 + (-g).exp()) * u).collect();
            add(state, &self.product(&name("ffn_down"), &inner)?);
        }
        Ok(())
    }

    /// Queries, keys and values of one token, with what the architecture does to them before they rotate.
    fn sides(&self, names: &[String; 3], normed: &[f32]) -> Result<[Vec<f32>; 3], Error> {
        let mut sides = [const { Vec::new() }; 3];
        for (side, name) in sides.iter_mut().zip(names) {
            *side = self.product(&format!("{name}.weight"), normed)?;
            if self.config.architecture.biases {
                add(side, self.tensor(&format!("{name}.bias"))?);
            }
        }
        if self.config.architecture.head_norms {
            for (side, name) in sides.iter_mut().zip(names).take(2) {
                for head in side.chunks_exact_mut(self.config.head) {
                    let normed = self.norm(head, &format!("{name}_norm.weight"))?;
                    head.copy_from_slice(&normed);
                }
            }
        }
        Ok(sides)
    }

    fn tensor(&self, name: &str) -> Result<&[f32], Error> {
        let tensor = self.tensors.get(name);
        tensor.map(Vec::as_slice).ok_or_else(|| Error::file(format!("the file has no tensor `{name}`")))
    }

    fn product(&self, name: &str, x: &[f32]) -> Result<Vec<f32>, Error> {
        Ok(self.tensor(name)?.chunks_exact(x.len()).map(|row| dot(row, x)).collect())
    }

    #[expect(clippy::cast_possible_truncation, reason = "states are 32-bit floats")]
    fn norm(&self, x: &[f32], name: &str) -> Result<Vec<f32>, Error> {
        let mean = f64::from(dot(x, x)) / x.len() as f64;
        let factor = 1.0 / (mean + f64::from(self.config.norm_epsilon)).sqrt();
        let weights = self.tensor(name)?;
        Ok(x.iter().zip(weights).map(|(x, weight)| (f64::from(*x) * factor) as f32 * weight).collect())
    }

    /// Rotates pairs where the file stores them.
    #[expect(clippy::cast_possible_truncation, reason = "states are 32-bit floats")]
    fn rotate(&self, x: &mut [f32], position: usize) {
        let dimensions = self.config.rope_dimensions;
        let factors = self.tensors.get("rope_freqs.weight");
        for head in x.chunks_exact_mut(self.config.head) {
            for pair in 0..dimensions / 2 {
                let frequency = self.config.rope_base.powf(-2.0 * pair as f64 / dimensions as f64);
                let factor = factors.map_or(1.0, |factors| f64::from(factors[pair]));
                let angle = position as f64 * frequency / self.config.rope_scale / factor;
                let (sine, cosine) = angle.sin_cos();
                let [left, right] = match self.config.architecture.pairs {
                    Pairs::Neighbours => [2 * pair, 2 * pair + 1],
                    Pairs::Halves => [pair, pair + dimensions / 2],
                };
                let (a, b) = (f64::from(head[left]), f64::from(head[right]));
                head[left] = (a * cosine - b * sine) as f32;
                head[right] = (a * sine + b * cosine) as f32;
            }
        }
    }
}

/// Softmax over the scores of all positions so far, and the values weighted by it.
#[expect(clippy::cast_possible_truncation, reason = "states are 32-bit floats")]
fn attend(query: &[f32], keys: &[Vec<f32>], values: &[Vec<f32>], start: usize, out: &mut [f32]) {
    let scale = 1.0 / (query.len() as f64).sqrt();
    let scores: Vec<f64> =
        keys.iter().map(|key| f64::from(dot(query, &key[start..][..query.len()])) * scale).collect();
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = scores.iter().map(|score| (score - largest).exp()).collect();
    let total: f64 = weights.iter().sum();
    for (at, out) in out.iter_mut().enumerate() {
        let sum: f64 = weights.iter().zip(values).map(|(w, value)| w * f64::from(value[start + at])).sum();
        *out = (sum / total) as f32;
    }
}

#[expect(clippy::cast_possible_truncation, reason = "states are 32-bit floats")]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>() as f32
}

fn add(state: &mut [f32], change: &[f32]) {
    for (state, change) in state.iter_mut().zip(change) {
        *state += change;
    }
}
