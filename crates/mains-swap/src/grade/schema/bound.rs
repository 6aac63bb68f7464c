//! Which schemas are too much to check.
//!
//! The library that checks has no limit of its own: ten definitions that each ask the next one twice are a
//! thousand checks. So references are followed here first, and what grows too much is refused. A part may ask for
//! itself for a value further in, as a tree does; but if it does so twice for the same value, the checks double
//! with each level of the answer, and that is refused too.

use super::NotASchema;
use serde_json::{Map, Value};

/// The most parts that a schema has when its references are followed.
pub(super) const PARTS_MAX: u32 = 5_000;
/// The deepest nesting, references included.
pub(super) const DEPTH_MAX: u32 = 64;

/// Keywords that ask more of the same value.
const SAME: [&str; 9] =
    ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies"];
/// Keywords that ask something of values further in.
const BELOW: [&str; 11] = [
    "items",
    "prefixItems",
    "additionalItems",
    "unevaluatedItems",
    "contains",
    "properties",
    "patternProperties",
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "contentSchema",
];
/// Keywords whose value is a map from names to schemas.
const MAPS: [&str; 4] = ["properties", "patternProperties", "dependentSchemas", "dependencies"];
/// References that only the library could follow, and names of parts that would change what others mean.
const FOREIGN: [&str; 2] = ["$dynamicRef", "$recursiveRef"];
const NAMES: [&str; 2] = ["$id", "id"];

/// A step to a value further in: to the property of this name, or to any.
type Step<'s> = Option<&'s str>;

pub(super) fn check(schema: &Value) -> Result<(), NotASchema> {
    let root = Followed { reference: "#", level: 0, ways: Vec::new() };
    let mut walk = Walk { root: schema, left: PARTS_MAX, way: Vec::new(), followed: vec![root] };
    walk.part(schema, 0)
}

struct Walk<'s> {
    root: &'s Value,
    left: u32,
    /// The steps to the value that the part in hand is asked of.
    way: Vec<Step<'s>>,
    /// The references that lead here.
    followed: Vec<Followed<'s>>,
}

struct Followed<'s> {
    reference: &'s str,
    /// How far in the value lay that it was asked of.
    level: usize,
    /// The steps from there to the values that it is asked of again.
    ways: Vec<Vec<Step<'s>>>,
}

impl<'s> Walk<'s> {
    /// One schema; `depth` counts the schemas around it.
    fn part(&mut self, schema: &'s Value, depth: u32) -> Result<(), NotASchema> {
        self.left = self.left.checked_sub(1).ok_or(NotASchema::TooBig)?;
        if depth > DEPTH_MAX {
            return Err(NotASchema::TooDeep);
        }
        let Some(keywords) = schema.as_object() else { return Ok(()) };
        let has = |words: &[&str]| words.iter().any(|word| keywords.get(*word).is_some_and(Value::is_string));
        if has(&FOREIGN) || depth > 0 && has(&NAMES) {
            let why = "it has references that cannot be followed beforehand".into();
            return Err(NotASchema::Wrong { why });
        }
        self.reference(keywords, depth)?;
        for (word, value) in keywords {
            let word = word.as_str();
            let further = BELOW.contains(&word);
            if !further && !SAME.contains(&word) {
                continue;
            }
            match value {
                Value::Object(named) if MAPS.contains(&word) => {
                    named.iter().try_for_each(|(name, schema)| {
                        let step = (word == "properties").then_some(name.as_str());
                        self.within(further.then_some(step), schema, depth)
                    })
                }
                Value::Array(list) => {
                    list.iter().try_for_each(|schema| self.within(further.then_some(None), schema, depth))
                }
                _ => self.within(further.then_some(None), value, depth),
            }?;
        }
        Ok(())
    }

    /// A schema inside of another, for the same value or for one a step further in.
    fn within(&mut self, step: Option<Step<'s>>, schema: &'s Value, depth: u32) -> Result<(), NotASchema> {
        let level = self.way.len();
        self.way.extend(step);
        let found = self.part(schema, depth + 1);
        self.way.truncate(level);
        found
    }

    fn reference(&mut self, keywords: &'s Map<String, Value>, depth: u32) -> Result<(), NotASchema> {
        let Some(reference) = keywords.get("$ref").and_then(Value::as_str) else { return Ok(()) };
        let nowhere =
            || NotASchema::Wrong { why: format!("`{}` names no part of it", super::short(reference)) };
        let pointer = reference.strip_prefix('#').ok_or_else(nowhere)?;
        let target = self.root.pointer(pointer).ok_or_else(nowhere)?;
        let level = self.way.len();
        if let Some(around) = self.followed.iter_mut().find(|around| around.reference == reference) {
            let way = self.way[around.level..].to_vec();
            if way.is_empty() {
                return Err(NotASchema::Endless);
            }
            if around.ways.iter().any(|other| meet(other, &way)) {
                return Err(NotASchema::Branching);
            }
            around.ways.push(way);
            return Ok(());
        }
        self.followed.push(Followed { reference, level, ways: Vec::new() });
        let found = self.part(target, depth + 1);
        self.followed.pop();
        found
    }
}

/// Whether two ways may lead to one value, or one of them past the other's.
fn meet(one: &[Step<'_>], other: &[Step<'_>]) -> bool {
    one.iter().zip(other).all(|(one, other)| one.is_none() || other.is_none() || one == other)
}
