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
