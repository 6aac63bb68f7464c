//! Changes to `[route.swap]`: a switch begins, is taken back, or is done.

use super::{Draft, commented};
use crate::swap::lasting_text;
use crate::words::Target;
use mains_units::{Day, Span};
use toml_edit::{Array, Item, Table, Value};

/// A `[route.swap]` to write; what is `None` is left to its default.
#[derive(Debug, Clone, Copy)]
pub struct NewSwap<'a> {
    /// What is replaced.
    pub from: &'a Target,
    /// What comes in its place.
    pub to: &'a Target,
    /// SHA-256 of the signed report, as 64 lower-case hexadecimal digits.
    pub report: &'a str,
    /// The shares one after the other, in percent.
    pub steps: Option<&'a [u8]>,
    /// The least time of a step, in whole seconds.
    pub hold: Option<Span>,
    /// The fewest answers of the replacement in a step.
    pub requests_min: Option<u64>,
    /// From when on the switch is whole.
    pub whole_by: Option<Day>,
    /// Points by which what is bad may be more frequent.
    pub margin: Option<u64>,
    /// Percent by which cost may exceed what the test measured.
    pub dearer: Option<u64>,
    /// Percent by which the length may exceed what the test measured.
    pub longer: Option<u64>,
    /// Lines of comment above it, without the `#`; in place of the comment right above an old table's header, which
    /// stays where there are none.
    pub comment: &'a [&'a str],
}

impl Draft {
    /// Writes the `[route.swap]` of a route, in place of the one that it has; `false`, and nothing changed, when no
    /// `[[route]]` has this model. Comments inside an old table go with it; all others stay.
    pub fn set_route_swap(&mut self, model: &str, swap: &NewSwap<'_>) -> bool {
        let Some(route) = self.route_mut(model) else { return false };
        let mut table = swap_table(swap);
        match route.remove("swap") {
            Some(Item::Table(old)) if !old.is_dotted() && !old.is_implicit() => {
                let before = old.decor().prefix().and_then(|raw| raw.as_str()).map(apart_from_header);
                match before.filter(|_| !swap.comment.is_empty()) {
                    Some("") => {}
                    Some(apart) => {
                        let own = table.decor().prefix().and_then(|raw| raw.as_str()).unwrap_or_default();
                        let prefix = format!("{apart}\n{own}");
                        table.decor_mut().set_prefix(prefix);
                    }
                    None => *table.decor_mut() = old.decor().clone(),
                }
                table.set_position(old.position());
            }
            _ => {}
        }
        route.insert("swap", Item::Table(table));
        true
    }

    /// Takes the `[route.swap]` of a route out; `false` when there is none. The comment right above its header goes
    /// with it; what stands apart by an empty line stays.
    pub fn remove_route_swap(&mut self, model: &str) -> bool {
        let Some(route) = self.route_mut(model) else { return false };
        let Some(old) = route.remove("swap") else { return false };
        let prefix = old.as_table().and_then(|table| table.decor().prefix()).and_then(|raw| raw.as_str());
        if let Some(apart) = prefix.map(apart_from_header).filter(|text| !text.is_empty()) {
            keep_below(route, apart);
        }
        true
    }

    /// Makes a whole switch the route's usual state: the replacement stands where the old target stood, and
    /// `[route.swap]` is gone. Where the replacement is among the targets already, it stands once, at the first of the
    /// two places. `false`, and nothing changed, when there is no switch or its old target is not in the list.
    pub fn finish_route_swap(&mut self, model: &str) -> bool {
        let Some(route) = self.route_mut(model) else { return false };
        let named = |key: &str| route.get("swap")?.get(key)?.as_str().map(str::to_owned);
        let (Some(from), Some(to)) = (named("from"), named("to")) else { return false };
        let Some(targets) = route.get_mut("targets").and_then(Item::as_array_mut) else { return false };
        replace(targets, &from, &to) && self.remove_route_swap(model)
    }
}

fn swap_table(swap: &NewSwap<'_>) -> Table {
    let mut table = commented(swap.comment);
    table.insert("from", toml_edit::value(swap.from.to_string()));
    table.insert("to", toml_edit::value(swap.to.to_string()));
    table.insert("report", toml_edit::value(swap.report));
    if let Some(steps) = swap.steps {
        let list: Array = steps.iter().map(|percent| i64::from(*percent)).collect();
        table.insert("steps", toml_edit::value(list));
    }
    if let Some(hold) = swap.hold {
        table.insert("hold", toml_edit::value(lasting_text(hold)));
    }
    let number = |number: u64| toml_edit::value(i64::try_from(number).unwrap_or(i64::MAX));
    if let Some(count) = swap.requests_min {
        table.insert("requests_min", number(count));
    }
    if let Some(day) = swap.whole_by {
        table.insert("whole_by", toml_edit::value(day.to_string()));
    }
    for (key, value) in [("margin", swap.margin), ("dearer", swap.dearer), ("longer", swap.longer)] {
        if let Some(value) = value {
            table.insert(key, number(value));
        }
    }
    table
}

/// Of what stands above a header, the part up to the last empty line.
fn apart_from_header(prefix: &str) -> &str {
    let mut end = 0;
    let mut apart = 0;
    for line in prefix.split_inclusive('\n') {
        if line.trim().is_empty() {
            apart = end;
        }
        end += line.len();
    }
    prefix[..apart].trim_end()
}

/// Puts lines of comment below the last value of a table.
fn keep_below(table: &mut Table, lines: &str) {
    let values = table.iter_mut().filter_map(|(_, item)| item.as_value_mut());
    let Some(last) = values.last() else { return };
    let before = last.decor().suffix().and_then(|raw| raw.as_str()).unwrap_or_default();
    let suffix = format!("{before}\n{}", lines.trim_start_matches('\n'));
    last.decor_mut().set_suffix(suffix);
}

/// The place of a target: its item, and its member where that is a pool.
type Place = (usize, Option<usize>);

fn places(targets: &Array, wanted: &str) -> Vec<Place> {
    let mut found = Vec::new();
    for (index, item) in targets.iter().enumerate() {
        match item {
            Value::String(text) if text.value() == wanted => found.push((index, None)),
            Value::Array(pool) => {
                let named = |member: &Value| member.as_array()?.get(0)?.as_str().map(|text| text == wanted);
                let members = pool.iter().enumerate().filter(|(_, member)| named(member) == Some(true));
                found.extend(members.map(|(member, _)| (index, Some(member))));
            }
            _ => {}
        }
    }
    found
}

/// Puts `to` where `from` stands; of two `to` the later goes.
fn replace(targets: &mut Array, from: &str, to: &str) -> bool {
    let Some((index, member)) = places(targets, from).first().copied() else { return false };
    let place = match member {
        None => targets.get_mut(index),
        Some(member) => targets
            .get_mut(index)
            .and_then(Value::as_array_mut)
            .and_then(|pool| pool.get_mut(member))
            .and_then(Value::as_array_mut)
            .and_then(|pair| pair.get_mut(0)),
    };
    let Some(place) = place else { return false };
    let decor = place.decor().clone();
    *place = Value::from(to);
    *place.decor_mut() = decor;
    for (index, member) in places(targets, to).into_iter().skip(1).rev() {
        let pool = targets.get_mut(index).and_then(Value::as_array_mut);
        match (pool, member) {
            (Some(pool), Some(member)) if pool.len() > 1 => drop(pool.remove(member)),
            _ => drop(targets.remove(index)),
        }
    }
    true
}
