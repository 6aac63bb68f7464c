//! Which targets are resting: one breaker per target, and the budget that bounds all further attempts.
//!
//! A breaker is closed (asked as usual), open (rests until a moment), half-open (exactly one attempt is
//! let through as a probe) or dead (its model is retired). The rest grows exponentially with each
//! opening, with jitter so that many outlets do not come back at once; a provider's `Retry-After` is its
//! floor. Whether the last target of a route may rest is not decided here: `route::choose` and the relay
//! see to it that the least bad is asked when nothing else is left.

use crate::admit::Pass;
use crate::fault::{Consequence, Fault};
use crate::route::TargetName;
use mains_units::{Chance, Instant, Span};
use std::collections::HashMap;

/// How breakers open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerSettings {
    /// So many counted faults in a row open it (Envoy's `consecutive_5xx` default is 5).
    pub faults_in_a_row: u32,
    /// The first rest after counted faults; each further opening doubles it.
    pub rest_first: Span,
    /// The first rest after an auth or billing fault, which no waiting mends quickly.
    pub rest_account: Span,
    /// No computed rest is longer than this.
    pub rest_max: Span,
    /// No `Retry-After` is believed beyond this.
    pub retry_after_max: Span,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            faults_in_a_row: 5,
            rest_first: Span::from_s(2),
            rest_account: Span::from_s(60),
            rest_max: Span::from_s(300),
            retry_after_max: Span::from_s(3600),
        }
    }
}

/// The state of one breaker as anyone may see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lamp {
    /// Asked as usual.
    Closed,
    /// Rests until then.
    Open {
        /// End of the rest.
        until: Instant,
        /// The fault that opened it.
        because: Fault,
    },
    /// The rest is over; the next attempt is the probe.
    HalfOpen,
    /// The probe is under way; nobody else is let through.
    Probing,
    /// The provider said that the model is retired.
    Dead,
}

/// What an attempt says about its target when it ends or changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Real content arrives: a probe has succeeded so far. Not the last word of the attempt.
    Answering,
    /// The answer ended as it should.
    Healthy,
    /// The attempt failed.
    Faulted {
        /// How.
        fault: Fault,
        /// The provider's own wish, if it named one.
        retry_after: Option<Span>,
    },
    /// The attempt says nothing about its target (the client left).
    Nothing,
}

#[derive(Debug, Clone, Copy, Default)]
enum State {
    #[default]
    Closed,
    Open {
        since: Instant,
        until: Instant,
        because: Fault,
        probing: bool,
    },
    Dead {
        since: Instant,
    },
}

#[derive(Debug, Clone, Copy, Default)]
struct Breaker {
    state: State,
    faults_in_a_row: u32,
    /// How often it opened since the last healthy answer; the exponent of the rest.
    openings: u32,
}

/// The breakers of all targets. A target never heard of is closed.
#[derive(Debug, Clone)]
pub struct Breakers {
    settings: BreakerSettings,
    chance: Chance,
    by_target: HashMap<TargetName, Breaker>,
}

impl Breakers {
    /// All closed; `chance` draws the jitter.
    pub fn new(settings: BreakerSettings, chance: Chance) -> Self {
        Self { settings, chance, by_target: HashMap::new() }
    }

    /// The state of a target's breaker, changing nothing.
    pub fn lamp(&self, target: &TargetName, now: Instant) -> Lamp {
        match self.by_target.get(target).map_or(State::Closed, |breaker| breaker.state) {
            State::Closed => Lamp::Closed,
            State::Dead { .. } => Lamp::Dead,
            State::Open { until, because, .. } if now < until => Lamp::Open { until, because },
            State::Open { probing: true, .. } => Lamp::Probing,
            State::Open { .. } => Lamp::HalfOpen,
        }
    }

    /// Takes leave to start an attempt, and the probe if the breaker is half-open. `Err` names the moment
    /// to ask again, which for a dead target is the end of time: `admit` lets it pass as a last resort.
    pub fn try_pass(&mut self, target: &TargetName, now: Instant) -> Result<Pass, Instant> {
        let Some(breaker) = self.by_target.get_mut(target) else { return Ok(Pass { probe: false }) };
        match &mut breaker.state {
            State::Closed => Ok(Pass { probe: false }),
            State::Dead { .. } => Err(Instant(u64::MAX)),
            State::Open { until, .. } if now < *until => Err(*until),
            State::Open { probing: true, .. } => Err(now),
            State::Open { probing, .. } => {
                *probing = true;
                Ok(Pass { probe: true })
            }
        }
    }

    /// Gives a pass back unused.
    pub fn hand_back(&mut self, target: &TargetName, pass: Pass) {
        if pass.probe
            && let Some(Breaker { state: State::Open { probing, .. }, .. }) = self.by_target.get_mut(target)
        {
            *probing = false;
        }
    }

    /// Takes an attempt's verdict. `started` is when the attempt began: what began before the breaker
    /// opened says nothing about the target's health now.
    pub fn report(
        &mut self,
        target: &TargetName,
        pass: Pass,
        started: Instant,
        verdict: Verdict,
        now: Instant,
    ) {
        match verdict {
            Verdict::Nothing => self.hand_back(target, pass),
            Verdict::Answering => self.answering(target, pass),
            Verdict::Healthy => self.healthy(target, pass, started),
            Verdict::Faulted { fault, retry_after } => {
                self.faulted(target, pass, fault, retry_after, now);
            }
        }
    }

