//! How each dialect counts tokens, brought to one count whose parts do not overlap.

use crate::Dialect;
use crate::scan as json;
use mains_units::Usage;

/// Where a provider counts input tokens that came from its cache or went into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CachedTokens {
    /// Within the input tokens: OpenAI and most that are compatible with it.
    WithinInput,
    /// Beside the input tokens: Anthropic.
    BesideInput,
}

impl CachedTokens {
    /// How the dialect's own provider counts.
    pub const fn of(dialect: Dialect) -> Self {
        if dialect.is_anthropic() { Self::BesideInput } else { Self::WithinInput }
    }
}

fn count(object: &[u8], keys: &[&str]) -> Option<u64> {
    json::path(object, keys).and_then(json::integer)
}

/// The counts of an OpenAI `usage` object, of chat completions or of responses; `None` if it names neither
/// input nor output.
///
/// Some providers leave reasoning out of the output but put it into the total (xAI:
/// github.com/UKGovernmentBEIS/inspect_ai/issues/5528 of 2026-09-23; Google through gateways:
/// github.com/router-for-me/CLIProxyAPI/issues/5733 of 2026-09-11); the total decides then: output = total − input.
pub(super) fn openai(usage: &[u8], cached: CachedTokens) -> Option<Usage> {
    let members = json::members(usage).ok()?;
    let named = |key: &str| json::find(&members, key);
    let counted = |key: &str| named(key).and_then(json::integer);
    let input = counted("prompt_tokens").or_else(|| counted("input_tokens"));
    let output = counted("completion_tokens").or_else(|| counted("output_tokens"));
    if input.is_none() && output.is_none() {
        return None;
    }
    let (input, output) = (input.unwrap_or(0), output.unwrap_or(0));
    let detail = |field: &str, both: [&str; 2]| {
        both.iter().find_map(|details| count(named(details)?, &[field])).unwrap_or(0)
    };
    let inputs = ["prompt_tokens_details", "input_tokens_details"];
    let mut read = detail("cached_tokens", inputs);
    if read == 0 {
        // DeepSeek and Moonshot say it without the details (their documentation, read 2026-11-24).
        read = counted("prompt_cache_hit_tokens").or_else(|| counted("cached_tokens")).unwrap_or(0);
    }
    let written = detail("cache_write_tokens", inputs);
    let reasoning = detail("reasoning_tokens", ["completion_tokens_details", "output_tokens_details"]);
    let output = counted("total_tokens").map_or(output, |total| output.max(total.saturating_sub(input)));
    let (read, written, fresh) = match cached {
        CachedTokens::BesideInput => (read, written, input),
        CachedTokens::WithinInput => {
            let read = read.min(input);
            let written = written.min(input - read);
            (read, written, input - read - written)
        }
    };
    Some(Usage {
        input: fresh,
        cached_read: read,
        cached_write: written,
        output,
        reasoning: reasoning.min(output),
    })
}

/// Takes an Anthropic `usage` object over what was counted before: the counts of a stream grow, and a count
/// that an event leaves out stays.
pub(super) fn anthropic(before: Option<Usage>, usage: &[u8], cached: CachedTokens) -> Option<Usage> {
    let fields = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens"];
    let [input, read, written, output] = fields.map(|field| count(usage, &[field]));
    if input.is_none() && output.is_none() {
        return before;
    }
    let old = before.unwrap_or_default();
    let (read, written) = (read.unwrap_or(old.cached_read), written.unwrap_or(old.cached_write));
    let fresh = input.map(|input| match cached {
        CachedTokens::BesideInput => input,
        CachedTokens::WithinInput => input.saturating_sub(read).saturating_sub(written),
    });
    let output = output.unwrap_or(old.output);
    let reasoning = count(usage, &["output_tokens_details", "thinking_tokens"]).unwrap_or(old.reasoning);
    Some(Usage {
        input: fresh.unwrap_or(old.input),
        cached_read: read,
        cached_write: written,
        output,
        reasoning: reasoning.min(output),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(input: u64, cached_read: u64, cached_write: u64, output: u64, reasoning: u64) -> Usage {
        Usage { input, cached_read, cached_write, output, reasoning }
    }

    fn check(body: &str, expect: Option<Usage>) {
        assert_eq!(openai(body.as_bytes(), CachedTokens::WithinInput), expect, "{body}");
    }

    #[test]
    fn the_parts_do_not_overlap() {
        check(
            r#"{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120,
                "prompt_tokens_details":{"cached_tokens":64,"cache_write_tokens":6},
                "completion_tokens_details":{"reasoning_tokens":5}}"#,
            Some(usage(30, 64, 6, 20, 5)),
        );
        check(
            r#"{"input_tokens":9,"input_tokens_details":{"cached_tokens":4},"output_tokens":3,
                "output_tokens_details":{"reasoning_tokens":1},"total_tokens":12}"#,
            Some(usage(5, 4, 0, 3, 1)),
        );
        check(
            r#"{"prompt_tokens":9,"completion_tokens":1,"prompt_cache_hit_tokens":8}"#,
            Some(usage(1, 8, 0, 1, 0)),
        );
        check(r#"{"prompt_tokens":9,"total_tokens":9}"#, Some(usage(9, 0, 0, 0, 0)));
        check(r#"{"prompt_tokens":null}"#, None);
    }

    #[test]
    fn reasoning_beside_the_output_is_found_by_the_total() {
        check(
            r#"{"prompt_tokens":10,"completion_tokens":2,"total_tokens":42,"completion_tokens_details":{"reasoning_tokens":30}}"#,
            Some(usage(10, 0, 0, 32, 30)),
        );
    }

    #[test]
    fn impossible_counts_do_not_underflow() {
        check(
            r#"{"prompt_tokens":3,"completion_tokens":2,"total_tokens":1,"prompt_tokens_details":{"cached_tokens":99,"cache_write_tokens":9},
                "completion_tokens_details":{"reasoning_tokens":9}}"#,
            Some(usage(0, 3, 0, 2, 2)),
        );
    }

    #[test]
    fn anthropic_counts_grow_and_stay() {
        let start = anthropic(
            None,
            br#"{"input_tokens":11,"cache_read_input_tokens":100,"cache_creation_input_tokens":7,"output_tokens":1}"#,
            CachedTokens::BesideInput,
        );
        assert_eq!(start, Some(usage(11, 100, 7, 1, 0)));
        let end = anthropic(
            start,
            br#"{"output_tokens":60,"input_tokens":null,"output_tokens_details":{"thinking_tokens":40}}"#,
            CachedTokens::BesideInput,
        );
        assert_eq!(end, Some(usage(11, 100, 7, 60, 40)));
    }
}
