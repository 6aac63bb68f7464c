//! The address and the headers of a request to a provider.

use super::{Auth, Endpoint, Provider};
use crate::Dialect;
use mains_units::Secret;
use std::fmt;

/// Where a request goes, and with which headers.
#[derive(Debug, Clone)]
pub struct Target {
    /// The whole address.
    pub url: String,
    /// Headers without the key, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The header with the key. Apart from the others, because its value must not be printed.
    pub auth: Option<(&'static str, Secret)>,
}

/// Why a request has no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetError {
    /// The provider does not speak the dialect, or not at this address.
    NotSpoken {
        /// The provider's name.
        provider: String,
        /// The dialect asked for.
        dialect: Dialect,
    },
    /// The provider has no address of its own and none was given.
    NoAddress {
        /// The provider's name.
        provider: String,
    },
    /// The base address does not start with `http://` or `https://`, or has spaces or a fragment in it.
    BadAddress {
        /// The address.
        base_url: String,
    },
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSpoken { provider, dialect } => {
                write!(f, "the provider `{provider}` does not speak `{dialect}` at this address")
            }
            Self::NoAddress { provider } => write!(
                f,
                "the provider `{provider}` has no address of its own\nhint: give the upstream a `base_url`"
            ),
            Self::BadAddress { base_url } => write!(
                f,
                "`{base_url}` is no address of a provider\nhint: write `https://host` and a path where there is one"
            ),
        }
    }
}

impl std::error::Error for TargetError {}

impl Provider {
    /// The address and headers of a request. `base_url` replaces the provider's own; a path in it replaces
    /// the root (`https://host/v1` and `https://host` are the same to OpenAI). An empty key is none.
    pub fn request(
        &self,
        dialect: Dialect,
        base_url: Option<&str>,
        model: &str,
        key: Option<&Secret>,
    ) -> Result<Target, TargetError> {
        let base = Base::parse(self, base_url)?;
        let endpoints = if base.query.is_empty() { self.endpoints } else { self.queried };
        // A provider that knows no queries still gets them: they may be a proxy's.
        let endpoints: &[Endpoint] = if endpoints.is_empty() { self.endpoints } else { endpoints };
        let path = endpoints
            .iter()
            .find(|endpoint| endpoint.dialect == dialect)
            .ok_or_else(|| TargetError::NotSpoken { provider: self.name.to_string(), dialect })?
            .path;
        let mut target = self.target(&base.join(self, &path.replace("{model}", &escaped(model))), key);
        target.headers.push(("content-type", "application/json".into()));
        Ok(target)
    }

    /// The address at which a provider counts the tokens of Anthropic messages without answering them.
    pub fn count_tokens(&self, base_url: Option<&str>, key: Option<&Secret>) -> Result<Target, TargetError> {
        let mut target = self.request(Dialect::AnthropicMessages, base_url, "", key)?;
        let at = target.url.find('?').unwrap_or(target.url.len());
        target.url.insert_str(at, "/count_tokens");
        Ok(target)
    }

    /// The address of the provider's own list of models.
    pub fn models(&self, base_url: Option<&str>, key: Option<&Secret>) -> Result<Target, TargetError> {
        let base = Base::parse(self, base_url)?;
        // Azure's older interface has its list where the newer one has it, without the version.
        let path =
            if !base.query.is_empty() && !self.queried.is_empty() { "/openai/models" } else { "/models" };
        Ok(self.target(&base.join(self, path), key))
    }

    fn target(&self, url: &str, key: Option<&Secret>) -> Target {
        let mut headers: Vec<_> =
            self.headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        // What is compressed cannot be read beside the client.
        headers.push(("accept-encoding", "identity".into()));
        let auth = key.filter(|key| !key.expose().is_empty()).map(|key| match self.auth {
            Auth::Header(name) => (name, key.clone()),
            Auth::Bearer | Auth::None => ("authorization", Secret::new(format!("Bearer {}", key.expose()))),
        });
        Target { url: url.to_owned(), headers, auth }
    }
}

/// A base address in its parts.
struct Base<'a> {
    /// Scheme, host and port.
    host: &'a str,
    /// The path, without a slash at its end.
    path: &'a str,
    /// The query, without the question mark.
    query: &'a str,
}

impl<'a> Base<'a> {
    fn parse(provider: &'a Provider, given: Option<&'a str>) -> Result<Self, TargetError> {
        let text = given.map(str::trim).filter(|text| !text.is_empty()).unwrap_or(&provider.base_url);
        if text.is_empty() {
            return Err(TargetError::NoAddress { provider: provider.name.to_string() });
        }
        let bad = || TargetError::BadAddress { base_url: text.to_owned() };
        let scheme_end = text.find("://").ok_or_else(bad)? + 3;
        let scheme = text[..scheme_end].to_ascii_lowercase();
        let odd = |character: char| character.is_whitespace() || character.is_control() || character == '#';
        if !matches!(scheme.as_str(), "http://" | "https://") || text.contains(odd) {
            return Err(bad());
        }
        let (before, query) = text.split_once('?').unwrap_or((text, ""));
        let path_start = before[scheme_end..].find('/').map_or(before.len(), |at| scheme_end + at);
        let (host, path) = before.split_at(path_start);
        // A name or password before the host would end in logs, and is no way to give a key.
        if host.len() == scheme_end || host.contains('@') {
            return Err(bad());
        }
        Ok(Self { host, path: path.trim_end_matches('/'), query })
    }

    fn join(&self, provider: &Provider, path: &str) -> String {
        let queried = !self.query.is_empty() && !provider.queried.is_empty();
        let root = if self.path.is_empty() && !queried { provider.root } else { self.path };
        let question = if self.query.is_empty() { "" } else { "?" };
        format!("{}{root}{path}{question}{}", self.host, self.query)
    }
}

/// A name as one segment of a path (RFC 3986, section 2.3: the unreserved characters stay).
fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                out.push(char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
    out
}

/// Whether a header of the client's is passed on to the provider byte for byte, the name in lower case. All
/// others end here: the caller's key, the operator's account, cookies, traces.
pub fn forwards(name: &str, dialect: Dialect) -> bool {
    match name {
        "anthropic-version" | "anthropic-beta" => dialect.is_anthropic(),
        "openai-beta" => !dialect.is_anthropic(),
        _ => false,
    }
}
