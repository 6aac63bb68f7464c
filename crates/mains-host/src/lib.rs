//! The machine outside: walking trees, sensors, processes, downloads, the clock, randomness.
//!
//! Read `clock` and `entropy` (time and chance, read here alone), `files` and `secrets` (what is written and
//! what must not be read), then `walk` (the tree of a code base),
//! `download` (files with pinned bytes), `sensors` (what this machine draws), `gauge` (what
//! one process used of it).
//!
//! Never: a decision.

mod clock;
pub mod download;
mod entropy;
mod error;
pub mod files;
mod gauge;
pub mod secrets;
pub mod sensors;
pub mod walk;

pub use clock::Clock;
pub use entropy::Entropy;
pub use error::HostError;
pub use gauge::{Gauge, Mark, Used};
