//! The flags of `mains swap`.

use super::Data;
use clap::{Args, Subcommand};
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
}

#[derive(Debug, Args)]
pub(crate) struct SwapTest {
    /// Requests, one JSON a line: a body, `{"request": …, "answer": …}`, or an exported exchange
    #[arg(long, value_name = "FILE")]
    pub(crate) requests: PathBuf,
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
