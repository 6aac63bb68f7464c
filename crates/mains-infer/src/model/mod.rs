//! Models that continue texts: embedding, layers of attention and feed-forward with root-mean-square norms, output
//! (Touvron et al. 2023), and what other families change in it.
//!
//! Read `architecture` (the families), `config` (sizes), `weights` (from file to tiles), `rope` (positions), `adjust`
//! (biases and norms of heads), `forward` (the pass).

mod adjust;
mod architecture;
mod config;
mod forward;
mod rope;
mod weights;

pub use architecture::{ALL as ARCHITECTURES, Architecture, Pairs};
pub use config::Config;
pub use forward::{CHUNK_TOKENS, Llama, Options, Run, Sequence};
pub(crate) use rope::Rope;
