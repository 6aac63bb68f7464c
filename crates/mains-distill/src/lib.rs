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
