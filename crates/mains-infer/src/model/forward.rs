//! The forward pass: tokens in, logits out. The same code serves a prompt (many tokens a pass), decoding (one) and
//! several sequences together: a token is a row, and only attention asks whose row it is. No bit of a row depends
//! on its neighbours, so an answer is the same alone and in company.

use std::io::{Read, Seek};

use super::weights::{Layer, Weights};
use super::{Config, rope};
use crate::Error;
use crate::gguf::Gguf;
use crate::kernels::{Activations, Cache, Input, InstructionSet, Kernels, Part, Shape};

/// Tokens of a prompt that go through the layers together: their activations stay in the second-level
/// cache, and a cancelled request waits for one such chunk at most.
pub const CHUNK_TOKENS: usize = 128;

/// A loaded model, with one sequence of its own for callers that need no more.
pub struct Llama {
    config: Config,
    weights: Weights,
    kernels: Kernels,
    own: Sequence,
    buffers: Buffers,
}

/// The keys and values of one sequence.
pub struct Sequence {
    cache: Cache,
    length: usize,
}

impl Sequence {
    /// Positions in use.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Positions that fit.
    pub fn capacity(&self) -> usize {
        self.cache.shape().context
    }

    /// Forgets all positions from `length` on.
    pub fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Becomes the first `length` positions of another sequence of the same model, bit by bit.
    pub fn copy_from(&mut self, other: &Self, length: usize) -> Result<(), Error> {
        let fits = length <= other.length && length <= self.capacity();
        if !fits || !self.cache.shape().like(&other.cache.shape()) {
            return Err(Error::request(format!(
                "{length} positions of another sequence cannot be taken over"
            )));
        }
        self.cache.copy_from(&other.cache, length);
        self.length = length;
        Ok(())
    }
}

/// The next tokens of one sequence in a pass.
pub struct Run<'a> {
    /// The sequence; grows by the tokens.
    pub sequence: &'a mut Sequence,
    /// The tokens, at least one.
    pub tokens: &'a [u32],
}

/// Numbers between the steps of a layer, kept from pass to pass.
#[derive(Default)]
struct Buffers {
    state: Vec<f32>,
    last: Vec<f32>,
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
        let own = sequence(&config, options.context.min(config.context))?;
        Ok(Self { config, weights, kernels, own, buffers: Buffers::default() })
    }

    /// An empty sequence with room for this many positions, at most the context. Memory is taken as it fills.
    pub fn sequence(&self, capacity: usize) -> Result<Sequence, Error> {
        sequence(&self.config, capacity.clamp(1, self.context()))
    }

    /// The sizes of the model.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Positions that fit.
    pub fn context(&self) -> usize {
        self.own.capacity()
    }

    /// Positions in use in the model's own sequence.
    pub fn length(&self) -> usize {
        self.own.length
    }

    /// The instruction set in use.
    pub fn instruction_set(&self) -> InstructionSet {
        self.kernels.set()
    }

    /// The bytes of the packed weights and, at most, of the keys and values of one full context.
    pub fn memory_bytes(&self) -> (usize, usize) {
        (self.weights.bytes(), self.own.cache.bytes())
    }

    /// Forgets all positions of the model's own sequence from `length` on.
    pub fn truncate(&mut self, length: usize) {
        self.own.truncate(length);
    }

    /// Runs these tokens through the model at the next positions of its own sequence, at most [`CHUNK_TOKENS`].
    pub fn feed(&mut self, tokens: &[u32]) -> Result<(), Error> {
        let Self { config, weights, kernels, own, buffers } = self;
        pass(config, weights, kernels, buffers, &mut [Run { sequence: own, tokens }])
    }

    /// Runs the next tokens of several sequences through the model, at most [`CHUNK_TOKENS`] in all: every weight is
    /// read once for all of them. After an error no sequence has changed.
    pub fn pass(&mut self, runs: &mut [Run<'_>]) -> Result<(), Error> {
        let Self { config, weights, kernels, buffers, .. } = self;
        pass(config, weights, kernels, buffers, runs)
    }

    /// The logits after the last token that was fed: one per token of the vocabulary.
    pub fn logits(&mut self) -> &[f32] {
        let rows = self.buffers.state.len() / self.config.embedding;
        self.logits_of(&[rows.saturating_sub(1)])
    }

    /// The logits after these rows of the last pass, counted over all its runs, one after the other: one per token
    /// of the vocabulary and row. A row that was not there has logits of zero.
    pub fn logits_of(&mut self, rows: &[usize]) -> &[f32] {
        let width = self.config.embedding;
        let head = self.weights.head();
        let Buffers { state, last, normed, quantised, logits, .. } = &mut self.buffers;
        last.clear();
        last.resize(rows.len() * width, 0.0);
        for (&row, last) in rows.iter().zip(last.chunks_exact_mut(width)) {
            if let Some(state) = state.get(row * width..(row + 1) * width) {
                last.copy_from_slice(state);
            }
        }
        logits.resize(rows.len() * head.rows(), 0.0);
        normed.resize(last.len(), 0.0);
        if !rows.is_empty() {
            self.kernels.norm(last, &self.weights.norm, self.config.norm_epsilon, normed, quantised);
            self.kernels.multiply(Input { floats: normed, activations: quantised }, &[head], logits);
        }
        logits
    }
}

