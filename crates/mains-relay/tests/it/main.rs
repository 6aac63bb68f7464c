//! What the relay promises, checked from outside.

mod breaker;
mod budget;
mod budget_laws;
mod canary;
mod relay;
mod route;
