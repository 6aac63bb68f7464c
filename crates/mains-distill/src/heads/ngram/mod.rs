//! The head on n-grams: a linear support vector machine for each class against the rest.
//!
//! Read `Problem` (what is to be solved), `dual` (how), then `NgramHead` (what was learned).

mod dual;
mod problem;

pub use dual::{Loss, Separator};
pub use problem::{Problem, Settings};
