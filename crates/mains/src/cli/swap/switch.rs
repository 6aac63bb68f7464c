//! The flags of `mains swap switch`.

use clap::Args;
use mains_units::{Day, Span};
use std::path::PathBuf;

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
