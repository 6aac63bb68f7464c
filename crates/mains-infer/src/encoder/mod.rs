//! Texts to vectors: the encoder of BERT (Devlin et al. 2018) as the sentence models of Reimers and Gurevych
//! (2019) use it: the mean of the last states of a text, of length one.
//!
//! Read `config` (sizes), `words` (text to tokens), `weights` (from file to panels), `forward` (the pass),
//! `embedder` (what others call).

mod config;
mod embedder;
mod forward;
mod weights;
mod words;

pub use config::EncoderConfig;
pub use embedder::{Embedded, Embedder, EncoderSource};
pub use words::{Words, WordsOfText};
