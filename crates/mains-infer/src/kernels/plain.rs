//! [`Lanes`] in plain arrays: the fallback for any processor, and the reading of what the others do.

use super::lanes::Lanes;
use super::panels::{Place, Product};

/// Plain arrays.
pub(super) struct Plain;

type Floats = [f32; 16];

#[inline(always)]
fn each(f: impl FnMut(usize) -> f32) -> Floats {
    std::array::from_fn(f)
}

/// Adds four products to each row's sum.
#[inline(always)]
unsafe fn step(sums: [i32; 16], quad: *const i8, byte: impl Fn(usize) -> i32) -> [i32; 16] {
    // SAFETY: the caller's pointer is valid for four activations.
    let activations: [i32; 4] = std::array::from_fn(|j| i32::from(unsafe { *quad.add(j) }));
    std::array::from_fn(|row| {
        (0..4).fold(sums[row], |sum, column| sum + byte(row * 4 + column) * activations[column])
    })
}

impl Lanes for Plain {
    const PANEL: usize = 4;
    const ROWS: usize = 4;
    const VECTORS: usize = 1;
    type Bytes = [u8; 64];
    type Floats = Floats;
    type Nibbles = [i32; 16];
    type Wholes = [i32; 16];

    #[inline(never)]
    unsafe fn tile<const R: usize, const V: usize>(product: &Product, at: &Place) {
        // SAFETY: handed on.
        unsafe { product.tile::<Self, R, V>(at) }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Floats {
        [value; 16]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Floats {
        // SAFETY: the caller's pointer is valid for sixteen floats.
        unsafe { from.cast::<Floats>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, value: Floats) {
        // SAFETY: as above, for writing.
        unsafe { to.cast::<Floats>().write_unaligned(value) }
    }
    #[inline(always)]
    unsafe fn load_half(from: *const u16) -> Floats {
        // SAFETY: the caller's pointer is valid for sixteen halves.
        let halves = unsafe { from.cast::<[u16; 16]>().read_unaligned() };
        each(|i| crate::half::to_f32(halves[i]))
    }
    #[inline(always)]
    unsafe fn store_half(to: *mut u16, value: Floats) {
        // SAFETY: the caller's pointer is valid for sixteen halves.
        unsafe { to.cast::<[u16; 16]>().write_unaligned(value.map(crate::half::from_f32)) }
    }
    #[inline(always)]
    unsafe fn load_upper(from: *const u16) -> Floats {
        // SAFETY: the caller's pointer is valid for sixteen halves.
        let halves = unsafe { from.cast::<[u16; 16]>().read_unaligned() };
        each(|i| f32::from_bits(u32::from(halves[i]) << 16))
    }
    #[inline(always)]
    unsafe fn load_pairs(from: *const u16) -> [Floats; 2] {
        // SAFETY: the caller's pointer is valid for sixteen pairs.
        let pairs = unsafe { from.cast::<[[u8; 2]; 16]>().read_unaligned() };
        [each(|i| f32::from(pairs[i][0])), each(|i| f32::from(pairs[i][1]))]
    }
    #[inline(always)]
    unsafe fn add(a: Floats, b: Floats) -> Floats {
        each(|i| a[i] + b[i])
    }
    #[inline(always)]
    unsafe fn mul(a: Floats, b: Floats) -> Floats {
        each(|i| a[i] * b[i])
    }
    #[inline(always)]
    unsafe fn div(a: Floats, b: Floats) -> Floats {
        each(|i| a[i] / b[i])
    }
    #[inline(always)]
    unsafe fn max(a: Floats, b: Floats) -> Floats {
        each(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    unsafe fn abs(a: Floats) -> Floats {
        each(|i| a[i].abs())
    }
    #[inline(always)]
    unsafe fn fma(a: Floats, b: Floats, c: Floats) -> Floats {
        // Not fused: without the instruction a fused product is a slow library call.
        each(|i| a[i] * b[i] + c[i])
    }
    #[inline(always)]
    unsafe fn round(a: Floats) -> Floats {
        each(|i| a[i].round_ties_even())
    }
    #[inline(always)]
    unsafe fn power_of_two(exponent: Floats) -> Floats {
        each(|i| f32::from_bits(((exponent[i] as i32 + 127).cast_unsigned()) << 23))
    }
    #[inline(always)]
    unsafe fn sum(a: Floats) -> f32 {
        a.iter().sum()
    }
    #[inline(always)]
    unsafe fn largest(a: Floats) -> f32 {
        a.iter().fold(f32::NEG_INFINITY, |most, &x| if x > most { x } else { most })
    }
    #[inline(always)]
    unsafe fn store_bytes(to: *mut i8, a: Floats) -> i32 {
        let mut sum = 0;
        for (i, &value) in a.iter().enumerate() {
            let byte = value.round_ties_even() as i8;
            // SAFETY: the caller's pointer is valid for sixteen bytes.
            unsafe { *to.add(i) = byte };
            sum += i32::from(byte);
        }
        sum
    }

    #[inline(always)]
    unsafe fn prefetch(_from: *const u8) {}
    #[inline(always)]
    unsafe fn load_bytes(from: *const u8) -> [u8; 64] {
        // SAFETY: the caller's pointer is valid for 64 bytes.
        unsafe { from.cast::<[u8; 64]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn low_nibbles(bytes: [u8; 64]) -> [u8; 64] {
        bytes.map(|byte| byte & 15)
    }
    #[inline(always)]
    unsafe fn high_nibbles(bytes: [u8; 64]) -> [u8; 64] {
        bytes.map(|byte| byte >> 4)
    }

    #[inline(always)]
    unsafe fn with_bit(bytes: [u8; 64], bits: [u8; 64], place: usize, to: usize) -> [u8; 64] {
        std::array::from_fn(|i| bytes[i] | (bits[i] >> place & 1) << to)
    }

    #[inline(always)]
    unsafe fn nibbles_zero() -> [i32; 16] {
        [0; 16]
    }
    #[inline(always)]
    unsafe fn nibbles_step(sums: [i32; 16], bytes: [u8; 64], quad: *const i8) -> [i32; 16] {
        // SAFETY: handed on.
        unsafe { step(sums, quad, |i| i32::from(bytes[i])) }
    }
    #[inline(always)]
    unsafe fn nibbles_floats(sums: [i32; 16]) -> Floats {
        each(|i| sums[i] as f32)
    }

    #[inline(always)]
    unsafe fn wholes_zero(_sum: i32) -> [i32; 16] {
        [0; 16]
    }
    #[inline(always)]
    unsafe fn wholes_step(sums: [i32; 16], bytes: [u8; 64], quad: *const i8) -> [i32; 16] {
        // SAFETY: handed on.
        unsafe { step(sums, quad, |i| i32::from(bytes[i].cast_signed())) }
    }
    #[inline(always)]
    unsafe fn small_step(sums: [i32; 16], bytes: [u8; 64], quad: *const i8) -> [i32; 16] {
        // SAFETY: handed on.
        unsafe { step(sums, quad, |i| i32::from(bytes[i])) }
    }
    #[inline(always)]
    unsafe fn wholes_floats(sums: [i32; 16]) -> Floats {
        each(|i| sums[i] as f32)
    }
}
