//! Stop 6 of a request: from a route to ordered candidates, with the reason for each that was taken and
//! for each that was not.

use super::{Allowed, Capabilities, Degraded, Place, Route, Target};
use crate::breaker::Lamp;
use mains_units::{Chance, Instant};
use std::fmt;
use std::sync::Arc;

/// What the request brings to the choice.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The targets that the policy allows.
    pub allowed: &'a Allowed,
    /// What the question needs.
    pub needs: Capabilities,
    /// A money cap binds this caller and no unknown price is allowed: a target without one is skipped.
    pub priced_only: bool,
}

/// What the outlet knows about a target at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// What it can.
    pub can: Capabilities,
    /// The catalogue says that the model is retired as of today.
    pub retired: bool,
    /// Its price is known.
    pub priced: bool,
    /// The state of its breaker.
    pub lamp: Lamp,
}

/// A target that may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub target: Arc<Target>,
    /// Why it stands at this place.
    pub why: Why,
    /// Its answers are to be marked as those of a local substitute.
    pub degraded: bool,
}

/// Why a candidate stands where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The route's order.
    Order,
    /// Drawn from a pool by weight.
    Drawn {
        /// Its own weight.
        weight: u32,
        /// The weight of all members that took part in the draw.
        of: u64,
    },
    /// Its breaker rests, but nothing better is left.
    LeastBad {
        /// When its rest would have ended.
        until: Instant,
    },
    /// Its model is retired, but nothing else is left.
    OnlyOne,
    /// One of the two cheap models that are asked first: an answer on which they agree is the answer.
    Agree,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order => f.write_str("next in the route's order"),
            Self::Drawn { weight, of } => write!(f, "drawn from its pool with weight {weight} of {of}"),
            Self::LeastBad { .. } => f.write_str("its breaker is open, but nothing better is left"),
            Self::OnlyOne => f.write_str("its model is retired, but nothing else is left"),
            Self::Agree => f.write_str("asked first: where two cheap models agree, that is the answer"),
        }
    }
}

/// A target that is not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Which.
    pub target: Arc<Target>,
    /// Why not.
    pub why: Skip,
}

/// Why a target is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// The policy does not allow it.
    Forbidden,
    /// It cannot do what the question needs; these are missing.
    Lacks(Capabilities),
    /// It is a local generative substitute and the route refuses those.
    Degraded,
    /// Its price is unknown under a money cap.
    NoPrice,
    /// Its model is retired.
    Retired,
    /// Its breaker rests until then; an equal moment means that its probe is under way.
    Resting {
        /// End of the rest.
        until: Instant,
    },
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden => f.write_str("the policy does not allow it"),
            Self::Lacks(what) => write!(f, "it cannot do: {what}"),
            Self::Degraded => {
                f.write_str("it is a local substitute and the route says degraded = \"refuse\"")
            }
            Self::NoPrice => f.write_str("its price is unknown and a money cap binds"),
            Self::Retired => f.write_str("its model is retired"),
            Self::Resting { .. } => f.write_str("its breaker is open"),
        }
    }
}

/// The result of the choice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// Whom to ask, in this order. Empty only when no target of the route is eligible at all.
    pub candidates: Vec<Candidate>,
    /// Whom not to ask.
    pub skipped: Vec<Skipped>,
}

/// Chooses. `facts` is asked once per target that policy, capabilities and the route's own settings let
/// through; `chance` draws from pools.
pub fn choose(
    route: &Route,
    asked: &Asked<'_>,
    mut facts: impl FnMut(&Target) -> Facts,
    now: Instant,
    chance: &mut Chance,
) -> Choice {
    let mut choice = Choice::default();
    for place in &route.places {
        match place {
            Place::One(target) => {
                if usable(route, asked, target, &mut facts, now, &mut choice.skipped) {
                    choice.candidates.push(candidate(target, Why::Order));
                }
            }
            Place::Pool(members) => {
                let usable: Vec<_> = members
                    .iter()
                    .filter(|(target, _)| usable(route, asked, target, &mut facts, now, &mut choice.skipped))
                    .collect();
                draw(usable, chance, &mut choice.candidates);
            }
        }
    }
    if choice.candidates.is_empty() {
        take_the_least_bad(&mut choice);
    }
    choice
}

