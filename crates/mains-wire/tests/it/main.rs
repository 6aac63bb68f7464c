//! Integration tests of the wire formats.

#![cfg(test)]

mod any_to_any;
mod codecs;
mod errors;
mod faults;
mod fixtures;
mod golden;
mod passthrough;
mod providers;
