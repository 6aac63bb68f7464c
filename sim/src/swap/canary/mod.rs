//! Does a switch in steps roll back what is worse, and only that?
//!
//! Read `world` (scripted models and traffic), then this file: runs of 10,000 requests, looked at after every 50,
//! and what became of them. Beside the canary stands the rule that is common and wrong: roll back when the new
//! model's errors are above the old one's and the margin at any look.

mod world;

use super::{ALPHA, Promise};
use mains_swap::canary::{Arm, Canary, Metric, Plan, Reason, Stage};
use mains_units::{Chance, Timestamp};
use std::fmt;
use world::{FINE, Meanwhile, Model, REQUESTS, World};

const LOOK_EVERY: u64 = 50;

/// How one way of deciding did in one world.
#[derive(Debug, Clone)]
pub struct Line {
    /// The planted truth.
    pub world: &'static str,
    /// The way of deciding.
    pub method: &'static str,
    /// The share of runs that were rolled back.
    pub back: f64,
    /// Of those, the share in which the planted metric was named; absent where none is planted.
    pub named: Option<f64>,
    /// Requests that the new model got before, the median of the runs that were rolled back.
    pub new_requests: Option<u64>,
    /// Requests in all before, likewise.
    pub requests: Option<u64>,
    /// What must be shown: honest, at most 5 % are rolled back; able, at least 80 %; wrong, more than 5 %.
    pub promise: Promise,
}

