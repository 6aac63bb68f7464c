//! A tiny labeller: naive Bayes over hashed words and pairs of words. Enough to rank; no match for the real heads.

use mains_distill::certificate::Calibration;

const BUCKETS: usize = 1 << 15;

/// A text as places in the table.
pub(super) fn features(text: &str) -> Vec<usize> {
    let words: Vec<String> = text
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let pairs = words.windows(2).map(|pair| pair.join(" "));
    let mut places: Vec<usize> = words.iter().cloned().chain(pairs).map(|gram| bucket(&gram)).collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// FNV-1a.
fn bucket(gram: &str) -> usize {
    let hash = gram.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from((hash ^ (hash >> 32)) % BUCKETS as u64).unwrap_or(0)
}

/// A text, the teacher's label, and what other teachers say.
pub(super) struct Said {
    pub(super) places: Vec<usize>,
    pub(super) label: u32,
    pub(super) others: Vec<u32>,
}

/// Counts of training.
struct Bayes {
    /// By class, then bucket.
    counts: Vec<Vec<f32>>,
    totals: Vec<f32>,
    texts: Vec<f32>,
}

impl Bayes {
    fn fit<'s>(rows: impl Iterator<Item = &'s Said>, classes: usize) -> Self {
        let mut fitted = Self {
            counts: vec![vec![0.0; BUCKETS]; classes],
            totals: vec![0.0; classes],
            texts: vec![0.0; classes],
        };
        for row in rows {
            let class = row.label as usize;
            fitted.texts[class] += 1.0;
            for place in &row.places {
                fitted.counts[class][*place] += 1.0;
                fitted.totals[class] += 1.0;
            }
        }
        fitted
    }

    /// The best class, and by how much it beats the next one.
    fn score(&self, places: &[usize]) -> (u32, f32) {
        const SMOOTH: f32 = 0.1;
        let (mut best, mut class, mut next) = (f32::NEG_INFINITY, 0u32, f32::NEG_INFINITY);
        for (number, counts) in (0u32..).zip(&self.counts) {
            let of = number as usize;
            let scale = (self.totals[of] + SMOOTH * BUCKETS as f32).ln();
            let words: f32 = places.iter().map(|place| (counts[*place] + SMOOTH).ln() - scale).sum();
            let score = words + (self.texts[of] + 1.0).ln();
            if score > best {
                (next, best, class) = (best, score, number);
            } else {
                next = next.max(score);
            }
        }
        (class, best - next)
    }
}

const FOLDS: usize = 5;

/// Trains on the first rows; they are judged out of fold, the rest by all of them.
pub(super) fn judge(rows: &[Said], training: usize) -> (Calibration, Calibration) {
    let classes = rows.iter().map(|row| row.label as usize + 1).max().unwrap_or(1);
    let (taught, rest) = rows.split_at(training.min(rows.len()));
    let (mut own, mut fresh) = (Calibration::default(), Calibration::default());
    let mut folded: Vec<(usize, u32, f32)> = Vec::new();
    for fold in 0..FOLDS {
        let others = taught.iter().enumerate().filter(|(place, _)| place % FOLDS != fold).map(|(_, row)| row);
        let fitted = Bayes::fit(others, classes);
        for (place, row) in taught.iter().enumerate().skip(fold).step_by(FOLDS) {
            let (class, confidence) = fitted.score(&row.places);
            folded.push((place, class, confidence));
        }
    }
    folded.sort_by_key(|(place, ..)| *place);
    for (place, class, confidence) in folded {
        add(&mut own, &taught[place], class, confidence);
    }
    let fitted = Bayes::fit(taught.iter(), classes);
    for row in rest {
        let (class, confidence) = fitted.score(&row.places);
        add(&mut fresh, row, class, confidence);
    }
    (own, fresh)
}

fn add(rows: &mut Calibration, said: &Said, class: u32, confidence: f32) {
    rows.confidence.push(confidence);
    rows.differs.push(class != said.label);
    rows.class.push(class);
}
