//! A judge that favours the new model, and people who looked at some of the items.

use super::graded::{draw, spread};
use super::{ALPHA, Line, Promise, Sums};
use mains_swap::stats::fixed::normal_quantile;
use mains_swap::stats::{Counts, JudgedTally, Side, Tally};
use mains_swap::{Ppm, Question};
use mains_units::Chance;

/// A planted truth.
struct World {
    name: &'static str,
    /// The chance that people find the old answer better, a tie, the new one better.
    human: [f64; 3],
    /// The chance that the judge sees one place better for the new model than people do.
    favour: f64,
    /// The chance that the judge answers at random.
    noise: f64,
    at_margin: bool,
}

const QUESTION: Question = Question::Quality { margin: Ppm(100_000) };
/// Items, and the chance that one is shown to people.
const ITEMS: u64 = 3_000;
const SHOWN: f64 = 0.2;
const STEP: u64 = 250;

const WORLDS: [World; 4] = [
    World {
        name: "judge favours new by 15: new -10",
        human: [0.4, 0.3, 0.3],
        favour: 0.22,
        noise: 0.05,
        at_margin: true,
    },
    World {
        name: "judge favours old by 15: new -10",
        human: [0.4, 0.3, 0.3],
        favour: -0.22,
        noise: 0.05,
        at_margin: true,
    },
    World {
        name: "judge favours new by 15: new +-0",
        human: [0.35, 0.3, 0.35],
        favour: 0.22,
        noise: 0.05,
        at_margin: false,
    },
    World {
        name: "judge is noise: new +-0",
        human: [0.35, 0.3, 0.35],
        favour: 0.0,
        noise: 1.0,
        at_margin: false,
    },
];

impl World {
    fn mean(&self) -> f64 {
        0.5 * self.human[1] + self.human[2]
    }

    fn judge(&self, human: usize, chance: &mut Chance) -> usize {
        if chance.hits(self.noise) {
            return draw([1.0 / 3.0; 3], chance);
        }
        match (chance.hits(self.favour.abs()), self.favour > 0.0) {
            (false, _) => human,
            (true, true) => (human + 1).min(2),
            (true, false) => human.saturating_sub(1),
        }
    }
}

pub(super) fn lines(runs: u32, seed: u64) -> Vec<Line> {
    WORLDS
        .iter()
        .enumerate()
        .flat_map(|(number, world)| world_lines(world, runs, seed.wrapping_add(100 + number as u64)))
        .collect()
}

fn world_lines(world: &World, runs: u32, seed: u64) -> Vec<Line> {
    let mut chance = Chance::from_seed(seed);
    let [mut both, mut people, mut judge, mut normal] = [Sums::ZERO; 4];
    for _ in 0..runs {
        let outcome = run(world, &mut chance.split());
        both.add(outcome.both.0, outcome.both.1, outcome.both.2);
        people.add(outcome.people.0, outcome.people.1, outcome.people.2);
        judge.add(outcome.judge.0, outcome.judge.1, ITEMS);
        normal.add(outcome.normal.0, outcome.normal.1, outcome.normal.2);
    }
    // A judge that favours the old model refuses what it should accept; only one that favours the new is caught here.
    let honest = if world.at_margin { Promise::Honest } else { Promise::None };
    let able = if world.at_margin {
        Promise::Honest
    } else if world.noise < 0.5 {
        Promise::Able
    } else {
        Promise::None
    };
    let wrong = if world.at_margin && world.favour > 0.0 { Promise::Wrong } else { Promise::None };
    vec![
        both.line(world.name, "bets on judge and 1 in 5 by people", runs, ITEMS, able),
        people.line(world.name, "bets on people alone", runs, ITEMS, honest),
        judge.line(world.name, "the judge's score alone", runs, ITEMS, wrong),
        normal.line(world.name, "normal PPI, looked at until yes", runs, ITEMS, Promise::None),
    ]
}

