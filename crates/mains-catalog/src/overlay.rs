//! A user's own facts over the built-in ones: a TOML file, checked with file and line.
//!
//! ```toml
//! [[model]]                            # a model of one's own, or other limits and prices for a known one
//! host = "openai"
//! id = "gpt-4o"
//! input_usd_per_million = 2.0          # a negotiated price; what is left out stays as built in
//! output_usd_per_million = 8.0
//! source = "contract 2026-117"
//! read = 2026-10-01
//!
//! [[lifecycle]]
//! host = "azure"
//! id = "gpt-4o"
//! shutdown = 2027-03-31
//! source = "mail of the account team"
//! read = 2026-11-02
//! ```

use crate::catalog::Catalog;
use crate::fact::{AfterShutdown, Confidence, DateKind, Fact, FactKind, Source, read_date_kind};
use crate::host::{Dialect, Host};
use crate::model::{Alias, Capabilities, Modalities, Model, ModelKind, ModelRow, Price, UnitPrice};
use crate::table::Text;
use mains_units::{Day, PicoUsdPerToken};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use toml::Spanned;

/// What is wrong in an overlay file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverlayError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, lower case, without full stop.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl fmt::Display for OverlayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}\nhint: {}", self.file, self.line, self.message, self.hint)
    }
}

