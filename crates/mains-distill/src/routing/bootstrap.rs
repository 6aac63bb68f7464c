//! Intervals by the bootstrap (Efron 1979): the same draws for every router, so that differences are paired. What is drawn
//! are whole units: near duplicates together, or everything of one group.

use super::curve::{Earned, Item, Order};
use mains_units::Chance;

/// Rows as they are drawn.
#[derive(Debug)]
pub(super) struct Drawn<'a> {
    /// What stands on each text.
    pub(super) items: &'a [Item],
    /// The unit of each text, from 0 without gaps.
    pub(super) units: &'a [u32],
    /// What both models cost on each text.
    pub(super) costs: Option<&'a [[f64; 2]]>,
}

/// One draw: what each router earns in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draw {
    /// One for each order.
    pub(super) earned: Vec<Earned>,
    /// Mean costs of a text: weak, strong.
    pub(super) costs: Option<[f64; 2]>,
}

impl Drawn<'_> {
    /// How many units there are.
    pub(super) fn units(&self) -> u32 {
        self.units.iter().max().map_or(0, |most| most + 1)
    }

    /// All rows, each once. `None` where the strong model is no better.
    pub(super) fn once(&self, orders: &[Order]) -> Option<Draw> {
        self.draw(orders, &vec![1; self.items.len()])
    }

    /// So many draws; those in which the strong model is no better are `None`.
    pub(super) fn draws(&self, orders: &[Order], resamples: u32, seed: u64) -> Vec<Option<Draw>> {
        let units = self.units();
        let mut chance = Chance::from_seed(seed);
        let (mut often, mut times) = (vec![0u32; units as usize], vec![0u32; self.items.len()]);
        let mut one = || {
            often.fill(0);
            for _ in 0..units {
                if let Ok(unit) = usize::try_from(chance.below(units.into())) {
                    often[unit] += 1;
                }
            }
            for (times, unit) in times.iter_mut().zip(self.units) {
                *times = often[*unit as usize];
            }
            self.draw(orders, &times)
        };
        (0..resamples).map(|_| one()).collect()
    }

    fn draw(&self, orders: &[Order], times: &[u32]) -> Option<Draw> {
        let earned =
            orders.iter().map(|order| Earned::of(order, self.items, times)).collect::<Option<_>>()?;
        let texts: f64 = times.iter().map(|times| f64::from(*times)).sum();
        let mean = |which: usize| {
            let sum = |costs: &[[f64; 2]]| {
                costs.iter().zip(times).map(|(cost, times)| cost[which] * f64::from(*times)).sum::<f64>()
            };
            self.costs.map(|costs| sum(costs) / texts)
        };
        Some(Draw { earned, costs: mean(0).zip(mean(1)).map(|(weak, strong)| [weak, strong]) })
    }
}

/// The two-sided percentile interval of a figure over all draws that have one; `None` where more than the tail lack it.
pub(super) fn interval(values: &[Option<f64>], alpha: f64) -> Option<[f64; 2]> {
    let mut known: Vec<f64> = values.iter().copied().flatten().collect();
    known.sort_by(f64::total_cmp);
    let lacking = (values.len() - known.len()) as f64;
    let tail = alpha / 2.0 * values.len() as f64;
    if known.is_empty() || lacking > tail {
        return None;
    }
    // As many in each tail as the level allows, rounded towards the wider interval.
    let tail = alpha / 2.0 * known.len() as f64;
    let out = (1..known.len()).take_while(|out| *out as f64 <= tail).count();
    Some([known[out], known[known.len() - 1 - out]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_leaves_the_tails_out() {
        let values: Vec<Option<f64>> = (0..1000).rev().map(|n| Some(f64::from(n))).collect();
        assert_eq!(interval(&values, 0.05), Some([25.0, 974.0]));
        let mut some = values.clone();
        some[..25].fill(None);
        assert_eq!(interval(&some, 0.05), Some([24.0, 950.0]));
        some[25] = None;
        assert_eq!(interval(&some, 0.05), None);
    }

    #[test]
    fn units_are_drawn_whole_and_the_draws_are_frozen() {
        let items: Vec<Item> =
            (0..40).map(|row| Item { gain: f64::from(u8::from(row % 3 == 0)), extra: 0.0 }).collect();
        let scores: Vec<f64> = (0..40).map(f64::from).collect();
        let orders = [Order::by(&scores)];
        let units: Vec<u32> = (0..40).map(|row| row / 20).collect();
        let drawn = Drawn { items: &items, units: &units, costs: None };
        // Two units: a draw has one of them twice, or each once.
        let mut found: Vec<String> = drawn
            .draws(&orders, 50, 1)
            .into_iter()
            .map(|draw| format!("{:.6}", draw.unwrap().earned[0].apgr))
            .collect();
        found.sort();
        found.dedup();
        assert_eq!(found.len(), 3);
        assert_eq!(drawn.draws(&orders, 5, 7), drawn.draws(&orders, 5, 7));
    }
}
