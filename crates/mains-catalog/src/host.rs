//! A host: who answers at which address, with which key, in which dialect, and whose models it makes.

use crate::table::{Fields, Text};
use serde::Serialize;

/// The dialect that a host's API speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// OpenAI's chat completions, or compatible with them.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
    /// Google's `generateContent`.
    Google,
    /// Azure's deployments in front of OpenAI's dialect.
    Azure,
    /// Amazon Bedrock's runtime.
    Bedrock,
    /// Cohere's own.
    Cohere,
    /// Another, or not known.
    Other,
}

/// One host of models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Host {
    /// Our name for it, lower case: `openai`, `aws-bedrock`.
    pub id: Text,
    /// Its name for people.
    pub name: Text,
    /// Other ids in use for it: `bedrock`, `together_ai`.
    pub aliases: Vec<Text>,
    /// The base address of its API; empty where it depends on the account or region.
    pub base: Text,
    /// Authorities, with a path where it matters, that mean this host; `*` stands for anything but a slash.
    pub patterns: Vec<Text>,
    /// Environment variables in which its key, or its address, is usually kept.
    pub key_variables: Vec<Text>,
    /// The dialect.
    pub dialect: Dialect,
    /// Beginnings of the ids of models that this host's company makes; `=id` for a whole id.
    pub families: Vec<Text>,
    /// The codes of the sources.
    pub source: Text,
}

impl Host {
    /// Whether a client for OpenAI's dialect works here with only base address and key changed.
    pub fn openai_compatible(&self) -> bool {
        self.dialect == Dialect::OpenAi
    }

    /// Whether `text` is one of its ids.
    pub(crate) fn is_called(&self, text: &str) -> bool {
        self.id.eq_ignore_ascii_case(text)
            || self.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(text))
    }

    /// Its families, each with whether it is a whole id.
    pub(crate) fn families(&self) -> impl Iterator<Item = (Text, bool)> {
        self.families.iter().map(|family| match family.strip_prefix('=') {
            Some(whole) => (Text::Owned(whole.to_owned()), true),
            None => (family.clone(), false),
        })
    }

    /// How many bytes of the longest pattern match the start of `address` (no scheme, lower case).
    pub(crate) fn pattern_length(&self, address: &str) -> Option<usize> {
        let matching = self.patterns.iter().filter(|pattern| glob_prefix(pattern, address));
        matching.map(|pattern| pattern.len()).max()
    }
}

/// Whether `pattern` matches the start of `address` up to its end, a slash, a colon or a question mark.
fn glob_prefix(pattern: &str, address: &str) -> bool {
    let Some(star) = pattern.find('*') else {
        let Some(rest) = address.strip_prefix(pattern) else { return false };
        return rest.is_empty() || rest.starts_with(['/', ':', '?', '#']);
    };
    let Some(mut rest) = address.strip_prefix(&pattern[..star]) else { return false };
    loop {
        if glob_prefix(&pattern[star + 1..], rest) {
            return true;
        }
        let mut chars = rest.chars();
        match chars.next() {
            None | Some('/') => return false,
            Some(_) => rest = chars.as_str(),
        }
    }
}

/// A column that holds several values, parted by bars.
pub(crate) fn list(text: Text) -> Vec<Text> {
    match text {
        Text::Borrowed("") => Vec::new(),
        Text::Borrowed(text) => text.split('|').map(Text::Borrowed).collect(),
        Text::Owned(text) => text.split('|').map(|part| Text::Owned(part.into())).collect(),
    }
}

/// The columns of `hosts.csv`.
pub(crate) fn read_host(line: &'static str) -> Host {
    let mut fields = Fields::of(line);
    Host {
        id: fields.text(),
        name: fields.text(),
        aliases: list(fields.text()),
        base: fields.text(),
        patterns: list(fields.text()),
        key_variables: list(fields.text()),
        dialect: match fields.text().as_ref() {
            "openai" => Dialect::OpenAi,
            "anthropic" => Dialect::Anthropic,
            "google" => Dialect::Google,
            "azure" => Dialect::Azure,
            "bedrock" => Dialect::Bedrock,
            "cohere" => Dialect::Cohere,
            _ => Dialect::Other,
        },
        families: list(fields.text()),
        source: fields.text(),
    }
}

#[cfg(test)]
mod tests {
    use super::glob_prefix;

    #[test]
    fn a_pattern_matches_whole_authorities_only() {
        assert!(glob_prefix("api.openai.com", "api.openai.com/v1"));
        assert!(glob_prefix("api.openai.com", "api.openai.com"));
        assert!(!glob_prefix("api.openai.com", "api.openai.com.evil.example"));
        assert!(glob_prefix("*.openai.azure.com", "my.openai.azure.com/openai"));
        assert!(!glob_prefix("*.openai.azure.com", "x/y.openai.azure.com"));
        assert!(glob_prefix("bedrock-runtime.*.amazonaws.com", "bedrock-runtime.us-east-1.amazonaws.com"));
        assert!(glob_prefix("*aiplatform.googleapis.com", "us-central1-aiplatform.googleapis.com/v1"));
    }
}
