//! How many outcomes a verdict will take, and their price.

use crate::stats::need::{self, Expected};
use crate::verdict::{Ppm, Question};
use mains_meter::Rates;
use mains_units::{NanoUsd, PicoUsdPerToken, Tokens, Usage};

/// How many outcomes are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// With looks at any time; absent if no number suffices.
    pub anytime: Option<u64>,
    /// With one look at the end, by the classical test; for comparison.
    pub fixed: Option<u64>,
    /// The fewest that can support a verdict at all: no pair disagrees, no answer differs.
    pub floor: Option<u64>,
}

/// Tells the number of outcomes after which a model that is as good as the old one is accepted with chance `power`.
/// `disagree` is what is expected of the outcomes: for pairs the share in which only one of both passes, for single
/// comparisons the share that differs.
pub fn need(question: Question, disagree: Ppm, alpha: Ppm, power: Ppm) -> Need {
    let expected = if question.is_paired() {
        Expected::pairs(disagree.fraction(), 0.0)
    } else {
        Expected::singles(disagree.fraction())
    };
    let (claim, alpha, power) = (question.claim(), alpha.fraction(), power.fraction());
    let best = if question.is_paired() { 0.5 } else { 1.0 };
    Need {
        anytime: need::anytime(&expected, claim, alpha, power),
        fixed: need::fixed(&expected, claim, alpha, power),
        floor: need::floor(best, claim, alpha),
    }
}

/// The recorded traffic, whose token mix the price rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// How many records.
    pub records: u64,
    /// What they used together.
    pub usage: Usage,
    /// The most output tokens that one request may ask for.
    pub output_max: u64,
}

/// What a judge costs: each pair is shown twice, once in each order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JudgeCost {
    /// Its prices.
    pub rates: Rates,
    /// Tokens of its instructions.
    pub instructions: u64,
    /// Tokens of its verdict.
    pub verdict: u64,
}

/// What a test costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// If the new model writes as much as the old one did.
    pub expected: NanoUsd,
    /// If every answer is as long as the request allows, and nothing is cached: what a cap must hold.
    pub most: NanoUsd,
}

/// Prices `items` requests like the recorded ones: at the new model, at the old one too where it is asked a second
/// time, and at a judge.
pub fn price(
    traffic: &Traffic,
    items: u64,
    new: &Rates,
    old_again: Option<&Rates>,
    judge: Option<&JudgeCost>,
) -> Price {
    let records = u128::from(traffic.records.max(1));
    let (usage, items) = (&traffic.usage, u128::from(items));
    let input = u128::from(usage.input_total());
    // Sums over all records in pico-USD; scaled to the items and rounded up once.
    let (mut expected, mut most) = (0u128, 0u128);
    for rates in [Some(new), old_again].into_iter().flatten() {
        expected += pico(rates, usage);
        most +=
            u128::from(dearest(rates).0) * input + rates.output.times(Tokens(traffic.output_max)) * records;
    }
    if let Some(judge) = judge {
        let fixed = judge.rates.input.times(Tokens(judge.instructions))
            + judge.rates.output.times(Tokens(judge.verdict));
        let read =
            |output: u128| 2 * (u128::from(judge.rates.input.0) * (input + 2 * output) + fixed * records);
        expected += read(u128::from(usage.output));
        most += read(u128::from(traffic.output_max) * records);
    }
    let scaled = |pico: u128| NanoUsd::from_pico_rounded_up(pico.saturating_mul(items).div_ceil(records));
    Price { expected: scaled(expected), most: scaled(most) }
}

fn pico(rates: &Rates, usage: &Usage) -> u128 {
    rates.input.times(Tokens(usage.input))
        + rates.cached_read.unwrap_or(rates.input).times(Tokens(usage.cached_read))
        + rates.cached_write.unwrap_or(rates.input).times(Tokens(usage.cached_write))
        + rates.output.times(Tokens(usage.output))
}

fn dearest(rates: &Rates) -> PicoUsdPerToken {
    [Some(rates.input), rates.cached_read, rates.cached_write]
        .into_iter()
        .flatten()
        .max()
        .unwrap_or(rates.input)
}
