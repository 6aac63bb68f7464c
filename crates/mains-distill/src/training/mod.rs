//! From rows to a labeller with both certificates and the figures of a report.
//!
//! Read `lesson` (what is given), `crew` (who runs the work), `heads` (what is learned, out of fold and at last),
//! `judge` (the labeller's answers on rows that it did not learn from), `rule` (certificates, and the thresholds that
//! follow from them), `report` and `tell` (figures), `lineage` (hashes), `train`, then `verify` (from a file and its
//! rows back to certainty).
//!
//! Everything that is promised or told is computed on the labeller as its file gives it back. The same rows, settings
//! and seed give the same bits, however many threads the crew has.

mod crew;
mod heads;
mod judge;
mod lesson;
mod lineage;
mod report;
mod rule;
mod tell;
mod train;
mod untrainable;
mod verify;

pub use crew::{Alone, Crew, Job};
pub use lesson::{Embedded, Example, Lesson, Part, Scope, Settings, Stage};
pub use lineage::rows_hash;
pub use report::{Bin, Chosen, ClassOf, Counts, Curve, Point, Report, SCHEMA, Speaks, Suspicious};
pub use rule::Certificates;
pub use train::{Trained, train};
pub use untrainable::Untrainable;
pub use verify::{Given, NotVerified, Verified, verify};
