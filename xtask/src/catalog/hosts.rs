//! Hosts: our own table first, then every further host of models.dev, then every further one of LiteLLM.

use super::models::Models;
use super::read::{Sources, items, line, members, text};
use std::collections::{BTreeMap, BTreeSet};

/// One host, as the columns of our data file, and under which names the sources know it.
#[derive(Default, Clone)]
pub(super) struct Host {
    id: String,
    name: String,
    base: String,
    patterns: Vec<String>,
    keys: Vec<String>,
    dialect: String,
    families: Vec<String>,
    aliases: Vec<String>,
    source: String,
}

pub(super) struct Hosts {
    all: BTreeMap<String, Host>,
    litellm: BTreeMap<String, String>,
    models_dev: BTreeMap<String, String>,
    genai: BTreeMap<String, String>,
}

/// Providers of LiteLLM that are tools beside models, or no hosts at all.
const NO_HOSTS: [&str; 3] = ["one of https://docs.litellm.ai/docs/providers", "sagemaker", "chatgpt"];

impl Hosts {
    pub(super) fn from(sources: &Sources) -> Result<Self, String> {
        let mut hosts = Self {
            all: BTreeMap::new(),
            litellm: BTreeMap::new(),
            models_dev: BTreeMap::new(),
            genai: BTreeMap::new(),
        };
        let mut reader = csv::Reader::from_reader(include_str!("hosts.csv").as_bytes());
        for record in reader.records() {
            let record = record.map_err(|error| format!("hosts.csv: {error}"))?;
            hosts.by_hand(&record);
        }
        for (id, provider) in members(&sources.models_dev["providers"]) {
            hosts.add_models_dev(id, provider);
        }
        for (_, model) in members(&sources.litellm) {
            hosts.add_litellm(text(model, "litellm_provider"));
        }
        for provider in items(&sources.genai) {
            let id = text(provider, "id");
            if hosts.genai.contains_key(id) || id.starts_with("huggingface_") || id == "openai-decisions" {
                continue;
            }
            let host = hosts.all.entry(id.to_owned()).or_insert_with(|| Host {
                id: id.to_owned(),
                name: text(provider, "name").to_owned(),
                source: "G".to_owned(),
                ..Host::default()
            });
            // The address pattern is a regular expression; the plain ones name one authority.
            let pattern = text(provider, "api_pattern").replace("\\.", ".").replace("(?:/|$)", "");
            let authority = pattern.strip_prefix("https://").unwrap_or("");
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
            if host.patterns.is_empty() && !authority.is_empty() && authority.bytes().all(plain) {
                host.patterns.push(authority.to_owned());
            }
            hosts.genai.insert(id.to_owned(), id.to_owned());
        }
        hosts.drop_shared_patterns();
        Ok(hosts)
    }

