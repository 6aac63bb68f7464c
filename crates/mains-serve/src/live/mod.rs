//! What a reload replaces: the settings, and what follows from them.
//!
//! Built whole or not at all, so a bad file changes nothing. `upstream` is an account with its key,
//! `target` is what is known of one model there, `Live` holds them with the routes and the caps, and `shift` changes the
//! routes as switches go on.

mod shift;
mod target;
mod upstream;

pub use shift::{Shift, Shifts, StandsIn};
pub use target::{Pricing, TargetFacts};
pub use upstream::{Upstream, UpstreamError, Way};

use mains_catalog::Catalog;
use mains_config::{Errors, KeyRef, Problem, Settings, WeightedTarget};
use mains_ledger::Hash;
use mains_relay::budget::{Cap, Per, Scope, UnknownPrice};
use mains_relay::relay::{Deadlines, Retry};
use mains_relay::route::{Criticality, Degraded, Place, Route, Target, TargetName};
use mains_units::{Day, ModelId, Secret};
use std::collections::HashMap;
use std::sync::Arc;

/// The provider name of models in this binary.
pub const LOCAL_PROVIDER: &str = "local";

/// The upstream and provider name of labellers.
pub const LABELLERS: &str = "label";

/// A route with what the server needs beside the relay's part.
#[derive(Debug)]
pub struct LiveRoute {
    /// What the relay decides by.
    pub route: Route,
    /// One comment line before the end of a stream that tells what it cost.
    pub stream_footer: bool,
    /// The switch under way, while its coin is thrown for every request.
    pub canary: Option<Shift>,
}

/// Settings in force, with everything that follows from them.
#[derive(Debug)]
pub struct Live {
    /// As read.
    pub settings: Settings,
    /// SHA-256 of the settings' canonical text; what leaves name as `config`.
    pub hash: Hash,
    /// By name.
    pub upstreams: HashMap<String, Arc<Upstream>>,
    /// By the model that applications ask for.
    pub routes: HashMap<String, Arc<LiveRoute>>,
    /// What is known of every target.
    pub targets: HashMap<TargetName, Arc<TargetFacts>>,
}

impl Live {
    /// Builds everything. `resolve` reads a key where it lies; `today` decides which models are retired until
    /// the day changes.
    pub fn build(
        settings: Settings,
        catalog: &Catalog,
        resolve: &dyn Fn(&KeyRef) -> Result<Secret, String>,
        today: Day,
    ) -> Result<Self, Errors> {
        let mut problems = Vec::new();
        let mut upstreams = HashMap::new();
        for described in &settings.upstreams {
            match Upstream::new(described, catalog, resolve) {
                Ok(upstream) => {
                    upstreams.insert(described.name.value.clone(), Arc::new(upstream));
                }
                Err(UpstreamError { span, message, hint }) => {
                    problems.push(Problem::at(span.unwrap_or(described.span), message).hint(hint));
                }
            }
        }
        if !problems.is_empty() {
            return Err(Errors::new(settings.source().clone(), problems));
        }
        let labels = settings.routes.iter().flat_map(|route| route.targets.iter().flatten());
        if labels.into_iter().any(|member| matches!(member.target.value, mains_config::Target::Label(_))) {
            upstreams.insert(LABELLERS.to_owned(), Arc::new(Upstream::labellers()));
        }
        let hash = Hash::of_bytes(settings.canonical().as_bytes());
        let mut live = Self { settings, hash, upstreams, routes: HashMap::new(), targets: HashMap::new() };
        for described in &live.settings.routes {
            let route = route(described, &live.settings, &live.upstreams);
            for target in route.targets().chain(route.agree.iter().flatten()) {
                let Some(upstream) = live.upstreams.get(target.upstream.as_ref()) else { continue };
                let facts = TargetFacts::new(upstream, target.model.as_str(), catalog, today);
                live.targets.insert(target.name.clone(), Arc::new(facts));
            }
            let model = described.model.value.clone();
            let stream_footer = described.stream_footer.value;
            live.routes.insert(model, Arc::new(LiveRoute { route, stream_footer, canary: None }));
        }
        Ok(live)
    }

    /// The route for a model, or for a single target by its whole name; with `passthrough` an unknown one goes to the upstream whose provider makes it.
    pub fn route(&self, model: &str, catalog: &Catalog, today: Day) -> Option<(Arc<LiveRoute>, Extra)> {
        if let Some(route) = self.routes.get(model) {
            return Some((Arc::clone(route), Extra::default()));
        }
        // A target that a route has may be asked for alone, by its whole name: it can be reached through the route anyway.
        let whole = self.targets.get(&TargetName::new(model));
        if whole.is_none() && !self.settings.serve.passthrough.value {
            return None;
        }
        let (upstream, model_there) = self.passthrough(model, catalog)?;
        // A labeller without its teacher behind it answers nobody.
        if upstream.is_labellers() {
            return None;
        }
        let target = Target::new(&upstream.name, &model_there);
        let facts = Arc::new(TargetFacts::new(&upstream, &model_there, catalog, today));
        let extra = Extra(Some((target.name.clone(), facts)));
        let mut route = Route::new(ModelId::new(model), vec![Place::One(Arc::new(target))]);
        route.deadlines = deadlines(&self.settings.serve.deadlines, |setting| setting.value);
        Some((Arc::new(LiveRoute { route, stream_footer: false, canary: None }), extra))
    }

