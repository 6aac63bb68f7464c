//! How long, how often, and in which order.

use mains_units::Span;

/// How long each part of an answer may take. All attempts of a request share `total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// From dialling to a connection.
    pub connect: Span,
    /// Of a stream: from sending the body to the first real content.
    pub first_content: Span,
    /// Of a stream: between two pieces of the body once content has come.
    pub idle: Span,
    /// Of a plain answer: from sending the body to the whole answer.
    pub whole: Span,
    /// From the start of the request to its end, whatever happens between.
    pub total: Span,
}

impl Default for Deadlines {
    /// 5 s to connect, 60 s to the first content, 30 s of silence, 300 s for a plain answer, 600 s in all
    /// (the official SDKs give up after 600 s).
    fn default() -> Self {
        Self {
            connect: Span::from_s(5),
            first_content: Span::from_s(60),
            idle: Span::from_s(30),
            whole: Span::from_s(300),
            total: Span::from_s(600),
        }
    }
}

/// How often, and how soon, to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// No request makes more attempts than this.
    pub attempts_max: u32,
    /// How often one target may be asked by one request. It is asked again only after a fault that
    /// counts against it (an outage that may pass), and after all other candidates.
    pub tries_per_target: u32,
    /// How long a target is left alone before it is asked again; doubled each time, with jitter, and at
    /// least the `Retry-After` it named.
    pub pause: Span,
    /// A target that could be asked again only after a longer pause is given up.
    pub pause_max: Span,
}

impl Default for Retry {
    /// 4 attempts, 2 a target, 250 ms of pause, 5 s at most.
    fn default() -> Self {
        Self { attempts_max: 4, tries_per_target: 2, pause: Span::from_ms(250), pause_max: Span::from_s(5) }
    }
}

/// What must be safe before the first body byte of an attempt leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Its intent was handed over; nothing is waited for.
    #[default]
    Batched,
    /// Its intent is synced.
    Strict,
}

/// How the caller wants the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Piece by piece: the first real content commits.
    #[default]
    Stream,
    /// In one piece: everything is kept until it is whole, so that even half an answer can still be
    /// replaced by another target's. An answer longer than `kept_max` commits when it is exceeded.
    Whole,
}

/// The settings of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// From the route.
    pub deadlines: Deadlines,
    /// From the route.
    pub retry: Retry,
    /// From `[ledger]`.
    pub durability: Durability,
    /// From the question.
    pub mode: Mode,
    /// No more bytes than this are kept before the commit point: memory is bounded under any upstream.
    pub kept_max: u64,
}

impl Default for Settings {
    /// A stream, batched, with at most 1 MiB kept.
    fn default() -> Self {
        Self {
            deadlines: Deadlines::default(),
            retry: Retry::default(),
            durability: Durability::default(),
            mode: Mode::default(),
            kept_max: 1 << 20,
        }
    }
}
