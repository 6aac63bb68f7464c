//! The course of a switch.

use super::counts::{Pair, Step};
use super::observation::{Arm, Observation};
use super::plan::{Metric, Plan, Watched};
use super::wealth::{Part, log_wealth};
use crate::verdict::{Ppm, whole};
use mains_units::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const ALL: i64 = 1_000_000;

/// Where a switch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Stage {
    /// The new model gets a part of the traffic.
    Canary,
    /// It gets all.
    Whole,
    /// It gets none, for good.
    RolledBack {
        /// Why.
        reason: Reason,
        /// Since when.
        at: Timestamp,
    },
}

/// Why a switch was rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// This metric showed that the new model is worse by more than the margin.
    Metric(Metric),
    /// The operator said so.
    Operator,
}

/// Why a switch became whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WholeBecause {
    /// All steps are done.
    Steps,
    /// The day by which it must be whole has come.
    Day,
}

/// What a look changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The next step began.
    Stepped {
        /// The share of the traffic that the new model gets now.
        share: Ppm,
    },
    /// The new model gets all.
    Whole {
        /// Why.
        because: WholeBecause,
    },
    /// The new model gets none.
    RolledBack {
        /// What it was worse in.
        metric: Metric,
    },
}

/// The version of the kept form; another one is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
enum Form {
    #[default]
    #[serde(rename = "mains.swap.canary/1")]
    One,
}

/// A running switch: its step and all that was counted. It can be written, read back and computed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canary {
    form: Form,
    step: usize,
    since: Timestamp,
    stage: Stage,
    /// By the share, in millionths, under which the requests were drawn.
    counts: BTreeMap<u32, Step>,
}

impl Canary {
    /// A switch that begins its first step now.
    pub fn new(at: Timestamp) -> Self {
        Self { form: Form::One, step: 0, since: at, stage: Stage::Canary, counts: BTreeMap::new() }
    }

    /// The share of the traffic that the new model is to get: 0 when rolled back, 1,000,000 when whole.
    pub fn share(&self, plan: &Plan) -> Ppm {
        match self.stage {
            Stage::RolledBack { .. } => Ppm(0),
            Stage::Whole => Ppm(ALL),
            Stage::Canary => step_share(plan, self.step),
        }
    }

    /// Where the switch stands.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Since when it stands there: the beginning of the step, or of being whole or rolled back.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Counts a request that is over. `share` is the one under which its arm was drawn, which may be an earlier
    /// step's; shares of nothing and of all leave nothing to compare and are not counted.
    pub fn observe(&mut self, plan: &Plan, arm: Arm, share: Ppm, observation: &Observation) {
        let Some(share) = self.counted_share(share) else { return };
        for metric in Metric::ALL {
            let Some(scale) = plan.limits.scale(metric) else { continue };
            if let Some(value) = observation.value(metric) {
                let pair = self.counts.entry(share).or_default().of_mut(metric);
                pair.add(arm, value, scale.level(arm, value));
            } else if arm == Arm::Old && observation.needs_stand_in(metric) {
                let level = scale.stand_in(self.counted(metric), self.answered());
                self.counts.entry(share).or_default().of_mut(metric).stand_in(level);
            }
        }
    }

    /// Counts a verdict of a person on the answer to a request. Give each request's verdict once.
    pub fn feedback(&mut self, plan: &Plan, arm: Arm, share: Ppm, good: bool) {
        let Some(share) = self.counted_share(share) else { return };
        if let Some(scale) = plan.limits.scale(Metric::Feedback) {
            let value = u64::from(!good);
            let pair = self.counts.entry(share).or_default().of_mut(Metric::Feedback);
            pair.add(arm, value, scale.level(arm, value));
        }
    }

