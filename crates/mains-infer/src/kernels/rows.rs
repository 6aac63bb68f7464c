//! What is done to the numbers of one token at a time: norms, gate, softmax.

use super::lanes::{Lanes, exp};

/// Root-mean-square norm: `out = x / sqrt(mean(x^2) + epsilon) * weight` (Zhang, Sennrich 2019).
///
/// # Safety
/// `L` is enabled here.
#[inline(always)]
pub(super) unsafe fn norm<L: Lanes>(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
    let length = x.len();
    assert!(length.is_multiple_of(16) && weight.len() == length && out.len() == length, "rows go by sixteen");
    // SAFETY: all three slices hold `length` numbers, a multiple of sixteen.
    unsafe {
        let mut squares = L::splat(0.0);
        for at in (0..length).step_by(16) {
            let x = L::load(x.as_ptr().add(at));
            squares = L::fma(x, x, squares);
        }
        let mean = L::sum(squares) / length as f32;
        let factor = L::splat(1.0 / (mean + epsilon).sqrt());
        for at in (0..length).step_by(16) {
            let scaled = L::mul(L::load(x.as_ptr().add(at)), factor);
            L::store(out.as_mut_ptr().add(at), L::mul(scaled, L::load(weight.as_ptr().add(at))));
        }
    }
}

/// Layer norm of a sum (Ba, Kiros, Hinton 2016): with `x = state + change`,
/// `state = (x - mean) / sqrt(variance + epsilon) * weight + bias`.
///
/// # Safety
/// `L` is enabled here.
#[inline(always)]
pub(super) unsafe fn layer_norm<L: Lanes>(
    state: &mut [f32],
    change: Option<&[f32]>,
    weight: &[f32],
    bias: &[f32],
    epsilon: f32,
) {
    let length = state.len();
    assert!(
        length.is_multiple_of(16) && weight.len() == length && bias.len() == length,
        "rows go by sixteen"
    );
    assert!(change.is_none_or(|change| change.len() == length), "a change for each number");
    // SAFETY: all slices hold `length` numbers, a multiple of sixteen.
    unsafe {
        let mut sum = L::splat(0.0);
        for at in (0..length).step_by(16) {
            let mut x = L::load(state.as_ptr().add(at));
            if let Some(change) = change {
                x = L::add(x, L::load(change.as_ptr().add(at)));
                L::store(state.as_mut_ptr().add(at), x);
            }
            sum = L::add(sum, x);
        }
        let minus_mean = L::splat(-(L::sum(sum) / length as f32));
        let mut squares = L::splat(0.0);
        for at in (0..length).step_by(16) {
            let x = L::add(L::load(state.as_ptr().add(at)), minus_mean);
            squares = L::fma(x, x, squares);
        }
        let factor = L::splat(1.0 / (L::sum(squares) / length as f32 + epsilon).sqrt());
        for at in (0..length).step_by(16) {
            let x = L::mul(L::add(L::load(state.as_ptr().add(at)), minus_mean), factor);
            let (weight, bias) = (L::load(weight.as_ptr().add(at)), L::load(bias.as_ptr().add(at)));
            L::store(state.as_mut_ptr().add(at), L::fma(x, weight, bias));
        }
    }
}

/// Multiplies all numbers by a factor.
///
/// # Safety
/// `L` is enabled here.
#[inline(always)]
pub(super) unsafe fn scale<L: Lanes>(x: &mut [f32], factor: f32) {
    assert!(x.len().is_multiple_of(16), "rows go by sixteen");
    for sixteen in x.chunks_exact_mut(16) {
        // SAFETY: a chunk holds sixteen numbers.
        unsafe { L::store(sixteen.as_mut_ptr(), L::mul(L::load(sixteen.as_ptr()), L::splat(factor))) }
    }
}

/// The SwiGLU gate: `out = gate / (1 + exp(-gate)) * up` (Shazeer 2020).
///
/// # Safety
/// `L` is enabled here.
#[inline(always)]
pub(super) unsafe fn gate<L: Lanes>(gate: &[f32], up: &[f32], out: &mut [f32]) {
    let length = gate.len();
    assert!(length.is_multiple_of(16) && up.len() == length && out.len() == length, "rows go by sixteen");
    // SAFETY: all three slices hold `length` numbers, a multiple of sixteen.
    unsafe {
        for at in (0..length).step_by(16) {
            let gate = L::load(gate.as_ptr().add(at));
            let up = L::load(up.as_ptr().add(at));
            let below = L::add(L::splat(1.0), exp::<L>(L::mul(gate, L::splat(-1.0))));
            L::store(out.as_mut_ptr().add(at), L::mul(L::div(gate, below), up));
        }
    }
}

/// Turns the first `length` scores into `exp(score - largest)` and gives back their sum; the rest of the
/// last sixteen becomes zero.
///
/// # Safety
/// `L` is enabled here; `scores` is valid for `length` rounded up to sixteen.
#[inline(always)]
pub(super) unsafe fn exponentials<L: Lanes>(scores: *mut f32, length: usize) -> f32 {
    let padded = length.next_multiple_of(16);
    // SAFETY: every access is below `padded`.
    unsafe {
        for at in length..padded {
            *scores.add(at) = -1e30;
        }
        let mut largest = L::load(scores);
        for at in (16..padded).step_by(16) {
            largest = L::max(largest, L::load(scores.add(at)));
        }
        let minus_largest = L::splat(-L::largest(largest));
        for at in (0..padded).step_by(16) {
            let score = L::load(scores.add(at));
            L::store(scores.add(at), exp::<L>(L::add(score, minus_largest)));
        }
        for at in length..padded {
            *scores.add(at) = 0.0;
        }
        let mut sum = L::splat(0.0);
        for at in (0..padded).step_by(16) {
            sum = L::add(sum, L::load(scores.add(at)));
        }
        L::sum(sum)
    }
}
