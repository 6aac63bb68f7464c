//! Why requests are no labelling task.

use std::fmt;

/// Why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// Too few requests of one template.
    TooFew {
        /// Requests there are.
        rows: u64,
        /// Requests it takes.
        need: u64,
    },
    /// The requests have no constant part in common with enough others.
    OneOff,
    /// The part that varies spans several turns.
    Conversation,
    /// All requests are the same.
    NothingVaries,
    /// Too many answers are texts.
    FreeText {
        /// Answers that are texts.
        texts: u64,
        /// Of so many.
        rows: u64,
    },
    /// Answers hold several fields.
    ManyFields {
        /// Answers that do.
        fields: u64,
        /// Of so many.
        rows: u64,
    },
    /// No shape is common enough.
    MixedShapes {
        /// Answers of the commonest shape.
        alike: u64,
        /// Of so many.
        rows: u64,
    },
    /// New labels keep coming.
    Open {
        /// Labels that were seen.
        labels: u64,
        /// Those that were seen once.
        once: u64,
        /// In so many answers.
        rows: u64,
    },
    /// The answer is always the same.
    OneLabel {
        /// The label.
        label: String,
    },
    /// No answer of the task's shape can carry this label.
    Unwritable {
        /// The label.
        label: String,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFew { rows, need } => write!(f, "{rows} of {need} requests of one template"),
            Self::OneOff => f.write_str("no constant part that enough other requests have"),
            Self::Conversation => {
                f.write_str("what varies spans several turns: a conversation, no labelling")
            }
            Self::NothingVaries => f.write_str("every request is the same: a cache answers it better"),
            Self::FreeText { texts, rows } => {
                write!(f, "free text: {texts} of {rows} answers carry no label")
            }
            Self::ManyFields { fields, rows } => {
                write!(f, "{fields} of {rows} answers hold more than one field, and a labeller fills one")
            }
            Self::MixedShapes { alike, rows } => {
                write!(f, "answers look too different: {alike} of {rows} have the commonest shape")
            }
            Self::Open { labels, once, rows } => write!(
                f,
                "the set of labels is not closed: {once} of {labels} labels were seen once in {rows} answers"
            ),
            Self::Unwritable { label } => write!(
                f,
                "no answer of this shape carries the label `{label}`\nhint: a label is one line of 1 to 64 bytes"
            ),
            Self::OneLabel { label } => write!(f, "every answer is `{label}`: nothing to learn"),
        }
    }
}

/// Requests that are no task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Their route.
    pub route: String,
    /// The constant part, where there is one.
    pub template: Option<super::Template>,
    /// How many.
    pub requests: u64,
    /// Why.
    pub why: Refusal,
}
