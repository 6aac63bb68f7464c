//! 32-bit weights in panels, and their product with rows of numbers: the work of the text encoder.
//!
//! A panel is up to three vectors of sixteen outputs side by side, input after input, so that a product
//! reads one stream. As many rows go through together as the registers hold sums for. Every sum runs over the
//! inputs in their order, in blocks of a fixed size, whatever the cut into rows and panels: so neither the
//! neighbours of a row nor the number of threads changes a bit of it.

use super::lanes::{Lanes, exp};
use crate::Error;

/// Outputs in a vector.
pub(super) const LANES: usize = 16;

/// Inputs that go through together: a panel of three vectors and so many inputs stays in the first-level cache.
const BLOCK: usize = 192;

/// How far ahead of its use a weight is asked for, in bytes: the processor's own prefetching stops at the end
/// of each page of 4 KiB.
const AHEAD: usize = 6144;

/// Sixteen numbers that begin at a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; LANES]);

/// A matrix of 32-bit weights, packed into panels of up to `width` vectors.
pub(super) struct Panels {
    outputs: usize,
    inputs: usize,
    pub(super) width: usize,
    lines: Vec<Line>,
}

impl Panels {
    /// Packs a matrix whose rows are the outputs.
    pub(super) fn pack(rows: &[f32], outputs: usize, inputs: usize, width: usize) -> Result<Self, Error> {
        let whole = outputs.is_multiple_of(LANES) && outputs > 0 && inputs > 0 && width > 0;
        if !whole || outputs.checked_mul(inputs) != Some(rows.len()) {
            return Err(Error::unsupported(format!(
                "a matrix of {outputs} outputs and {inputs} inputs is not read here: outputs go by {LANES}"
            )));
        }
        let mut lines = vec![Line([0.0; LANES]); outputs / LANES * inputs];
        for (output, row) in rows.chunks_exact(inputs).enumerate() {
            let (vector, lane) = (output / LANES, output % LANES);
            let first = vector / width * width;
            let panel = width.min(outputs / LANES - first);
            let lines = &mut lines[first * inputs..][..panel * inputs];
            for (line, &weight) in lines[vector - first..].iter_mut().step_by(panel).zip(row) {
                line.0[lane] = weight;
            }
        }
        Ok(Self { outputs, inputs, width, lines })
    }

    /// The number of outputs: a multiple of sixteen.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// The number of inputs.
    pub(super) fn inputs(&self) -> usize {
        self.inputs
    }

    /// The bytes that the packed weights take.
    pub(super) fn bytes(&self) -> usize {
        self.lines.len() * size_of::<Line>()
    }

    /// How many panels there are.
    pub(super) fn count(&self) -> usize {
        (self.outputs / LANES).div_ceil(self.width)
    }

    /// The panels as floats.
    pub(super) fn floats(&self) -> *const f32 {
        self.lines.as_ptr().cast()
    }
}

/// What becomes of a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    /// Nothing.
    Keep,
    /// The Gaussian error linear unit (Hendrycks, Gimpel 2016), by the error function and not by `tanh`.
    Gelu,
}

/// A product of rows with panels.
pub(super) struct Product {
    /// The first row, how many there are, and how far apart.
    pub(super) rows: *const f32,
    pub(super) row_count: usize,
    pub(super) row_stride: usize,
    /// Numbers in a row that take part: inputs of the panels.
    pub(super) inputs: usize,
    /// The panels, as [`Panels`] lays them out: vectors in all, and in one panel.
    pub(super) panels: *const f32,
    pub(super) vectors: usize,
    pub(super) width: usize,
    /// What is added to a sum, an output each.
    pub(super) bias: *const f32,
    /// The first row of the outputs, and how far apart they are.
    pub(super) out: *mut f32,
    pub(super) out_stride: usize,
    pub(super) finish: Finish,
}

// SAFETY: rows, panels and biases are only read; the outputs of a panel are written through `run` alone, whose
// callers give every panel to one thread.
unsafe impl Sync for Product {}

