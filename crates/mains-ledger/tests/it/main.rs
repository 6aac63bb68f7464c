//! The log seen from outside: vectors, golden leaves, whole logs, and verifiers that others wrote.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, helpers included")]

mod common;
mod leaves;
mod others;
mod vectors;
mod whole;
