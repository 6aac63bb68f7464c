//! Labelling tasks, found in the traffic.
//!
//! Read `exchange` (what is looked at), `tokens` (a request as one row of tokens), `cluster` (which requests come
//! from one template), `template` (the constant part, and how the part that varies is taken out), `shape` (how an
//! answer carries its label), `labels` (whether the set of labels is closed), `refusal` (why something is no task),
//! `discover`, then `served` (what of a task goes into a labeller file).
//!
//! A labeller stands in for a model only where the request has exactly the constant part that it was taught with,
//! and answers exactly as the model's answers look.

mod cluster;
mod discover;
mod exchange;
mod labels;
mod refusal;
mod served;
mod shape;
mod template;
mod tokens;

pub use discover::{Discovery, Row, Task, Volume, discover};
pub use exchange::{Answer, Call, Exchange, Role, Turn};
pub(crate) use labels::folded;
pub use labels::{Label, LabelSet};
pub use refusal::{Refusal, Refused};
pub use served::{SCHEMA, Served, is_name};
pub use shape::Shape;
pub(crate) use template::hex;
pub use template::{MARK, NoTemplate, Template};
