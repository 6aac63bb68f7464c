//! The lines of the file.

use mains_swap::verdict::Question;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which question to which model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum Side {
    /// The old model.
    Old,
    /// The old model a second time.
    Again,
    /// The candidate.
    New,
    /// The judge, who sees the old answer first.
    JudgeOldFirst,
    /// The judge, who sees the new answer first.
    JudgeNewFirst,
}

impl Side {
    pub(in super::super) const ALL: [Self; 5] =
        [Self::Old, Self::Again, Self::New, Self::JudgeOldFirst, Self::JudgeNewFirst];

    /// The side whose target must have answered this one too.
    pub(super) fn like(self) -> Self {
        match self {
            Self::Again => Self::Old,
            Self::JudgeNewFirst => Self::JudgeOldFirst,
            other => other,
        }
    }
}

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub(super) enum Line {
    Head(Head),
    /// Items that joined the sample, in the order of the test.
    Drawn {
        items: Vec<Drawn>,
    },
    /// Who judges, and by what.
    Judge(Judge),
    /// From here on the answers are read in this way.
    Reading(Reading),
    Asking {
        item: String,
        side: Side,
    },
    Answer {
        item: String,
        side: Side,
        answer: Answered,
    },
    Failed {
        item: String,
        side: Side,
        status: u16,
    },
    /// The counts were looked at after these rows, which follow those of the look before.
    Looked {
        rows: Vec<String>,
    },
    /// Items for people, in the order in which they are shown, picked among the first `until` drawn.
    People(Batch),
    /// A person's verdict: 0 the old answer is better, 1 neither, 2 the new one is.
    Verdict {
        item: String,
        verdict: u8,
    },
    /// Every batch so far takes no verdict any more; the verdicts on these items count.
    Closed {
        counted: Vec<String>,
    },
}

/// What is tested; another test does not go on in this folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Head {
    pub(in super::super) schema: String,
    pub(in super::super) from: String,
    pub(in super::super) to: String,
    pub(in super::super) margin: u8,
    pub(in super::super) seed: u64,
}

/// An item of the sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Drawn {
    pub(in super::super) id: String,
    /// Of its body.
    pub(in super::super) sha256: String,
}

/// Who judges, and by what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Judge {
    pub(in super::super) target: String,
    pub(in super::super) criteria: String,
}

/// How answers are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Reading {
    pub(in super::super) question: Question,
    pub(in super::super) grader: String,
}

/// Items for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Batch {
    pub(in super::super) until: usize,
    pub(in super::super) seats: Vec<Seat>,
    /// Whether it takes no verdict any more.
    #[serde(skip)]
    pub(in super::super) closed: bool,
}

/// An item for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Seat {
    pub(in super::super) item: String,
    pub(in super::super) new_left: bool,
}

/// An answer with what it took; what is not known is absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in super::super) struct Answered {
    pub(in super::super) status: u16,
    /// Who answered, `upstream/model`.
    pub(in super::super) target: String,
    pub(in super::super) body: Value,
    pub(in super::super) nano_usd: Option<u64>,
    pub(in super::super) input_tokens: Option<u64>,
    pub(in super::super) output_tokens: Option<u64>,
    /// To the first token, where the answer was streamed.
    pub(in super::super) first_ms: Option<u64>,
    pub(in super::super) took_ms: u64,
    /// Energy in millijoules: low, central, high.
    pub(in super::super) energy_mj: Option<[u64; 3]>,
    /// `A` to `E`.
    pub(in super::super) energy_grade: Option<String>,
}
