//! Which model does a text mean: the spellings of LiteLLM, OpenRouter, Bedrock, Vertex, Azure and plain ids.
//!
//! Every step takes off or rewrites something whose meaning is documented by its inventor, and the result
//! counts only when the catalogue knows it. Nothing is guessed: an unknown dated id is unknown, though its
//! undated relative is named.

use crate::catalog::Catalog;
use crate::host::Host;
use crate::index::Table;
use crate::model::Model;
use serde::Serialize;
use std::borrow::Cow;

/// One rewriting between the text and the known id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpellingStep {
    /// Upper and lower case differ.
    Case,
    /// A host in front: `groq/…`, `openai:…`, `bedrock/…`.
    HostPrefix,
    /// A resource path or ARN in front: `models/…`, `publishers/x/models/…`, `arn:aws:bedrock:…`.
    ResourcePath,
    /// A Bedrock inference profile's region: `us.…`, `global.…`.
    Region,
    /// A Bedrock version or context at the end: `-v1:0`, `:200k`.
    Version,
    /// A variant of a router: `:free`, `:nitro`.
    Variant,
    /// Vertex's `@date`.
    AtDate,
    /// Azure's `gpt-35-…`, or a version in brackets.
    Azure,
    /// A fine-tune of the model: `ft:…`.
    FineTune,
}

/// The steps between a text and the known id; none means that they are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spelling(u16);

impl Spelling {
    /// Whether the text is the id, byte for byte.
    pub fn is_exact(self) -> bool {
        self.0 == 0
    }

    /// Whether `step` was taken.
    pub fn has(self, step: SpellingStep) -> bool {
        self.0 & (1 << step as u16) != 0
    }

    /// The steps taken.
    pub fn steps(self) -> impl Iterator<Item = SpellingStep> {
        use SpellingStep::{
            AtDate, Azure, Case, FineTune, HostPrefix, Region, ResourcePath, Variant, Version,
        };
        [Case, HostPrefix, ResourcePath, Region, Version, Variant, AtDate, Azure, FineTune]
            .into_iter()
            .filter(move |step| self.has(*step))
    }

    fn with(self, step: SpellingStep) -> Self {
        Self(self.0 | 1 << step as u16)
    }
}

/// A text understood: one model at one host.
#[derive(Debug, Clone, Copy)]
pub struct Resolved<'a> {
    /// The host.
    pub host: &'a Host,
    /// The model.
    pub model: &'a Model,
    /// How the text differs from the model's id.
    pub spelling: Spelling,
    host_given: bool,
}

impl Resolved<'_> {
    /// Whether the host was given or stands in the text; else the catalogue chose it, because only this one
    /// has the id or because it is the maker's own.
    pub fn host_is_certain(&self) -> bool {
        self.host_given
    }
}

/// What a text means.
#[derive(Debug, Clone)]
pub enum Lookup<'a> {
    /// One model.
    Resolved(Resolved<'a>),
    /// The host is not known and hosts disagree about the id's life: all of them, the maker's own first.
    Several(Vec<Resolved<'a>>),
    /// No model.
    Unknown {
        /// The host that the text or the caller names, if any: the deployment name of an Azure customer is
        /// unknown, but its host is not.
        host: Option<&'a Host>,
        /// Known names that look like it, best first; the undated relative of a dated name comes first.
        nearest: Vec<&'a str>,
    },
}

impl<'a> Lookup<'a> {
    /// The model, when there is one.
    pub fn resolved(&self) -> Option<Resolved<'a>> {
        if let Self::Resolved(resolved) = self { Some(*resolved) } else { None }
    }

    /// The model, or the first of several: the maker's own, where it has the id.
    pub fn into_first(self) -> Option<Resolved<'a>> {
        match self {
            Self::Resolved(resolved) => Some(resolved),
            Self::Several(several) => several.into_iter().next(),
            Self::Unknown { .. } => None,
        }
    }
}

/// How often prefixes may be taken off one text; real texts have three at most.
const DEPTH: usize = 5;