    /// Forgets everything about a target, as after a change of its key.
    pub fn reset(&mut self, target: &TargetName) {
        self.by_target.remove(target);
    }

    /// Keeps only the targets that the settings still name.
    pub fn retain(&mut self, mut still_named: impl FnMut(&TargetName) -> bool) {
        self.by_target.retain(|target, _| still_named(target));
    }

    fn answering(&mut self, target: &TargetName, pass: Pass) {
        let Some(breaker) = self.by_target.get_mut(target) else { return };
        if pass.probe && matches!(breaker.state, State::Open { .. }) {
            // A stream may last minutes: others need not wait for its end. But one fault now opens it
            // again, and the next rest is longer still.
            breaker.state = State::Closed;
            breaker.faults_in_a_row = self.settings.faults_in_a_row.saturating_sub(1);
        }
    }

    fn healthy(&mut self, target: &TargetName, pass: Pass, started: Instant) {
        let Some(breaker) = self.by_target.get_mut(target) else { return };
        let stale = match breaker.state {
            State::Open { since, .. } => !pass.probe && started < since,
            State::Dead { since } => started < since,
            State::Closed => false,
        };
        if !stale {
            *breaker = Breaker::default();
        }
    }

    fn faulted(
        &mut self,
        target: &TargetName,
        pass: Pass,
        fault: Fault,
        retry_after: Option<Span>,
        now: Instant,
    ) {
        let opens = match fault.consequence() {
            Consequence::Reroutes | Consequence::Ends => return self.hand_back(target, pass),
            Consequence::Retires => {
                self.by_target.entry(target.clone()).or_default().state = State::Dead { since: now };
                return;
            }
            Consequence::Opens => true,
            Consequence::Counts => false,
        };
        let floor = retry_after.map(|span| now.after(span.min(self.settings.retry_after_max)));
        let breaker = self.by_target.entry(target.clone()).or_default();
        // It rests for this outage already; only the provider's wish may prolong the rest, and what began
        // before that wish does not speak against it.
        match (&mut breaker.state, floor) {
            (State::Open { .. }, _) if pass.probe => {}
            (State::Open { since, until, .. }, Some(floor)) => {
                (*since, *until) = (now, floor.max(*until));
                return;
            }
            (State::Dead { since }, Some(_)) => {
                *since = now;
                return;
            }
            (State::Open { .. } | State::Dead { .. }, None) => return,
            (State::Closed, _) => {}
        }
        breaker.faults_in_a_row = breaker.faults_in_a_row.saturating_add(1);
        // While a probe was under way, others may have brought a wish.
        let was_open = match breaker.state {
            State::Open { until, .. } => Some(until),
            _ => None,
        };
        let full = breaker.faults_in_a_row >= self.settings.faults_in_a_row;
        // A target that names a moment is not asked before it, even after its first fault.
        if !(opens || full || was_open.is_some() || floor.is_some()) {
            return;
        }
        let first = if opens { self.settings.rest_account } else { self.settings.rest_first };
        let rest = rest(first, breaker.openings, self.settings.rest_max, &mut self.chance);
        breaker.openings = breaker.openings.saturating_add(1);
        let until = now.after(rest).max(floor.unwrap_or_default()).max(was_open.unwrap_or_default());
        breaker.state = State::Open { since: now, until, because: fault, probing: false };
    }
}

/// `first` doubled `openings` times and capped, of which the upper half is drawn by chance.
fn rest(first: Span, openings: u32, most: Span, chance: &mut Chance) -> Span {
    let doubled = first.0.saturating_mul(1u64.checked_shl(openings.min(40)).unwrap_or(u64::MAX));
    let whole = doubled.min(most.0);
    Span(whole - chance.below(whole / 2 + 1))
}

/// Bounds further attempts to 20 % of the requests plus 10 a second, over a window of 10 seconds
/// (Finagle's default retry budget), so that an outage does not multiply the load.
#[derive(Debug, Clone, Default)]
pub struct RetryBudget {
    /// Requests and withdrawals of each second of the window, by `second % 10`.
    slots: [Slot; 10],
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    second: u64,
    requests: u64,
    retries: u64,
}

const WINDOW_S: u64 = 10;
const RETRIES_PER_S: u64 = 10;
const REQUESTS_PER_RETRY: u64 = 5;

impl RetryBudget {
    /// Counts a request (not an attempt).
    pub fn deposit(&mut self, now: Instant) {
        self.slot(now).requests += 1;
    }

    /// Whether a further attempt may start.
    pub fn has_room(&self, now: Instant) -> bool {
        let second = second(now);
        let recent =
            self.slots.iter().filter(|slot| slot.second <= second && second - slot.second < WINDOW_S);
        let (requests, retries) =
            recent.fold((0, 0), |sum, slot| (sum.0 + slot.requests, sum.1 + slot.retries));
        retries < requests / REQUESTS_PER_RETRY + RETRIES_PER_S * WINDOW_S
    }

    /// Counts a further attempt.
    pub fn withdraw(&mut self, now: Instant) {
        self.slot(now).retries += 1;
    }

    fn slot(&mut self, now: Instant) -> &mut Slot {
        let second = second(now);
        let index = usize::try_from(second % WINDOW_S).unwrap_or(0);
        let slot = &mut self.slots[index];
        if slot.second != second {
            *slot = Slot { second, ..Slot::default() };
        }
        slot
    }
}

fn second(now: Instant) -> u64 {
    now.0 / 1_000_000_000
}
