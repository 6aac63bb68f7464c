//! A tiny labeller: logistic regression over hashed words and pairs of words, learnt row by row. Enough to rank; no
//! match for the real heads.

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

/// A weight for each class and bucket.
struct Linear(Vec<Vec<f32>>);

const EPOCHS: usize = 10;
const RATE: f32 = 1.0;

impl Linear {
    /// Goes through the rows in their order, again and again.
    fn fit<'s>(rows: impl Iterator<Item = &'s Said>, classes: usize) -> Self {
        let rows: Vec<&Said> = rows.collect();
        let mut fitted = Self(vec![vec![0.0; BUCKETS]; classes]);
        for row in (0..EPOCHS).flat_map(|_| &rows) {
            let logits = fitted.logits(&row.places);
            let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum: f32 = logits.iter().map(|logit| (logit - most).exp()).sum();
            for (class, (weights, logit)) in fitted.0.iter_mut().zip(&logits).enumerate() {
                let truth = f32::from(u8::from(class == row.label as usize));
                let step = RATE * scale(&row.places) * (truth - (logit - most).exp() / sum);
                row.places.iter().for_each(|place| weights[*place] += step);
            }
        }
        fitted
    }

    fn logits(&self, places: &[usize]) -> Vec<f32> {
        let sum = |weights: &Vec<f32>| places.iter().map(|place| weights[*place]).sum::<f32>();
        self.0.iter().map(|weights| scale(places) * sum(weights)).collect()
    }

    /// The best class, and by how much it beats the next one.
    fn score(&self, places: &[usize]) -> (u32, f32) {
        let (mut best, mut class, mut next) = (f32::NEG_INFINITY, 0, f32::NEG_INFINITY);
        for (number, logit) in (0u32..).zip(self.logits(places)) {
            if logit > best {
                (next, best, class) = (best, logit, number);
            } else {
                next = next.max(logit);
            }
        }
        (class, best - next)
    }
}

/// Every text has the same length as a vector.
fn scale(places: &[usize]) -> f32 {
    1.0 / (places.len().max(1) as f32).sqrt()
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
        let fitted = Linear::fit(others, classes);
        for (place, row) in taught.iter().enumerate().skip(fold).step_by(FOLDS) {
            let (class, confidence) = fitted.score(&row.places);
            folded.push((place, class, confidence));
        }
    }
    folded.sort_by_key(|(place, ..)| *place);
    for (place, class, confidence) in folded {
        add(&mut own, &taught[place], class, confidence);
    }
    let fitted = Linear::fit(taught.iter(), classes);
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
