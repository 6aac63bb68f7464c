//! Routes, and the choice of targets for one request: who may answer, in which order, and why each.
//!
//! The policy's set of allowed targets is applied first, so that failover can never reach a forbidden
//! vendor: what is not allowed is no candidate, and the relay dials candidates only.

mod canary;
mod choose;

use crate::relay::{Deadlines, Retry};
use mains_units::{ModelId, NanoUsd};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

pub use canary::{Drawn, drawn};
pub use choose::{Asked, Candidate, Choice, Facts, Skip, Skipped, Why, agree_first, choose};

/// A target's name as `mains.toml` spells it: upstream, a slash, model. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TargetName(Arc<str>);

impl TargetName {
    /// Wraps a name.
    pub fn new(name: impl AsRef<str>) -> Self {
        Self(name.as_ref().into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One model at one upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `upstream/model`; the key of its breaker.
    pub name: TargetName,
    /// The account or server that is asked.
    pub upstream: Arc<str>,
    /// The model's name there.
    pub model: ModelId,
    /// A local generative model that stands in for another model: a candidate only where the route says
    /// `degraded = "allow"`, and its answers are marked.
    pub substitute: bool,
}

impl Target {
    /// A target named `upstream/model` that is no local substitute.
    pub fn new(upstream: &str, model: &str) -> Self {
        Self {
            name: TargetName::new(format!("{upstream}/{model}")),
            upstream: upstream.into(),
            model: ModelId::new(model),
            substitute: false,
        }
    }
}

/// One place in a route's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A single target.
    One(Arc<Target>),
    /// A pool: one member is drawn by weight; the others, drawn likewise, are its first substitutes.
    /// A member of weight zero is drawn only after all others.
    Pool(Vec<(Arc<Target>, u32)>),
}

/// Whether a local generative model may stand in for the model that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Degraded {
    /// It may, and the answer is marked.
    Allow,
    /// It may not: an outage must not turn into wrong answers with a good status.
    #[default]
    Refuse,
}

/// How much an answer matters when not all can be served (the four classes of Google's SRE book).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Criticality {
    /// Shed first.
    Sheddable,
    /// Partial outages are expected.
    SheddablePlus,
    /// The default: users notice an outage.
    #[default]
    Critical,
    /// Shed last.
    CriticalPlus,
}

/// What happens to requests for one model name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The name that applications ask for.
    pub model: ModelId,
    /// The targets, best first.
    pub places: Vec<Place>,
    /// Two cheap models that are asked first: where they agree, the answer of the first is given.
    pub agree: Option<[Arc<Target>; 2]>,
    /// May a local generative model stand in?
    pub degraded: Degraded,
    /// How long each part of an answer may take.
    pub deadlines: Deadlines,
    /// How often, and how soon, to try again.
    pub retry: Retry,
    /// Output tokens held for a request that names no `max_tokens`.
    pub default_max_tokens: u64,
    /// How much an answer matters.
    pub criticality: Criticality,
    /// What an answer is worth, for shedding.
    pub value: Option<NanoUsd>,
}

impl Route {
    /// A route with the default settings: `default_max_tokens` is 1024.
    pub fn new(model: ModelId, places: Vec<Place>) -> Self {
        Self {
            model,
            places,
            agree: None,
            degraded: Degraded::default(),
            deadlines: Deadlines::default(),
            retry: Retry::default(),
            default_max_tokens: 1024,
            criticality: Criticality::default(),
            value: None,
        }
    }

    /// Every target, in the written order.
    pub fn targets(&self) -> impl Iterator<Item = &Arc<Target>> {
        self.places.iter().flat_map(|place| {
            let (one, pool) = match place {
                Place::One(target) => (Some(target), &[][..]),
                Place::Pool(members) => (None, &members[..]),
            };
            one.into_iter().chain(pool.iter().map(|(target, _)| target))
        })
    }
}

/// The targets that the policy's verdict allows for this request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// The policy restricts nothing.
    All,
    /// These and no others.
    Only(HashSet<TargetName>),
}

impl Allowed {
    /// Whether this target may be asked.
    pub fn contains(&self, target: &TargetName) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(target),
        }
    }
}

/// A set of things that a question needs or a target can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Capabilities(u32);

impl Capabilities {
    /// Nothing beyond text in and text out.
    pub const NONE: Self = Self(0);
    /// Tools and their results.
    pub const TOOLS: Self = Self(1);
    /// Images in the question.
    pub const IMAGES: Self = Self(1 << 1);
    /// Audio in the question.
    pub const AUDIO: Self = Self(1 << 2);
    /// Files in the question.
    pub const FILES: Self = Self(1 << 3);
    /// An answer that follows a JSON schema.
    pub const SCHEMA: Self = Self(1 << 4);
    /// Reasoning blocks with their signatures.
    pub const REASONING: Self = Self(1 << 5);
    /// Log probabilities.
    pub const LOGPROBS: Self = Self(1 << 6);
    /// More than one answer to a question.
    pub const CHOICES: Self = Self(1 << 7);
    /// Streaming.
    pub const STREAM: Self = Self(1 << 8);
    /// Embeddings.
    pub const EMBEDDINGS: Self = Self(1 << 9);
    /// Text generation.
    pub const GENERATION: Self = Self(1 << 10);
    /// Tools of which the model may choose, and their results: more than the one call that is forced.
    pub const OPEN_TOOLS: Self = Self(1 << 11);
    /// Everything.
    pub const ALL: Self = Self(u32::MAX);

    const NAMES: [(Self, &'static str); 12] = [
        (Self::TOOLS, "tools"),
        (Self::IMAGES, "images"),
        (Self::AUDIO, "audio"),
        (Self::FILES, "files"),
        (Self::SCHEMA, "json schema"),
        (Self::REASONING, "reasoning"),
        (Self::LOGPROBS, "logprobs"),
        (Self::CHOICES, "several choices"),
        (Self::STREAM, "streaming"),
        (Self::EMBEDDINGS, "embeddings"),
        (Self::GENERATION, "generation"),
        (Self::OPEN_TOOLS, "a choice of tools"),
    ];

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What of this is not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether it is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (capability, name) in Self::NAMES {
            if self.0 & capability.0 != 0 {
                write!(f, "{separator}{name}")?;
                separator = ", ";
            }
        }
        Ok(())
    }
}
