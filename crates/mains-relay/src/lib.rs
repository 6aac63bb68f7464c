//! The life of one request as a state machine, with the routes, budgets and breakers that decide it.
//!
//! Read `fault` (what can go wrong and what follows from it), `route` (which targets may answer, in
//! which order and why), `breaker` (which targets are resting), `budget` (who may still draw), `admit`
//! (may this attempt start), then `relay` (the machine itself).
//!
//! Never: HTTP, JSON, a clock of its own. Bytes never enter this crate, only their counts; time and
//! chance are passed in.

pub mod admit;
pub mod breaker;
pub mod budget;
pub mod fault;
pub mod relay;
pub mod route;

pub use admit::{Ask, Denied, Pass, admit};
pub use breaker::{Breakers, Lamp, RetryBudget, Verdict};
pub use fault::{Consequence, Fault};
pub use relay::{Action, Event, Outcome, Relay, Settings, Summary};
pub use route::{Candidate, Choice, Route, Target, TargetName, choose};
