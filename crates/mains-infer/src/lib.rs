//! Models in this binary: reads GGUF files of the Llama architecture and generates text on the
//! processor, behind one `Backend` trait; reads safetensors files of BERT's architecture and makes vectors
//! of texts; both in a worker process.
//!
//! Read `gguf` (the file), `tokenizer`, `model` (the forward pass), `kernels` (the only `unsafe`),
//! `backend` (a request and its events), `safetensors` and `encoder` (the same for vectors of texts),
//! `worker` (all of it over a pipe), `models` (known weights).
//!
//! Never: a key, a socket, weights in the build.

pub mod backend;
pub mod encoder;
mod error;
pub mod gguf;
mod half;
mod kernels;
pub mod model;
pub mod models;
pub mod reference;
pub mod safetensors;
pub mod tokenizer;
pub mod worker;

pub use backend::{Backend, LocalModel};
pub use encoder::Embedder;
pub use error::{Error, Fault};
pub use kernels::InstructionSet;
