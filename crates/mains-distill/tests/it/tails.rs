//! Binomial tails against values computed in exact fractions, and against their own laws.

use mains_distill::certificate::tails::{allowed, at_most, least_rows, lower, upper};
use proptest::prelude::*;

fn near(found: f64, known: f64) {
    assert!((found / known - 1.0).abs() < 1e-11, "{found:e} is not {known:e}");
}

#[test]
fn tails_are_those_of_exact_fractions() {
    // Python: sum(Fraction(comb(n, i) * num**i * (den - num)**(n - i), den**n) for i in range(k + 1))
    near(at_most(3, 300, 0.02), 0.148_510_381_511_258_73);
    near(at_most(0, 299, 0.01), 0.049_536_256_637_662_48);
    near(at_most(50, 3_000, 0.02), 0.105_336_500_084_023_75);
    near(at_most(7, 10, 0.5), 0.945_312_5);
    near(at_most(2, 1_000, 0.05), 7.605_873_802_542_225e-20);
    near(at_most(9, 9, 0.3), 1.0);
    assert!((at_most(5, 10, 1.0)).abs() < 1e-300 && (at_most(0, 0, 0.5) - 1.0).abs() < 1e-15);
}

#[test]
fn the_fewest_rows_are_those_of_the_literature() {
    assert_eq!(least_rows(0.05, 0.05), Some(59));
    assert_eq!(least_rows(0.02, 0.05), Some(149));
    assert_eq!(least_rows(0.01, 0.05), Some(299));
    // An exact power: half of the rows, one time in 1,024.
    assert_eq!(least_rows(0.5, 1.0 / 1_024.0), Some(10));
    assert_eq!(least_rows(0.0, 0.05), None);
    assert_eq!(allowed(298, 0.01, 0.05), None);
    assert_eq!(allowed(299, 0.01, 0.05), Some(0));
}

#[test]
fn bounds_of_no_hits_are_in_closed_form() {
    // 0 of n: 1 - alpha^(1/n), and its mirror.
    near(upper(0, 100, 0.05), 1.0 - 0.05f64.powf(0.01));
    near(lower(100, 100, 0.05), 0.05f64.powf(0.01));
    assert!(lower(0, 100, 0.05) < 1e-12 && (upper(100, 100, 0.05) - 1.0).abs() < 1e-15);
    assert!((upper(0, 0, 0.05) - 1.0).abs() < 1e-15 && lower(0, 0, 0.05) < 1e-15);
}

proptest! {
    #[test]
    fn a_bound_is_where_its_tail_is_alpha(n in 1u64..400, drawn in 0u64..400, alpha in 0.001f64..0.4) {
        let hits = drawn % n;
        let bound = upper(hits, n, alpha);
        prop_assert!((at_most(hits, n, bound) - alpha).abs() < 1e-8);
        prop_assert!(bound >= hits as f64 / n as f64);
        prop_assert!(lower(hits, n, alpha) <= hits as f64 / n as f64 + 1e-12);
    }

    #[test]
    fn as_many_as_allowed_pass_and_one_more_does_not(n in 60u64..5_000, eps in 0.01f64..0.3) {
        if let Some(most) = allowed(n, eps, 0.05) {
            prop_assert!(at_most(most, n, eps) <= 0.05);
            prop_assert!(at_most(most + 1, n, eps) > 0.05);
        } else {
            prop_assert!(at_most(0, n, eps) > 0.05);
        }
    }
}
