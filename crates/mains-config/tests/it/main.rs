//! The file as its writer sees it: golden files of a full configuration, of the defaults and of messages.

#![cfg(test)]

mod agree;
mod draft;
mod errors;
mod first;
mod golden;
mod label;
mod laws;
mod swap;
