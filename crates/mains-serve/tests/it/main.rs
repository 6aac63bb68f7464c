//! The outlet over real sockets on loopback, before scripted upstreams.
#![cfg(test)]

mod agree;
mod bad_input;
mod bad_upstreams;
mod budgets;
mod death;
mod harness;
mod kept;
mod labels;
mod labels_dense;
mod local_forms;
mod locked;
mod passing;
mod swaps;
mod vectors;
