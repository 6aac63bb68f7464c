//! Weights from the file into tiles, one tensor at a time: the raw bytes of a tensor are dropped before
//! the next is read, so loading peaks at the packed weights and one raw tensor.

use std::io::{Read, Seek};

use super::adjust::Adjust;
use super::{Config, Rope};
use crate::Error;
use crate::gguf::{Gguf, Tensor, TensorType, dequantise};
use crate::kernels::Matrix;

/// The weights of one layer.
pub(crate) struct Layer {
    pub(crate) attention_norm: Vec<f32>,
    pub(crate) query: Matrix,
    pub(crate) key: Matrix,
    pub(crate) value: Matrix,
    pub(crate) adjust: Adjust,
    pub(crate) output: Matrix,
    pub(crate) feed_norm: Vec<f32>,
    pub(crate) gate: Matrix,
    pub(crate) up: Matrix,
    pub(crate) down: Matrix,
}

/// All weights of a model.
pub(crate) struct Weights {
    pub(crate) embeddings: Matrix,
    pub(crate) layers: Vec<Layer>,
    pub(crate) norm: Vec<f32>,
    /// Absent when the embeddings serve as the output too.
    pub(crate) output: Option<Matrix>,
    pub(crate) rope: Rope,
}

/// Tensors that change what a layer computes and that this engine does not apply.
const REFUSED: [&str; 5] = [
    "attn_output.bias",
    "ffn_gate_inp.weight",
    "attn_sinks.weight",
    "ffn_down.bias",
    "post_attention_norm.weight",
];
/// The same where the architecture has them not.
const BIAS: &str = "attn_q.bias";
const HEAD_NORM: &str = "attn_q_norm.weight";

impl Weights {
    /// Loads and packs everything.
    pub(crate) fn load(gguf: &Gguf, config: &Config, source: &mut (impl Read + Seek)) -> Result<Self, Error> {
        let mut loader = Loader { gguf, source };
        let factors = match gguf.tensor("rope_freqs.weight") {
            Some(_) => Some(loader.vector("rope_freqs.weight", config.rope_dimensions / 2)?),
            None => None,
        };
        let rope = Rope::new(config, factors.as_deref());
        let embeddings = loader.matrix("token_embd.weight", config.vocabulary, config.embedding)?;
        let output = match gguf.tensor("output.weight") {
            Some(_) => Some(loader.matrix("output.weight", config.vocabulary, config.embedding)?),
            None => None,
        };
        let norm = loader.vector("output_norm.weight", config.embedding)?;
        let mut layers = Vec::new();
        for layer in 0..config.layers {
            layers.push(loader.layer(config, &rope, layer)?);
        }
        Ok(Self { embeddings, layers, norm, output, rope })
    }

    /// The matrix that turns the last state into logits.
    pub(crate) fn head(&self) -> &Matrix {
        self.output.as_ref().unwrap_or(&self.embeddings)
    }

    /// The bytes of all matrices as packed.
    pub(crate) fn bytes(&self) -> usize {
        let layers = self.layers.iter().map(|layer| {
            let Layer { query, key, value, output, gate, up, down, .. } = layer;
            [query, key, value, output, gate, up, down].iter().map(|matrix| matrix.bytes()).sum::<usize>()
        });
        self.embeddings.bytes() + self.output.as_ref().map_or(0, Matrix::bytes) + layers.sum::<usize>()
    }
}

struct Loader<'a, S> {
    gguf: &'a Gguf,
    source: &'a mut S,
}

