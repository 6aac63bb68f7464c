//! What is asked of a switch.

use crate::verdict::{Ppm, whole};
use mains_units::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a switch goes on. The operator's file says it; it should stay the same while the switch runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The shares of the traffic that the new model gets, rising; 1,000,000 is all of it.
    pub steps: Vec<Ppm>,
    /// The least time of a step.
    pub hold: Span,
    /// The fewest requests that the new model gets in a step before the next one begins.
    pub requests_min: u64,
    /// The moment from which the switch is whole, whatever the steps say.
    pub whole_by: Option<Timestamp>,
    /// What makes it roll back.
    pub limits: Limits,
}

/// By how much the new model may be worse, and how sure one must be that it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The chance, at most, that a replacement within all limits is ever rolled back: 50,000 for 5 %.
    pub alpha: Ppm,
    /// How much more often requests may go badly, by each metric of events: 20,000 for 2 points.
    pub margin: Ppm,
    /// By what part cost may exceed what the test measured: 250,000 for a quarter.
    pub dearer: Ppm,
    /// By what part the length of answers may exceed what the test measured.
    pub longer: Ppm,
    /// The new model's cost over the old one's, as tested: 1,000,000 for alike. Absent: cost is not watched.
    pub cost_ratio: Option<Ppm>,
    /// A cost of one old answer in nano-USD that few exceed; dearer ones count as this one.
    pub cost_scale_nano: Option<u64>,
    /// The new model's output tokens over the old one's, as tested. Absent: length is not watched.
    pub length_ratio: Option<Ppm>,
    /// Output tokens of one old answer that few exceed; longer ones count as this one.
    pub length_scale: Option<u64>,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Requests without an answer.
    Errors,
    /// Answers that break the schema that the request carried.
    Schema,
    /// Answers that decline.
    Refusals,
    /// Output tokens of an answer.
    Length,
    /// Cost of an answer.
    Cost,
    /// Bad verdicts of people on answers.
    Feedback,
}

impl Metric {
    /// All of them; where several would roll back at once, the first is named.
    pub const ALL: [Self; 6] =
        [Self::Errors, Self::Schema, Self::Refusals, Self::Length, Self::Cost, Self::Feedback];

    /// Its name in one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Errors => "errors",
            Self::Schema => "schema",
            Self::Refusals => "refusals",
            Self::Length => "length",
            Self::Cost => "cost",
            Self::Feedback => "feedback",
        }
    }

    /// What its totals are counted in.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Errors => "failed requests",
            Self::Schema => "answers that break the schema",
            Self::Refusals => "answers that decline",
            Self::Length => "output tokens",
            Self::Cost => "nano-USD",
            Self::Feedback => "bad verdicts",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether a metric can roll back a switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watched {
    /// It can.
    Yes,
    /// It cannot: the test measured no ratio between both models.
    NoRatio,
    /// It cannot: there is no scale to compare on.
    NoScale,
}

/// How a metric's values become parts of a scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// It happened or it did not; the margin is the limits'.
    Event,
    /// A value of an old answer at or above `of` counts whole; of a new one, at or above `of` times `ratio` times
    /// one and `tolerance` (millionths). There is no margin beyond.
    Value { of: u64, ratio: Ppm, tolerance: Ppm },
}

impl Limits {
    /// Whether this metric can roll back a switch under these limits.
    pub fn watched(&self, metric: Metric) -> Watched {
        match metric {
            Metric::Errors | Metric::Schema | Metric::Refusals | Metric::Feedback => Watched::Yes,
            Metric::Length => value_watched(self.length_ratio, self.length_scale),
            Metric::Cost => value_watched(self.cost_ratio, self.cost_scale_nano),
        }
    }

    /// How many metrics are watched: the error level is shared among them.
    pub fn watched_count(&self) -> u64 {
        Metric::ALL.iter().map(|metric| u64::from(self.watched(*metric) == Watched::Yes)).sum()
    }

    /// The wealth that rolls back, as a natural logarithm in thousandths, rounded up.
    pub fn needed_milli(&self) -> i64 {
        let alpha = Ppm(self.alpha.0.clamp(1, 999_999)).fraction();
        whole(((self.watched_count() as f64 / alpha).ln() * 1_000.0).ceil())
    }

    /// The scale of a metric; `None` if it is not watched.
    pub(super) fn scale(&self, metric: Metric) -> Option<Scale> {
        let value = |of: Option<u64>, ratio: Option<Ppm>, tolerance: Ppm| {
            Some(Scale::Value { of: of?, ratio: ratio?, tolerance: Ppm(tolerance.0.max(0)) })
        };
        match (self.watched(metric), metric) {
            (Watched::NoRatio | Watched::NoScale, _) => None,
            (Watched::Yes, Metric::Length) => value(self.length_scale, self.length_ratio, self.longer),
            (Watched::Yes, Metric::Cost) => value(self.cost_scale_nano, self.cost_ratio, self.dearer),
            (Watched::Yes, _) => Some(Scale::Event),
        }
    }

    /// The margin of a metric as a fraction.
    pub(super) fn margin(&self, metric: Metric) -> f64 {
        match metric {
            Metric::Length | Metric::Cost => 0.0,
            _ => self.margin.fraction().clamp(0.0, 1.0),
        }
    }
}

fn value_watched(ratio: Option<Ppm>, scale: Option<u64>) -> Watched {
    if ratio.is_none_or(|ratio| ratio.0 <= 0) {
        Watched::NoRatio
    } else if scale.is_none_or(|scale| scale == 0) {
        Watched::NoScale
    } else {
        Watched::Yes
    }
}