    /// Decides on what was counted: back, whole, one step on, or nothing. Looking often costs nothing, neither does
    /// looking seldom; the error level holds for all looks.
    pub fn look(&mut self, plan: &Plan, now: Timestamp) -> Option<Event> {
        if self.stage != Stage::Canary {
            return None;
        }
        if let Some(metric) = self.worse_in(plan) {
            self.enter(Stage::RolledBack { reason: Reason::Metric(metric), at: now }, now);
            return Some(Event::RolledBack { metric });
        }
        if plan.whole_by.is_some_and(|by| now >= by) {
            return Some(self.become_whole(WholeBecause::Day, now));
        }
        let share = step_share(plan, self.step);
        if share.0 >= ALL {
            return Some(self.become_whole(WholeBecause::Steps, now));
        }
        let held = now.0.saturating_sub(self.since.0);
        let hold = i64::try_from(plan.hold.as_ms()).unwrap_or(i64::MAX);
        let requests =
            key(share).and_then(|share| self.counts.get(&share)).map_or(0, |s| s.requests(Arm::New));
        if held < hold || requests < plan.requests_min {
            return None;
        }
        let next = self.step.saturating_add(1);
        if next >= plan.steps.len() || step_share(plan, next).0 >= ALL {
            return Some(self.become_whole(WholeBecause::Steps, now));
        }
        self.step = next;
        self.since = now;
        Some(Event::Stepped { share: step_share(plan, next) })
    }

    /// The operator takes the switch back, in mid-course or when it is whole. What is rolled back stays so.
    pub fn roll_back(&mut self, now: Timestamp) {
        if !matches!(self.stage, Stage::RolledBack { .. }) {
            self.enter(Stage::RolledBack { reason: Reason::Operator, at: now }, now);
        }
    }

    /// The logarithm of the wealth against "worse in this by no more than allowed", in thousandths, rounded down.
    pub(super) fn log_e_milli(&self, plan: &Plan, metric: Metric) -> i64 {
        let parts: Vec<Part<'_>> = self
            .counts
            .iter()
            .filter(|(share, _)| (1..ALL).contains(&i64::from(**share)))
            .map(|(share, step)| Part { share: f64::from(*share) / 1e6, pair: step.of(metric) })
            .collect();
        let log = log_wealth(&parts, plan.limits.margin(metric), &starts(plan));
        whole((log * 1_000.0).clamp(-1e15, 1e15).floor())
    }

    /// The counts of one metric under each share.
    pub(super) fn pairs(&self, metric: Metric) -> impl Iterator<Item = &Pair> {
        self.counts.values().map(move |step| step.of(metric))
    }

    fn worse_in(&self, plan: &Plan) -> Option<Metric> {
        let needed = plan.limits.needed_milli();
        Metric::ALL.into_iter().find(|metric| {
            plan.limits.watched(*metric) == Watched::Yes && self.log_e_milli(plan, *metric) >= needed
        })
    }

    fn become_whole(&mut self, because: WholeBecause, now: Timestamp) -> Event {
        self.enter(Stage::Whole, now);
        Event::Whole { because }
    }

    fn enter(&mut self, stage: Stage, now: Timestamp) {
        self.stage = stage;
        self.since = now;
    }

    /// The key of a share under which something is still to be counted.
    fn counted_share(&self, share: Ppm) -> Option<u32> {
        (self.stage == Stage::Canary).then(|| key(share)).flatten()
    }

    /// Answers of both models that a metric said something of.
    fn counted(&self, metric: Metric) -> u64 {
        let counted = |pair: &Pair| pair.old.n.saturating_add(pair.new.n);
        self.pairs(metric).fold(0, |sum, pair| sum.saturating_add(counted(pair)))
    }

    fn answered(&self) -> u64 {
        self.counts.values().fold(0, |sum, step| sum.saturating_add(step.answered()))
    }
}

/// The share of a step; of a plan that became shorter the last one, and all of a plan without steps.
fn step_share(plan: &Plan, step: usize) -> Ppm {
    let share = plan.steps.get(step).or(plan.steps.last()).copied().unwrap_or(Ppm(ALL));
    Ppm(share.0.clamp(0, ALL))
}

/// A share under which both models are asked, as a key.
fn key(share: Ppm) -> Option<u32> {
    u32::try_from(share.0).ok().filter(|share| (1..ALL).contains(&i64::from(*share)))
}

/// The shares of the plan's steps in which both models are asked.
fn starts(plan: &Plan) -> Vec<f64> {
    plan.steps.iter().filter(|share| (1..ALL).contains(&share.0)).map(|share| share.fraction()).collect()
}
