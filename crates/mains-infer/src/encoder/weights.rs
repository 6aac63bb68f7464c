//! Weights from the file into panels, one tensor at a time.

use std::io::{Read, Seek};

use super::EncoderConfig;
use crate::Error;
use crate::kernels::{Dense, Kernels, LayerNorm};
use crate::safetensors::Safetensors;

/// The weights of one layer.
pub(super) struct Layer {
    /// Queries (scaled for attention), keys and values side by side.
    pub(super) projection: Dense,
    pub(super) output: Dense,
    pub(super) output_norm: LayerNorm,
    pub(super) up: Dense,
    pub(super) down: Dense,
    pub(super) down_norm: LayerNorm,
}

/// All weights of an encoder.
pub(super) struct Weights {
    /// A row of `width` numbers per token.
    pub(super) tokens: Vec<f32>,
    /// A row per position, the embedding of the first kind of segment added to each.
    pub(super) positions: Vec<f32>,
    pub(super) norm: LayerNorm,
    pub(super) layers: Vec<Layer>,
}

impl Weights {
    /// Loads and packs everything.
    pub(super) fn load(
        config: &EncoderConfig,
        kernels: &Kernels,
        file: &Safetensors,
        source: &mut (impl Read + Seek),
    ) -> Result<Self, Error> {
        let mut loader = Loader { config, kernels, file, source };
        let width = config.width;
        let tokens = loader.floats("embeddings.word_embeddings.weight", &[config.vocabulary, width])?;
        let mut positions =
            loader.floats("embeddings.position_embeddings.weight", &[config.positions, width])?;
        let segments = loader.floats("embeddings.token_type_embeddings.weight", &[2, width])?;
        for position in positions.chunks_exact_mut(width) {
            position.iter_mut().zip(&segments).for_each(|(position, segment)| *position += segment);
        }
        let norm = loader.norm("embeddings.LayerNorm")?;
        let layers = (0..config.layers).map(|layer| loader.layer(layer)).collect::<Result<_, _>>()?;
        Ok(Self { tokens, positions, norm, layers })
    }

    /// The bytes of all weights as packed.
    pub(super) fn bytes(&self) -> usize {
        let layers = self.layers.iter().map(|layer| {
            let Layer { projection, output, up, down, .. } = layer;
            projection.bytes() + output.bytes() + up.bytes() + down.bytes()
        });
        (self.tokens.len() + self.positions.len()) * size_of::<f32>() + layers.sum::<usize>()
    }
}

struct Loader<'a, S> {
    config: &'a EncoderConfig,
    kernels: &'a Kernels,
    file: &'a Safetensors,
    source: &'a mut S,
}

impl<S: Read + Seek> Loader<'_, S> {
    fn floats(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, Error> {
        self.file.floats(self.source, name, shape)
    }

    fn norm(&mut self, name: &str) -> Result<LayerNorm, Error> {
        let width = self.config.width;
        Ok(LayerNorm {
            weight: self.floats(&format!("{name}.weight"), &[width])?,
            bias: self.floats(&format!("{name}.bias"), &[width])?,
            epsilon: self.config.norm_epsilon,
        })
    }

    fn matrix(&mut self, name: &str, outputs: usize, inputs: usize) -> Result<(Vec<f32>, Vec<f32>), Error> {
        let weights = self.floats(&format!("{name}.weight"), &[outputs, inputs])?;
        Ok((weights, self.floats(&format!("{name}.bias"), &[outputs])?))
    }

    fn dense(&mut self, name: &str, outputs: usize, inputs: usize) -> Result<Dense, Error> {
        let (weights, bias) = self.matrix(name, outputs, inputs)?;
        self.kernels.pack(&weights, inputs, bias)
    }

    fn projection(&mut self, name: &str) -> Result<Dense, Error> {
        let width = self.config.width;
        let (mut weights, mut bias) = self.matrix(&format!("{name}.query"), width, width)?;
        // The division of the scores by the root of a head's size, done once here.
        let scale = 1.0 / ((width / self.config.heads) as f32).sqrt();
        weights.iter_mut().chain(&mut bias).for_each(|weight| *weight *= scale);
        for side in ["key", "value"] {
            let (more, more_bias) = self.matrix(&format!("{name}.{side}"), width, width)?;
            weights.extend(more);
            bias.extend(more_bias);
        }
        self.kernels.pack(&weights, width, bias)
    }

    fn layer(&mut self, layer: usize) -> Result<Layer, Error> {
        let EncoderConfig { width, inner, .. } = *self.config;
        let name = |part: &str| format!("encoder.layer.{layer}.{part}");
        Ok(Layer {
            projection: self.projection(&name("attention.self"))?,
            output: self.dense(&name("attention.output.dense"), width, width)?,
            output_norm: self.norm(&name("attention.output.LayerNorm"))?,
            up: self.dense(&name("intermediate.dense"), inner, width)?,
            down: self.dense(&name("output.dense"), width, inner)?,
            down_norm: self.norm(&name("output.LayerNorm"))?,
        })
    }
}
