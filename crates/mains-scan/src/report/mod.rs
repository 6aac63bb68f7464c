//! The report.
mod rule;
pub use rule::Rule;
