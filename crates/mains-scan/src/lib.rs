//! Finds AI use in bytes given to it, ranks it, and writes the plan as text.
//!
//! Read `finding` (what one file says), `language` and `lex` (what its bytes are), `needles` (what every file is
//! searched for; `gate` asks first whether there is anything), `signals` and `models` (what a hit means), `lists`, then `detector`, which puts
//! them together; then `report` (dates, ranking, formats) and `plan`.
//!
//! Never: walking, network, writing.

mod detector;
mod finding;
mod gate;
mod ignore;
mod language;
mod lex;
mod lists;
mod models;
mod needles;
mod plan;
pub mod report;
mod sdk;
mod signals;
mod token;

pub use detector::Detector;
pub use finding::{
    AttributedBy, Attribution, Class, Confidence, FileFindings, Place, Scope, Sighting, Signal, scope_of,
};
pub use ignore::Ignore;
pub use language::Language;
pub use plan::plan_toml;
