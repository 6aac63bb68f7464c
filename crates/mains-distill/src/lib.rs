//! From recorded answers of a big model to a small labeller with a certificate.
//!
//! Read `wire` (what a request and an answer in the neutral form say here), `task` (which requests are labelling),
//! `group` and `split` (which rows teach, which calibrate, which audit), `text` (what a text is to a labeller),
//! `features` (its word and character n-grams, hashed), `heads` (what learns from them, or from a sentence's embedding,
//! and how one is chosen), `certificate` (how often the labeller differs from its teacher, proven), `labeller` (the file
//! that holds what was learned, and its answer to one text), then `watch` (the promise is tested for ever, and
//! withdrawn). `routing` stands apart: which of two models to ask.
//!
//! Every number of a head is the same to the bit on every machine: sums have one order, `exp` and `ln` are our own
//! (`maths`), and a fused multiply-add is fused everywhere.
//!
//! Never: records that policy does not release. No clock, file, network, thread or randomness either: rows, times,
//! seeds and embeddings are passed in, and the caller decides what runs beside what.

mod canonical;
pub mod certificate;
pub mod features;
mod figures;
pub mod group;
pub mod heads;
pub mod labeller;
mod maths;
pub mod routing;
pub mod serving;
pub mod split;
pub mod task;
pub mod text;
pub mod training;
pub mod watch;
pub mod wire;

pub use certificate::{Calibration, Certificate, Promise, Ruling, Terms};
