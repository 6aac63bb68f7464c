//! The cache of keys and values, and attention over it.
//!
//! Keys lie in blocks of sixteen positions, dimension by dimension, so that a score is a lane and no sum
//! runs across a register; values lie position by position. Both are 16-bit floats: at depth 512 the
//! cache of a small model is a tenth of what a token reads, as 32-bit floats it would be a fifth.

use super::lanes::Lanes;
use super::rows::exponentials;
use crate::Error;

/// Keys, or values, that a cache holds at most: 64 GiB of them.
const CACHE_NUMBERS_MAX: usize = 1 << 35;

/// Positions in a block of keys.
const STRIP: usize = 16;

/// The sizes of attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Layers of the model.
    pub(crate) layers: usize,
    /// Heads of queries.
    pub(crate) heads: usize,
    /// Heads of keys and values; each serves `heads / kv_heads` heads of queries.
    pub(crate) kv_heads: usize,
    /// Numbers in a head: a multiple of sixteen.
    pub(crate) head: usize,
    /// Positions that the cache holds at most.
    pub(crate) context: usize,
    /// Positions that a token sees at most, its own among them.
    pub(crate) window: usize,
}

impl Shape {
    /// Whether both are of one model: they differ in the positions that they hold at most.
    pub(crate) fn like(&self, other: &Self) -> bool {
        Self { context: other.context, ..*self } == *other
    }
}

/// Keys and values of one sequence. The memory of positions not yet written is not touched.
pub(crate) struct Cache {
    pub(super) shape: Shape,
    padded: usize,
    keys: Vec<u16>,
    values: Vec<u16>,
}

impl Cache {
    /// An empty cache. Its pages are zero and untouched until positions are written.
    pub(crate) fn new(shape: Shape) -> Result<Self, Error> {
        let Shape { layers, heads, kv_heads, head, context, window } = shape;
        if window == 0 || head == 0 || head % 16 != 0 || kv_heads == 0 || heads % kv_heads != 0 {
            return Err(Error::unsupported(format!(
                "{heads} heads of {head} over {kv_heads} are not run here"
            )));
        }
        let padded = context.next_multiple_of(STRIP);
        let length = [kv_heads, padded, head].iter().try_fold(layers, |size, &side| size.checked_mul(side));
        match length {
            Some(length) if length <= CACHE_NUMBERS_MAX => {
                Ok(Self { shape, padded, keys: vec![0; length], values: vec![0; length] })
            }
            _ => Err(Error::request(format!("a context of {context} tokens needs too large a cache"))
                .hint("ask for a smaller context")),
        }
    }

    /// The sizes it was made for.
    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// The bytes it may come to take.
    pub(crate) fn bytes(&self) -> usize {
        (self.keys.len() + self.values.len()) * 2
    }

    /// Takes over the first `count` positions of another cache of the same model, bit by bit.
    pub(crate) fn copy_from(&mut self, other: &Self, count: usize) {
        assert!(self.shape.like(&other.shape), "caches of one model");
        assert!(count <= self.shape.context && count <= other.shape.context, "both hold these positions");
        let head = self.shape.head;
        // Keys go by whole strips: what the last one holds beyond `count` is written before it is read.
        let (keys, values) = (count.next_multiple_of(STRIP) * head, count * head);
        for (layer, kv_head) in
            (0..self.shape.layers).flat_map(|l| (0..self.shape.kv_heads).map(move |k| (l, k)))
        {
            let (to, from) = (self.base(layer, kv_head), other.base(layer, kv_head));
            self.keys[to..][..keys].copy_from_slice(&other.keys[from..][..keys]);
            self.values[to..][..values].copy_from_slice(&other.values[from..][..values]);
        }
    }

    fn base(&self, layer: usize, kv_head: usize) -> usize {
        (layer * self.shape.kv_heads + kv_head) * self.padded * self.shape.head
    }

    /// Stores the keys and values of one position of a layer.
    ///
    /// # Safety
    /// `L` is enabled here.
    #[inline(always)]
    pub(super) unsafe fn put<L: Lanes>(
        &mut self,
        layer: usize,
        position: usize,
        keys: &[f32],
        values: &[f32],
    ) {
        let Shape { kv_heads, head, context, .. } = self.shape;
        assert!(position < context && keys.len() == kv_heads * head && values.len() == keys.len());
        for kv_head in 0..kv_heads {
            let base = self.base(layer, kv_head);
            for at in (0..head).step_by(16) {
                let from = kv_head * head + at;
                let mut halves = [0u16; 16];
                // SAFETY: `from + 16` is within both slices as the assertion says.
                unsafe {
                    L::store_half(halves.as_mut_ptr(), L::load(keys[from..][..16].as_ptr()));
                    let to = self.values[base + position * head + at..][..16].as_mut_ptr();
                    L::store_half(to, L::load(values[from..][..16].as_ptr()));
                }
                let start = base + (position / STRIP * head + at) * STRIP + position % STRIP;
                for (&half, to) in halves.iter().zip(self.keys[start..].iter_mut().step_by(STRIP)) {
                    *to = half;
                }
            }
        }
    }

