//! [`Lanes`] in AVX2, FMA and F16C: two registers of eight rows.

use std::arch::x86_64::{
    __m128i, __m256, __m256i, _MM_HINT_T0, _mm_add_ps, _mm_cvtss_f32, _mm_loadu_si128, _mm_max_ps,
    _mm_movehl_ps, _mm_packs_epi16, _mm_prefetch, _mm_shuffle_ps, _mm_storeu_si128, _mm256_abs_epi8,
    _mm256_add_epi16, _mm256_add_epi32, _mm256_add_ps, _mm256_and_ps, _mm256_and_si256,
    _mm256_castps256_ps128, _mm256_castsi256_ps, _mm256_castsi256_si128, _mm256_cmpeq_epi8,
    _mm256_cvtepi32_ps, _mm256_cvtepu16_epi32, _mm256_cvtph_ps, _mm256_cvtps_epi32, _mm256_cvtps_ph,
    _mm256_div_ps, _mm256_extractf128_ps, _mm256_extracti128_si256, _mm256_fmadd_ps, _mm256_loadu_ps,
    _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_max_ps, _mm256_mul_ps,
    _mm256_or_si256, _mm256_packs_epi32, _mm256_permute4x64_epi64, _mm256_round_ps, _mm256_set1_epi8,
    _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_si256, _mm256_sign_epi8,
    _mm256_slli_epi32, _mm256_srli_epi16, _mm256_srli_epi32, _mm256_storeu_ps,
};

use super::lanes::Lanes;
use super::panels::{Place, Product};

/// Processors with AVX2, FMA and F16C.
pub(super) struct Avx2;

type Floats = [__m256; 2];
type Integers = [__m256i; 2];

/// Four activations repeated over a register.
#[inline(always)]
unsafe fn broadcast(quad: *const i8) -> __m256i {
    // SAFETY: the caller's pointer is valid for four bytes.
    unsafe { _mm256_set1_epi32(quad.cast::<i32>().read_unaligned()) }
}

impl Lanes for Avx2 {
    const PANEL: usize = 4;
    const ROWS: usize = 6;
    const VECTORS: usize = 1;
    type Bytes = Integers;
    type Floats = Floats;
    /// Sixteen-bit sums: 32 products of at most 15 * 127 stay below 2^15 in each half of a row.
    type Nibbles = Integers;
    type Wholes = Integers;

