//! Routes as switches have changed them: the replacement's share of each, and who stands in for the retired.

use super::{Live, LiveRoute, TargetFacts, route};
use mains_catalog::Catalog;
use mains_relay::route::{Place, Route, Target, TargetName};
use mains_units::Day;
use std::collections::HashMap;
use std::sync::Arc;

/// How far the switch of one route is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// The old target.
    pub old: TargetName,
    /// The replacement.
    pub new: TargetName,
    /// Its share of the requests, 0 to 100; 0 where it was rolled back.
    pub percent: u8,
    /// SHA-256 of the report behind it, in hex.
    pub report: Arc<str>,
}

/// Everything that changes routes beside the settings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shifts {
    /// By the model of the route.
    pub routes: HashMap<String, Shift>,
    /// Which tested replacement a target has.
    pub replacements: HashMap<TargetName, TargetName>,
}

/// A retired target whose tested replacement took its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandsIn {
    /// The model of the route.
    pub route: String,
    /// Who is retired.
    pub old: TargetName,
    /// Who answers.
    pub new: TargetName,
}

impl Live {
    /// The same settings with routes as the switches want them on this day, and which retired targets were replaced.
    #[must_use]
    pub fn shifted(&self, shifts: &Shifts, catalog: &Catalog, today: Day) -> (Self, Vec<StandsIn>) {
        let mut live = Self {
            settings: self.settings.clone(),
            hash: self.hash,
            upstreams: self.upstreams.clone(),
            routes: HashMap::new(),
            targets: self.targets.clone(),
        };
        let mut stand = Vec::new();
        for described in &self.settings.routes {
            let model = &described.model.value;
            let mut route = route(described, &self.settings, &self.upstreams);
            let shift = shifts.routes.get(model);
            if let Some(shift) = shift
                && let Some(new) = live.known(&shift.new, catalog, today)
            {
                if shift.percent > 0 {
                    route.shift(&shift.old, &new, shift.percent);
                } else if live.all_retired(&route, today) {
                    // Rolled back, but nobody else is left.
                    route.places.push(Place::One(new));
                }
            }
            live.replace_retired(&mut route, shifts, catalog, today, &mut stand);
            let canary = shift.filter(|shift| (1..100).contains(&shift.percent)).cloned();
            let stream_footer = described.stream_footer.value;
            live.routes.insert(model.clone(), Arc::new(LiveRoute { route, stream_footer, canary }));
        }
        (live, stand)
    }

    /// Puts the tested replacement of every retired target in its place. A replacement may be retired too, and has one
    /// of its own.
    fn replace_retired(
        &mut self,
        route: &mut Route,
        shifts: &Shifts,
        catalog: &Catalog,
        today: Day,
        stand: &mut Vec<StandsIn>,
    ) {
        let mut left: Vec<TargetName> = route.targets().map(|target| target.name.clone()).collect();
        let mut seen = left.clone();
        while let Some(old) = left.pop() {
            let retired = self.targets.get(&old).is_some_and(|facts| facts.retired(today));
            let Some(new) = shifts.replacements.get(&old).filter(|_| retired) else { continue };
            let Some(target) = self.known(new, catalog, today) else { continue };
            if seen.contains(new) || !route.replace(&old, &target) {
                continue;
            }
            stand.push(StandsIn { route: route.model.to_string(), old, new: new.clone() });
            seen.push(new.clone());
            left.push(new.clone());
        }
    }

    /// A target by its name, with its facts among the known ones; `None` where its upstream is not configured.
    fn known(&mut self, name: &TargetName, catalog: &Catalog, today: Day) -> Option<Arc<Target>> {
        let (upstream, model) = name.as_str().split_once('/')?;
        let upstream = Arc::clone(self.upstreams.get(upstream)?);
        // It was tested for this place, so a local model is no mere substitute here.
        let target = Target::new(&upstream.name, model);
        let facts = || Arc::new(TargetFacts::new(&upstream, model, catalog, today));
        self.targets.entry(target.name.clone()).or_insert_with(facts);
        Some(Arc::new(target))
    }

    fn all_retired(&self, route: &Route, today: Day) -> bool {
        route.targets().all(|target| self.targets.get(&target.name).is_some_and(|facts| facts.retired(today)))
    }
}