fn sequence(config: &Config, context: usize) -> Result<Sequence, Error> {
    let shape = Shape {
        layers: config.layers,
        heads: config.heads,
        kv_heads: config.kv_heads,
        head: config.head,
        window: config.window,
        context,
    };
    Ok(Sequence { cache: Cache::new(shape)?, length: 0 })
}

fn pass(
    config: &Config,
    weights: &Weights,
    kernels: &mut Kernels,
    buffers: &mut Buffers,
    runs: &mut [Run<'_>],
) -> Result<(), Error> {
    let count: usize = runs.iter().map(|run| run.tokens.len()).sum();
    if count > CHUNK_TOKENS || runs.is_empty() || runs.iter().any(|run| run.tokens.is_empty()) {
        return Err(Error::request(format!("between 1 and {CHUNK_TOKENS} tokens go through at once")));
    }
    for Run { sequence, tokens } in &*runs {
        let (length, capacity) = (sequence.length, sequence.capacity());
        if tokens.len() > capacity - length {
            let more = tokens.len();
            return Err(Error::request(format!(
                "the context of {capacity} tokens is full at {length} and {more} more were given"
            )));
        }
    }
    buffers.embed(config, weights, runs)?;
    buffers.angles(weights, runs);
    for (index, layer) in weights.layers.iter().enumerate() {
        let mut pass = Pass { config, kernels, buffers, runs };
        pass.attention(layer, index);
        pass.feed_forward(layer);
    }
    for run in runs {
        run.sequence.length += run.tokens.len();
    }
    Ok(())
}

impl Buffers {
    fn embed(&mut self, config: &Config, weights: &Weights, runs: &[Run<'_>]) -> Result<(), Error> {
        let width = config.embedding;
        let tokens = || runs.iter().flat_map(|run| run.tokens);
        self.state.resize(tokens().count() * width, 0.0);
        for (&token, state) in tokens().zip(self.state.chunks_exact_mut(width)) {
            match usize::try_from(token) {
                Ok(token) if token < config.vocabulary => weights.embeddings.row(token, state),
                _ => return Err(Error::request(format!("there is no token {token} in this vocabulary"))),
            }
        }
        Ok(())
    }

    fn angles(&mut self, weights: &Weights, runs: &[Run<'_>]) {
        self.cosines.clear();
        self.sines.clear();
        for Run { sequence, tokens } in runs {
            for position in sequence.length..sequence.length + tokens.len() {
                for (cosine, sine) in weights.rope.angles(position) {
                    self.cosines.push(cosine);
                    self.sines.push(sine);
                }
            }
        }
    }
}

/// One layer of one pass.
struct Pass<'a, 'b> {
    config: &'a Config,
    kernels: &'a mut Kernels,
    buffers: &'a mut Buffers,
    runs: &'a mut [Run<'b>],
}

impl Pass<'_, '_> {
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
        let mut before = 0;
        for Run { sequence, tokens } in &mut *self.runs {
            let rows = &projected[before * width..][..tokens.len() * width];
            self.kernels.store(&mut sequence.cache, index, sequence.length, rows, width);
            before += tokens.len();
        }
        attended.resize(count * queries, 0.0);
        let part = |run: &'_ Run<'_>| (run.sequence.length, run.tokens.len());
        let parts = self.runs.iter().map(|run| (&run.sequence.cache, part(run)));
        let parts: Vec<Part<'_>> =
            parts.map(|(cache, (first, count))| Part { cache, first, count }).collect();
        self.kernels.attend(index, &parts, projected, width, attended);
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
