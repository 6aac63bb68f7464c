//! What the parent and the worker say to each other.

use std::path::PathBuf;

use mains_units::Usage;
use serde::{Deserialize, Serialize};

use crate::backend::{Generate, Reason};
use crate::encoder::EncoderSource;
use crate::{Error, Fault};

/// What the parent says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToWorker {
    /// Load this model; answered by `ready` or `error` without an id. A second one replaces the first.
    Load(Load),
    /// Answer this; answered by `token`s and then `done` or `error` with the id.
    Generate {
        /// The parent's number for it, unique among those not yet answered.
        id: u64,
        /// What to answer.
        request: Generate,
    },
    /// Load this encoder beside the model; answered by `encoder_ready` or `error` without an id. A second one
    /// replaces the first.
    LoadEncoder(LoadEncoder),
    /// Make vectors of these texts; answered by one `embedded`, by `done` when cancelled, or `error`, with the id.
    Embed {
        /// The parent's number for it, unique among those not yet answered.
        id: u64,
        /// The texts: at most [`TEXTS_MAX`].
        texts: Vec<String>,
    },
    /// How many tokens has this prompt; answered by `counted` or `error` with the id.
    Count {
        /// The parent's number for it.
        id: u64,
        /// The prompt.
        question: crate::backend::Question,
    },
    /// Stop answering this; answered by its `done` unless it has ended already.
    Cancel {
        /// The number it was given.
        id: u64,
    },
    /// Are you there; answered by `pong` at once, also while an answer is being made.
    Ping {
        /// Comes back in the answer.
        nonce: u64,
    },
}

/// Which model to load, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// The file.
    pub path: PathBuf,
    /// The SHA-256 that its bytes must have, in hexadecimal.
    pub sha256: Option<String>,
    /// Threads that compute.
    pub threads: usize,
    /// Positions of the context.
    pub context: usize,
}

/// Which encoder to load, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadEncoder {
    /// Its files and sizes.
    pub source: EncoderSource,
    /// Threads that compute.
    pub threads: usize,
}

/// Texts of one request for vectors at most: as many as the API that this serves lets through.
pub const TEXTS_MAX: usize = 2_048;

/// What the worker says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromWorker {
    /// The model is loaded.
    Ready(Ready),
    /// More of an answer.
    Token {
        /// Which answer.
        id: u64,
        /// Whole characters.
        text: String,
    },
    /// The end of an answer.
    Done {
        /// Which answer.
        id: u64,
        /// Why it ended.
        finish: Reason,
        /// Tokens read and made.
        usage: Spent,
    },
    /// The encoder is loaded.
    EncoderReady(EncoderReady),
    /// The vectors of some texts.
    Embedded {
        /// Which request.
        id: u64,
        /// One per text, in their order, of length one. They travel as their bits, so that they arrive exactly.
        #[serde(with = "bits")]
        vectors: Vec<Vec<f32>>,
        /// Tokens that were read, per text.
        tokens: Vec<usize>,
        /// Whether a text had more tokens than are read, per text.
        cut: Vec<bool>,
    },
    /// How many tokens a prompt has.
    Counted {
        /// Which question.
        id: u64,
        /// Its tokens.
        tokens: u64,
    },
    /// Something failed: a request when it has an id, a load or the protocol when not.
    Error {
        /// Which request.
        id: Option<u64>,
        /// What kind of failure.
        trouble: Trouble,
        /// What, in words, with a hint where there is one.
        message: String,
    },
    /// The answer to a ping.
    Pong {
        /// What the ping carried.
        nonce: u64,
    },
}

/// What a loaded model is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// The name that the file gives itself.
    pub name: String,
    /// Positions of the context, at most what the model was made for.
    pub context: usize,
    /// Tokens that it knows.
    pub vocabulary: usize,
    /// Bytes of the packed weights.
    pub weights_bytes: usize,
    /// Bytes that the cache may come to take.
    pub cache_bytes: usize,
    /// Instructions in use: `plain`, `avx2` or `avx512`.
    pub instruction_set: String,
}

/// What a loaded encoder is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncoderReady {
    /// Numbers in a vector.
    pub width: usize,
    /// Tokens of a text that are read.
    pub tokens_max: usize,
    /// Bytes of the packed weights.
    pub weights_bytes: usize,
    /// Instructions in use: `plain`, `avx2` or `avx512`.
    pub instruction_set: String,
}

/// Tokens read and made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Tokens of the prompt that were read.
    pub prompt: u64,
    /// How many of them an earlier prompt began with, so that they were not computed again.
    #[serde(default)]
    pub cached: u64,
    /// Tokens that were made.
    pub completion: u64,
}

impl From<Usage> for Spent {
    fn from(usage: Usage) -> Self {
        Self { prompt: usage.input_total(), cached: usage.cached_read, completion: usage.output }
    }
}

impl From<Spent> for Usage {
    fn from(spent: Spent) -> Self {
        Self {
            input: spent.prompt.saturating_sub(spent.cached),
            cached_read: spent.cached,
            output: spent.completion,
            ..Self::default()
        }
    }
}

/// Kinds of failure, so that the parent can choose a status without reading words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// The waiting line is full: try again later.
    Busy,
    /// No model is loaded.
    NotLoaded,
    /// The request cannot be served as it stands.
    Request,
    /// The prompt does not fit the context.
    TooLong,
    /// The model file is damaged or not what its hash says.
    File,
    /// The file asks for something that this engine does not do.
    Unsupported,
    /// A frame was not understood.
    Protocol,
    /// Reading or writing failed.
    Io,
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::File => Self::File,
            Fault::Unsupported => Self::Unsupported,
            Fault::Request => Self::Request,
            Fault::TooLong => Self::TooLong,
            Fault::Protocol => Self::Protocol,
            Fault::Io => Self::Io,
        }
    }
}

impl FromWorker {
    /// The frame that reports this error.
    pub fn error(id: Option<u64>, error: &Error) -> Self {
        Self::Error { id, trouble: error.fault().into(), message: error.to_string() }
    }
}

/// Floats as the whole numbers that their bits are: decimal digits would have to be many to be exact.
mod bits {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(vectors: &[Vec<f32>], to: S) -> Result<S::Ok, S::Error> {
        let bits = |vector: &Vec<f32>| vector.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
        vectors.iter().map(bits).collect::<Vec<_>>().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Vec<f32>>, D::Error> {
        let floats = |bits: Vec<u32>| bits.into_iter().map(f32::from_bits).collect();
        Ok(Vec::<Vec<u32>>::deserialize(from)?.into_iter().map(floats).collect())
    }
}
