//! The forward pass: tokens in, logits of the last one out. The same code serves a prompt (many tokens a
//! pass) and decoding (one).

use std::io::{Read, Seek};

use super::weights::{Layer, Weights};
use super::{Config, rope};
use crate::Error;
use crate::gguf::Gguf;
use crate::kernels::{Activations, Cache, Input, InstructionSet, Kernels, Place, Shape};

/// Tokens of a prompt that go through the layers together: their activations stay in the second-level
/// cache, and a cancelled request waits for one such chunk at most.
pub const CHUNK_TOKENS: usize = 128;

/// A loaded model with the cache of one sequence.
pub struct Llama {
    config: Config,
    weights: Weights,
    kernels: Kernels,
    cache: Cache,
    length: usize,
    buffers: Buffers,
}

/// Numbers between the steps of a layer, kept from pass to pass.
#[derive(Default)]
struct Buffers {
    state: Vec<f32>,
    normed: Vec<f32>,
    projected: Vec<f32>,
    attended: Vec<f32>,
    both: Vec<f32>,
    gated: Vec<f32>,
    change: Vec<f32>,
    cosines: Vec<f32>,
    sines: Vec<f32>,
    quantised: Activations,
    logits: Vec<f32>,
}

/// How a model is loaded.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Threads that compute, at least one.
    pub threads: usize,
    /// Positions that the cache can hold; at most what the model was made for.
    pub context: usize,
    /// The instruction set, or the best that the processor has.
    pub instruction_set: Option<InstructionSet>,
}

impl Llama {
    /// Loads a model whose header has been read.
    pub fn load(gguf: &Gguf, source: &mut (impl Read + Seek), options: Options) -> Result<Self, Error> {
        let config = Config::from_gguf(gguf)?;
        if options.context == 0 || options.threads == 0 || options.threads > 1024 {
            return Err(Error::request("a model needs a context and between 1 and 1024 threads"));
        }
        let kernels = Kernels::new(options.threads, options.instruction_set)?;
        let weights = Weights::load(gguf, &config, source)?;
        let shape = Shape {
            layers: config.layers,
            heads: config.heads,
            kv_heads: config.kv_heads,
            head: config.head,
            window: config.window,
            context: options.context.min(config.context),
        };
        let cache = Cache::new(shape)?;
        Ok(Self { config, weights, kernels, cache, length: 0, buffers: Buffers::default() })
    }

    /// The sizes of the model.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Positions that fit.
    pub fn context(&self) -> usize {
        self.cache.shape().context
    }

    /// Positions in use.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The instruction set in use.
    pub fn instruction_set(&self) -> InstructionSet {
        self.kernels.set()
    }

    /// The bytes of the packed weights and, at most, of the cache.
    pub fn memory_bytes(&self) -> (usize, usize) {
        (self.weights.bytes(), self.cache.bytes())
    }

    /// Forgets all positions from `length` on.
    pub fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Runs these tokens through the model at the next positions, at most [`CHUNK_TOKENS`] of them.
    pub fn feed(&mut self, tokens: &[u32]) -> Result<(), Error> {
        if tokens.is_empty() || tokens.len() > CHUNK_TOKENS {
            return Err(Error::request(format!("between 1 and {CHUNK_TOKENS} tokens go through at once")));
        }
        if tokens.len() > self.context() - self.length {
            return Err(Error::request(format!(
                "the context of {} tokens is full at {} and {} more were given",
                self.context(),
                self.length,
                tokens.len()
            )));
        }
        self.embed(tokens)?;
        self.angles(tokens.len());
        let Self { config, weights, kernels, cache, buffers, .. } = self;
        for (index, layer) in weights.layers.iter().enumerate() {
            let mut pass = Pass { config, kernels, cache, buffers, first: self.length };
            pass.attention(layer, index);
            pass.feed_forward(layer);
        }
        self.length += tokens.len();
        Ok(())
    }

