//! One fact about the life of a model, an endpoint, a product or a parameter, and where it was read.

use crate::table::{Fields, Text};
use mains_units::Day;
use serde::Serialize;

/// Where facts were read: what a source code in the data files stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The code used in rows.
    pub code: Text,
    /// The page or data set, as its publisher calls it.
    pub name: Text,
    /// Under which licence, or how else the facts may be carried.
    pub licence: Text,
    /// The day on which it was read.
    pub read: Day,
    /// Its address, where it has one.
    pub origin: Text,
}

/// What a lifecycle fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FactKind {
    /// A model id that code can ask for.
    Model,
    /// A path or header of an API.
    Endpoint,
    /// A product with a name for people; never matched against code.
    Product,
    /// A request parameter.
    Parameter,
}

/// How a shutdown date is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DateKind {
    /// On that day.
    Exact,
    /// A shutdown was announced, and it is not before that day.
    Earliest,
    /// No shutdown was announced; there will be none before that day. This is no date of death.
    NotSoonerThan,
    /// A shutdown was announced without a day.
    NoDate,
}

/// How far a fact may be trusted, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// The user's own statement, in an overlay.
    Own,
    /// The provider's own page.
    Primary,
    /// Second hand, confirmed by another.
    SecondaryConfirmed,
    /// A public data set.
    Dataset,
    /// Second hand.
    Secondary,
}

impl Confidence {
    /// The word that the data files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Primary => "primary",
            Self::SecondaryConfirmed => "secondary-confirmed",
            Self::Dataset => "dataset",
            Self::Secondary => "secondary",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Own, Self::Primary, Self::SecondaryConfirmed, Self::Dataset, Self::Secondary]
            .into_iter()
            .find(|confidence| confidence.name() == word)
    }
}

/// What happens to a request after the shutdown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AfterShutdown {
    /// It fails.
    Fails,
    /// It is answered by another model, at that model's price and with its behaviour.
    Redirects {
        /// The model that answers.
        to: Text,
    },
    /// It was redirected until the shutdown and fails since.
    RedirectsThenFails,
    /// Not said.
    Unknown,
}

/// One lifecycle fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// At which host (provider, platform) it holds.
    pub host: Text,
    /// What it is about: the id that code would send; at Azure `model-version`.
    pub id: Text,
    /// What kind of thing it is about.
    pub kind: FactKind,
    /// The version, where the host names model and version apart (Azure).
    pub version: Text,
    /// When the end was announced.
    pub announced: Option<Day>,
    /// When it ends, in the sense of `date_kind`.
    pub shutdown: Option<Day>,
    /// How that date is meant.
    pub date_kind: DateKind,
    /// What happens afterwards.
    pub after: AfterShutdown,
    /// What the source recommends instead, as it says it: an id, several, or prose; may be empty.
    pub replacement: Text,
    /// The code of the source.
    pub source: Text,
    /// The day on which the source was read.
    pub source_read: Day,
    /// How far to trust it.
    pub confidence: Confidence,
    /// Our own remark; may be empty.
    pub note: Text,
}

/// An endpoint that ends: a path or a header value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint<'a> {
    /// The host.
    pub host: &'a str,
    /// The path, such as `/v1/edits`; for a header, its whole line, such as `OpenAI-Beta: assistants=v1`.
    pub path: &'a str,
    /// The fact about its end.
    pub fact: &'a Fact,
}

/// A call shape of an old client library: what code that still uses it looks like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegacyCall {
    /// The text in the code, such as `openai.ChatCompletion.create`.
    pub shape: Text,
    /// The language, in lower case.
    pub language: Text,
    /// The package that must be imported for the shape to mean this.
    pub package: Text,
    /// The first version of the package without it; empty when the call is still there.
    pub ended_with: Text,
    /// The endpoint that it calls.
    pub endpoint: Text,
    /// What to call instead; may be empty.
    pub successor: Text,
    /// Our remark.
    pub note: Text,
    /// The code of the source.
    pub source: Text,
}

fn day(text: &str) -> Option<Day> {
    Day::parse(text)
}

/// The columns of `lifecycle.csv`.
pub(crate) fn read_fact(line: &'static str) -> Option<Fact> {
    let mut fields = Fields::of(line);
    let host = fields.text();
    let id = fields.text();
    let kind = match fields.text().as_ref() {
        "model" => FactKind::Model,
        "endpoint" => FactKind::Endpoint,
        "product" => FactKind::Product,
        "parameter" => FactKind::Parameter,
        _ => return None,
    };
    let version = fields.text();
    let announced = day(&fields.text());
    let shutdown = day(&fields.text());
    let date_kind = read_date_kind(&fields.text())?;
    let after = read_after(&fields.text());
    let replacement = fields.text();
    let source = fields.text();
    let source_read = day(&fields.text())?;
    let confidence = Confidence::parse(&fields.text())?;
    let note = fields.text();
    Some(Fact {
        host,
        id,
        kind,
        version,
        announced,
        shutdown,
        date_kind,
        after,
        replacement,
        source,
        source_read,
        confidence,
        note,
    })
}

pub(crate) fn read_date_kind(word: &str) -> Option<DateKind> {
    Some(match word {
        "exact" => DateKind::Exact,
        "earliest" => DateKind::Earliest,
        "not-sooner-than" => DateKind::NotSoonerThan,
        "not-announced" | "to-be-announced" | "" => DateKind::NoDate,
        _ => return None,
    })
}

fn read_after(text: &str) -> AfterShutdown {
    match text {
        "fails" => AfterShutdown::Fails,
        "redirects-then-fails" => AfterShutdown::RedirectsThenFails,
        other => match other.strip_prefix("redirects:") {
            Some(to) => AfterShutdown::Redirects { to: Text::Owned(to.to_owned()) },
            None => AfterShutdown::Unknown,
        },
    }
}

/// The columns of `sources.csv`.
pub(crate) fn read_source(line: &'static str) -> Option<Source> {
    let mut fields = Fields::of(line);
    Some(Source {
        code: fields.text(),
        name: fields.text(),
        licence: fields.text(),
        read: day(&fields.text())?,
        origin: fields.text(),
    })
}

/// The columns of `legacy.csv`.
pub(crate) fn read_legacy(line: &'static str) -> LegacyCall {
    let mut fields = Fields::of(line);
    LegacyCall {
        shape: fields.text(),
        language: fields.text(),
        package: fields.text(),
        ended_with: fields.text(),
        endpoint: fields.text(),
        successor: fields.text(),
        note: fields.text(),
        source: fields.text(),
    }
}
