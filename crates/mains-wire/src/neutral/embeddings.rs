//! Texts to vectors.

use super::Extra;
use mains_units::Usage;

/// A question for vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddingsQuestion {
    /// The name that the caller asks for.
    pub model: String,
    /// What to turn into vectors.
    pub input: EmbeddingsInput,
    /// How the vectors shall be written; absent is numbers.
    pub encoding: Option<VectorEncoding>,
    /// How long the vectors shall be; absent is the model's own length.
    pub dimensions: Option<u32>,
    /// The end user, as the application names them.
    pub user: Option<String>,
    /// Fields beyond these.
    pub extras: Vec<Extra>,
}

/// What to turn into vectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmbeddingsInput {
    /// One text.
    Text(String),
    /// Many texts.
    Texts(Vec<String>),
    /// One text as token numbers.
    Tokens(Vec<u32>),
    /// Many texts as token numbers.
    TokenLists(Vec<Vec<u32>>),
}

impl EmbeddingsInput {
    /// How many vectors are asked for.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(_) | Self::Tokens(_) => 1,
            Self::Texts(texts) => texts.len(),
            Self::TokenLists(lists) => lists.len(),
        }
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How vectors are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VectorEncoding {
    /// As a JSON array of numbers.
    #[default]
    Float,
    /// As base64 of little-endian 32-bit floats.
    Base64,
}

/// The vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddingsAnswer {
    /// The model that answered.
    pub model: String,
    /// One vector per input, in the inputs' order.
    pub vectors: Vec<Vec<f32>>,
    /// What it used; `None` is unknown.
    pub usage: Option<Usage>,
}
