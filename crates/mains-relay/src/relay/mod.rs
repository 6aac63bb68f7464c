//! The life of one request's attempts as a state machine.
//!
//! Read `words` (what comes in and goes out), `settings`, then [`Relay`]. The driver feeds events and
//! carries out actions in the order given; it owns the sockets and the bytes, the machine owns every
//! decision. Every event and action names its attempt, and an event of an attempt that is over is
//! ignored, so nothing of an abandoned attempt can reach the caller.
//!
//! One attempt at a time is live. Hedging would hold two; the words need no change for it.
//!
//! ```text
//! Start ─▶ Ask ─permit─▶ WriteIntent, Dial ─connected (and intent durable, if strict)─▶ SendBody
//!   ─preamble─▶ Keep … ─first content─▶ Commit ─▶ Forward … ─clean end─▶ Close, Finish(ok)
//!   any fault before Commit ─▶ Cancel, Report, and the next candidate is asked
//!   any fault after it      ─▶ Cancel, Report, DeliverError, Finish(broken)
//! ```

mod machine;
mod settings;
mod words;

pub use machine::Relay;
pub use settings::{Deadlines, Durability, Mode, Retry, Settings};
pub use words::{
    Action, Actions, Agreement, AttemptNumber, AttemptSummary, Event, Failure, Outcome, Summary,
};
