//! Many parts of the traffic at once, every one of them worse by the margin.

use super::graded::draw;
use super::{ALPHA, Line, Promise, Sums};
use mains_swap::stats::{Counts, Tally};
use mains_swap::verdict::{Slice, slices};
use mains_swap::{Course, Ppm, Question, Verdict};
use mains_units::Chance;

const QUESTION: Question = Question::Quality { margin: Ppm(50_000) };
const PARTS: u64 = 20;
const ITEMS: u64 = 400;
/// Ten per cent disagree, and the new model is five points worse.
const CHANCES: [f64; 3] = [0.075, 0.9, 0.025];

pub(super) fn lines(runs: u32, seed: u64) -> Vec<Line> {
    let mut chance = Chance::from_seed(seed.wrapping_add(200));
    let [mut together, mut alone] = [Sums::ZERO; 2];
    for _ in 0..runs {
        let (mut all, mut whole) = (Vec::new(), Tally::default());
        for part in 0..PARTS {
            let mut tally = Tally::default();
            for _ in 0..ITEMS {
                let place = draw(CHANCES, &mut chance);
                tally.add(place);
                whole.add(place);
            }
            all.push(Slice { by: "part".into(), part: part.to_string(), counts: Counts::Graded(tally) });
        }
        let accepts = |counts: &Counts| {
            Course::new(QUESTION, Ppm::near(ALPHA)).look(counts.clone()).verdict == Verdict::NonInferior
        };
        alone.add(all.iter().any(|slice| accepts(&slice.counts)), true, ITEMS * PARTS);
        // Every interval must cover, at once, for the run to count as covered.
        let truth = -QUESTION.margin().0;
        let rulings = slices(QUESTION, ALPHA, &whole, all);
        let any = rulings.iter().any(|slice| slice.ruling.verdict == Verdict::NonInferior);
        let covered = rulings
            .iter()
            .all(|slice| slice.ruling.evidence.low.0 <= truth && truth <= slice.ruling.evidence.high.0);
        together.add(any, covered, ITEMS * PARTS);
    }
    let world = "20 parts, margin 5: new -5 in every one";
    let most = ITEMS * PARTS;
    let mut lines = vec![
        together.line(world, "bets, parts read together: any", runs, most, Promise::Honest),
        alone.line(world, "bets, each part alone: any", runs, most, Promise::None),
    ];
    lines[1].covered = None;
    lines
}
