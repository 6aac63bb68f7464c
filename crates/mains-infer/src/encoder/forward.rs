//! The pass: the tokens of some texts in, a vector of length one per text out.

use std::io::{Read, Seek};
use std::ops::Range;

use super::EncoderConfig;
use super::weights::{Layer, Weights};
use crate::Error;
use crate::kernels::{Finish, Heads, InstructionSet, Kernels};
use crate::safetensors::Safetensors;

/// The norm below which a vector is left as it is, as in the reference implementation.
const NORM_MIN: f32 = 1e-12;

/// A loaded encoder.
pub(super) struct Encoder {
    config: EncoderConfig,
    weights: Weights,
    kernels: Kernels,
    buffers: Buffers,
}

/// Numbers between the steps of a layer, kept from pass to pass.
#[derive(Default)]
struct Buffers {
    state: Vec<f32>,
    projected: Vec<f32>,
    attended: Vec<f32>,
    inner: Vec<f32>,
    change: Vec<f32>,
    texts: Vec<Range<usize>>,
}

impl Encoder {
    /// Loads the weights of a file whose header has been read.
    pub(super) fn load(
        config: EncoderConfig,
        file: &Safetensors,
        source: &mut (impl Read + Seek),
        threads: usize,
        set: Option<InstructionSet>,
    ) -> Result<Self, Error> {
        config.check()?;
        if threads == 0 || threads > 1024 {
            return Err(Error::request("an encoder needs between 1 and 1024 threads"));
        }
        let kernels = Kernels::new(threads, set)?;
        let weights = Weights::load(&config, &kernels, file, source)?;
        Ok(Self { config, weights, kernels, buffers: Buffers::default() })
    }

    pub(super) fn instruction_set(&self) -> InstructionSet {
        self.kernels.set()
    }

    pub(super) fn weights_bytes(&self) -> usize {
        self.weights.bytes()
    }

    /// The vectors of some texts, whose tokens go through the layers together, one after the other.
    pub(super) fn run(&mut self, texts: &[&[u32]]) -> Result<Vec<Vec<f32>>, Error> {
        self.embed(texts)?;
        let Self { config, weights, kernels, buffers } = self;
        kernels.layer_norm(&mut buffers.state, None, &weights.norm);
        for layer in &weights.layers {
            Pass { config, kernels, buffers }.layer(layer);
        }
        let states = &buffers.state;
        let width = config.width;
        Ok(buffers
            .texts
            .iter()
            .map(|text| mean(&states[text.start * width..text.end * width], width))
            .collect())
    }

    /// The sum of the embeddings of each token and its position.
    fn embed(&mut self, texts: &[&[u32]]) -> Result<(), Error> {
        let EncoderConfig { width, vocabulary, tokens_max, .. } = self.config;
        let Buffers { state, texts: ranges, .. } = &mut self.buffers;
        state.clear();
        ranges.clear();
        for &text in texts {
            if text.is_empty() || text.len() > tokens_max {
                return Err(Error::request(format!("a text has between 1 and {tokens_max} tokens")));
            }
            let start = state.len() / width;
            for (&token, position) in text.iter().zip(self.weights.positions.chunks_exact(width)) {
                let token = token as usize;
                if token >= vocabulary {
                    return Err(Error::request(format!("there is no token {token} in this vocabulary")));
                }
                let embedding = &self.weights.tokens[token * width..][..width];
                state.extend(embedding.iter().zip(position).map(|(token, position)| token + position));
            }
            ranges.push(start..start + text.len());
        }
        Ok(())
    }
}

/// One layer of one pass.
struct Pass<'a> {
    config: &'a EncoderConfig,
    kernels: &'a mut Kernels,
    buffers: &'a mut Buffers,
}

impl Pass<'_> {
    /// `state = norm(state + output(attention(state)))`, then `state = norm(state + down(gelu(up(state))))`.
    fn layer(&mut self, layer: &Layer) {
        let EncoderConfig { width, inner: inner_width, heads, .. } = *self.config;
        let Buffers { state, projected, attended, inner, change, texts } = &mut *self.buffers;
        let count = state.len() / width;
        projected.resize(count * 3 * width, 0.0);
        self.kernels.dense(state, &layer.projection, Finish::Keep, projected);
        attended.resize(count * width, 0.0);
        let heads = Heads { count: heads, size: width / heads };
        self.kernels.attend_texts(projected, texts, heads, attended);
        change.resize(count * width, 0.0);
        self.kernels.dense(attended, &layer.output, Finish::Keep, change);
        self.kernels.layer_norm(state, Some(change), &layer.output_norm);
        inner.resize(count * inner_width, 0.0);
        self.kernels.dense(state, &layer.up, Finish::Gelu, inner);
        self.kernels.dense(inner, &layer.down, Finish::Keep, change);
        self.kernels.layer_norm(state, Some(change), &layer.down_norm);
    }
}

/// The mean of the states, made one long.
fn mean(states: &[f32], width: usize) -> Vec<f32> {
    let mut sum = vec![0.0_f32; width];
    for state in states.chunks_exact(width) {
        sum.iter_mut().zip(state).for_each(|(sum, x)| *sum += x);
    }
    let count = (states.len() / width) as f32;
    for x in &mut sum {
        *x /= count;
    }
    let norm = sum.iter().map(|x| x * x).sum::<f32>().sqrt().max(NORM_MIN);
    for x in &mut sum {
        *x /= norm;
    }
    sum
}
