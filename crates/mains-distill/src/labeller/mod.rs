//! The labeller: what is shipped, and its answer to one text.
//!
//! Read `Labeller` (what it holds), `label` below, then `write` and `read` (the file; `docs/LABELLER.md` describes
//! it byte by byte).

mod bytes;
mod read;
mod write;

pub use read::{Damaged, Signed, rehash, signed};
pub use write::{Draft, Seal};

use crate::heads::average::{Heads, Mapping, Mixed};
use crate::heads::dense::{Centres, DenseHead};
use crate::heads::ngram::{NgramHead, Scratch as NgramScratch};
use crate::task::Served;
use std::fmt;

/// When an answer is given here and not by the big model.
#[derive(Debug, Clone, PartialEq)]
pub struct Thresholds {
    /// The least confidence.
    pub confidence_min: f32,
    /// The least that a text must be like what training saw, as [`Labelled::known`] says it.
    pub known_min: f32,
    /// Classes that are never answered here, by their number.
    pub escalates: Vec<bool>,
}

/// A hash that says where the labeller comes from: rows, prompt, teacher, code, seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// What was hashed.
    pub name: String,
    /// SHA-256.
    pub sha256: [u8; 32],
}

/// The head on embeddings with the model that makes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    /// SHA-256 of the model's weights; other embeddings mean nothing to this head.
    pub model_sha256: [u8; 32],
    /// The head.
    pub head: DenseHead,
    /// Where the embeddings lie that it learned from.
    pub centres: Centres,
}

/// A trained labeller. Its fields are what the file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Labeller {
    /// The closed set of labels, in the order of their numbers.
    pub labels: Vec<String>,
    /// The head on n-grams.
    pub ngram: Option<NgramHead>,
    /// The head on embeddings.
    pub dense: Option<Dense>,
    /// How scores become one confidence.
    pub mapping: Mapping,
    /// When an answer is given here.
    pub thresholds: Thresholds,
    /// The certificate, as the bytes that `certificate` writes; empty where there is none.
    pub certificate: Vec<u8>,
    /// Where it comes from.
    pub lineage: Vec<Origin>,
    /// The task that it serves; absent where it only labels texts.
    pub task: Option<Served>,
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Labelled {
    /// The label's number.
    pub label: u32,
    /// The top probability after the mapping: a ranking whose promise is in the certificate alone.
    pub confidence: f32,
    /// How much the text is like what training saw, 0 to 1: where embeddings speak, how near it lies to the nearest
    /// class's centre; elsewhere the share of its n-grams that are known.
    pub known: f32,
    /// Whether the thresholds allow this answer; else the big model is to be asked.
    pub local: bool,
}

/// Why a text has no label here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacking {
    /// A head needs an embedding and none was given.
    Embedding,
    /// The embedding has another length than the head was trained on.
    Length {
        /// What the head needs.
        needed: usize,
        /// What was given.
        given: usize,
    },
    /// The embedding holds a number that is not finite.
    NotFinite,
    /// The labeller holds no head that its mapping asks for, or heads with other numbers of classes.
    Head,
}

impl fmt::Display for Lacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedding => f.write_str("this labeller needs a sentence embedding and none was given"),
            Self::Length { needed, given } => {
                write!(f, "an embedding of {given} numbers; this labeller was trained on {needed}")
            }
            Self::NotFinite => f.write_str("the embedding holds a number that is not finite"),
            Self::Head => f.write_str("this labeller lacks the head that its mapping asks for"),
        }
    }
}

impl std::error::Error for Lacking {}

/// Buffers for labelling, which can be used again.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    ngram: NgramScratch,
    ngram_scores: Vec<f32>,
    dense_scores: Vec<f32>,
    mixed: Mixed,
}

impl Labeller {
    /// The label of one text; `embedding` where `needs_embedding`.
    pub fn label(&self, text: &str, embedding: Option<&[f32]>) -> Result<Labelled, Lacking> {
        self.label_with(text, embedding, &mut Scratch::default())
    }

    /// The same with buffers that are used again: what a loop over texts wants.
    pub fn label_with(
        &self,
        text: &str,
        embedding: Option<&[f32]>,
        scratch: &mut Scratch,
    ) -> Result<Labelled, Lacking> {
        let Scratch { ngram, ngram_scores, dense_scores, mixed } = scratch;
        ngram_scores.clear();
        dense_scores.clear();
        let mut known = match &self.ngram {
            Some(head) => head.score(text, ngram, ngram_scores),
            None => 1.0,
        };
        if self.needs_embedding() {
            known = self.score_embedding(embedding, dense_scores)?;
        }
        let classes = self.labels.len();
        let ngram_fits = self.mapping.heads == Heads::Dense || ngram_scores.len() == classes;
        let dense_fits = self.mapping.heads == Heads::Ngram || dense_scores.len() == classes;
        if !ngram_fits || !dense_fits || classes == 0 {
            return Err(Lacking::Head);
        }
        let (class, confidence) = self.mapping.top(ngram_scores, dense_scores, mixed);
        let Thresholds { confidence_min, known_min, escalates } = &self.thresholds;
        let escalates = escalates.get(class).copied().unwrap_or(true);
        let sure = confidence > 0.0 && confidence >= *confidence_min;
        let local = sure && known >= *known_min && !escalates;
        Ok(Labelled { label: u32::try_from(class).unwrap_or(u32::MAX), confidence, known, local })
    }

    /// Whether `label` needs an embedding.
    pub fn needs_embedding(&self) -> bool {
        self.mapping.heads != Heads::Ngram
    }

    /// Writes the scores; says how near the embedding lies to what was learned.
    fn score_embedding(&self, embedding: Option<&[f32]>, scores: &mut Vec<f32>) -> Result<f32, Lacking> {
        let Dense { head, centres, .. } = self.dense.as_ref().ok_or(Lacking::Head)?;
        let embedding = embedding.ok_or(Lacking::Embedding)?;
        if embedding.len() != head.dim() {
            return Err(Lacking::Length { needed: head.dim(), given: embedding.len() });
        }
        if !embedding.iter().all(|value| value.is_finite()) {
            return Err(Lacking::NotFinite);
        }
        let near = centres.near(embedding, scores);
        head.score(embedding, scores);
        Ok(near)
    }
}