/// Puts the two models of the route's `agree` before all candidates, where both can be asked and somebody can be asked if
/// they do not agree. `false`, and only the reasons added, where not.
pub fn agree_first(
    route: &Route,
    asked: &Asked<'_>,
    mut facts: impl FnMut(&Target) -> Facts,
    now: Instant,
    choice: &mut Choice,
) -> bool {
    let Some(pair) = &route.agree else { return false };
    let mut usable = |target| usable(route, asked, target, &mut facts, now, &mut choice.skipped);
    // Both are looked at, so that each reason is told.
    let both = pair.each_ref().map(&mut usable) == [true, true] && !choice.candidates.is_empty();
    if both {
        choice.candidates.splice(..0, pair.iter().map(|target| candidate(target, Why::Agree)));
    }
    both
}

fn candidate(target: &Arc<Target>, why: Why) -> Candidate {
    Candidate { target: Arc::clone(target), why, degraded: target.substitute }
}

/// Whether a target is eligible and awake; if not, says why in `skipped`.
fn usable(
    route: &Route,
    asked: &Asked<'_>,
    target: &Arc<Target>,
    facts: &mut impl FnMut(&Target) -> Facts,
    now: Instant,
    skipped: &mut Vec<Skipped>,
) -> bool {
    let why = if !asked.allowed.contains(&target.name) {
        Some(Skip::Forbidden)
    } else if target.substitute && route.degraded == Degraded::Refuse {
        Some(Skip::Degraded)
    } else {
        why_not(asked, &facts(target), now)
    };
    match why {
        Some(why) => {
            skipped.push(Skipped { target: Arc::clone(target), why });
            false
        }
        None => true,
    }
}

fn why_not(asked: &Asked<'_>, facts: &Facts, now: Instant) -> Option<Skip> {
    let missing = asked.needs.without(facts.can);
    if !missing.is_empty() {
        return Some(Skip::Lacks(missing));
    }
    if asked.priced_only && !facts.priced {
        return Some(Skip::NoPrice);
    }
    if facts.retired {
        return Some(Skip::Retired);
    }
    match facts.lamp {
        Lamp::Closed | Lamp::HalfOpen => None,
        Lamp::Dead => Some(Skip::Retired),
        Lamp::Open { until, .. } => Some(Skip::Resting { until }),
        Lamp::Probing => Some(Skip::Resting { until: now }),
    }
}

/// Draws all members by weight, one after the other, without putting any back.
fn draw(mut members: Vec<&(Arc<Target>, u32)>, chance: &mut Chance, candidates: &mut Vec<Candidate>) {
    while !members.is_empty() {
        let of: u64 = members.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut ticket = chance.below(of);
        let drawn = members.iter().position(|(_, weight)| {
            let hit = ticket < u64::from(*weight);
            ticket = ticket.saturating_sub(u64::from(*weight));
            hit
        });
        let (target, weight) = members.remove(drawn.unwrap_or(0));
        candidates.push(candidate(target, Why::Drawn { weight: *weight, of }));
    }
}

/// Never ejecting the last: of the resting targets the one that wakes first; without any, the first
/// retired one, so that the caller at least reads the provider's own words.
fn take_the_least_bad(choice: &mut Choice) {
    let resting = choice.skipped.iter().enumerate().filter_map(|(index, skipped)| match skipped.why {
        Skip::Resting { until } => Some((until, index)),
        _ => None,
    });
    let taken = match resting.min() {
        Some((until, index)) => Some((index, Why::LeastBad { until })),
        None => choice
            .skipped
            .iter()
            .position(|skipped| skipped.why == Skip::Retired)
            .map(|index| (index, Why::OnlyOne)),
    };
    if let Some((index, why)) = taken {
        let target = choice.skipped.remove(index).target;
        choice.candidates.push(candidate(&target, why));
    }
}
