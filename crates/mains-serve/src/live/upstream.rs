//! One upstream: an account at a provider, or a server of the operator's, with its key.

use super::{LABELLERS, LOCAL_PROVIDER};
use mains_catalog::Catalog;
use mains_config::{KeyRef, SourceSpan};
use mains_meter::Rates;
use mains_units::{PicoUsdPerToken, Secret};
use mains_wire::Dialect;
use mains_wire::providers::{self, Provider, Target, TargetError};
use std::borrow::Cow;

/// The way out to an upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// As the standard variables say.
    Environment,
    /// No proxy.
    Direct,
    /// Through this proxy.
    Proxy(http::Uri),
}

/// An account that can be asked.
#[derive(Debug)]
pub struct Upstream {
    /// As the configuration names it.
    pub name: String,
    /// How it is spoken to.
    pub provider: Cow<'static, Provider>,
    /// The catalogue's host, where it knows one.
    pub host: Option<String>,
    /// Address, where it is not the provider's own.
    pub base_url: Option<String>,
    /// Its key.
    pub key: Option<Secret>,
    /// Grid zone that the operator named.
    pub zone: Option<String>,
    /// Region that the operator named.
    pub region: Option<String>,
    /// Prices of this account by model.
    pub prices: Vec<(String, Rates)>,
    /// What this account pays less than list, percent.
    pub discount_percent: f64,
    /// The way out.
    pub way: Way,
}

/// Why an upstream cannot be used.
#[derive(Debug)]
pub struct UpstreamError {
    /// Where in the file, if at one value.
    pub span: Option<SourceSpan>,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub hint: String,
}

impl Upstream {
    /// From the configuration. A key that cannot be read is an error: an outlet that starts without it would
    /// fail on every request instead.
    pub fn new(
        described: &mains_config::Upstream,
        catalog: &Catalog,
        resolve: &dyn Fn(&KeyRef) -> Result<Secret, String>,
    ) -> Result<Self, UpstreamError> {
        let provider = provider(described, catalog)?;
        let key = match &described.key {
            None => None,
            Some(setting) => {
                Some(resolve(&setting.value).map_err(|message| key_error(setting.span(), &message))?)
            }
        };
        let base_url = base_url(described);
        if provider.network {
            // An address that cannot be built is found now, not at the first request.
            provider.request(first_dialect(&provider), base_url.as_deref(), "model", None).map_err(
                |error| {
                    let text = error.to_string();
                    let (message, hint) =
                        text.split_once("\nhint: ").unwrap_or((&text, "look at `base_url` and `dialect`"));
                    UpstreamError { span: None, message: message.into(), hint: hint.into() }
                },
            )?;
        }
        let by_name = catalog.host(&provider.name);
        let by_address = base_url.as_deref().and_then(|base| catalog.host_by_api(without_scheme(base)));
        let host = by_name.or(by_address);
        Ok(Self {
            name: described.name.value.clone(),
            host: host.map(|host| host.id.to_string()),
            provider,
            base_url,
            key,
            zone: described.zone.as_ref().map(|zone| zone.value.clone()),
            region: described.region.as_ref().map(|region| region.value.clone()),
            prices: described.prices.iter().filter_map(own_price).collect(),
            discount_percent: described.discount_percent.value,
            way: way(described)?,
        })
    }

    /// The upstream of all labellers: files in the data folder, asked inside this process.
    pub fn labellers() -> Self {
        let mut provider = providers::by_name(LOCAL_PROVIDER)
            .cloned()
            .unwrap_or_else(|| Provider::compatible(LABELLERS.to_owned(), String::new(), ""));
        provider.name = Cow::Borrowed(LABELLERS);
        Self {
            name: LABELLERS.to_owned(),
            provider: Cow::Owned(provider),
            host: None,
            base_url: None,
            key: None,
            zone: None,
            region: None,
            prices: Vec::new(),
            discount_percent: 0.0,
            way: Way::Direct,
        }
    }

    /// Whether it is the upstream of labellers.
    pub fn is_labellers(&self) -> bool {
        self.provider.name == LABELLERS
    }

    /// Whether it is the worker of this outlet.
    pub fn is_local(&self) -> bool {
        self.provider.name == LOCAL_PROVIDER
    }

    /// The dialect in which it is asked when the caller speaks `asked`; `None` where it cannot be. A local model
    /// takes the neutral form, so any conversation fits, and texts for vectors.
    pub fn dialect_for(&self, asked: Dialect) -> Option<Dialect> {
        if self.is_labellers() {
            return (asked != Dialect::OpenaiEmbeddings).then_some(asked);
        }
        if self.is_local() {
            (asked.is_conversation() || asked == Dialect::OpenaiEmbeddings).then_some(asked)
        } else {
            self.provider.dialect_for(asked)
        }
    }