impl Catalog {
    /// Which model `text` means at `host`, or anywhere when the host is not known.
    ///
    /// With a host, only ids of that host count: if the caller is not sure of it, it can ask again without.
    pub fn lookup(&self, host: Option<&str>, text: &str) -> Lookup<'_> {
        let text = text.trim();
        let known_host = host.map(|host| self.host(host));
        if let Some(None) = known_host {
            return Lookup::Unknown { host: None, nearest: self.nearest(text, 3) };
        }
        let host = known_host.flatten();
        let mut attempt = Attempt { catalog: self, found: Vec::new(), named_host: host };
        attempt.read(host, text, Spelling::default(), DEPTH);
        let Attempt { found, named_host, .. } = attempt;
        self.answer(found, named_host, text)
    }

    fn answer<'a>(&'a self, mut found: Vec<Resolved<'a>>, host: Option<&'a Host>, text: &str) -> Lookup<'a> {
        if let [only] = found.as_slice() {
            return Lookup::Resolved(*only);
        }
        let Some(first) = found.first().copied() else {
            return Lookup::Unknown { host, nearest: self.nearest(text, 3) };
        };
        let owner = self.owner(&first.model.id).map(|owner| owner.id.as_ref());
        found.sort_by_key(|resolved| (owner != Some(resolved.host.id.as_ref()), &resolved.host.id));
        if self.hosts_disagree(&found) { Lookup::Several(found) } else { Lookup::Resolved(found[0]) }
    }

    /// Whether the ids have lifecycles of their own at more than one host, with different days.
    fn hosts_disagree(&self, found: &[Resolved<'_>]) -> bool {
        let mut seen: Option<(Option<mains_units::Day>, bool)> = None;
        // Most of them share one id, so what is known of it is looked up once.
        let (mut last, mut facts, mut aliases) = ("", [].as_slice(), [].as_slice());
        for resolved in found {
            let Model { host, id, .. } = resolved.model;
            if last != id {
                (last, facts, aliases) = (id, self.facts_named(id), self.aliases_named(id));
            }
            if facts.is_empty() && aliases.is_empty() {
                continue;
            }
            let own: Vec<_> = facts.iter().filter(|fact| fact.host == *host).collect();
            let by_alias = aliases.iter().any(|alias| alias.host == *host);
            let Some(day) = crate::lifecycle::winner(&own).map(|fact| fact.shutdown) else {
                if by_alias && seen.replace((None, true)).is_some() {
                    return true;
                }
                continue;
            };
            match seen.replace((day, false)) {
                Some((before, through_alias)) if through_alias || before != day => return true,
                _ => {}
            }
        }
        false
    }

    /// At most `count` known names that look like `text`, best first. The undated relative of a dated name
    /// comes first, then other snapshots of it, then names at a small edit distance.
    pub fn nearest(&self, text: &str, count: usize) -> Vec<&str> {
        let lower = text.trim().to_ascii_lowercase();
        let lower = if lower.len() > 100 { lower.chars().take(100).collect() } else { lower };
        let mut near: Vec<&str> = Vec::new();
        let tail = lower.rsplit('/').next().unwrap_or(&lower);
        let relatives = [Some(lower.as_str()), undated(&lower), Some(tail), undated(tail)];
        for relative in relatives.into_iter().flatten() {
            if let Some(name) = self.index.find(relative) {
                near.push(&name.text);
            }
        }
        let mut scored: Vec<(usize, &str)> = self.names().filter_map(|name| closeness(tail, name)).collect();
        scored.sort_unstable();
        near.extend(scored.into_iter().map(|(_, name)| name));
        let mut seen = std::collections::HashSet::new();
        near.retain(|name| seen.insert(*name));
        near.truncate(count);
        near
    }
}

/// The edit distance of two names, where it is small for their length.
fn closeness<'n>(text: &str, name: &'n str) -> Option<(usize, &'n str)> {
    let bound = 1 + text.len() / 5;
    if text.as_bytes().first() != name.as_bytes().first() || text.len().abs_diff(name.len()) > bound {
        return None;
    }
    let distance = strsim::levenshtein(text, name);
    (distance <= bound).then_some((distance, name))
}

