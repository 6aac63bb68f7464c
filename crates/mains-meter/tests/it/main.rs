//! Conformance of the meter to figures that were computed elsewhere.
#![cfg(test)]

mod ecologits_models;
mod ecologits_text;
mod rows;
