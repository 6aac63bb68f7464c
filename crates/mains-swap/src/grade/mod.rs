//! Is this answer the same as that one? By kind of answer.
//!
//! Read `said` (an answer as the graders see it), `grader` (the kinds and their rules), `fields` (JSON, field by
//! field), `schema` (does a text follow the schema that its request carried), `judge` (the question to a judge of
//! free texts, and its vote), then `kind` (which kind a route's answers are, told from recorded ones). `agree` compares two answers of any kind.
//!
//! A *reference* of another kind than the grader's is refused with a reason and left out, because nothing can be
//! graded against it. An *answer* of another kind is a failure: leaving it out would favour a model that cannot
//! keep to the form.

mod agree;
mod fields;
mod grader;
pub mod judge;
mod kind;
mod said;
pub mod schema;

pub use agree::agree;
pub use fields::{Extra, FieldMark, FieldRule, Fields, Mark};
pub use grader::{Case, Grade, Grader, LabelRule, NotGradable, NumberAt, NumberRule, Order, PatternRule};
pub use judge::{Vote, blind};
pub use kind::{Kind, Recognised, recognise};
pub use said::{Call, Said};
