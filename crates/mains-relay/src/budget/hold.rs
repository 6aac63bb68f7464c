//! What a request holds, and how it ended.

use super::refusal::Notice;
use super::tree::Path;
use mains_units::{Amounts, Quantity};

/// An amount held at one meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// Which meter of the tree.
    pub(super) meter: usize,
    /// Which of the meter's windows; an older one is closed.
    pub(super) turn: u64,
    /// Counted against the cap, or only reported.
    pub(super) binds: bool,
    /// How much.
    pub(super) amount: u64,
}

/// Amounts held for one request. It must be settled or released, and can be neither twice.
#[derive(Debug)]
#[must_use = "what is held comes back only by `Tree::settle` or `Tree::release`"]
pub struct Hold {
    pub(super) path: Path,
    pub(super) parts: Vec<Part>,
    pub(super) held: Amounts,
    pub(super) notices: Vec<Notice>,
}

impl Hold {
    /// What is held in all, in each quantity (also in those that nothing caps); unknown counts nothing.
    pub fn held(&self) -> Amounts {
        self.held
    }

    /// Caps that would have refused, had their figures been of a grade that binds.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }
}

/// How a hold ended: held = settled + released, quantity by quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settlement {
    /// What was held.
    pub held: Amounts,
    /// What of it was used.
    pub settled: Amounts,
    /// What of it came back.
    pub released: Amounts,
    /// What was used beyond it: a provider billed more than its published rules say. Counted in full.
    pub overshoot: Amounts,
}

impl Settlement {
    pub(super) fn of(held: &Amounts, actual: impl Fn(Quantity) -> u64) -> Self {
        Quantity::ALL.into_iter().fold(Self { held: *held, ..Self::default() }, |sum, quantity| {
            let (held, actual) = (held.get(quantity), actual(quantity));
            Self {
                settled: sum.settled.with(quantity, actual.min(held)),
                released: sum.released.with(quantity, held.saturating_sub(actual)),
                overshoot: sum.overshoot.with(quantity, actual.saturating_sub(held)),
                ..sum
            }
        })
    }

    /// Whether anything was used beyond the hold.
    pub fn overshoots(&self) -> bool {
        self.overshoot != Amounts::ZERO
    }
}
