//! The fields of each leaf type, one struct each, in the order of DESIGN section 5.

use super::json::{Value, map};
use super::part::{
    ConfigOrigin, Ending, Estimate, KeyAction, Label, ModelAction, Policy, Refusal, SwapAction, estimate,
    hash, indices, labels, optional, policy, text, usage,
};
use super::{Leaf, LeafError};
use crate::hash::Hash;
use mains_units::{NanoUsd, RequestId, Timestamp, Usage};

/// One attempt, written before its body leaves this machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// The request it belongs to.
    pub request: RequestId,
    /// The caller's key as a pseudonym; `None` where the outlet runs without keys.
    pub key: Option<Label>,
    /// The caller's project.
    pub project: Option<Label>,
    /// Which attempt of the request, from 1.
    pub attempt: u64,
    /// Commitment to the bytes that leave.
    pub request_commit: Hash,
    /// Classes of data found in the request.
    pub data_classes: Vec<Label>,
    /// What the policy said.
    pub policy: Policy,
    /// The target: upstream, slash, model.
    pub target: Label,
    /// The provider behind it.
    pub provider: Label,
    /// The vendor of record.
    pub vendor: Option<Label>,
    /// Where it runs.
    pub region: Option<Label>,
    /// The model.
    pub model: Label,
    /// Hash of the settings in force.
    pub config: Hash,
}

/// The end of an identified request that was answered, or tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The request.
    pub request: RequestId,
    /// The caller's key as a pseudonym; `None` where the outlet runs without keys.
    pub key: Option<Label>,
    /// The caller's project.
    pub project: Option<Label>,
    /// Hash of the caller's tags.
    pub tags_hash: Option<Hash>,
    /// Indices of the intents of its attempts.
    pub intents: Vec<u64>,
    /// Commitment to the request as it came.
    pub request_commit: Hash,
    /// Commitment to the answer as it went; `None` where there was none.
    pub response_commit: Option<Hash>,
    /// Classes of data found in the request.
    pub data_classes: Vec<Label>,
    /// What the policy said.
    pub policy: Policy,
    /// The targets in the order in which they were tried.
    pub targets_tried: Vec<Label>,
    /// The target that answered.
    pub target: Option<Label>,
    /// Its provider.
    pub provider: Option<Label>,
    /// Its vendor of record.
    pub vendor: Option<Label>,
    /// Where it ran.
    pub region: Option<Label>,
    /// The model that answered.
    pub model: Option<Label>,
    /// Hash of its weights, when they lie here.
    pub weights: Option<Hash>,
    /// How it ended.
    pub result: Ending,
    /// Tokens; `None` where unknown.
    pub usage: Option<Usage>,
    /// Money; `None` where unknown.
    pub cost: Option<NanoUsd>,
    /// Energy in joules; `None` where unknown.
    pub energy_j: Option<Estimate>,
    /// Carbon in grams of CO2 equivalent; `None` where unknown.
    pub co2_g: Option<Estimate>,
    /// Water in litres; `None` where unknown.
    pub water_l: Option<Estimate>,
    /// Hash of the catalogue whose prices and facts were used.
    pub catalogue: Hash,
    /// Hash of the settings in force.
    pub config: Hash,
}

/// An identified request that was turned away.
#[derive(Debug, Clone, PartialEq)]
pub struct Deny {
    /// The request.
    pub request: RequestId,
    /// The caller's key as a pseudonym; `None` where the outlet runs without keys.
    pub key: Option<Label>,
    /// The caller's project.
    pub project: Option<Label>,
    /// Hash of the caller's tags.
    pub tags_hash: Option<Hash>,
    /// Indices of intents, should it have any.
    pub intents: Vec<u64>,
    /// Commitment to the request as it came.
    pub request_commit: Hash,
    /// Classes of data found in the request.
    pub data_classes: Vec<Label>,
    /// What the policy said; `None` where the request was turned away before it was asked.
    pub policy: Option<Policy>,
    /// The model asked for: a name that the outlet knows, or [`Label::digest_of`] one that it does not.
    pub model: Option<Label>,
    /// Why.
    pub result: Refusal,
    /// Hash of the settings in force.
    pub config: Hash,
}

/// Requests that failed before they were identified, counted over an interval so that strangers cannot
/// fill the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectCount {
    /// Start of the interval.
    pub from: Timestamp,
    /// End of the interval.
    pub until: Timestamp,
    /// Not HTTP that could be read (400).
    pub malformed: u64,
    /// Bodies beyond the limit (413).
    pub too_large: u64,
    /// No key or a false one (401).
    pub unauthorized: u64,
    /// Anything else, such as a wrong `Host` or `Origin`.
    pub other: u64,
}

/// Settings came into force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Hash of the settings.
    pub config: Hash,
    /// Hash of the settings before; `None` at the first start.
    pub previous: Option<Hash>,
    /// Hash of the catalogue.
    pub catalogue: Hash,
    /// Why they were read.
    pub origin: ConfigOrigin,
}

