//! The flags of `mains distill` and `mains label`.

use super::{Data, DistillRoute, Vault};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Distill {
    /// Take a log from elsewhere: CSV or JSON lines of text, label and, optionally, cost, latency, teacher, time
    Import(Box<DistillImport>),
    /// Labelling tasks in the kept records and the imports: how much there is, and whether the rows suffice
    Tasks {
        #[command(flatten)]
        vault: Vault,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Train a labeller on a task, and prove how often it differs from its teacher
    Train(Box<DistillTrain>),
    /// Say who is right where labeller and teacher differ, without knowing who said what
    Grade(DistillGrade),
    /// How every labeller stands: its promise, what was realised, and how it is served
    Status(Data),
    /// Put a labeller in front of its teacher in mains.toml, or take it out
    Use(DistillUse),
    /// Withdraw the labeller of a route by hand, at the running outlet and for good
    Withdraw {
        /// The route, by its model
        #[arg(long, value_name = "MODEL")]
        route: String,
        #[command(flatten)]
        data: Data,
    },
    /// Print a task's rows in the clear, to train elsewhere
    Export(DistillExport),
    /// Try routers between a weak and a strong model on recorded answers, beside chance and beside prompt length
    Route(Box<DistillRoute>),
}

#[derive(Debug, Args)]
pub(crate) struct DistillImport {
    /// The file: CSV with a head, or JSON lines
    pub(crate) file: PathBuf,
    /// The task's name: small letters, digits and `-`
    #[arg(long)]
    pub(crate) name: String,
    /// The prompt with `{text}` where the text stands: plain text, which the user says, or a request body as JSON
    #[arg(long, value_name = "FILE", conflicts_with_all = ["system", "user"])]
    pub(crate) prompt: Option<PathBuf>,
    /// What the system message says
    #[arg(long, value_name = "TEXT")]
    pub(crate) system: Option<String>,
    /// What the user message says, with `{text}` in it; without it the text alone
    #[arg(long, value_name = "TEXT")]
    pub(crate) user: Option<String>,
    /// How an answer carries its label: `word`, `json:KEY` or `tool:NAME:ARGUMENT`
    #[arg(long, default_value = "word", value_name = "SHAPE")]
    pub(crate) answer: String,
    /// The model that gave the labels, where the file does not say it
    #[arg(long, value_name = "MODEL")]
    pub(crate) teacher: Option<String>,
    /// The column of texts, where its name does not tell
    #[arg(long, value_name = "NAME")]
    pub(crate) text_column: Option<String>,
    /// The column of labels
    #[arg(long, value_name = "NAME")]
    pub(crate) label_column: Option<String>,
    /// The column of costs in US dollars
    #[arg(long, value_name = "NAME")]
    pub(crate) cost_column: Option<String>,
    /// The column of milliseconds that answers took
    #[arg(long, value_name = "NAME")]
    pub(crate) latency_column: Option<String>,
    /// The column of models that gave the labels
    #[arg(long, value_name = "NAME")]
    pub(crate) teacher_column: Option<String>,
    /// The column of times
    #[arg(long, value_name = "NAME")]
    pub(crate) time_column: Option<String>,
    /// Take the place of an import of this name
    #[arg(long)]
    pub(crate) replace: bool,
    #[command(flatten)]
    pub(crate) data: Data,
}

/// Of which answers a promise speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum PromiseOf {
    /// All answers of the route, the teacher's own among them
    #[default]
    All,
    /// The answers that the labeller gives: stricter, and needs more rows
    Local,
}

/// Which heads speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum HeadsOf {
    /// Chosen on rows that the heads did not see
    #[default]
    Auto,
    /// N-grams alone: no model is needed, a label takes microseconds
    Ngram,
    /// Sentence embeddings alone
    Dense,
    /// Their average
    Both,
}

/// Whether sentence embeddings are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Embeddings {
    /// Where the encoder's weights are here
    #[default]
    Auto,
    /// Never
    No,
}

