//! L-BFGS: minimising a smooth function by its gradients (Nocedal, Mathematics of Computation 35, 1980).

use std::collections::VecDeque;

/// How many steps are remembered.
const MEMORY: usize = 10;
/// A step must bring this share of what its slope promises (Armijo).
const ENOUGH: f64 = 1e-4;
/// How often a step is halved before it is given up.
const HALVINGS_MAX: u32 = 30;

struct Step {
    change: Vec<f32>,
    bend: Vec<f32>,
    inverse: f64,
}

/// Minimises `function(at, gradient) -> value` from `at` until no slope is steeper than `tolerance` or `steps_max`
/// are done. The answer is how many steps were taken.
pub(super) fn minimise(
    at: &mut Vec<f32>,
    tolerance: f32,
    steps_max: u32,
    mut function: impl FnMut(&[f32], &mut [f32]) -> f64,
) -> u32 {
    let mut gradient = vec![0.0; at.len()];
    let mut value = function(at, &mut gradient);
    let (mut next, mut next_gradient) = (at.clone(), gradient.clone());
    let mut memory: VecDeque<Step> = VecDeque::with_capacity(MEMORY);
    for taken in 0..steps_max {
        if gradient.iter().all(|slope| slope.abs() <= tolerance) {
            return taken;
        }
        let mut direction = direction(&gradient, &memory);
        let mut slope = dot(&direction, &gradient);
        if slope >= 0.0 {
            // Rounding spoiled the memory: begin anew, straight down.
            memory.clear();
            direction = gradient.iter().map(|slope| -slope).collect();
            slope = dot(&direction, &gradient);
        }
        let mut length = if memory.is_empty() { 1.0 / dot(&gradient, &gradient).sqrt() } else { 1.0 };
        let mut halvings = 0;
        let next_value = loop {
            walk(at, &direction, length, &mut next);
            let next_value = function(&next, &mut next_gradient);
            if next_value <= value + ENOUGH * length * slope {
                break next_value;
            }
            halvings += 1;
            if halvings > HALVINGS_MAX {
                return taken;
            }
            length /= 2.0;
        };
        remember(&mut memory, at, &next, &gradient, &next_gradient);
        std::mem::swap(at, &mut next);
        std::mem::swap(&mut gradient, &mut next_gradient);
        value = next_value;
    }
    steps_max
}

/// Minus the inverse curvature, as far as it is remembered, times the gradient.
fn direction(gradient: &[f32], memory: &VecDeque<Step>) -> Vec<f32> {
    let mut direction: Vec<f32> = gradient.iter().map(|slope| -slope).collect();
    let mut shares = Vec::with_capacity(memory.len());
    for step in memory.iter().rev() {
        let share = step.inverse * dot(&step.change, &direction);
        add(&mut direction, -share, &step.bend);
        shares.push(share);
    }
    if let Some(last) = memory.back() {
        scale(&mut direction, 1.0 / (last.inverse * dot(&last.bend, &last.bend)));
    }
    for (step, share) in memory.iter().zip(shares.into_iter().rev()) {
        let back = step.inverse * dot(&step.bend, &direction);
        add(&mut direction, share - back, &step.change);
    }
    direction
}

fn remember(memory: &mut VecDeque<Step>, from: &[f32], to: &[f32], before: &[f32], after: &[f32]) {
    let change: Vec<f32> = to.iter().zip(from).map(|(to, from)| to - from).collect();
    let bend: Vec<f32> = after.iter().zip(before).map(|(after, before)| after - before).collect();
    let product = dot(&change, &bend);
    // Only what bends upwards keeps the direction a descent.
    if product > 1e-12 * dot(&bend, &bend) && product > 0.0 {
        if memory.len() == MEMORY {
            memory.pop_front();
        }
        memory.push_back(Step { change, bend, inverse: 1.0 / product });
    }
}

/// The sum of products in double precision, in one order.
fn dot(a: &[f32], b: &[f32]) -> f64 {
    let mut sums = [0.0f64; 8];
    let (a_wide, a_rest) = a.as_chunks::<8>();
    let (b_wide, b_rest) = b.as_chunks::<8>();
    for (a, b) in a_wide.iter().zip(b_wide) {
        for lane in 0..8 {
            sums[lane] += f64::from(a[lane]) * f64::from(b[lane]);
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
    sums.iter().sum::<f64>() + rest
}

#[expect(clippy::cast_possible_truncation, reason = "f32 is what parameters are")]
fn add(to: &mut [f32], factor: f64, what: &[f32]) {
    let factor = factor as f32;
    to.iter_mut().zip(what).for_each(|(to, what)| *to += factor * what);
}

#[expect(clippy::cast_possible_truncation, reason = "f32 is what parameters are")]
fn scale(what: &mut [f32], factor: f64) {
    let factor = factor as f32;
    for number in what {
        *number *= factor;
    }
}

#[expect(clippy::cast_possible_truncation, reason = "f32 is what parameters are")]
fn walk(from: &[f32], direction: &[f32], length: f64, to: &mut [f32]) {
    let length = length as f32;
    let steps = from.iter().zip(direction);
    to.iter_mut().zip(steps).for_each(|(to, (from, direction))| *to = from + length * direction);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_valley_is_walked_to_its_end() {
        let mut at = vec![-1.2, 1.0];
        let steps = minimise(&mut at, 1e-4, 500, |at, gradient| {
            let (x, y) = (at[0], at[1]);
            gradient[0] = -400.0 * x * (y - x * x) - 2.0 * (1.0 - x);
            gradient[1] = 200.0 * (y - x * x);
            f64::from(100.0 * (y - x * x).powi(2) + (1.0 - x).powi(2))
        });
        assert!((at[0] - 1.0).abs() < 1e-2 && (at[1] - 1.0).abs() < 2e-2, "{at:?} after {steps}");
        assert!(steps < 100);
    }
}
