//! Outcomes that are known: pairs of passed and failed answers, and single comparisons.

use super::{ALPHA, Line, Promise, Sums};
use mains_swap::stats::fixed::{clopper_pearson, normal_quantile, tango_z};
use mains_swap::stats::need::{self, Expected};
use mains_swap::stats::{Counts, Side, Tally};
use mains_swap::{Ppm, Question};
use mains_units::Chance;

/// A planted truth.
struct World {
    question: Question,
    /// Pairs: how often they disagree. Singles: how often the answers differ if the model is as good as hoped.
    disagree: f64,
    /// Pairs: new minus old. Singles: how often the answers differ.
    truth: f64,
    promise: Promise,
}

const STEP: u64 = 10;

impl World {
    fn pairs(points: i64, disagree: f64, truth: f64, promise: Promise) -> Self {
        Self { question: Question::Quality { margin: Ppm::points(points) }, disagree, truth, promise }
    }

    fn singles(points: i64, hoped: f64, truth: f64, promise: Promise) -> Self {
        Self { question: Question::Agreement { most: Ppm::points(points) }, disagree: hoped, truth, promise }
    }

    fn name(&self) -> String {
        let margin = 100.0 * self.question.margin().fraction();
        if self.question.is_paired() {
            let (differ, truth) = (100.0 * self.disagree, 100.0 * self.truth);
            format!("pairs, margin {margin:.0}: {differ:.0} % disagree, new {truth:+.0}")
        } else {
            format!("agreement, at most {margin:.0} %: {:.0} % differ", 100.0 * self.truth)
        }
    }

    /// The chance of each place.
    fn chances(&self) -> [f64; 3] {
        if self.question.is_paired() {
            let lost = f64::midpoint(self.disagree, -self.truth);
            [lost, 1.0 - self.disagree, self.disagree - lost]
        } else {
            [self.truth, 0.0, 1.0 - self.truth]
        }
    }

    fn mean(&self) -> f64 {
        let chances = self.chances();
        0.5 * chances[1] + chances[2]
    }

    /// What the tester expects: a model as good as the old one.
    fn hoped(&self) -> Expected {
        if self.question.is_paired() {
            Expected::pairs(self.disagree, 0.0)
        } else {
            Expected::singles(self.disagree)
        }
    }
}

/// How one test went, by each way of deciding.
struct Outcome {
    bets: (bool, bool, u64),
    bets_at_end: bool,
    fixed: bool,
    peeking: (bool, bool, u64),
}

pub(super) fn lines(runs: u32, seed: u64) -> Vec<Line> {
    use Promise::{Able, Honest, None};
    let worlds = [
        World::pairs(5, 0.05, -0.05, Honest),
        World::pairs(5, 0.10, -0.05, Honest),
        World::pairs(5, 0.30, -0.05, Honest),
        World::pairs(2, 0.05, -0.02, Honest),
        World::singles(5, 0.01, 0.05, Honest),
        World::pairs(5, 0.02, 0.0, Able),
        World::pairs(5, 0.10, 0.0, Able),
        World::pairs(2, 0.05, 0.0, Able),
        World::singles(5, 0.01, 0.01, Able),
        World::pairs(5, 0.20, -0.10, Honest),
        World::pairs(5, 0.10, 0.03, None),
    ];
    worlds
        .iter()
        .enumerate()
        .flat_map(|(number, world)| world_lines(world, runs, seed.wrapping_add(number as u64)))
        .collect()
}

