//! What an operator can say, and what the outlet answers.

use mains_store::db::KeyRow;
use serde::{Deserialize, Serialize};

/// What an operator can say.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Command {
    /// Read the configuration again.
    Reload,
    /// Where the outlet listens and what it routes.
    Status,
    /// Make a key.
    MakeKey {
        /// What for.
        name: String,
        /// Who pays.
        project: String,
    },
    /// All keys.
    ListKeys,
    /// Revoke a key.
    RevokeKey {
        /// Its id.
        id: String,
    },
    /// Keep a target dead for a while.
    Kill {
        /// `upstream/model` or `upstream`.
        target: String,
        /// For so many milliseconds.
        for_ms: u64,
    },
    /// End a drill, and write down what came of it.
    Revive {
        /// `upstream/model` or `upstream`.
        target: String,
        /// When it began, milliseconds since 1970.
        from: i64,
        /// Requests that were sent.
        requests: u64,
        /// Of these, how many were not answered.
        failed: u64,
        /// Who answered, and how often.
        answered_by: Vec<(String, u64)>,
    },
    /// Destroy what is kept of a request.
    Erase {
        /// Its name.
        request: String,
    },
    /// A test of a replacement has ended: write it down, and know it on the day when the old model ends.
    SwapTested {
        /// SHA-256 of the report, in hex.
        report: String,
        /// The old target, or what the test knows it by.
        from: String,
        /// The tested one.
        to: String,
        /// The route, or where the requests came from.
        route: String,
        /// `non_inferior`, `inferior` or `undecided`.
        verdict: String,
        /// What both models cost: the report's `beside`.
        figures: serde_json::Value,
    },
    /// Every labeller that stands in a route.
    Labels,
    /// Withdraw the labeller of a route by hand.
    WithdrawLabel {
        /// The model of the route.
        route: String,
    },
    /// Every switch under way or done.
    Swaps,
    /// Go back to the old target of a route.
    RollBackSwap {
        /// The model of the route.
        route: String,
    },
}

/// What the outlet answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Done.
    Done,
    /// Not done, and why.
    Refused(String),
    /// Where and what.
    Status {
        /// The data listener.
        listen: String,
        /// Model asked for and target, in order.
        routes: Vec<(String, String)>,
        /// Whether keys are required.
        keyed: bool,
    },
    /// A new key; its text is shown this once.
    Key {
        /// Its id.
        id: String,
        /// Its text.
        secret: String,
    },
    /// All keys.
    Keys(Vec<KeyLine>),
    /// A leaf was written.
    Leaf(Option<u64>),
    /// What became of an erasure.
    Erased {
        /// Whether the data key of kept content was destroyed now.
        content: bool,
        /// When it had been destroyed before.
        before: Option<String>,
        /// Whether the key of the request's commitments was destroyed now.
        commitment: bool,
        /// The leaf that says so; none where nothing was destroyed now.
        leaf: Option<u64>,
    },
    /// Every switch.
    Swaps(Vec<SwapLine>),
    /// Every labeller.
    Labels(Vec<LabelLine>),
}

/// One labeller that stands in a route.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelLine {
    /// Its name.
    pub labeller: String,
    /// The model of the route.
    pub route: String,
    /// The target behind it.
    pub teacher: String,
    /// SHA-256 of its file, in hex.
    pub file: String,
    /// `shadow`, `canary`, `serve` or `withdrawn`.
    pub stage: String,
    /// Of the requests in scope that it may answer, those that it does, in percent.
    pub share_percent: u64,
    /// Those that go to the teacher for ever, in percent.
    pub audit_percent: u64,
    /// The share that may differ, in millionths.
    pub eps_ppm: u64,
    /// Calls that were compared with the teacher since the file was first loaded.
    pub calls: u64,
    /// Those of them that it would have answered itself.
    pub local: u64,
    /// Those of the local ones that differ.
    pub differs: u64,
    /// Compared calls that count for the end of this stage.
    pub stage_calls: u64,
    /// So many of them end it, where no larger share differs than may.
    pub stage_least: u64,
    /// The logarithm of the sceptic's capital in thousandths.
    pub log_wealth_milli: i64,
    /// Why it was withdrawn.
    pub withdrawn: Option<String>,
    /// The same in one word.
    pub withdrawn_because: Option<String>,
    /// When.
    pub withdrawn_at: Option<String>,
    /// Requests of the route since the outlet started.
    pub requests: u64,
    /// Those in its scope.
    pub in_scope: u64,
    /// Those that it answered.
    pub answered: u64,
    /// Whether the last requests, hundreds of them, were all out of scope: the prompt may have changed.
    pub scope_lost: bool,
}

/// One key, without its secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyLine {
    /// Its id.
    pub id: String,
    /// Its first characters.
    pub shown: String,
    /// What for.
    pub name: String,
    /// Who pays.
    pub project: String,
    /// When it was made.
    pub created: String,
    /// When it was revoked.
    pub revoked: Option<String>,
}

impl From<KeyRow> for KeyLine {
    fn from(row: KeyRow) -> Self {
        Self {
            id: row.id,
            shown: row.shown,
            name: row.name,
            project: row.project,
            created: row.created.to_string(),
            revoked: row.revoked.map(|at| at.to_string()),
        }
    }
}

/// One switch of a route.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SwapLine {
    /// The model of the route.
    pub route: String,
    /// The old target.
    pub from: String,
    /// The replacement.
    pub to: String,
    /// SHA-256 of the report, in hex.
    pub report: String,
    /// `canary`, `whole` or `rolled back`.
    pub stage: String,
    /// Why it was rolled back.
    pub why: Option<String>,
    /// The replacement's share of the requests, 0 to 100.
    pub share_percent: u8,
    /// When its stage or step began.
    pub since: String,
    /// When the next step may come, and what else it waits for.
    pub next_step: Option<String>,
    /// The day from which it is whole.
    pub whole_by: Option<String>,
    /// The day on which the old model ends.
    pub old_ends: Option<String>,
    /// Days until then; 0 and less: it has ended.
    pub days_left: Option<i64>,
    /// What the comparison reads.
    pub readings: Vec<ReadingLine>,
}

/// One thing that is watched in a switch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadingLine {
    /// `errors`, `schema`, `refusals`, `length`, `cost` or `feedback`.
    pub metric: String,
    /// Why it is not watched, where it is not.
    pub unwatched: Option<String>,
    /// The old target's figure, with what it rests on.
    pub old: String,
    /// The replacement's.
    pub new: String,
    /// The evidence against the replacement and what rolls back, in natural logarithms: `1.2 of 4.8`.
    pub evidence: String,
}
