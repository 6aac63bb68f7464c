//! Leaf v1: what Mains writes into its log. The log itself takes bytes and never looks here.
//!
//! Every leaf is canonical JSON of at most 65,535 bytes with all its fields present; what is unknown is
//! `null`. Frozen by golden bytes (`tests/data/leaf`): a new field is a new `v`.
//!
//! Never: content or personal data. Payloads stand as commitments, callers as pseudonyms, names as
//! [`Label`]s.

mod json;
mod kinds;
mod part;

pub use json::INTEGER_MAX;
pub use kinds::{
    Config, Deny, Drill, Erase, Intent, Key, Model, Outcome, Recover, RejectCount, Survivor, Swap,
};
pub use part::{
    ConfigOrigin, Ending, Estimate, KeyAction, LABEL_BYTES_MAX, Label, ModelAction, Policy, Refusal,
    SwapAction, Verdict,
};

use crate::LEAF_BYTES_MAX;
use json::Value;
use mains_units::Timestamp;
use std::fmt;

/// The only version so far.
pub const VERSION: u64 = 1;

/// Why a leaf was not written or not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeafError {
    /// A name that is empty, longer than 200 bytes, or holds a space or control character.
    Label {
        /// Its length.
        bytes: usize,
    },
    /// A figure that is negative or no number.
    Figure,
    /// An integer over 2^53.
    Integer,
    /// A leaf longer than 65,535 bytes.
    Long {
        /// Its length.
        bytes: usize,
    },
    /// Bytes that are not canonical JSON without floats.
    NotCanonical,
    /// Another version or an unknown type.
    Unknown,
}

impl fmt::Display for LeafError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label { bytes } => {
                write!(f, "a name of {bytes} bytes is empty, too long, or has a space or control character")
            }
            Self::Figure => f.write_str("a figure is negative or no number"),
            Self::Integer => f.write_str("an integer is over 2^53"),
            Self::Long { bytes } => write!(f, "a leaf of {bytes} bytes is longer than {LEAF_BYTES_MAX}"),
            Self::NotCanonical => f.write_str("the leaf is not canonical JSON"),
            Self::Unknown => f.write_str("the leaf has another version or an unknown type"),
        }
    }
}

impl std::error::Error for LeafError {}

/// What every leaf says first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// When, in UTC with milliseconds.
    pub at: Timestamp,
    /// Which instance wrote it.
    pub instance: Label,
}

/// One leaf, by its type. The remaining types of the closed list (`policy, approve, hold,
/// dataset, incident, review`) join when something writes them.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a leaf lives for one call, and most are outcomes, the largest"
)]
pub enum Leaf {
    /// An attempt that is about to leave this machine.
    Intent(Intent),
    /// The end of an identified request.
    Outcome(Outcome),
    /// An identified request that was turned away.
    Deny(Deny),
    /// Requests that failed before they were identified, counted.
    RejectCount(RejectCount),
    /// Settings came into force.
    Config(Config),
    /// A key was made or revoked.
    Key(Key),
    /// What was kept of a request was destroyed.
    Erase(Erase),
    /// A target was made to fail on purpose.
    Drill(Drill),
    /// One model came, or is to come, in place of another.
    Swap(Swap),
    /// A step of a model that was trained here.
    Model(Model),
    /// The log was opened after an end that was not in order.
    Recover(Recover),
}

impl Leaf {
    /// Every type that has a builder, as leaves spell it.
    pub const TYPES: [&'static str; 11] = [
        "intent",
        "outcome",
        "deny",
        "reject_count",
        "config",
        "key",
        "erase",
        "drill",
        "swap",
        "model",
        "recover",
    ];

    /// Its type, as leaves spell it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Intent(_) => "intent",
            Self::Outcome(_) => "outcome",
            Self::Deny(_) => "deny",
            Self::RejectCount(_) => "reject_count",
            Self::Config(_) => "config",
            Self::Key(_) => "key",
            Self::Erase(_) => "erase",
            Self::Drill(_) => "drill",
            Self::Swap(_) => "swap",
            Self::Model(_) => "model",
            Self::Recover(_) => "recover",
        }
    }

    /// The bytes that go into the log.
    pub fn encode(&self, head: &Head) -> Result<Vec<u8>, LeafError> {
        let Value::Map(mut members) = kinds::members(self)? else { return Err(LeafError::NotCanonical) };
        members.push(("v", Value::Integer(VERSION)));
        members.push(("type", part::text(self.kind())));
        members.push(("at", part::text(head.at.to_string())));
        members.push(("instance", part::text(head.instance.as_str())));
        let bytes = json::sorted(members).to_canonical().ok_or(LeafError::Integer)?;
        if bytes.len() > LEAF_BYTES_MAX { Err(LeafError::Long { bytes: bytes.len() }) } else { Ok(bytes) }
    }
}

/// Checks that these bytes are a leaf of version 1: canonical, of a known type. Gives the type.
pub fn check(bytes: &[u8]) -> Result<&'static str, LeafError> {
    if bytes.len() > LEAF_BYTES_MAX {
        return Err(LeafError::Long { bytes: bytes.len() });
    }
    let parsed: serde_json::Value = serde_json::from_slice(bytes).map_err(|_| LeafError::NotCanonical)?;
    let value = Value::from_parsed(&parsed).ok_or(LeafError::NotCanonical)?;
    if value.to_canonical().as_deref() != Some(bytes) {
        return Err(LeafError::NotCanonical);
    }
    let Value::Map(members) = value else { return Err(LeafError::Unknown) };
    let member = |name: &str| members.iter().find(|(key, _)| *key == name).map(|(_, value)| value);
    let (Some(Value::Integer(VERSION)), Some(Value::Text(kind))) = (member("v"), member("type")) else {
        return Err(LeafError::Unknown);
    };
    Leaf::TYPES.into_iter().find(|known| known == kind).ok_or(LeafError::Unknown)
}
