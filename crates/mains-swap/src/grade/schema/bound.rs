//! Which schemas are too much to check.
//!
//! The library that checks has no limit of its own: ten definitions that each ask the next one twice are a
//! thousand checks. So references are followed here first, and what grows too much is refused. A reference to a
//! part around it, for a value further in, is fine: a tree needs it. Where such a part asks for itself several
//! times at one place, the time may still grow with each level of the answer; answers are nested 128 levels at
//! most.

use super::NotASchema;
use serde_json::{Map, Value};

/// The most parts that a schema has when its references are followed.
pub(super) const PARTS_MAX: u32 = 20_000;
/// The deepest nesting, references included.
pub(super) const DEPTH_MAX: u32 = 64;

/// Keywords that ask more of the same value.
const SAME: [&str; 10] =
    ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies", "$ref"];
/// Keywords that ask something of values further in.
const BELOW: [&str; 12] = [
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
    "$defs",
];
/// Keywords whose value is a map from names to schemas.
const MAPS: [&str; 6] =
    ["properties", "patternProperties", "dependentSchemas", "dependencies", "$defs", "definitions"];
/// References that only the library could follow, and names of parts that would change what others mean.
const FOREIGN: [&str; 2] = ["$dynamicRef", "$recursiveRef"];
const NAMES: [&str; 2] = ["$id", "id"];

pub(super) fn check(schema: &Value) -> Result<(), NotASchema> {
    let mut walk = Walk { root: schema, left: PARTS_MAX, followed: vec![("#", 0)] };
    walk.part(schema, 0, 0)
}

struct Walk<'s> {
    root: &'s Value,
    left: u32,
    /// The references that lead here, each with the level of the value that it was asked for.
    followed: Vec<(&'s str, u32)>,
}

impl<'s> Walk<'s> {
    /// One schema: `depth` counts schemas around it, `level` how far in its value lies.
    fn part(&mut self, schema: &'s Value, depth: u32, level: u32) -> Result<(), NotASchema> {
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
        self.reference(keywords, depth, level)?;
        for (word, value) in keywords {
            let level = match word.as_str() {
                "$ref" => continue,
                word if SAME.contains(&word) => level,
                word if BELOW.contains(&word) || word == "definitions" => level + 1,
                _ => continue,
            };
            match value {
                Value::Object(named) if MAPS.contains(&word.as_str()) => {
                    named.values().try_for_each(|schema| self.part(schema, depth + 1, level))?;
                }
                Value::Array(list) => {
                    list.iter().try_for_each(|schema| self.part(schema, depth + 1, level))?;
                }
                _ => self.part(value, depth + 1, level)?,
            }
        }
        Ok(())
    }

    fn reference(
        &mut self,
        keywords: &'s Map<String, Value>,
        depth: u32,
        level: u32,
    ) -> Result<(), NotASchema> {
        let Some(reference) = keywords.get("$ref").and_then(Value::as_str) else { return Ok(()) };
        let nowhere =
            || NotASchema::Wrong { why: format!("`{}` names no part of it", super::short(reference)) };
        let pointer = reference.strip_prefix('#').ok_or_else(nowhere)?;
        let target = self.root.pointer(pointer).ok_or_else(nowhere)?;
        match self.followed.iter().find(|(followed, _)| *followed == reference) {
            Some((_, at)) if *at == level => Err(NotASchema::Endless),
            Some(_) => Ok(()),
            None => {
                self.followed.push((reference, level));
                let found = self.part(target, depth + 1, level);
                self.followed.pop();
                found
            }
        }
    }
}
