<<<<<<< HEAD
//! From recorded answers of a big model to a small labeller with a certificate.
//!
//! Read `certificate` (how often the labeller differs from its teacher, proven) and `watch` (the promise is
//! tested for ever, and withdrawn).
//!
//! Never: records that policy does not release. No clock, file, network or randomness either: rows, times and
//! seeds are passed in.

pub mod certificate;
mod figures;
pub mod group;
pub mod split;
pub mod task;
pub mod watch;

pub use certificate::{Calibration, Certificate, Promise, Ruling, Terms};
=======
//! Records to a small labeller with a certificate.
//!
//! Read `text` (what a text is to a labeller), `features` (its word and character n-grams, hashed), `heads`
//! (what learns from them, or from a sentence's embedding, and how one is chosen), then `labeller` (the file
//! that holds what was learned, and its answer to one text).
//!
//! Every number here is the same to the bit on every machine: sums have one order, `exp` and `ln` are our own
//! (`maths`), and a fused multiply-add is fused everywhere.
//!
//! Never: records that policy does not release. No clock, file, network, thread or randomness either: rows,
//! seeds and embeddings are passed in, and the caller decides what runs beside what.

pub mod features;
pub mod heads;
pub mod labeller;
mod maths;
pub mod text;
>>>>>>> heads