/// How one test went by each way: accepted, covered, items.
struct Outcome {
    both: (bool, bool, u64),
    people: (bool, bool, u64),
    judge: (bool, bool),
    normal: (bool, bool, u64),
}

fn run(world: &World, chance: &mut Chance) -> Outcome {
    let truth = world.mean();
    let mut judged = JudgedTally::default();
    let (mut both, mut people, mut normal) = (Bets::new(), Bets::new(), (false, true, ITEMS));
    for n in 1..=ITEMS {
        let human = draw(world.human, chance);
        let judge = world.judge(human, chance);
        judged.add(judge, chance.hits(SHOWN).then_some(human));
        if n % STEP == 0 {
            both.look(&Counts::Judged(judged.clone()), truth, n);
            let seen = Tally(judged.both.map(|row| row.iter().sum()));
            people.look(&Counts::Graded(seen), truth, n);
            let (accepts, covers) = normal_ppi(&judged, truth);
            if accepts && !normal.0 {
                (normal.0, normal.2) = (true, n);
            }
            normal.1 &= covers;
        }
    }
    let score = Tally(std::array::from_fn(|place| {
        judged.judge_only[place] + judged.both.iter().map(|row| row[place]).sum::<u64>()
    }));
    let (mean, deviation) = spread(&score);
    let error = deviation / (ITEMS as f64).sqrt();
    let judge = (
        (mean - QUESTION.claim()) / error > normal_quantile(1.0 - ALPHA),
        (mean - truth).abs() <= normal_quantile(1.0 - ALPHA / 2.0) * error,
    );
    Outcome { both: both.end(), people: people.end(), judge, normal }
}

/// A course of bets, without its intervals: all that is asked is whether the truth stays inside.
struct Bets {
    verdict: Option<(bool, u64)>,
    covered: bool,
}

impl Bets {
    fn new() -> Self {
        Self { verdict: None, covered: true }
    }

    fn look(&mut self, counts: &Counts, truth: f64, n: u64) {
        let half = -(ALPHA / 2.0).ln();
        let above = counts.log_wealth(QUESTION.claim(), Side::Above);
        let at_truth = if (truth - QUESTION.claim()).abs() < 1e-12 {
            above
        } else {
            counts.log_wealth(truth, Side::Above)
        };
        self.covered &= at_truth < half && counts.log_wealth(truth, Side::Below) < half;
        if self.verdict.is_none() {
            if above >= -ALPHA.ln() {
                self.verdict = Some((true, n));
            } else if counts.log_wealth(QUESTION.claim(), Side::Below) >= -ALPHA.ln() {
                self.verdict = Some((false, n));
            }
        }
    }

    fn end(self) -> (bool, bool, u64) {
        let (accepted, n) = self.verdict.unwrap_or((false, ITEMS));
        (accepted, self.covered, n)
    }
}

/// Prediction-powered inference with the normal interval of Angelopoulos et al. (2023), proposition 1: whether it
/// accepts, and whether it covers the truth.
fn normal_ppi(judged: &JudgedTally, truth: f64) -> (bool, bool) {
    let labelled = judged.labelled() as f64;
    let rest = Tally(judged.judge_only);
    if labelled < 2.0 || rest.n() < 2 {
        return (false, true);
    }
    let (mut sum, mut squares) = (0.0, 0.0);
    for (human, row) in judged.both.iter().enumerate() {
        for (judge, count) in row.iter().enumerate() {
            let error = 0.5 * human as f64 - 0.5 * judge as f64;
            sum += error * *count as f64;
            squares += error * error * *count as f64;
        }
    }
    let rectifier = sum / labelled;
    let variance = squares / labelled - rectifier * rectifier;
    let (mean, deviation) = spread(&rest);
    let estimate = mean + rectifier;
    let error = (variance / labelled + deviation * deviation / rest.n() as f64).sqrt();
    (
        (estimate - QUESTION.claim()) / error > normal_quantile(1.0 - ALPHA),
        (estimate - truth).abs() <= normal_quantile(1.0 - ALPHA / 2.0) * error,
    )
}
