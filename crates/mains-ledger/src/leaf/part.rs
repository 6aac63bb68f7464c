//! The parts that leaves are made of: names that cannot be content, figures as decimal strings.

use super::LeafError;
use super::json::Value;
use crate::hash::Hash;
use mains_units::{Grade, Range, Usage};
use std::borrow::Cow;
use std::fmt;

/// The longest name in a leaf, in bytes.
pub const LABEL_BYTES_MAX: usize = 200;

/// A name in a leaf: of a project, a model, a vendor, a class of data. One to 200 bytes of printable
/// characters without spaces, so that nobody's sentence gets into the log by way of a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(String);

impl Label {
    /// Takes a name; refused if it is empty, too long, or has a space or control character.
    pub fn new(text: &str) -> Result<Self, LeafError> {
        let printable = !text.chars().any(|c| c.is_whitespace() || c.is_control());
        if printable && (1..=LABEL_BYTES_MAX).contains(&text.len()) {
            Ok(Self(text.into()))
        } else {
            Err(LeafError::Label { bytes: text.len() })
        }
    }

    /// A name that stands for text which must not be in the log, such as a model that a client asked for and
    /// nobody knows: `sha256:` and 64 hexadecimal digits.
    pub fn digest_of(text: &str) -> Self {
        Self(format!("sha256:{}", Hash::of_bytes(text.as_bytes()).to_hex()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An estimated amount with its grade, in the unit that the field's name says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Low, central and high.
    pub range: Range,
    /// The evidence behind it.
    pub grade: Grade,
}

/// What the policy said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The policy set: its name, or its hash where it is a folder of files.
    pub set: Label,
    /// The policies that decided.
    pub ids: Vec<Label>,
    /// What they decided.
    pub verdict: Verdict,
}

/// Whether a request may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Allow,
    /// It may not.
    Deny,
}

/// A closed list of words, each with its spelling in leaves.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$word_doc])* $word,)* }

        impl $name {
            /// Every word of the list.
            pub const ALL: &'static [Self] = &[$(Self::$word),*];

            /// Its spelling in leaves.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$word => $text,)* }
            }
        }
    };
}

words! {
    /// How an answered request ended.
    Ending {
        /// A whole answer was delivered.
        Complete = "complete",
        /// The answer came from the exact cache.
        Recalled = "recalled",
        /// The upstream refused the request and its refusal was passed on.
        Refused = "refused",
        /// A stream broke after its first content; the client was told.
        Broken = "broken",
        /// Every allowed target failed.
        Exhausted = "exhausted",
        /// A deadline passed.
        TimedOut = "timed_out",
        /// The client left.
        Cancelled = "cancelled",
    }
}

words! {
    /// Why a request was turned away before any attempt.
    Refusal {
        /// Its body could not be read.
        BadRequest = "bad_request",
        /// The policy forbids it.
        Policy = "policy",
        /// Nobody serves the model it asks for.
        UnknownModel = "unknown_model",
        /// A budget has no room for it.
        Budget = "budget",
        /// A rate was exceeded.
        Rate = "rate",
        /// It was shed because a limit binds.
        Shed = "shed",
        /// No healthy target, a disk that is full, or the outlet is closing.
        Unavailable = "unavailable",
    }
}

words! {
    /// What happened to a key.
    KeyAction {
        /// It was made.
        Created = "created",
        /// It was revoked.
        Revoked = "revoked",
    }
}

words! {
    /// Why settings were read.
    ConfigOrigin {
        /// At the start.
        Start = "start",
        /// On request, while running.
        Reload = "reload",
    }
}

words! {
    /// What happened to a swap.
    SwapAction {
        /// A replacement was tested; the verdict says how it did.
        Tested = "tested",
        /// A switch was begun, with its first share.
        Switched = "switched",
        /// The share rose.
        Stepped = "stepped",
        /// The replacement has all requests.
        Whole = "whole",
        /// The old target has all requests again.
        RolledBack = "rolled_back",
        /// The old target was taken out on the day of its end, though nobody had switched.
        Retired = "retired",
        /// The switch was taken out of the settings before it was whole.
        Cancelled = "cancelled",
    }
}

words! {
    /// What happened to a model that was trained here.
    ModelAction {
        /// Its file was read and checked, and stands before its teacher.
        Loaded = "loaded",
        /// It answers nothing and is compared.
        Shadow = "shadow",
        /// It answers a share.
        Canary = "canary",
        /// It answers all that it may.
        Serve = "serve",
        /// It answers nothing any more: its promise is gone.
        Withdrawn = "withdrawn",
        /// It was taken out of the settings.
        Removed = "removed",
    }
}

