//! Seeded worlds of scripted providers: many concurrent requests run through routes, budgets, breakers and
//! the relay, and checkers watch what callers, providers and the books see.
//!
//! Read `spec` (what a seed decides), `provider` (how an attempt goes), `world` (the clock and the queue of
//! events), `driver` (the stand-in for the server: carries out actions),
//! `ledger` (the real log on a disk that dies), `check` (what must hold), `plant`
//! (bugs that show that each checker can fail). Apart from them stands `swap`: is the verdict on a replacement
//! model honest? And `distill`: does the certificate of a small labeller keep its promise?
//!
//! Never: a real clock, a socket, a thread. One seed is one world, to the last byte.

pub mod check;
pub mod distill;
pub mod driver;
pub mod ledger;
pub mod plant;
pub mod provider;
pub mod spec;
pub mod swap;
pub mod world;

pub use check::{Checker, Violation};
pub use plant::Plant;
pub use world::{Run, run, trace};