    #[target_feature(enable = "avx2,fma,f16c")]
    #[inline(never)]
    unsafe fn tile<const R: usize, const V: usize>(product: &Product, at: &Place) {
        // SAFETY: handed on.
        unsafe { product.tile::<Self, R, V>(at) }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Floats {
        unsafe { [_mm256_set1_ps(value); 2] }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Floats {
        unsafe { [_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))] }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, value: Floats) {
        unsafe {
            _mm256_storeu_ps(to, value[0]);
            _mm256_storeu_ps(to.add(8), value[1]);
        }
    }
    #[inline(always)]
    unsafe fn load_half(from: *const u16) -> Floats {
        unsafe {
            let low = _mm_loadu_si128(from.cast::<__m128i>());
            let high = _mm_loadu_si128(from.add(8).cast::<__m128i>());
            [_mm256_cvtph_ps(low), _mm256_cvtph_ps(high)]
        }
    }
    #[inline(always)]
    unsafe fn store_half(to: *mut u16, value: Floats) {
        unsafe {
            _mm_storeu_si128(to.cast::<__m128i>(), _mm256_cvtps_ph::<0>(value[0]));
            _mm_storeu_si128(to.add(8).cast::<__m128i>(), _mm256_cvtps_ph::<0>(value[1]));
        }
    }
    #[inline(always)]
    unsafe fn load_upper(from: *const u16) -> Floats {
        unsafe {
            let words = |at: usize| _mm256_cvtepu16_epi32(_mm_loadu_si128(from.add(at).cast::<__m128i>()));
            [0, 8].map(|at| _mm256_castsi256_ps(_mm256_slli_epi32::<16>(words(at))))
        }
    }
    #[inline(always)]
    unsafe fn load_pairs(from: *const u16) -> [Floats; 2] {
        unsafe {
            let words = |at: usize| _mm256_cvtepu16_epi32(_mm_loadu_si128(from.add(at).cast::<__m128i>()));
            let pairs = [words(0), words(8)];
            let first = _mm256_set1_epi32(255);
            [
                pairs.map(|pair| _mm256_cvtepi32_ps(_mm256_and_si256(pair, first))),
                pairs.map(|pair| _mm256_cvtepi32_ps(_mm256_srli_epi32::<8>(pair))),
            ]
        }
    }
    #[inline(always)]
    unsafe fn add(a: Floats, b: Floats) -> Floats {
        unsafe { [_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])] }
    }
    #[inline(always)]
    unsafe fn mul(a: Floats, b: Floats) -> Floats {
        unsafe { [_mm256_mul_ps(a[0], b[0]), _mm256_mul_ps(a[1], b[1])] }
    }
    #[inline(always)]
    unsafe fn div(a: Floats, b: Floats) -> Floats {
        unsafe { [_mm256_div_ps(a[0], b[0]), _mm256_div_ps(a[1], b[1])] }
    }
    #[inline(always)]
    unsafe fn max(a: Floats, b: Floats) -> Floats {
        unsafe { [_mm256_max_ps(a[0], b[0]), _mm256_max_ps(a[1], b[1])] }
    }
    #[inline(always)]
    unsafe fn abs(a: Floats) -> Floats {
        unsafe {
            let mask = _mm256_castsi256_ps(_mm256_set1_epi32(0x7FFF_FFFF));
            [_mm256_and_ps(a[0], mask), _mm256_and_ps(a[1], mask)]
        }
    }
    #[inline(always)]
    unsafe fn fma(a: Floats, b: Floats, c: Floats) -> Floats {
        unsafe { [_mm256_fmadd_ps(a[0], b[0], c[0]), _mm256_fmadd_ps(a[1], b[1], c[1])] }
    }
    #[inline(always)]
    unsafe fn round(a: Floats) -> Floats {
        // 8: to the nearest, exceptions suppressed.
        unsafe { [_mm256_round_ps::<8>(a[0]), _mm256_round_ps::<8>(a[1])] }
    }
    #[inline(always)]
    unsafe fn power_of_two(exponent: Floats) -> Floats {
        unsafe {
            let bias = _mm256_set1_epi32(127);
            let low = _mm256_add_epi32(_mm256_cvtps_epi32(exponent[0]), bias);
            let high = _mm256_add_epi32(_mm256_cvtps_epi32(exponent[1]), bias);
            [
                _mm256_castsi256_ps(_mm256_slli_epi32::<23>(low)),
                _mm256_castsi256_ps(_mm256_slli_epi32::<23>(high)),
            ]
        }
    }
    #[inline(always)]
    unsafe fn sum(a: Floats) -> f32 {
        unsafe {
            let eight = _mm256_add_ps(a[0], a[1]);
            let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ps(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }
    #[inline(always)]
    unsafe fn largest(a: Floats) -> f32 {
        unsafe {
            let eight = _mm256_max_ps(a[0], a[1]);
            let four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ps(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }
    #[inline(always)]
    unsafe fn store_bytes(to: *mut i8, a: Floats) -> i32 {
        unsafe {
            let (low, high) = (_mm256_cvtps_epi32(a[0]), _mm256_cvtps_epi32(a[1]));
            // Packing works within halves of a register; the permutation puts the words back in order.
            let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi32(low, high));
            let bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
            _mm_storeu_si128(to.cast::<__m128i>(), bytes);
            let pairs = _mm256_madd_epi16(words, _mm256_set1_epi16(1));
            let lanes: [i32; 8] = std::mem::transmute(pairs);
            lanes.iter().sum()
        }
    }

    #[inline(always)]
    unsafe fn prefetch(from: *const u8) {
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast::<i8>()) }
    }
    #[inline(always)]
    unsafe fn load_bytes(from: *const u8) -> Integers {
        unsafe {
            let from = from.cast::<__m256i>();
            [_mm256_loadu_si256(from), _mm256_loadu_si256(from.add(1))]
        }
    }
    #[inline(always)]
    unsafe fn low_nibbles(bytes: Integers) -> Integers {
        unsafe {
            let mask = _mm256_set1_epi8(15);
            [_mm256_and_si256(bytes[0], mask), _mm256_and_si256(bytes[1], mask)]
        }
    }
    #[inline(always)]
    unsafe fn high_nibbles(bytes: Integers) -> Integers {
        unsafe {
            let mask = _mm256_set1_epi8(15);
            [
                _mm256_and_si256(_mm256_srli_epi16::<4>(bytes[0]), mask),
                _mm256_and_si256(_mm256_srli_epi16::<4>(bytes[1]), mask),
            ]
        }
    }

    #[inline(always)]
    unsafe fn with_bit(bytes: Integers, bits: Integers, place: usize, to: usize) -> Integers {
        unsafe {
            let (place, to) = (_mm256_set1_epi8((1u8 << place).cast_signed()), _mm256_set1_epi8(1 << to));
            [0, 1].map(|at| {
                let set = _mm256_cmpeq_epi8(_mm256_and_si256(bits[at], place), place);
                _mm256_or_si256(bytes[at], _mm256_and_si256(set, to))
            })
        }
    }

    #[inline(always)]
    unsafe fn nibbles_zero() -> Integers {
        unsafe { [_mm256_setzero_si256(); 2] }
    }
    #[inline(always)]
    unsafe fn nibbles_step(sums: Integers, bytes: Integers, quad: *const i8) -> Integers {
        unsafe {
            let quad = broadcast(quad);
            [
                _mm256_add_epi16(sums[0], _mm256_maddubs_epi16(bytes[0], quad)),
                _mm256_add_epi16(sums[1], _mm256_maddubs_epi16(bytes[1], quad)),
            ]
        }
    }
    #[inline(always)]
    unsafe fn nibbles_floats(sums: Integers) -> Floats {
        unsafe {
            let one = _mm256_set1_epi16(1);
            [
                _mm256_cvtepi32_ps(_mm256_madd_epi16(sums[0], one)),
                _mm256_cvtepi32_ps(_mm256_madd_epi16(sums[1], one)),
            ]
        }
    }

    #[inline(always)]
    unsafe fn wholes_zero(_sum: i32) -> Integers {
        unsafe { [_mm256_setzero_si256(); 2] }
    }
    #[inline(always)]
    unsafe fn wholes_step(sums: Integers, bytes: Integers, quad: *const i8) -> Integers {
        unsafe {
            let quad = broadcast(quad);
            let one = _mm256_set1_epi16(1);
            // |w| * (a with the sign of w): the only byte product of AVX2 wants one unsigned side.
            let low = _mm256_maddubs_epi16(_mm256_abs_epi8(bytes[0]), _mm256_sign_epi8(quad, bytes[0]));
            let high = _mm256_maddubs_epi16(_mm256_abs_epi8(bytes[1]), _mm256_sign_epi8(quad, bytes[1]));
            [
                _mm256_add_epi32(sums[0], _mm256_madd_epi16(low, one)),
                _mm256_add_epi32(sums[1], _mm256_madd_epi16(high, one)),
            ]
        }
    }
    #[inline(always)]
    unsafe fn small_step(sums: Integers, bytes: Integers, quad: *const i8) -> Integers {
        unsafe {
            let quad = broadcast(quad);
            let one = _mm256_set1_epi16(1);
            // Two products of at most 63 and 127 fit sixteen bits.
            [0, 1].map(|at| {
                let pairs = _mm256_maddubs_epi16(bytes[at], quad);
                _mm256_add_epi32(sums[at], _mm256_madd_epi16(pairs, one))
            })
        }
    }
    #[inline(always)]
    unsafe fn wholes_floats(sums: Integers) -> Floats {
        unsafe { [_mm256_cvtepi32_ps(sums[0]), _mm256_cvtepi32_ps(sums[1])] }
    }
}
