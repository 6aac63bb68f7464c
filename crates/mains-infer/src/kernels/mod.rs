//! The only folder with `unsafe`: what the processor must do fast.
//!
//! Read `lanes` (the operations), `plain` (what they mean), `matrix` (tiles; `packing`, `products`), `attention`,
//! `panels` and `encode` (the same for text encoders), `rows`, `pool`; `avx2` and `avx512` are the same
//! operations as instructions. This file and `encode` are the safe face: they check sizes, pick the
//! instruction set and spread work over the threads.
#![expect(unsafe_code, reason = "instructions of the processor and threads that share buffers need it")]
#![expect(
    clippy::inline_always,
    reason = "an instruction set is enabled at the entry alone; what is not inlined there would not have it"
)]
#![expect(
    clippy::cast_ptr_alignment,
    reason = "loads and stores are the unaligned ones, and lines of weights begin at 64 bytes"
)]
#![expect(
    clippy::cast_possible_truncation,
    reason = "bytes from floats that were scaled into their range, and lanes below 2^31"
)]

/// Calls a generic function under the instruction set that was chosen: one entry per set, in which the
/// set's features are enabled and everything below is inlined.
macro_rules! dispatch {
    ($set:expr, $body:ident($($name:ident: $kind:ty),*)) => {{
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,f16c")]
        unsafe fn with_avx2($($name: $kind),*) {
            // SAFETY: the features are enabled here.
            unsafe { $body::<$crate::kernels::avx2::Avx2>($($name),*) }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")]
        unsafe fn with_avx512($($name: $kind),*) {
            // SAFETY: the features are enabled here.
            unsafe { $body::<$crate::kernels::avx512::Avx512>($($name),*) }
        }
        // SAFETY: `Kernels::new` accepts only sets that the processor has.
        unsafe {
            match $set {
                #[cfg(target_arch = "x86_64")]
                $crate::kernels::InstructionSet::Avx2 => with_avx2($($name),*),
                #[cfg(target_arch = "x86_64")]
                $crate::kernels::InstructionSet::Avx512 => with_avx512($($name),*),
                _ => $body::<$crate::kernels::plain::Plain>($($name),*),
            }
        }
    }};
}

mod activations;
mod attention;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod encode;
mod lanes;
mod matrix;
mod packing;
#[cfg(test)]
mod panel_tests;
mod panels;
mod plain;
mod pool;
mod products;
mod rows;
#[cfg(test)]
mod tests;

pub(crate) use activations::Activations;
pub(crate) use attention::{Cache, Shape};
pub(crate) use encode::{Dense, Heads, LayerNorm};
pub(crate) use matrix::{Input, Matrix};
pub(crate) use panels::Finish;

use std::ops::Range;

use activations::Places;
use attention::Task;
use lanes::Lanes;
use pool::{Pool, Shared};

use crate::Error;

/// Which instructions the kernels use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum InstructionSet {
    /// Whatever the compiler makes of plain code.
    Plain,
    /// AVX2 with FMA and F16C.
    Avx2,
    /// AVX-512 F, BW, VL and VNNI.
    Avx512,
}

impl InstructionSet {
    /// Those that this processor has, the best last.
    pub fn available() -> Vec<Self> {
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "only x86-64 adds to it"))]
        let mut sets = vec![Self::Plain];
        #[cfg(target_arch = "x86_64")]
        {
            let base = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
                && is_x86_feature_detected!("f16c");
            if base {
                sets.push(Self::Avx2);
            }
            let wide = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vnni");
            if base && wide {
                sets.push(Self::Avx512);
            }
        }
        sets
    }
}

/// The kernels of one engine: an instruction set, threads and their scratch.
pub(crate) struct Kernels {
    set: InstructionSet,
    pool: Pool,
    scratch: Vec<Vec<f32>>,
}

impl Kernels {
    /// Kernels for this many threads, on the best instruction set or the one given.
    pub(crate) fn new(threads: usize, set: Option<InstructionSet>) -> Result<Self, Error> {
        let available = InstructionSet::available();
        let best = available.last().copied().unwrap_or(InstructionSet::Plain);
        let set = set.unwrap_or(best);
        if !available.contains(&set) {
            return Err(Error::unsupported(format!("this processor does not have {set:?}")));
        }
        let pool = Pool::new(threads).map_err(|e| Error::io("cannot start a thread of the engine", &e))?;
        Ok(Self { set, scratch: vec![Vec::new(); pool.threads()], pool })
    }

    /// The instruction set in use.
    pub(crate) fn set(&self) -> InstructionSet {
        self.set
    }

