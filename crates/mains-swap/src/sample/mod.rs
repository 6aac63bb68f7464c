//! Which records are asked, how many are needed, and what that costs, before anything is sent.
//!
//! Read `strata` (how traffic is divided), `draw` (a sample in the traffic's own proportions), then `plan` (how
//! many, and the price).
//!
//! What a verdict on a sample says: that it holds for traffic like the kept records. Records that were not kept, and
//! traffic that comes later, are like them by assumption only.

mod draw;
mod language;
mod plan;
mod strata;

pub use draw::{HumanItem, draw, for_humans, proportional};
pub use language::language;
pub use plan::{JudgeCost, Need, Price, Traffic, need, price};
pub use strata::{Length, Stratum};
