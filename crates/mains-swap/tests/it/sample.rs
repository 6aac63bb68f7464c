//! Samples, needs and prices.

use mains_meter::Rates;
use mains_swap::sample::{JudgeCost, Length, Stratum, Traffic, draw, for_humans, language, need, price};
use mains_swap::{Ppm, Question};
use mains_units::{Chance, NanoUsd, PicoUsdPerToken, Timestamp, Usage};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn languages_are_guessed_or_unknown() {
    for (text, expected) in [
        ("What is the capital of the country that this text is about?", "en"),
        ("Wie ist das Wetter und was kann ich nicht mit der Bahn machen?", "de"),
        ("Quelle est la capitale et que pouvez-vous dire dans une phrase pour nous?", "fr"),
        ("¿Cómo es el tiempo y qué puedo hacer con los niños?", "es"),
        ("東京の天気はどうですか", "ja"),
        ("北京的天气怎么样", "zh"),
        ("오늘 날씨가 어때요", "ko"),
        ("Какая сегодня погода", "cyrillic"),
        ("12345", "unknown"),
        ("fn main() {}", "unknown"),
        ("", "unknown"),
    ] {
        assert_eq!(language(text), expected, "{text}");
    }
}

#[test]
fn strata_divide_by_length_language_tools_and_week() {
    let at = Timestamp(1_795_550_813_120);
    let one = Stratum::of("what is the time of day", false, at);
    assert_eq!((one.length, one.language, one.tools, one.week), (Length::Tiny, "en", false, 2_968));
    assert_ne!(one, Stratum::of("what is the time of day", true, at));
    assert_eq!(Length::of(16_384), Length::Huge);
}

#[test]
fn one_seed_is_one_sample() {
    let strata: Vec<u8> = (0..100).map(|i| i % 3).collect();
    let sample = |seed| draw(&strata, 30, &mut Chance::from_seed(seed));
    assert_eq!(sample(5), sample(5));
    assert_ne!(sample(5), sample(6));
}

#[test]
fn people_see_items_blind() {
    let items = for_humans(1_000, 400, &mut Chance::from_seed(3));
    assert_eq!(items.iter().map(|item| item.item).collect::<BTreeSet<_>>().len(), 400);
    let left = items.iter().filter(|item| item.new_left).count();
    assert!((150..250).contains(&left), "seed 3: {left}");
}

proptest! {
    #[test]
    fn a_sample_keeps_the_proportions(strata in prop::collection::vec(0u8..5, 1..300), size in 0usize..350, seed: u64) {
        let drawn = draw(&strata, size, &mut Chance::from_seed(seed));
        prop_assert_eq!(drawn.len(), size.min(strata.len()));
        prop_assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), drawn.len(), "none twice");
        let count = |places: &mut dyn Iterator<Item = usize>| {
            let mut counts = BTreeMap::<u8, usize>::new();
            places.for_each(|place| *counts.entry(strata[place]).or_default() += 1);
            counts
        };
        let (all, sampled) = (count(&mut (0..strata.len())), count(&mut drawn.iter().copied()));
        for (stratum, all) in all {
            let exact = (all * drawn.len()) as f64 / strata.len() as f64;
            let found = sampled.get(&stratum).copied().unwrap_or(0) as f64;
            prop_assert!((found - exact).abs() < 1.0, "{} of {}", found, exact);
        }
    }
}

#[test]
fn the_need_is_told_before() {
    let found = need(Question::Quality { margin: Ppm::points(2) }, Ppm::points(5), Ppm(50_000), Ppm(800_000));
    let (anytime, fixed, floor) = (found.anytime.unwrap(), found.fixed.unwrap(), found.floor.unwrap());
    assert_eq!(fixed, 773);
    assert!(floor < fixed && fixed < anytime && anytime < 3 * fixed, "{found:?}");
    let agreement = Question::Agreement { most: Ppm::points(2) };
    assert_eq!(need(agreement, Ppm::points(3), Ppm(50_000), Ppm(800_000)).anytime, None);
}

#[test]
fn the_price_is_told_before() {
    let rates = |input, output| Rates {
        input: PicoUsdPerToken(input),
        output: PicoUsdPerToken(output),
        cached_read: None,
        cached_write: None,
    };
    let usage = Usage { input: 50_000, output: 10_000, ..Usage::default() };
    let traffic = Traffic { records: 100, usage, output_max: 1_000 };
    let new = rates(1_000_000, 4_000_000);
    // 500 input and 100 output tokens each: 0.0005 + 0.0004 dollars; at most 0.0005 + 0.004.
    let found = price(&traffic, 1_000, &new, None, None);
    assert_eq!((found.expected, found.most), (NanoUsd(900_000_000), NanoUsd(4_500_000_000)));
    let judge = JudgeCost { rates: rates(2_000_000, 8_000_000), instructions: 300, verdict: 10 };
    // Twice: (500 + 2 x 100 + 300) x 2 + 10 x 8 = 2,080 micro-dollars; 4.16 dollars in all.
    let judged = price(&traffic, 1_000, &new, None, Some(&judge));
    assert_eq!(judged.expected.0 - found.expected.0, 4_160_000_000);
    let again = price(&traffic, 1_000, &new, Some(&new), None);
    assert_eq!(again.expected.0, 2 * found.expected.0);
}
