//! The head on n-grams: a linear support vector machine for each class against the rest.
//!
//! Read `Problem` (what is to be solved), `dual` (how), then `NgramHead` (what was learned).

mod dual;
mod head;
mod problem;

pub use dual::Separator;
pub use head::{NgramHead, Scratch};
pub use problem::{Problem, Settings};