    /// Attention of one head of keys for a range of tokens, the first of which stands at `first`.
    /// `queries` and `out` hold all tokens, `heads * head` numbers each, `query_stride` apart.
    ///
    /// # Safety
    /// `L` is enabled here; `task.queries` and `task.out` are valid for every token of the task and no
    /// other thread writes its outputs; `scores` has room for [`PANEL_MAX`] padded contexts.
    #[inline(always)]
    pub(super) unsafe fn attend<L: Lanes>(&self, task: &Task, scores: *mut f32) {
        let group = self.shape.heads / self.shape.kv_heads;
        let rows = task.tokens.len() * group;
        let mut row = 0;
        // SAFETY: handed on; rows stay below `rows`.
        unsafe {
            while row < rows {
                row += match rows - row {
                    6.. => self.panel::<L, 6>(task, row, scores),
                    3..=5 => self.panel::<L, 3>(task, row, scores),
                    2 => self.panel::<L, 2>(task, row, scores),
                    _ => self.panel::<L, 1>(task, row, scores),
                };
            }
        }
    }

    #[inline(always)]
    unsafe fn panel<L: Lanes, const R: usize>(&self, task: &Task, row: usize, scores: *mut f32) -> usize {
        let Shape { heads, kv_heads, head, .. } = self.shape;
        let group = heads / kv_heads;
        let base = self.base(task.layer, task.kv_head);
        let length = self.padded * head;
        let (keys, values) = (&self.keys[base..][..length], &self.values[base..][..length]);
        let tokens: [usize; R] = std::array::from_fn(|r| task.tokens.start + (row + r) / group);
        let heads: [usize; R] = std::array::from_fn(|r| task.kv_head * group + (row + r) % group);
        // A token sees the positions up to its own.
        let seen = tokens.map(|token| task.first + token + 1);
        let most = seen.iter().copied().max().unwrap_or(0);
        // With a window none before these; what no row sees is not read, by whole strips.
        let hidden = seen.map(|seen| seen.saturating_sub(self.shape.window));
        let start = hidden.iter().copied().min().unwrap_or(0) / STRIP * STRIP;
        assert!(most <= self.padded, "a position beyond the cache");
        // SAFETY: keys and values hold `padded` positions; queries and outputs are the caller's promise.
        unsafe {
            let queries: [*const f32; R] = std::array::from_fn(|r| {
                task.queries.get().cast_const().add(tokens[r] * task.query_stride + heads[r] * head)
            });
            for strip in start / STRIP..most.div_ceil(STRIP) {
                let keys = keys.as_ptr().add(strip * head * STRIP);
                let mut sums = [L::splat(0.0); R];
                for at in 0..head {
                    let key = L::load_half(keys.add(at * STRIP));
                    for (sum, query) in sums.iter_mut().zip(queries) {
                        *sum = L::fma(L::splat(*query.add(at)), key, *sum);
                    }
                }
                for (r, &sum) in sums.iter().enumerate() {
                    L::store(scores.add(r * self.padded + strip * STRIP), L::mul(sum, L::splat(task.scale)));
                }
            }
            let mut inverse = [0.0; R];
            for r in 0..R {
                let row = scores.add(r * self.padded);
                for at in start..hidden[r] {
                    *row.add(at) = -1e30;
                }
                inverse[r] = 1.0 / exponentials::<L>(row.add(start), seen[r] - start);
                for at in start..hidden[r] {
                    *row.add(at) = 0.0;
                }
                for at in seen[r].next_multiple_of(16)..most {
                    *row.add(at) = 0.0;
                }
            }
            for at in (0..head).step_by(16) {
                let mut sums = [L::splat(0.0); R];
                for position in start..most {
                    let value = L::load_half(values.as_ptr().add(position * head + at));
                    for (r, sum) in sums.iter_mut().enumerate() {
                        let weight = L::splat(*scores.add(r * self.padded + position));
                        *sum = L::fma(weight, value, *sum);
                    }
                }
                for r in 0..R {
                    let out = task.out.get().add((tokens[r] * self.shape.heads + heads[r]) * head + at);
                    L::store(out, L::mul(sums[r], L::splat(inverse[r])));
                }
            }
        }
        R
    }

    /// How many floats of scratch a thread needs.
    pub(super) fn scratch(&self) -> usize {
        PANEL_MAX * self.padded
    }
}

/// The most rows of scores at once.
const PANEL_MAX: usize = 6;

/// One piece of attention: some tokens under one head of keys.
pub(super) struct Task {
    pub(super) layer: usize,
    pub(super) kv_head: usize,
    pub(super) tokens: std::ops::Range<usize>,
    pub(super) first: usize,
    pub(super) scale: f32,
    pub(super) queries: super::pool::Shared<f32>,
    pub(super) query_stride: usize,
    pub(super) out: super::pool::Shared<f32>,
}
