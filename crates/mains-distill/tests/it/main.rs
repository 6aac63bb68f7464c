//! The labeller through its public face.

#![expect(clippy::unwrap_used, reason = "a test helper that cannot go on may stop")]

mod labeller;
mod training;
