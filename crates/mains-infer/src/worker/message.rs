//! What the parent and the worker say to each other.

use std::path::PathBuf;

use mains_units::Usage;
use serde::{Deserialize, Serialize};

use crate::backend::{Generate, Reason};
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

/// Tokens read and made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Tokens of the prompt that were read.
    pub prompt: u64,
    /// Tokens that were made.
    pub completion: u64,
}

impl From<Usage> for Spent {
    fn from(usage: Usage) -> Self {
        Self { prompt: usage.input_total(), completion: usage.output }
    }
}

impl From<Spent> for Usage {
    fn from(spent: Spent) -> Self {
        Self { input: spent.prompt, output: spent.completion, ..Self::default() }
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