    /// Address and headers of a request.
    pub fn request(&self, dialect: Dialect, model: &str) -> Result<Target, TargetError> {
        self.provider.request(dialect, self.base_url.as_deref(), model, self.key.as_ref())
    }
}

fn way(described: &mains_config::Upstream) -> Result<Way, UpstreamError> {
    let Some(setting) = &described.proxy else { return Ok(Way::Environment) };
    let text = match &setting.value {
        mains_config::Proxy::None => return Ok(Way::Direct),
        mains_config::Proxy::Url(url) => Some(url.clone()),
        mains_config::Proxy::Environment(name) => std::env::var(name).ok(),
    };
    let uri = text.and_then(|text| text.parse().ok());
    uri.map(Way::Proxy).ok_or_else(|| UpstreamError {
        span: setting.span(),
        message: "the proxy of this upstream is not set, or is no address".into(),
        hint: "write `http://host:port`, or set the variable that `env:` names".into(),
    })
}

fn first_dialect(provider: &Provider) -> Dialect {
    provider.endpoints.first().map_or(Dialect::OpenaiChat, |endpoint| endpoint.dialect)
}

fn without_scheme(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest)
}

fn key_error(span: Option<SourceSpan>, message: &str) -> UpstreamError {
    let (what, hint) = message
        .split_once("hint: ")
        .unwrap_or((message, "set the variable or the file before `mains serve`"));
    UpstreamError { span, message: what.trim().into(), hint: hint.trim().into() }
}

/// The address with the API version that Azure's older interface wants in its query.
fn base_url(described: &mains_config::Upstream) -> Option<String> {
    let base = &described.base_url.as_ref()?.value;
    Some(match &described.api_version {
        Some(version) => format!("{base}?api-version={}", version.value),
        None => base.clone(),
    })
}

fn provider(
    described: &mains_config::Upstream,
    catalog: &Catalog,
) -> Result<Cow<'static, Provider>, UpstreamError> {
    let Some(named) = &described.provider else { return by_dialect(described) };
    if let Some(known) = providers::by_name(&named.value) {
        return Ok(Cow::Borrowed(known));
    }
    if let Some(host) = catalog.host(&named.value)
        && host.openai_compatible()
    {
        let variable = host.key_variables.first().map_or_else(String::new, ToString::to_string);
        return Ok(Cow::Owned(Provider::compatible(host.id.to_string(), host.base.to_string(), variable)));
    }
    let names = providers::ALL.iter().map(|provider| provider.name.as_ref());
    let all =
        names.chain(catalog.hosts().filter(|host| host.openai_compatible()).map(|host| host.id.as_ref()));
    let hint = mains_config::closest(&named.value, all).map_or_else(
        || "name a provider of `mains catalog`, or give `base_url` and `dialect`".to_owned(),
        |nearest| format!("did you mean `{nearest}`?"),
    );
    Err(UpstreamError {
        span: named.span(),
        message: format!("no provider is named `{}`", named.value),
        hint,
    })
}

fn by_dialect(described: &mains_config::Upstream) -> Result<Cow<'static, Provider>, UpstreamError> {
    let dialect = described.dialect.as_ref().map_or("openai_chat", |dialect| dialect.value.as_str());
    let base = described.base_url.as_ref().map(|base| base.value.clone()).unwrap_or_default();
    match Dialect::parse(dialect) {
        Some(Dialect::AnthropicMessages) => {
            let mut anthropic = providers::by_name("anthropic")
                .cloned()
                .unwrap_or_else(|| Provider::compatible(described.name.value.clone(), base.clone(), ""));
            anthropic.name = Cow::Owned(described.name.value.clone());
            Ok(Cow::Owned(anthropic))
        }
        Some(_) => Ok(Cow::Owned(Provider::compatible(described.name.value.clone(), base, ""))),
        None => Err(UpstreamError {
            span: described.dialect.as_ref().and_then(mains_config::Setting::span),
            message: format!("no dialect is named `{dialect}`"),
            hint: "write `openai_chat` or `anthropic_messages`".into(),
        }),
    }
}

/// Prices that the configuration names; a model needs both input and output to be priced.
fn own_price(price: &mains_config::Price) -> Option<(String, Rates)> {
    let value = |setting: &Option<mains_config::Setting<PicoUsdPerToken>>| setting.as_ref().map(|s| s.value);
    let rates = Rates {
        input: value(&price.input)?,
        output: value(&price.output)?,
        cached_read: value(&price.cached_read),
        cached_write: value(&price.cached_write),
    };
    Some((price.model.value.clone(), rates))
}
