//! What is remembered of a text to find those near it.
//!
//! MinHash in one permutation (Li, Owen and Zhang 2012): every run of four characters falls into one of 64 bins, each
//! bin keeps its least hash; an empty bin borrows from another one that its own number points at (Shrivastava 2017).
//! Sixteen bands of four bins: a pair meets in one of them with chance `1 - (1 - J^4)^16`, 99.7 % at J = 0.75. Whoever
//! meets is compared by their runs themselves.

use super::hash::{characters, mix};

const BINS: usize = 64;
const BAND: usize = 4;
/// How many bands.
pub(super) const BANDS: usize = BINS / BAND;
const RUN: usize = 4;
/// So many runs of a text are kept, those with the least hashes: a fair sample of a long text.
const KEPT_MAX: usize = 256;

/// A text's bins and runs.
pub(super) struct Sketch {
    bins: [u32; BINS],
    /// Hashes of runs, rising, each once.
    runs: Vec<u32>,
    /// Whether these are all.
    whole: bool,
}

impl Sketch {
    pub(super) fn of(folded: &str) -> Self {
        let characters_of: Vec<char> = folded.chars().collect();
        let mut least = [None::<u32>; BINS];
        let mut runs: Vec<u32> = Vec::with_capacity(characters_of.len());
        for run in characters_of.windows(RUN.min(characters_of.len().max(1))) {
            let hash = characters(run);
            let [_, _, _, bin, high @ ..] = hash.to_be_bytes();
            let value = u32::from_be_bytes(high);
            let place = &mut least[usize::from(bin) % BINS];
            *place = Some(place.map_or(value, |least| least.min(value)));
            runs.push(value);
        }
        runs.sort_unstable();
        runs.dedup();
        let whole = runs.len() <= KEPT_MAX;
        runs.truncate(KEPT_MAX);
        Self { bins: filled(&least), runs, whole }
    }

    /// The key of a band.
    pub(super) fn band(&self, band: usize) -> u64 {
        let bins = self.bins.iter().skip(band * BAND).take(BAND);
        bins.fold(band as u64, |key, bin| mix(key ^ u64::from(*bin)))
    }

    /// Whether three quarters of the runs of both are common.
    pub(super) fn is_near(&self, other: &Self) -> bool {
        // Of sampled texts only the least runs of both together are a fair sample.
        let most = if self.whole && other.whole { usize::MAX } else { KEPT_MAX };
        let (mut i, mut j, mut common, mut all) = (0, 0, 0usize, 0usize);
        while all < most && (i < self.runs.len() || j < other.runs.len()) {
            let (one, two) = (self.runs.get(i), other.runs.get(j));
            let (takes_one, takes_two) = match (one, two) {
                (Some(one), Some(two)) => (one <= two, two <= one),
                (one, _) => (one.is_some(), one.is_none()),
            };
            i += usize::from(takes_one);
            j += usize::from(takes_two);
            common += usize::from(takes_one && takes_two);
            all += 1;
        }
        4 * common >= 3 * all
    }
}

/// Empty bins borrow.
fn filled(least: &[Option<u32>; BINS]) -> [u32; BINS] {
    let mut bins = [0; BINS];
    if least.iter().all(Option::is_none) {
        return bins;
    }
    for (place, bin) in bins.iter_mut().enumerate() {
        let mut from = place;
        let mut tries = 0u64;
        *bin = loop {
            if let Some(value) = least[from] {
                break value;
            }
            tries += 1;
            // Some bin is full, and this goes through all of them sooner or later.
            from = usize::from(mix(((place as u64) << 32) | tries).to_be_bytes()[0]) % BINS;
        };
    }
    bins
}
