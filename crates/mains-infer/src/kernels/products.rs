//! The products of one tile with some tokens, one function per width of the weights.

use super::activations::Activations;
use super::lanes::Lanes;
use super::matrix::{BLOCK, TILE};
use super::packing::{GROUPED_SCALES, SIXES_SCALES};

/// How far ahead of its use a weight is asked for when one token goes through: the processor's own
/// prefetching stops at the end of each page of 4 KiB.
const AHEAD: usize = 4096;

/// Forms of float weights: 32 bits, IEEE 16 bits, the upper 16 of 32 bits.
pub(super) const FULL: u8 = 0;
pub(super) const HALF: u8 = 1;
pub(super) const UPPER: u8 = 2;

/// Where a tile lies.
pub(super) struct Places {
    pub(super) lines: *const u8,
    pub(super) scales: *const u16,
    pub(super) blocks: usize,
    pub(super) stride: usize,
    pub(super) rows: usize,
}

/// How the whole numbers of a block become weights: `scale * q + minimum`, for sixteen rows.
pub(super) trait Scales {
    /// The scale and the minimum of a block.
    ///
    /// # Safety
    /// `L` is enabled here; `scales` is valid for this block of a tile.
    unsafe fn of<L: Lanes>(scales: *const u16, block: usize) -> (L::Floats, L::Floats);
}

/// A scale per block; every whole number stands this much too high.
pub(super) struct Centred<const ZERO: u8>;

impl<const ZERO: u8> Scales for Centred<ZERO> {
    #[inline(always)]
    unsafe fn of<L: Lanes>(scales: *const u16, block: usize) -> (L::Floats, L::Floats) {
        // SAFETY: handed on.
        unsafe {
            let scale = L::load_half(scales.add(block * TILE));
            (scale, L::mul(scale, L::splat(-f32::from(ZERO))))
        }
    }
}

/// A scale and a minimum per block.
pub(super) struct Affine;

impl Scales for Affine {
    #[inline(always)]
    unsafe fn of<L: Lanes>(scales: *const u16, block: usize) -> (L::Floats, L::Floats) {
        // SAFETY: handed on.
        unsafe {
            let scales = scales.add(block * 2 * TILE);
            (L::load_half(scales), L::load_half(scales.add(TILE)))
        }
    }
}

/// A scale and a minimum of six bits per block, and a float for each over eight blocks.
pub(super) struct Grouped;

impl Scales for Grouped {
    #[inline(always)]
    unsafe fn of<L: Lanes>(scales: *const u16, block: usize) -> (L::Floats, L::Floats) {
        // SAFETY: handed on.
        unsafe {
            let group = scales.add(block / 8 * GROUPED_SCALES);
            let [scale, minimum] = L::load_pairs(group.add(2 * TILE + block % 8 * TILE));
            let over = L::mul(L::load_half(group.add(TILE)), L::splat(-1.0));
            (L::mul(L::load_half(group), scale), L::mul(over, minimum))
        }
    }
}

/// Nibbles.
///
/// # Safety
/// `L` is enabled here; `places` and the activations cover the same columns, and `token + T` tokens are there.
#[inline(always)]
pub(super) unsafe fn fours<L: Lanes, const T: usize, S: Scales>(
    places: &Places,
    activations: &Activations,
    token: usize,
) -> [L::Floats; T] {
    // SAFETY: the pointers cover `blocks` blocks of the tile and of each of the `T` tokens.
    unsafe {
        let mut total = [L::splat(0.0); T];
        let quants: [*const i8; T] = std::array::from_fn(|t| activations.quants(token + t));
        let factors: [*const [f32; 2]; T] = std::array::from_fn(|t| activations.factors(token + t));
        for block in 0..places.blocks {
            let lines = places.lines.add(block * 256);
            let mut sums = [L::nibbles_zero(); T];
            for group in 0..4 {
                if T == 1 {
                    L::prefetch(lines.wrapping_add(group * 64 + AHEAD));
                }
                let bytes = L::load_bytes(lines.add(group * 64));
                let (low, high) = (L::low_nibbles(bytes), L::high_nibbles(bytes));
                for t in 0..T {
                    let quads = quants[t].add(block * BLOCK + group * 4);
                    sums[t] = L::nibbles_step(sums[t], low, quads);
                    sums[t] = L::nibbles_step(sums[t], high, quads.add(16));
                }
            }
            let (scale, minimum) = S::of::<L>(places.scales, block);
            for t in 0..T {
                let [factor, sum] = *factors[t].add(block);
                let dot = L::mul(L::nibbles_floats(sums[t]), L::splat(factor));
                total[t] = L::fma(dot, scale, total[t]);
                total[t] = L::fma(minimum, L::splat(sum), total[t]);
            }
        }
        total
    }
}

