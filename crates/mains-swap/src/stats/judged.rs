//! A judge's verdicts on all items, corrected by human verdicts on a random few.
//!
//! Prediction-powered inference (Angelopoulos, Bates, Fannjiang, Jordan, Zrnic, Science 382 (2023), 669-674;
//! tuned as PPI++, arXiv 2311.01453) estimates `mean(H) = mean(J) + mean(H - J)` with an interval that holds
//! for large samples only. Here the same split is bet on, which holds at any size and any time.
//!
//! Let `a` be the judge's unknown true mean, and `m` a claim on the human mean. Items without a human verdict
//! are bet on against "the judge's mean is at most `a`". Items with one are bet on through
//! `Z = (H + w (1 - J)) / (1 + w)`, which lies in `[0, 1]` and whose mean, if the claims hold, is at most
//! `(m + w (1 - a)) / (1 + w)`, in a mixture over the weights `w` = ½ and 1. The two sets of items are disjoint and
//! independent, so at the true `a` the product of both wealths is a fair wealth against the claim `m`. The true `a`
//! is unknown, and the least product over all `a` is not greater than the product at the true one; so that least
//! product is a fair wealth too. The other half of the capital is bet on the human verdicts alone, so that a
//! useless judge costs little.
//!
//! What it needs: that the items with a human verdict were picked without looking at answers or at the judge.

use super::bet::{Seen, Side, log_sum_exp, log_wealth};
use serde::{Deserialize, Serialize};

/// How much of the judge's error is taken out: half, wholly.
const WEIGHTS: [f64; 2] = [0.5, 1.0];

/// Verdicts counted. The places 0, 1 and 2 are: the old answer is better, a tie, the new one is better.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct JudgedTally {
    /// The judge's verdicts on items without a human one.
    pub judge_only: [u64; 3],
    /// Items with both: first by the human verdict, then by the judge's.
    pub both: [[u64; 3]; 3],
}

impl JudgedTally {
    /// Counts one item; places beyond the last are counted in it.
    pub fn add(&mut self, judge: usize, human: Option<usize>) {
        match human {
            None => self.judge_only[judge.min(2)] += 1,
            Some(human) => self.both[human.min(2)][judge.min(2)] += 1,
        }
    }

    /// How many items.
    pub fn n(&self) -> u64 {
        self.judge_only.iter().sum::<u64>() + self.labelled()
    }

    /// How many of them have a human verdict.
    pub fn labelled(&self) -> u64 {
        self.both.iter().flatten().sum()
    }

    /// The mean of the human verdicts plus the judge's mean elsewhere less its mean here, on the unit scale;
    /// `None` without a human verdict. The weight of the correction is the one that makes it least uncertain
    /// (PPI++, the estimated coefficient of H on J, kept in `[0, 1]`).
    pub fn mean(&self) -> Option<f64> {
        let (labelled, rest) = (self.labelled() as f64, self.judge_only.iter().sum::<u64>() as f64);
        if labelled < 1.0 {
            return None;
        }
        let (human, judge, judge_square, cross) = self.moments();
        if rest < 1.0 {
            return Some(human);
        }
        let spread = judge_square - judge * judge;
        let slope = if spread > 0.0 { (cross - human * judge) / spread } else { 0.0 };
        let weight = (slope / (1.0 + labelled / rest)).clamp(0.0, 1.0);
        Some((human + weight * (self.judge_elsewhere(rest) - judge)).clamp(0.0, 1.0))
    }

    fn judge_elsewhere(&self, rest: f64) -> f64 {
        (0.5 * self.judge_only[1] as f64 + self.judge_only[2] as f64) / rest
    }

    /// Means over the items with both verdicts: H, J, J squared, H times J.
    fn moments(&self) -> (f64, f64, f64, f64) {
        let n = self.labelled() as f64;
        let mut sums = (0.0, 0.0, 0.0, 0.0);
        for (human, row) in self.both.iter().enumerate() {
            for (judge, count) in row.iter().enumerate() {
                let (human, judge, count) = (0.5 * human as f64, 0.5 * judge as f64, *count as f64);
                sums.0 += human * count / n;
                sums.1 += judge * count / n;
                sums.2 += judge * judge * count / n;
                sums.3 += human * judge * count / n;
            }
        }
        sums
    }

    /// The logarithm of the wealth against the claim that the human mean is `claim` on the unit scale.
    /// Zero (nothing won) without a human verdict, whatever the judge says.
    pub fn log_wealth(&self, claim: f64, side: Side) -> f64 {
        if self.labelled() == 0 {
            return 0.0;
        }
        let people: [Seen; 3] =
            std::array::from_fn(|place| (0.5 * place as f64, self.both[place].iter().sum::<u64>() as f64));
        let people = log_wealth(&people, claim, side);
        let corrected = match side {
            Side::Above => self.above(claim),
            Side::Below => self.mirrored().above(1.0 - claim),
        };
        log_sum_exp(&[people, corrected]) - 2f64.ln()
    }

    /// The same items with old and new exchanged.
    fn mirrored(&self) -> Self {
        let mut mirrored = self.clone();
        mirrored.judge_only.reverse();
        mirrored.both.reverse();
        mirrored.both.iter_mut().for_each(|row| row.reverse());
        mirrored
    }

    /// A number not above the least, over the judge's true mean `a`, of both wealths together, and within 0.01
    /// of it. In `a` the first part falls and the second rises, so in a cell the sum is at least the first at
    /// its right end plus the second at its left; cells are halved until that bound is tight.
    fn above(&self, claim: f64) -> f64 {
        let point = |a: f64| (a, self.judge_wealth(a), self.human_wealth(claim, a));
        let (first, last) = (point(0.0), point(1.0));
        let mut least = f64::min(first.1 + first.2, last.1 + last.2);
        let mut cells = vec![(first, last)];
        for _ in 0..400 {
            let bound = |cell: &((f64, f64, f64), (f64, f64, f64))| cell.1.1 + cell.0.2;
            let Some(worst) = (0..cells.len()).min_by(|i, j| bound(&cells[*i]).total_cmp(&bound(&cells[*j])))
            else {
                return 0.0;
            };
            let below = bound(&cells[worst]);
            if least - below < 0.01 {
                return below;
            }
            let (left, right) = cells.swap_remove(worst);
            let middle = point(f64::midpoint(left.0, right.0));
            least = least.min(middle.1 + middle.2);
            cells.extend([(left, middle), (middle, right)]);
        }
        cells.iter().map(|cell| cell.1.1 + cell.0.2).fold(f64::INFINITY, f64::min)
    }

    /// Half of the capital is never staked: near the judge's true mean bets only lose, and those losses would be
    /// the people's to make good.
    fn judge_wealth(&self, a: f64) -> f64 {
        let seen: [Seen; 3] = std::array::from_fn(|i| (0.5 * i as f64, self.judge_only[i] as f64));
        log_sum_exp(&[0.0, log_wealth(&seen, a, Side::Above)]) - 2f64.ln()
    }

    fn human_wealth(&self, claim: f64, a: f64) -> f64 {
        let logs = WEIGHTS.map(|weight| {
            let seen: [Seen; 9] = std::array::from_fn(|i| {
                let (human, judge) = (i / 3, i % 3);
                let value = (0.5 * human as f64 + weight * (1.0 - 0.5 * judge as f64)) / (1.0 + weight);
                (value, self.both[human][judge] as f64)
            });
            log_wealth(&seen, (claim + weight * (1.0 - a)) / (1.0 + weight), Side::Above)
        });
        log_sum_exp(&logs) - (WEIGHTS.len() as f64).ln()
    }
}
