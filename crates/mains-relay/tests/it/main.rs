//! What the relay promises, checked from outside.

mod breaker;
mod budget;
mod budget_laws;
mod relay;
mod route;
