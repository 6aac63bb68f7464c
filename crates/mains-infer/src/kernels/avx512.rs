//! [`Lanes`] in AVX-512 (F, BW, VL, VNNI): one register of sixteen rows.

use std::arch::x86_64::{
    __m128i, __m256i, __m512, __m512i, _MM_HINT_T0, _mm_prefetch, _mm_storeu_si128, _mm256_loadu_si256,
    _mm256_storeu_si256, _mm512_abs_ps, _mm512_add_epi32, _mm512_add_ps, _mm512_and_si512,
    _mm512_castsi512_ps, _mm512_cvtepi32_epi8, _mm512_cvtepi32_ps, _mm512_cvtepu16_epi32, _mm512_cvtph_ps,
    _mm512_cvtps_epi32, _mm512_cvtps_ph, _mm512_div_ps, _mm512_dpbusd_epi32, _mm512_fmadd_ps,
    _mm512_loadu_ps, _mm512_loadu_si512, _mm512_maskz_set1_epi8, _mm512_max_ps, _mm512_mul_ps,
    _mm512_or_si512, _mm512_reduce_add_epi32, _mm512_reduce_add_ps, _mm512_reduce_max_ps,
    _mm512_roundscale_ps, _mm512_set1_epi8, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_si512,
    _mm512_slli_epi32, _mm512_srli_epi16, _mm512_srli_epi32, _mm512_storeu_ps, _mm512_test_epi8_mask,
    _mm512_xor_si512,
};

use super::lanes::Lanes;
use super::panels::{Place, Product};

/// Processors with AVX-512 and its byte products (VNNI).
pub(super) struct Avx512;

/// Four activations repeated over a register.
#[inline(always)]
unsafe fn broadcast(quad: *const i8) -> __m512i {
    // SAFETY: the caller's pointer is valid for four bytes.
    unsafe { _mm512_set1_epi32(quad.cast::<i32>().read_unaligned()) }
}

