//! The flags of `mains swap`.

use super::Data;
use clap::{Args, Subcommand};
use mains_units::{Day, Span, Timestamp};
use std::borrow::Cow;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Swap {
    /// Candidates for a model or a route: what they can do, how long they live, what your requests cost there
    Plan(SwapPlan),
    /// Ask a candidate your own requests, and decide whether it may take the old model's place
    Test(Box<SwapTest>),
    /// Say which of two answers is better, without knowing whose they are; the verdict of the test follows
    Grade(SwapGrade),
    /// Begin, finish or cancel the switch of a route to the replacement that a report is about
    Switch(SwapSwitch),
    /// How every switch stands: its share, its next step, and what is compared
    Status(Data),
    /// Give the old target of a route all its requests back
    Rollback {
        /// The route, by its model
        route: String,
        #[command(flatten)]
        data: Data,
    },
    /// Compute a report again from its rows, and check its signature
    Verify {
        /// The report
        report: PathBuf,
        /// The public key of the log that signed it, as text; without it the one in the outlet's folder
        #[arg(long)]
        key: Option<String>,
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SwapTest {
    #[command(flatten)]
    pub(crate) requests: SwapRequests,
    /// The old target, asked only where no answer is recorded: `upstream/model`, or the model of a route
    #[arg(long, value_name = "TARGET")]
    pub(crate) from: String,
    /// The candidate: `upstream/model`, or the model of a route
    #[arg(long, value_name = "TARGET")]
    pub(crate) to: String,
    /// Share of answers that may differ, in points
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=50))]
    pub(crate) margin: u8,
    /// Most money for the whole test, what was spent before included
    #[arg(long, value_name = "USD")]
    pub(crate) max_usd: Option<f64>,
    /// Most requests a second
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) per_second: u16,
    /// Folder for the answers and the report; a test that was cut off goes on from there
    #[arg(long, value_name = "FOLDER", default_value = "swap")]
    pub(crate) out: PathBuf,
    /// Seed of the sample
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Do not ask before money is spent
    #[arg(long)]
    pub(crate) yes: bool,
    /// Folder of the running outlet
    #[arg(long, default_value = ".mains", env = "MAINS_DATA")]
    pub(crate) data: PathBuf,
    /// Requests on their way at once
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) in_flight: u16,
    /// Most items; a higher number goes on where a test of fewer ended
    #[arg(long, value_name = "N")]
    pub(crate) at_most: Option<usize>,
    /// Ask the old model a second time, on at most N items: the candidate may agree less often than the old model does
    /// with itself, by the margin. Without it, that is done where no answer is recorded; 0 never does it
    #[arg(long = "self", value_name = "N")]
    pub(crate) again: Option<usize>,
    #[command(flatten)]
    pub(crate) grader: SwapGrader,
    /// A model that compares free text, blind and in both orders; people correct it
    #[arg(long, value_name = "TARGET")]
    pub(crate) judge: Option<String>,
    /// What makes an answer good, for the judge and for people
    #[arg(long, value_name = "TEXT")]
    pub(crate) criteria: Option<String>,
    /// Items that people compare, with `mains swap grade`; 50 beside a judge
    #[arg(long, value_name = "N")]
    pub(crate) people: Option<usize>,
}

