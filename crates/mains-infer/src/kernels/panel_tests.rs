//! The kernels of the encoder on every instruction set that this processor has, against plain sums in 64 bits.

use mains_units::Chance;

use super::encode::{Heads, LayerNorm};
use super::panels::{self, Finish, Panels};
use super::plain::Plain;
use super::tests::{kernels, noise};

#[test]
fn products_with_panels_agree_with_plain_sums() {
    let mut chance = Chance::from_seed(11);
    // Whole panels and part of one; inputs below, at and beyond a block.
    for (outputs, inputs) in [(16, 5), (48, 192), (64, 193), (80, 400), (144, 96)] {
        let weights = noise(outputs * inputs, 1.0, &mut chance);
        let bias = noise(outputs, 1.0, &mut chance);
        for (count, threads) in (1..=18).map(|count| (count, 1)).chain([(33, 2), (50, 3)]) {
            let x = noise(count * inputs, 1.0, &mut chance);
            for mut kernels in kernels(threads) {
                let dense = kernels.pack(&weights, inputs, bias.clone()).unwrap();
                let mut out = vec![f32::NAN; count * outputs];
                kernels.dense(&x, &dense, Finish::Keep, &mut out);
                for (at, out) in out.iter().enumerate() {
                    let (row, output) = (at / outputs, at % outputs);
                    let pairs = weights[output * inputs..][..inputs].iter().zip(&x[row * inputs..]);
                    let products = pairs.map(|(w, x)| f64::from(*w) * f64::from(*x));
                    let (sum, size) = products.fold((0.0, 1.0), |(s, a), p| (s + p, a + p.abs()));
                    let error = (f64::from(*out) - sum - f64::from(bias[output])).abs();
                    assert!(
                        error <= 1e-6 * size,
                        "{:?} {count}x{inputs}x{outputs}: {out} {sum}",
                        kernels.set()
                    );
                }
            }
        }
    }
}

#[test]
fn panels_that_do_not_fit_are_refused() {
    let pack = |numbers, outputs, inputs| Panels::pack(&vec![0.0; numbers], outputs, inputs, 3).is_ok();
    assert!(pack(80, 16, 5));
    assert!(!pack(79, 16, 5) && !pack(75, 15, 5) && !pack(0, 0, 5) && !pack(0, 16, 0));
}

/// Half the complementary error function of a number that is not negative, by its series or its fraction.
fn tail(x: f64) -> f64 {
    if x > 3.0 {
        let fraction = (1..80).rev().fold(x, |below, n| x + f64::from(n) / 2.0 / below);
        return (-x * x).exp() / fraction / std::f64::consts::PI.sqrt() / 2.0;
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..120 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    0.5 - sum * std::f64::consts::FRAC_2_SQRT_PI / 2.0
}

#[test]
fn the_error_unit_is_near_over_the_whole_range() {
    for at in -12_000..12_000i16 {
        let x = f32::from(at) / 1000.0 + 0.000_3;
        // SAFETY: plain arrays need no instruction set.
        let got = unsafe { panels::gelu::<Plain>([x; 16]) }[0];
        let wide = f64::from(x);
        let expected = wide.max(0.0) - wide.abs() * tail(wide.abs() / 2.0_f64.sqrt());
        assert!((f64::from(got) - expected).abs() < 3e-7 * wide.abs().max(1.0), "{x}: {got} {expected}");
    }
}

#[test]
fn layer_norms_agree_with_plain_sums() {
    let mut chance = Chance::from_seed(12);
    let (state, change) = (noise(5 * 96, 3.0, &mut chance), noise(5 * 96, 3.0, &mut chance));
    let norm =
        LayerNorm { weight: noise(96, 2.0, &mut chance), bias: noise(96, 1.0, &mut chance), epsilon: 1e-5 };
    for mut kernels in kernels(2) {
        for change in [None, Some(&change[..])] {
            let mut out = state.clone();
            kernels.layer_norm(&mut out, change, &norm);
            for (token, out) in out.chunks(96).enumerate() {
                let x = |at: usize| {
                    let at = token * 96 + at;
                    f64::from(state[at]) + change.map_or(0.0, |change| f64::from(change[at]))
                };
                let mean = (0..96).map(x).sum::<f64>() / 96.0;
                let variance = (0..96).map(|at| (x(at) - mean).powi(2)).sum::<f64>() / 96.0;
                for (at, out) in out.iter().enumerate() {
                    let normed = (x(at) - mean) / (variance + 1e-5).sqrt();
                    let expected = normed * f64::from(norm.weight[at]) + f64::from(norm.bias[at]);
                    assert!(
                        (f64::from(*out) - expected).abs() < 3e-6,
                        "{:?} {out} {expected}",
                        kernels.set()
                    );
                }
            }
        }
    }
}

#[test]
fn attention_of_whole_texts_agrees_with_plain_sums() {
    let mut chance = Chance::from_seed(13);
    for heads in [Heads { count: 3, size: 32 }, Heads { count: 2, size: 64 }] {
        let width = heads.count * heads.size;
        let texts = [0..1, 1..18, 18..34, 34..99];
        let projected = noise(99 * 3 * width, 0.7, &mut chance);
        for mut kernels in kernels(2) {
            let mut out = vec![f32::NAN; 99 * width];
            kernels.attend_texts(&projected, &texts, heads, &mut out);
            for text in &texts {
                for (token, at) in text.clone().flat_map(|token| (0..width).map(move |at| (token, at))) {
                    let start = at / heads.size * heads.size;
                    let side = |token: usize, side: usize| &projected[(token * 3 + side) * width..][..width];
                    let score = |key: usize| {
                        let pairs = side(token, 0)[start..][..heads.size].iter().zip(&side(key, 1)[start..]);
                        pairs.map(|(q, k)| f64::from(*q) * f64::from(*k)).sum::<f64>().exp()
                    };
                    let scores: Vec<f64> = text.clone().map(score).collect();
                    let values = text.clone().map(|key| f64::from(side(key, 2)[at]));
                    let sum: f64 = scores.iter().zip(values).map(|(score, value)| score * value).sum();
                    let expected = sum / scores.iter().sum::<f64>();
                    let got = f64::from(out[token * width + at]);
                    assert!((got - expected).abs() < 3e-6, "{:?} {token} {at}: {got}", kernels.set());
                }
            }
        }
    }
}
