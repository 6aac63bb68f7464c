//! `mains distill`: from the answers of a big model to a small labeller with a certificate.
//!
//! Read `shelf` (what lies where in the data folder), `import` (a log from elsewhere), `vault` (kept records),
//! `found` (both as one list of tasks with rows), `tasks` (what there is), `train`, `report` (text, JSON, page),
//! `judged` (a labeller's answers on its task's rows), `grade`, `status`, `place` (into mains.toml) and
//! `export`; `route` asks whether a router between two models is worth it.
//! `encoder` asks the worker for sentence embeddings, `crew` brings the threads.
//!
//! Never: kept content written in the clear but by `export`, which says so.

pub(super) mod crew;
pub(super) mod encoder;
pub(super) mod export;
pub(super) mod found;
mod grade;
mod import;
pub(super) mod judged;
mod place;
mod report;
mod route;
pub(super) mod shelf;
mod status;
mod tasks;
mod train;
mod vault;

use crate::cli::Distill;
use crate::print::{Ended, Trouble};

pub(crate) fn run(verb: &Distill) -> Result<Ended, Trouble> {
    match verb {
        Distill::Import(arguments) => import::run(arguments),
        Distill::Tasks { vault, json } => tasks::run(vault, *json),
        Distill::Train(arguments) => train::run(arguments),
        Distill::Grade(arguments) => grade::run(arguments),
        Distill::Status(data) => status::run(data),
        Distill::Withdraw { route, data } => status::withdraw(route, data),
        Distill::Use(arguments) => place::run(arguments),
        Distill::Export(arguments) => export::run(arguments),
        Distill::Route(arguments) => route::run(arguments),
    }
}