/// A key was made or revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key as a pseudonym.
    pub key: Label,
    /// The project it speaks for.
    pub project: Option<Label>,
    /// What happened to it.
    pub action: KeyAction,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
}

/// What was kept of a request was destroyed on purpose, before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erase {
    /// The request.
    pub request: RequestId,
    /// Whether the data key of its content was destroyed: none can be read from then on.
    pub content: bool,
    /// Whether the key of its commitments was destroyed: its leaves can be tied to no content from then on.
    pub commitment: bool,
}

/// One target that answered during a drill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survivor {
    /// The target.
    pub target: Label,
    /// How many requests it answered.
    pub answered: u64,
}

/// A target was made to fail on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drill {
    /// The target that failed.
    pub target: Label,
    /// Start of the drill.
    pub from: Timestamp,
    /// End of the drill.
    pub until: Timestamp,
    /// Requests sent.
    pub requests: u64,
    /// Of them, those without an answer.
    pub failed: u64,
    /// Who answered.
    pub answered_by: Vec<Survivor>,
}

/// One model in place of another: its test, the switch, every step of it, and its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    /// What happened.
    pub action: SwapAction,
    /// The route, where it concerns one.
    pub route: Option<Label>,
    /// The target that is replaced.
    pub from: Label,
    /// The target that comes in its place; `None` where nothing does.
    pub to: Option<Label>,
    /// SHA-256 of the signed report of the test; `None` where nothing was tested.
    pub report: Option<Hash>,
    /// The share of requests that the replacement gets from then on, in percent.
    pub share_percent: Option<u64>,
    /// What the test found.
    pub verdict: Option<Label>,
    /// Why, in one of our own words; never a sentence of somebody.
    pub reason: Option<Label>,
}

/// A model that was trained here, at a step of its life: what stands behind it, and what was counted up to then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// What happened.
    pub action: ModelAction,
    /// The target that it is: `label/NAME`.
    pub target: Label,
    /// The route.
    pub route: Label,
    /// SHA-256 of its file.
    pub file: Hash,
    /// SHA-256 of its certificate.
    pub certificate: Hash,
    /// The model that taught it.
    pub teacher: Label,
    /// The share of the requests in its scope that it answers from then on where it may, in percent.
    pub share_percent: u64,
    /// Calls that were compared with the teacher so far.
    pub calls: u64,
    /// Those of them that it would have answered itself.
    pub local: u64,
    /// Those of the local ones that differ.
    pub differs: u64,
    /// Why, in one of our own words; never a sentence of somebody.
    pub reason: Option<Label>,
}

/// The log was opened after an end that was not in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recover {
    /// Leaves found in the journal; this leaf's own index.
    pub leaves: u64,
    /// Bytes of an incomplete last frame that were cut off.
    pub torn_bytes: u64,
    /// Leaves under the last signed checkpoint.
    pub signed: u64,
    /// Files of the tree that were written again from the journal.
    pub rebuilt: u64,
    /// Whether leaves of the last moment may be missing: true unless every leaf was synced before the end.
    pub loss_possible: bool,
}

/// The members of a leaf beside its head.
pub(super) fn members(leaf: &Leaf) -> Result<Value<'_>, LeafError> {
    Ok(match leaf {
        Leaf::Intent(leaf) => intent(leaf),
        Leaf::Outcome(leaf) => outcome(leaf)?,
        Leaf::Deny(leaf) => deny(leaf),
        Leaf::RejectCount(leaf) => map([
            ("from", text(leaf.from.to_string())),
            ("until", text(leaf.until.to_string())),
            ("malformed", Value::Integer(leaf.malformed)),
            ("too_large", Value::Integer(leaf.too_large)),
            ("unauthorized", Value::Integer(leaf.unauthorized)),
            ("other", Value::Integer(leaf.other)),
        ]),
        Leaf::Config(leaf) => map([
            ("config", hash(leaf.config)),
            ("previous", optional(leaf.previous, hash)),
            ("catalogue", hash(leaf.catalogue)),
            ("origin", text(leaf.origin.as_str())),
        ]),
        Leaf::Key(leaf) => map([
            ("key", text(leaf.key.as_str())),
            ("project", label(leaf.project.as_ref())),
            ("action", text(leaf.action.as_str())),
            ("expires", optional(leaf.expires, |at| text(at.to_string()))),
        ]),
        Leaf::Erase(leaf) => map([
            ("request", text(leaf.request.to_string())),
            ("content", Value::Bool(leaf.content)),
            ("commitment", Value::Bool(leaf.commitment)),
        ]),
        Leaf::Drill(leaf) => drill(leaf),
        Leaf::Swap(leaf) => swap(leaf),
        Leaf::Model(leaf) => model(leaf),
        Leaf::Recover(leaf) => map([
            ("leaves", Value::Integer(leaf.leaves)),
            ("torn_bytes", Value::Integer(leaf.torn_bytes)),
            ("signed", Value::Integer(leaf.signed)),
            ("rebuilt", Value::Integer(leaf.rebuilt)),
            ("loss_possible", Value::Bool(leaf.loss_possible)),
        ]),
    })
}