impl<S: Read + Seek> Loader<'_, S> {
    fn tensor(&self, name: &str, rows: usize, columns: usize) -> Result<&Tensor, Error> {
        let tensor =
            self.gguf.tensor(name).ok_or_else(|| Error::file(format!("the file has no tensor `{name}`")))?;
        if (tensor.rows, tensor.columns) != (rows as u64, columns as u64) {
            return Err(Error::file(format!(
                "tensor `{name}` is {} by {}, the metadata asks for {rows} by {columns}",
                tensor.rows, tensor.columns
            )));
        }
        Ok(tensor)
    }

    fn vector(&mut self, name: &str, length: usize) -> Result<Vec<f32>, Error> {
        let tensor = self.tensor(name, 1, length)?.clone();
        if !matches!(tensor.kind, TensorType::F32 | TensorType::F16 | TensorType::BF16) {
            return Err(Error::unsupported(format!("vector `{name}` is stored as {}", tensor.kind.name())));
        }
        Ok(dequantise(tensor.kind, &self.gguf.load(self.source, &tensor)?))
    }

    fn matrix(&mut self, name: &str, rows: usize, columns: usize) -> Result<Matrix, Error> {
        self.reordered(name, rows, columns, |row| row)
    }

    fn reordered(
        &mut self,
        name: &str,
        rows: usize,
        columns: usize,
        source_row: impl Fn(usize) -> usize,
    ) -> Result<Matrix, Error> {
        let tensor = self.tensor(name, rows, columns)?.clone();
        let bytes = self.gguf.load(self.source, &tensor)?;
        Matrix::pack(tensor.kind, &bytes, rows, columns, source_row)
    }

    fn adjust(&mut self, config: &Config, rope: &Rope, layer: usize) -> Result<Adjust, Error> {
        let name = |part: &str| format!("blk.{layer}.{part}");
        let (queries, sides) = (config.heads * config.head, config.kv_heads * config.head);
        // As the rows of the matrices, the numbers of a head follow the order of the rotation.
        let ordered = |vector: &[f32]| -> Vec<f32> {
            let in_head = |at: usize| at - at % config.head + rope.source(at % config.head);
            (0..vector.len()).map(|at| vector[in_head(at)]).collect()
        };
        let mut bias = Vec::new();
        if config.architecture.biases {
            bias.extend(ordered(&self.vector(&name("attn_q.bias"), queries)?));
            bias.extend(ordered(&self.vector(&name("attn_k.bias"), sides)?));
            bias.extend(self.vector(&name("attn_v.bias"), sides)?);
        }
        let norms = if config.architecture.head_norms {
            let query = ordered(&self.vector(&name("attn_q_norm.weight"), config.head)?);
            Some([query, ordered(&self.vector(&name("attn_k_norm.weight"), config.head)?)])
        } else {
            None
        };
        Ok(Adjust { bias, norms })
    }

    fn layer(&mut self, config: &Config, rope: &Rope, layer: usize) -> Result<Layer, Error> {
        let name = |part: &str| format!("blk.{layer}.{part}");
        let architecture = config.architecture;
        let foreign = [(BIAS, architecture.biases), (HEAD_NORM, architecture.head_norms)];
        let foreign = foreign.into_iter().filter(|(_, known)| !known).map(|(part, _)| part);
        let refused = REFUSED.into_iter().chain(foreign);
        if let Some(part) = refused.into_iter().find(|part| self.gguf.tensor(&name(part)).is_some()) {
            return Err(Error::unsupported(format!("tensor `{}` is not applied here", name(part))));
        }
        let (d, inner) = (config.embedding, config.feed_forward);
        let (queries, sides) = (config.heads * config.head, config.kv_heads * config.head);
        let in_head = |row: usize| row - row % config.head + rope.source(row % config.head);
        Ok(Layer {
            attention_norm: self.vector(&name("attn_norm.weight"), d)?,
            query: self.reordered(&name("attn_q.weight"), queries, d, in_head)?,
            key: self.reordered(&name("attn_k.weight"), sides, d, in_head)?,
            adjust: self.adjust(config, rope, layer)?,
            value: self.matrix(&name("attn_v.weight"), sides, d)?,
            output: self.matrix(&name("attn_output.weight"), d, queries)?,
            feed_norm: self.vector(&name("ffn_norm.weight"), d)?,
            gate: self.matrix(&name("ffn_gate.weight"), inner, d)?,
            up: self.matrix(&name("ffn_up.weight"), inner, d)?,
            down: self.matrix(&name("ffn_down.weight"), d, inner)?,
        })
    }
}
