//! The machine outside: walking trees, sensors, processes, downloads, the clock, randomness.
//!
//! Read `clock` and `entropy` (time and chance, read here alone), `files` and `secrets` (what is written and
//! what must not be read), then `walk` (the tree of a code base).
//!
//! Never: a decision.

mod clock;
mod entropy;
mod error;
pub mod files;
pub mod secrets;
pub mod walk;

pub use clock::Clock;
pub use entropy::Entropy;
pub use error::HostError;
