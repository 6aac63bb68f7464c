//! The sizes of a model, from the file's metadata, checked before anything is made of them.

use super::architecture::{self, Architecture};
use crate::Error;
use crate::gguf::{Gguf, Metadata};

/// The hyperparameters of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// What kind of model it is.
    pub architecture: &'static Architecture,
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
    /// Positions that a token sees at most, its own among them; without a window `usize::MAX`.
    pub window: usize,
    /// Keeps the norm from dividing by zero.
    pub norm_epsilon: f32,
}

/// More than any published model has; keeps the arithmetic on sizes far from overflow.
const SIZE_MAX: u64 = 1 << 22;

impl Config {
    /// Reads the sizes of a file of a known architecture; others are refused by name.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self, Error> {
        let metadata = gguf.metadata();
        let Some(name) = metadata.text("general.architecture") else {
            return Err(Error::file("the file does not name its architecture"));
        };
        let architecture = architecture::find(name)?;
        let key = |key: &str| format!("{name}.{key}");
        if metadata.unsigned(&key("expert_count")).is_some_and(|count| count > 0) {
            return Err(Error::unsupported("mixtures of experts are not run here"));
        }
        let embeddings = gguf
            .tensor("token_embd.weight")
            .ok_or_else(|| Error::file("the file has no tensor `token_embd.weight`"))?;
        let embedding = size(metadata, &key("embedding_length"))?;
        let heads = size(metadata, &key("attention.head_count"))?;
        let kv_heads = size_or(metadata, &key("attention.head_count_kv"), heads)?;
        let head = size_or(metadata, &key("attention.key_length"), embedding / heads)?;
        let config = Self {
            architecture,
            layers: size(metadata, &key("block_count"))?,
            embedding,
            feed_forward: size(metadata, &key("feed_forward_length"))?,
            heads,
            kv_heads,
            head,
            context: size(metadata, &key("context_length"))?,
            vocabulary: usize::try_from(embeddings.rows).unwrap_or(usize::MAX),
            rope_dimensions: size_or(metadata, &key("rope.dimension_count"), head)?,
            rope_base: metadata.float(&key("rope.freq_base")).unwrap_or(10_000.0),
            rope_scale: rope_scale(metadata, name)?,
            window: size_or(metadata, &key("attention.sliding_window"), usize::MAX)?,
            norm_epsilon: epsilon(metadata, name)?,
        };
        config.check(size_or(metadata, &key("attention.value_length"), head)?)?;
        Ok(config)
    }

    fn check(&self, value_length: usize) -> Result<(), Error> {
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

fn rope_scale(metadata: &Metadata, name: &str) -> Result<f64, Error> {
    let factor = format!("{name}.rope.scaling.factor");
    match metadata.text(&format!("{name}.rope.scaling.type")) {
        None | Some("none") => Ok(1.0),
        Some("linear") => match metadata.float(&factor) {
            Some(factor) if factor.is_finite() && factor >= 1.0 => Ok(factor),
            _ => Err(Error::file(format!("metadata `{factor}` is missing or below one"))),
        },
        Some(other) => Err(Error::unsupported(format!("rope scaling `{other}` is not run here"))),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the file held a 32-bit float")]
fn epsilon(metadata: &Metadata, name: &str) -> Result<f32, Error> {
    let key = format!("{name}.attention.layer_norm_rms_epsilon");
    match metadata.float(&key) {
        Some(epsilon) if (0.0..1.0).contains(&epsilon) => Ok(epsilon as f32),
        _ => Err(Error::file(format!("metadata `{key}` is missing or not sensible"))),
    }
}
