//! How a value is looked up: flag, then environment variable, then file, then default. The keys that were
//! asked for are the keys that exist, so that the list of known keys is written nowhere twice.

use crate::problem::{Place, Problem, Source, SourceSpan, closest};
use crate::settings::Shown;
use crate::value::{Complaint, Origin, Raw, Scalar, Setting, quoted_code};
use toml::de::{DeTable, DeValue};

/// What stands above the file: values as text, by the dotted path of the setting or the variable's name.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// Flags of the command line: `("serve.listen", "127.0.0.1:2301")`.
    pub flags: Vec<(String, String)>,
    /// Environment variables; those that do not begin with `MAINS_` are ignored.
    pub environment: Vec<(String, String)>,
}

/// The variable that sets the setting of this path.
fn variable_name(path: &str) -> String {
    format!("MAINS_{}", path.to_uppercase().replace('.', "_"))
}

fn last_of<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// Collects problems and shown values while the tables are read.
pub(crate) struct Reader<'a> {
    layers: &'a Layers,
    source: &'a Source,
    problems: Vec<Problem>,
    shown: Vec<Shown>,
    overridable: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(layers: &'a Layers, source: &'a Source) -> Self {
        Self { layers, source, problems: Vec::new(), shown: Vec::new(), overridable: Vec::new() }
    }

    pub(crate) fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(crate) fn line(&self, span: SourceSpan) -> usize {
        self.source.line_and_column(span.start).0
    }

    pub(crate) fn take_shown(&mut self) -> Vec<Shown> {
        std::mem::take(&mut self.shown)
    }

    /// The problems found, with those of flags and variables that name no setting.
    pub(crate) fn finish(mut self) -> Vec<Problem> {
        let variables: Vec<String> = self.overridable.iter().map(|path| variable_name(path)).collect();
        let sections: Vec<String> = self
            .overridable
            .iter()
            .filter_map(|path| path.split('.').next())
            .map(|section| format!("{}_", variable_name(section)))
            .collect();
        for (name, _) in &self.layers.environment {
            let ours = sections.iter().any(|section| name.starts_with(section.as_str()));
            if ours && !variables.contains(name) {
                let near = closest(name, variables.iter().map(String::as_str));
                self.problems.push(Problem {
                    message: format!("the variable {} names no setting", quoted_code(name)),
                    hint: near.map(|near| format!("did you mean `{near}`?")),
                    place: Place::Environment(name.clone()),
                });
            }
        }
        for (path, _) in &self.layers.flags {
            if !self.overridable.contains(path) {
                let near = closest(path, self.overridable.iter().map(String::as_str));
                self.problems.push(Problem {
                    message: format!("{} names no setting", quoted_code(path)),
                    hint: near.map(|near| format!("did you mean `{near}`?")),
                    place: Place::Flag(path.clone()),
                });
            }
        }
        self.problems
    }
}

/// One table of the file while it is read, or its absence.
pub(crate) struct Section<'r, 'a> {
    pub(crate) reader: &'r mut Reader<'a>,
    path: String,
    table: Option<&'a DeTable<'a>>,
    span: SourceSpan,
    layered: bool,
    asked: Vec<&'static str>,
}

impl<'r, 'a> Section<'r, 'a> {
    /// The root of the file.
    pub(crate) fn root(reader: &'r mut Reader<'a>, table: &'a DeTable<'a>) -> Self {
        Self {
            reader,
            path: String::new(),
            table: Some(table),
            span: SourceSpan::default(),
            layered: false,
            asked: Vec::new(),
        }
    }

    /// Where the table's header stands.
    pub(crate) fn span(&self) -> SourceSpan {
        self.span
    }

    /// Whether the table is in the file at all.
    pub(crate) fn is_there(&self) -> bool {
        self.table.is_some()
    }