impl Line {
    /// Whether the promise is kept.
    pub fn is_kept(&self) -> bool {
        match self.promise {
            Promise::Honest => self.back <= ALPHA,
            Promise::Able => self.back >= 0.8,
            Promise::Wrong => self.back > ALPHA,
            Promise::None => true,
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |count: Option<u64>| count.map_or_else(|| "-".into(), |count| count.to_string());
        let named = self.named.map_or_else(|| "-".into(), |named| format!("{:.1}", 100.0 * named));
        write!(
            f,
            "{:44} {:26} {:8.1} {named:>8} {:>12} {:>9}  {}",
            self.world,
            self.method,
            100.0 * self.back,
            count(self.new_requests),
            count(self.requests),
            self.promise.word(self.is_kept())
        )
    }
}

/// The worlds, what each must show, and the metric that is planted.
fn worlds() -> Vec<(World, Promise, Option<Metric>)> {
    let world = |name, new, meanwhile| World { name, new, meanwhile, verdicts: 0.05 };
    let honest = |name, new, meanwhile| (world(name, new, meanwhile), Promise::Honest, None);
    let able = |name, new, metric| (world(name, new, Meanwhile::Calm), Promise::Able, Some(metric));
    let errors = |fails| Model { fails, ..FINE };
    let at_cost = Model { dear: 1.25, ..FINE };
    let all = Model { fails: 0.03, breaks: 0.025, declines: 0.03, bad: 0.12, long: 1.5, dear: 1.25 };
    let late = world("errors 1 % to 10 % from request 4,000", errors(0.1), Meanwhile::LateFault);
    let bad = Model { bad: 0.35, ..FINE };
    let bad = world("bad verdicts 10 % to 35 %, on 20 % of answers", bad, Meanwhile::Calm);
    vec![
        honest("alike", FINE, Meanwhile::Calm),
        honest("alike, both fail 20 % for a while", FINE, Meanwhile::Outage),
        honest("alike, the old one dies midway", FINE, Meanwhile::OldDies),
        honest("errors 1 % and 3 %, margin 2", errors(0.03), Meanwhile::Calm),
        honest("errors 1 % and 3 %, both up 19 for a while", errors(0.03), Meanwhile::Outage),
        honest("cost 25 % above the tested, as allowed", at_cost, Meanwhile::Calm),
        honest("the same, both fail 20 % for a while", at_cost, Meanwhile::Outage),
        honest("every metric at its limit", all, Meanwhile::Calm),
        honest("the same, both up 19 for a while", all, Meanwhile::Outage),
        able("errors 1 % to 10 %", errors(0.1), Metric::Errors),
        able("errors 1 % to 30 %", errors(0.3), Metric::Errors),
        (late, Promise::Able, Some(Metric::Errors)),
        able("schema failures 0.5 % to 8 %", Model { breaks: 0.08, ..FINE }, Metric::Schema),
        able("cost twice the tested", Model { dear: 2.0, ..FINE }, Metric::Cost),
        (World { verdicts: 0.2, ..bad }, Promise::Able, Some(Metric::Feedback)),
        // Five hundred verdicts in all, ninety of them on the new model before the last step: the power is told.
        (World { name: "the same, on 5 % of answers", ..bad }, Promise::None, Some(Metric::Feedback)),
    ]
}

/// The whole table, `runs` runs a line. The same seed gives the same table.
pub fn table(runs: u32, seed: u64) -> Vec<Line> {
    let worlds = worlds().into_iter().enumerate();
    worlds
        .flat_map(|(number, (world, promise, metric))| {
            let mut chance = Chance::from_seed(seed.wrapping_add(300 + number as u64));
            let runs: Vec<Run> = (0..runs).map(|_| run(&world, &mut chance.split())).collect();
            lines(&world, promise, metric, &runs)
        })
        .collect()
}

fn lines(world: &World, promise: Promise, metric: Option<Metric>, runs: &[Run]) -> Vec<Line> {
    let share = |of: usize, n: usize| of as f64 / n.max(1) as f64;
    let line = |method, backs: &[Back], promise| {
        let named = |metric| backs.iter().filter(|back| back.metric == metric).count();
        Line {
            world: world.name,
            method,
            back: share(backs.len(), runs.len()),
            named: metric.map(|metric| share(named(metric), backs.len())),
            new_requests: median(backs.iter().map(|back| back.new_requests).collect()),
            requests: median(backs.iter().map(|back| back.requests).collect()),
            promise,
        }
    };
    let backs: Vec<Back> = runs.iter().filter_map(|run| run.canary).collect();
    let naive: Vec<Back> = runs.iter().filter_map(|run| run.naive).collect();
    // The rule looks at errors only, and an old model that dies lets it be right by luck.
    let wrong = promise == Promise::Honest && world.meanwhile != Meanwhile::OldDies;
    let wrong = if wrong { Promise::Wrong } else { Promise::None };
    let mut lines = vec![line("canary", &backs, promise)];
    if promise == Promise::Honest || metric == Some(Metric::Errors) {
        lines.push(line("errors above, at any look", &naive, wrong));
    }
    lines
}

fn median(mut values: Vec<u64>) -> Option<u64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

/// A rollback.
#[derive(Debug, Clone, Copy)]
struct Back {
    metric: Metric,
    new_requests: u64,
    requests: u64,
}

/// What became of one run, by each way of deciding.
struct Run {
    canary: Option<Back>,
    naive: Option<Back>,
}

fn run(world: &World, chance: &mut Chance) -> Run {
    let plan = world::plan();
    let mut canary = Canary::new(Timestamp(0));
    let mut share = canary.share(&plan);
    let mut naive = Naive::default();
    let mut run = Run { canary: None, naive: None };
    let mut new_requests = 0;
    for request in 1..=REQUESTS {
        let arm = if chance.hits(share.fraction()) { Arm::New } else { Arm::Old };
        let (observation, verdict) = world.model(arm, request).answer(arm, world.verdicts, chance);
        new_requests += u64::from(arm == Arm::New);
        canary.observe(&plan, arm, share, &observation);
        if let Some(good) = verdict {
            canary.feedback(&plan, arm, share, good);
        }
        naive.add(arm, observation.failed);
        if request % LOOK_EVERY != 0 {
            continue;
        }
        let now = Timestamp(i64::try_from(request * 1_000).unwrap_or(i64::MAX));
        canary.look(&plan, now);
        let back = |metric| Back { metric, new_requests, requests: request };
        if naive.rolls_back(&plan) {
            run.naive = run.naive.or(Some(back(Metric::Errors)));
        }
        match canary.stage() {
            Stage::Canary => share = canary.share(&plan),
            Stage::Whole => break,
            // The traffic goes on at the same share, so that the other rule sees it too.
            Stage::RolledBack { reason: Reason::Metric(metric), .. } => {
                run.canary = run.canary.or(Some(back(metric)));
            }
            Stage::RolledBack { reason: Reason::Operator, .. } => {}
        }
        if run.canary.is_some() && run.naive.is_some() {
            break;
        }
    }
    run
}

/// Errors of both models as a dashboard shows them.
#[derive(Default)]
struct Naive {
    old: (u64, u64),
    new: (u64, u64),
}

impl Naive {
    fn add(&mut self, arm: Arm, failed: bool) {
        let (requests, failures) = if arm == Arm::New { &mut self.new } else { &mut self.old };
        *requests += 1;
        *failures += u64::from(failed);
    }

    /// It has the grace to wait for 30 requests to the new model.
    fn rolls_back(&self, plan: &Plan) -> bool {
        let rate = |(requests, failures): (u64, u64)| failures as f64 / requests.max(1) as f64;
        self.new.0 >= 30 && rate(self.new) > rate(self.old) + plan.limits.margin.fraction()
    }
}