/// A figure as a decimal string of at most six significant digits, without exponent. Refused where it is
/// negative or no number: an unknown figure is `null`, never zero.
pub(super) fn decimal(value: f64) -> Result<Value<'static>, LeafError> {
    if !value.is_finite() || value < 0.0 {
        return Err(LeafError::Figure);
    }
    let scientific = format!("{value:.5e}");
    let (mantissa, exponent) = scientific.split_once('e').ok_or(LeafError::Figure)?;
    let exponent: i32 = exponent.parse().map_err(|_| LeafError::Figure)?;
    // `d.ddddd`: all digits but the zeros at the end.
    let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
    if mantissa.is_empty() {
        return Ok(Value::Text("0".into()));
    }
    let digits = mantissa.chars().filter(|c| *c != '.');
    let mut text = String::with_capacity(16);
    if exponent < 0 {
        text.push_str("0.");
        text.extend(std::iter::repeat_n('0', exponent.unsigned_abs() as usize - 1));
        text.extend(digits);
    } else {
        let whole = exponent.unsigned_abs() as usize + 1;
        text.extend(digits.clone().chain(std::iter::repeat('0')).take(whole));
        let mut rest = digits.skip(whole).peekable();
        if rest.peek().is_some() {
            text.push('.');
            text.extend(rest);
        }
    }
    Ok(Value::Text(text.into()))
}

pub(super) fn text<'a>(text: impl Into<Cow<'a, str>>) -> Value<'a> {
    Value::Text(text.into())
}

pub(super) fn hash(hash: Hash) -> Value<'static> {
    Value::Text(hash.to_hex().into())
}

pub(super) fn optional<'a, T>(value: Option<T>, write: impl FnOnce(T) -> Value<'a>) -> Value<'a> {
    value.map_or(Value::Null, write)
}

pub(super) fn labels(labels: &[Label]) -> Value<'_> {
    Value::List(labels.iter().map(|label| text(label.as_str())).collect())
}

pub(super) fn indices(indices: &[u64]) -> Value<'static> {
    Value::List(indices.iter().copied().map(Value::Integer).collect())
}

pub(super) fn policy(policy: &Policy) -> Value<'_> {
    let verdict = match policy.verdict {
        Verdict::Allow => "allow",
        Verdict::Deny => "deny",
    };
    super::json::map([
        ("set", text(policy.set.as_str())),
        ("ids", labels(&policy.ids)),
        ("verdict", text(verdict)),
    ])
}

pub(super) fn usage(usage: Usage) -> Value<'static> {
    super::json::map([
        ("input", Value::Integer(usage.input)),
        ("cached_read", Value::Integer(usage.cached_read)),
        ("cached_write", Value::Integer(usage.cached_write)),
        ("reasoning", Value::Integer(usage.reasoning)),
        ("output", Value::Integer(usage.output)),
    ])
}

pub(super) fn estimate(estimate: Option<Estimate>) -> Result<Value<'static>, LeafError> {
    let Some(Estimate { range, grade }) = estimate else { return Ok(Value::Null) };
    Ok(super::json::map([
        ("low", decimal(range.low)?),
        ("central", decimal(range.central)?),
        ("high", decimal(range.high)?),
        ("grade", text(grade.letter())),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_plain_decimals_of_six_digits() {
        for (value, expected) in [
            (0.0, "0"),
            (1.0, "1"),
            (10.0, "10"),
            (0.1, "0.1"),
            (1_234_567.0, "1234570"),
            (12.345_678, "12.3457"),
            (0.000_000_123_456_7, "0.000000123457"),
            (1e21, "1000000000000000000000"),
            (99.999_999, "100"),
            (123_456.0, "123456"),
            (0.05, "0.05"),
        ] {
            assert_eq!(decimal(value).unwrap(), Value::Text(expected.into()), "{value}");
        }
        for wrong in [f64::NAN, f64::INFINITY, -1.0] {
            assert!(decimal(wrong).is_err());
        }
    }

    #[test]
    fn a_label_is_no_sentence() {
        assert!(Label::new("openai/gpt-4o-mini").is_ok() && Label::new("modèle").is_ok());
        for wrong in ["", "two words", "line\n", "\u{a0}", &"x".repeat(201)] {
            assert!(Label::new(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(Label::digest_of("hello").as_str().len(), 71);
    }
}
