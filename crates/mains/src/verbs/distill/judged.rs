//! A labeller's answers on rows.

use super::encoder;
use crate::print::{self, Trouble};
use mains_distill::labeller::{Labelled, Labeller, Scratch};

/// Embeddings of texts, where a labeller needs them; its model must be the one that the labeller was trained with.
pub(in crate::verbs) fn embeddings(
    labeller: &Labeller,
    texts: &[&str],
    threads: usize,
) -> Result<Option<(Vec<f32>, usize)>, Trouble> {
    if !labeller.needs_embedding() {
        return Ok(None);
    }
    let mut encoder = of(labeller, threads)?;
    let dim = encoder.dim;
    let values = print::while_watched(|| "sentence embeddings".to_owned(), || encoder.embed(texts, &|_| {}))?;
    Ok(Some((values, dim)))
}

/// The encoder that a labeller was trained with.
pub(in crate::verbs) fn of(labeller: &Labeller, threads: usize) -> Result<encoder::Encoder, Trouble> {
    let encoder = encoder::start(threads)?;
    if labeller.dense.as_ref().is_some_and(|dense| dense.model_sha256 != encoder.model_sha256) {
        return Err(Trouble::new(
            "the labeller was trained with another encoder than the one that is known here",
        ));
    }
    Ok(encoder)
}

/// The labels of texts, in their order.
pub(in crate::verbs) fn labels(
    labeller: &Labeller,
    texts: &[&str],
    threads: usize,
) -> Result<Vec<Labelled>, Trouble> {
    let embedded = embeddings(labeller, texts, threads)?;
    let mut scratch = Scratch::default();
    let all = texts.iter().enumerate().map(|(place, text)| {
        let embedding = embedded.as_ref().and_then(|(all, dim)| all.get(place * dim..(place + 1) * dim));
        labeller.label_with(text, embedding, &mut scratch)
    });
    Ok(all.collect::<Result<_, _>>()?)
}
