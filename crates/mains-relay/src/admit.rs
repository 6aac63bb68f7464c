//! May this attempt start: breaker, hold and retry budget asked in one place, all or nothing.

use crate::breaker::{Breakers, RetryBudget};
use crate::budget::Refusal;
use crate::route::TargetName;
use mains_units::Instant;
use std::fmt;

/// What the relay asks before an attempt; carried by `Action::Ask`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// An earlier attempt of this request was dialled: the hold must be extended and the retry budget
    /// must have room.
    pub further: bool,
    /// Nothing else is left: a resting target is asked all the same.
    pub last_resort: bool,
    /// It follows from the route's own order, not from a failure: the retry budget has no say.
    pub planned: bool,
}

/// Leave to start an attempt; handed back to the breakers with the attempt's verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// This attempt is the one probe of a half-open breaker.
    pub probe: bool,
}

/// Why an attempt may not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// The target's breaker rests until then, or its one probe is under way.
    Open {
        /// When the target may be asked again.
        until: Instant,
    },
    /// Too large a part of the outlet's recent requests were further attempts.
    RetryBudget,
    /// The hold could not be extended for this target.
    Hold(Box<Refusal>),
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { .. } => f.write_str("its breaker is open"),
            Self::RetryBudget => f.write_str("the retry budget is spent"),
            Self::Hold(refusal) => write!(f, "the hold could not be extended: {refusal}"),
        }
    }
}

/// Decides whether an attempt on `target` may start. `extend` extends the request's hold by the worst
/// case of this attempt and is called only for a further attempt that the breaker admits.
pub fn admit(
    breakers: &mut Breakers,
    retries: &mut RetryBudget,
    target: &TargetName,
    ask: Ask,
    extend: impl FnOnce() -> Result<(), Refusal>,
    now: Instant,
) -> Result<Pass, Denied> {
    let retry = ask.further && !ask.planned;
    if retry && !retries.has_room(now) {
        return Err(Denied::RetryBudget);
    }
    let pass = match breakers.try_pass(target, now) {
        Ok(pass) => pass,
        // Never ejecting the last: a resting target is better than no target.
        Err(_) if ask.last_resort => Pass { probe: false },
        Err(until) => return Err(Denied::Open { until }),
    };
    if ask.further {
        if let Err(refusal) = extend() {
            breakers.hand_back(target, pass);
            return Err(Denied::Hold(Box::new(refusal)));
        }
        if retry {
            retries.withdraw(now);
        }
    }
    Ok(pass)
}
