//! The flags of `mains swap`.

mod switch;

pub(crate) use switch::SwapSwitch;

use super::Data;
use clap::{Args, Subcommand};
use mains_units::Timestamp;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Swap {
    /// Ask a candidate your own requests, and decide whether it may take the old model's place
    Test(SwapTest),
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
    /// Candidates for a model or a route: what they can do, how long they live, what your requests cost there
    Plan(SwapPlan),
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
    pub(crate) fn display(&self) -> String {
        match (&self.requests, &self.route) {
            (Some(path), _) => path.display().to_string(),
            (None, Some(route)) => route.clone(),
            (None, None) => String::new(),
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