    /// The name of the table as messages say it.
    fn title(&self) -> String {
        if self.path.is_empty() {
            return "the file".to_owned();
        }
        match self.path.split_once('[') {
            Some((name, rest)) => {
                let below = rest.split_once("].").map_or(String::new(), |(_, below)| format!(".{below}"));
                let below = below.split('[').next().unwrap_or_default().to_owned();
                if rest.ends_with(']') {
                    format!("`[[{name}{below}]]`")
                } else {
                    format!("`[{name}{below}]`")
                }
            }
            None => format!("`[{}]`", self.path),
        }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn lookup(&mut self, key: &'static str) -> Option<(SourceSpan, &'a DeValue<'a>)> {
        self.asked.push(key);
        let table = self.table?;
        let (_, value) = table.iter().find(|(name, _)| name.get_ref() == key)?;
        Some((value.span().into(), value.get_ref()))
    }

    /// The table below this one, present or not; its settings can be overridden when `layered`.
    pub(crate) fn table(&mut self, key: &'static str, layered: bool) -> Section<'_, 'a> {
        let found = self.lookup(key);
        let path = self.path_of(key);
        let (table, span) = match found {
            Some((span, DeValue::Table(table))) => (Some(table), span),
            Some((span, _)) => {
                let problem = Problem::at(span, format!("`{key}` must be a table"));
                self.reader.report(problem.hint(format!("write `[{}]` above its keys", header(&path))));
                (None, span)
            }
            None => (None, self.span),
        };
        Section { reader: self.reader, path, table, span, layered, asked: Vec::new() }
    }

    /// Reads every table of a `[[list]]`.
    pub(crate) fn tables<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&mut Section<'_, 'a>) -> Option<T>,
    ) -> Vec<T> {
        let path = self.path_of(key);
        let Some((span, value)) = self.lookup(key) else { return Vec::new() };
        let mut read_all = Vec::new();
        let DeValue::Array(items) = value else {
            let problem = Problem::at(span, format!("`{key}` must be a list of tables"));
            self.reader.report(problem.hint(format!("write `[[{}]]` with two brackets", header(&path))));
            return Vec::new();
        };
        for (index, item) in items.iter().enumerate() {
            let span = item.span().into();
            let DeValue::Table(table) = item.get_ref() else {
                self.reader.report(Problem::at(span, format!("each item of `{key}` must be a table")));
                continue;
            };
            let mut section = Section {
                reader: self.reader,
                path: format!("{path}[{index}]"),
                table: Some(table),
                span,
                layered: false,
                asked: Vec::new(),
            };
            read_all.extend(read(&mut section));
            section.finish();
        }
        read_all
    }

    /// Whether the table has this key, sound or not.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// The raw value of a key that is read by hand.
    pub(crate) fn raw(&mut self, key: &'static str) -> Option<(SourceSpan, &'a DeValue<'a>)> {
        self.lookup(key)
    }

    /// Notes a value that was read by hand.
    pub(crate) fn show(&mut self, key: &str, value: String, origin: Origin) {
        let key = self.path_of(key);
        self.reader.shown.push(Shown { key, value, origin });
    }

    /// Where a value of the file comes from.
    pub(crate) fn origin(&self, span: SourceSpan) -> Origin {
        Origin::File { line: self.reader.line(span), span }
    }

    /// The value of a key, from the highest layer that has it.
    pub(crate) fn value<T: Scalar>(&mut self, key: &'static str) -> Option<Setting<T>> {
        self.checked(key, |_| Ok(()))
    }

    /// The same, with a further condition.
    pub(crate) fn checked<T: Scalar>(
        &mut self,
        key: &'static str,
        check: impl Fn(&T) -> Result<(), Complaint>,
    ) -> Option<Setting<T>> {
        let in_file = self.lookup(key);
        let path = self.path_of(key);
        let mut found = in_file.map(|(span, value)| {
            let origin = Origin::File { line: self.reader.line(span), span };
            (Raw::Toml(value), origin, Place::File(span))
        });
        if self.layered {
            let variable = variable_name(&path);
            if let Some(text) = last_of(&self.reader.layers.environment, &variable) {
                found = Some((
                    Raw::Text(text),
                    Origin::Environment(variable.clone()),
                    Place::Environment(variable),
                ));
            }
            if let Some(text) = last_of(&self.reader.layers.flags, &path) {
                found = Some((Raw::Text(text), Origin::Flag, Place::Flag(path.clone())));
            }
            self.reader.overridable.push(path.clone());
        }
        let (raw, origin, place) = found?;
        match T::read(raw).and_then(|value| check(&value).map(|()| value)) {
            Ok(value) => {
                self.reader.shown.push(Shown { key: path, value: value.show(), origin: origin.clone() });
                Some(Setting { value, origin })
            }
            Err(Complaint { message, hint }) => {
                self.reader.report(Problem { message: format!("`{key}`: {message}"), hint, place });
                None
            }
        }
    }

    /// The value of a key or its default.
    pub(crate) fn value_or<T: Scalar>(&mut self, key: &'static str, default: T) -> Setting<T> {
        self.checked_or(key, default, |_| Ok(()))
    }

    /// The same, with a further condition on what is written.
    pub(crate) fn checked_or<T: Scalar>(
        &mut self,
        key: &'static str,
        default: T,
        check: impl Fn(&T) -> Result<(), Complaint>,
    ) -> Setting<T> {
        self.checked(key, check).unwrap_or_else(|| {
            self.show(key, default.show(), Origin::Default);
            Setting { value: default, origin: Origin::Default }
        })
    }

    /// A whole number between two bounds, or its default.
    pub(crate) fn count_or(
        &mut self,
        key: &'static str,
        default: u64,
        bounds: std::ops::RangeInclusive<u64>,
    ) -> Setting<u64> {
        self.checked_or(key, default, |number| {
            if bounds.contains(number) {
                return Ok(());
            }
            let (low, high) = (bounds.start(), bounds.end());
            Err(Complaint::new(format!("{number} is not between {low} and {high}")))
        })
    }

    /// A value that must be there.
    pub(crate) fn required<T: Scalar>(
        &mut self,
        key: &'static str,
        check: impl Fn(&T) -> Result<(), Complaint>,
    ) -> Option<Setting<T>> {
        let missing = self.table.is_none_or(|table| !table.contains_key(key));
        let value = self.checked(key, check);
        if missing && value.is_none() {
            let message = format!("{} has no `{key}`", self.title());
            self.reader.report(Problem::at(self.span, message));
        }
        value
    }

    /// Complains about every key that nobody asked for.
    pub(crate) fn finish(&mut self) {
        let Some(table) = self.table else { return };
        for (name, _) in table {
            let word: &str = name.get_ref();
            if self.asked.contains(&word) {
                continue;
            }
            let near = closest(word, self.asked.iter().copied());
            let message = format!("unknown key {} in {}", quoted_code(word), self.title());
            let known: Vec<String> = self.asked.iter().map(|key| format!("`{key}`")).collect();
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", known.join(", ")),
            };
            self.reader.report(Problem::at(name.span().into(), message).hint(hint));
        }
    }
}

/// `upstream[0].price` as a header writes it: `upstream.price`.
fn header(path: &str) -> String {
    path.split('.').map(|part| part.split('[').next().unwrap_or_default()).collect::<Vec<_>>().join(".")
}
