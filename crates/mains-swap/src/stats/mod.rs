//! What outcomes prove about a mean, valid at any moment.
//!
//! Read `bet` (wealth of bets against a claimed mean), `tally` (outcomes as counts), `judged` (a judge's
//! outcomes, corrected by a few human ones), `many` (several slices at once), then `fixed` (the classical
//! tests for a sample of fixed size, for comparison) and `need` (how many outcomes a verdict will take).
//!
//! The idea. Whoever claims that a mean is at most `m` must accept bets that pay `x - m` on each outcome `x`.
//! If the claim is true, no way of betting is expected to make money; so if the wealth has multiplied by 20,
//! the claim is false or an event of chance at most 1/20 has happened, whenever one chooses to look (Ville
//! 1939). Nothing is assumed of the outcomes but that they lie in the unit interval and that each has the mean in
//! question given those before it. Waudby-Smith and Ramdas, "Estimating means of bounded random variables by
//! betting", JRSS B 86 (2024), 1-27.

pub mod bet;
pub mod fixed;
pub mod judged;
pub mod many;
pub mod need;
pub mod tally;

pub use bet::Side;
pub use judged::JudgedTally;
pub use tally::{Counts, Tally};
