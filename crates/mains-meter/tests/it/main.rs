//! Conformance of the meter to figures that were computed elsewhere.

mod ecologits_text;
mod rows;
