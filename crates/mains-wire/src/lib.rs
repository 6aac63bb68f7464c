//! Reads and writes each provider dialect, and describes each provider as a record.
//!
//! Read `sse` (events in any pieces), `edit` (changes on the original bytes), `tap` (what a passing reply
//! tells), `neutral` (the form between dialects), `dialects` (to and from it) and `loss` (what does not fit),
//! then `error` and `fault` (what went wrong, whose fault it is), then `providers`, `models` and `parameters`.
//!
//! Never: a socket, a clock, a file, randomness. Bytes come in and bytes go out.

mod dialect;
pub mod dialects;
pub mod edit;
pub mod error;
pub mod fault;
mod json;
pub mod loss;
pub mod models;
pub mod neutral;
pub mod parameters;
pub mod providers;
mod scan;
pub mod sse;
pub mod tap;

pub use dialect::Dialect;
pub use json::{DEPTH_LIMIT, ReadError};
pub use scan::JsonError;
