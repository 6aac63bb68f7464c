//! From exchanges to tasks.

use super::cluster::{ROWS_MIN, Sample, templates};
use super::exchange::{Answer, Exchange};
use super::labels::{LabelSet, folded};
use super::refusal::{Refusal, Refused};
use super::template::Template;
use super::tokens::{Book, TURN, joined, masked};
use crate::certificate::{Terms, progress};
use crate::group::{Groups, group};
use crate::split::Shares;
use mains_units::Timestamp;
use std::collections::BTreeMap;

/// One exchange of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its place in what was looked at.
    pub exchange: usize,
    /// The part of the request that varies.
    pub text: String,
    /// The number of its label.
    pub label: u32,
    /// When it was asked.
    pub at: Timestamp,
}

/// How much of it there is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Volume {
    /// Requests of the template, whatever their answer.
    pub requests: u64,
    /// The first of them.
    pub first: Timestamp,
    /// The last of them.
    pub last: Timestamp,
    /// Money in nano-USD, over the requests where it is known, and how many those are.
    pub nano_usd: (u64, u64),
    /// Energy in millijoules, likewise.
    pub mj: (u64, u64),
    /// Requests by the model that answered.
    pub teachers: BTreeMap<String, u64>,
    /// Rows that repeat an earlier one.
    pub exact_repeats: u64,
    /// Different texts that are near an earlier one.
    pub near_repeats: u64,
    /// Rows that are neither: so many count.
    pub distinct: u64,
}

/// A labelling task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The route.
    pub route: String,
    /// The constant part.
    pub template: Template,
    /// The labels and how answers carry them.
    pub labels: LabelSet,
    /// Its exchanges whose answer is one of the labels, in the order of what was looked at.
    pub rows: Vec<Row>,
    /// Exchanges whose answer is not.
    pub left_out: u64,
    /// The rows' groups.
    pub groups: Groups,
    /// How much of it there is.
    pub volume: Volume,
}

impl Task {
    /// A name that stays as long as the constant part does.
    pub fn name(&self) -> String {
        let hash = self.template.hash();
        format!("{}-{}", self.route, hash.get(..8).unwrap_or(&hash))
    }

