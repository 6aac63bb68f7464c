//! Models in this binary: reads GGUF files of the Llama architecture and generates text on the
//! processor, behind one `Backend` trait, in a worker process.
//!
//! Read `gguf` (the file), `tokenizer`, `model` (the forward pass), `kernels` (the only `unsafe`),
//! `backend` (a request and its events), `worker` (the same over a pipe), `models` (known weights).
//!
//! Never: a key, a socket, weights in the build.

pub mod backend;
mod error;
pub mod gguf;
mod half;
mod kernels;
pub mod model;
pub mod models;
pub mod reference;
pub mod tokenizer;
pub mod worker;

pub use backend::{Backend, LocalModel};
pub use error::{Error, Fault};
pub use kernels::InstructionSet;