/// One reading of a text; collects what it may mean.
struct Attempt<'a> {
    catalog: &'a Catalog,
    found: Vec<Resolved<'a>>,
    named_host: Option<&'a Host>,
}

impl<'a> Attempt<'a> {
    /// Tries the text as it stands, then without what can be taken off it.
    fn read(&mut self, host: Option<&'a Host>, text: &str, spelling: Spelling, depth: usize) {
        if text.is_empty() || depth == 0 {
            return;
        }
        self.named_host = self.named_host.or(host);
        self.plain(host, text, spelling);
        if !self.found.is_empty() && (host.is_some() || !text.contains('/')) {
            return;
        }
        let front = self.front(host, text);
        let of_another = host.is_some() && front.is_some_and(|(named, ..)| named != host);
        if of_another {
            // At an aggregator the front is the maker and part of the id: `openai/gpt-4o:nitro`.
            self.rewritten(host, text, spelling, depth);
        }
        if let Some((named, rest, step)) = front
            && (host.is_none() || self.found.is_empty())
        {
            self.read(named, rest, spelling.with(step), depth - 1);
        }
        if self.found.is_empty() && !of_another {
            self.rewritten(host, text, spelling, depth);
        }
    }

    /// The text is a known id.
    fn plain(&mut self, host: Option<&'a Host>, text: &str, spelling: Spelling) {
        let Some(name) = self.catalog.name(text) else { return };
        let models = self.catalog.models.get(name.rows(Table::Models)).unwrap_or(&[]);
        for row in models.iter().filter(|row| host.is_none_or(|host| host.id == row.host)) {
            let model = row.get();
            let exact = model.id == text;
            let spelling = if exact { spelling } else { spelling.with(SpellingStep::Case) };
            let host_given = host.is_some();
            let Some(host) = host.or_else(|| self.catalog.host(&model.host)) else { continue };
            self.found.push(Resolved { host, model, spelling, host_given });
        }
    }

    /// What stands in front of the id: a host, a resource path, a region of LiteLLM's Bedrock.
    fn front<'t>(
        &self,
        host: Option<&'a Host>,
        text: &'t str,
    ) -> Option<(Option<&'a Host>, &'t str, SpellingStep)> {
        use SpellingStep::{FineTune, HostPrefix, ResourcePath};
        if let Some(rest) = text.strip_prefix("arn:") {
            let bedrock = rest.contains(":bedrock:").then(|| self.catalog.host("aws-bedrock")).flatten();
            return rest.rsplit_once('/').map(|(_, tail)| (bedrock.or(host), tail, ResourcePath));
        }
        if let Some((before, id)) = text.rsplit_once("/models/") {
            let vertex = before.contains("publishers/").then(|| self.catalog.host("google-vertex")).flatten();
            if vertex.is_some() {
                return Some((vertex, id, ResourcePath));
            }
        }
        if let Some(rest) = text.strip_prefix("models/") {
            return Some((host, rest, ResourcePath));
        }
        if let Some(rest) = text.strip_prefix("ft:") {
            return Some((host.or(self.catalog.host("openai")), rest.split(':').next()?, FineTune));
        }
        let (head, rest) = text.split_once('/').or_else(|| text.split_once(':'))?;
        if let Some(named) = self.catalog.host(head) {
            return Some((Some(named), rest, HostPrefix));
        }
        // LiteLLM writes a route or an AWS region between host and id: `bedrock/converse/…`.
        let bedrock = host.is_some_and(|host| host.id == "aws-bedrock");
        (bedrock && text.contains('/') && (is_route(head) || is_aws_region(head))).then_some((
            host,
            rest,
            ResourcePath,
        ))
    }

    /// The text in the other spellings of the same id.
    fn rewritten(&mut self, host: Option<&'a Host>, text: &str, spelling: Spelling, depth: usize) {
        for (other, step) in rewritings(text) {
            self.read(host, &other, spelling.with(step), depth - 1);
            if !self.found.is_empty() {
                return;
            }
        }
    }
}

