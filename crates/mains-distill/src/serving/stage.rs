//! Shadow, canary, serve: how far a labeller is, what took it there, and its end.
//!
//! Every request in scope that goes to the teacher by the coin is compared, whether the labeller would have answered or
//! not, so the compared calls are a fair sample of the requests in scope. A stage ends when that sample, taken in this
//! stage alone, is as large as the smallest on which the promise could have been shown without an error
//! (`ln(delta) / ln(1 - eps)`), and no larger share of it differs than is promised. The bets of `watch` run through
//! all stages from the first compared call: they alone withdraw.

use crate::certificate::{Certificate, Promise};
use crate::task::{Answer, folded, hex};
use crate::watch::{Audited, NoWatch, Reason, Watch, Withdrawn};
use mains_units::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The version of the state's form.
const SCHEMA: &str = "mains.distill.serving/1";
/// The chance that a promise that holds is ever withdrawn, in millionths.
const ALPHA_PPM: u64 = 10_000;
/// So many different labels outside the set are no slips.
const OTHERS_MAX: usize = 64;

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It answers nothing and is compared.
    Shadow,
    /// It answers a share.
    Canary,
    /// It answers all that it may, but the audited share.
    Serve,
}

impl Stage {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Shadow => "shadow",
            Self::Canary => "canary",
            Self::Serve => "serve",
        }
    }

    fn next(self) -> Option<Self> {
        match self {
            Self::Shadow => Some(Self::Canary),
            Self::Canary => Some(Self::Serve),
            Self::Serve => None,
        }
    }
}

/// What the operator wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// A stage that does not move; none goes by evidence.
    pub fixed: Option<Stage>,
    /// The share of the canary, in percent.
    pub share_percent: u64,
    /// The audited share, in percent.
    pub audit_percent: u64,
}

/// A call that was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compared {
    /// Whether the labeller would have answered.
    pub local: bool,
    /// Whether its label is another than the teacher's.
    pub differs: bool,
}

/// What a look at the counts came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The next stage has begun.
    Stage(Stage),
    /// The certificate is withdrawn.
    Withdrawn(Withdrawn),
}

/// Everything that must survive a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    schema: String,
    /// The stage that evidence has reached.
    stage: Stage,
    /// Compared calls in it.
    calls: u64,
    /// Those of them that were local.
    local: u64,
    /// Those of the local ones that differ.
    differs: u64,
    /// So many of those that the promise speaks of end a stage.
    least: u64,
    /// The bets, and the end.
    pub watch: Watch,
    /// The model that the teacher names in its answers, since it first did.
    pub answers_as: Option<String>,
    /// The stage of which a leaf told last.
    pub told: Option<Stage>,
    /// Whether a leaf told of the end.
    pub told_end: bool,
    /// Hashes of labels outside the set that the teacher gave once.
    others: BTreeSet<String>,
}

impl State {
    /// The beginning under a certificate.
    pub fn over(certificate: &Certificate, terms: Terms) -> Result<Self, NoWatch> {
        if certificate.threshold_micro().is_none() {
            return Err(NoWatch::Refused);
        }
        let watch = Watch::of(&certificate.terms, terms.audit_percent.saturating_mul(10_000), ALPHA_PPM)?;
        let least = certificate.terms.least_rows().ok_or(NoWatch::Share)?;
        Ok(Self {
            schema: SCHEMA.to_owned(),
            stage: Stage::Shadow,
            calls: 0,
            local: 0,
            differs: 0,
            least,
            watch,
            answers_as: None,
            told: None,
            told_end: false,
            others: BTreeSet::new(),
        })
    }

    /// Whether this is a form that is known and whose figures can be.
    pub fn is_sound(&self) -> bool {
        self.schema == SCHEMA
            && self.watch.is_sound()
            && self.differs <= self.local
            && self.local <= self.calls
    }

    /// The stage in force.
    pub fn stage(&self, terms: Terms) -> Stage {
        terms.fixed.unwrap_or(self.stage)
    }

    /// The chance that a request in scope is the labeller's, in percent.
    pub fn share_percent(&self, terms: Terms) -> u64 {
        if self.watch.withdrawn.is_some() {
            return 0;
        }
        let most = 100u64.saturating_sub(terms.audit_percent);
        match self.stage(terms) {
            Stage::Shadow => 0,
            Stage::Canary => terms.share_percent.min(most),
            Stage::Serve => most,
        }
    }

    /// Counts a compared call.
    pub fn compare(&mut self, call: Compared, at: Timestamp) {
        let differs = call.local && call.differs;
        self.watch.observe(Audited { local: call.local, differs }, at);
        self.calls = self.calls.saturating_add(1);
        self.local = self.local.saturating_add(call.local.into());
        self.differs = self.differs.saturating_add(differs.into());
    }

    /// Notes that the teacher gave a label outside the set; `true` where that says that the set has changed: the same one
    /// came before, as in learning a set, where what was seen once is a slip.
    pub fn saw_other(&mut self, answer: &Answer) -> bool {
        let hash = hex(&Sha256::digest(folded(answer).as_bytes()));
        self.others.len() >= OTHERS_MAX || !self.others.insert(hash)
    }