    /// Normalises each token of `x` into `out` and quantises the result.
    pub(crate) fn norm(
        &mut self,
        x: &[f32],
        weight: &[f32],
        epsilon: f32,
        out: &mut [f32],
        quantised: &mut Activations,
    ) {
        let columns = weight.len();
        let count = x.len() / columns;
        assert!(x.len() == count * columns && out.len() == x.len(), "whole tokens");
        quantised.resize(count, columns);
        let (places, shared, set) = (&quantised.places(), Shared(out.as_mut_ptr()), self.set);
        self.pool.run(count, &|_, token| {
            let x = &x[token * columns..][..columns];
            // SAFETY: each token is one thread's, and `out` holds `count` tokens.
            let out = unsafe { std::slice::from_raw_parts_mut(shared.get().add(token * columns), columns) };
            dispatch!(set, norm_token(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32],
                places: &Places, token: usize));
        });
    }

    /// Quantises each token of `x`.
    pub(crate) fn quantise(&mut self, x: &[f32], columns: usize, quantised: &mut Activations) {
        let count = x.len() / columns;
        quantised.resize(count, columns);
        let (places, set) = (&quantised.places(), self.set);
        self.pool.run(count, &|_, token| {
            let x = &x[token * columns..][..columns];
            dispatch!(set, quantise_token(x: &[f32], places: &Places, token: usize));
        });
    }

    /// The gate of the feed-forward part: each token of `both` is a gate and then an up half.
    pub(crate) fn gate(
        &mut self,
        both: &[f32],
        columns: usize,
        out: &mut [f32],
        quantised: &mut Activations,
    ) {
        let count = out.len() / columns;
        assert!(both.len() == count * 2 * columns && out.len() == count * columns, "whole tokens");
        quantised.resize(count, columns);
        let (places, shared, set) = (&quantised.places(), Shared(out.as_mut_ptr()), self.set);
        self.pool.run(count, &|_, token| {
            let both = &both[token * 2 * columns..][..2 * columns];
            // SAFETY: each token is one thread's, and `out` holds `count` tokens.
            let out = unsafe { std::slice::from_raw_parts_mut(shared.get().add(token * columns), columns) };
            dispatch!(set, gate_token(both: &[f32], out: &mut [f32], places: &Places, token: usize));
        });
    }

    /// Products of several matrices with the same input, side by side in each row of `out`, in one round
    /// of the threads.
    pub(crate) fn multiply(&mut self, input: Input<'_>, matrices: &[&Matrix], out: &mut [f32]) {
        let count = input.activations.count();
        let columns = input.activations.columns();
        let width: usize = matrices.iter().map(|matrix| matrix.rows()).sum();
        assert!(input.floats.len() == count * columns && out.len() == count * width, "sizes agree");
        assert!(matrices.iter().all(|matrix| matrix.columns() == columns), "columns agree");
        let tiles: usize = matrices.iter().map(|matrix| matrix.tiles()).sum();
        // Long enough that a stream of weights gets going, short enough to share the end fairly.
        let pieces = (self.pool.threads() * PIECES_PER_THREAD).min(tiles);
        let (set, out) = (self.set, Shared(out.as_mut_ptr()));
        self.pool.run(pieces, &|_, piece| {
            let range = &(tiles * piece / pieces..tiles * (piece + 1) / pieces);
            dispatch!(set, multiply_tiles(matrices: &[&Matrix], range: &Range<usize>, input: Input<'_>,
                out: Shared<f32>, width: usize));
        });
    }

    /// Stores keys and values of `count` tokens from rows of queries, keys and values.
    pub(crate) fn store(
        &mut self,
        cache: &mut Cache,
        layer: usize,
        first: usize,
        rows: &[f32],
        width: usize,
    ) {
        let set = self.set;
        let side = cache.shape.kv_heads * cache.shape.head;
        for (token, row) in rows.chunks_exact(width).enumerate() {
            let (keys, values) = row[width - 2 * side..].split_at(side);
            let position = first + token;
            dispatch!(set, put_token(cache: &mut Cache, layer: usize, position: usize, keys: &[f32], values: &[f32]));
        }
    }

    /// Attention of the tokens of several sequences; `rows` begin with the queries, `width` apart, the sequences one
    /// after the other. All tokens of one call are one round of the threads.
    pub(crate) fn attend(
        &mut self,
        layer: usize,
        parts: &[Part<'_>],
        rows: &[f32],
        width: usize,
        out: &mut [f32],
    ) {
        let Some(shape) = parts.first().map(|part| part.cache.shape) else { return };
        let count: usize = parts.iter().map(|part| part.count).sum();
        let side = shape.heads * shape.head;
        assert!(width >= side && rows.len() == count * width && out.len() == count * side, "whole tokens");
        let fits = |part: &Part<'_>| {
            part.first + part.count <= part.cache.shape.context && part.cache.shape.like(&shape)
        };
        assert!(parts.iter().all(fits), "every token has a position, and all sequences are of one model");
        let room = parts.iter().map(|part| part.cache.scratch()).max().unwrap_or(0);
        for scratch in &mut self.scratch {
            scratch.resize(room.max(scratch.len()), 0.0);
        }
        let scratch: Vec<Shared<f32>> = self.scratch.iter_mut().map(|s| Shared(s.as_mut_ptr())).collect();
        let (out, queries) = (Shared(out.as_mut_ptr()), Shared(rows.as_ptr().cast_mut()));
        let mut tasks = Vec::new();
        let mut before = 0;
        for part in parts {
            // The last tokens see most, so they are begun first.
            for group in (0..part.count.div_ceil(TOKENS_PER_TASK)).rev() {
                let start = group * TOKENS_PER_TASK;
                tasks.push((part, before, start..(start + TOKENS_PER_TASK).min(part.count)));
            }
            before += part.count;
        }
        let set = self.set;
        self.pool.run(tasks.len() * shape.kv_heads, &|thread, index| {
            let (part, before, tokens) = &tasks[index / shape.kv_heads];
            // SAFETY: the rows of this part begin within the rows and outputs, as the sizes above say.
            let (queries, out) =
                unsafe { (Shared(queries.get().add(before * width)), Shared(out.get().add(before * side))) };
            let task = &Task {
                layer,
                kv_head: index % shape.kv_heads,
                tokens: tokens.clone(),
                first: part.first,
                scale: 1.0 / (shape.head as f32).sqrt(),
                queries,
                query_stride: width,
                out,
            };
            let (cache, scores) = (part.cache, scratch[thread].get());
            dispatch!(set, attend_task(cache: &Cache, task: &Task, scores: *mut f32));
        });
    }
}

