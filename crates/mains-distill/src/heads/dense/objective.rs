//! Mean loss of multinomial logistic regression with a penalty on the weights, and its gradient.

use super::Embeddings;
use super::kernel::{self, Column, LANES, Lanes, TILE};
use crate::maths;
use pulp::Simd;

/// Rows of a block: its scores stay in the cache between the two products.
const BLOCK: usize = 16 * TILE;

/// The score of a column that is no class.
const NO_CLASS: f32 = -1e30;

/// Rows laid out for both products. Parameters lie in panels: for each `LANES` classes the bias, then a row of
/// `LANES` for each number of an embedding.
pub(super) struct Objective {
    classes: usize,
    dim: usize,
    penalty: f32,
    labels: Vec<u32>,
    /// For the scores: tiles of rows, each with a column for each number.
    tiles: Vec<Column>,
    /// For the gradient: for each row tiles of its numbers.
    rows: Vec<Column>,
}

/// How long a row of tiles is.
fn tiles_of(dim: usize) -> usize {
    dim.div_ceil(TILE)
}

/// The length of the parameters of so many classes.
pub(super) fn parameters(classes: usize, dim: usize) -> usize {
    classes.div_ceil(LANES) * (tiles_of(dim) * TILE + 1) * LANES
}

impl Objective {
    /// Lays out the chosen rows; `penalty` is half the factor before the squares of the weights, doubled.
    pub(super) fn new(
        embeddings: Embeddings<'_>,
        labels: &[u32],
        classes: usize,
        chosen: &[usize],
        penalty: f32,
    ) -> Self {
        let dim = tiles_of(embeddings.dim) * TILE;
        let mut tiles = vec![[0.0; TILE]; chosen.len().div_ceil(TILE) * dim];
        let mut rows = vec![[0.0; TILE]; chosen.len() * dim / TILE];
        for (at, row) in chosen.iter().enumerate() {
            for (k, value) in embeddings.row(*row).iter().enumerate() {
                tiles[at / TILE * dim + k][at % TILE] = *value;
                rows[at * (dim / TILE) + k / TILE][k % TILE] = *value;
            }
        }
        let labels = chosen.iter().map(|row| labels[*row]).collect();
        Self { classes, dim, penalty, labels, tiles, rows }
    }

    /// The mean loss at these parameters; its gradient goes into `gradient`.
    pub(super) fn evaluate(&self, parameters: &[Lanes], gradient: &mut [Lanes]) -> f64 {
        let panels = self.classes.div_ceil(LANES);
        let mut residuals = vec![[0.0; LANES]; panels * BLOCK];
        gradient.fill([0.0; LANES]);
        let mut loss = 0.0;
        for first in (0..self.labels.len()).step_by(BLOCK) {
            let count = BLOCK.min(self.labels.len() - first);
            let block =
                Block { objective: self, parameters, first, count, residuals: &mut residuals, gradient };
            loss += pulp::Arch::new().dispatch(block);
        }
        let share = 1.0 / self.labels.len() as f32;
        let mut squares = 0.0f64;
        for (panel, into) in parameters.chunks(self.dim + 1).zip(gradient.chunks_mut(self.dim + 1)) {
            for (at, (lanes, into)) in panel.iter().zip(into).enumerate() {
                let penalty = if at == 0 { 0.0 } else { self.penalty };
                for (value, slope) in lanes.iter().zip(into) {
                    *slope = *slope * share + penalty * value;
                    squares += f64::from(penalty * value * value);
                }
            }
        }
        loss / self.labels.len() as f64 + squares / 2.0
    }

    /// Scores of a block, panel by panel.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "only what is inlined uses the wide instructions")]
    fn scores<S: Simd>(
        &self,
        simd: S,
        parameters: &[Lanes],
        first: usize,
        count: usize,
        scores: &mut [Lanes],
    ) {
        for (panel, scores) in parameters.chunks_exact(self.dim + 1).zip(scores.chunks_exact_mut(BLOCK)) {
            let (bias, weights) = (panel[0], &panel[1..]);
            for (tile, scores) in scores.chunks_exact_mut(TILE).take(count.div_ceil(TILE)).enumerate() {
                let from = (first / TILE + tile) * self.dim;
                let mut sums = [bias; TILE];
                kernel::product(simd, self.tiles[from..from + self.dim].iter(), weights, &mut sums);
                scores.copy_from_slice(&sums);
            }
        }
    }

