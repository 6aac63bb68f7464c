//! The report: sightings dated, attributed, grouped and ranked, worst first.
//!
//! Read `rule`, then the types here, `attribute` (whose model is it), `build` (dates and groups), then the
//! formats: `text`, `markdown`, `json`, `sarif`.

mod attribute;
mod build;
mod json;
mod markdown;
mod money;
mod rule;
mod sarif;
mod text;

pub use rule::Rule;
pub use text::Style;

pub(crate) use money::line as price_line;
pub(crate) use text::detail;

use crate::finding::{AttributedBy, Class, Confidence, Scope};
use mains_units::{Day, Grade, Range};
use serde::Serialize;
use std::collections::BTreeMap;

/// Energy of a thousand answers, as the meter estimates it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Energy {
    /// Joules for 1,000 answers of the meter's reference size.
    pub joules_per_1000: Range,
    /// The grade of the estimate.
    pub grade: Grade,
}

/// Asks the meter for the energy of a model: (host, id). `None` is unknown, never zero.
pub type EnergyOf<'a> = &'a dyn Fn(&str, &str) -> Option<Energy>;

/// How a report is made.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// The day as of which dates are judged.
    pub as_of: Day,
    /// What ends within so many days is a finding like what has ended.
    pub horizon_days: i64,
    /// The meter, where there is one.
    pub energy: Option<EnergyOf<'a>>,
}

/// What the walk over the tree came by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Walked {
    /// Files read.
    pub files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Files left out by rule, counted by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Files that should have been read and were not, with the reason: too large, unreadable.
    pub unread: Vec<Unread>,
}

/// A file that should have been read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unread {
    /// Its path.
    pub path: String,
    /// Why it was not.
    pub reason: String,
}

/// All that a scan found, ready to be printed. Equal input gives equal bytes in every format.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The name and version of this format.
    pub schema: &'static str,
    /// The day as of which dates were judged.
    pub as_of: Day,
    /// The horizon in days.
    pub horizon_days: i64,
    /// The catalogue's hash.
    pub catalogue: String,
    /// The day of the catalogue's newest source.
    pub catalogue_read_on: Day,
    /// What was walked.
    pub walked: Walked,
    /// How many findings count for the exit code.
    pub gated: usize,
    /// Models that the code asks for, worst first.
    pub models: Vec<ModelGroup>,
    /// Paths, headers and calls that end.
    pub endpoints: Vec<EndpointGroup>,
    /// Lists of models, one per file.
    pub lists: Vec<ListGroup>,
    /// Providers that the code depends on, most used first.
    pub providers: Vec<ProviderGroup>,
    /// Models that are only spoken of, with the number of places.
    pub mentions: Vec<MentionGroup>,
    /// Ignore comments that silence nothing because something is wrong with them.
    pub malformed_ignores: Vec<Malformed>,
}

/// One place of a finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct At {
    /// The file, relative to the root.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The text as it stands there.
    pub text: String,
    /// How it is meant.
    pub class: Class,
    /// In which part of the code base.
    pub scope: Scope,
    /// How sure.
    pub confidence: Confidence,
    /// What tells the provider.
    pub attributed_by: Option<AttributedBy>,
    /// Why it is what it is.
    pub why: String,
    /// What stays the same when lines move.
    pub fingerprint: String,
    /// The reason of the ignore comment that silences it.
    pub ignored: Option<String>,
}

/// What happens after the end.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "effect")]
pub enum Effect {
    /// Requests fail.
    Fails,
    /// Another model answers.
    Redirects {
        /// Which.
        to: String,
        /// What the dead one cost.
        price_before: Option<PriceTag>,
        /// What the answering one costs.
        price_after: Option<PriceTag>,
    },
    /// The source does not say.
    Unknown,
}

/// List prices for display; `None` is not known, never free.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PriceTag {
    /// US dollars per million input tokens.
    pub input_usd_per_million: Option<f64>,
    /// US dollars per million output tokens.
    pub output_usd_per_million: Option<f64>,
    /// The first price in another unit (image, second …), with its unit.
    pub unit: Option<(String, f64)>,
    /// The code of the source.
    pub source: String,
}

/// The fact behind a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceTag {
    /// Where it was read.
    pub source: String,
    /// When.
    pub read: Day,
    /// How far to trust it.
    pub confidence: &'static str,
}

/// A date at another host, or one that contradicts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OtherDate {
    /// The host.
    pub host: String,
    /// The day.
    pub shutdown: Option<Day>,
    /// The source.
    pub source: String,
}

