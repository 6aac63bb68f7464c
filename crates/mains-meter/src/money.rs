//! Money: usage times price in integers, rounded up once at the end.

use mains_units::{NanoUsd, PicoUsdPerToken, Tokens, Usage};

/// What each part of a usage costs at one (host, model) pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Input tokens read fresh.
    pub input: PicoUsdPerToken,
    /// Output tokens, reasoning included.
    pub output: PicoUsdPerToken,
    /// Input tokens read from the prompt cache; `None`: priced as fresh input.
    pub cached_read: Option<PicoUsdPerToken>,
    /// Input tokens written to the prompt cache; `None`: priced as fresh input.
    pub cached_write: Option<PicoUsdPerToken>,
}

impl Rates {
    /// The price of one answer.
    pub fn cost(&self, usage: &Usage) -> NanoUsd {
        let parts = [
            (self.input, usage.input),
            (self.cached_read.unwrap_or(self.input), usage.cached_read),
            (self.cached_write.unwrap_or(self.input), usage.cached_write),
            (self.output, usage.output),
        ];
        NanoUsd::from_pico_rounded_up(parts.iter().map(|(rate, tokens)| rate.times(Tokens(*tokens))).sum())
    }

    /// The most that an answer with at most these tokens can cost: every input token at the dearest input
    /// rate, because which of them hit a cache is not known before.
    pub fn worst_case(&self, input_tokens: u64, output_tokens: u64) -> NanoUsd {
        let dearest = [Some(self.input), self.cached_read, self.cached_write].into_iter().flatten().max();
        let input = dearest.unwrap_or(self.input).times(Tokens(input_tokens));
        NanoUsd::from_pico_rounded_up(input + self.output.times(Tokens(output_tokens)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RATES: Rates = Rates {
        input: PicoUsdPerToken(3_000_000),
        output: PicoUsdPerToken(15_000_000),
        cached_read: Some(PicoUsdPerToken(300_000)),
        cached_write: Some(PicoUsdPerToken(3_750_000)),
    };

    #[test]
    fn cached_tokens_are_priced_apart() {
        let usage = Usage { input: 10, cached_read: 1_000, cached_write: 100, output: 20, reasoning: 5 };
        // 30 + 300 + 375 + 300 micro-dollars
        assert_eq!(RATES.cost(&usage), NanoUsd(1_005_000));
    }

    proptest! {
        #[test]
        fn no_answer_costs_more_than_the_worst_case(
            input in 0u64..1 << 40, read in 0u64..1 << 40, write in 0u64..1 << 40, output in 0u64..1 << 40,
        ) {
            let usage = Usage { input, cached_read: read, cached_write: write, output, reasoning: 0 };
            prop_assert!(RATES.cost(&usage) <= RATES.worst_case(usage.input_total(), output));
        }
    }
}
