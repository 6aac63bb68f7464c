//! What some architectures do to queries, keys and values between their product and the rotation.

use super::Config;

/// The parts of a layer's attention that not every architecture has.
pub(crate) struct Adjust {
    /// What is added to a row of queries, keys and values; empty where nothing is.
    pub(crate) bias: Vec<f32>,
    /// The weights of the norms of a head of queries and of a head of keys.
    pub(crate) norms: Option<[Vec<f32>; 2]>,
}

impl Adjust {
    /// Adds the biases and norms the heads, in rows of queries, keys and values.
    pub(crate) fn apply(&self, config: &Config, projected: &mut [f32]) {
        if !self.bias.is_empty() {
            for row in projected.chunks_exact_mut(self.bias.len()) {
                for (number, bias) in row.iter_mut().zip(&self.bias) {
                    *number += bias;
                }
            }
        }
        let Some([query, key]) = &self.norms else { return };
        let (queries, keys) = (config.heads * config.head, config.kv_heads * config.head);
        for row in projected.chunks_exact_mut(config.projected()) {
            for head in row[..queries].chunks_exact_mut(config.head) {
                norm(head, query, config.norm_epsilon);
            }
            for head in row[queries..queries + keys].chunks_exact_mut(config.head) {
                norm(head, key, config.norm_epsilon);
            }
        }
    }
}

/// The root-mean-square norm of one head: a few dozen numbers, which need no instruction set.
fn norm(head: &mut [f32], weight: &[f32], epsilon: f32) {
    let mean = head.iter().map(|x| x * x).sum::<f32>() / head.len() as f32;
    let factor = 1.0 / (mean + epsilon).sqrt();
    for (x, weight) in head.iter_mut().zip(weight) {
        *x *= factor * weight;
    }
}