/// A candidate to take a model's place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// `own-successor`, `another-host` or `smaller`.
    pub kind: &'static str,
    /// The host.
    pub host: String,
    /// The id there.
    pub id: String,
    /// Its own state.
    pub state: &'static str,
    /// The day of its own end, if known.
    pub ends_on: Option<Day>,
    /// Its price.
    pub price: Option<PriceTag>,
    /// Its energy.
    pub energy: Option<Energy>,
    /// The source that recommends it, where one does.
    pub source: Option<String>,
    /// How many sources list this model at this host. One alone may be wrong about it.
    pub listed_by: usize,
}

/// One model at one host, with every place that names it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelGroup {
    /// The rule.
    pub rule: Rule,
    /// The host whose dates hold; `None` when nothing tells.
    pub host: Option<String>,
    /// What tells the host, the strongest over all places.
    pub attributed_by: Option<AttributedBy>,
    /// The id in the catalogue's spelling, or as written.
    pub id: String,
    /// What it is asked to do: `chat`, `video` …; empty when not known.
    pub kind: &'static str,
    /// `retired`, `dying`, `deprecated`, `may-end-any-day`, `alive` or `unknown`.
    pub state: &'static str,
    /// The day of the end; for `may-end-any-day`, the day until which there was to be none.
    pub ends_on: Option<Day>,
    /// Days from the day of the report to the end; negative when it has passed.
    pub days_left: Option<i64>,
    /// What happens after the end.
    pub effect: Option<Effect>,
    /// From what the verdict was drawn, for people.
    pub basis: String,
    /// The fact.
    pub source: Option<SourceTag>,
    /// Dates at other hosts, and facts that contradict.
    pub others: Vec<OtherDate>,
    /// Its price.
    pub price: Option<PriceTag>,
    /// Its energy.
    pub energy: Option<Energy>,
    /// What could take its place, in order.
    pub substitutes: Vec<Candidate>,
    /// Names that look like it, when it is unknown.
    pub nearest: Vec<String>,
    /// Whether it counts for the exit code.
    pub gated: bool,
    /// Where it is used.
    pub places: Vec<At>,
}

impl ModelGroup {
    /// Host and id as the report writes them.
    pub fn name(&self) -> String {
        match &self.host {
            Some(host) => format!("{host}/{}", self.id),
            None => self.id.clone(),
        }
    }

    /// Whether code that ships asks for it and no comment silences that.
    pub fn is_asked_for(&self) -> bool {
        self.places
            .iter()
            .any(|at| at.class == Class::Use && at.scope == Scope::Product && at.ignored.is_none())
    }
}

/// A path, header or call that ends.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EndpointGroup {
    /// The rule.
    pub rule: Rule,
    /// The host.
    pub host: Option<String>,
    /// The path, header or call.
    pub name: String,
    /// The day of the end, if it has one.
    pub ends_on: Option<Day>,
    /// Days to the end.
    pub days_left: Option<i64>,
    /// What to do instead; may be empty.
    pub instead: String,
    /// The source.
    pub source: Option<SourceTag>,
    /// Whether it counts for the exit code.
    pub gated: bool,
    /// Where.
    pub places: Vec<At>,
}

/// A list of models in one file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListGroup {
    /// The rule.
    pub rule: Rule,
    /// The file.
    pub file: String,
    /// Its part of the code base.
    pub scope: Scope,
    /// The first line.
    pub line: u32,
    /// How many different models.
    pub models: usize,
    /// Those that have ended, as written.
    pub retired: Vec<String>,
    /// Those that end within the horizon, as written.
    pub retiring: Vec<String>,
}

/// A provider and what the code has to do with it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProviderGroup {
    /// The host.
    pub host: String,
    /// Its name for people.
    pub name: String,
    /// The environment variable of its key.
    pub key_variable: Option<String>,
    /// Libraries, addresses, key variables and services, as written, with how often.
    pub signs: BTreeMap<String, u64>,
    /// Files.
    pub files: usize,
}

/// A model that is only spoken of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MentionGroup {
    /// As written, in lower case.
    pub id: String,
    /// How many places.
    pub places: usize,
    /// The first of them.
    pub first: String,
}

/// An ignore comment with something wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Malformed {
    /// The file.
    pub file: String,
    /// The line.
    pub line: u32,
    /// What is wrong.
    pub problem: String,
}

impl Report {
    /// The exit code that the findings ask for: 1 when something that the code uses is dead or dies within
    /// the horizon, else 0. Trouble with the scan itself is 2, and the caller's to say.
    pub fn exit_code(&self) -> u8 {
        u8::from(self.gated > 0)
    }
}
