//! What was learned from embeddings, and how to learn it.

use super::kernel::{self, LANES, Lanes, TILE};
use super::objective::{self, Objective};
use super::{Embeddings, lbfgs};
use crate::heads::{Refused, Scores};

/// How the head on embeddings learns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// How much a row's loss counts beside the size of the weights (scikit-learn's C).
    pub cost: f32,
    /// Learning ends when no slope of the mean loss is steeper.
    pub tolerance: f32,
    /// The most steps.
    pub steps_max: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { cost: 10.0, tolerance: 1e-4, steps_max: 200 }
    }
}

/// A trained head on embeddings.
#[derive(Debug, Clone, PartialEq)]
pub struct DenseHead {
    classes: usize,
    dim: usize,
    /// Panels of `LANES` classes: the bias, then a row for each number of an embedding.
    panels: Vec<Lanes>,
}

impl DenseHead {
    /// A head of its parts: for each class the bias, then a weight for each number.
    pub(crate) fn of_parts(classes: usize, dim: usize, weights: &[f32]) -> Self {
        let mut panels = vec![[0.0; LANES]; classes.div_ceil(LANES) * (dim + 1)];
        for (class, weights) in weights.chunks_exact(dim + 1).take(classes).enumerate() {
            for (k, weight) in weights.iter().enumerate() {
                panels[class / LANES * (dim + 1) + k][class % LANES] = *weight;
            }
        }
        Self { classes, dim, panels }
    }

    /// For each class the bias, then a weight for each number.
    pub(crate) fn weights(&self) -> impl Iterator<Item = f32> {
        (0..self.classes).flat_map(move |class| {
            let from = class / LANES * (self.dim + 1);
            (from..=from + self.dim).map(move |row| self.panels[row][class % LANES])
        })
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Numbers in an embedding.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Scores of one embedding for each class; none where it has another length than `dim`.
    pub fn score(&self, embedding: &[f32], scores: &mut Vec<f32>) {
        scores.clear();
        if embedding.len() != self.dim {
            return;
        }
        for panel in self.panels.chunks_exact(self.dim + 1) {
            let mut sums = panel[0];
            pulp::Arch::new().dispatch(kernel::Row {
                values: embedding,
                panel: &panel[1..],
                sums: &mut sums,
            });
            scores.extend_from_slice(&sums);
        }
        scores.truncate(self.classes);
    }

    /// Scores of the chosen rows, in their order.
    pub fn score_rows(&self, embeddings: Embeddings<'_>, chosen: &[usize]) -> Scores {
        let mut all = Scores::zero(chosen.len(), self.classes);
        let mut scores = Vec::new();
        for (at, row) in chosen.iter().enumerate() {
            self.score(embeddings.row(*row), &mut scores);
            all.set(at, &scores);
        }
        all
    }
}

/// Learns from the chosen rows; `labels` belongs to all rows, each below `classes`. Nothing is drawn by chance: it
/// begins at zero and the loss has one minimum.
pub fn fit(
    embeddings: Embeddings<'_>,
    labels: &[u32],
    classes: usize,
    chosen: &[usize],
    settings: Settings,
) -> Result<DenseHead, Refused> {
    crate::heads::check(embeddings.len(), labels, classes, chosen)?;
    let finite = |row: &&usize| !embeddings.row(**row).iter().all(|value| value.is_finite());
    if let Some(row) = chosen.iter().find(finite) {
        return Err(Refused::NotFinite { row: *row });
    }
    let penalty = 1.0 / (settings.cost * chosen.len() as f32);
    let objective = Objective::new(embeddings, labels, classes, chosen, penalty);
    let mut parameters = vec![0.0; objective::parameters(classes, embeddings.dim)];
    lbfgs::minimise(&mut parameters, settings.tolerance, settings.steps_max, |at, gradient| {
        objective.evaluate(at.as_chunks().0, gradient.as_chunks_mut().0)
    });
    // The panels of learning have numbers up to a whole tile; those of the head have what an embedding has.
    let padded = embeddings.dim.next_multiple_of(TILE) + 1;
    let panels = parameters.as_chunks::<LANES>().0.chunks_exact(padded);
    let panels = panels.flat_map(|panel| panel[..=embeddings.dim].iter().copied()).collect();
    Ok(DenseHead { classes, dim: embeddings.dim, panels })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_possible_truncation, reason = "small numbers of a test")]

    use super::*;
    use mains_units::Chance;

    #[test]
    fn clusters_are_told_apart_and_a_second_run_gives_the_same_bits() {
        let mut chance = Chance::from_seed(11);
        let (classes, dim, rows) = (20usize, 13usize, 400usize);
        let centres: Vec<f32> = (0..classes * dim).map(|_| (chance.unit() - 0.5) as f32).collect();
        let labels: Vec<u32> = (0..rows).map(|row| (row % classes) as u32).collect();
        let values: Vec<f32> = labels
            .iter()
            .flat_map(|label| centres[*label as usize * dim..][..dim].to_vec())
            .map(|centre| centre + (chance.unit() - 0.5) as f32 * 0.3)
            .collect();
        let embeddings = Embeddings { values: &values, dim };
        let chosen: Vec<usize> = (0..rows / 2).collect();
        let settings = Settings { cost: 100.0, ..Settings::default() };
        let head = fit(embeddings, &labels, classes, &chosen, settings).unwrap();
        let held: Vec<usize> = (rows / 2..rows).collect();
        let right = head.score_rows(embeddings, &held).right(&labels[rows / 2..]);
        assert!(right * 100 > 95 * held.len(), "{right} of {}", held.len());
        assert_eq!(head, fit(embeddings, &labels, classes, &chosen, settings).unwrap());
        let parts: Vec<f32> = head.weights().collect();
        assert_eq!(DenseHead::of_parts(classes, dim, &parts), head);
    }

    #[test]
    fn what_cannot_be_learned_from_is_refused() {
        let embeddings = Embeddings { values: &[1.0, f32::NAN, 0.5, 0.5], dim: 2 };
        let settings = Settings::default();
        assert_eq!(fit(embeddings, &[0, 1], 2, &[0, 1], settings), Err(Refused::NotFinite { row: 0 }));
        assert_eq!(fit(embeddings, &[0, 2], 2, &[1], settings), Err(Refused::Label { row: 1, label: 2 }));
        assert_eq!(fit(embeddings, &[0], 2, &[0], settings), Err(Refused::Lengths { rows: 2, labels: 1 }));
    }
}
