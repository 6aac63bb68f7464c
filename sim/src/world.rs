//! The clock, the queue of events, and the end of a world.

use crate::check::{Checker, Eye, Violation, Violations};
use crate::driver::{Outlet, Running};
use crate::ledger::Ledger;
use crate::plant::Plant;
use crate::spec::Spec;
use mains_relay::relay::{Event, Outcome};
use mains_relay::{Fault, Lamp};
use mains_units::{Chance, Instant, Span};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// What happens next.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// A request comes.
    Arrive(usize),
    /// Its caller leaves.
    Leave(usize),
    /// An event for its relay.
    Feed(usize, Event),
    /// The wake of this token.
    Wake(usize, u64),
    /// The calendar jumps by so many milliseconds.
    ClockStep(i64),
}

/// The queue of events: by time, then by the order in which they were put in.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Reverse<(Instant, u64, usize)>>,
    slots: Vec<Option<What>>,
    free: Vec<usize>,
    put: u64,
}

impl Queue {
    /// Puts an event in.
    pub(crate) fn put(&mut self, at: Instant, what: What) {
        let slot = self.free.pop().unwrap_or(self.slots.len());
        if slot == self.slots.len() {
            self.slots.push(Some(what));
        } else {
            self.slots[slot] = Some(what);
        }
        self.heap.push(Reverse((at, self.put, slot)));
        self.put += 1;
    }

    fn take(&mut self) -> Option<(Instant, What)> {
        let Reverse((at, _, slot)) = self.heap.pop()?;
        self.free.push(slot);
        self.slots[slot].take().map(|what| (at, what))
    }
}

/// What became of a world.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its seed.
    pub seed: u64,
    /// Laws broken in it.
    pub violations: Vec<Violation>,
    /// Requests in it.
    pub requests: u64,
    /// Attempts dialled in it.
    pub attempts: u64,
    /// Answers delivered whole.
    pub whole: u64,
    /// Whether its outlet died in the middle of everything; others that have a log die at the end.
    pub died: bool,
    /// How often each fault was reported to a breaker.
    pub faults: BTreeMap<Fault, u64>,
    /// How often each outcome ended a request.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// A digest of every action: equal for equal seeds.
    pub digest: u64,
    /// Every event and action, where asked for.
    pub trace: Vec<String>,
}

/// Runs the world of a seed.
pub fn run(seed: u64, plant: Option<Plant>) -> Run {
    live(seed, plant, false)
}

/// Runs the world of a seed and writes down every event and action.
pub fn trace(seed: u64, plant: Option<Plant>) -> Run {
    live(seed, plant, true)
}

fn live(seed: u64, plant: Option<Plant>, traced: bool) -> Run {
    let mut chance = Chance::from_seed(seed);
    let spec = Spec::draw(&mut chance);
    let mut queue = Queue::default();
    for (index, request) in spec.requests.iter().enumerate() {
        queue.put(request.arrives, What::Arrive(index));
    }
    for (at, step) in &spec.clock_steps {
        queue.put(*at, What::ClockStep(*step));
    }
    let mut outlet = Outlet::new(spec, plant, queue, chance, traced);
    if let Some((_, steps)) = outlet.spec.death {
        match Ledger::new(steps) {
            Ok(ledger) => outlet.ledger = Some(ledger),
            Err(why) => outlet.violations.check(false, Checker::LogSurvives, None, Instant(0), || why),
        }
    }
    while let Some((at, what)) = outlet.queue.take() {
        outlet.now = at;
        if traced {
            outlet.trace.push(format!("{:>9.3} ms  {what:?}", at.since(Instant(0)).as_s_f64() * 1e3));
        }
        match what {
            What::Arrive(index) => outlet.arrive(index),
            What::Leave(index) => outlet.leave(index),
            What::Feed(index, event) => outlet.feed(index, event),
            What::Wake(index, token) => outlet.wake(index, token),
            What::ClockStep(by) => outlet.calendar_offset += by,
        }
        if outlet.ledger.as_ref().is_some_and(Ledger::is_dead) {
            // The process is gone in the middle of everything; only the log is left to look at.
            return Run { died: true, ..after_death(outlet, seed) };
        }
    }
    end(outlet, seed)
}

/// Looks at everything once more when nothing will happen any more.
fn end(mut outlet: Outlet, seed: u64) -> Run {
    let now = outlet.now.after(Span::from_s(3_600));
    let mut out = std::mem::take(&mut outlet.violations);
    for (request, running) in outlet.running.iter().enumerate() {
        // The two that must agree are nobody's last: without a target behind them nobody is asked.
        let behind = |target: usize| {
            let pair = outlet.spec.route.agree.iter().flatten();
            pair.into_iter().all(|one| one.name != outlet.spec.targets[target].target.name)
        };
        let some_eligible =
            (0..outlet.spec.targets.len()).any(|target| behind(target) && outlet.eligible(request, target));
        Eye { out: &mut out, request, now }.last(&running.watch, some_eligible);
    }
    check_books(&mut outlet, &mut out);
    for target in &outlet.spec.targets {
        let lamp = outlet.breakers.lamp(&target.target.name, now);
        let waits = matches!(lamp, Lamp::Probing);
        out.check(!waits, Checker::ProbesComeBack, None, now, || format!("{} waits", target.target.name));
    }
    outlet.violations = out;
    after_death(outlet, seed)
}

/// The last look: at the log, where there is one.
fn after_death(mut outlet: Outlet, seed: u64) -> Run {
    check_log(&mut outlet);
    count(&outlet, seed)
}

fn check_log(outlet: &mut Outlet) {
    let (Some(ledger), Some((death, _))) = (outlet.ledger.take(), outlet.spec.death) else { return };
    // A seed of its own: the draw must not depend on how far the world came.
    let mut chance = Chance::from_seed(outlet.digest);
    let verdict = ledger.die(death, &mut chance);
    let now = outlet.now;
    outlet.violations.check(verdict.is_ok(), Checker::LogSurvives, None, now, || format!("{verdict:?}"));
}

fn count(outlet: &Outlet, seed: u64) -> Run {
    Run {
        seed,
        violations: outlet.violations.0.clone(),
        requests: outlet.running.len() as u64,
        attempts: outlet.running.iter().map(|running| running.watch.attempts.len() as u64).sum(),
        whole: outlet.running.iter().map(|running| u64::from(running.watch.closes)).sum(),
        died: false,
        faults: outlet.faults.clone(),
        outcomes: outlet.outcomes.clone(),
        digest: outlet.digest,
        trace: outlet.trace.clone(),
    }
}

fn check_books(outlet: &mut Outlet, out: &mut Violations) {
    let calendar = outlet.calendar();
    let now = outlet.now;
    for reading in outlet.tree.readings(calendar) {
        let totals = reading.totals;
        let balanced = reading.held == 0 && totals.held == totals.settled + totals.released;
        out.check(balanced, Checker::HeldIsSettledAndReleased, None, now, || format!("{reading:?}"));
    }
    let left: usize = outlet.running.iter().filter(|running: &&Running| running.hold.is_some()).count();
    out.check(left == 0, Checker::HeldIsSettledAndReleased, None, now, || format!("{left} holds are left"));
}
