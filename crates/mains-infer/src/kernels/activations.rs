//! Activations as signed bytes in blocks of 32, with a scale and a sum per block.

use super::lanes::Lanes;
use super::matrix::BLOCK;

/// The quantised activations of some tokens.
#[derive(Default)]
pub(crate) struct Activations {
    columns: usize,
    count: usize,
    quants: Vec<i8>,
    /// Per block: the scale, and the scale times the sum of the bytes.
    factors: Vec<[f32; 2]>,
    /// Per block: the sums of the first and of the last sixteen bytes.
    sums: Vec<[i32; 2]>,
}

impl Activations {
    /// Makes room for `count` tokens of `columns` numbers.
    pub(super) fn resize(&mut self, count: usize, columns: usize) {
        assert!(columns.is_multiple_of(BLOCK), "columns go by whole blocks");
        (self.count, self.columns) = (count, columns);
        self.quants.resize(count * columns, 0);
        self.factors.resize(count * columns / BLOCK, [0.0; 2]);
        self.sums.resize(count * columns / BLOCK, [0; 2]);
    }

    /// How many tokens.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// How many numbers a token has.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    #[inline(always)]
    pub(super) fn quants(&self, token: usize) -> *const i8 {
        self.quants[token * self.columns..][..self.columns].as_ptr()
    }

    #[inline(always)]
    pub(super) fn factors(&self, token: usize) -> *const [f32; 2] {
        let blocks = self.columns / BLOCK;
        self.factors[token * blocks..][..blocks].as_ptr()
    }

    #[inline(always)]
    pub(super) fn sum(&self, token: usize, block: usize) -> i32 {
        let [first, last] = self.sums(token, block);
        first + last
    }

    #[inline(always)]
    pub(super) fn sums(&self, token: usize, block: usize) -> [i32; 2] {
        self.sums[token * (self.columns / BLOCK) + block]
    }

    /// The places that the quantised form of a token is written to.
    pub(super) fn places(&mut self) -> Places {
        Places {
            columns: self.columns,
            quants: self.quants.as_mut_ptr(),
            factors: self.factors.as_mut_ptr(),
            sums: self.sums.as_mut_ptr(),
        }
    }
}

/// Raw places, so that threads can fill different tokens at once.
#[derive(Clone, Copy)]
pub(super) struct Places {
    columns: usize,
    quants: *mut i8,
    factors: *mut [f32; 2],
    sums: *mut [i32; 2],
}

// SAFETY: the pointers are only used through `quantise`, whose callers give every token to one thread.
unsafe impl Send for Places {}
// SAFETY: as above.
unsafe impl Sync for Places {}

impl Places {
    /// Quantises one token: per block `scale = largest magnitude / 127`, bytes to the nearest.
    ///
    /// # Safety
    /// `L` is enabled here; the activations outlive the call; no other thread has this token.
    #[inline(always)]
    pub(super) unsafe fn quantise<L: Lanes>(&self, token: usize, from: &[f32]) {
        let blocks = self.columns / BLOCK;
        assert!(from.len() == self.columns, "a token has as many numbers as a row of weights");
        // SAFETY: `resize` made room for every block of every token; `from` holds `blocks` blocks.
        unsafe {
            for block in 0..blocks {
                let from = from.as_ptr().add(block * BLOCK);
                let (low, high) = (L::load(from), L::load(from.add(16)));
                let largest = L::largest(L::max(L::abs(low), L::abs(high)));
                let scale = largest / 127.0;
                let inverse = L::splat(if largest > 1e-30 { 127.0 / largest } else { 0.0 });
                let to = self.quants.add(token * self.columns + block * BLOCK);
                let sums = [
                    L::store_bytes(to, L::mul(low, inverse)),
                    L::store_bytes(to.add(16), L::mul(high, inverse)),
                ];
                let at = token * blocks + block;
                *self.factors.add(at) = [scale, scale * (sums[0] + sums[1]) as f32];
                *self.sums.add(at) = sums;
            }
        }
    }
}
