//! The statistics against values that other programs computed: SciPy for the distributions, and for the rest
//! a Python script that multiplies wealth outcome by outcome, maximises likelihoods numerically and walks through
//! all sets of claims.

use mains_swap::stats::fixed::{
    clopper_pearson, incomplete_beta, ln_gamma, normal_cdf, normal_quantile, tango_z,
};
use mains_swap::stats::many::adjusted;
use mains_swap::stats::need::{self, Expected};
use mains_swap::stats::{Counts, JudgedTally, Side, Tally};
use mains_units::Chance;

fn near(found: f64, expected: f64, relative: f64) {
    assert!((found - expected).abs() <= relative * expected.abs().max(1e-12), "{found} is not {expected}");
}

#[test]
fn distributions_are_those_of_scipy() {
    for (x, expected) in [
        (0.3, 1.095_797_994_818_075_6),
        (0.5, 0.572_364_942_924_7),
        (7.5, 7.534_364_236_758_734),
        (1000.5, 5_908.674_175_848_678),
    ] {
        near(ln_gamma(x), expected, 1e-12);
    }
    for (a, b, x, expected) in [
        (0.5, 0.5, 0.3, 0.369_010_119_565_545_36),
        (2.0, 3.0, 0.4, 0.524_8),
        (20.0, 5.0, 0.9, 0.914_925_114_121_329_3),
        (300.0, 700.0, 0.31, 0.756_418_682_731_544_3),
        (5.0, 1000.0, 0.002, 0.053_196_346_463_265_41),
    ] {
        near(incomplete_beta(a, b, x), expected, 1e-10);
    }
    for (z, expected) in [
        (-6.0, 9.865_876_450_376_946e-10),
        (-4.2, 1.334_574_901_590_631e-5),
        (-1.96, 0.024_997_895_148_220_435),
        (0.5, 0.691_462_461_274_013_1),
        (3.9, 0.999_951_903_655_982_4),
        (4.1, 0.999_979_342_493_087_5),
    ] {
        near(normal_cdf(z), expected, 1e-10);
    }
    for (p, expected) in
        [(0.975, 1.959_963_984_540_054), (0.8, 0.841_621_233_572_914_3), (0.0001, -3.719_016_485_455_680_4)]
    {
        near(normal_quantile(p), expected, 1e-9);
    }
}

#[test]
fn exact_bounds_and_the_score_test_are_those_of_other_programs() {
    for (hits, n, alpha, low, high) in [
        (0, 10, 0.025, 0.0, 0.308_497_107_818_760_7),
        (5, 20, 0.025, 0.086_571_469_101_434_61, 0.491_045_871_707_957_44),
        (97, 100, 0.025, 0.914_823_947_025_72, 0.993_770_028_461_693_6),
        (20, 1000, 0.05, 0.013_293_005_534_560_481, 0.028_930_122_851_398_708),
    ] {
        let found = clopper_pearson(hits, n, alpha);
        near(found.0, low, 1e-9);
        near(found.1, high, 1e-9);
    }
    near(tango_z(12, 15, 400, -0.02), 0.942_224_752_464_727_9, 1e-6);
    near(tango_z(3, 30, 1000, -0.05), 3.202_274_534_905_721, 1e-6);
    near(tango_z(40, 10, 500, -0.1), 8.723_963_454_502_135, 1e-6);
}

#[test]
fn wealth_and_bounds_are_those_of_multiplying_one_by_one() {
    for (tally, claim, above, below) in [
        ([3, 390, 7], 0.49, 4.284_711_809_315_806, -1.802_763_064_788_593_7),
        ([10, 0, 490], 0.95, 4.324_376_737_343_192, -4.712_389_581_290_635),
        ([1, 148, 1], 0.475, 3.842_113_959_090_117_4, -1.461_411_607_904_896_9),
        ([0, 150, 0], 0.49, 2.014_345_384_518_633_4, -0.924_236_683_587_027_2),
    ] {
        let counts = Counts::Graded(Tally(tally));
        near(counts.log_wealth(claim, Side::Above), above, 1e-9);
        near(counts.log_wealth(claim, Side::Below), below, 1e-9);
    }
    for (tally, low, high) in [
        ([3, 390, 7], 0.491_078_025_329_723_4, 0.521_154_574_743_167_4),
        ([10, 0, 490], 0.952_233_529_556_570_9, 0.995_596_546_711_451_8),
        ([20, 60, 20], 0.394_750_051_902_539_6, 0.605_249_948_097_460_5),
    ] {
        let found = Counts::Graded(Tally(tally)).interval(0.05);
        near(found.0, low, 1e-7);
        near(found.1, high, 1e-7);
    }
}

#[test]
fn nothing_known_is_the_whole_interval() {
    let counts = Counts::Graded(Tally::default());
    assert_eq!(counts.mean(), None);
    let (low, high) = counts.interval(0.05);
    assert!(low <= 0.0 && high >= 1.0, "{low} {high}");
}

const JUDGED: JudgedTally =
    JudgedTally { judge_only: [90, 120, 150], both: [[20, 5, 4], [6, 30, 7], [2, 6, 40]] };

