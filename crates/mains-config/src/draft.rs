//! The way back: changes to the text of a `mains.toml` that keep its comments, order and spelling.

use crate::problem::{Errors, Problem, Source};
use crate::words::Target;
use std::fmt;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, Value};

mod first;
mod lines;
mod swap;

pub use lines::{ChangedLine, changed_lines};
pub use swap::NewSwap;

/// The text of a file while it is being changed. [`fmt::Display`] gives the new text.
#[derive(Debug, Clone)]
pub struct Draft {
    document: DocumentMut,
}

/// An `[[upstream]]` to add.
#[derive(Debug, Clone, Default)]
pub struct NewUpstream<'a> {
    /// Its name.
    pub name: &'a str,
    /// The provider's record.
    pub provider: Option<&'a str>,
    /// The address of a server.
    pub base_url: Option<&'a str>,
    /// The dialect spoken there.
    pub dialect: Option<&'a str>,
    /// The reference to its key: `env:NAME`.
    pub key: Option<&'a str>,
    /// Lines of comment above it, without the `#`.
    pub comment: &'a [&'a str],
}

impl Draft {
    /// Starts from a text; only its syntax is checked. An empty text is a fine start.
    pub fn parse(text: &str, file_name: &str) -> Result<Self, Errors> {
        match text.parse() {
            Ok(document) => Ok(Self { document }),
            Err(error) => {
                let error: toml_edit::TomlError = error;
                let problem = Problem::syntax(error.message(), error.span());
                Err(Errors::new(Source::new(file_name, text), vec![problem]))
            }
        }
    }

    /// Replaces the targets of a route by a plain list in this order; `false` when no route has this
    /// model. Comments inside the old list go with it; all others stay.
    pub fn set_route_targets(&mut self, model: &str, targets: &[Target]) -> bool {
        let Some(route) = self.route_mut(model) else { return false };
        let mut list = target_list(targets.iter().map(|target| (target, None)));
        // What stands between the value and the line's end is mostly a comment, and stays.
        if let Some(old) = route.get("targets").and_then(Item::as_value) {
            *list.decor_mut() = old.decor().clone();
        }
        route.insert("targets", Item::Value(Value::Array(list)));
        true
    }

    /// Adds a route at the end; each target may carry the reason why it is there as a comment above it.
    /// `false`, and nothing changed, when a route of this model is there already.
    pub fn add_route(&mut self, model: &str, targets: &[(Target, Option<&str>)], comment: &[&str]) -> bool {
        if self.has("route", "model", model) {
            return false;
        }
        let mut table = commented(comment);
        table.insert("model", toml_edit::value(model));
        let pairs = targets.iter().map(|(target, reason)| (target, *reason));
        table.insert("targets", Item::Value(Value::Array(target_list(pairs))));
        self.push("route", table)
    }

    /// Adds an upstream at the end; `false`, and nothing changed, when its name is taken.
    pub fn add_upstream(&mut self, upstream: &NewUpstream<'_>) -> bool {
        if self.has("upstream", "name", upstream.name) {
            return false;
        }
        let mut table = commented(upstream.comment);
        table.insert("name", toml_edit::value(upstream.name));
        let optional = [
            ("provider", upstream.provider),
            ("base_url", upstream.base_url),
            ("dialect", upstream.dialect),
            ("key", upstream.key),
        ];
        for (key, value) in optional {
            if let Some(value) = value {
                table.insert(key, toml_edit::value(value));
            }
        }
        self.push("upstream", table)
    }

    /// The `[[route]]` of this model; `None` also where routes are written as an inline list.
    fn route_mut(&mut self, model: &str) -> Option<&mut Table> {
        let routes = self.document.get_mut("route").and_then(Item::as_array_of_tables_mut)?;
        routes.iter_mut().find(|route| route.get("model").and_then(Item::as_str) == Some(model))
    }

    fn has(&self, list: &str, key: &str, wanted: &str) -> bool {
        let tables = self.document.get(list).and_then(Item::as_array_of_tables);
        tables.is_some_and(|tables| {
            tables.iter().any(|table| table.get(key).and_then(Item::as_str) == Some(wanted))
        })
    }

    /// `false` when the list is written as an inline array, which has no place for a table of its own.
    fn push(&mut self, list: &str, mut table: Table) -> bool {
        if self.document.is_empty() {
            let prefix = table.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
            let prefix = prefix.trim_start_matches('\n').to_owned();
            table.decor_mut().set_prefix(prefix);
        }
        let item = self.document.entry(list).or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
        match item.as_array_of_tables_mut() {
            Some(tables) => {
                tables.push(table);
                true
            }
            None => false,
        }
    }
}

impl fmt::Display for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.document.fmt(f)
    }
}

/// A table with these lines of comment above its header, after an empty line.
fn commented(lines: &[&str]) -> Table {
    let mut table = Table::new();
    table.decor_mut().set_prefix(format!("\n{}", comment(lines.iter().copied(), "")));
    table
}

/// Comment lines; what breaks a line in a comment would end the comment, so it becomes a space.
fn comment<'a>(lines: impl IntoIterator<Item = &'a str>, indent: &str) -> String {
    let clean = |line: &str| line.replace(|c: char| c.is_control(), " ");
    lines.into_iter().fold(String::new(), |text, line| text + indent + "# " + &clean(line) + "\n")
}

/// A list on one line, or one target a line where a reason stands above any of them.
fn target_list<'a>(targets: impl Iterator<Item = (&'a Target, Option<&'a str>)> + Clone) -> Array {
    let with_reasons = targets.clone().any(|(_, reason)| reason.is_some());
    let mut list = Array::new();
    for (target, reason) in targets {
        let mut value = Value::from(target.to_string());
        if with_reasons {
            value.decor_mut().set_prefix(format!("\n{}    ", comment(reason, "    ")));
            list.push_formatted(value);
        } else {
            list.push(value);
        }
    }
    if with_reasons {
        list.set_trailing_comma(true);
        list.set_trailing("\n");
    }
    list
}
