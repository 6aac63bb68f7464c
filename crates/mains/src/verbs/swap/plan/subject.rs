//! What is to be replaced.

use super::configured::{Access, Configured};
use crate::print::Trouble;
use crate::verbs::estimate;
use mains_catalog::{Catalog, Host, Lifecycle, Lookup, Model, Resolved};
use mains_serve::live::Upstream;
use mains_units::Day;
use std::sync::Arc;

/// A model at a host, as it stands in the configuration where it does.
pub(super) struct Subject<'c> {
    pub(super) host: &'c Host,
    pub(super) model: &'c Model,
    pub(super) lifecycle: Lifecycle<'c>,
    /// How it is named to `--from`: `upstream/model`.
    pub(super) target: String,
    pub(super) upstream: Option<Arc<Upstream>>,
    /// The route that asks it.
    pub(super) route: Option<String>,
}

impl<'c> Subject<'c> {
    /// Finds a model by the model of a route, by `upstream/model`, or by any spelling that the catalogue knows.
    pub(super) fn find(
        text: &str,
        configured: &Configured,
        catalog: &'c Catalog,
        as_of: Day,
    ) -> Result<Self, Trouble> {
        if configured.routes().iter().any(|route| route.model.value == text) {
            let targets = configured.targets(text);
            let known = targets
                .into_iter()
                .find_map(|(upstream, model)| Some((at(&upstream, &model, catalog)?, upstream, model)));
            let (resolved, upstream, model) = known.ok_or_else(|| {
                Trouble::new(format!("the catalogue knows no model among the targets of the route `{text}`"))
                    .hint("name the model that it stands for: `mains swap plan MODEL --route …`")
            })?;
            return Ok(Self::of(&resolved, catalog, as_of, Some((upstream, &model)), Some(text.to_owned())));
        }
        if let Some((name, model)) = text.split_once('/')
            && let Some(upstream) = configured.upstream(name)
            && let Some(resolved) = at(&upstream, model, catalog)
        {
            return Ok(Self::of(&resolved, catalog, as_of, Some((upstream, model)), None));
        }
        let resolved = match catalog.lookup(None, text) {
            Lookup::Resolved(found) => found,
            Lookup::Several(several) => {
                several.into_iter().next().ok_or_else(|| estimate::unknown(None, text, &[]))?
            }
            Lookup::Unknown { nearest, .. } => return Err(unknown(text, &nearest, configured)),
        };
        let upstream = match configured.access(resolved.host) {
            Access::Upstream(upstream) => Some(upstream),
            Access::Missing(_) | Access::Unreachable => None,
        };
        let id = resolved.model.id.to_string();
        Ok(Self::of(&resolved, catalog, as_of, upstream.map(|upstream| (upstream, id.as_str())), None))
    }

    fn of(
        resolved: &Resolved<'c>,
        catalog: &'c Catalog,
        as_of: Day,
        upstream: Option<(Arc<Upstream>, &str)>,
        route: Option<String>,
    ) -> Self {
        let (host, model) = (resolved.host, resolved.model);
        let target = match &upstream {
            Some((upstream, named)) => format!("{}/{named}", upstream.name),
            None => format!("{}/{}", host.id, model.id),
        };
        let lifecycle = catalog.lifecycle(Some(&host.id), &model.id, as_of);
        Self { host, model, lifecycle, target, upstream: upstream.map(|(upstream, _)| upstream), route }
    }
}

/// The catalogue's model behind a name at an upstream.
pub(super) fn at<'c>(upstream: &Upstream, model: &str, catalog: &'c Catalog) -> Option<Resolved<'c>> {
    catalog.lookup(Some(upstream.host.as_deref()?), model).into_first()
}

/// Routes count among the nearest names.
fn unknown(text: &str, nearest: &[&str], configured: &Configured) -> Trouble {
    let routes = configured.routes().iter().map(|route| route.model.value.as_str());
    let mut names: Vec<&str> = mains_config::closest(text, routes).into_iter().collect();
    names.extend(nearest.iter().filter(|name| !names.contains(*name)).copied().collect::<Vec<_>>());
    estimate::unknown(None, text, &names)
}