fn label(label: Option<&Label>) -> Value<'_> {
    optional(label, |label| text(label.as_str()))
}

fn intent(leaf: &Intent) -> Value<'_> {
    map([
        ("request", text(leaf.request.to_string())),
        ("key", label(leaf.key.as_ref())),
        ("project", label(leaf.project.as_ref())),
        ("attempt", Value::Integer(leaf.attempt)),
        ("request_commit", hash(leaf.request_commit)),
        ("data_classes", labels(&leaf.data_classes)),
        ("policy", policy(&leaf.policy)),
        ("target", text(leaf.target.as_str())),
        ("provider", text(leaf.provider.as_str())),
        ("vendor", label(leaf.vendor.as_ref())),
        ("region", label(leaf.region.as_ref())),
        ("model", text(leaf.model.as_str())),
        ("config", hash(leaf.config)),
    ])
}

fn outcome(leaf: &Outcome) -> Result<Value<'_>, LeafError> {
    Ok(map([
        ("request", text(leaf.request.to_string())),
        ("key", label(leaf.key.as_ref())),
        ("project", label(leaf.project.as_ref())),
        ("tags_hash", optional(leaf.tags_hash, hash)),
        ("intents", indices(&leaf.intents)),
        ("request_commit", hash(leaf.request_commit)),
        ("response_commit", optional(leaf.response_commit, hash)),
        ("data_classes", labels(&leaf.data_classes)),
        ("policy", policy(&leaf.policy)),
        ("targets_tried", labels(&leaf.targets_tried)),
        ("target", label(leaf.target.as_ref())),
        ("provider", label(leaf.provider.as_ref())),
        ("vendor", label(leaf.vendor.as_ref())),
        ("region", label(leaf.region.as_ref())),
        ("model", label(leaf.model.as_ref())),
        ("weights", optional(leaf.weights, hash)),
        ("result", text(leaf.result.as_str())),
        ("usage", optional(leaf.usage, usage)),
        ("cost_nano_usd", optional(leaf.cost, |cost| text(cost.0.to_string()))),
        ("energy_j", estimate(leaf.energy_j)?),
        ("co2_g", estimate(leaf.co2_g)?),
        ("water_l", estimate(leaf.water_l)?),
        ("catalogue", hash(leaf.catalogue)),
        ("config", hash(leaf.config)),
    ]))
}

fn deny(leaf: &Deny) -> Value<'_> {
    map([
        ("request", text(leaf.request.to_string())),
        ("key", label(leaf.key.as_ref())),
        ("project", label(leaf.project.as_ref())),
        ("tags_hash", optional(leaf.tags_hash, hash)),
        ("intents", indices(&leaf.intents)),
        ("request_commit", hash(leaf.request_commit)),
        ("data_classes", labels(&leaf.data_classes)),
        ("policy", optional(leaf.policy.as_ref(), policy)),
        ("model", label(leaf.model.as_ref())),
        ("result", text(leaf.result.as_str())),
        ("config", hash(leaf.config)),
    ])
}

fn drill(leaf: &Drill) -> Value<'_> {
    map([
        ("target", text(leaf.target.as_str())),
        ("from", text(leaf.from.to_string())),
        ("until", text(leaf.until.to_string())),
        ("requests", Value::Integer(leaf.requests)),
        ("failed", Value::Integer(leaf.failed)),
        ("answered_by", Value::List(leaf.answered_by.iter().map(survivor).collect())),
    ])
}

fn survivor(survivor: &Survivor) -> Value<'_> {
    map([("target", text(survivor.target.as_str())), ("answered", Value::Integer(survivor.answered))])
}

fn model(leaf: &Model) -> Value<'_> {
    map([
        ("action", text(leaf.action.as_str())),
        ("target", text(leaf.target.as_str())),
        ("route", text(leaf.route.as_str())),
        ("file", hash(leaf.file)),
        ("certificate", hash(leaf.certificate)),
        ("teacher", text(leaf.teacher.as_str())),
        ("share_percent", Value::Integer(leaf.share_percent)),
        ("calls", Value::Integer(leaf.calls)),
        ("local", Value::Integer(leaf.local)),
        ("differs", Value::Integer(leaf.differs)),
        ("reason", label(leaf.reason.as_ref())),
    ])
}

fn swap(leaf: &Swap) -> Value<'_> {
    map([
        ("action", text(leaf.action.as_str())),
        ("route", label(leaf.route.as_ref())),
        ("from", text(leaf.from.as_str())),
        ("to", label(leaf.to.as_ref())),
        ("report", optional(leaf.report, hash)),
        ("share_percent", optional(leaf.share_percent, Value::Integer)),
        ("verdict", label(leaf.verdict.as_ref())),
        ("reason", label(leaf.reason.as_ref())),
    ])
}
