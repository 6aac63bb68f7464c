//! The Llama architecture (Touvron et al. 2023): embedding, layers of attention and feed-forward with
//! root-mean-square norms, output.
//!
//! Read `config` (sizes), `weights` (from file to tiles), `rope` (positions), `forward` (the pass).

mod config;
mod forward;
mod rope;
mod weights;

pub use config::Config;
pub use forward::{CHUNK_TOKENS, Llama, Options, Run, Sequence};
pub(crate) use rope::Rope;
