//! Verdicts at any moment.

use mains_swap::stats::{Counts, JudgedTally, Tally};
use mains_swap::verdict::{Reason, Slice, moments, slices};
use mains_swap::{Course, Ppm, Question, Verdict};
use proptest::prelude::*;

const TWO_POINTS: Question = Question::Quality { margin: Ppm(20_000) };
const ALPHA: Ppm = Ppm(50_000);

fn graded(places: [u64; 3]) -> Counts {
    Counts::Graded(Tally(places))
}

fn rule(question: Question, counts: Counts) -> (Verdict, Reason) {
    let ruling = Course::new(question, ALPHA).look(counts);
    (ruling.verdict, ruling.reason)
}

#[test]
fn the_three_verdicts() {
    assert_eq!(rule(TWO_POINTS, graded([5, 990, 5])), (Verdict::NonInferior, Reason::Decided));
    assert_eq!(rule(TWO_POINTS, graded([90, 900, 10])), (Verdict::Inferior, Reason::Decided));
    assert!(matches!(
        rule(TWO_POINTS, graded([50, 900, 50])),
        (Verdict::Undecided, Reason::NotYet { needed: Some(_) })
    ));
    assert!(matches!(
        rule(TWO_POINTS, graded([0, 20, 0])),
        (Verdict::Undecided, Reason::TooFew { needed: Some(_) })
    ));
    let agreement = Question::Agreement { most: Ppm::points(5) };
    assert_eq!(rule(agreement, graded([10, 0, 490])).0, Verdict::NonInferior);
    assert_eq!(rule(agreement, graded([60, 0, 440])).0, Verdict::Inferior);
    // As far from the recorded answer as the old model is from itself.
    let beside_self = Question::AgreementBesideSelf { margin: Ppm::points(5) };
    assert_eq!(rule(beside_self, graded([60, 880, 60])).0, Verdict::NonInferior);
}

#[test]
fn without_a_look_nothing_is_decided() {
    let ruling = Course::new(TWO_POINTS, ALPHA).ruling();
    assert_eq!((ruling.verdict, ruling.evidence.n), (Verdict::Undecided, 0));
    assert_eq!((ruling.evidence.low, ruling.evidence.high), (Ppm(-1_000_000), Ppm(1_000_000)));
}

#[test]
fn a_judge_alone_decides_nothing() {
    let alone = JudgedTally { judge_only: [0, 10, 5_000], both: [[0; 3]; 3] };
    let (verdict, reason) = rule(TWO_POINTS, Counts::Judged(alone));
    assert_eq!((verdict, reason), (Verdict::Undecided, Reason::NoHumanVerdicts));
}

#[test]
fn a_verdict_stands_but_contradiction_is_drift() {
    let mut course = Course::new(TWO_POINTS, ALPHA);
    assert_eq!(course.look(graded([0, 400, 0])).verdict, Verdict::NonInferior);
    assert_eq!(course.look(graded([9, 400, 0])).verdict, Verdict::NonInferior, "the first verdict stands");
    let ruling = course.look(graded([300, 400, 0]));
    assert_eq!((ruling.verdict, ruling.reason), (Verdict::Undecided, Reason::Drift));
}

#[test]
fn slices_are_read_together_and_small_ones_say_what_they_lack() {
    let slice = |part: &str, counts| Slice { by: "language".into(), part: part.into(), counts };
    let like = Tally([10, 980, 10]);
    let all = vec![
        slice("en", graded([2, 996, 2])),
        slice("de", graded([1, 10, 1])),
        slice("fr", graded([100, 300, 0])),
        slice("es", graded([0, 210, 0])),
    ];
    let rulings = slices(TWO_POINTS, 0.05, &like, all);
    let verdicts: Vec<_> = rulings.iter().map(|slice| slice.ruling.verdict).collect();
    assert_eq!(verdicts[..3], [Verdict::NonInferior, Verdict::Undecided, Verdict::Inferior]);
    assert!(
        matches!(rulings[1].ruling.reason, Reason::TooFew { needed: Some(1_000..2_000) }),
        "{:?}",
        rulings[1]
    );
    // Alone, 210 pairs without a difference are enough; beside others they are not.
    assert_eq!(rule(TWO_POINTS, graded([0, 210, 0])).0, Verdict::NonInferior);
    assert_eq!(verdicts[3], Verdict::Undecided);
}

#[test]
fn looks_are_in_order_and_end_at_the_end() {
    assert!(moments(0).is_empty());
    assert_eq!(moments(3), [3]);
    let looks = moments(10_000);
    assert!(
        looks.windows(2).all(|pair| pair[0] < pair[1]) && looks.last() == Some(&10_000) && looks.len() < 150
    );
}

proptest! {
    /// The verdict, the one-sided bound and the interval never contradict each other.
    #[test]
    fn bound_and_verdict_are_one(lost in 0u64..200, even in 0u64..2_000, gained in 0u64..200, points in 1i64..10) {
        let question = Question::Quality { margin: Ppm::points(points) };
        let ruling = Course::new(question, ALPHA).look(graded([lost, even, gained]));
        let evidence = ruling.evidence;
        let passes = evidence.at_least.0 >= -question.margin().0;
        // One look; at the margin itself the last millionth may round either way.
        if (evidence.at_least.0 + question.margin().0).abs() > 1 {
            prop_assert_eq!(passes, ruling.verdict == Verdict::NonInferior);
        }
        prop_assert!(evidence.low <= evidence.at_least);
        if let Some(estimate) = evidence.estimate {
            prop_assert!(evidence.low <= estimate && estimate <= evidence.high);
        }
    }

    /// Exchanging the models turns the interval around.
    #[test]
    fn the_interval_is_even_handed(lost in 0u64..200, even in 0u64..2_000, gained in 0u64..200) {
        let look = |places| Course::new(TWO_POINTS, ALPHA).look(graded(places)).evidence;
        let (one, other) = (look([lost, even, gained]), look([gained, even, lost]));
        prop_assert!((one.low.0 + other.high.0).abs() <= 1 && (one.high.0 + other.low.0).abs() <= 1);
    }
}
