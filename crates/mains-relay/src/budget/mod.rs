//! Who may still draw: a tree of nodes (organisation > project > key) with caps per window.
//!
//! Read `draw` (what a request may or did use), `window` (the calendar), `refusal` (what the caller
//! reads), then [`Tree`]. A request reserves its worst case in every node of its path or in none, gets a
//! [`Hold`], extends it before each further attempt, and settles it to what was used.
//!
//! Laws, checked by property tests: everything held is either settled or released; nothing is negative;
//! no cap is exceeded while each settled amount stays within its hold, and what a provider bills beyond
//! it is shown as overshoot. Amounts are integers in the unit of their quantity.
//!
//! A hold counts in the window in which it was reserved, also when it is settled in the next. A calendar
//! that steps back never renews a cap.

mod draw;
mod hold;
mod refusal;
mod tree;
mod window;

pub use draw::{Draw, Figure};
pub use hold::{Hold, Settlement};
pub use refusal::{Class, Notice, Refusal};
pub use tree::{Cap, Path, Reading, Saved, Scope, Totals, Tree, UnknownPrice};
pub use window::Per;
