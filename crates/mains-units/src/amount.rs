//! What is counted: tokens, money, energy, carbon, water, and sums of them that are held and settled.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A number of tokens as a provider counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Tokens(pub u64);

/// Money in billionths of a US dollar. Every sum of money in Mains is one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct NanoUsd(pub u64);

impl NanoUsd {
    /// One US dollar.
    pub const DOLLAR: Self = Self(1_000_000_000);

    /// This sum in dollars, for display only.
    pub fn as_usd(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl fmt::Display for NanoUsd {
    /// Dollars without trailing zeros: `$0.000123`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        let digits = format!("{fraction:09}");
        let digits = digits.trim_end_matches('0');
        if digits.is_empty() { write!(f, "${whole}") } else { write!(f, "${whole}.{digits}") }
    }
}

/// A price: trillionths of a US dollar per token. `$0.15` per million tokens is 150,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct PicoUsdPerToken(pub u64);

impl PicoUsdPerToken {
    /// The price of `tokens` in trillionths of a dollar; sums of these are rounded up once, at the end,
    /// by [`NanoUsd::from_pico_rounded_up`].
    pub fn times(self, tokens: Tokens) -> u128 {
        u128::from(self.0) * u128::from(tokens.0)
    }

    /// Dollars per million tokens, for display only.
    pub fn as_usd_per_million(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl NanoUsd {
    /// Rounds trillionths of a dollar up to billionths; a sum beyond `u64` saturates.
    pub fn from_pico_rounded_up(pico: u128) -> Self {
        Self(u64::try_from(pico.div_ceil(1_000)).unwrap_or(u64::MAX))
    }
}

/// Energy in joules.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
pub struct Joules(pub f64);

/// Mass of greenhouse gases in grams of CO2 equivalent.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
pub struct GramsCo2e(pub f64);

/// A volume of water in litres.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
pub struct Litres(pub f64);

/// Tokens that one answer used, in the parts that providers price apart.
///
/// The parts do not overlap: `input` excludes cached tokens, `output` includes `reasoning`
/// (which is said apart because users ask for it, and is never added to `output`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Input tokens read fresh.
    pub input: u64,
    /// Input tokens read from the provider's prompt cache.
    pub cached_read: u64,
    /// Input tokens written to the provider's prompt cache.
    pub cached_write: u64,
    /// Output tokens, reasoning included.
    pub output: u64,
    /// How many of `output` were reasoning.
    pub reasoning: u64,
}

impl Usage {
    /// All input tokens, cached or not.
    pub fn input_total(&self) -> u64 {
        self.input.saturating_add(self.cached_read).saturating_add(self.cached_write)
    }

    /// Input and output together.
    pub fn total(&self) -> u64 {
        self.input_total().saturating_add(self.output)
    }
}

/// What a budget can cap. Each is held as an integer so that held = settled + released exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Money, in nano-USD.
    Money,
    /// Energy, in millijoules.
    Energy,
    /// Carbon, in micrograms of CO2 equivalent.
    Carbon,
    /// Water, in microlitres.
    Water,
    /// Tokens, input and output together.
    Tokens,
    /// Requests.
    Requests,
}

impl Quantity {
    /// Every quantity, in the order of [`Amounts`].
    pub const ALL: [Self; 6] =
        [Self::Money, Self::Energy, Self::Carbon, Self::Water, Self::Tokens, Self::Requests];

    /// The name of the integer unit in which an amount of this quantity is kept.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Money => "nano-USD",
            Self::Energy => "mJ",
            Self::Carbon => "µgCO2e",
            Self::Water => "µL",
            Self::Tokens => "tokens",
            Self::Requests => "requests",
        }
    }
}

/// One integer amount for every [`Quantity`]; the unit of each is [`Quantity::unit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Amounts([u64; 6]);

impl Amounts {
    /// Nothing of anything.
    pub const ZERO: Self = Self([0; 6]);

    /// The amount of one quantity.
    pub fn get(&self, quantity: Quantity) -> u64 {
        self.0[quantity as usize]
    }

    /// These amounts with one of them replaced.
    #[must_use]
    pub fn with(mut self, quantity: Quantity, amount: u64) -> Self {
        self.0[quantity as usize] = amount;
        self
    }

    /// Sum, quantity by quantity; saturates.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        self.zip(other, u64::saturating_add)
    }

    /// Difference, quantity by quantity; stops at zero.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.zip(other, u64::saturating_sub)
    }

    /// The greater of the two, quantity by quantity.
    #[must_use]
    pub fn max(&self, other: &Self) -> Self {
        self.zip(other, Ord::max)
    }

    fn zip(&self, other: &Self, f: impl Fn(u64, u64) -> u64) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_rounded_up_once_and_printed_without_trailing_zeros() {
        let pico = PicoUsdPerToken(150_000).times(Tokens(7)) + PicoUsdPerToken(600_000).times(Tokens(1)) + 1;
        assert_eq!(NanoUsd::from_pico_rounded_up(pico), NanoUsd(1_651));
        assert_eq!(NanoUsd(1_500_000_000).to_string(), "$1.5");
        assert_eq!(NanoUsd(2_000_000_000).to_string(), "$2");
        assert_eq!(NanoUsd(1).to_string(), "$0.000000001");
    }

    #[test]
    fn amounts_keep_each_quantity_apart() {
        let held = Amounts::ZERO.with(Quantity::Money, 5).with(Quantity::Water, 9);
        let used = Amounts::ZERO.with(Quantity::Money, 7);
        assert_eq!(held.minus(&used).get(Quantity::Money), 0);
        assert_eq!(held.minus(&used).get(Quantity::Water), 9);
        assert_eq!(held.max(&used).get(Quantity::Money), 7);
    }
}
