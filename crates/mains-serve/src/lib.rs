//! Listens, dials, streams, drives the relay, hands out the page.
//!
//! Read `journey` (the ten stops of a request), then `stops` (one file a stop), `front` (what goes where), `live`
//! (what a reload replaces), `outlet` (what requests share), `keeping` (content, where it may be kept), `swaps` (switches from one target to
//! another), `labels` (labellers before their teachers), `network` and `local` (the two ways out), `page`,
//! `api`, `metrics`, `drills`.
//!
//! Never: a decision. Which target, whether to try again, whether a budget holds, what a dialect can carry: rooms
//! below decide, this one acts.

mod api;
pub mod control;
pub mod drills;
pub mod front;
pub mod http;
mod journey;
pub mod keeping;
pub mod labels;
pub mod live;
pub mod local;
pub mod metrics;
pub mod network;
pub mod open;
pub mod outlet;
mod page;
pub mod run;
mod stops;
pub mod swaps;
pub mod tasks;
pub mod worker;
