//! The sizes of a model, from the file's metadata, checked before anything is made of them.

use crate::Error;
use crate::gguf::{Gguf, Metadata};

/// The hyperparameters of a Llama model.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Layers.
    pub layers: usize,
    /// Numbers in an embedding.
    pub embedding: usize,
    /// Numbers inside the feed-forward part.
    pub feed_forward: usize,
    /// Heads of queries.
    pub heads: usize,
    /// Heads of keys and values.
    pub kv_heads: usize,
    /// Numbers in a head.
    pub head: usize,
    /// Positions that the model was made for.
    pub context: usize,
    /// Tokens that it knows.
    pub vocabulary: usize,
    /// Numbers of a head that rotate.
    pub rope_dimensions: usize,
    /// The base of the rotation's frequencies.
    pub rope_base: f64,
    /// What positions are divided by (1 without scaling).
    pub rope_scale: f64,
    /// Keeps the norm from dividing by zero.
    pub norm_epsilon: f32,
}

/// More than any published model has; keeps the arithmetic on sizes far from overflow.
const SIZE_MAX: u64 = 1 << 22;

impl Config {
    /// Reads the sizes of a file of the Llama architecture; others are refused by name.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self, Error> {
        let metadata = gguf.metadata();
        match metadata.text("general.architecture") {
            Some("llama") => {}
            Some(other) => {
                return Err(Error::unsupported(format!("models of architecture `{other}` are not run here"))
                    .hint("use a llama model, or a llama.cpp server as an upstream"));
            }
            None => return Err(Error::file("the file does not name its architecture")),
        }
        if metadata.unsigned("llama.expert_count").is_some_and(|count| count > 0) {
            return Err(Error::unsupported("mixtures of experts are not run here"));
        }
        let embeddings = gguf
            .tensor("token_embd.weight")
            .ok_or_else(|| Error::file("the file has no tensor `token_embd.weight`"))?;
        let embedding = size(metadata, "llama.embedding_length")?;
        let heads = size(metadata, "llama.attention.head_count")?;
        let kv_heads = size_or(metadata, "llama.attention.head_count_kv", heads)?;
        let head = size_or(metadata, "llama.attention.key_length", embedding / heads)?;
        let config = Self {
            layers: size(metadata, "llama.block_count")?,
            embedding,
            feed_forward: size(metadata, "llama.feed_forward_length")?,
            heads,
            kv_heads,
            head,
            context: size(metadata, "llama.context_length")?,
            vocabulary: usize::try_from(embeddings.rows).unwrap_or(usize::MAX),
            rope_dimensions: size_or(metadata, "llama.rope.dimension_count", head)?,
            rope_base: metadata.float("llama.rope.freq_base").unwrap_or(10_000.0),
            rope_scale: rope_scale(metadata)?,
            norm_epsilon: epsilon(metadata)?,
        };
        config.check(metadata)?;
        Ok(config)
    }

    fn check(&self, metadata: &Metadata) -> Result<(), Error> {
        let value_length = size_or(metadata, "llama.attention.value_length", self.head)?;
        let sound = self.heads.is_multiple_of(self.kv_heads)
            && self.rope_dimensions <= self.head
            && self.rope_dimensions.is_multiple_of(2)
            && self.rope_base.is_finite()
            && self.rope_base >= 1.0
            && self.vocabulary <= 1 << 24;
        if !sound {
            return Err(Error::file(format!("the sizes in the metadata do not fit each other: {self:?}")));
        }
        let supported = self.head.is_multiple_of(16)
            && value_length == self.head
            && self.embedding.is_multiple_of(32)
            && self.feed_forward.is_multiple_of(32)
            && (self.heads * self.head).is_multiple_of(32);
        if !supported {
            return Err(Error::unsupported(format!(
                "sizes that are not multiples of 32, or heads of {} and {value_length} numbers, are not run here",
                self.head
            )));
        }
        Ok(())
    }

    /// Outputs of the joined projection of queries, keys and values.
    pub(crate) fn projected(&self) -> usize {
        (self.heads + 2 * self.kv_heads) * self.head
    }
}

fn size(metadata: &Metadata, name: &str) -> Result<usize, Error> {
    match metadata.unsigned(name) {
        Some(value @ 1..=SIZE_MAX) => Ok(usize::try_from(value).unwrap_or(usize::MAX)),
        Some(value) => {
            Err(Error::file(format!("metadata `{name}` is {value}, which is not a sensible size")))
        }
        None => Err(Error::file(format!("metadata `{name}` is missing or not a number"))),
    }
}

fn size_or(metadata: &Metadata, name: &str, default: usize) -> Result<usize, Error> {
    if metadata.get(name).is_some() { size(metadata, name) } else { Ok(default) }
}

fn rope_scale(metadata: &Metadata) -> Result<f64, Error> {
    match metadata.text("llama.rope.scaling.type") {
        None | Some("none") => Ok(1.0),
        Some("linear") => match metadata.float("llama.rope.scaling.factor") {
            Some(factor) if factor.is_finite() && factor >= 1.0 => Ok(factor),
            _ => Err(Error::file("metadata `llama.rope.scaling.factor` is missing or below one")),
        },
        Some(other) => Err(Error::unsupported(format!("rope scaling `{other}` is not run here"))),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the file held a 32-bit float")]
fn epsilon(metadata: &Metadata) -> Result<f32, Error> {
    match metadata.float("llama.attention.layer_norm_rms_epsilon") {
        Some(epsilon) if (0.0..1.0).contains(&epsilon) => Ok(epsilon as f32),
        _ => Err(Error::file("metadata `llama.attention.layer_norm_rms_epsilon` is missing or not sensible")),
    }
}