/// How answers are compared; without any of these the old model's answers tell.
#[derive(Debug, Args)]
#[command(next_help_heading = "How answers are compared")]
pub(crate) struct SwapGrader {
    /// Labels that there are
    #[arg(long, value_name = "LABEL", value_delimiter = ',')]
    pub(crate) labels: Vec<String>,
    /// Upper and lower case of labels are alike
    #[arg(long)]
    pub(crate) case_insensitive: bool,
    /// Numbers may differ by this share of the recorded one: 0.01 is one per cent
    #[arg(long, value_name = "SHARE")]
    pub(crate) number_tolerance: Option<f64>,
    /// The last number of an answer counts, instead of the whole answer
    #[arg(long)]
    pub(crate) last_number: bool,
    /// What this expression finds last is compared: its first group, or all of it
    #[arg(long, value_name = "REGEX")]
    pub(crate) pattern: Option<String>,
    /// An answer passes if it matches; the candidate may pass less often, by the margin
    #[arg(long, value_name = "REGEX")]
    pub(crate) check: Option<String>,
    /// Fields that are not compared: keys joined by dots, `[]` for every element
    #[arg(long, value_name = "PATH", value_delimiter = ',')]
    pub(crate) json_ignore: Vec<String>,
    /// Lists whose order does not matter
    #[arg(long, value_name = "PATH", value_delimiter = ',')]
    pub(crate) json_any_order: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SwapGrade {
    /// The folder of the test
    #[arg(default_value = "swap")]
    pub(crate) folder: PathBuf,
    /// Grade on a page that this machine serves to itself, instead of in the terminal
    #[arg(long, conflicts_with = "finish")]
    pub(crate) page: bool,
    /// Take the verdicts that are there; no further ones of these items count
    #[arg(long)]
    pub(crate) finish: bool,
    /// Folder of the outlet
    #[arg(long, default_value = ".mains", env = "MAINS_DATA")]
    pub(crate) data: PathBuf,
}

/// Where requests come from.
#[derive(Debug, Args)]
pub(crate) struct SwapRequests {
    /// Requests as JSON lines or one JSON document: bodies, `{"request": …, "answer": …}`, `mains records export`,
    /// LiteLLM spend logs, Langfuse observations, OpenAI batch, stored and fine-tuning files
    #[arg(long, value_name = "FILE", conflicts_with = "route")]
    pub(crate) requests: Option<PathBuf>,
    /// Kept records of this route instead
    #[arg(long, value_name = "MODEL")]
    pub(crate) route: Option<String>,
    /// The output file of an OpenAI batch, where `--requests` is its input
    #[arg(long, value_name = "FILE", requires = "requests")]
    pub(crate) answers: Option<PathBuf>,
    /// Not before this day or moment (UTC)
    #[arg(long, value_name = "TIME", value_parser = crate::settings::moment)]
    pub(crate) since: Option<Timestamp>,
    /// Before this day or moment (UTC)
    #[arg(long, value_name = "TIME", value_parser = crate::settings::moment)]
    pub(crate) until: Option<Timestamp>,
    /// The configuration; without it the one that `serve` would find
    #[arg(long, short, env = "MAINS_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

impl SwapRequests {
    /// What they are called in a report.
    pub(crate) fn display(&self) -> Cow<'_, str> {
        match (&self.requests, &self.route) {
            (Some(path), _) => path.to_string_lossy(),
            (None, route) => Cow::Borrowed(route.as_deref().unwrap_or_default()),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct SwapPlan {
    /// The model to replace, `upstream/model`, or the model of a route; without it that of the requests
    pub(crate) model: Option<String>,
    #[command(flatten)]
    pub(crate) requests: SwapRequests,
    /// The day to judge by, instead of today
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) as_of: Option<String>,
    /// List those too that lack something, with what they lack
    #[arg(long)]
    pub(crate) all: bool,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
    /// Folder of the outlet
    #[arg(long, default_value = ".mains", env = "MAINS_DATA")]
    pub(crate) data: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct SwapSwitch {
    /// The signed report of the test, or the folder that holds it
    #[arg(required_unless_present_any = ["finish", "cancel"], conflicts_with_all = ["finish", "cancel"])]
    pub(crate) report: Option<PathBuf>,
    /// The route, by its model; without it the one that has the old target
    #[arg(long, value_name = "MODEL")]
    pub(crate) route: Option<String>,
    /// Shares of the replacement one after the other; without it 5,25,50,100
    #[arg(long, value_name = "PERCENTS", value_delimiter = ',')]
    pub(crate) steps: Vec<u8>,
    /// Least time of a step: `90s`, `30m`, `12h`, `1d`; without it a day
    #[arg(long, value_name = "TIME", value_parser = hold)]
    pub(crate) hold: Option<Span>,
    /// Fewest answers of the replacement in a step; without it 200
    #[arg(long, value_name = "COUNT")]
    pub(crate) requests_min: Option<u64>,
    /// Day from whose start on, in UTC, the replacement gets everything
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub(crate) by: Option<Day>,
    /// Switch though the verdict is not "not worse", for this reason
    #[arg(long, value_name = "REASON")]
    pub(crate) despite_verdict: Option<String>,
    /// Put the replacement of a whole switch where the old target stands in the file
    #[arg(long, conflicts_with = "cancel")]
    pub(crate) finish: bool,
    /// Take the switch out of the file
    #[arg(long)]
    pub(crate) cancel: bool,
    /// The public key of the log that signed the report; without it the one in the outlet's folder
    #[arg(long)]
    pub(crate) key: Option<String>,
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

fn hold(text: &str) -> Result<Span, String> {
    mains_config::parse_lasting(text).ok_or_else(|| "write it as `90s`, `30m`, `12h`, `1d` or `2w`".into())
}

fn day(text: &str) -> Result<Day, String> {
    Day::parse(text).ok_or_else(|| "write it as YYYY-MM-DD".into())
}