    fn by_hand(&mut self, record: &csv::StringRecord) {
        let parts = |column: usize| -> Vec<String> {
            record[column].split('|').filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        let id = record[0].to_owned();
        let (models_dev, litellm, genai) = (parts(2), parts(3), parts(4));
        let mut aliases = parts(10);
        for alias in models_dev.iter().chain(&litellm).chain(&genai) {
            if *alias != id && !aliases.contains(alias) {
                aliases.push(alias.clone());
            }
        }
        self.models_dev.extend(models_dev.into_iter().map(|name| (name, id.clone())));
        self.litellm.extend(litellm.into_iter().map(|name| (name, id.clone())));
        self.genai.extend(genai.into_iter().map(|name| (name, id.clone())));
        let host = Host {
            name: record[1].to_owned(),
            base: record[5].to_owned(),
            patterns: parts(6),
            keys: parts(7),
            dialect: record[8].to_owned(),
            families: parts(9),
            aliases,
            source: "H".to_owned(),
            id: id.clone(),
        };
        self.all.insert(id, host);
    }

    /// A host that our table has gains the key variables that it lacks; another is added.
    fn add_models_dev(&mut self, id: &str, provider: &serde_json::Value) {
        let keys: Vec<String> = items(&provider["env"])
            .filter_map(|key| key.as_str())
            // What else such a client needs (a region, a project) is no sign of this host alone.
            .filter(|key| {
                !["AWS_", "GOOGLE_APPLICATION", "CLOUDFLARE_ACCOUNT", "GITHUB_TOKEN"]
                    .iter()
                    .any(|p| key.starts_with(p))
            })
            .map(str::to_owned)
            .collect();
        if let Some(known) = self.models_dev.get(id) {
            let Some(host) = self.all.get_mut(known) else { return };
            for key in keys {
                if !host.keys.contains(&key) {
                    host.keys.push(key);
                    if !host.source.contains('M') {
                        host.source.push_str("+M");
                    }
                }
            }
            return;
        }
        let api = text(provider, "api").trim_end_matches('/');
        let dialect = match text(provider, "npm") {
            "@ai-sdk/openai-compatible" | "@ai-sdk/openai" => "openai",
            "@ai-sdk/anthropic" => "anthropic",
            _ => "",
        };
        let host = Host {
            id: id.to_owned(),
            name: text(provider, "name").to_owned(),
            base: if api.contains("${") { String::new() } else { api.to_owned() },
            patterns: patterns(api),
            keys,
            dialect: dialect.to_owned(),
            source: "M".to_owned(),
            ..Host::default()
        };
        self.models_dev.insert(id.to_owned(), id.to_owned());
        self.all.insert(id.to_owned(), host);
    }

    fn add_litellm(&mut self, provider: &str) {
        if provider.is_empty() || NO_HOSTS.contains(&provider) || self.litellm.contains_key(provider) {
            return;
        }
        let id = provider.replace('_', "-");
        let host = self.all.entry(id.clone()).or_insert_with(|| Host {
            id: id.clone(),
            name: id.clone(),
            source: "L".to_owned(),
            ..Host::default()
        });
        if provider != id && !host.aliases.contains(&provider.to_owned()) {
            host.aliases.push(provider.to_owned());
        }
        self.litellm.insert(provider.to_owned(), id);
    }

    /// An authority alone that two hosts share means neither of them.
    fn drop_shared_patterns(&mut self) {
        let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for host in self.all.values() {
            for pattern in &host.patterns {
                seen.entry(pattern.clone()).or_default().push(host.id.clone());
            }
        }
        for (pattern, bearers) in seen {
            if bearers.len() < 2 {
                continue;
            }
            // Our own table decides; without it, nobody bears the pattern.
            for id in &bearers {
                if let Some(host) = self.all.get_mut(id).filter(|host| !host.source.starts_with('H')) {
                    host.patterns.retain(|known| *known != pattern);
                }
            }
        }
    }

    pub(super) fn of_litellm(&self, provider: &str) -> Option<&str> {
        self.litellm.get(provider).map(String::as_str)
    }

    pub(super) fn of_models_dev(&self, provider: &str) -> Option<&str> {
        self.models_dev.get(provider).map(String::as_str)
    }

    pub(super) fn of_genai(&self, provider: &str) -> Option<&str> {
        self.genai.get(provider).map(String::as_str)
    }

    /// The hosts that our table describes, or that have a model.
    pub(super) fn text(&self, models: &Models) -> String {
        let used: BTreeSet<&str> = models.hosts().collect();
        let mut made = "id,name,aliases,base,patterns,key_variables,dialect,families,source\n".to_owned();
        for host in self.all.values() {
            if !host.source.starts_with('H') && !used.contains(host.id.as_str()) {
                continue;
            }
            made.push_str(&line(&[
                &host.id,
                &host.name,
                &host.aliases.join("|"),
                &host.base,
                &host.patterns.join("|"),
                &host.keys.join("|"),
                &host.dialect,
                &host.families.join("|"),
                &host.source,
            ]));
        }
        made
    }
}

/// The authority, and the authority with its path where the path is more than a version.
fn patterns(api: &str) -> Vec<String> {
    let Some((_, rest)) = api.split_once("://") else { return Vec::new() };
    let mut plain = String::new();
    for (i, part) in rest.split("${").enumerate() {
        if i == 0 {
            plain.push_str(part);
        } else {
            plain.push('*');
            plain.push_str(part.split_once('}').map_or("", |(_, after)| after));
        }
    }
    let plain = plain.to_ascii_lowercase();
    let (authority, path) = plain.split_once('/').unwrap_or((&plain, ""));
    let versionless = path.rsplit_once('/').map_or("", |(before, _)| before);
    let mut patterns = vec![authority.to_owned()];
    if authority == "*" {
        patterns.clear();
    }
    if !versionless.is_empty() {
        patterns.push(format!("{authority}/{versionless}"));
    }
    patterns
}
