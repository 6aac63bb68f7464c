//! Conformance of the meter to figures that were computed elsewhere.

mod ecologits_models;
mod ecologits_text;
mod rows;