    /// How many calibration rows a split by these shares gives, of those needed: `212 of 299 rows for 1 %`.
    pub fn progress(&self, terms: &Terms, shares: Shares) -> String {
        let have = u128::from(self.volume.distinct) * u128::from(shares.calibrate_ppm) / 1_000_000;
        progress(u64::try_from(have).unwrap_or(u64::MAX), terms)
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Discovery {
    /// Tasks, those with most requests first.
    pub tasks: Vec<Task>,
    /// What is none, likewise.
    pub refused: Vec<Refused>,
}

/// So many different requests of a route are enough to see its templates.
const SAMPLES_MAX: usize = 2_000;

/// Finds the labelling tasks in exchanges.
pub fn discover(exchanges: &[Exchange]) -> Discovery {
    let mut found = Discovery::default();
    // Another tool list, or another order of roles, is another template whatever the texts are.
    let mut families: BTreeMap<(&str, &str, Vec<&str>), Vec<usize>> = BTreeMap::new();
    for (place, exchange) in exchanges.iter().enumerate() {
        let roles = exchange.turns.iter().map(|turn| turn.role.word()).collect();
        families.entry((&exchange.route, &exchange.fixed, roles)).or_default().push(place);
    }
    let mut unlike: BTreeMap<(&str, Refusal), u64> = BTreeMap::new();
    for ((route, fixed, roles), places) in families {
        let (templates, members) = members(fixed, exchanges, &places);
        let mut rest = places.len();
        for (template, members) in
            templates.into_iter().zip(members).filter(|(_, members)| !members.is_empty())
        {
            rest -= members.len();
            let requests = members.len() as u64;
            match task(route, &template, exchanges, members) {
                Ok(task) => found.tasks.push(task),
                Err(why) => {
                    let (route, template) = (route.to_owned(), Some(template));
                    found.refused.push(Refused { route, template, requests, why });
                }
            }
        }
        let talks = roles.iter().filter(|role| **role == "assistant" || **role == "tool").count() > 0;
        let why = if talks { Refusal::Conversation } else { Refusal::OneOff };
        if rest > 0 {
            *unlike.entry((route, why)).or_default() += rest as u64;
        }
    }
    found.refused.extend(unlike.into_iter().map(|((route, why), requests)| Refused {
        route: route.to_owned(),
        template: None,
        requests,
        why,
    }));
    found
        .tasks
        .sort_by(|a, b| b.volume.requests.cmp(&a.volume.requests).then_with(|| a.name().cmp(&b.name())));
    found.refused.sort_by(|a, b| (b.requests, &a.route, &a.why).cmp(&(a.requests, &b.route, &b.why)));
    found
}

/// An exchange that a template fits, with the part that varies.
type Member = (usize, String);

/// The templates of a family, and which exchanges each of them fits.
fn members(fixed: &str, exchanges: &[Exchange], places: &[usize]) -> (Vec<Template>, Vec<Vec<Member>>) {
    let texts: Vec<(usize, String)> = places
        .iter()
        .filter(|place| !exchanges[**place].turns.iter().any(|turn| turn.text.contains(TURN)))
        .map(|place| (*place, joined(&exchanges[*place].turns)))
        .collect();
    // Of each different request the first place, and how often it was sent.
    let mut hidden: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (place, text) in &texts {
        hidden.entry(masked(text)).or_insert((*place, 0)).1 += 1;
    }
    let answers: Vec<String> = hidden.values().map(|(place, _)| folded(&exchanges[*place].answer)).collect();
    let step = hidden.len().div_ceil(SAMPLES_MAX).max(1);
    let mut book = Book::default();
    let samples: Vec<Sample<'_>> = hidden
        .keys()
        .zip(&answers)
        .step_by(step)
        .map(|(text, answer)| Sample { tokens: book.read(text), answer })
        .collect();
    let mut templates: Vec<Template> = if samples.len() < ROWS_MIN {
        // Few different requests: those that were sent often are constant as a whole.
        let often = hidden.iter().filter(|(_, (_, sent))| *sent >= ROWS_MIN);
        often.map(|(text, _)| whole(fixed, text)).collect()
    } else {
        templates(&samples, &book).iter().map(|ends| Template::new(fixed, ends, &book)).collect()
    };
    // Of two that fit, the one that says more.
    templates.sort_by(|a, b| b.size().cmp(&a.size()).then_with(|| a.cmp(b)));
    templates.dedup();
    let mut members: Vec<Vec<Member>> = templates.iter().map(|_| Vec::new()).collect();
    for (place, text) in texts {
        let fit =
            templates.iter().zip(&mut members).find_map(|(template, of)| Some((template.cut(&text)?, of)));
        if let Some((part, of)) = fit {
            of.push((place, part));
        }
    }
    (templates, members)
}

fn whole(fixed: &str, text: &str) -> Template {
    Template { fixed: fixed.to_owned(), prefix: text.to_owned(), suffix: String::new() }
}

fn task(
    route: &str,
    template: &Template,
    exchanges: &[Exchange],
    members: Vec<Member>,
) -> Result<Task, Refusal> {
    if members.iter().any(|(_, part)| part.contains(TURN)) {
        return Err(Refusal::Conversation);
    }
    if members.iter().all(|(_, part)| *part == members[0].1) {
        return Err(Refusal::NothingVaries);
    }
    let answers: Vec<&Answer> = members.iter().map(|(place, _)| &exchanges[*place].answer).collect();
    let labels = LabelSet::learn(&answers)?;
    let requests: Vec<&Exchange> = members.iter().map(|(place, _)| &exchanges[*place]).collect();
    let mut volume = volume(&requests);
    let rows: Vec<Row> = members
        .into_iter()
        .filter_map(|(exchange, text)| {
            let label = labels.number(&exchanges[exchange].answer)?;
            Some(Row { exchange, text, label, at: exchanges[exchange].at })
        })
        .collect();
    let groups = group(&rows.iter().map(|row| row.text.as_str()).collect::<Vec<_>>());
    volume.exact_repeats = groups.exact_repeats() as u64;
    volume.near_repeats = groups.near_repeats().into();
    volume.distinct = groups.near_groups.into();
    Ok(Task {
        route: route.to_owned(),
        template: template.clone(),
        left_out: volume.requests - rows.len() as u64,
        labels,
        rows,
        groups,
        volume,
    })
}

fn volume(requests: &[&Exchange]) -> Volume {
    let mut volume = Volume { requests: requests.len() as u64, ..Volume::default() };
    let times = || requests.iter().map(|exchange| exchange.at);
    volume.first = times().min().unwrap_or_default();
    volume.last = times().max().unwrap_or_default();
    let sum = |known: &dyn Fn(&Exchange) -> Option<u64>| {
        requests
            .iter()
            .filter_map(|exchange| known(exchange))
            .fold((0u64, 0), |(sum, count), one| (sum.saturating_add(one), count + 1))
    };
    volume.nano_usd = sum(&|exchange| exchange.nano_usd);
    volume.mj = sum(&|exchange| exchange.mj);
    for exchange in requests {
        *volume.teachers.entry(exchange.teacher.clone()).or_default() += 1;
    }
    volume
}
