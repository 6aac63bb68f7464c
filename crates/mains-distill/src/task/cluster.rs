//! Which requests come from one template.
//!
//! Requests of one template share their first tokens and their last ones. Where a set of requests first differs, a
//! branch that goes on together for long was written by a program and is a template of its own; one that soon
//! scatters is only how people begin to speak. In between, answers decide: a branch whose labels the others do not
//! have is another task.

use super::tokens::Book;
use std::collections::{BTreeMap, BTreeSet};

/// Evidence that is enough by itself that a branch is a template: about as many words.
pub(super) const STRONG: u32 = 16;
/// Evidence that is enough where the labels are others.
const WEAK: u32 = 5;
/// Fewer requests are no template.
pub(super) const ROWS_MIN: usize = 20;

/// One different request.
pub(super) struct Sample<'s> {
    /// Its tokens.
    pub(super) tokens: Vec<u32>,
    /// Its answer, folded.
    pub(super) answer: &'s str,
}

/// The first and last tokens of each template.
pub(super) struct Ends {
    pub(super) prefix: Vec<u32>,
    pub(super) suffix: Vec<u32>,
}

/// Finds the templates of requests that are all different.
pub(super) fn templates(samples: &[Sample<'_>], book: &Book<'_>) -> Vec<Ends> {
    let mut sets: Vec<Vec<usize>> = vec![(0..samples.len()).collect()];
    // Each round can only make sets smaller; two are enough unless ends and beginnings take turns.
    for _ in 0..4 {
        let before = sets.clone();
        for backwards in [false, true] {
            let cut = Cut { samples, book, backwards };
            sets = sets.into_iter().flat_map(|set| cut.divide(set)).collect();
        }
        if sets == before {
            break;
        }
    }
    sets.iter().filter(|set| set.len() >= ROWS_MIN).map(|set| ends(set, samples)).collect()
}

fn ends(set: &[usize], samples: &[Sample<'_>]) -> Ends {
    let prefix = common(set, samples, false);
    let shortest = set.iter().map(|place| samples[*place].tokens.len()).min().unwrap_or(0);
    // The two must not overlap in the shortest request.
    let suffix = common(set, samples, true).min(shortest - prefix.min(shortest));
    let tokens: &[u32] = set.first().map_or(&[], |place| &samples[*place].tokens);
    Ends {
        prefix: tokens.iter().take(prefix).copied().collect(),
        suffix: tokens.iter().skip(tokens.len() - suffix.min(tokens.len())).copied().collect(),
    }
}

/// How many tokens all of a set have in common at one end.
fn common(set: &[usize], samples: &[Sample<'_>], backwards: bool) -> usize {
    let Some(first) = set.first().map(|place| &samples[*place].tokens) else { return 0 };
    let same = |other: &Vec<u32>| {
        if backwards {
            first.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count()
        } else {
            first.iter().zip(other).take_while(|(a, b)| a == b).count()
        }
    };
    set.iter().map(|place| same(&samples[*place].tokens)).min().unwrap_or(0)
}

/// One way to cut sets: by beginnings, or by ends.
struct Cut<'c> {
    samples: &'c [Sample<'c>],
    book: &'c Book<'c>,
    backwards: bool,
}

impl Cut<'_> {
    fn token(&self, place: usize, depth: usize) -> Option<u32> {
        let tokens = &self.samples[place].tokens;
        let at = if self.backwards { tokens.len().checked_sub(depth + 1)? } else { depth };
        tokens.get(at).copied()
    }

    /// Cuts a set until no branch of it is a template of its own.
    fn divide(&self, set: Vec<usize>) -> Vec<Vec<usize>> {
        let (mut open, mut done) = (vec![set], Vec::new());
        while let Some(set) = open.pop() {
            let branches = self.branches(&set);
            if branches.is_empty() {
                done.push(set);
                continue;
            }
            let taken: BTreeSet<usize> = branches.iter().flatten().copied().collect();
            let rest: Vec<usize> = set.iter().copied().filter(|place| !taken.contains(place)).collect();
            // A rest that is too small are requests that were sent once.
            if rest.len() >= ROWS_MIN {
                open.push(rest);
            }
            // A branch that is the whole set has nothing to be told from, so sets always shrink.
            open.extend(branches);
        }
        done.sort();
        done
    }

    /// The branches of a set that are templates of their own.
    fn branches(&self, set: &[usize]) -> Vec<Vec<usize>> {
        let depth = common(set, self.samples, self.backwards);
        let mut next: BTreeMap<Option<u32>, Vec<usize>> = BTreeMap::new();
        for place in set {
            next.entry(self.token(*place, depth)).or_default().push(*place);
        }
        let least = ROWS_MIN.max(set.len() / 20);
        let mut found = Vec::new();
        for branch in next.into_values().filter(|branch| branch.len() >= least && branch.len() < set.len()) {
            let (together, evidence) = self.follow(branch, depth);
            let own: BTreeSet<&str> = together.iter().map(|place| self.samples[*place].answer).collect();
            // All answers alike are a trait of the text, not a task of its own.
            let is_task = own.len() > 1;
            if is_task && (evidence >= STRONG || (evidence >= WEAK && self.is_other(&own, &together, set))) {
                found.push(together);
            }
        }
        found
    }

    /// Follows a branch as long as nine tenths of it go on together: who does, and what that weighs.
    fn follow(&self, branch: Vec<usize>, mut depth: usize) -> (Vec<usize>, u32) {
        let least = (branch.len() * 9).div_ceil(10);
        let (mut together, mut evidence) = (branch, 0);
        loop {
            let mut next: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
            for place in &together {
                if let Some(token) = self.token(*place, depth) {
                    next.entry(token).or_default().push(*place);
                }
            }
            let most = next.into_iter().max_by_key(|(_, places)| places.len());
            let Some((token, places)) = most.filter(|(_, places)| places.len() >= least) else {
                return (together, evidence);
            };
            evidence += self.book.weight(token);
            together = places;
            depth += 1;
        }
    }

    /// Whether hardly any answer of a branch is among the answers of the rest.
    fn is_other(&self, own: &BTreeSet<&str>, branch: &[usize], set: &[usize]) -> bool {
        let taken: BTreeSet<usize> = branch.iter().copied().collect();
        let rest: BTreeSet<&str> = set
            .iter()
            .filter(|place| !taken.contains(place))
            .map(|place| self.samples[*place].answer)
            .collect();
        let both = own.intersection(&rest).count();
        5 * both < own.len().min(rest.len())
    }
}
