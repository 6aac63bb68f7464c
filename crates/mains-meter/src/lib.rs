//! Turns usage into money, energy, carbon and water, each with a range and a grade.
//!
//! Read `money` (integers, exact), then `footprint` (ranges, graded), `ecologits` (the method for closed
//! models), `local` (what this machine used), `estimate` (all of it together, explained).
//!
//! Never: a bare number. A figure that is not known is `None`, never 0.

pub mod ecologits;
pub mod estimate;
pub mod footprint;
pub mod local;
pub mod money;

pub use estimate::{Answer, Estimate, Meter, Step};
pub use footprint::Footprint;
pub use money::Rates;
