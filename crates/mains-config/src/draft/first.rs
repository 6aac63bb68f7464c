//! A target before all others of a route, and out again; comments in the list stay.

use super::Draft;
use crate::words::Target;
use toml_edit::{Array, Item, Value};

impl Draft {
    /// Puts a target before all others of a route, unless it is the first already; `false`, and nothing changed, when
    /// no `[[route]]` has this model with a list of targets.
    pub fn put_first(&mut self, model: &str, target: &Target) -> bool {
        let Some(targets) = self.targets_mut(model) else { return false };
        let name = target.to_string();
        if targets.get(0).and_then(Value::as_str) == Some(&name) {
            return true;
        }
        remove(targets, &name);
        let mut value = Value::from(name);
        if let Some(old) = targets.get_mut(0) {
            let prefix = old.decor().prefix().and_then(|raw| raw.as_str()).unwrap_or_default().to_owned();
            match prefix.rsplit_once('\n') {
                // One target a line: what stands above the old first one stays above it.
                Some((_, indent)) => value.decor_mut().set_prefix(format!("\n{indent}")),
                None if prefix.is_empty() => old.decor_mut().set_prefix(" "),
                None => value.decor_mut().set_prefix(prefix),
            }
        }
        targets.insert_formatted(0, value);
        true
    }

    /// Takes a target out of a route; `false`, and nothing changed, when it is not there by itself.
    pub fn take_out(&mut self, model: &str, target: &Target) -> bool {
        self.targets_mut(model).is_some_and(|targets| remove(targets, &target.to_string()))
    }

    fn targets_mut(&mut self, model: &str) -> Option<&mut Array> {
        self.route_mut(model)?.get_mut("targets").and_then(Item::as_array_mut)
    }
}

fn remove(targets: &mut Array, name: &str) -> bool {
    let Some(place) = targets.iter().position(|value| value.as_str() == Some(name)) else { return false };
    targets.remove(place);
    if place == 0
        && let Some(first) = targets.get_mut(0)
        && first.decor().prefix().and_then(|raw| raw.as_str()) == Some(" ")
    {
        first.decor_mut().set_prefix("");
    }
    true
}
