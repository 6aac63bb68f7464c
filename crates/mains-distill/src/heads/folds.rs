//! Folds: each row is scored by a head that saw neither it nor its near duplicates.

use mains_units::Chance;
use std::collections::BTreeMap;

/// Which fold each row belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folds {
    of: Vec<u32>,
    count: u32,
}

impl Folds {
    /// Deals whole groups to `count` folds, the largest first, each to the fold that has the fewest rows; groups of
    /// one size in an order that `seed` gives.
    pub fn by_group(groups: &[u32], count: u32, seed: u64) -> Self {
        let count = count.max(2);
        let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
        for group in groups {
            *sizes.entry(*group).or_default() += 1;
        }
        let mut chance = Chance::from_seed(seed);
        let mut dealt: Vec<(usize, u64, u32)> =
            sizes.into_iter().map(|(group, size)| (size, chance.next_u64(), group)).collect();
        dealt.sort_unstable_by_key(|(size, drawn, group)| (std::cmp::Reverse(*size), *drawn, *group));
        let mut filled = vec![0usize; count as usize];
        let mut fold_of = BTreeMap::new();
        for (size, _, group) in dealt {
            let least = (0..count).min_by_key(|fold| filled[*fold as usize]).unwrap_or(0);
            filled[least as usize] += size;
            fold_of.insert(group, least);
        }
        let of = groups.iter().map(|group| fold_of.get(group).copied().unwrap_or(0)).collect();
        Self { of, count }
    }

    /// How many folds there are.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The rows of one fold.
    pub fn held(&self, fold: u32) -> Vec<usize> {
        (0..self.of.len()).filter(|row| self.of[*row] == fold).collect()
    }

    /// The rows of all other folds.
    pub fn others(&self, fold: u32) -> Vec<usize> {
        (0..self.of.len()).filter(|row| self.of[*row] != fold).collect()
    }

    /// Scores of all rows, put together from those of each fold's rows, fold by fold.
    pub fn gather(&self, folds: &[super::Scores], classes: usize) -> super::Scores {
        let mut all = super::Scores::zero(self.of.len(), classes);
        for (fold, scores) in (0..self.count).zip(folds) {
            for (at, row) in self.held(fold).into_iter().enumerate() {
                all.set(row, scores.row(at));
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_stay_whole_and_folds_are_even() {
        let groups: Vec<u32> = (0..1000).map(|row| row * row % 317).collect();
        let folds = Folds::by_group(&groups, 5, 1);
        let mut fold_of = BTreeMap::new();
        for (row, group) in groups.iter().enumerate() {
            assert_eq!(*fold_of.entry(group).or_insert(folds.of[row]), folds.of[row]);
        }
        for fold in 0..5 {
            assert!((190..=210).contains(&folds.held(fold).len()));
            assert_eq!(folds.held(fold).len() + folds.others(fold).len(), 1000);
        }
        assert_eq!(folds, Folds::by_group(&groups, 5, 1));
        assert_ne!(folds, Folds::by_group(&groups, 5, 2));
    }
}