    /// `upstream/model`, else the upstream whose catalogue host owns the id.
    fn passthrough(&self, model: &str, catalog: &Catalog) -> Option<(Arc<Upstream>, String)> {
        if let Some((name, rest)) = model.split_once('/')
            && let Some(upstream) = self.upstreams.get(name)
        {
            return Some((Arc::clone(upstream), rest.to_owned()));
        }
        let owner = catalog.owner(model)?;
        let at_owner = |upstream: &&Arc<Upstream>| upstream.host.as_deref() == Some(owner.id.as_ref());
        // The first in the file's order, so that the choice does not change from start to start.
        let named =
            self.settings.upstreams.iter().filter_map(|described| self.upstreams.get(&described.name.value));
        named.into_iter().find(at_owner).map(|upstream| (Arc::clone(upstream), model.to_owned()))
    }

    /// What is known of a target, also of one that only this request has.
    pub fn facts(&self, target: &TargetName, extra: &Extra) -> Option<Arc<TargetFacts>> {
        match &extra.0 {
            Some((name, facts)) if name == target => Some(Arc::clone(facts)),
            _ => self.targets.get(target).cloned(),
        }
    }

    /// The caps of all budgets.
    pub fn caps(&self) -> Vec<Cap> {
        self.settings.budgets.iter().flat_map(caps).collect()
    }
}

/// The target of a request that has no route of its own.
#[derive(Debug, Clone, Default)]
pub struct Extra(Option<(TargetName, Arc<TargetFacts>)>);

fn route(
    described: &mains_config::Route,
    settings: &Settings,
    upstreams: &HashMap<String, Arc<Upstream>>,
) -> Route {
    let places =
        described.targets.iter().filter_map(|pool| place(pool, &described.model.value, upstreams)).collect();
    let mut route = Route::new(ModelId::new(&described.model.value), places);
    route.agree = described.agree.as_ref().map(|pair| {
        pair.each_ref().map(|named| Arc::new(target(&named.value, &described.model.value, upstreams)))
    });
    route.degraded = match described.degraded.value {
        mains_config::Degraded::Allow => Degraded::Allow,
        mains_config::Degraded::Refuse => Degraded::Refuse,
    };
    route.deadlines = deadlines(&described.deadlines(&settings.serve), |span| *span);
    route.retry = Retry {
        attempts_max: u32::try_from(described.attempts_max.value).unwrap_or(u32::MAX),
        ..Retry::default()
    };
    route.default_max_tokens = described.default_max_tokens.value;
    route.value = described.value.as_ref().map(|value| value.value);
    route.criticality = match described.criticality.value {
        mains_config::Criticality::CriticalPlus => Criticality::CriticalPlus,
        mains_config::Criticality::Critical => Criticality::Critical,
        mains_config::Criticality::SheddablePlus => Criticality::SheddablePlus,
        mains_config::Criticality::Sheddable => Criticality::Sheddable,
    };
    route
}

fn deadlines<T>(from: &mains_config::Deadlines<T>, span: impl Fn(&T) -> mains_units::Span) -> Deadlines {
    let total = span(&from.total);
    Deadlines {
        connect: span(&from.connect),
        first_content: span(&from.first_content),
        idle: span(&from.idle),
        whole: total,
        total,
    }
}

fn place(pool: &[WeightedTarget], asked: &str, upstreams: &HashMap<String, Arc<Upstream>>) -> Option<Place> {
    let mut members: Vec<_> = pool
        .iter()
        .map(|member| (Arc::new(target(&member.target.value, asked, upstreams)), member.weight))
        .collect();
    if members.len() == 1 {
        members.pop().map(|(target, _)| Place::One(target))
    } else {
        Some(Place::Pool(members))
    }
}

fn target(
    described: &mains_config::Target,
    asked: &str,
    upstreams: &HashMap<String, Arc<Upstream>>,
) -> Target {
    let (upstream, model) = match described {
        mains_config::Target::Model { upstream, model } => (upstream, model),
        mains_config::Target::Label(name) => return Target::new(LABELLERS, name),
    };
    let mut target = Target::new(upstream, model);
    let local = upstreams.get(upstream).is_some_and(|upstream| upstream.is_local());
    // Asked for by its own name a local model is an ordinary target; for another model it is a substitute.
    target.substitute = local && asked != model;
    target
}

fn caps(budget: &mains_config::Budget) -> impl Iterator<Item = Cap> + '_ {
    let scope = match &budget.scope.value {
        mains_config::Scope::Organisation => Scope::Organisation,
        mains_config::Scope::Project(name) => Scope::Project(name.as_str().into()),
        mains_config::Scope::Key(name) => Scope::Key(name.as_str().into()),
    };
    let per = match budget.per.value {
        mains_config::Window::Minute => Per::Minute,
        mains_config::Window::Hour => Per::Hour,
        mains_config::Window::Day => Per::Day,
        mains_config::Window::Week => Per::Week,
        mains_config::Window::Month => Per::Month,
    };
    budget.caps.iter().map(move |cap| {
        let mut made = Cap::new(scope.clone(), per, cap.quantity, cap.amount.value);
        made.binds_from = budget.grade.value;
        made.unknown = match budget.unknown.value {
            mains_config::Unknown::Allow => UnknownPrice::Allow,
            mains_config::Unknown::Refuse => UnknownPrice::Refuse,
        };
        made
    })
}

/// Whether any route asks for a model in this binary.
pub fn wants_local(live: &Live) -> bool {
    live.targets.values().any(|facts| facts.upstream.is_local())
}
