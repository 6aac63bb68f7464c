//! The graders.

use super::schema::Schema;
use super::{Call, FieldMark, Fields, Said};
use regex::Regex;
use serde_json::Value;
use std::fmt;

/// Whether upper and lower case are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Case {
    /// `Yes` is not `yes`.
    #[default]
    Kept,
    /// `Yes` is `yes`.
    Ignored,
}

impl Case {
    /// The text trimmed, and in lower case where case is ignored.
    pub fn fold(self, text: &str) -> String {
        let text = text.trim();
        match self {
            Self::Kept => text.to_owned(),
            Self::Ignored => text.to_lowercase(),
        }
    }
}

/// How labels are compared: trimmed, in one case or not, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelRule {
    /// Whether case matters.
    pub case: Case,
    /// The labels that there are; empty if any text is one.
    pub labels: Vec<String>,
}

/// Where the number stands in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NumberAt {
    /// The answer is the number, and nothing else.
    #[default]
    Whole,
    /// It is the last number of the text: `... so the result is 42.`
    Last,
}

/// When two numbers are the same: within the absolute tolerance, or within the relative one of the reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NumberRule {
    /// Allowed distance.
    pub absolute: f64,
    /// Allowed distance as a share of the reference.
    pub relative: f64,
}

impl NumberRule {
    /// No tolerance.
    pub const EXACT: Self = Self { absolute: 0.0, relative: 0.0 };

    /// Whether `answer` is within a tolerance of `reference`.
    pub fn same(self, reference: f64, answer: f64) -> bool {
        (answer - reference).abs() <= self.absolute.max(self.relative * reference.abs())
    }
}

/// Whether the order of tool calls matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// It does.
    #[default]
    Kept,
    /// Calls in parallel: it does not.
    Any,
}

/// A pattern of the user.
#[derive(Debug, Clone)]
pub enum PatternRule {
    /// An answer passes if it matches; nothing is compared with the reference.
    Check(Regex),
    /// The first group that took part in the last match is the answer, compared as a label. Answers without a match fail;
    /// references without one are refused.
    Extract(Regex, LabelRule),
}

/// How answers are compared.
#[derive(Debug, Clone)]
pub enum Grader {
    /// Labels.
    Label(LabelRule),
    /// JSON, field by field.
    Json(Fields),
    /// The same, and the answer has to follow the schema that the request carried.
    JsonBySchema(Fields, Schema),
    /// Tool calls: names and arguments.
    Tools(Order, Fields),
    /// A number.
    Number(NumberAt, NumberRule),
    /// A pattern of the user.
    Pattern(PatternRule),
    /// Free text: nothing here can grade it, a judge must.
    FreeText,
}

/// How an answer came out against a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grade {
    /// Whether it is the same, or passes.
    pub same: bool,
    /// Field by field, where there are fields.
    pub fields: Vec<FieldMark>,
    /// What was wrong with the form of the answer, if anything.
    pub note: Option<&'static str>,
}

impl Grade {
    fn of(same: bool) -> Self {
        Self { same, fields: Vec::new(), note: None }
    }

    fn failed(note: &'static str) -> Self {
        Self { same: false, fields: Vec::new(), note: Some(note) }
    }
}

/// Why nothing can be graded against a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NotGradable {
    /// It is none of the known labels.
    NotALabel,
    /// It is no JSON.
    NotJson,
    /// It calls no tool.
    NoCall,
    /// It is no number.
    NotANumber,
    /// The pattern finds nothing in it.
    NoMatch,
    /// It is, or holds, something that is neither text nor a call.
    OtherContent,
    /// It is free text, and no judge is here.
    NeedsJudge,
}

impl fmt::Display for NotGradable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotALabel => "the recorded answer is none of the labels\nhint: name it among the labels, or grade as free text",
            Self::NotJson => "the recorded answer is no JSON\nhint: grade these records with another grader",
            Self::NoCall => "the recorded answer calls no tool\nhint: slice the route by tools, and grade the rest as text",
            Self::NotANumber => "the recorded answer is no number\nhint: look for the last number in the text, or use a pattern",
            Self::NoMatch => "the pattern finds nothing in the recorded answer\nhint: widen the pattern",
            Self::OtherContent => "the recorded answer holds a picture, sound or a block of its own dialect",
            Self::NeedsJudge => "free text is graded by a judge and by people\nhint: configure a judge model, and give some verdicts",
        })
    }
}

impl std::error::Error for NotGradable {}

impl Grader {
    /// With the schema that a request carried; a grader of anything but JSON stays as it is.
    #[must_use]
    pub fn with_schema(self, schema: Schema) -> Self {
        match self {
            Self::Json(fields) | Self::JsonBySchema(fields, _) => Self::JsonBySchema(fields, schema),
            other => other,
        }
    }

