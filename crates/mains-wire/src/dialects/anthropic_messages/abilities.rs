//! What a generation of Claude takes. The API refuses a question that asks an older or newer model for what it
//! does not take, so a translated question must know.
//!
//! Sources, read 2026-11-24: the SDK's documentation of `thinking`; the migration guide to Claude Opus 4.7
//! (16 April 2026: no sampling parameters, no budgets); "what's new in Claude Opus 4.8" (system messages in
//! mid-conversation); Claude 4.6 (adaptive thinking).

/// What a model takes, by its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Abilities {
    version: (u32, u32),
    sonnet: bool,
}

impl Abilities {
    /// Of a model, by the version in its name. A name without a version, such as that of another maker's
    /// model behind this dialect, is taken for the oldest form, which most servers speak.
    pub(super) fn of(model: &str) -> Self {
        Self { version: version(model).unwrap_or((0, 0)), sonnet: model.contains("sonnet") }
    }

    /// `thinking: adaptive` with an effort; else a budget of tokens.
    pub(super) fn adaptive_thinking(self) -> bool {
        self.version >= (4, 6)
    }

    /// The effort `xhigh`.
    pub(super) fn xhigh(self) -> bool {
        self.version >= (4, 7)
    }

    /// `temperature`, `top_p` and `top_k`.
    pub(super) fn sampling(self) -> bool {
        self.version < (4, 7)
    }

    /// A message of role `system` behind a user's. Sources disagree about Sonnet 5; the safe reading is that
    /// it takes none.
    pub(super) fn system_in_conversation(self) -> bool {
        self.version >= (4, 8) && !(self.sonnet && self.version == (5, 0))
    }
}

/// Major and minor of `claude-opus-4-7`, `claude-3-5-haiku-20241022`, `anthropic/claude-opus-4.7`,
/// `us.anthropic.claude-sonnet-4-5-20250929-v1:0`: the first one or two short numbers behind `claude`.
fn version(model: &str) -> Option<(u32, u32)> {
    let (_, name) = model.rsplit_once("claude")?;
    let mut words = name.split(['-', '.', '@', ':', '_']).skip_while(|word| short_number(word).is_none());
    let major = words.next().and_then(short_number)?;
    Some((major, words.next().and_then(short_number).unwrap_or(0)))
}

/// A number of one or two digits: eight digits are a date.
fn short_number(word: &str) -> Option<u32> {
    if word.len() <= 2 { word.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_in_every_spelling() {
        for (model, expected) in [
            ("claude-opus-4-7", Some((4, 7))),
            ("claude-opus-4-20250514", Some((4, 0))),
            ("claude-3-5-haiku-20241022", Some((3, 5))),
            ("anthropic/claude-opus-4.8", Some((4, 8))),
            ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", Some((4, 5))),
            ("claude-sonnet-4-5@20250929", Some((4, 5))),
            ("claude-haiku-5-5", Some((5, 5))),
            ("claude-opus-5", Some((5, 0))),
            ("claude-mythos-preview", None),
            ("qwen3-8b", None),
        ] {
            assert_eq!(version(model), expected, "{model}");
        }
        assert!(Abilities::of("claude-haiku-4-5").sampling());
        assert!(!Abilities::of("claude-opus-4-7").sampling());
        assert!(!Abilities::of("claude-opus-4-7").system_in_conversation());
        assert!(Abilities::of("claude-sonnet-5-5").system_in_conversation());
    }
}
