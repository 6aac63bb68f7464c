//! The machine outside: walking trees, sensors, processes, downloads, the clock, randomness.
//!
//! Read `walk` (the tree of a code base).
//!
//! Never: a decision.

pub mod walk;