#[derive(Debug, Args)]
pub(crate) struct DistillTrain {
    /// The task, as `mains distill tasks` names it
    pub(crate) task: String,
    /// The labeller's name, where it shall not be the task's
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Of which answers the served promise speaks; the other one is ruled on too
    #[arg(long, value_enum, default_value_t)]
    pub(crate) promise: PromiseOf,
    /// The share of answers that may differ from the teacher's
    #[arg(long, default_value = "2%", value_name = "PERCENT", value_parser = percent)]
    pub(crate) differ: u64,
    /// How sure the promise shall be
    #[arg(long, default_value = "95%", value_name = "PERCENT", value_parser = percent)]
    pub(crate) confidence: u64,
    /// The chance that any promise is wrong that was ever asked of these same rows; trying again and again uses it up
    #[arg(long, default_value = "20%", value_name = "PERCENT", value_parser = percent)]
    pub(crate) together: u64,
    /// Seed of every draw
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Threads; without it one per core. The result is the same
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
    /// Which heads speak
    #[arg(long, value_enum, default_value_t)]
    pub(crate) heads: HeadsOf,
    /// Whether sentence embeddings are made
    #[arg(long, value_enum, default_value_t)]
    pub(crate) embeddings: Embeddings,
    /// I have read the provider's terms, and they allow training on its answers; the labeller records this
    #[arg(long)]
    pub(crate) terms_allow: bool,
    #[command(flatten)]
    pub(crate) vault: Vault,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DistillGrade {
    /// The labeller
    pub(crate) name: String,
    /// Most disagreements to show
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) count: u16,
    /// Seed of their order and of the sides
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) vault: Vault,
    /// Print the summary as one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DistillUse {
    /// The labeller
    pub(crate) name: String,
    /// The route, by its model
    #[arg(long, value_name = "MODEL")]
    pub(crate) route: String,
    /// Take it out instead
    #[arg(long)]
    pub(crate) remove: bool,
    /// The configuration; without it the one that `serve` would find
    #[arg(long, short, env = "MAINS_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Do not ask before the file is written
    #[arg(long)]
    pub(crate) yes: bool,
    /// Folder of the outlet
    #[arg(long, default_value = ".mains", env = "MAINS_DATA")]
    pub(crate) data: PathBuf,
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum RowFormat {
    /// One JSON object a line
    #[default]
    Jsonl,
    /// Apache Parquet; needs `--out`
    Parquet,
}

#[derive(Debug, Args)]
pub(crate) struct DistillExport {
    /// The task
    pub(crate) task: String,
    /// How
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: RowFormat,
    /// Into this file, which only its owner may read; without it to stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Only rows of this part of the labeller's training
    #[arg(long, value_name = "PART", value_parser = ["fit", "calibrate", "audit", "repeat"])]
    pub(crate) part: Option<String>,
    #[command(flatten)]
    pub(crate) vault: Vault,
}

#[derive(Debug, Args)]
pub(crate) struct Label {
    /// The labeller's file; texts come from stdin, one a line
    pub(crate) file: PathBuf,
    /// Lines are JSON objects, and this member is the text
    #[arg(long, value_name = "NAME")]
    pub(crate) field: Option<String>,
    /// One JSON object a line, instead of label, confidence and `local` or `escalate` with tabs between
    #[arg(long)]
    pub(crate) json: bool,
    /// Check signature, hashes and thresholds instead; given the rows, compute the promise again
    #[arg(long, conflicts_with = "field")]
    pub(crate) verify: bool,
    /// The rows that it was trained on, as `mains distill export` prints them; without it the task's, where they are here
    #[arg(long, value_name = "FILE", requires = "verify")]
    pub(crate) rows: Option<PathBuf>,
    /// The public key that must have signed, as text; without it the one in the outlet's folder
    #[arg(long, requires = "verify")]
    pub(crate) key: Option<String>,
    /// Threads; without it one per core
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
    #[command(flatten)]
    pub(crate) vault: Vault,
}

/// `2%`, `2 %`, `0.5%` or `2` as millionths; between nothing and everything.
fn percent(text: &str) -> Result<u64, String> {
    let wrong = || "write it as `2%` or `0.5%`".to_owned();
    let number = text.trim().trim_end_matches('%').trim_end();
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 3 || part.len() > 4 || !digits(whole) || !digits(part) {
        return Err(wrong());
    }
    let ppm: u64 = format!("{whole}{part:0<4}").parse().map_err(|_| wrong())?;
    if (1..1_000_000).contains(&ppm) { Ok(ppm) } else { Err("it must lie between 0 and 100 %".into()) }
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn shares_are_read_exactly() {
        for (text, ppm) in [("2%", 20_000), ("0.5 %", 5_000), ("95", 950_000), ("0.0001%", 1)] {
            assert_eq!(percent(text), Ok(ppm), "{text}");
        }
        for wrong in ["", "%", "0%", "100%", "-1%", "1e1", "2,5%", "1.23456%", "two"] {
            assert!(percent(wrong).is_err(), "{wrong}");
        }
    }
}
