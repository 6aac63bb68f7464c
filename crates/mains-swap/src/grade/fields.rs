//! JSON compared field by field.

use super::{Case, NumberRule};
use serde_json::Value;
use std::collections::BTreeMap;

/// How one field is compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FieldRule {
    /// The same value; texts trimmed, numbers by value (`1.0` is `1`).
    Exact,
    /// Texts the same but for this.
    Text(Case),
    /// Numbers within a tolerance.
    Number(NumberRule),
    /// A list whose order does not matter.
    AnyOrder,
    /// Not compared: free text inside an object, a time stamp.
    Ignored,
}

/// What a field means that the reference does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Extra {
    /// It makes the answer differ.
    #[default]
    Differs,
    /// It is told and forgiven.
    Forgiven,
}

/// The rules for an object. A path is keys joined by dots, with `[]` for every element of a list:
/// `lines[].amount`. A rule for a path holds for all below it that have none of their own.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fields {
    /// By path; what is not named is [`FieldRule::Exact`].
    pub rules: BTreeMap<String, FieldRule>,
    /// What surplus fields mean.
    pub extra: Extra,
}

/// How one field came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// The same.
    Same,
    /// Another value.
    Differs,
    /// The answer lacks it.
    Missing,
    /// Only the answer has it.
    Extra,
}

/// A field and how it came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldMark {
    /// Its path, list positions left out.
    pub path: String,
    /// How it came out.
    pub mark: Mark,
}

impl Fields {
    /// The rules that a JSON schema implies: numbers by value, `enum` and other texts trimmed and exact, and
    /// surplus fields forgiven only where the schema says `"additionalProperties": true`. Tolerances are the
    /// user's to add. The schema's `$ref` is not followed; what it names is compared exactly.
    pub fn of_schema(schema: &Value) -> Self {
        let mut fields = Self::default();
        if schema.get("additionalProperties") == Some(&Value::Bool(true)) {
            fields.extra = Extra::Forgiven;
        }
        collect("", schema, &mut fields.rules);
        fields
    }

    /// Compares; the marks are in the order of the reference, then what only the answer has.
    pub fn compare(&self, reference: &Value, answer: &Value) -> Vec<FieldMark> {
        let mut marks = Vec::new();
        self.walk("", FieldRule::Exact, reference, answer, &mut marks);
        marks
    }

    /// Whether marks make the answers the same.
    pub fn same(&self, marks: &[FieldMark]) -> bool {
        marks.iter().all(|mark| match mark.mark {
            Mark::Same => true,
            Mark::Extra => self.extra == Extra::Forgiven,
            Mark::Differs | Mark::Missing => false,
        })
    }

    fn walk(&self, path: &str, above: FieldRule, old: &Value, new: &Value, marks: &mut Vec<FieldMark>) {
        let rule = self.rules.get(path).copied().unwrap_or(above);
        let mut mark = |path: &str, mark| marks.push(FieldMark { path: path.to_owned(), mark });
        match (rule, old, new) {
            (FieldRule::Ignored, ..) => {}
            (_, Value::Object(old), Value::Object(new)) => {
                for (key, value) in old {
                    let below = join(path, key);
                    match new.get(key) {
                        Some(other) => self.walk(&below, rule, value, other, marks),
                        None if self.rules.get(&below) == Some(&FieldRule::Ignored) => {}
                        None => marks.push(FieldMark { path: below, mark: Mark::Missing }),
                    }
                }
                let surplus = new.keys().filter(|key| !old.contains_key(*key)).map(|key| join(path, key));
                let surplus = surplus.filter(|path| self.rules.get(path) != Some(&FieldRule::Ignored));
                marks.extend(surplus.map(|path| FieldMark { path, mark: Mark::Extra }));
            }
            (FieldRule::AnyOrder, Value::Array(old), Value::Array(new)) => {
                let same = old.len() == new.len() && self.matched(path, old, new);
                mark(path, if same { Mark::Same } else { Mark::Differs });
            }
            (_, Value::Array(old), Value::Array(new)) => {
                let below = format!("{path}[]");
                for (old, new) in old.iter().zip(new) {
                    self.walk(&below, rule, old, new, marks);
                }
                let (short, long) = (old.len().min(new.len()), old.len().max(new.len()));
                let left_over = if old.len() > new.len() { Mark::Missing } else { Mark::Extra };
                marks.extend((short..long).map(|_| FieldMark { path: below.clone(), mark: left_over }));
            }
            _ => mark(path, if leaf(rule, old, new) { Mark::Same } else { Mark::Differs }),
        }
    }

    /// Whether every old element finds a new one of its own that is the same (greedy, which is exact for rules
    /// without tolerance and cautious with one).
    fn matched(&self, path: &str, old: &[Value], new: &[Value]) -> bool {
        let below = format!("{path}[]");
        let mut free: Vec<&Value> = new.iter().collect();
        old.iter().all(|old| {
            let found = free.iter().position(|new| {
                let mut marks = Vec::new();
                self.walk(&below, FieldRule::Exact, old, new, &mut marks);
                self.same(&marks)
            });
            found.map(|place| free.swap_remove(place)).is_some()
        })
    }
}

fn leaf(rule: FieldRule, old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Number(old), Value::Number(new)) => {
            let rule = if let FieldRule::Number(rule) = rule { rule } else { NumberRule::EXACT };
            // Whole numbers beyond 2^53 are one value only if they are one text.
            old == new
                || matches!((old.as_f64(), new.as_f64()), (Some(old), Some(new))
                if !(old.abs() > 9e15 && rule == NumberRule::EXACT) && rule.same(old, new))
        }
        (Value::String(old), Value::String(new)) => {
            let case = if let FieldRule::Text(case) = rule { case } else { Case::Kept };
            case.fold(old) == case.fold(new)
        }
        _ => old == new,
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn collect(path: &str, schema: &Value, rules: &mut BTreeMap<String, FieldRule>) {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        for (key, schema) in properties {
            collect(&join(path, key), schema, rules);
        }
    } else if let Some(items) = schema.get("items") {
        collect(&format!("{path}[]"), items, rules);
    } else if !path.is_empty() {
        rules.insert(path.to_owned(), FieldRule::Exact);
    }
}
