//! What is learned: heads out of fold, the choice between them, and the heads on all rows to fit.

use super::crew::{Crew, each};
use super::lesson::Stage;
use super::untrainable::Untrainable;
use crate::features::Rows;
use crate::heads::average::{Choice, Heads, choose};
use crate::heads::dense::{self, Centres, DenseHead, Embeddings};
use crate::heads::folds::Folds;
use crate::heads::ngram::{self, NgramHead, Problem};
use crate::heads::{Refused, Scores};
use std::sync::atomic::{AtomicU32, Ordering};

/// How many folds.
const FOLDS: u32 = 5;

/// The costs that are tried for the head on embeddings, the smoothest first.
const DENSE_COSTS: [u32; 3] = [1, 5, 25];

/// The rows to fit.
pub(super) struct Ground {
    /// Their n-grams.
    pub(super) rows: Rows,
    /// The teacher's labels.
    pub(super) labels: Vec<u32>,
    /// How many labels there are.
    pub(super) classes: usize,
    /// Groups of near duplicates.
    pub(super) groups: Vec<u32>,
    /// Their embeddings, row after row, and the numbers in one.
    pub(super) embeddings: Option<(Vec<f32>, usize)>,
    /// The seed of folds and orders.
    pub(super) seed: u64,
    /// The heads that must speak, if that is settled.
    pub(super) heads: Option<Heads>,
}

/// What was learned.
pub(super) struct Learned {
    /// The head on n-grams, of all rows.
    pub(super) ngram: NgramHead,
    /// The head on embeddings and its centres, of all rows; absent where it does not speak.
    pub(super) dense: Option<(DenseHead, Centres)>,
    /// Which heads speak, and what spoke for them.
    pub(super) choice: Choice,
    /// The cost of the head on embeddings.
    pub(super) dense_cost: Option<u32>,
    /// Scores of n-grams, out of fold.
    pub(super) ngram_scores: Scores,
    /// Scores of embeddings, out of fold.
    pub(super) dense_scores: Option<Scores>,
    /// How much each row is like what those heads that speak learned from, the row not being among it.
    pub(super) known: Vec<f32>,
}

/// What one job out of fold gives.
enum Piece {
    Ngram(Scores, Vec<f32>),
    Dense(Scores, Vec<f32>),
}