/// Whole numbers of five bits: nibbles, and a line of fifth bits.
///
/// # Safety
/// As for [`fours`].
#[inline(always)]
pub(super) unsafe fn fives<L: Lanes, const T: usize, S: Scales>(
    places: &Places,
    activations: &Activations,
    token: usize,
) -> [L::Floats; T] {
    // SAFETY: the pointers cover `blocks` blocks of the tile and of each of the `T` tokens.
    unsafe {
        let mut total = [L::splat(0.0); T];
        let quants: [*const i8; T] = std::array::from_fn(|t| activations.quants(token + t));
        let factors: [*const [f32; 2]; T] = std::array::from_fn(|t| activations.factors(token + t));
        for block in 0..places.blocks {
            let lines = places.lines.add(block * 320);
            let mut sums = [L::wholes_zero(0); T];
            let fifth = L::load_bytes(lines.add(256));
            for group in 0..4 {
                if T == 1 {
                    L::prefetch(lines.wrapping_add(group * 64 + AHEAD));
                }
                let bytes = L::load_bytes(lines.add(group * 64));
                let low = L::with_bit(L::low_nibbles(bytes), fifth, group, 4);
                let high = L::with_bit(L::high_nibbles(bytes), fifth, 4 + group, 4);
                for t in 0..T {
                    let quads = quants[t].add(block * BLOCK + group * 4);
                    sums[t] = L::small_step(sums[t], low, quads);
                    sums[t] = L::small_step(sums[t], high, quads.add(16));
                }
            }
            let (scale, minimum) = S::of::<L>(places.scales, block);
            for t in 0..T {
                let [factor, sum] = *factors[t].add(block);
                let dot = L::mul(L::wholes_floats(sums[t]), L::splat(factor));
                total[t] = L::fma(dot, scale, total[t]);
                total[t] = L::fma(minimum, L::splat(sum), total[t]);
            }
        }
        total
    }
}