fn is_route(segment: &str) -> bool {
    matches!(segment, "converse" | "invoke" | "converse_like" | "async_invoke" | "responses" | "chat")
}

fn is_aws_region(segment: &str) -> bool {
    let mut parts = segment.split('-');
    let area = parts.next().is_some_and(|part| part.len() == 2);
    let last =
        segment.rsplit('-').next().is_some_and(|part| part.len() == 1 && part.as_bytes()[0].is_ascii_digit());
    area && last && segment.matches('-').count() >= 2
}

/// The geographies of Bedrock's inference profiles.
const REGIONS: [&str; 10] = ["us.", "eu.", "apac.", "global.", "au.", "jp.", "ca.", "us-gov.", "sa.", "in."];

/// Suffixes that routers put behind an id to choose a variant of the same model.
const VARIANTS: [&str; 9] =
    [":free", ":nitro", ":floor", ":online", ":beta", ":extended", ":thinking", ":exacto", ":latest"];

/// Other spellings of the same id, each with the step that leads to it.
fn rewritings(text: &str) -> Vec<(Cow<'_, str>, SpellingStep)> {
    use SpellingStep::{AtDate, Azure, Region, Variant};
    let mut others = Vec::new();
    for region in REGIONS {
        if let Some(rest) = text.strip_prefix(region).filter(|rest| rest.contains('.')) {
            others.push((Cow::Borrowed(rest), Region));
        }
    }
    for variant in VARIANTS {
        if let Some(rest) = text.strip_suffix(variant) {
            others.push((Cow::Borrowed(rest), Variant));
        }
    }
    if text.contains('.') {
        bedrock_versions(text, &mut others);
    }
    if let Some((id, date)) = text.split_once('@') {
        if date == "default" || date == "latest" {
            others.push((Cow::Borrowed(id), AtDate));
        }
        others.push((Cow::Owned(format!("{id}-{date}")), AtDate));
    }
    if let Some(rest) = text.strip_prefix("gpt-35-") {
        others.push((Cow::Owned(format!("gpt-3.5-{rest}")), Azure));
    }
    if let Some((id, version)) = text.strip_suffix(')').and_then(|text| text.split_once(" (version ")) {
        others.push((Cow::Owned(format!("{id}-{version}")), Azure));
    }
    others
}

/// Bedrock's `…-v1:0:200k`: without the context, without the revision, without the version; and a version
/// left out.
fn bedrock_versions<'t>(text: &'t str, others: &mut Vec<(Cow<'t, str>, SpellingStep)>) {
    use SpellingStep::Version;
    if let Some((before, after)) = text.rsplit_once(':') {
        let revision = after.bytes().all(|byte| byte.is_ascii_digit());
        let context = after.strip_suffix('k').is_some_and(|n| n.bytes().all(|byte| byte.is_ascii_digit()));
        if (revision || context) && !after.is_empty() {
            others.push((Cow::Borrowed(before), Version));
        }
    } else if ends_with_version(text) {
        others.push((Cow::Owned(format!("{text}:0")), Version));
    }
}

fn ends_with_version(text: &str) -> bool {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_digit());
    digits.len() < text.len() && digits.ends_with("-v")
}

/// The name without the date at its end: `-2024-05-13`, `-20240513`, `-0613`, `@20240620`, `-05-06`.
pub(crate) fn undated(name: &str) -> Option<&str> {
    let shapes: [&[u8]; 6] = [b"-dddd-dd-dd", b"-dddddddd", b"@dddddddd", b"-dd-dddd", b"-dd-dd", b"-dddd"];
    let fits = |shape: &&&[u8]| {
        let Some(start) = name.len().checked_sub(shape.len()) else { return false };
        let tail = &name.as_bytes()[start..];
        let fits =
            |(byte, kind): (&u8, &u8)| if *kind == b'd' { byte.is_ascii_digit() } else { byte == kind };
        start > 0 && tail.iter().zip(shape.iter()).all(fits)
    };
    let shape = shapes.iter().find(fits)?;
    name.get(..name.len() - shape.len())
}

