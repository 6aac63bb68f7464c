//! Ridge regression (Hoerl and Kennard 1970) by conjugate gradients (Hestenes and Stiefel 1952) on the normal equations
//! of centred rows: `(X'X + n s I) w = X'y`, where `n` counts the rows and `s` is the strength.

use super::design::Design;
use crate::heads::folds::Folds;

/// Strengths, strongest first; by half powers of ten.
const STRENGTHS: [f64; 10] = [3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.000_3, 0.000_1];
/// After so many strengths in a row that did worse than the best, weaker ones are not tried.
const WORSE_MAX: usize = 2;
/// Folds within the rows that teach.
const INNER_FOLDS: u32 = 3;
/// A solution is good enough when what is left is so much smaller than the right side.
const TOLERANCE: f64 = 1e-5;
/// The most steps for one strength.
const STEPS_MAX: u32 = 300;

/// What was learned.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ridge {
    pub(super) weights: Vec<f64>,
    /// The place of the strength among `STRENGTHS`.
    pub(super) strength: f64,
}

/// Learns from the rows that teach; `target` and `groups` belong to all rows. The strength is the one whose predictions
/// of rows of other groups had the least squared error.
pub(super) fn fit(design: &Design<'_>, target: &[f64], teach: &[usize], groups: &[u32], seed: u64) -> Ridge {
    let best = choose(design, target, teach, groups, seed);
    let mut solver = Solver::new(design, target, teach);
    // The way down from the strongest is shorter than a start from nothing.
    for strength in &STRENGTHS[..=best] {
        solver.solve(*strength);
    }
    Ridge { weights: solver.weights, strength: STRENGTHS[best] }
}

fn choose(design: &Design<'_>, target: &[f64], teach: &[usize], groups: &[u32], seed: u64) -> usize {
    let own: Vec<u32> = teach.iter().map(|row| groups[*row]).collect();
    let folds = Folds::by_group(&own, INNER_FOLDS, seed);
    let rows = |places: Vec<usize>| -> Vec<usize> { places.into_iter().map(|place| teach[place]).collect() };
    let mut solvers: Vec<(Solver<'_>, Vec<usize>)> = (0..folds.count())
        .map(|fold| (Solver::new(design, target, &rows(folds.others(fold))), rows(folds.held(fold))))
        .collect();
    let (mut best, mut least) = (0, f64::INFINITY);
    for (place, strength) in STRENGTHS.into_iter().enumerate() {
        let mut error = 0.0;
        for (solver, held) in &mut solvers {
            solver.solve(strength);
            error += held.iter().map(|row| (solver.predict(*row) - target[*row]).powi(2)).sum::<f64>();
        }
        if error < least {
            (best, least) = (place, error);
        } else if place >= best + WORSE_MAX {
            break;
        }
    }
    best
}

/// One set of rows, solved for one strength after the other.
struct Solver<'d> {
    design: &'d Design<'d>,
    rows: Vec<usize>,
    /// The mean row.
    mean: Vec<f64>,
    /// The mean target.
    level: f64,
    /// `X'y`, centred.
    right: Vec<f64>,
    weights: Vec<f64>,
}

impl<'d> Solver<'d> {
    fn new(design: &'d Design<'d>, target: &[f64], rows: &[usize]) -> Self {
        let n = rows.len().max(1) as f64;
        let level = rows.iter().map(|row| target[*row]).sum::<f64>() / n;
        let (mut mean, mut right) = (vec![0.0; design.width()], vec![0.0; design.width()]);
        for row in rows {
            design.add(*row, 1.0 / n, &mut mean);
            // The centred target sums to zero, so that the mean row drops out.
            design.add(*row, target[*row] - level, &mut right);
        }
        let weights = vec![0.0; design.width()];
        Self { design, rows: rows.to_vec(), mean, level, right, weights }
    }

