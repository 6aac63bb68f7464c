//! What the counts prove: the wealth of betting against "the new model is worse by no more than the margin".
//!
//! `Z` lies in `[-1/(1-p), 1/p]`. On the unit scale a new value `x` is `p + x(1-p)`, an old one `p(1-x)`, and the
//! claim that the mean of `Z` is at most `m` is `p(1 + m(1-p))`. Bets are the fixed mixture of `stats::bet`, each
//! stake held through all steps. A model that was fine for long has cost those bets much, and a fault that comes
//! later would be seen late; so half of the capital waits, in equal parts for each later step to begin. A capital
//! that is divided beforehand is as fair as its parts.

use super::counts::Pair;
use crate::stats::Side;
use crate::stats::bet::{STAKES, Seen, add_bets, log_sum_exp};

/// One metric under one share of the traffic.
pub(super) struct Part<'c> {
    /// The chance with which a request goes to the new model, above 0 and below 1.
    pub share: f64,
    /// The counts.
    pub pair: &'c Pair,
}

/// Old outcomes and new ones on the unit scale.
fn outcomes(part: &Part<'_>) -> Vec<Seen> {
    let p = part.share;
    let old = |levels| super::counts::seen(levels).map(move |(x, n)| (p * (1.0 - x), n));
    let new = super::counts::seen(&part.pair.new.levels).map(|(x, n)| (p + x * (1.0 - p), n));
    new.chain(old(&part.pair.old.levels)).chain(old(&part.pair.stand_ins)).collect()
}

/// The logarithm of the wealth. `starts` are the shares of the plan's steps, rising: the first capital bets on all
/// parts, that of each later start on parts of its share or a greater one.
pub(super) fn log_wealth(parts: &[Part<'_>], margin: f64, starts: &[f64]) -> f64 {
    let own: Vec<(f64, [f64; STAKES.len()])> = parts
        .iter()
        .map(|part| {
            let mut logs = [0.0; STAKES.len()];
            let claim = part.share * (1.0 + margin * (1.0 - part.share));
            add_bets(&mut logs, &outcomes(part), claim, Side::Above);
            (part.share, logs)
        })
        .collect();
    let since = |start: f64| {
        let mut logs = STAKES.map(|(_, part)| part.ln());
        for (_, own) in own.iter().filter(|(share, _)| *share >= start) {
            logs.iter_mut().zip(own).for_each(|(log, own)| *log += own);
        }
        log_sum_exp(&logs)
    };
    let later = starts.get(1..).unwrap_or_default();
    if later.is_empty() {
        return since(0.0);
    }
    let part = (0.5 / later.len() as f64).ln();
    let mut capitals = vec![since(0.0) + 0.5f64.ln()];
    capitals.extend(later.iter().map(|start| since(*start) + part));
    log_sum_exp(&capitals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canary::observation::{Arm, LEVELS};

    /// The wealth after one request.
    fn after(share: f64, margin: f64, arm: Arm, level: usize) -> f64 {
        let mut pair = Pair::default();
        pair.add(arm, 0, level);
        log_wealth(&[Part { share, pair: &pair }], margin, &[share, 0.9]).exp()
    }

    /// What the wealth is expected to be after one request, over both arms and all levels.
    fn expected(share: f64, margin: f64, old: &[(usize, f64)], new: &[(usize, f64)]) -> f64 {
        let arm = |arm, of: &[(usize, f64)]| -> f64 {
            of.iter().map(|(level, chance)| chance * after(share, margin, arm, *level)).sum()
        };
        (1.0 - share) * arm(Arm::Old, old) + share * arm(Arm::New, new)
    }

    #[test]
    fn one_bet_is_fair_at_the_margin_loses_inside_it_and_wins_beyond() {
        for share in [0.001, 0.05, 0.25, 0.5, 0.9] {
            for margin in [0.0, 0.02, 0.3] {
                for often in [0.0, 0.01, 0.4] {
                    let event = |chance: f64| [(0, 1.0 - chance), (LEVELS, chance)];
                    let at =
                        |more: f64| expected(share, margin, &event(often), &event(often + margin + more));
                    assert!((at(0.0) - 1.0).abs() < 1e-9, "{share} {margin} {often}: {}", at(0.0));
                    assert!(at(0.1) > 1.0 + 1e-6, "{share} {margin} {often}");
                    assert!(margin < 0.01 || at(-0.01) < 1.0 - 1e-9, "{share} {margin} {often}");
                }
            }
        }
    }

    #[test]
    fn values_of_one_mean_are_fair_whatever_their_spread() {
        let narrow = [(16, 1.0)];
        let wide = [(0, 0.75), (LEVELS, 0.25)];
        for share in [0.05, 0.5] {
            for (old, new) in [(&narrow[..], &wide[..]), (&wide, &narrow), (&wide, &wide)] {
                let wealth = expected(share, 0.0, old, new);
                assert!((wealth - 1.0).abs() < 1e-9, "{share}: {wealth}");
            }
        }
    }

    #[test]
    fn no_counts_are_no_wealth_won_and_a_later_fault_is_seen_by_the_later_capital() {
        assert!(log_wealth(&[], 0.02, &[0.05, 0.25, 0.5]).abs() < 1e-9);
        let (mut fine, mut broken) = (Pair::default(), Pair::default());
        for _ in 0..20_000 {
            fine.add(Arm::Old, 0, 0);
        }
        for _ in 0..40 {
            broken.add(Arm::New, 1, LEVELS);
        }
        let parts = [Part { share: 0.05, pair: &fine }, Part { share: 0.25, pair: &broken }];
        let (once, with_starts) =
            (log_wealth(&parts, 0.02, &[0.05]), log_wealth(&parts, 0.02, &[0.05, 0.25, 0.5]));
        assert!(with_starts > 10.0 && with_starts > once + 10.0, "{with_starts} {once}");
    }
}