    /// The logits after the last token that was fed: one per token of the vocabulary.
    pub fn logits(&mut self) -> &[f32] {
        let width = self.config.embedding;
        let head = self.weights.head();
        let Buffers { state, normed, quantised, logits, .. } = &mut self.buffers;
        let last = &state[state.len().saturating_sub(width)..];
        logits.resize(head.rows(), 0.0);
        if last.len() == width {
            normed.resize(width, 0.0);
            self.kernels.norm(last, &self.weights.norm, self.config.norm_epsilon, normed, quantised);
            self.kernels.multiply(Input { floats: normed, activations: quantised }, &[head], logits);
        }
        logits
    }

    fn embed(&mut self, tokens: &[u32]) -> Result<(), Error> {
        let width = self.config.embedding;
        self.buffers.state.resize(tokens.len() * width, 0.0);
        for (&token, state) in tokens.iter().zip(self.buffers.state.chunks_exact_mut(width)) {
            match usize::try_from(token) {
                Ok(token) if token < self.config.vocabulary => self.weights.embeddings.row(token, state),
                _ => return Err(Error::request(format!("there is no token {token} in this vocabulary"))),
            }
        }
        Ok(())
    }

    fn angles(&mut self, count: usize) {
        let Buffers { cosines, sines, .. } = &mut self.buffers;
        cosines.clear();
        sines.clear();
        for position in self.length..self.length + count {
            for (cosine, sine) in self.weights.rope.angles(position) {
                cosines.push(cosine);
                sines.push(sine);
            }
        }
    }
}

/// One layer of one pass.
struct Pass<'a> {
    config: &'a Config,
    kernels: &'a mut Kernels,
    cache: &'a mut Cache,
    buffers: &'a mut Buffers,
    first: usize,
}

impl Pass<'_> {
    /// `state += output(attention(norm(state)))`.
    fn attention(&mut self, layer: &Layer, index: usize) {
        let Buffers { state, normed, projected, attended, change, cosines, sines, quantised, .. } =
            &mut *self.buffers;
        let count = state.len() / self.config.embedding;
        let width = self.config.projected();
        let queries = self.config.heads * self.config.head;
        normed.resize(state.len(), 0.0);
        self.kernels.norm(state, &layer.attention_norm, self.config.norm_epsilon, normed, quantised);
        projected.resize(count * width, 0.0);
        let input = Input { floats: normed, activations: quantised };
        self.kernels.multiply(input, &[&layer.query, &layer.key, &layer.value], projected);
        layer.adjust.apply(self.config, projected);
        let pairs = cosines.len() / count;
        let rotated = (self.config.heads + self.config.kv_heads) * self.config.head;
        let angles = cosines.chunks_exact(pairs.max(1)).zip(sines.chunks_exact(pairs.max(1)));
        for (row, (cosines, sines)) in projected.chunks_exact_mut(width).zip(angles) {
            for head in row[..rotated].chunks_exact_mut(self.config.head) {
                rope::rotate(&mut head[..2 * pairs], cosines, sines);
            }
        }
        self.kernels.store(self.cache, index, self.first, projected, width);
        attended.resize(count * queries, 0.0);
        let place = Place { layer: index, first: self.first };
        self.kernels.attend(self.cache, place, projected, width, attended);
        self.kernels.quantise(attended, queries, quantised);
        change.resize(state.len(), 0.0);
        let input = Input { floats: attended, activations: quantised };
        self.kernels.multiply(input, &[&layer.output], change);
        add(state, change);
    }

    /// `state += down(gate(norm(state)) * up(norm(state)))`.
    fn feed_forward(&mut self, layer: &Layer) {
        let Buffers { state, normed, both, gated, change, quantised, .. } = &mut *self.buffers;
        let count = state.len() / self.config.embedding;
        let inner = self.config.feed_forward;
        self.kernels.norm(state, &layer.feed_norm, self.config.norm_epsilon, normed, quantised);
        both.resize(count * 2 * inner, 0.0);
        let input = Input { floats: normed, activations: quantised };
        self.kernels.multiply(input, &[&layer.gate, &layer.up], both);
        gated.resize(count * inner, 0.0);
        self.kernels.gate(both, inner, gated, quantised);
        let input = Input { floats: gated, activations: quantised };
        self.kernels.multiply(input, &[&layer.down], change);
        add(state, change);
    }
}

fn add(state: &mut [f32], change: &[f32]) {
    for (state, change) in state.iter_mut().zip(change) {
        *state += change;
    }
}
