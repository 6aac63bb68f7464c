//! Two cheap models are asked; where they agree, that is the answer, else the big one is asked: what that is worth on
//! answers that were recorded.

use super::report::Figure;
use crate::certificate::Share;
use mains_units::Chance;
use serde::{Deserialize, Serialize};

/// The format of a report.
pub const SCHEMA: &str = "mains.distill.agree/1";
/// Two-sided error level of every interval.
const ALPHA: f64 = 0.05;

/// One text that all three have answered. What is the same answer is for the caller to say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answered {
    /// Whether both cheap models say the same.
    pub agree: bool,
    /// Whether the first cheap one says what the big one says.
    pub as_big: bool,
    /// Whether the first cheap one and the big one are right, where that is known.
    pub right: Option<[bool; 2]>,
    /// What the first, the second and the big one cost, in one currency.
    pub costs: Option<[f64; 3]>,
}

/// What the rule is worth, beside the big model alone and the first cheap one alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// `SCHEMA`.
    pub schema: String,
    /// Decided the draws of `saved`.
    pub seed: u64,
    /// Texts on which both cheap ones agree.
    pub agreed: Share,
    /// Where they agree: how often that is the big one's answer.
    pub as_big_when_agreed: Share,
    /// Of all texts: how often the rule gives the big one's answer.
    pub as_big: Share,
    /// The same for the first cheap one alone.
    pub as_big_first_alone: Share,
    /// How often each is right, where that is known of all texts.
    pub right: Option<Right>,
    /// The share of the big model's cost that the rule saves; less than zero where it costs more. Absent where a cost is
    /// not known.
    pub saved: Option<Figure>,
    /// The same for the first cheap one alone, whose answers are its own.
    pub saved_first_alone: Option<Figure>,
}

/// How often each is right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Right {
    /// The rule.
    pub rule: Share,
    /// The big model alone.
    pub big: Share,
    /// The first cheap one alone.
    pub first: Share,
    /// The rule less the big model alone, in the same draws.
    pub beyond_big: Figure,
}

/// Counts, with exact intervals for shares and the bootstrap (Efron 1979) for what is none.
pub fn report(rows: &[Answered], seed: u64, resamples: u32) -> Report {
    let count = |of: &dyn Fn(&Answered) -> bool| rows.iter().filter(|row| of(row)).count() as u64;
    let all = rows.len() as u64;
    let agreed = count(&|row| row.agree);
    let draws = Draws { rows: rows.len(), seed, resamples };
    let right: Option<Vec<[bool; 2]>> = rows.iter().map(|row| row.right).collect();
    let costs: Option<Vec<[f64; 3]>> = rows.iter().map(|row| row.costs).collect();
    let saved = |cost: &dyn Fn(&Answered, [f64; 3]) -> f64| {
        let costs = costs.as_ref()?;
        let spent: Vec<f64> = rows.iter().zip(costs).map(|(row, costs)| cost(row, *costs)).collect();
        let big: Vec<f64> = costs.iter().map(|[_, _, big]| *big).collect();
        let total = big.iter().sum::<f64>();
        (total > 0.0 && total.is_finite())
            .then(|| draws.figure(&[spent, big], |sums| 1.0 - sums[0] / sums[1]))
    };
    Report {
        schema: SCHEMA.to_owned(),
        seed,
        agreed: Share::of(agreed, all),
        as_big_when_agreed: Share::of(count(&|row| row.agree && row.as_big), agreed),
        as_big: Share::of(count(&|row| !row.agree || row.as_big), all),
        as_big_first_alone: Share::of(count(&|row| row.as_big), all),
        right: right.map(|right| rights(rows, &right, &draws)),
        saved: saved(&|row, [first, second, big]| first + second + if row.agree { 0.0 } else { big }),
        saved_first_alone: saved(&|_, [first, ..]| first),
    }
}