    /// Compares an answer with a reference: the recorded answer, or a true one.
    pub fn grade(&self, reference: &Said, answer: &Said) -> Result<Grade, NotGradable> {
        if reference.other {
            return Err(NotGradable::OtherContent);
        }
        if let Self::Pattern(PatternRule::Check(pattern)) = self {
            return Ok(Grade::of(!answer.refused && pattern.is_match(&answer.text)));
        }
        // To decline where the reference declines is the same; to decline elsewhere is not.
        if reference.refused {
            return Ok(Grade::of(answer.refused));
        }
        let graded = match self {
            Self::Label(rule) => rule.grade(&reference.text, &answer.text)?,
            Self::Json(fields) => json(fields, &reference.text, &answer.text)?,
            Self::JsonBySchema(fields, schema) => {
                let grade = json(fields, &reference.text, &answer.text)?;
                match schema.holds(&answer.text) {
                    Err(_) if grade.note.is_none() => {
                        Grade { same: false, note: Some("breaks the schema"), ..grade }
                    }
                    _ => grade,
                }
            }
            Self::Tools(order, fields) => tools(*order, fields, &reference.calls, &answer.calls)?,
            Self::Number(at, rule) => {
                let reference = number(*at, &reference.text).ok_or(NotGradable::NotANumber)?;
                match number(*at, &answer.text) {
                    Some(answer) => Grade::of(rule.same(reference, answer)),
                    None => Grade::failed("no number"),
                }
            }
            Self::Pattern(PatternRule::Extract(pattern, rule)) => {
                let reference = extract(pattern, &reference.text).ok_or(NotGradable::NoMatch)?;
                match extract(pattern, &answer.text) {
                    Some(answer) => rule.grade(reference, answer)?,
                    None => Grade::failed("the pattern finds nothing"),
                }
            }
            Self::Pattern(PatternRule::Check(_)) | Self::FreeText => return Err(NotGradable::NeedsJudge),
        };
        Ok(if answer.refused { Grade::failed("declined") } else { graded })
    }
}

impl LabelRule {
    fn grade(&self, reference: &str, answer: &str) -> Result<Grade, NotGradable> {
        let (reference, answer) = (self.case.fold(reference), self.case.fold(answer));
        let known =
            |text: &str| self.labels.is_empty() || self.labels.iter().any(|l| self.case.fold(l) == text);
        if reference.is_empty() || !known(&reference) {
            return Err(NotGradable::NotALabel);
        }
        Ok(if known(&answer) { Grade::of(reference == answer) } else { Grade::failed("none of the labels") })
    }
}

/// The JSON of a text: the whole of it, or of its only fenced block, which many models put around it.
fn read(text: &str) -> Option<Value> {
    let text = text.trim();
    let bare =
        text.strip_prefix("```json").or(text.strip_prefix("```")).and_then(|rest| rest.strip_suffix("```"));
    serde_json::from_str(bare.unwrap_or(text)).ok()
}

pub(super) fn structured(text: &str) -> Option<Value> {
    read(text).filter(|value| value.is_object() || value.is_array())
}

fn json(fields: &Fields, reference: &str, answer: &str) -> Result<Grade, NotGradable> {
    let reference = structured(reference).ok_or(NotGradable::NotJson)?;
    let Some(answer) = structured(answer) else { return Ok(Grade::failed("no JSON")) };
    let marks = fields.compare(&reference, &answer);
    Ok(Grade { same: fields.same(&marks), fields: marks, note: None })
}

fn tools(order: Order, fields: &Fields, reference: &[Call], answer: &[Call]) -> Result<Grade, NotGradable> {
    if reference.is_empty() {
        return Err(NotGradable::NoCall);
    }
    if answer.is_empty() {
        return Ok(Grade::failed("no tool is called"));
    }
    let mut free: Vec<&Call> = answer.iter().collect();
    let mut grade = Grade::of(reference.len() == answer.len());
    for call in reference {
        // In any order a call is matched with one that is the same, else with one of its name.
        let same = |other: &&Call| call_marks(fields, call, other).is_some_and(|marks| fields.same(&marks));
        let place = match order {
            Order::Kept => (!free.is_empty()).then_some(0),
            Order::Any => {
                free.iter().position(same).or(free.iter().position(|other| other.name == call.name))
            }
        };
        let other = place.map(|place| free.remove(place));
        if let Some(marks) = other.and_then(|other| call_marks(fields, call, other)) {
            grade.same &= fields.same(&marks);
            grade.fields.extend(marks);
        } else {
            grade.same = false;
            grade.note = Some("another tool, or arguments that are no JSON");
        }
    }
    Ok(grade)
}

/// The arguments compared; `None` if the tools differ or the arguments cannot be compared. Arguments that are no
/// JSON on either side (tools of free text) are one field, compared as trimmed text.
fn call_marks(fields: &Fields, reference: &Call, answer: &Call) -> Option<Vec<FieldMark>> {
    if reference.name != answer.name {
        return None;
    }
    let marks = match (read(&reference.arguments), read(&answer.arguments)) {
        (Some(reference), Some(answer)) => fields.compare(&reference, &answer),
        (None, None) => {
            let text = |call: &Call| Value::String(call.arguments.clone());
            fields.compare(&text(reference), &text(answer))
        }
        _ => return None,
    };
    let named = |mark: FieldMark| FieldMark { path: format!("{}({})", reference.name, mark.path), ..mark };
    Some(marks.into_iter().map(named).collect())
}

/// A number as people write it: sign, digits with commas between thousands, fraction, exponent, per cent.
pub(super) fn number(at: NumberAt, text: &str) -> Option<f64> {
    match at {
        NumberAt::Whole => {
            let text = text.trim().trim_end_matches('%').trim_end();
            plain(text)
        }
        NumberAt::Last => {
            let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "+-.,".contains(c)));
            words.rev().map(|word| word.trim_matches([',', '.'])).find_map(plain)
        }
    }
}

/// Digits are a must: `inf`, `nan` and `e` are words here.
fn plain(text: &str) -> Option<f64> {
    let digits = text.trim_start_matches(['+', '-']);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let (whole, rest) = digits.split_once('.').map_or((digits, ""), |(whole, rest)| (whole, rest));
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let grouped = (1..=3).contains(&first.len()) && groups.clone().all(|group| group.len() == 3);
    if whole.contains(',') && !grouped || rest.contains(',') {
        return None;
    }
    text.replace(',', "").parse().ok().filter(|value: &f64| value.is_finite())
}

fn extract<'t>(pattern: &Regex, text: &'t str) -> Option<&'t str> {
    let last = pattern.captures_iter(text).last()?;
    let group = last.iter().skip(1).flatten().next();
    group.or(last.get(0)).map(|found| found.as_str())
}