fn world_lines(world: &World, runs: u32, seed: u64) -> Vec<Line> {
    let claim = world.question.claim();
    let most = need::anytime(&world.hoped(), claim, ALPHA, 0.8).unwrap_or(1_000).div_ceil(STEP) * STEP;
    let fixed = need::fixed(&world.hoped(), claim, ALPHA, 0.8).unwrap_or(most);
    let mut chance = Chance::from_seed(seed);
    let [mut bets, mut at_end, mut classical, mut peeking] = [Sums::ZERO; 4];
    for _ in 0..runs {
        let outcome = run(world, most, fixed, &mut chance.split());
        bets.add(outcome.bets.0, outcome.bets.1, outcome.bets.2);
        at_end.add(outcome.bets_at_end, true, most);
        classical.add(outcome.fixed, true, fixed);
        peeking.add(outcome.peeking.0, outcome.peeking.1, outcome.peeking.2);
    }
    let name = world.name();
    // At the margin itself looking often must be shown to be wrong; further from it anything refuses.
    let at_margin = (world.mean() - claim).abs() < 1e-9;
    let wrong = if at_margin { Promise::Wrong } else { Promise::None };
    let end = if world.promise == Promise::Honest { Promise::Honest } else { Promise::None };
    let mut lines = vec![
        bets.line(&name, "bets, stopped at the verdict", runs, most, world.promise),
        at_end.line(&name, "bets, one look at the end", runs, most, end),
        classical.line(&name, "classical, one look, fixed size", runs, fixed, Promise::None),
        peeking.line(&name, "t-test, looked at until yes", runs, most, wrong),
    ];
    lines[1].covered = None;
    lines[2].covered = None;
    lines
}

fn run(world: &World, most: u64, fixed: u64, chance: &mut Chance) -> Outcome {
    let (claim, truth, chances) = (world.question.claim(), world.mean(), world.chances());
    let needed = -ALPHA.ln();
    let half = -(ALPHA / 2.0).ln();
    let z = [normal_quantile(1.0 - ALPHA), normal_quantile(1.0 - ALPHA / 2.0)];
    let mut tally = Tally::default();
    let (mut accepted, mut refused, mut covered, mut items) = (false, false, true, most);
    let (mut naive, mut naive_covered, mut naive_items) = (false, true, most);
    let (mut at_end, mut classical) = (false, false);
    for n in 1..=most.max(fixed) {
        tally.add(draw(chances, chance));
        if n == fixed {
            classical = classical_accepts(world.question, &tally);
        }
        if n % STEP != 0 || n > most {
            continue;
        }
        let counts = Counts::Graded(tally);
        let above = counts.log_wealth(claim, Side::Above);
        covered &=
            counts.log_wealth(truth, Side::Above) < half && counts.log_wealth(truth, Side::Below) < half;
        at_end = above >= needed;
        if !accepted && !refused {
            accepted = at_end;
            refused = counts.log_wealth(claim, Side::Below) >= needed;
            items = if accepted || refused { n } else { most };
        }
        // The t-test has the grace to wait for 30 items and for some spread.
        let (mean, deviation) = spread(&tally);
        if n >= 30 && deviation > 0.0 {
            let error = deviation / (n as f64).sqrt();
            naive_covered &= (mean - truth).abs() <= z[1] * error;
            if !naive && (mean - claim) / error > z[0] {
                (naive, naive_items) = (true, n);
            }
        }
    }
    Outcome {
        bets: (accepted, covered, items),
        bets_at_end: at_end,
        fixed: classical,
        peeking: (naive, naive_covered, naive_items),
    }
}

fn classical_accepts(question: Question, tally: &Tally) -> bool {
    let margin = question.margin().fraction();
    if question.is_paired() {
        tango_z(tally.0[2], tally.0[0], tally.n(), -margin) > normal_quantile(1.0 - ALPHA)
    } else {
        clopper_pearson(tally.0[0], tally.n(), ALPHA).1 < margin
    }
}

/// Mean and standard deviation on the unit scale.
pub(super) fn spread(tally: &Tally) -> (f64, f64) {
    let n = tally.n() as f64;
    let mean = tally.mean().unwrap_or(0.0);
    let squares = (0.25 * tally.0[1] as f64 + tally.0[2] as f64) / n;
    let variance = (squares - mean * mean).max(0.0) * n / (n - 1.0).max(1.0);
    (mean, variance.sqrt())
}

/// A place by its chance.
pub(super) fn draw(chances: [f64; 3], chance: &mut Chance) -> usize {
    let unit = chance.unit();
    if unit < chances[0] {
        0
    } else if unit < chances[0] + chances[1] {
        1
    } else {
        2
    }
}
