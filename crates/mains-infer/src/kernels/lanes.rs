//! Sixteen numbers at a time: the few operations that every kernel is written in.
//!
//! A kernel is one generic function over [`Lanes`]; each instruction set implements the operations, and
//! so do plain arrays. The plain instance is the fallback and the proof that a kernel's logic is right
//! on machines whose instruction set a test cannot run.

use super::panels::{Place, Product};

/// Sixteen rows of a tile, or sixteen consecutive numbers.
///
/// # Safety
/// The operations of an instruction set may run only where the processor has it: inside a function that
/// enables its features, reached after run-time detection. Pointers must be valid for the sixteen
/// numbers (or 64 bytes, or four activations) that an operation names.
pub(super) trait Lanes {
    /// How many tokens a matrix product takes at once: as many as the registers hold.
    const PANEL: usize;
    /// How many rows a product of 32-bit weights takes at once, and beside how many vectors of outputs.
    const ROWS: usize;
    const VECTORS: usize;
    /// 64 bytes: four consecutive columns of each of sixteen rows.
    type Bytes: Copy;
    /// Sixteen floats.
    type Floats: Copy;
    /// Sums of products of nibbles over one block of 32 columns.
    type Nibbles: Copy;
    /// Sums of products of signed bytes over one block of 32 columns.
    type Wholes: Copy;

    /// The sums of `R` rows and `V` vectors: [`Product::tile`] in a function of its own with the set's features,
    /// for a compiler that meets many sizes in one function keeps their sums in memory.
    unsafe fn tile<const R: usize, const V: usize>(product: &Product, at: &Place);

    unsafe fn splat(value: f32) -> Self::Floats;
    unsafe fn load(from: *const f32) -> Self::Floats;
    unsafe fn store(to: *mut f32, value: Self::Floats);
    unsafe fn load_half(from: *const u16) -> Self::Floats;
    unsafe fn store_half(to: *mut u16, value: Self::Floats);
    /// Sixteen upper halves of floats.
    unsafe fn load_upper(from: *const u16) -> Self::Floats;
    /// Sixteen pairs of unsigned bytes: the first of each, and the second.
    unsafe fn load_pairs(from: *const u16) -> [Self::Floats; 2];
    unsafe fn add(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    unsafe fn mul(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    unsafe fn div(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    unsafe fn max(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    unsafe fn abs(a: Self::Floats) -> Self::Floats;
    /// `a * b + c`.
    unsafe fn fma(a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats;
    /// To the nearest integer, ties to even.
    unsafe fn round(a: Self::Floats) -> Self::Floats;
    /// Two to the power of integers in `-126..=127`.
    unsafe fn power_of_two(exponent: Self::Floats) -> Self::Floats;
    unsafe fn sum(a: Self::Floats) -> f32;
    unsafe fn largest(a: Self::Floats) -> f32;
    /// Stores sixteen floats in `-127.0..=127.0`, rounded, as signed bytes; gives back their sum.
    unsafe fn store_bytes(to: *mut i8, a: Self::Floats) -> i32;

    /// Asks for the 64 bytes at this place ahead of their use; any address will do.
    unsafe fn prefetch(from: *const u8);
    unsafe fn load_bytes(from: *const u8) -> Self::Bytes;
    unsafe fn low_nibbles(bytes: Self::Bytes) -> Self::Bytes;
    unsafe fn high_nibbles(bytes: Self::Bytes) -> Self::Bytes;

    /// The bytes, each with bit `to` set where bit `place` of the byte in `bits` is.
    unsafe fn with_bit(bytes: Self::Bytes, bits: Self::Bytes, place: usize, to: usize) -> Self::Bytes;

    unsafe fn nibbles_zero() -> Self::Nibbles;
    /// Adds the products of four columns (bytes in `0..=15`) with four activations. At most eight steps
    /// between a zero and its floats, with activations in `-127..=127`.
    unsafe fn nibbles_step(sums: Self::Nibbles, bytes: Self::Bytes, quad: *const i8) -> Self::Nibbles;
    unsafe fn nibbles_floats(sums: Self::Nibbles) -> Self::Floats;

    /// The start of a sum over signed bytes; `sum` is that of the block's activations.
    unsafe fn wholes_zero(sum: i32) -> Self::Wholes;
    /// Adds the products of four columns of signed bytes with four activations.
    unsafe fn wholes_step(sums: Self::Wholes, bytes: Self::Bytes, quad: *const i8) -> Self::Wholes;
    /// Adds the products of four columns of bytes in `0..=63` with four activations, to a sum that began with
    /// `wholes_zero(0)`.
    unsafe fn small_step(sums: Self::Wholes, bytes: Self::Bytes, quad: *const i8) -> Self::Wholes;
    unsafe fn wholes_floats(sums: Self::Wholes) -> Self::Floats;
}

/// The exponential function: range reduction by ln 2 and a polynomial of degree five (the constants are
/// those of Cephes' `expf`, S. Moshier, 1992). Relative error below 3e-7; arguments below -87 give about
/// 1e-38, above 88 about 1.7e38.
#[inline(always)]
pub(super) unsafe fn exp<L: Lanes>(x: L::Floats) -> L::Floats {
    // SAFETY: the caller reached this through an entry that enables the instruction set of `L`.
    unsafe {
        // There is no minimum operation: min(x, high) = -max(-x, -high).
        let minus = L::splat(-1.0);
        let above = L::max(x, L::splat(-87.0));
        let x = L::mul(minus, L::max(L::mul(minus, above), L::splat(-88.0)));
        let whole = L::round(L::mul(x, L::splat(std::f32::consts::LOG2_E)));
        let rest = L::fma(whole, L::splat(-0.693_359_4), x);
        let rest = L::fma(whole, L::splat(2.121_944_4e-4), rest);
        let mut tail = L::splat(1.987_569_1e-4);
        for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
            tail = L::fma(tail, rest, L::splat(coefficient));
        }
        let fraction = L::fma(L::mul(tail, rest), rest, L::add(rest, L::splat(1.0)));
        L::mul(fraction, L::power_of_two(whole))
    }
}
