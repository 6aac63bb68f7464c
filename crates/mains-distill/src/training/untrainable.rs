//! Why there is nothing to rule on. A promise that is merely not shown is a refusal in the certificate.

use crate::certificate::Malformed;
use crate::heads::Refused;
use std::fmt;

/// Why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Untrainable {
    /// The task cannot be served: what is wrong in it.
    Task(&'static str),
    /// Too few different rows to learn from.
    Rows {
        /// Groups of near duplicates among the rows to fit.
        have: usize,
        /// Groups it takes.
        need: usize,
    },
    /// The rows to fit have fewer than two labels.
    Classes(usize),
    /// Embeddings are not as many as the rows, or hold a number that is not finite.
    Embeddings(&'static str),
    /// These heads need embeddings, and there are none.
    NoEmbeddings,
    /// A head refuses.
    Head(Refused),
    /// Rows or terms cannot be certified at all.
    Certificate(Malformed),
    /// The crew left work undone.
    Undone,
    /// The labeller's file does not come back: a fault of this program.
    File(crate::labeller::Damaged),
}

impl fmt::Display for Untrainable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task(what) => write!(f, "the task cannot be served: {what} cannot be"),
            Self::Rows { have, need } => write!(
                f,
                "{have} of {need} different rows to learn from\nhint: let more traffic come in, or import more rows"
            ),
            Self::Classes(count) => {
                write!(f, "the rows to learn from have {count} labels: two at least are needed")
            }
            Self::Embeddings(what) => write!(f, "the embeddings {what}"),
            Self::NoEmbeddings => f.write_str(
                "a head on embeddings was asked for, and there are none\nhint: give the model that makes them, or let n-grams speak alone",
            ),
            Self::Head(refused) => refused.fmt(f),
            Self::Certificate(malformed) => malformed.fmt(f),
            Self::Undone => f.write_str("work was left undone by whoever ran it"),
            Self::File(damaged) => write!(f, "the labeller does not come back from its file: {damaged}"),
        }
    }
}

impl std::error::Error for Untrainable {}

impl From<Refused> for Untrainable {
    fn from(refused: Refused) -> Self {
        Self::Head(refused)
    }
}

impl From<Malformed> for Untrainable {
    fn from(malformed: Malformed) -> Self {
        Self::Certificate(malformed)
    }
}
