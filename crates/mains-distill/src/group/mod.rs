//! Texts that say the same: exact repeats, and near duplicates.
//!
//! Read `fold` (when two texts are the same), `sketch` (which texts may be near each other, in linear time), then
//! `union` (groups). Rows of one group must not stand on both sides of a split, or a labeller is examined on what it
//! was taught; and a thousand repeats of one text say no more than one.

mod hash;
mod sketch;
mod union;

pub(crate) use hash::mix;

use crate::certificate::Share;
use sketch::Sketch;
use union::Union;

/// Texts in groups. Numbers are given in the order of first appearance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Groups {
    /// The group of near duplicates of each text.
    pub near: Vec<u32>,
    /// The group of exact repeats of each text; each lies within one of the former.
    pub exact: Vec<u32>,
    /// How many groups of near duplicates.
    pub near_groups: u32,
    /// How many different texts.
    pub exact_groups: u32,
}

impl Groups {
    /// Texts that repeat an earlier one.
    pub fn exact_repeats(&self) -> usize {
        self.exact.len() - self.exact_groups as usize
    }

    /// Different texts that are near an earlier one.
    pub fn near_repeats(&self) -> u32 {
        self.exact_groups - self.near_groups
    }
}

/// A text as it is compared: in lower case, every run of white space one space, none at the ends.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.chars().flat_map(char::to_lowercase));
    }
    folded
}

/// Groups texts. The same texts in the same order give the same groups; time grows about as their number.
///
/// Two texts are near where three quarters or more of their runs of four characters are common; nearness is carried
/// on, so that a group may hold texts that are not near each other themselves. A pair that is just near is missed
/// about once in a hundred times, one that shares nine tenths practically never.
pub fn group(texts: &[&str]) -> Groups {
    let folded: Vec<String> = texts.iter().map(|text| fold(text)).collect();
    let exact = numbered(&repeats(&folded));
    let exact_groups = exact.iter().map(|number| number + 1).max().unwrap_or(0);
    // The first of each kind stands for all.
    let mut firsts: Vec<usize> = Vec::with_capacity(exact_groups as usize);
    for (place, number) in exact.iter().enumerate() {
        if *number as usize == firsts.len() {
            firsts.push(place);
        }
    }
    let sketches: Vec<Sketch> = firsts.iter().map(|place| Sketch::of(&folded[*place])).collect();
    let near_of_kind = numbered(&near(&sketches));
    let near: Vec<u32> = exact.iter().map(|number| near_of_kind[*number as usize]).collect();
    let near_groups = near_of_kind.iter().map(|number| number + 1).max().unwrap_or(0);
    Groups { near, exact, near_groups, exact_groups }
}

/// For each text the first place of the same text.
fn repeats(folded: &[String]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..folded.len()).collect();
    order.sort_by(|a, b| folded[*a].cmp(&folded[*b]).then(a.cmp(b)));
    let mut first = vec![0; folded.len()];
    let mut before: Option<usize> = None;
    for &place in &order {
        let same = before.filter(|before| folded[*before] == folded[place]);
        before = Some(same.unwrap_or(place));
        first[place] = same.unwrap_or(place);
    }
    first
}

/// How many texts of one bucket each further one is compared with at most: it bounds the time where thousands share
/// a band without being near.
const COMPARED_MAX: usize = 8;

/// For each sketch a member of its group.
fn near(sketches: &[Sketch]) -> Vec<usize> {
    let mut union = Union::new(sketches.len());
    for band in 0..sketch::BANDS {
        let mut keys: Vec<(u64, usize)> =
            sketches.iter().enumerate().map(|(place, sketch)| (sketch.band(band), place)).collect();
        keys.sort_unstable();
        for bucket in keys.chunk_by(|a, b| a.0 == b.0).filter(|bucket| bucket.len() > 1) {
            join(bucket, sketches, &mut union);
        }
    }
    (0..sketches.len()).map(|place| union.root(place)).collect()
}

fn join(bucket: &[(u64, usize)], sketches: &[Sketch], union: &mut Union) {
    let mut heads: Vec<usize> = Vec::with_capacity(COMPARED_MAX);
    for &(_, place) in bucket {
        let root = union.root(place);
        if heads.iter().any(|head| union.root(*head) == root) {
            continue;
        }
        match heads.iter().find(|head| sketches[**head].is_near(&sketches[place])) {
            Some(head) => union.join(*head, place),
            None if heads.len() < COMPARED_MAX => heads.push(place),
            None => {}
        }
    }
}

/// Numbers in the order of first appearance.
fn numbered(members: &[usize]) -> Vec<u32> {
    let mut number = vec![u32::MAX; members.len()];
    let mut next = 0;
    members
        .iter()
        .map(|member| {
            let own = &mut number[*member];
            if *own == u32::MAX {
                *own = next;
                next += 1;
            }
            *own
        })
        .collect()
}

/// How often the teacher says of a repeated text what it said of it the time before: its agreement with itself, which
/// no labeller can be asked to surpass. `exact` are the groups of exact repeats, `labels` the teacher's answers, both
/// in the order of time. Each text that was asked more than once counts once.
pub fn self_agreement(exact: &[u32], labels: &[u32]) -> Share {
    let mut rows: Vec<(u32, usize)> =
        exact.iter().take(labels.len()).enumerate().map(|(place, group)| (*group, place)).collect();
    rows.sort_unstable();
    let pairs = rows.chunk_by(|a, b| a.0 == b.0).filter_map(|rows| rows.first_chunk::<2>());
    let (mut same, mut of) = (0, 0);
    for [(_, first), (_, second)] in pairs {
        of += 1;
        same += u64::from(labels[*first] == labels[*second]);
    }
    Share::of(same, of)
}
