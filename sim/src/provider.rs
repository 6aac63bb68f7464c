//! How an attempt goes: the weather at a provider, and the script that one attempt follows.

use mains_relay::Fault;
use mains_relay::relay::Deadlines;
use mains_units::{Chance, Span};

/// What a provider is like for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Nearly everything goes well.
    Fine,
    /// Anything may happen.
    Flaky,
    /// Nearly everything goes this way.
    Stuck(Kind),
}

/// The way an attempt goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole answer.
    Good,
    /// A whole answer without content.
    Empty,
    /// 5xx.
    Unavailable,
    /// 429, perhaps with `Retry-After`.
    RateLimited,
    /// The key is not accepted.
    Auth,
    /// No credit.
    Billing,
    /// The question is too long.
    ContextLength,
    /// The model is retired.
    Retired,
    /// The question is at fault.
    Caller,
    /// The connection is refused.
    Refused,
    /// The connection never comes.
    SlowConnect,
    /// The first content never comes.
    SlowFirst,
    /// A pause in the stream that never ends.
    IdleGap,
    /// A stream that is always just fast enough and never ends.
    Endless,
    /// HTML with a good status.
    Garbage,
    /// The connection closes before any content.
    BrokenBefore,
    /// The connection closes within the content.
    BrokenAfter,
    /// An error event before any content.
    InBandBefore,
    /// An error event within the content.
    InBandAfter,
}

impl Kind {
    /// Every way.
    pub const ALL: [Self; 19] = [
        Self::Good,
        Self::Empty,
        Self::Unavailable,
        Self::RateLimited,
        Self::Auth,
        Self::Billing,
        Self::ContextLength,
        Self::Retired,
        Self::Caller,
        Self::Refused,
        Self::SlowConnect,
        Self::SlowFirst,
        Self::IdleGap,
        Self::Endless,
        Self::Garbage,
        Self::BrokenBefore,
        Self::BrokenAfter,
        Self::InBandBefore,
        Self::InBandAfter,
    ];
}

/// One thing that happens to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A good head.
    Head,
    /// A fault, with the provider's wish.
    Fail(Fault, Option<Span>),
    /// So many bytes without content.
    Preamble(u64),
    /// So many bytes of content; one token.
    Content(u64),
    /// The clean end.
    Clean,
    /// The connection closes.
    Broken,
}

/// The course of one attempt.
#[derive(Debug, Clone)]
pub struct Script {
    /// Which way it goes.
    pub kind: Kind,
    /// When the connection comes after dialling, or how it fails; `None`: never.
    pub connect: Option<(Span, Result<(), Fault>)>,
    /// What follows the sent body, each after so long.
    pub steps: Vec<(Span, Step)>,
}

impl Script {
    /// Whether its end is a clean one.
    pub fn ends_clean(&self) -> bool {
        matches!(self.kind, Kind::Good | Kind::Empty)
    }

    /// Body bytes in all.
    pub fn bytes(&self) -> u64 {
        self.steps
            .iter()
            .map(|(_, step)| match step {
                Step::Preamble(bytes) | Step::Content(bytes) => *bytes,
                _ => 0,
            })
            .sum()
    }
}

/// Draws the course of an attempt. At most `tokens_max` pieces of content.
pub fn script(mood: Mood, deadlines: &Deadlines, tokens_max: u64, chance: &mut Chance) -> Script {
    let any = Kind::ALL[usize::try_from(chance.below(19)).unwrap_or(0)];
    let kind = match mood {
        Mood::Fine if chance.hits(0.93) => Kind::Good,
        Mood::Stuck(kind) if chance.hits(0.95) => kind,
        _ => any,
    };
    let quick = |chance: &mut Chance, most: Span| Span(chance.below(most.0 / 4 + 1));
    let connect = match kind {
        Kind::SlowConnect => None,
        Kind::Refused => Some((quick(chance, deadlines.connect), Err(Fault::Unreachable))),
        _ => Some((quick(chance, deadlines.connect), Ok(()))),
    };
    let mut steps = Vec::new();
    let first = quick(chance, deadlines.first_content.min(deadlines.whole));
    if let Some((fault, retry_after)) = refusal(kind, chance) {
        steps.push((first, Step::Fail(fault, retry_after)));
    } else if connect.is_some() {
        body(kind, first, deadlines, tokens_max, chance, &mut steps);
    }
    Script { kind, connect, steps }
}

/// The fault of ways that end with a bad status.
fn refusal(kind: Kind, chance: &mut Chance) -> Option<(Fault, Option<Span>)> {
    let wish = |chance: &mut Chance| chance.hits(0.6).then(|| Span::from_ms(chance.below(4_000)));
    match kind {
        Kind::Unavailable => Some((Fault::Unavailable, wish(chance).filter(|_| chance.hits(0.2)))),
        Kind::RateLimited => Some((Fault::RateLimited, wish(chance))),
        Kind::Auth => Some((Fault::Auth, None)),
        Kind::Billing => Some((Fault::Billing, None)),
        Kind::ContextLength => Some((Fault::ContextLength, None)),
        Kind::Retired => Some((Fault::Retired, None)),
        Kind::Caller => Some((Fault::Caller, None)),
        _ => None,
    }
}

fn body(
    kind: Kind,
    first: Span,
    deadlines: &Deadlines,
    tokens_max: u64,
    chance: &mut Chance,
    steps: &mut Vec<(Span, Step)>,
) {
    steps.push((first, Step::Head));
    if kind == Kind::Garbage {
        return steps.push((Span(0), Step::Fail(Fault::Garbage, None)));
    }
    for _ in 0..=chance.below(2) {
        steps.push((Span(chance.below(1_000_000)), Step::Preamble(1 + chance.below(30))));
    }
    let gap = Span(deadlines.idle.0 / 2 + 1);
    let pieces = match kind {
        Kind::SlowFirst | Kind::BrokenBefore | Kind::InBandBefore | Kind::Empty => 0,
        // A provider that keeps its own token limit: an endless stream is one of pings then.
        _ => (1 + chance.below(8)).min(tokens_max.max(1)),
    };
    for _ in 0..pieces {
        let pause = if kind == Kind::Endless { gap } else { Span(chance.below(gap.0 / 8 + 1)) };
        steps.push((pause, Step::Content(1 + chance.below(40))));
    }
    match kind {
        Kind::Good | Kind::Empty => steps.push((Span(chance.below(1_000_000)), Step::Clean)),
        Kind::BrokenBefore | Kind::BrokenAfter => steps.push((Span(chance.below(1_000_000)), Step::Broken)),
        Kind::InBandBefore | Kind::InBandAfter => {
            steps.push((Span(chance.below(1_000_000)), Step::Fail(Fault::InBand, None)));
        }
        Kind::Endless => {
            let pings = deadlines.total.0 / gap.0 + 2;
            steps.extend((0..pings).map(|_| (gap, Step::Preamble(1))));
        }
        _ => {}
    }
}
