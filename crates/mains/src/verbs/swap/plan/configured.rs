//! What the configuration allows: upstreams, by the catalogue's host, and routes.

use crate::print::Trouble;
use crate::settings;
use mains_catalog::{Catalog, Host};
use mains_config::{Route, Settings, Target};
use mains_meter::Rates;
use mains_serve::live::{LOCAL_PROVIDER, TargetFacts, Upstream};
use mains_units::{Day, Secret};
use mains_wire::providers::{self, Provider};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// The configuration, if there is one.
pub(super) struct Configured {
    settings: Option<Settings>,
    upstreams: Vec<Arc<Upstream>>,
}

/// Whether a host may be asked.
#[derive(Debug, Clone)]
pub(super) enum Access {
    /// By this upstream.
    Upstream(Arc<Upstream>),
    /// Not yet; with these lines in the configuration it may.
    Missing(String),
    /// Mains speaks no dialect of it.
    Unreachable,
}

impl Configured {
    /// Reads it as `serve` would find it; keys are not looked at.
    pub(super) fn load(config: Option<&Path>, catalog: &Catalog) -> Result<Self, Trouble> {
        let Some(path) = settings::find(config)? else {
            return Ok(Self { settings: None, upstreams: Vec::new() });
        };
        let loaded = settings::load(Some(&path), Vec::new())?;
        let no_key = |_: &mains_config::KeyRef| Ok(Secret::new(String::new()));
        let mut upstreams = Vec::new();
        for described in &loaded.settings.upstreams {
            let upstream = Upstream::new(described, catalog, &no_key).map_err(|error| {
                Trouble::new(format!("`{}`: {}", loaded.path.display(), error.message)).hint(error.hint)
            })?;
            upstreams.push(Arc::new(upstream));
        }
        Ok(Self { settings: Some(loaded.settings), upstreams })
    }

    pub(super) fn routes(&self) -> &[Route] {
        self.settings.as_ref().map_or(&[], |settings| &settings.routes)
    }

    pub(super) fn upstream(&self, name: &str) -> Option<Arc<Upstream>> {
        self.upstreams.iter().find(|upstream| upstream.name == name).cloned()
    }

    /// The models that a route's targets name, in order, each with its upstream.
    pub(super) fn targets(&self, route: &str) -> Vec<(Arc<Upstream>, String)> {
        let route = self.routes().iter().find(|known| known.model.value == route);
        let pools = route.into_iter().flat_map(|route| route.targets.iter().flatten());
        let named = pools.filter_map(|member| match &member.target.value {
            Target::Model { upstream, model } => Some((self.upstream(upstream)?, model.clone())),
            Target::Label(_) => None,
        });
        named.collect()
    }

    pub(super) fn access(&self, host: &Host) -> Access {
        let serves = |upstream: &&Arc<Upstream>| upstream.host.as_deref() == Some(host.id.as_ref());
        if let Some(upstream) = self.upstreams.iter().find(serves) {
            return Access::Upstream(Arc::clone(upstream));
        }
        match provider(host) {
            Some(provider) => Access::Missing(lines(host, &provider)),
            None => Access::Unreachable,
        }
    }
}

/// The provider that Mains would use for a host: a record of its own, or one made from the catalogue's data.
pub(super) fn provider(host: &Host) -> Option<Cow<'static, Provider>> {
    if let Some(known) = providers::by_name(&host.id).filter(|known| known.name != LOCAL_PROVIDER) {
        return Some(Cow::Borrowed(known));
    }
    let variable = host.key_variables.first().map_or_else(String::new, ToString::to_string);
    let made = || Provider::compatible(host.id.to_string(), host.base.to_string(), variable);
    (host.openai_compatible() && !host.base.is_empty()).then(|| Cow::Owned(made()))
}

/// What to write for a host that has no upstream yet.
fn lines(host: &Host, provider: &Provider) -> String {
    let mut lines = format!("[[upstream]]\nname = \"{0}\"\nprovider = \"{0}\"\n", host.id);
    if provider.base_url.is_empty() {
        lines.push_str("base_url = \"https://…\"\n");
    }
    if !provider.key_variable.is_empty() {
        let _ = writeln!(lines, "key = \"env:{}\"", provider.key_variable);
    }
    lines
}

/// Prices of a model at an account, its own or the list's less its discount.
pub(super) fn rates(
    upstream: &Arc<Upstream>,
    model: &str,
    catalog: &Catalog,
    as_of: Day,
    input: u64,
) -> Option<Rates> {
    TargetFacts::new(upstream, model, catalog, as_of).rates(catalog, input)
}