#[test]
fn judged_wealth_is_the_least_product() {
    // The script tries 1,001 values of the judge's mean; ours is a bound from below within 0.01.
    for (claim, side, expected) in
        [(0.45, Side::Above, 4.295_883_786_626_11), (0.65, Side::Below, 0.849_195_155_835_404_5)]
    {
        let found = JUDGED.log_wealth(claim, side);
        assert!(found <= expected + 1e-3 && found >= expected - 0.02, "{found} is not just below {expected}");
    }
}

#[test]
fn a_judge_that_is_right_narrows_the_interval_and_a_useless_one_hardly_widens_it() {
    let width = |tally: JudgedTally| {
        let (low, high) = Counts::Judged(tally).interval(0.05);
        high - low
    };
    let people_only = width(JudgedTally { judge_only: [0; 3], both: [[60, 0, 0], [0, 80, 0], [0, 0, 60]] });
    let right =
        width(JudgedTally { judge_only: [600, 800, 600], both: [[60, 0, 0], [0, 80, 0], [0, 0, 60]] });
    let blind =
        width(JudgedTally { judge_only: [600, 800, 600], both: [[18, 24, 18], [24, 32, 24], [18, 24, 18]] });
    assert!(right < 0.7 * people_only, "{right} {people_only}");
    assert!(blind < 1.12 * people_only, "{blind} {people_only}");
}

#[test]
fn a_judge_without_people_proves_nothing() {
    let tally = JudgedTally { judge_only: [0, 0, 100_000], both: [[0; 3]; 3] };
    assert_eq!(tally.mean(), None);
    for side in [Side::Above, Side::Below] {
        assert!(tally.log_wealth(0.4, side).abs() < 1e-12);
    }
}

#[test]
fn several_claims_are_adjusted_as_all_sets_of_them_ask() {
    let check = |e: &[f64], expected: &[f64]| {
        let logs: Vec<f64> = e.iter().map(|e| e.ln()).collect();
        for (found, expected) in adjusted(&logs).into_iter().zip(expected) {
            near(found, *expected, 1e-9);
        }
    };
    check(
        &[100.0, 0.5, 3.0, 40.0],
        &[3.540_959_324_037_314_3, -std::f64::consts::LN_2, 0.559_615_787_935_422_7, 2.674_148_649_426_528_7],
    );
    check(
        &[0.1, 0.2, 25.0, 25.0, 0.3],
        &[
            -2.302_585_092_994_045_5,
            -1.897_119_984_885_881,
            1.856_297_990_365_626_3,
            1.856_297_990_365_626_3,
            -1.609_437_912_434_100_3,
        ],
    );
    check(&[1000.0], &[6.907_755_278_982_137]);
    // No overflow where e-values are beyond any double.
    near(adjusted(&[5_000.0, -20.0])[0], 5_000.0 - 2f64.ln(), 1e-9);
    assert!(adjusted(&[]).is_empty());
}

/// The share of runs in which the wealth reaches 20 at `n` or before, looking at every outcome.
fn power(discordance: f64, claim: f64, n: u64, seed: u64) -> f64 {
    let mut chance = Chance::from_seed(seed);
    let runs = 400;
    let reached = (0..runs).filter(|_| {
        let mut tally = Tally::default();
        (0..n).any(|i| {
            let place = if chance.hits(discordance) { 2 * usize::from(chance.hits(0.5)) } else { 1 };
            tally.add(place);
            i % 10 == 9 && Counts::Graded(tally).log_wealth(claim, Side::Above) >= 20f64.ln()
        })
    });
    reached.count() as f64 / f64::from(runs)
}

#[test]
fn the_planned_number_suffices_and_half_of_it_does_not() {
    for (discordance, margin, seed) in [(0.05, 0.05, 1), (0.1, 0.05, 2), (0.02, 0.02, 3)] {
        let claim = (1.0 - margin) / 2.0;
        let n = need::anytime(&Expected::pairs(discordance, 0.0), claim, 0.05, 0.8).unwrap();
        let (whole, half) = (power(discordance, claim, n, seed), power(discordance, claim, n / 2, seed));
        assert!(whole >= 0.8, "seed {seed}: {n} outcomes give power {whole}");
        assert!(half < 0.7, "seed {seed}: half of {n} outcomes give power {half}");
    }
}

#[test]
fn needs_are_plausible() {
    // One look, nothing lost, two points: the rule of three, ln 0.05 / ln 0.98 = 148.3.
    assert_eq!(need::fixed(&Expected::singles(0.0), 0.98, 0.05, 0.8), Some(149));
    // (1.6449 + 0.8416)^2 0.05 / 0.02^2 = 772.8
    assert_eq!(need::fixed(&Expected::pairs(0.05, 0.0), 0.49, 0.05, 0.8), Some(773));
    assert_eq!(
        need::anytime(&Expected::singles(0.02), 0.98, 0.05, 0.8),
        None,
        "at the margin no number suffices"
    );
    let identical = need::floor(0.5, 0.49, 0.05).unwrap();
    assert!((150..=220).contains(&identical), "{identical}");
}
