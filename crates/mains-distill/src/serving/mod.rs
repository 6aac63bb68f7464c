//! A labeller before its teacher: what it answers, what it passes on and why, and how it comes into service.
//!
//! Read `pass` (why a request goes on to the teacher), `honour` (what a labeller cannot do exactly), `stage` (shadow,
//! canary, serve, by evidence; the counts behind it), then `teacher` (what an answer of the teacher says of it).

mod honour;
mod pass;
mod stage;
mod teacher;

pub use honour::{declines, fits};
pub use pass::Pass;
pub use stage::{Compared, Stage, State, Step, Terms};
pub use teacher::{Heard, is_same_model, other_label};