/// The id without what hosts put around it, in lower case: no maker in front, no region, no version behind.
pub(crate) fn bare_id(id: &str) -> String {
    let lower = id.to_ascii_lowercase();
    let mut bare = lower.rsplit('/').next().unwrap_or(&lower);
    bare = bare.strip_prefix("ft:").map_or(bare, |rest| rest.split(':').next().unwrap_or(rest));
    for region in REGIONS {
        if let Some(rest) = bare.strip_prefix(region).filter(|rest| rest.contains('.')) {
            bare = rest;
            break;
        }
    }
    if let Some((maker, rest)) = bare.split_once('.')
        && MAKERS.contains(&maker)
    {
        bare = rest;
    }
    if let Some((before, _)) = bare.split_once(':') {
        bare = before;
    }
    if ends_with_version(bare)
        && let Some((before, _)) = bare.rsplit_once("-v")
        && before.len() > 8
    {
        bare = before;
    }
    let bare = bare.strip_suffix("-maas").unwrap_or(bare);
    let bare = bare.strip_prefix("databricks-").unwrap_or(bare);
    bare.strip_prefix("gpt-35-").map_or_else(|| bare.replace('@', "-"), |rest| format!("gpt-3.5-{rest}"))
}

/// Makers as Bedrock writes them in front of an id.
const MAKERS: [&str; 20] = [
    "ai21",
    "amazon",
    "anthropic",
    "cohere",
    "deepseek",
    "google",
    "luma",
    "meta",
    "minimax",
    "mistral",
    "moonshot",
    "moonshotai",
    "nvidia",
    "openai",
    "qwen",
    "stability",
    "twelvelabs",
    "writer",
    "xai",
    "zai",
];

/// The ids under which the maker's own API may know a model that another host calls `id`. All of them are
/// then looked up; none is taken on trust.
pub(crate) fn owner_ids(id: &str, owner: &str) -> Vec<String> {
    let bare = bare_id(id);
    // Bedrock's first Claude ids name a version where Anthropic's name a number.
    let renamed = match id.rsplit('/').next().unwrap_or(id) {
        text if text.ends_with("anthropic.claude-v2:1") => Some("claude-2.1"),
        text if text.ends_with("anthropic.claude-v2") || text.ends_with("claude-v2:0") => Some("claude-2.0"),
        text if text.ends_with("anthropic.claude-v1") => Some("claude-1.3"),
        text if text.contains("anthropic.claude-instant-v1") => Some("claude-instant-1.2"),
        _ => None,
    };
    let dashed = (owner == "anthropic" && bare.contains('.')).then(|| bare.replace('.', "-"));
    [renamed.map(str::to_owned), Some(bare), dashed].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_taken_off_names() {
        assert_eq!(undated("gpt-4o-2024-05-13"), Some("gpt-4o"));
        assert_eq!(undated("claude-3-opus-20240229"), Some("claude-3-opus"));
        assert_eq!(undated("gpt-4-0613"), Some("gpt-4"));
        assert_eq!(undated("claude-3-5-sonnet@20240620"), Some("claude-3-5-sonnet"));
        assert_eq!(undated("gpt-4o"), None);
        assert_eq!(undated("é-0613"), Some("é"));
    }

    #[test]
    fn what_hosts_put_around_an_id_is_taken_off() {
        for (spelled, bare) in [
            ("us.anthropic.claude-3-opus-20240229-v1:0", "claude-3-opus-20240229"),
            ("anthropic/claude-3-opus:free", "claude-3-opus"),
            ("meta-llama/Llama-3.3-70B-Instruct", "llama-3.3-70b-instruct"),
            ("gpt-35-turbo-0125", "gpt-3.5-turbo-0125"),
            ("claude-3-5-sonnet@20240620", "claude-3-5-sonnet-20240620"),
            ("o3", "o3"),
        ] {
            assert_eq!(bare_id(spelled), bare);
        }
    }
}
