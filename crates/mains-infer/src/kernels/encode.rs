//! The safe face of what a text encoder does: products with biases, attention of whole texts, layer norm.

use std::ops::Range;

use super::lanes::Lanes;
use super::panels::{Finish, LANES, Panels, Product};
use super::pool::Shared;
use super::{Kernels, PIECES_PER_THREAD, rows};
use crate::Error;

/// Rows of scores at once: they stay in the first-level cache beside the keys.
const SCORE_ROWS: usize = 16;

/// A product's weights, and what is added to its sums.
pub(crate) struct Dense {
    weights: Panels,
    bias: Vec<f32>,
}

impl Dense {
    /// The bytes that the packed weights take.
    pub(crate) fn bytes(&self) -> usize {
        self.weights.bytes() + self.bias.len() * size_of::<f32>()
    }
}

/// The heads of attention.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heads {
    /// How many.
    pub(crate) count: usize,
    /// Numbers in each: a multiple of sixteen.
    pub(crate) size: usize,
}

/// Weight and bias of a layer norm, and what keeps it from dividing by nothing.
pub(crate) struct LayerNorm {
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) epsilon: f32,
}

impl Kernels {
    /// Packs weights as this instruction set likes them. `rows` has a row of `inputs` numbers per output.
    pub(crate) fn pack(&self, rows: &[f32], inputs: usize, bias: Vec<f32>) -> Result<Dense, Error> {
        let weights = Panels::pack(rows, bias.len(), inputs, self.vectors())?;
        Ok(Dense { weights, bias })
    }

    /// Vectors side by side in a panel.
    fn vectors(&self) -> usize {
        let mut vectors = 1;
        let to = &mut vectors;
        let set = self.set;
        dispatch!(set, vectors_of(to: &mut usize));
        vectors
    }

    /// `out = finish(input * weights + bias)`, row by row.
    pub(crate) fn dense(&mut self, input: &[f32], dense: &Dense, finish: Finish, out: &mut [f32]) {
        let Dense { weights, bias } = dense;
        let (inputs, outputs) = (weights.inputs(), weights.outputs());
        let count = input.len() / inputs;
        assert!(input.len() == count * inputs && out.len() == count * outputs, "whole rows");
        assert!(bias.len() == outputs, "a bias for each output");
        let product = &Product {
            rows: input.as_ptr(),
            row_count: count,
            row_stride: inputs,
            inputs,
            panels: weights.floats(),
            vectors: outputs / LANES,
            width: weights.width,
            bias: bias.as_ptr(),
            out: out.as_mut_ptr(),
            out_stride: outputs,
            finish,
        };
        let panels = weights.count();
        let pieces = if self.pool.threads() == 1 { 1 } else { self.pool.threads() * PIECES_PER_THREAD };
        let pieces = pieces.min(panels);
        let set = self.set;
        self.pool.run(pieces, &|_, piece| {
            let range = &(panels * piece / pieces..panels * (piece + 1) / pieces);
            dispatch!(set, product_panels(product: &Product, range: &Range<usize>));
        });
    }

    /// `state = norm(state + change)`, token by token: mean zero, variance one, then weight and bias.
    pub(crate) fn layer_norm(&mut self, state: &mut [f32], change: Option<&[f32]>, norm: &LayerNorm) {
        let width = norm.weight.len();
        let count = state.len() / width;
        assert!(state.len() == count * width && change.is_none_or(|change| change.len() == state.len()));
        let (shared, set) = (Shared(state.as_mut_ptr()), self.set);
        self.pool.run(count, &|_, token| {
            // SAFETY: each token is one thread's, and `state` holds `count` tokens.
            let state = unsafe { std::slice::from_raw_parts_mut(shared.get().add(token * width), width) };
            let change = change.map(|change| &change[token * width..][..width]);
            dispatch!(set, layer_norm_token(state: &mut [f32], change: Option<&[f32]>, norm: &LayerNorm));
        });
    }