impl Lanes for Avx512 {
    const PANEL: usize = 8;
    const ROWS: usize = 8;
    const VECTORS: usize = 3;
    type Bytes = __m512i;
    type Floats = __m512;
    type Nibbles = __m512i;
    type Wholes = __m512i;

    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")]
    #[inline(never)]
    unsafe fn tile<const R: usize, const V: usize>(product: &Product, at: &Place) {
        // SAFETY: handed on.
        unsafe { product.tile::<Self, R, V>(at) }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> __m512 {
        unsafe { _mm512_set1_ps(value) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m512 {
        unsafe { _mm512_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, value: __m512) {
        unsafe { _mm512_storeu_ps(to, value) }
    }
    #[inline(always)]
    unsafe fn load_half(from: *const u16) -> __m512 {
        unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(from.cast::<__m256i>())) }
    }
    #[inline(always)]
    unsafe fn store_half(to: *mut u16, value: __m512) {
        unsafe { _mm256_storeu_si256(to.cast::<__m256i>(), _mm512_cvtps_ph::<0>(value)) }
    }
    #[inline(always)]
    unsafe fn load_upper(from: *const u16) -> __m512 {
        unsafe {
            let words = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast::<__m256i>()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(words))
        }
    }
    #[inline(always)]
    unsafe fn load_pairs(from: *const u16) -> [__m512; 2] {
        unsafe {
            let pairs = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast::<__m256i>()));
            let first = _mm512_and_si512(pairs, _mm512_set1_epi32(255));
            [_mm512_cvtepi32_ps(first), _mm512_cvtepi32_ps(_mm512_srli_epi32::<8>(pairs))]
        }
    }
    #[inline(always)]
    unsafe fn add(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn mul(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_mul_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn div(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_div_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn max(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_max_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn abs(a: __m512) -> __m512 {
        unsafe { _mm512_abs_ps(a) }
    }
    #[inline(always)]
    unsafe fn fma(a: __m512, b: __m512, c: __m512) -> __m512 {
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    unsafe fn round(a: __m512) -> __m512 {
        // 8: to the nearest integer, exceptions suppressed.
        unsafe { _mm512_roundscale_ps::<8>(a) }
    }
    #[inline(always)]
    unsafe fn power_of_two(exponent: __m512) -> __m512 {
        unsafe {
            let biased = _mm512_add_epi32(_mm512_cvtps_epi32(exponent), _mm512_set1_epi32(127));
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(biased))
        }
    }
    #[inline(always)]
    unsafe fn sum(a: __m512) -> f32 {
        unsafe { _mm512_reduce_add_ps(a) }
    }
    #[inline(always)]
    unsafe fn largest(a: __m512) -> f32 {
        unsafe { _mm512_reduce_max_ps(a) }
    }
    #[inline(always)]
    unsafe fn store_bytes(to: *mut i8, a: __m512) -> i32 {
        unsafe {
            let integers = _mm512_cvtps_epi32(a);
            _mm_storeu_si128(to.cast::<__m128i>(), _mm512_cvtepi32_epi8(integers));
            _mm512_reduce_add_epi32(integers)
        }
    }

    #[inline(always)]
    unsafe fn prefetch(from: *const u8) {
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast::<i8>()) }
    }
    #[inline(always)]
    unsafe fn load_bytes(from: *const u8) -> __m512i {
        unsafe { _mm512_loadu_si512(from.cast::<__m512i>()) }
    }
    #[inline(always)]
    unsafe fn low_nibbles(bytes: __m512i) -> __m512i {
        unsafe { _mm512_and_si512(bytes, _mm512_set1_epi8(15)) }
    }
    #[inline(always)]
    unsafe fn high_nibbles(bytes: __m512i) -> __m512i {
        unsafe { _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), _mm512_set1_epi8(15)) }
    }

    #[inline(always)]
    unsafe fn with_bit(bytes: __m512i, bits: __m512i, place: usize, to: usize) -> __m512i {
        unsafe {
            let set = _mm512_test_epi8_mask(bits, _mm512_set1_epi8((1u8 << place).cast_signed()));
            _mm512_or_si512(bytes, _mm512_maskz_set1_epi8(set, 1 << to))
        }
    }

    #[inline(always)]
    unsafe fn nibbles_zero() -> __m512i {
        unsafe { _mm512_setzero_si512() }
    }
    #[inline(always)]
    unsafe fn nibbles_step(sums: __m512i, bytes: __m512i, quad: *const i8) -> __m512i {
        unsafe { _mm512_dpbusd_epi32(sums, bytes, broadcast(quad)) }
    }
    #[inline(always)]
    unsafe fn nibbles_floats(sums: __m512i) -> __m512 {
        unsafe { _mm512_cvtepi32_ps(sums) }
    }

    /// The instruction wants unsigned weights: each is taken 128 too large, so the sum starts at minus
    /// 128 times the sum of the activations.
    #[inline(always)]
    unsafe fn wholes_zero(sum: i32) -> __m512i {
        unsafe { _mm512_set1_epi32(-128 * sum) }
    }
    #[inline(always)]
    unsafe fn wholes_step(sums: __m512i, bytes: __m512i, quad: *const i8) -> __m512i {
        unsafe {
            let shifted = _mm512_xor_si512(bytes, _mm512_set1_epi8(-128));
            _mm512_dpbusd_epi32(sums, shifted, broadcast(quad))
        }
    }
    #[inline(always)]
    unsafe fn small_step(sums: __m512i, bytes: __m512i, quad: *const i8) -> __m512i {
        unsafe { _mm512_dpbusd_epi32(sums, bytes, broadcast(quad)) }
    }
    #[inline(always)]
    unsafe fn wholes_floats(sums: __m512i) -> __m512 {
        unsafe { _mm512_cvtepi32_ps(sums) }
    }
}
