//! Rows in three parts, by group and by time: to fit, to calibrate, to audit.
//!
//! No group crosses, and groups stand in the order in which they first came: the labeller is examined on what came
//! after what it was taught, as it will be in use. Where times are equal a seed decides.

use crate::group::mix;
use mains_units::Timestamp;
use std::collections::BTreeMap;

/// What the split needs to know of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its group of near duplicates.
    pub group: u32,
    /// When it was answered.
    pub at: Timestamp,
}

/// How many groups go into each part, in millionths; what is left goes to the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares {
    /// To train, and to choose the head out of fold.
    pub fit_ppm: u32,
    /// To find the threshold.
    pub calibrate_ppm: u32,
}

impl Default for Shares {
    /// Half, a third and a bit, and three in twenty: a threshold takes hundreds of rows, an audit fewer.
    fn default() -> Self {
        Self { fit_ppm: 500_000, calibrate_ppm: 350_000 }
    }
}

/// The three parts, as places of rows, in the order of time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parts {
    /// To train.
    pub fit: Vec<usize>,
    /// To find the threshold.
    pub calibrate: Vec<usize>,
    /// To be touched once.
    pub audit: Vec<usize>,
}

/// Splits rows.
pub fn split(rows: &[Row], shares: Shares, seed: u64) -> Parts {
    let mut first: BTreeMap<u32, Timestamp> = BTreeMap::new();
    for row in rows {
        let at = first.entry(row.group).or_insert(row.at);
        *at = (*at).min(row.at);
    }
    let mut order: Vec<(Timestamp, u64, u32)> =
        first.into_iter().map(|(group, at)| (at, mix(seed ^ mix(group.into())), group)).collect();
    order.sort_unstable();
    let groups = order.len() as u64;
    let until = |ppm: u64| (groups * ppm.min(1_000_000) + 500_000) / 1_000_000;
    let fit = until(shares.fit_ppm.into());
    let calibrate = until(u64::from(shares.fit_ppm) + u64::from(shares.calibrate_ppm));
    let rank: BTreeMap<u32, u64> =
        order.into_iter().zip(0..).map(|((.., group), rank)| (group, rank)).collect();
    let mut places: Vec<usize> = (0..rows.len()).collect();
    places.sort_by_key(|place| (rows[*place].at, *place));
    let mut parts = Parts::default();
    for place in places {
        let rank = rank.get(&rows[place].group).copied().unwrap_or(u64::MAX);
        let part = if rank < fit {
            &mut parts.fit
        } else if rank < calibrate {
            &mut parts.calibrate
        } else {
            &mut parts.audit
        };
        part.push(place);
    }
    parts
}

/// One row of each group among these places, in their order; a seed decides which. A certificate counts groups, not
/// rows.
pub fn one_each(places: &[usize], rows: &[Row], seed: u64) -> Vec<usize> {
    let mut chosen: BTreeMap<u32, (u64, usize)> = BTreeMap::new();
    for &place in places {
        let Some(row) = rows.get(place) else { continue };
        let drawn = (mix(seed ^ mix(place as u64)), place);
        let best = chosen.entry(row.group).or_insert(drawn);
        *best = (*best).min(drawn);
    }
    let keeps = |place: &usize| {
        rows.get(*place).is_some_and(|row| chosen.get(&row.group).is_some_and(|(_, best)| best == place))
    };
    places.iter().copied().filter(keeps).collect()
}
