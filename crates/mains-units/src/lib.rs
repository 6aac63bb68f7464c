//! Words that every other room shares: amounts, ranges, names, time as a value, seeded chance.
//!
//! Read `amount` (what is counted), then `range` (how sure we are), `time`, `name`, `chance`.
//!
//! Never: an effect. No clock, file, socket, environment or operating-system randomness; time and
//! chance are values that the caller passes in.

mod amount;
mod chance;
mod name;
mod range;
mod secret;
mod time;

pub use amount::{Amounts, GramsCo2e, Joules, Litres, NanoUsd, PicoUsdPerToken, Quantity, Tokens, Usage};
pub use chance::Chance;
pub use name::{ModelId, RequestId};
pub use range::{Grade, Range};
pub use secret::Secret;
pub use time::{Day, Instant, Span, Timestamp};
