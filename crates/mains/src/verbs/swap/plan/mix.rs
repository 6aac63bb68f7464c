//! Tokens a request, as recorded where the records tell.

use super::super::requests::Item;
use mains_units::Usage;

/// Without any request: 1,000 tokens in and 200 out.
const STANDARD: Usage = Usage { input: 1_000, cached_read: 0, cached_write: 0, output: 200, reasoning: 0 };

/// Tokens of an answer whose length nothing tells and no request bounds.
const OUTPUT_GUESS: u64 = 256;

/// The tokens of each request.
pub(super) struct Mix {
    pub(super) usages: Vec<Usage>,
    /// Requests whose tokens are not recorded.
    pub(super) guessed: u64,
    /// Whether there is no request at all.
    pub(super) standard: bool,
}

impl Mix {
    pub(super) fn of(items: &[Item]) -> Self {
        if items.is_empty() {
            return Self { usages: vec![STANDARD], guessed: 0, standard: true };
        }
        let mut guessed = 0;
        let usages = items.iter().map(|item| {
            let recorded = &item.recorded;
            guessed += u64::from(recorded.input_tokens.is_none() || recorded.output_tokens.is_none());
            let answer = || item.reference.as_ref().map(said_tokens);
            let output = recorded.output_tokens.or_else(answer);
            let output = output.unwrap_or_else(|| OUTPUT_GUESS.min(item.output_max.unwrap_or(u64::MAX)));
            let input = recorded.input_tokens.unwrap_or_else(|| item.input_guess());
            Usage { input, output, ..Usage::default() }
        });
        let usages = usages.collect();
        Self { usages, guessed, standard: false }
    }

    /// The mean request.
    pub(super) fn mean(&self) -> Usage {
        let count = self.usages.len().max(1) as u64;
        let sum = |part: fn(&Usage) -> u64| {
            self.usages.iter().map(part).fold(0_u64, u64::saturating_add).div_ceil(count)
        };
        Usage { input: sum(|usage| usage.input), output: sum(|usage| usage.output), ..Usage::default() }
    }

    /// In words, for the head of a column or a line under the table.
    pub(super) fn words(&self) -> String {
        if self.standard {
            return "1,000 requests of 1,000 tokens in and 200 out, as no requests were given".into();
        }
        let all = self.usages.len() as u64;
        let guessed = match self.guessed {
            0 => "as recorded".to_owned(),
            some if some == all => "guessed from characters".to_owned(),
            some => format!("as recorded, {some} of them guessed from characters"),
        };
        let mean = self.mean();
        let count = |tokens| crate::print::thousands(tokens);
        format!(
            "1,000 requests like these, on average {} tokens in and {} out, {guessed}",
            count(mean.input),
            count(mean.output)
        )
    }
}

/// Tokens of an answer, guessed as one for four characters of what it says.
fn said_tokens(said: &mains_swap::grade::Said) -> u64 {
    let calls: usize = said.calls.iter().map(|call| call.name.len() + call.arguments.len()).sum();
    ((said.text.len() + calls) as u64).div_ceil(4).max(1)
}