impl std::error::Error for OverlayError {}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct File {
    host: Vec<Spanned<HostEntry>>,
    model: Vec<Spanned<ModelEntry>>,
    lifecycle: Vec<Spanned<LifecycleEntry>>,
    alias: Vec<Spanned<AliasEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HostEntry {
    id: String,
    name: Option<String>,
    base: Option<String>,
    #[serde(default)]
    patterns: Vec<String>,
    #[serde(default)]
    key_variables: Vec<String>,
    dialect: Option<String>,
    source: String,
    read: toml::value::Datetime,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelEntry {
    host: String,
    id: String,
    kind: Option<String>,
    input: Option<Vec<String>>,
    output: Option<Vec<String>>,
    context: Option<u64>,
    max_output: Option<u64>,
    tools: Option<bool>,
    json_schema: Option<bool>,
    streaming: Option<bool>,
    reasoning: Option<bool>,
    open_weights: Option<bool>,
    input_usd_per_million: Option<f64>,
    output_usd_per_million: Option<f64>,
    cached_read_usd_per_million: Option<f64>,
    cached_write_usd_per_million: Option<f64>,
    #[serde(default)]
    usd_per: BTreeMap<String, f64>,
    source: String,
    read: toml::value::Datetime,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LifecycleEntry {
    host: String,
    id: String,
    kind: Option<String>,
    announced: Option<toml::value::Datetime>,
    shutdown: Option<toml::value::Datetime>,
    date_kind: Option<String>,
    redirects_to: Option<String>,
    replacement: Option<String>,
    note: Option<String>,
    source: String,
    read: toml::value::Datetime,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AliasEntry {
    host: String,
    id: String,
    snapshots: Vec<String>,
    source: String,
    read: toml::value::Datetime,
}

/// What is wrong and what to do about it; the place is added where it is known.
struct Wrong(String, String);

fn wrong(message: impl Into<String>, hint: impl Into<String>) -> Wrong {
    Wrong(message.into(), hint.into())
}

/// The base catalogue with the entries of `text` laid over it.
pub(crate) fn apply(base: &Catalog, text: &str, file_name: &str) -> Result<Catalog, OverlayError> {
    let at = |offset: usize, Wrong(message, hint): Wrong| OverlayError {
        file: file_name.to_owned(),
        line: 1 + text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count(),
        message,
        hint,
    };
    let file: File = toml::from_str(text).map_err(|error| {
        let hint = "the tables are `[[host]]`, `[[model]]`, `[[lifecycle]]` and `[[alias]]`; each entry needs `source` and `read`";
        let message = error.message().replace('\n', "; ");
        at(error.span().map_or(0, |span| span.start), wrong(message, hint))
    })?;
    let mut merged = Merge { catalog: base.clone() };
    // Hosts come first, so that a model may name one that stands further down.
    for entry in file.host {
        let start = entry.span().start;
        merged.host(entry.into_inner()).map_err(|error| at(start, error))?;
    }
    merged.catalog.hosts.sort_by(|a, b| a.id.cmp(&b.id));
    for entry in file.model {
        let start = entry.span().start;
        merged.model(entry.get_ref()).map_err(|error| at(start, error))?;
    }
    for entry in file.lifecycle {
        let start = entry.span().start;
        merged.lifecycle(entry.into_inner()).map_err(|error| at(start, error))?;
    }
    for entry in file.alias {
        let start = entry.span().start;
        merged.alias(entry.into_inner()).map_err(|error| at(start, error))?;
    }
    let mut catalog = merged.catalog;
    catalog.hash = crate::hash_of_files([("builtin", base.hash.as_bytes()), ("overlay", text.as_bytes())]);
    catalog.sort();
    Ok(catalog)
}

struct Merge {
    catalog: Catalog,
}

impl Merge {
    /// Notes a source and gives its code, which is its own name.
    fn source(&mut self, name: String, read: toml::value::Datetime) -> Result<(Text, Day), Wrong> {
        let read = day(read)?;
        if name.trim().is_empty() {
            return Err(wrong("`source` is empty", "say where the figure comes from"));
        }
        let code = Text::Owned(format!("own:{name}"));
        if self.catalog.source(&code).is_none() {
            self.catalog.sources.push(Source {
                code: code.clone(),
                name: Text::Owned(name),
                licence: Text::Borrowed("the user's own"),
                read,
                origin: Text::Borrowed(""),
            });
        }
        Ok((code, read))
    }

    fn known_host(&self, host: &str) -> Result<Text, Wrong> {
        let found = self.catalog.host(host).map(|host| host.id.clone());
        found.ok_or_else(|| {
            let ids = self.catalog.hosts.iter().map(|host| host.id.as_ref());
            let near = ids.min_by_key(|id| strsim::levenshtein(id, host)).unwrap_or("openai");
            wrong(
                format!("no host is called `{host}`"),
                format!("did you mean `{near}`? else add a `[[host]]`"),
            )
        })
    }

    fn host(&mut self, entry: HostEntry) -> Result<(), Wrong> {
        let (source, _) = self.source(entry.source, entry.read)?;
        let plain = |id: &str| {
            id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b))
        };
        if entry.id.is_empty() || !plain(&entry.id) {
            let hint = "use lower-case letters, digits, `-`, `.` and `_`";
            return Err(wrong(format!("`{}` is no id of a host", entry.id), hint));
        }
        let dialect = match entry.dialect.as_deref() {
            None | Some("openai") => Dialect::OpenAi,
            Some("anthropic") => Dialect::Anthropic,
            Some("google") => Dialect::Google,
            Some("azure") => Dialect::Azure,
            Some("bedrock") => Dialect::Bedrock,
            Some("cohere") => Dialect::Cohere,
            Some("other") => Dialect::Other,
            Some(other) => {
                let hint = "dialects: openai, anthropic, google, azure, bedrock, cohere, other";
                return Err(wrong(format!("no dialect is called `{other}`"), hint));
            }
        };
        let owned = |texts: Vec<String>| texts.into_iter().map(Text::Owned).collect();
        let name = entry.name.unwrap_or_else(|| entry.id.clone());
        self.catalog.hosts.retain(|host| host.id != entry.id);
        self.catalog.hosts.push(Host {
            id: Text::Owned(entry.id),
            name: Text::Owned(name),
            aliases: Vec::new(),
            base: Text::Owned(entry.base.unwrap_or_default()),
            patterns: owned(entry.patterns),
            key_variables: owned(entry.key_variables),
            dialect,
            families: Vec::new(),
            source,
        });
        Ok(())
    }

    fn model(&mut self, entry: &ModelEntry) -> Result<(), Wrong> {
        let host = self.known_host(&entry.host)?;
        let id = checked_id(&entry.id)?;
        let (source, _) = self.source(entry.source.clone(), entry.read)?;
        let existing = self
            .catalog
            .models
            .iter()
            .position(|model| model.host == host && model.id.eq_ignore_ascii_case(&id));
        let mut model = existing.map_or_else(
            || Model {
                host,
                id: Text::Owned(id),
                kind: ModelKind::Chat,
                input: Modalities::default(),
                output: Modalities::default(),
                context: None,
                max_output: None,
                capabilities: Capabilities::default(),
                source: source.clone(),
                price: None,
            },
            |position| self.catalog.models[position].get().clone(),
        );
        if lay_over(entry, &mut model)? {
            model.source.clone_from(&source);
        }
        if let Some(price) = priced(entry, model.price.take().unwrap_or_default(), source)? {
            model.price = Some(price);
        }
        match existing {
            Some(position) => self.catalog.models[position] = ModelRow::of_model(model),
            None => self.catalog.models.push(ModelRow::of_model(model)),
        }
        Ok(())
    }

    fn lifecycle(&mut self, entry: LifecycleEntry) -> Result<(), Wrong> {
        let host = self.known_host(&entry.host)?;
        let id = checked_id(&entry.id)?;
        let (source, source_read) = self.source(entry.source, entry.read)?;
        let shutdown = entry.shutdown.map(day).transpose()?;
        let date_kind = match (entry.date_kind.as_deref(), shutdown) {
            (None, Some(_)) => DateKind::Exact,
            (None, None) => DateKind::NoDate,
            (Some(word), _) => read_date_kind(word).ok_or_else(|| {
                let hint = "kinds of date: exact, earliest, not-sooner-than, not-announced";
                wrong(format!("no kind of date is called `{word}`"), hint)
            })?,
        };
        if date_kind != DateKind::NoDate && shutdown.is_none() {
            return Err(wrong(
                "`date_kind` without `shutdown`",
                "add the day, or write date_kind = \"not-announced\"",
            ));
        }
        let kind = match entry.kind.as_deref() {
            None | Some("model") => FactKind::Model,
            Some("endpoint") => FactKind::Endpoint,
            Some(other) => {
                return Err(wrong(format!("no kind is called `{other}`"), "kinds: model, endpoint"));
            }
        };
        let fact = Fact {
            host,
            id: Text::Owned(id),
            kind,
            version: Text::Borrowed(""),
            announced: entry.announced.map(day).transpose()?,
            shutdown,
            date_kind,
            after: entry
                .redirects_to
                .map_or(AfterShutdown::Unknown, |to| AfterShutdown::Redirects { to: Text::Owned(to) }),
            replacement: Text::Owned(entry.replacement.unwrap_or_default()),
            source,
            source_read,
            confidence: Confidence::Own,
            note: Text::Owned(entry.note.unwrap_or_default()),
        };
        match kind {
            FactKind::Model => self.catalog.facts.push(fact),
            _ => self.catalog.other_facts.push(fact),
        }
        Ok(())
    }

    fn alias(&mut self, entry: AliasEntry) -> Result<(), Wrong> {
        let host = self.known_host(&entry.host)?;
        let id = checked_id(&entry.id)?;
        let (source, _) = self.source(entry.source, entry.read)?;
        for snapshot in &entry.snapshots {
            // What this file adds is in no index yet, so the tables are read from end to end.
            let listed = |row: &ModelRow| row.host == host && row.id.eq_ignore_ascii_case(snapshot);
            if !self.catalog.models.iter().any(listed) && self.catalog.facts_named(snapshot).is_empty() {
                let near =
                    self.catalog.nearest(snapshot, 1).first().map(|near| format!("did you mean `{near}`? "));
                let hint = format!("{}else add a `[[model]]` above", near.unwrap_or_default());
                return Err(wrong(format!("`{host}` has no snapshot `{snapshot}`"), hint));
            }
        }
        self.catalog.aliases.retain(|alias| !(alias.host == host && alias.id.eq_ignore_ascii_case(&id)));
        let snapshots = entry.snapshots.into_iter().map(Text::Owned).collect();
        self.catalog.aliases.push(Alias { host, id: Text::Owned(id), snapshots, source });
        Ok(())
    }
}

fn checked_id(id: &str) -> Result<String, Wrong> {
    let id = id.trim();
    if id.is_empty() || id.len() > 200 || id.chars().any(char::is_control) {
        return Err(wrong(
            "`id` is empty, longer than 200 bytes or holds control characters",
            "write the id that a request would name",
        ));
    }
    Ok(id.to_owned())
}

/// A TOML date is a day when it has no time.
fn day(date: toml::value::Datetime) -> Result<Day, Wrong> {
    let text = date.to_string();
    Day::parse(&text)
        .ok_or_else(|| wrong(format!("`{text}` is no day"), "write YYYY-MM-DD, without quotes and time"))
}

/// Lays limits and capabilities over a model; says whether there were any.
fn lay_over(entry: &ModelEntry, model: &mut Model) -> Result<bool, Wrong> {
    let before = model.clone();
    if let Some(word) = &entry.kind {
        model.kind = ModelKind::parse(word).filter(|kind| *kind != ModelKind::Unknown).ok_or_else(|| {
            let hint = "kinds: chat, completion, embedding, image, video, transcription, speech, realtime, rerank, moderation, ocr";
            wrong(format!("no kind of model is called `{word}`"), hint)
        })?;
    }
    if let Some(words) = &entry.input {
        model.input = modalities(words)?;
    }
    if let Some(words) = &entry.output {
        model.output = modalities(words)?;
    }
    model.context = entry.context.or(model.context);
    model.max_output = entry.max_output.or(model.max_output);
    let capabilities = &mut model.capabilities;
    capabilities.tools = entry.tools.or(capabilities.tools);
    capabilities.json_schema = entry.json_schema.or(capabilities.json_schema);
    capabilities.streaming = entry.streaming.or(capabilities.streaming);
    capabilities.reasoning = entry.reasoning.or(capabilities.reasoning);
    capabilities.open_weights = entry.open_weights.or(capabilities.open_weights);
    Ok(*model != before)
}

fn modalities(words: &[String]) -> Result<Modalities, Wrong> {
    let letters = words.iter().map(|word| match word.as_str() {
        "text" => Ok('t'),
        "image" => Ok('i'),
        "audio" => Ok('a'),
        "video" => Ok('v'),
        "file" => Ok('f'),
        other => {
            let hint = "forms of content: text, image, audio, video, file";
            Err(wrong(format!("no form of content is called `{other}`"), hint))
        }
    });
    Ok(Modalities::parse(&letters.collect::<Result<String, _>>()?))
}

/// The price with the entry's figures laid over it; `None` when neither has any.
fn priced(entry: &ModelEntry, mut price: Price, source: Text) -> Result<Option<Price>, Wrong> {
    let before = price.clone();
    let figures = [
        (entry.input_usd_per_million, &mut price.input),
        (entry.output_usd_per_million, &mut price.output),
        (entry.cached_read_usd_per_million, &mut price.cached_read),
        (entry.cached_write_usd_per_million, &mut price.cached_write),
    ];
    let mut any = false;
    for (figure, place) in figures {
        if let Some(usd) = figure {
            any = true;
            *place = Some(PicoUsdPerToken(pico(usd, 1e6)?));
        }
    }
    if any {
        // List prices for long inputs do not hold beside a price of one's own.
        price.tiers.clear();
    }
    for (unit, usd) in &entry.usd_per {
        any = true;
        let pico_usd = pico(*usd, 1e12)?;
        price.units.retain(|known| known.unit != *unit);
        price.units.push(UnitPrice { unit: Text::Owned(unit.clone()), pico_usd });
    }
    if any {
        price.source = source;
        return Ok(Some(price));
    }
    Ok((!before.source.is_empty()).then_some(before))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the bounds are checked before")]
fn pico(usd: f64, factor: f64) -> Result<u64, Wrong> {
    let amount = (usd * factor).round();
    if !(0.0..1e18).contains(&amount) {
        return Err(wrong(format!("`{usd}` is no price"), "write US dollars, zero or more"));
    }
    Ok(amount as u64)
}
