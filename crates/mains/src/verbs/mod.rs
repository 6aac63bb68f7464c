//! One file a verb. A verb reads its settings, calls a room below, prints the answer.

mod catalog;
mod completions;
mod config;
mod connect;
mod distill;
mod doctor;
mod drill;
mod estimate;
mod key;
mod label;
pub(crate) mod ledger;
pub(crate) mod model;
mod records;
mod reload;
mod scan;
mod serve;
mod swap;
mod up;
mod worker;

use crate::cli::{Config, Verb};
use crate::print::{Ended, Trouble};
use mains_units::{Day, Timestamp};

/// Does what the command line asks for.
pub(crate) fn run(verb: Verb) -> Result<Ended, Trouble> {
    match verb {
        Verb::Scan(arguments) => scan::run(&arguments),
        Verb::Ledger(verb) => ledger::run(&verb),
        Verb::Records(verb) => records::run(verb),
        Verb::Model(verb) => model::run(verb),
        Verb::Catalog(verb) => catalog::run(&verb),
        Verb::Estimate(arguments) => estimate::run(&arguments),
        Verb::Config(Config::Check { file }) => config::check(file.as_deref()),
        Verb::Config(Config::Show { file, json }) => config::show(file.as_deref(), json),
        Verb::Connect(arguments) => connect::run(&arguments),
        Verb::Doctor(arguments) => doctor::run(&arguments),
        Verb::Completions { shell } => completions::run(shell),
        Verb::Up(arguments) => up::run(&arguments),
        Verb::StandIn(arguments) => up::stand_in(&arguments),
        Verb::Serve(arguments) => serve::run(&arguments),
        Verb::Drill(arguments) => drill::run(&arguments),
        Verb::Swap(verb) => swap::run(&verb),
        Verb::Distill(verb) => distill::run(&verb),
        Verb::Label(arguments) => label::run(&arguments),
        Verb::Key(verb) => key::run(&verb),
        Verb::Worker => worker::run(),
        Verb::Config(Config::Reload(data)) => reload::run(&data),
    }
}

/// The moment of the calendar.
pub(crate) fn now() -> Timestamp {
    mains_host::Clock::start().now()
}

/// The day that a flag names, or today.
pub(crate) fn as_of(flag: Option<&str>) -> Result<Day, Trouble> {
    match flag {
        None => Ok(now().day()),
        Some(text) => Day::parse(text).ok_or_else(|| {
            Trouble::new(format!("`{text}` is not a day"))
                .hint("write it as YYYY-MM-DD, for example 2026-11-24")
        }),
    }
}
