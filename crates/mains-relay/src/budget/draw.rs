//! What a request may use at worst, or did use, with the evidence behind each figure.

use mains_units::{Grade, Quantity};

/// One quantity of a draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Figure {
    /// So much, in the unit of [`Quantity::unit`].
    Known {
        /// The amount; for an estimate, the value that a cap should count.
        amount: u64,
        /// The evidence behind it.
        grade: Grade,
    },
    /// Nobody knows. Never counted as zero.
    #[default]
    Unknown,
}

/// A figure for each quantity; unknown where nothing was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Draw([Figure; 6]);

impl Draw {
    /// All unknown but the request itself: one request.
    pub fn one_request() -> Self {
        Self::default().exactly(Quantity::Requests, 1)
    }

    /// With this amount, known exactly.
    #[must_use]
    pub fn exactly(self, quantity: Quantity, amount: u64) -> Self {
        self.with(quantity, Figure::Known { amount, grade: Grade::A })
    }

    /// With this amount, an estimate of this grade.
    #[must_use]
    pub fn estimated(self, quantity: Quantity, amount: u64, grade: Grade) -> Self {
        self.with(quantity, Figure::Known { amount, grade })
    }

    /// With one figure replaced.
    #[must_use]
    pub fn with(mut self, quantity: Quantity, figure: Figure) -> Self {
        self.0[quantity as usize] = figure;
        self
    }

    /// One figure.
    pub fn get(&self, quantity: Quantity) -> Figure {
        self.0[quantity as usize]
    }

    /// The amount of one quantity, if it is known.
    pub fn amount(&self, quantity: Quantity) -> Option<u64> {
        match self.get(quantity) {
            Figure::Known { amount, .. } => Some(amount),
            Figure::Unknown => None,
        }
    }

    /// The dearer of the two, quantity by quantity: the greater amount with the worse grade. A figure
    /// known on one side only is taken from there.
    #[must_use]
    pub fn dearest(&self, other: &Self) -> Self {
        self.zip(other, |a, b| (a.0.max(b.0), a.1.worse(b.1)))
    }

    /// Both together, as when several attempts of one request are charged: amounts add (saturating),
    /// the worse grade stays. A figure known on one side only is taken from there.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        self.zip(other, |a, b| (a.0.saturating_add(b.0), a.1.worse(b.1)))
    }

    fn zip(&self, other: &Self, both: impl Fn((u64, Grade), (u64, Grade)) -> (u64, Grade)) -> Self {
        Self(std::array::from_fn(|index| match (self.0[index], other.0[index]) {
            (Figure::Known { amount: a, grade: ga }, Figure::Known { amount: b, grade: gb }) => {
                let (amount, grade) = both((a, ga), (b, gb));
                Figure::Known { amount, grade }
            }
            (known @ Figure::Known { .. }, Figure::Unknown) => known,
            (Figure::Unknown, other) => other,
        }))
    }
}