    /// So many compared calls of this stage count, and so many of them end it.
    pub fn progress(&self) -> (u64, u64) {
        let of = match self.watch.promise {
            Promise::AllTraffic => self.calls,
            Promise::AnsweredLocally => self.local,
        };
        (of, self.least)
    }

    /// Goes on where the counts allow it. A fixed stage gathers evidence too, so that `auto` can take it up later.
    pub fn look(&mut self) -> Option<Step> {
        if let Some(withdrawn) = &self.watch.withdrawn {
            return Some(Step::Withdrawn(withdrawn.clone()));
        }
        let (of, least) = self.progress();
        let within = u128::from(self.differs) * 1_000_000 <= u128::from(self.watch.eps_ppm) * u128::from(of);
        let next = self.stage.next().filter(|_| of >= least && within)?;
        self.stage = next;
        (self.calls, self.local, self.differs) = (0, 0, 0);
        Some(Step::Stage(next))
    }

    /// Withdraws at once; the first reason stands.
    pub fn withdraw(&mut self, reason: Reason, at: Timestamp) -> &Withdrawn {
        self.watch.withdraw(reason, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::Terms as Promised;

    const AUTO: Terms = Terms { fixed: None, share_percent: 10, audit_percent: 1 };

    fn state(promise: Promise) -> State {
        let terms = Promised::new(promise, 20_000);
        State {
            schema: SCHEMA.to_owned(),
            stage: Stage::Shadow,
            calls: 0,
            local: 0,
            differs: 0,
            least: terms.least_rows().unwrap(),
            watch: Watch::of(&terms, 10_000, ALPHA_PPM).unwrap(),
            answers_as: None,
            told: None,
            told_end: false,
            others: BTreeSet::new(),
        }
    }

    const GOOD: Compared = Compared { local: true, differs: false };
    const BAD: Compared = Compared { local: true, differs: true };
    const UNSURE: Compared = Compared { local: false, differs: true };
    const NOW: Timestamp = Timestamp(7);

    #[test]
    fn a_stage_ends_after_the_fewest_calls_that_could_show_the_promise_and_not_before() {
        let mut state = state(Promise::AllTraffic);
        assert_eq!((state.progress(), state.share_percent(AUTO)), ((0, 149), 0));
        for (stage, share) in [(Stage::Canary, 10), (Stage::Serve, 99)] {
            for _ in 0..148 {
                state.compare(GOOD, NOW);
                assert_eq!(state.look(), None);
            }
            state.compare(UNSURE, NOW);
            assert_eq!(state.look(), Some(Step::Stage(stage)));
            assert_eq!(state.share_percent(AUTO), share);
        }
        assert_eq!(state.watch.calls, 298);
        assert_eq!(state.share_percent(Terms { fixed: Some(Stage::Shadow), ..AUTO }), 0);
    }

    #[test]
    fn too_many_differences_hold_a_stage_and_many_more_withdraw() {
        let mut state = state(Promise::AllTraffic);
        (0..199).for_each(|call| state.compare(if call % 49 == 48 { BAD } else { GOOD }, NOW));
        // 4 of 199 are more than 2 %, 4 of 200 are not.
        assert_eq!(state.look(), None);
        state.compare(GOOD, NOW);
        assert_eq!(state.look(), Some(Step::Stage(Stage::Canary)));
        let mut until = 0;
        while state.watch.withdrawn.is_none() && until < 100 {
            state.compare(BAD, NOW);
            until += 1;
        }
        assert!(matches!(
            state.look(),
            Some(Step::Withdrawn(Withdrawn { reason: Reason::PromiseGone { .. }, .. }))
        ));
        assert!(until < 20, "{until}");
        assert_eq!(state.share_percent(Terms { fixed: Some(Stage::Serve), ..AUTO }), 0);
    }

    #[test]
    fn one_new_label_is_a_slip_and_the_same_again_is_a_change() {
        let mut state = state(Promise::AllTraffic);
        let word = |text: &str| Answer { text: text.into(), calls: Vec::new() };
        assert!(!state.saw_other(&word("billing")) && !state.saw_other(&word("shipping")));
        assert!(state.saw_other(&word("Billing.")), "the same label, written otherwise");
    }

    #[test]
    fn where_the_promise_is_about_local_answers_others_do_not_count() {
        let mut state = state(Promise::AnsweredLocally);
        (0..1_000).for_each(|_| state.compare(UNSURE, NOW));
        assert_eq!((state.look(), state.progress().0), (None, 0));
    }

    #[test]
    fn the_state_reads_back_as_it_was_written() {
        let mut state = state(Promise::AllTraffic);
        state.compare(BAD, NOW);
        state.withdraw(Reason::Teacher, NOW);
        let again: State = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
        assert!(again.is_sound());
        assert_eq!(again, state);
    }
}