fn rights(rows: &[Answered], right: &[[bool; 2]], draws: &Draws) -> Right {
    let all = rows.len() as u64;
    let by_rule = |row: &Answered, right: [bool; 2]| right[usize::from(!row.agree)];
    let share = |of: &dyn Fn(&Answered, [bool; 2]) -> bool| {
        Share::of(rows.iter().zip(right).filter(|(row, right)| of(row, **right)).count() as u64, all)
    };
    let number = |right: bool| f64::from(u8::from(right));
    let beyond: Vec<f64> =
        rows.iter().zip(right).map(|(row, right)| number(by_rule(row, *right)) - number(right[1])).collect();
    Right {
        rule: share(&by_rule),
        big: share(&|_, right| right[1]),
        first: share(&|_, right| right[0]),
        beyond_big: draws.figure(&[beyond], |sums| sums[0] / all.max(1) as f64),
    }
}

/// Draws of rows: the same ones for every figure.
struct Draws {
    rows: usize,
    seed: u64,
    resamples: u32,
}

impl Draws {
    /// A figure of sums over rows, on all rows and in the draws.
    fn figure(&self, values: &[Vec<f64>], of: impl Fn(&[f64]) -> f64) -> Figure {
        let mut chance = Chance::from_seed(self.seed);
        let mut times = vec![1u32; self.rows];
        let weighed = |times: &[u32]| {
            let sum = |values: &Vec<f64>| -> f64 {
                values.iter().zip(times).map(|(value, times)| value * f64::from(*times)).sum()
            };
            of(&values.iter().map(sum).collect::<Vec<f64>>())
        };
        let once = weighed(&times);
        let mut found = Vec::with_capacity(self.resamples as usize);
        for _ in 0..self.resamples {
            times.fill(0);
            for _ in 0..self.rows {
                let row = usize::try_from(chance.below(self.rows as u64)).ok();
                if let Some(times) = row.and_then(|row| times.get_mut(row)) {
                    *times += 1;
                }
            }
            // Where the big model costs nothing in a draw there is no share: the worst stands for it.
            let value = weighed(&times);
            found.push(Some(if value.is_finite() { value } else { f64::NEG_INFINITY }));
        }
        Figure::of(
            once,
            super::bootstrap::interval(&found, ALPHA).unwrap_or([f64::NEG_INFINITY, f64::INFINITY]),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_is_counted_as_it_answers() {
        let row = |agree, as_big, first, big| Answered {
            agree,
            as_big,
            right: Some([first, big]),
            costs: Some([1.0, 2.0, 10.0]),
        };
        // Agreed and as the big one; agreed and both wrong; not agreed, where the big one is right; not agreed, all wrong.
        let rows = [
            row(true, true, true, true),
            row(true, false, false, true),
            row(false, false, false, true),
            row(false, true, false, false),
        ];
        let report = report(&rows, 1, 500);
        assert_eq!((report.agreed.hits, report.agreed.of), (2, 4));
        assert_eq!((report.as_big_when_agreed.hits, report.as_big_when_agreed.of), (1, 2));
        assert_eq!((report.as_big.hits, report.as_big_first_alone.hits), (3, 2));
        let right = report.right.unwrap();
        assert_eq!((right.rule.hits, right.big.hits, right.first.hits), (2, 3, 1));
        assert_eq!(right.beyond_big.ppm, -250_000);
        assert!(right.beyond_big.low_ppm <= -500_000 && right.beyond_big.high_ppm == 0);
        // 3 for each text and 10 for two of them, of 40.
        let saved = report.saved.unwrap();
        assert_eq!(saved.ppm, 200_000);
        // Between all asked again (13 of 10) and none (3 of 10).
        assert!(saved.low_ppm >= -300_001 && saved.high_ppm <= 700_001 && saved.low_ppm < saved.high_ppm);
        assert_eq!(
            report.saved_first_alone.map(|saved| (saved.ppm, saved.low_ppm)),
            Some((900_000, 900_000))
        );
    }

    #[test]
    fn what_is_not_known_is_absent() {
        let row = Answered { agree: true, as_big: true, right: None, costs: None };
        let report = report(&[row; 3], 1, 10);
        assert!(report.right.is_none() && report.saved.is_none() && report.saved_first_alone.is_none());
        assert_eq!(report.as_big.hits, 3);
    }
}
