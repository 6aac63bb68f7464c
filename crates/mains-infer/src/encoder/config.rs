//! The sizes of an encoder. A safetensors file does not hold them all, so each known model has a record.

use serde::{Deserialize, Serialize};

use crate::Error;

/// The most that any size may be; bounds what a wrong record can ask for.
const SIZE_MAX: usize = 1 << 20;

/// The sizes of an encoder.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderConfig {
    /// Layers.
    pub layers: usize,
    /// Numbers in a state, and in the vector of a text.
    pub width: usize,
    /// Heads of attention.
    pub heads: usize,
    /// Numbers between the two products of the feed-forward part.
    pub inner: usize,
    /// Tokens that the model knows.
    pub vocabulary: usize,
    /// Positions that it has embeddings for.
    pub positions: usize,
    /// Tokens of a text that are read, the first and the last control token among them; the rest is cut off.
    pub tokens_max: usize,
    /// What keeps a norm from dividing by nothing.
    pub norm_epsilon: f32,
}

impl EncoderConfig {
    /// all-MiniLM-L6-v2: `config.json`, and `max_seq_length` of `sentence_bert_config.json`, of the published
    /// model, read 2026-11-28.
    pub const ALL_MINILM_L6_V2: Self = Self {
        layers: 6,
        width: 384,
        heads: 12,
        inner: 1536,
        vocabulary: 30_522,
        positions: 512,
        tokens_max: 256,
        norm_epsilon: 1e-12,
    };

    /// Refuses sizes that the engine cannot run.
    pub(super) fn check(&self) -> Result<(), Error> {
        let Self { layers, width, heads, inner, vocabulary, positions, tokens_max, norm_epsilon } = *self;
        let sizes = [layers, width, heads, inner, vocabulary, positions, tokens_max];
        let run = sizes.iter().all(|size| (1..=SIZE_MAX).contains(size))
            && width.is_multiple_of(heads)
            && (width / heads).is_multiple_of(16)
            && inner.is_multiple_of(16)
            && (3..=positions).contains(&tokens_max)
            && norm_epsilon >= 0.0;
        if run {
            return Ok(());
        }
        Err(Error::unsupported(format!(
            "an encoder of {layers} layers of {width}, {heads} heads, {inner} inside, {tokens_max} of {positions} \
             tokens is not run here"
        ))
        .hint("numbers in a head and inside a layer go by sixteen"))
    }
}
