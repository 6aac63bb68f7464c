//! Scores of many texts.

/// Scores of texts, a row for each, a column for each class. A ranking, not a probability.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    classes: usize,
    values: Vec<f32>,
}

impl Scores {
    /// So many rows of zeros.
    pub fn zero(rows: usize, classes: usize) -> Self {
        Self { classes, values: vec![0.0; rows * classes] }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.classes).unwrap_or(0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The scores of one row; nothing beyond the last.
    pub fn row(&self, row: usize) -> &[f32] {
        self.values.get(row * self.classes..(row + 1) * self.classes).unwrap_or(&[])
    }

    /// Writes the scores of one row; what lies beyond the last row is not written.
    pub fn set(&mut self, row: usize, scores: &[f32]) {
        if let Some(place) = self.values.get_mut(row * self.classes..(row + 1) * self.classes)
            && place.len() == scores.len()
        {
            place.copy_from_slice(scores);
        }
    }

    /// How many rows have their label on top.
    pub fn right(&self, labels: &[u32]) -> usize {
        let rows = labels.iter().enumerate();
        rows.filter(|(row, label)| top(self.row(*row)).0 == **label as usize).count()
    }
}

/// The first of the highest scores: class and score.
pub(crate) fn top(scores: &[f32]) -> (usize, f32) {
    let mut best = (0, f32::NEG_INFINITY);
    for (class, score) in scores.iter().enumerate() {
        if *score > best.1 {
            best = (class, *score);
        }
    }
    best
}