/// The tokens of one sequence in a call for attention: its cache, the position of the first of them, how many.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) cache: &'a Cache,
    pub(crate) first: usize,
    pub(crate) count: usize,
}

/// Pieces of a product per thread.
const PIECES_PER_THREAD: usize = 6;
/// Tokens of one task of attention: with three heads a group, four panels of six rows.
const TOKENS_PER_TASK: usize = 8;

#[inline(always)]
unsafe fn norm_token<L: Lanes>(
    x: &[f32],
    weight: &[f32],
    epsilon: f32,
    out: &mut [f32],
    places: &Places,
    token: usize,
) {
    // SAFETY: handed on.
    unsafe {
        rows::norm::<L>(x, weight, epsilon, out);
        places.quantise::<L>(token, out);
    }
}

#[inline(always)]
unsafe fn quantise_token<L: Lanes>(x: &[f32], places: &Places, token: usize) {
    // SAFETY: handed on.
    unsafe { places.quantise::<L>(token, x) }
}

#[inline(always)]
unsafe fn gate_token<L: Lanes>(both: &[f32], out: &mut [f32], places: &Places, token: usize) {
    let (gate, up) = both.split_at(both.len() / 2);
    // SAFETY: handed on.
    unsafe {
        rows::gate::<L>(gate, up, out);
        places.quantise::<L>(token, out);
    }
}

#[inline(always)]
unsafe fn multiply_tiles<L: Lanes>(
    matrices: &[&Matrix],
    range: &Range<usize>,
    input: Input<'_>,
    out: Shared<f32>,
    width: usize,
) {
    let (mut before, mut row) = (0, 0);
    for matrix in matrices {
        let start = range.start.max(before);
        let end = range.end.min(before + matrix.tiles());
        for tile in start..end {
            // SAFETY: the range is one thread's, so are the outputs of its tiles; sizes were checked.
            unsafe { matrix.tile::<L>(tile - before, input, out.get().add(row), width) }
        }
        before += matrix.tiles();
        row += matrix.rows();
    }
}

#[inline(always)]
unsafe fn put_token<L: Lanes>(
    cache: &mut Cache,
    layer: usize,
    position: usize,
    keys: &[f32],
    values: &[f32],
) {
    // SAFETY: handed on.
    unsafe { cache.put::<L>(layer, position, keys, values) }
}

#[inline(always)]
unsafe fn attend_task<L: Lanes>(cache: &Cache, task: &Task, scores: *mut f32) {
    // SAFETY: handed on; tasks differ in tokens or heads, so their outputs do not meet.
    unsafe { cache.attend::<L>(task, scores) }
}
