//! Reads and writes each provider dialect, and describes each provider as a record.
//!
//! Read `sse` (events in any pieces), `edit` (changes on the original bytes), `tap` (what a passing reply
//! tells), then `error` and `fault` (what went wrong, whose fault it is), then `providers` and `models`.
//!
//! Never: a socket, a clock, a file, randomness. Bytes come in and bytes go out.

mod dialect;
pub mod edit;
pub mod error;
pub mod fault;
pub mod providers;
mod scan;
pub mod sse;
pub mod tap;

pub use dialect::Dialect;
pub use scan::JsonError;
