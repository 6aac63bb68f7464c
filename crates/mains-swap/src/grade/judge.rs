//! Blind comparison of two free texts by a judge model.

/// What a judge says of two answers that it sees without names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vote {
    /// The first is better.
    First,
    /// The second is better.
    Second,
    /// Neither.
    Tie,
}

/// Both orders of one pair as a place in a tally: 0 the old answer is better, 1 a tie, 2 the new one is better.
/// Judges favour a place on the page; a verdict that turns with the order is a tie.
pub fn blind(old_shown_first: Vote, new_shown_first: Vote) -> usize {
    match (old_shown_first, new_shown_first) {
        (Vote::Second, Vote::First) => 2,
        (Vote::First, Vote::Second) => 0,
        _ => 1,
    }
}
