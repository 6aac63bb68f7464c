//! `mains swap plan`: candidates for a model, by what the requests need, how long each lives and what it costs.
//!
//! Read `subject` (what is to be replaced), `needs` (what the requests ask for), `mix` (tokens a request),
//! `configured` (what the configuration allows), `parameters` (what a candidate refuses), `candidate` (all of it
//! together for one), then `show` and `document`. Nothing is sent.
//!
//! Never: an unknown price as 0, a fact without its source.

mod candidate;
mod configured;
mod document;
mod mix;
mod needs;
mod parameters;
mod show;
mod subject;

use super::requests::{self, Gathered};
use crate::cli::SwapPlan;
use crate::print::{self, Ended, Trouble};
use candidate::{Candidate, Measured};
use configured::Configured;
use mains_catalog::Catalog;
use mains_swap::grade::{Kind, Recognised, Said, recognise};
use mains_units::Day;
use mix::Mix;
use needs::Needs;
use subject::Subject;

/// All that is shown.
struct Plan<'c> {
    as_of: Day,
    subject: Subject<'c>,
    /// What the old model costs on the same tokens.
    now: Measured,
    traffic: Option<Gathered>,
    needs: Needs,
    mix: Mix,
    /// The capable ones first, each part the best first.
    candidates: Vec<Candidate<'c>>,
    /// How the recorded answers were recognised, where they are labels.
    labels: Option<Recognised>,
    /// The command to type next.
    next: Option<String>,
}

pub(super) fn run(arguments: &SwapPlan) -> Result<Ended, Trouble> {
    let catalog = Catalog::builtin();
    let as_of = crate::verbs::as_of(arguments.as_of.as_deref())?;
    let configured = Configured::load(arguments.requests.config.as_deref(), catalog)?;
    let from = &arguments.requests;
    let traffic = match (&from.requests, &from.route) {
        (None, None) => None,
        _ => Some(requests::gather(from, &arguments.data)?),
    };
    let asked = asked(arguments, traffic.as_ref())?;
    let subject = Subject::find(&asked, &configured, catalog, as_of)?;
    let plan = plan(arguments, catalog, as_of, &configured, subject, traffic);
    let found = plan.candidates.iter().any(Candidate::is_capable);
    if arguments.json {
        print::json(&document::document(&plan))?;
    } else {
        print::data(&show::page(&plan, arguments.all));
    }
    Ok(if found { Ended::Clean } else { Ended::Findings })
}

/// The model that is to be replaced: named, else that of the route, else the one most requests ask for.
fn asked(arguments: &SwapPlan, traffic: Option<&Gathered>) -> Result<String, Trouble> {
    if let Some(named) = arguments.model.as_ref().or(arguments.requests.route.as_ref()) {
        return Ok(named.clone());
    }
    let most = traffic.and_then(|traffic| {
        let mut counts = std::collections::BTreeMap::new();
        for item in traffic.items.iter().filter(|item| !matches!(item.model(), "" | "unnamed")) {
            *counts.entry(item.model()).or_insert(0_u64) += 1;
        }
        counts.into_iter().max_by_key(|(_, count)| *count).map(|(model, _)| model.to_owned())
    });
    most.ok_or_else(|| {
        Trouble::new("nothing says which model is to be replaced")
            .hint("name it: `mains swap plan MODEL`, where MODEL is a model, `upstream/model`, or the model of a route")
    })
}

fn plan<'c>(
    arguments: &SwapPlan,
    catalog: &'c Catalog,
    as_of: Day,
    configured: &Configured,
    subject: Subject<'c>,
    traffic: Option<Gathered>,
) -> Plan<'c> {
    let items = traffic.as_ref().map_or(&[][..], |traffic| &traffic.items);
    let (needs, mix) = (Needs::of(items), Mix::of(items));
    let view = candidate::View { catalog, as_of, configured, needs: &needs, mix: &mix, items };
    let mut candidates = candidate::all(&view, &subject);
    candidates.sort_by_cached_key(Candidate::rank);
    let said: Vec<Said> = items.iter().filter_map(|item| item.reference.clone()).collect();
    let labels = Some(recognise(&said)).filter(|found| found.kind == Kind::Label);
    let next = show::next(arguments, &subject, candidates.iter().find(|candidate| candidate.is_capable()));
    let now = view.measured(&subject.host.id, &subject.model.id, subject.upstream.as_ref());
    Plan { as_of, subject, now, traffic, needs, mix, candidates, labels, next }
}