impl Product {
    /// Computes the panels of this range.
    ///
    /// # Safety
    /// `L` is enabled here and its panels are `width` vectors wide at most; all pointers are valid for the
    /// sizes that stand beside them, and nobody else writes the outputs of these panels.
    #[inline(always)]
    pub(super) unsafe fn run<L: Lanes>(&self, range: std::ops::Range<usize>) {
        let blocks = self.row_count.div_ceil(L::ROWS);
        for panel in range {
            let first = panel * self.width;
            let width = self.width.min(self.vectors - first);
            for start in (0..self.inputs).step_by(BLOCK) {
                let end = (start + BLOCK).min(self.inputs);
                for block in 0..blocks {
                    let row = self.row_count * block / blocks;
                    let rows = self.row_count * (block + 1) / blocks - row;
                    // SAFETY: handed on; rows and vectors stay below their counts.
                    unsafe {
                        let at = Place { row, first, start, end };
                        match width {
                            3 if L::VECTORS >= 3 => self.rows::<L, 3>(rows, &at),
                            2 if L::VECTORS >= 2 => self.rows::<L, 2>(rows, &at),
                            _ => self.rows::<L, 1>(rows, &at),
                        }
                        if end == self.inputs && self.finish == Finish::Gelu {
                            self.gelu::<L>(rows, width, &at);
                        }
                    }
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn rows<L: Lanes, const V: usize>(&self, rows: usize, at: &Place) {
        // SAFETY: handed on. No more rows than `L::ROWS` come here; the conditions tell the compiler so.
        unsafe {
            match rows {
                8 if L::ROWS >= 8 => L::tile::<8, V>(self, at),
                7 if L::ROWS >= 7 => L::tile::<7, V>(self, at),
                6 if L::ROWS >= 6 => L::tile::<6, V>(self, at),
                5 if L::ROWS >= 5 => L::tile::<5, V>(self, at),
                4 => L::tile::<4, V>(self, at),
                3 => L::tile::<3, V>(self, at),
                2 => L::tile::<2, V>(self, at),
                _ => L::tile::<1, V>(self, at),
            }
        }
    }

    /// The sums of `R` rows and `V` vectors over a block of inputs.
    ///
    /// # Safety
    /// As for `run`; the rows and the vectors of the place exist.
    #[inline(always)]
    pub(super) unsafe fn tile<L: Lanes, const R: usize, const V: usize>(&self, at: &Place) {
        // SAFETY: the caller's promise: `R` rows from `at.row` and `V` vectors from `at.first` exist.
        unsafe {
            let rows: [*const f32; R] =
                std::array::from_fn(|r| self.rows.add((at.row + r) * self.row_stride));
            let out = self.out.add(at.row * self.out_stride + at.first * LANES);
            let mut sums = [[L::splat(0.0); V]; R];
            let bias = self.bias.add(at.first * LANES);
            let panel = self.panels.add(at.first * LANES * self.inputs);
            for input in at.start..at.end {
                let line = panel.add(input * V * LANES);
                let weights: [L::Floats; V] = std::array::from_fn(|v| L::load(line.add(v * LANES)));
                for v in 0..V {
                    L::prefetch(line.wrapping_add(v * LANES).cast::<u8>().wrapping_add(AHEAD));
                }
                for r in 0..R {
                    let x = L::splat(*rows[r].add(input));
                    for v in 0..V {
                        sums[r][v] = L::fma(x, weights[v], sums[r][v]);
                    }
                }
            }
            for (r, sums) in sums.iter().enumerate() {
                for (v, &sum) in sums.iter().enumerate() {
                    let out = out.add(r * self.out_stride + v * LANES);
                    let before = if at.start > 0 { out.cast_const() } else { bias.add(v * LANES) };
                    L::store(out, L::add(L::load(before), sum));
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn gelu<L: Lanes>(&self, rows: usize, width: usize, at: &Place) {
        for row in at.row..at.row + rows {
            for vector in at.first..at.first + width {
                // SAFETY: these outputs were written just before.
                unsafe {
                    let out = self.out.add(row * self.out_stride + vector * LANES);
                    L::store(out, gelu::<L>(L::load(out)));
                }
            }
        }
    }
}

/// Where a tile stands: its first row and vector, and its inputs.
pub(super) struct Place {
    row: usize,
    first: usize,
    start: usize,
    end: usize,
}

/// `x * P(X <= x)` for a normal X: `max(x, 0) - |x| * Q`, where `Q = erfc(|x| / sqrt 2) / 2` by formula 7.1.26
/// of Abramowitz and Stegun's handbook (1964), whose error is below 1.5e-7.
#[inline(always)]
pub(super) unsafe fn gelu<L: Lanes>(x: L::Floats) -> L::Floats {
    // SAFETY: the caller reached this through an entry that enables the instruction set of `L`.
    unsafe {
        let size = L::abs(x);
        let z = L::mul(size, L::splat(std::f32::consts::FRAC_1_SQRT_2));
        let one = L::splat(1.0);
        let t = L::div(one, L::fma(z, L::splat(0.327_591_1), one));
        let mut sum = L::splat(1.061_405_4);
        for coefficient in [-1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6] {
            sum = L::fma(sum, t, L::splat(coefficient));
        }
        let minus_square = L::mul(L::mul(z, L::splat(-1.0)), z);
        let tail = L::mul(L::mul(sum, t), exp::<L>(minus_square));
        let minus_half_size = L::mul(size, L::splat(-0.5));
        L::fma(minus_half_size, tail, L::max(x, L::splat(0.0)))
    }
}