    /// From scores to what a row's probabilities exceed its label by; the sum of the rows' losses.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "only what is inlined uses the wide instructions")]
    fn softmax(&self, first: usize, count: usize, scores: &mut [Lanes]) -> f64 {
        let panels = self.classes.div_ceil(LANES);
        let mut loss = 0.0;
        for row in 0..count {
            let label = self.labels[first + row] as usize;
            let last = &mut scores[(panels - 1) * BLOCK + row];
            last[self.classes - (panels - 1) * LANES..].fill(NO_CLASS);
            let mut most = [NO_CLASS; LANES];
            for panel in 0..panels {
                let lanes = &scores[panel * BLOCK + row];
                for lane in 0..LANES {
                    most[lane] = if lanes[lane] > most[lane] { lanes[lane] } else { most[lane] };
                }
            }
            let most = most.iter().fold(NO_CLASS, |most, score| most.max(*score));
            let own = scores[label / LANES * BLOCK + row][label % LANES] - most;
            let mut sums = [0.0; LANES];
            for panel in 0..panels {
                let lanes = &mut scores[panel * BLOCK + row];
                for lane in lanes.iter_mut() {
                    *lane -= most;
                }
                kernel::exp(lanes);
                for lane in 0..LANES {
                    sums[lane] += lanes[lane];
                }
            }
            let sum: f32 = sums.iter().sum();
            for panel in 0..panels {
                for lane in &mut scores[panel * BLOCK + row] {
                    *lane *= 1.0 / sum;
                }
            }
            scores[label / LANES * BLOCK + row][label % LANES] -= 1.0;
            loss += maths::ln(f64::from(sum)) - f64::from(own);
        }
        loss
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "only what is inlined uses the wide instructions")]
    fn add_gradient<S: Simd>(
        &self,
        simd: S,
        first: usize,
        count: usize,
        residuals: &[Lanes],
        gradient: &mut [Lanes],
    ) {
        let width = self.dim / TILE;
        let rows = &self.rows[first * width..(first + count) * width];
        let panels = gradient.chunks_exact_mut(self.dim + 1).zip(residuals.chunks_exact(BLOCK));
        for (gradient, residuals) in panels {
            let residuals = &residuals[..count];
            for lanes in residuals {
                for lane in 0..LANES {
                    gradient[0][lane] += lanes[lane];
                }
            }
            for (tile, into) in gradient[1..].chunks_exact_mut(TILE).enumerate() {
                let mut sums = [[0.0; LANES]; TILE];
                let column = rows.chunks_exact(width).map(|row| &row[tile]);
                kernel::product(simd, column, residuals, &mut sums);
                for row in 0..TILE {
                    for lane in 0..LANES {
                        into[row][lane] += sums[row][lane];
                    }
                }
            }
        }
    }
}

/// A block's share of loss and gradient, with the widest instructions.
struct Block<'a> {
    objective: &'a Objective,
    parameters: &'a [Lanes],
    first: usize,
    count: usize,
    residuals: &'a mut [Lanes],
    gradient: &'a mut [Lanes],
}

impl pulp::WithSimd for Block<'_> {
    type Output = f64;

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "only what is inlined uses the wide instructions")]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let Self { objective, parameters, first, count, residuals, gradient } = self;
        objective.scores(simd, parameters, first, count, residuals);
        let loss = objective.softmax(first, count, residuals);
        objective.add_gradient(simd, first, count, residuals, gradient);
        loss
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_possible_truncation, reason = "small numbers of a test")]

    use super::*;
    use mains_units::Chance;

    /// The plain formula in double precision: loss at `parameters`.
    fn plain(values: &[f32], dim: usize, labels: &[u32], classes: usize, penalty: f32, at: &[Lanes]) -> f64 {
        let padded = tiles_of(dim) * TILE;
        let parameter =
            |k: usize, class: usize| f64::from(at[class / LANES * (padded + 1) + k][class % LANES]);
        let mut loss = 0.0;
        for (row, label) in values.chunks(dim).zip(labels) {
            let score = |class: usize| {
                let terms = row.iter().enumerate().map(|(k, x)| f64::from(*x) * parameter(k + 1, class));
                parameter(0, class) + terms.sum::<f64>()
            };
            let sum: f64 = (0..classes).map(|class| score(class).exp()).sum();
            loss += sum.ln() - score(*label as usize);
        }
        let squares: f64 =
            at.iter()
                .enumerate()
                .map(|(k, lanes)| {
                    if k % (padded + 1) == 0 {
                        0.0
                    } else {
                        lanes.iter().map(|w| f64::from(*w).powi(2)).sum()
                    }
                })
                .sum();
        loss / labels.len() as f64 + f64::from(penalty) * squares / 2.0
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let mut chance = Chance::from_seed(3);
        // No size is a multiple of a tile, a block or a panel.
        let (rows, dim, classes, penalty) = (BLOCK + 7, 11, LANES + 3, 0.05);
        let mut draw = |scale: f64| ((chance.unit() - 0.5) * scale) as f32;
        let values: Vec<f32> = (0..rows * dim).map(|_| draw(2.0)).collect();
        let labels: Vec<u32> = (0..rows).map(|row| (row * 7 % classes) as u32).collect();
        let chosen: Vec<usize> = (0..rows).collect();
        let embeddings = Embeddings { values: &values, dim };
        let objective = Objective::new(embeddings, &labels, classes, &chosen, penalty);
        let mut at = vec![[0.0; LANES]; parameters(classes, dim) / LANES];
        for class in 0..classes {
            for k in 0..=dim {
                at[class / LANES * (objective.dim + 1) + k][class % LANES] = draw(1.0);
            }
        }
        let mut gradient = at.clone();
        let loss = objective.evaluate(&at, &mut gradient);
        let truth = |at: &[Lanes]| plain(&values, dim, &labels, classes, penalty, at);
        assert!((loss - truth(&at)).abs() < 1e-5, "{loss} {}", truth(&at));
        for (row, lane) in [(0, 0), (1, 5), (4, 15), (11, 9), (13, 0), (14, 1), (20, 2)] {
            let mut other = at.clone();
            other[row][lane] += 1.0 / 128.0;
            let above = truth(&other);
            other[row][lane] -= 1.0 / 64.0;
            let slope = (above - truth(&other)) / (1.0 / 64.0);
            assert!((slope - f64::from(gradient[row][lane])).abs() < 1e-5, "{row} {lane}: {slope}");
        }
        // Padding has no slope, so it stays zero.
        assert_eq!(gradient[objective.dim + 1][3].to_bits(), 0);
    }
}