    /// Goes on from the weights of the strength before.
    fn solve(&mut self, strength: f64) {
        let penalty = strength * self.rows.len() as f64;
        let mut product = vec![0.0; self.weights.len()];
        self.times(&self.weights, penalty, &mut product);
        let mut rest: Vec<f64> =
            self.right.iter().zip(&product).map(|(right, product)| right - product).collect();
        let mut way = rest.clone();
        let mut size = dot(&rest, &rest);
        let enough = TOLERANCE * TOLERANCE * dot(&self.right, &self.right);
        for _ in 0..STEPS_MAX {
            if size <= enough {
                break;
            }
            self.times(&way, penalty, &mut product);
            let step = size / dot(&way, &product);
            for (at, weight) in self.weights.iter_mut().enumerate() {
                *weight += step * way[at];
                rest[at] -= step * product[at];
            }
            let next = dot(&rest, &rest);
            for (way, rest) in way.iter_mut().zip(&rest) {
                *way = rest + next / size * *way;
            }
            size = next;
        }
    }

    /// `(X'X + penalty I)` times a vector, over centred rows.
    fn times(&self, vector: &[f64], penalty: f64, product: &mut [f64]) {
        for (product, value) in product.iter_mut().zip(vector) {
            *product = penalty * value;
        }
        let offset = dot(&self.mean, vector);
        let mut sum = 0.0;
        for row in &self.rows {
            let along = self.design.dot(*row, vector) - offset;
            sum += along;
            self.design.add(*row, along, product);
        }
        for (product, mean) in product.iter_mut().zip(&self.mean) {
            *product -= sum * mean;
        }
    }

    fn predict(&self, row: usize) -> f64 {
        self.level + self.design.dot(row, &self.weights) - dot(&self.mean, &self.weights)
    }
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

#[cfg(test)]
mod tests {
    use super::super::design::Source;
    use super::*;
    use crate::heads::dense::Embeddings;

    /// Two numbers a row, worked out by hand: with X centred, X'X = [[4, 0], [0, 4]] and X'y = [4, 2].
    #[test]
    fn weights_are_those_of_the_closed_form() {
        let values = [2.0, 3.0, 2.0, 1.0, 0.0, 3.0, 0.0, 1.0];
        let target = [7.5, 6.5, 5.5, 4.5];
        let design = Design::new(Source::Embeddings(Embeddings { values: &values, dim: 2 }), &[]);
        let mut solver = Solver::new(&design, &target, &[0, 1, 2, 3]);
        for (strength, expected) in [(1.0, [0.5, 0.25]), (0.0, [1.0, 0.5])] {
            solver.solve(strength);
            for (weight, expected) in solver.weights.iter().zip(expected) {
                assert!((weight - expected).abs() < 1e-9, "{:?}", solver.weights);
            }
        }
        assert!((solver.predict(0) - 7.5).abs() < 1e-9 && (solver.predict(3) - 4.5).abs() < 1e-9);
    }

    #[test]
    fn the_strength_follows_the_noise() {
        let mut chance = mains_units::Chance::from_seed(3);
        let (rows, dim) = (400usize, 10usize);
        #[expect(clippy::cast_possible_truncation, reason = "embeddings are f32")]
        let values: Vec<f32> = (0..rows * dim).map(|_| chance.unit() as f32 - 0.5).collect();
        let embeddings = Embeddings { values: &values, dim };
        let clean: Vec<f64> =
            (0..rows).map(|row| f64::from(embeddings.row(row)[0] - embeddings.row(row)[4])).collect();
        let noise: Vec<f64> = (0..rows).map(|_| chance.unit()).collect();
        let design = Design::new(Source::Embeddings(embeddings), &[]);
        let (all, groups): (Vec<usize>, Vec<u32>) = ((0..rows).collect(), (0..400).collect());
        let of_clean = fit(&design, &clean, &all, &groups, 1);
        let of_noise = fit(&design, &noise, &all, &groups, 1);
        assert!(of_clean.strength < 0.001 && of_noise.strength > 0.1, "{of_clean:?} {of_noise:?}");
        assert!((of_clean.weights[0] - 1.0).abs() < 0.01 && (of_clean.weights[4] + 1.0).abs() < 0.01);
        assert_eq!(of_clean, fit(&design, &clean, &all, &groups, 1), "to the bit");
    }
}
