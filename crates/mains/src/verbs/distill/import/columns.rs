//! Which column is what: by its name, or by a flag.

use super::Row;
use super::table::Record;
use crate::cli::DistillImport;
use crate::print::Trouble;
use crate::verbs::swap::requests::value;
use mains_units::Timestamp;
use serde_json::Value;
use std::fmt;

const TEXT: [&str; 12] = [
    "text",
    "input",
    "message",
    "query",
    "question",
    "utterance",
    "sentence",
    "content",
    "body",
    "ticket",
    "document",
    "prompt",
];
const LABEL: [&str; 10] =
    ["label", "category", "class", "intent", "answer", "output", "prediction", "target", "completion", "tag"];
const COST: [&str; 6] = ["cost_usd", "cost", "price_usd", "price", "usd", "spend"];
const LATENCY: [&str; 7] =
    ["latency_ms", "latency", "duration_ms", "duration", "took_ms", "response_ms", "elapsed_ms"];
const TEACHER: [&str; 5] = ["teacher", "teacher_id", "model", "model_id", "model_name"];
const TIME: [&str; 8] = ["at", "time", "timestamp", "created_at", "created", "date", "datetime", "asked_at"];
const ID: [&str; 4] = ["id", "row_id", "request_id", "request"];

/// Places of the columns that are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    names: Vec<(&'static str, String, bool)>,
    text: usize,
    label: usize,
    cost: Option<usize>,
    latency: Option<usize>,
    teacher: Option<usize>,
    time: Option<usize>,
    id: Option<usize>,
}

impl fmt::Display for Columns {
    /// One sentence, so that a wrong guess is seen.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("columns:")?;
        for (place, (what, name, named)) in self.names.iter().enumerate() {
            let joint = if place > 0 { "," } else { "" };
            let how = if *named { "" } else { " (by its name)" };
            write!(f, "{joint} {what} is `{name}`{how}")?;
        }
        Ok(())
    }
}

impl Columns {
    pub(super) fn find(head: &[String], flags: &DistillImport) -> Result<Self, Trouble> {
        let mut names = Vec::new();
        let mut find = |what, flag: Option<&str>, known: &[&str]| -> Result<Option<usize>, Trouble> {
            let place = match flag {
                Some(name) => Some(head.iter().position(|column| column == name).ok_or_else(|| {
                    Trouble::new(format!("no column is called `{name}`"))
                        .hint(format!("there are {}", list(head)))
                })?),
                None => known.iter().find_map(|name| {
                    head.iter().position(|column| column.to_lowercase().replace([' ', '-'], "_") == *name)
                }),
            };
            if let Some(place) = place {
                names.push((what, head[place].clone(), flag.is_some()));
            }
            Ok(place)
        };
        let text = find("text", flags.text_column.as_deref(), &TEXT)?;
        let label = find("label", flags.label_column.as_deref(), &LABEL)?;
        let missing = |what: &str| {
            Trouble::new(format!("no column is known to hold the {what}"))
                .hint(format!("`--{what}-column NAME` says which; there are {}", list(head)))
        };
        let (text, label) = (text.ok_or_else(|| missing("text"))?, label.ok_or_else(|| missing("label"))?);
        let cost = find("cost", flags.cost_column.as_deref(), &COST)?;
        let latency = find("latency", flags.latency_column.as_deref(), &LATENCY)?;
        let teacher = find("teacher", flags.teacher_column.as_deref(), &TEACHER)?;
        let time = find("time", flags.time_column.as_deref(), &TIME)?;
        let id = find("id", None, &ID)?;
        if text == label {
            return Err(Trouble::new("text and label are the same column"));
        }
        Ok(Self { names, text, label, cost, latency, teacher, time, id })
    }

    /// The row of a record, or why it is none.
    pub(super) fn row(&self, head: &[String], record: &Record, file: &str) -> Result<Row, String> {
        let field = |place: usize| record.fields.get(place).and_then(Option::as_deref);
        let filled = |place: usize| field(place).filter(|text| !text.trim().is_empty());
        let at = |place: Option<usize>| place.and_then(filled);
        let text = filled(self.text).ok_or("no text")?.to_owned();
        let label = filled(self.label).ok_or("no label")?.trim().to_owned();
        let said =
            |what: &str, text: &str| format!("`{}` is no {what}", text.chars().take(40).collect::<String>());
        let read = |place: Option<usize>, what: &str, read: &dyn Fn(&str) -> Option<u64>| {
            at(place).map(|text| read(text.trim()).ok_or_else(|| said(what, text))).transpose()
        };
        // What costs nothing is written 0 where nobody knew the price.
        let nano_usd = at(self.cost)
            .filter(|text| text.trim().parse::<f64>() != Ok(0.0))
            .map(|text| {
                let text = text.trim().trim_start_matches('$');
                value::nano_usd(&Value::String(text.to_owned()))
                    .ok_or_else(|| said("cost in US dollars", text))
            })
            .transpose()?;
        let ms = read(self.latency, "time in milliseconds", &milliseconds)?;
        let moment = at(self.time).map(|text| moment(text).ok_or_else(|| said("time", text))).transpose()?;
        let known =
            [Some(self.text), Some(self.label), self.cost, self.latency, self.teacher, self.time, self.id];
        let more = head.iter().enumerate().filter(|(place, _)| !known.contains(&Some(*place)));
        Ok(Row {
            row: at(self.id).map_or_else(|| format!("{file}:{}", record.line), str::to_owned),
            text,
            label,
            at: moment,
            nano_usd,
            ms,
            teacher: at(self.teacher).map(|name| name.trim().to_owned()),
            more: more.filter_map(|(place, name)| Some((name.clone(), field(place)?.to_owned()))).collect(),
        })
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked before")]
fn milliseconds(text: &str) -> Option<u64> {
    let ms: f64 = text.parse().ok()?;
    (0.0..1e12).contains(&ms).then_some(ms.round() as u64)
}

/// A time as logs write it, a day alone, or seconds since 1970.
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return value::moment(&Value::from(seconds));
    }
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    value::moment(&Value::String(whole))
}

fn list(head: &[String]) -> String {
    head.iter().take(30).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
