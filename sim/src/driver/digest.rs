//! A digest of all actions, to tell whether two runs were the same.

use mains_relay::relay::Action;
use mains_units::Instant;

/// Mixes an action into the digest.
pub(super) fn mix(digest: u64, action: &Action, now: Instant) -> u64 {
    let kind = match action {
        Action::Ask { attempt, candidate, .. } => 1 + u64::from(attempt.0) * 64 + *candidate as u64 * 16,
        Action::Wake(at) => at.0 << 4,
        Action::Finish(outcome) => 3 + ((*outcome as u64) << 4),
        Action::Commit { attempt } => 4 + u64::from(attempt.0) * 16,
        Action::Forward { .. } => 5,
        Action::Keep { .. } => 6,
        Action::DeliverError(_) => 7,
        Action::Release { .. } => 9,
        _ => 8,
    };
    (digest ^ kind ^ now.0.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23)
}