/// Whole numbers of six bits, 32 too large: nibbles, and two lines of upper bits. Sixteen columns share a scale.
///
/// # Safety
/// As for [`fours`].
#[inline(always)]
pub(super) unsafe fn sixes<L: Lanes, const T: usize>(
    places: &Places,
    activations: &Activations,
    token: usize,
) -> [L::Floats; T] {
    // SAFETY: the pointers cover `blocks` blocks of the tile and of each of the `T` tokens.
    unsafe {
        let mut total = [L::splat(0.0); T];
        let quants: [*const i8; T] = std::array::from_fn(|t| activations.quants(token + t));
        let factors: [*const [f32; 2]; T] = std::array::from_fn(|t| activations.factors(token + t));
        for block in 0..places.blocks {
            let lines = places.lines.add(block * 384);
            let mut sums = [[L::wholes_zero(0); 2]; T];
            let (fifth, sixth) = (L::load_bytes(lines.add(256)), L::load_bytes(lines.add(320)));
            for group in 0..4 {
                if T == 1 {
                    L::prefetch(lines.wrapping_add(group * 64 + AHEAD));
                }
                let bytes = L::load_bytes(lines.add(group * 64));
                let low = L::with_bit(L::low_nibbles(bytes), fifth, group, 4);
                let low = L::with_bit(low, sixth, group, 5);
                let high = L::with_bit(L::high_nibbles(bytes), fifth, 4 + group, 4);
                let high = L::with_bit(high, sixth, 4 + group, 5);
                for t in 0..T {
                    let quads = quants[t].add(block * BLOCK + group * 4);
                    sums[t][0] = L::small_step(sums[t][0], low, quads);
                    sums[t][1] = L::small_step(sums[t][1], high, quads.add(16));
                }
            }
            let super_block = places.scales.add(block / 8 * SIXES_SCALES);
            let scale = L::load_half(super_block);
            let parts = L::load_pairs(super_block.add(TILE + block % 8 * TILE));
            let scales = parts.map(|part| L::mul(scale, L::add(part, L::splat(-128.0))));
            for t in 0..T {
                let [factor, _] = *factors[t].add(block);
                let offsets = activations.sums(token + t, block);
                for half in 0..2 {
                    // Exact: both are whole numbers below 2^18.
                    let offset = L::splat(-32.0 * offsets[half] as f32);
                    let sum = L::add(L::wholes_floats(sums[t][half]), offset);
                    total[t] = L::fma(L::mul(sum, L::splat(factor)), scales[half], total[t]);
                }
            }
        }
        total
    }
}

/// Signed bytes.
///
/// # Safety
/// As for [`fours`].
#[inline(always)]
pub(super) unsafe fn wholes<L: Lanes, const T: usize>(
    places: &Places,
    activations: &Activations,
    token: usize,
) -> [L::Floats; T] {
    // SAFETY: the pointers cover `blocks` blocks of the tile and of each of the `T` tokens.
    unsafe {
        let mut total = [L::splat(0.0); T];
        let quants: [*const i8; T] = std::array::from_fn(|t| activations.quants(token + t));
        let factors: [*const [f32; 2]; T] = std::array::from_fn(|t| activations.factors(token + t));
        for block in 0..places.blocks {
            let lines = places.lines.add(block * 512);
            let mut sums = [L::wholes_zero(0); T];
            for (t, sum) in sums.iter_mut().enumerate() {
                *sum = L::wholes_zero(activations.sum(token + t, block));
            }
            for group in 0..8 {
                if T == 1 {
                    L::prefetch(lines.wrapping_add(group * 64 + AHEAD));
                }
                let bytes = L::load_bytes(lines.add(group * 64));
                for t in 0..T {
                    sums[t] = L::wholes_step(sums[t], bytes, quants[t].add(block * BLOCK + group * 4));
                }
            }
            let scale = L::load_half(places.scales.add(block * TILE));
            for t in 0..T {
                let [factor, _] = *factors[t].add(block);
                let dot = L::mul(L::wholes_floats(sums[t]), L::splat(factor));
                total[t] = L::fma(dot, scale, total[t]);
            }
        }
        total
    }
}

/// Floats of a form.
///
/// # Safety
/// As for [`fours`]; `input` holds the floats of all tokens.
#[inline(always)]
pub(super) unsafe fn floats<L: Lanes, const T: usize, const FORM: u8>(
    places: &Places,
    input: &[f32],
    token: usize,
) -> [L::Floats; T] {
    let columns = places.blocks * BLOCK;
    let input: [&[f32]; T] = std::array::from_fn(|t| &input[(token + t) * columns..][..columns]);
    // SAFETY: the pointers cover `columns` lines of sixteen weights.
    unsafe {
        let mut total = [L::splat(0.0); T];
        for column in 0..columns {
            let halves = places.lines.cast::<u16>().wrapping_add(column * TILE);
            let weights = match FORM {
                HALF => L::load_half(halves),
                UPPER => L::load_upper(halves),
                _ => L::load(places.lines.cast::<f32>().add(column * TILE)),
            };
            for t in 0..T {
                total[t] = L::fma(L::splat(*input[t].get_unchecked(column)), weights, total[t]);
            }
        }
        total
    }
}