    /// Attention within each text: every token looks at all tokens of its own text. A row of `projected` holds
    /// queries (already scaled), keys and values of all heads; `texts` are ranges of rows.
    pub(crate) fn attend_texts(
        &mut self,
        projected: &[f32],
        texts: &[Range<usize>],
        heads: Heads,
        out: &mut [f32],
    ) {
        let width = heads.count * heads.size;
        let count = out.len() / width;
        assert!(heads.size.is_multiple_of(LANES) && out.len() == count * width, "whole heads");
        assert!(projected.len() == count * 3 * width, "queries, keys and values");
        let mut free_from = 0;
        for text in texts {
            assert!(
                text.start >= free_from && text.start < text.end && text.end <= count,
                "texts do not meet"
            );
            free_from = text.end;
        }
        let longest = texts.iter().map(ExactSizeIterator::len).max().unwrap_or(0);
        let padded = longest.next_multiple_of(LANES);
        for scratch in &mut self.scratch {
            let wanted = (padded + longest) * heads.size + padded.max(heads.size) + SCORE_ROWS * padded;
            scratch.resize(wanted.max(scratch.len()), 0.0);
        }
        let scratch: Vec<_> = self.scratch.iter_mut().map(|s| (Shared(s.as_mut_ptr()), s.len())).collect();
        let vectors = self.vectors();
        let (out, set) = (Shared(out.as_mut_ptr()), self.set);
        self.pool.run(texts.len() * heads.count, &|thread, index| {
            let (text, head) = (texts[index / heads.count].clone(), index % heads.count);
            let (start, length) = scratch[thread];
            // SAFETY: each thread has its own scratch.
            let scratch = unsafe { std::slice::from_raw_parts_mut(start.get(), length) };
            let task = &Attention { projected, width, heads, head, text, vectors, out };
            dispatch!(set, attend_text(task: &Attention<'_>, scratch: &mut [f32]));
        });
    }
}

/// Attention of one head within one text.
struct Attention<'a> {
    projected: &'a [f32],
    width: usize,
    heads: Heads,
    head: usize,
    text: Range<usize>,
    vectors: usize,
    out: Shared<f32>,
}

impl Attention<'_> {
    /// The keys of each panel, input after input; missing positions are zero.
    fn pack_keys(&self, keys: &mut [f32]) {
        let (size, length) = (self.heads.size, self.text.len());
        let vectors = length.div_ceil(LANES);
        for first in (0..vectors).step_by(self.vectors) {
            let lanes = self.vectors.min(vectors - first) * LANES;
            let panel = &mut keys[first * LANES * size..][..lanes * size];
            for lane in 0..lanes {
                let position = first * LANES + lane;
                let places = panel[lane..].iter_mut().step_by(lanes);
                if position < length {
                    let at = (self.text.start + position) * 3 * self.width + self.width + self.head * size;
                    places.zip(&self.projected[at..][..size]).for_each(|(to, key)| *to = *key);
                } else {
                    places.for_each(|to| *to = 0.0);
                }
            }
        }
    }

    /// The values of each panel, position after position.
    fn pack_values(&self, values: &mut [f32]) {
        let (size, length) = (self.heads.size, self.text.len());
        for first in (0..size).step_by(self.vectors * LANES) {
            let lanes = (self.vectors * LANES).min(size - first);
            let panel = &mut values[first * length..][..lanes * length];
            for (position, to) in panel.chunks_exact_mut(lanes).enumerate() {
                let at = (self.text.start + position) * 3 * self.width + 2 * self.width;
                to.copy_from_slice(&self.projected[at + self.head * size + first..][..lanes]);
            }
        }
    }
}

#[inline(always)]
unsafe fn vectors_of<L: Lanes>(to: &mut usize) {
    *to = L::VECTORS;
}

#[inline(always)]
unsafe fn product_panels<L: Lanes>(product: &Product, range: &Range<usize>) {
    // SAFETY: the range is one thread's, so are the outputs of its panels; sizes were checked.
    unsafe { product.run::<L>(range.clone()) }
}

#[inline(always)]
unsafe fn layer_norm_token<L: Lanes>(state: &mut [f32], change: Option<&[f32]>, norm: &LayerNorm) {
    // SAFETY: handed on.
    unsafe { rows::layer_norm::<L>(state, change, &norm.weight, &norm.bias, norm.epsilon) }
}

#[inline(always)]
unsafe fn attend_text<L: Lanes>(task: &Attention<'_>, scratch: &mut [f32]) {
    let (size, length) = (task.heads.size, task.text.len());
    let padded = length.next_multiple_of(LANES);
    let (keys, rest) = scratch.split_at_mut(padded * size);
    let (values, rest) = rest.split_at_mut(length * size);
    let (zeros, rest) = rest.split_at_mut(padded.max(size));
    zeros.fill(0.0);
    let scores = &mut rest[..SCORE_ROWS * padded];
    task.pack_keys(keys);
    task.pack_values(values);
    for first in (0..length).step_by(SCORE_ROWS) {
        let row_count = SCORE_ROWS.min(length - first);
        let queries = &task.projected[(task.text.start + first) * 3 * task.width + task.head * size..];
        let by_keys = Product {
            rows: queries.as_ptr(),
            row_count,
            row_stride: 3 * task.width,
            inputs: size,
            panels: keys.as_ptr(),
            vectors: padded / LANES,
            width: task.vectors,
            bias: zeros.as_ptr(),
            out: scores.as_mut_ptr(),
            out_stride: padded,
            finish: Finish::Keep,
        };
        // SAFETY: the pointers are of slices that hold what the sizes say; the outputs of this head and these
        // rows are this task's alone.
        unsafe {
            by_keys.run::<L>(0..(padded / LANES).div_ceil(task.vectors));
            for row in scores.chunks_exact_mut(padded).take(row_count) {
                let sum = rows::exponentials::<L>(row.as_mut_ptr(), length);
                rows::scale::<L>(row, 1.0 / sum);
            }
            let by_values = Product {
                rows: scores.as_ptr(),
                row_stride: padded,
                inputs: length,
                panels: values.as_ptr(),
                vectors: size / LANES,
                out: task.out.get().add((task.text.start + first) * task.width + task.head * size),
                out_stride: task.width,
                ..by_keys
            };
            by_values.run::<L>(0..(size / LANES).div_ceil(task.vectors));
        }
    }
}