impl Ground {
    fn embeddings(&self) -> Option<Embeddings<'_>> {
        self.embeddings.as_ref().map(|(values, dim)| Embeddings { values, dim: *dim })
    }

    fn ngram_settings(&self) -> ngram::Settings {
        ngram::Settings { seed: self.seed, ..ngram::Settings::default() }
    }

    fn ngram_out_of_fold(&self, folds: &Folds, fold: u32) -> Result<Piece, Refused> {
        let (fit, held) = (folds.others(fold), folds.held(fold));
        let head = Problem::new(&self.rows, &self.labels, self.classes, &fit, self.ngram_settings())?.fit();
        let known = held.iter().map(|row| head.known(&self.rows, *row)).collect();
        Ok(Piece::Ngram(head.score_rows(&self.rows, &held), known))
    }

    fn dense_out_of_fold(&self, folds: &Folds, fold: u32, cost: u32) -> Result<Piece, Refused> {
        let Some(embeddings) = self.embeddings() else { return Err(Refused::NoRows) };
        let (fit, held) = (folds.others(fold), folds.held(fold));
        let head = dense::fit(embeddings, &self.labels, self.classes, &fit, dense_settings(cost))?;
        let centres = Centres::of(embeddings, &self.labels, self.classes, &fit);
        let mut buffer = Vec::new();
        let near = held.iter().map(|row| centres.near(embeddings.row(*row), &mut buffer)).collect();
        Ok(Piece::Dense(head.score_rows(embeddings, &held), near))
    }

    /// Trains out of fold, chooses, and trains on everything.
    pub(super) fn learn(
        &self,
        crew: &dyn Crew,
        told: &(dyn Fn(Stage) + Sync),
    ) -> Result<Learned, Untrainable> {
        let folds = Folds::by_group(&self.groups, FOLDS, self.seed);
        let costs: &[u32] = if self.embeddings.is_some() { &DENSE_COSTS } else { &[] };
        let pieces = self.out_of_fold(&folds, costs, crew, told)?;
        let (mut ngrams, mut known) = (Vec::new(), vec![0.0; self.labels.len()]);
        let mut near = known.clone();
        let mut denses: Vec<Vec<Scores>> = costs.iter().map(|_| Vec::new()).collect();
        for (place, piece) in pieces.into_iter().enumerate() {
            // A fold's pieces stand side by side: one of n-grams, then one for each cost.
            let (fold, of_fold) = (place / (costs.len() + 1), place % (costs.len() + 1));
            let held = folds.held(u32::try_from(fold).unwrap_or(u32::MAX)).into_iter();
            match piece {
                Piece::Ngram(scores, shares) => {
                    held.zip(shares).for_each(|(row, share)| known[row] = share);
                    ngrams.push(scores);
                }
                Piece::Dense(scores, shares) => {
                    held.zip(shares).for_each(|(row, share)| near[row] = share);
                    denses
                        .get_mut(of_fold.saturating_sub(1))
                        .into_iter()
                        .for_each(|of| of.push(scores.clone()));
                }
            }
        }
        told(Stage::Choose);
        let ngram_scores = folds.gather(&ngrams, self.classes);
        let best = costs
            .iter()
            .zip(denses)
            .map(|(cost, scores)| (*cost, folds.gather(&scores, self.classes)))
            .map(|(cost, scores)| (scores.right(&self.labels), cost, scores))
            // Of equals the smoothest.
            .reduce(|best, next| if next.0 > best.0 { next } else { best });
        let (dense_cost, dense_scores) = best.map(|(_, cost, scores)| (cost, scores)).unzip();
        let choice = choose(&ngram_scores, dense_scores.as_ref(), &self.labels, self.heads);
        told(Stage::Fit);
        let cost = dense_cost.filter(|_| choice.mapping.heads != Heads::Ngram);
        let (ngram, dense) = self.fit(cost, crew)?;
        let dense = dense.zip(self.embeddings()).map(|(head, embeddings)| {
            let every: Vec<usize> = (0..self.labels.len()).collect();
            (head, Centres::of(embeddings, &self.labels, self.classes, &every))
        });
        let known = if dense.is_some() { near } else { known };
        Ok(Learned { ngram, dense, choice, dense_cost, ngram_scores, dense_scores, known })
    }

    fn out_of_fold(
        &self,
        folds: &Folds,
        costs: &[u32],
        crew: &dyn Crew,
        told: &(dyn Fn(Stage) + Sync),
    ) -> Result<Vec<Piece>, Untrainable> {
        let kinds = (0..folds.count()).flat_map(|fold| {
            std::iter::once((fold, None)).chain(costs.iter().map(move |cost| (fold, Some(*cost))))
        });
        let kinds: Vec<(u32, Option<u32>)> = kinds.collect();
        let of = u32::try_from(kinds.len()).unwrap_or(u32::MAX);
        told(Stage::Fold { done: 0, of });
        let done = AtomicU32::new(0);
        let work = kinds.into_iter().map(|(fold, cost)| {
            let done = &done;
            move || {
                let piece = match cost {
                    None => self.ngram_out_of_fold(folds, fold),
                    Some(cost) => self.dense_out_of_fold(folds, fold, cost),
                };
                told(Stage::Fold { done: done.fetch_add(1, Ordering::Relaxed) + 1, of });
                piece
            }
        });
        all(each(crew, work.collect()))
    }

    /// The heads on all rows; the separators of n-grams are found beside each other.
    fn fit(&self, cost: Option<u32>, crew: &dyn Crew) -> Result<(NgramHead, Option<DenseHead>), Untrainable> {
        enum Part {
            Separator(ngram::Separator),
            Dense(DenseHead),
        }
        let every: Vec<usize> = (0..self.labels.len()).collect();
        let problem = Problem::new(&self.rows, &self.labels, self.classes, &every, self.ngram_settings())?;
        let (problem, every) = (&problem, &every);
        let dense = cost.map(|_| None).into_iter();
        let pieces: Vec<Option<usize>> = dense.chain((0..problem.pieces()).map(Some)).collect();
        let work = pieces.into_iter().map(|piece| {
            move || match (piece, self.embeddings()) {
                (Some(piece), _) => Ok(Part::Separator(problem.solve(piece))),
                (None, Some(embeddings)) => {
                    let settings = dense_settings(cost.unwrap_or(DENSE_COSTS[0]));
                    dense::fit(embeddings, &self.labels, self.classes, every, settings).map(Part::Dense)
                }
                (None, None) => Err(Refused::NoRows),
            }
        });
        let (mut separators, mut dense) = (Vec::new(), None);
        for part in all(each(crew, work.collect()))? {
            match part {
                Part::Separator(separator) => separators.push(separator),
                Part::Dense(head) => dense = Some(head),
            }
        }
        Ok((problem.assemble(&separators), dense))
    }
}

fn dense_settings(cost: u32) -> dense::Settings {
    dense::Settings { cost: cost as f32, ..dense::Settings::default() }
}

fn all<T>(results: Vec<Option<Result<T, Refused>>>) -> Result<Vec<T>, Untrainable> {
    results.into_iter().map(|result| result.ok_or(Untrainable::Undone)?.map_err(Untrainable::Head)).collect()
}
