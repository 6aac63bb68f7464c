//! Switches of routes from one target to another, while they are under way and after.
//!
//! `mains-swap` decides from counts. Here the counts are kept and saved, the routes follow them (through
//! [`crate::live::Shifts`]), and every step is a leaf. `begin` takes up what the settings ask for, `watch` counts what
//! requests came to, `step` goes on, `feedback` takes verdicts of callers, `lines` says how it stands.
//!
//! Never: a share that no leaf tells of; a way back into a switch that was rolled back, but by the operator.

mod begin;
pub(crate) mod feedback;
pub(crate) mod lines;
mod step;
pub(crate) mod watch;

pub(crate) use begin::{enter, load, tested};
pub(crate) use step::{reshape, roll_back, tick};

use crate::live::{Shift, Shifts};
use mains_relay::route::TargetName;
use mains_store::db::SwapTest;
use mains_swap::canary::{Canary, Plan, Stage};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All switches of this outlet.
#[derive(Default)]
pub struct Swaps {
    inner: Mutex<Inner>,
    /// Held while routes are made anew, so that a reload and a step cannot undo each other.
    shaping: Mutex<()>,
}

#[derive(Default)]
struct Inner {
    /// By the model of the route.
    running: BTreeMap<String, Running>,
    /// Tests that ended, the newest first.
    tests: Vec<SwapTest>,
    /// Retired targets of which a leaf tells already: route, target, and who stands in.
    retired: Vec<(String, String, Option<String>)>,
    /// The day for which the routes were made.
    day: Option<mains_units::Day>,
}

/// A switch under way or done.
struct Running {
    from: TargetName,
    to: TargetName,
    report: Arc<str>,
    plan: Plan,
    canary: Canary,
    /// Whether the store has less than this.
    unsaved: bool,
    /// Observations since the counts were looked at.
    unseen: u32,
}

impl Swaps {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shaping(&self) -> MutexGuard<'_, ()> {
        self.shaping.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn shifts(&self) -> Shifts {
        let routes = self.running.iter().map(|(route, running)| (route.clone(), running.shift()));
        Shifts { routes: routes.collect(), replacements: self.replacements() }
    }

    /// The newest replacement that passed its test, of every target that has one.
    fn replacements(&self) -> HashMap<TargetName, TargetName> {
        let passed = self.tests.iter().filter(|test| test.verdict == PASSED && test.from != test.to);
        let mut all = HashMap::new();
        for test in passed {
            all.entry(TargetName::new(&test.from)).or_insert_with(|| TargetName::new(&test.to));
        }
        all
    }
}

/// The verdict of a test that a replacement has passed.
const PASSED: &str = "non_inferior";

impl Running {
    fn shift(&self) -> Shift {
        let percent = match self.canary.stage() {
            Stage::Whole => 100,
            Stage::RolledBack { .. } => 0,
            Stage::Canary => u8::try_from(self.canary.share(&self.plan).0 / 10_000).unwrap_or(0).min(100),
        };
        Shift { old: self.from.clone(), new: self.to.clone(), percent, report: Arc::clone(&self.report) }
    }
}
