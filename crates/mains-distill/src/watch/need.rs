//! How many audited calls it takes until a change is noticed.

use super::wealth::{STAKES, log_factor, log_fresh};
use crate::figures::count_up;

/// About how many further audited calls withdraw the certificate when, after `calls_before`, the share that differs
/// becomes `differs`: what the capital that starts anew must win, divided by what the best stake wins with each call
/// on average. All shares are fractions. `None` where no stake wins.
///
/// It is a mean for one stake that starts at the change: the other stakes make it a little faster, and single runs
/// scatter around it.
pub fn calls_until_noticed(eps: f64, alpha: f64, calls_before: u64, differs: f64) -> Option<u64> {
    let (eps, differs) = (eps.clamp(1e-6, 0.999_999), differs.clamp(0.0, 1.0));
    let wins = |stake: &f64| {
        differs * log_factor(*stake, true, eps) + (1.0 - differs) * log_factor(*stake, false, eps)
    };
    let most = STAKES.iter().map(wins).fold(0.0, f64::max);
    let needed = -alpha.clamp(1e-300, 1.0).ln() - log_fresh(calls_before.saturating_add(1));
    (most > 0.0).then(|| count_up(needed / most))
}
