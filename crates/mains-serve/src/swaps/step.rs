//! Going on: steps, the way back, and routes that follow.

use super::begin::{RETIRED, label, leaf};
use super::{Inner, Running};
use crate::live::StandsIn;
use crate::outlet::Outlet;
use mains_ledger::leaf::{Leaf, Swap as SwapLeaf, SwapAction};
use mains_relay::route::TargetName;
use mains_store::db::SwapState;
use mains_swap::canary::{Event, Stage, WholeBecause};
use std::sync::Arc;

/// Looks at every switch and at the calendar; what changed is written down, saved and in force when this returns.
pub(crate) async fn tick(outlet: &Outlet) {
    let (leaves, new_day) = look_at_all(outlet);
    if new_day || !leaves.is_empty() {
        reshape(outlet);
    }
    write(outlet, &leaves);
    save(outlet).await;
}

fn look_at_all(outlet: &Outlet) -> (Vec<Leaf>, bool) {
    let now = outlet.clock.now();
    let mut inner = outlet.swaps.inner();
    let new_day = inner.day != Some(outlet.today());
    let leaves = inner.running.iter_mut().flat_map(|(route, running)| look(route, running, now)).collect();
    (leaves, new_day)
}

/// Goes back to the old target because the operator says so.
pub(crate) async fn roll_back(outlet: &Outlet, route: &str) -> Result<(), String> {
    let leaf = take_back(outlet, route)?;
    reshape(outlet);
    write(outlet, &[leaf]);
    save(outlet).await;
    Ok(())
}

fn take_back(outlet: &Outlet, route: &str) -> Result<Leaf, String> {
    let now = outlet.clock.now();
    let mut inner = outlet.swaps.inner();
    let Some(running) = inner.running.get_mut(route) else {
        let known: Vec<&str> = inner.running.keys().map(String::as_str).collect();
        let known = match known.as_slice() {
            [] => "none is under way".to_owned(),
            known => format!("there are: {}", known.join(", ")),
        };
        return Err(format!("the route `{route}` is in no switch\nhint: {known}"));
    };
    if matches!(running.canary.stage(), Stage::RolledBack { .. }) {
        return Err(format!("the switch of `{route}` was rolled back already"));
    }
    running.canary.roll_back(now);
    running.unsaved = true;
    Ok(leaf(route, running, SwapAction::RolledBack, Some("operator")))
}

/// Looks at one switch. The leaf of what came of it names the share that holds from now on.
pub(super) fn look(route: &str, running: &mut Running, now: mains_units::Timestamp) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    running.unseen = 0;
    // A day that came may take it through more than one step.
    while let Some(event) = running.canary.look(&running.plan, now) {
        running.unsaved = true;
        let (action, reason) = match event {
            Event::Stepped { .. } => (SwapAction::Stepped, None),
            Event::Whole { because: WholeBecause::Steps } => (SwapAction::Whole, Some("steps")),
            Event::Whole { because: WholeBecause::Day } => (SwapAction::Whole, Some("day")),
            Event::RolledBack { metric } => (SwapAction::RolledBack, Some(metric.name())),
        };
        tracing::info!(
            route,
            share = running.shift().percent,
            reason,
            "a switch went on: {}",
            action.as_str()
        );
        leaves.push(leaf(route, running, action, reason));
    }
    leaves
}

/// Makes the routes anew from the settings in force and the switches as they stand.
pub(crate) fn reshape(outlet: &Outlet) {
    let _shaping = outlet.swaps.shaping();
    shape(outlet, &outlet.live());
}

/// Puts settings in force with the routes that switches want. The caller holds `shaping`.
pub(super) fn shape(outlet: &Outlet, live: &crate::live::Live) {
    let today = outlet.today();
    let shifts = {
        let mut inner = outlet.swaps.inner();
        inner.day = Some(today);
        inner.shifts()
    };
    let (live, stand) = live.shifted(&shifts, outlet.catalog, today);
    // A rehearsal tells of no end that has not come.
    let told = if outlet.rehearses() {
        Vec::new()
    } else {
        retired(&mut outlet.swaps.inner(), &live, &stand, today)
    };
    outlet.put(Arc::new(live));
    if told.is_empty() {
        return;
    }
    write(outlet, &told);
    if let Ok(text) = serde_json::to_string(&outlet.swaps.inner().retired) {
        // Should this fail, the next start tells of them once more.
        drop(outlet.db.set_meta(RETIRED, &text));
    }
}

/// One leaf for every target that retired while this outlet ran, or before it started.
fn retired(
    inner: &mut Inner,
    live: &crate::live::Live,
    stand: &[StandsIn],
    today: mains_units::Day,
) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    for described in &live.settings.routes {
        let route = &described.model.value;
        for member in described.targets.iter().flatten() {
            let name = TargetName::new(member.target.value.to_string());
            let new = stand.iter().find(|stand| stand.route == *route && stand.old == name);
            let new = new.map(|stand| &stand.new);
            let known = (route.clone(), name.to_string(), new.map(ToString::to_string));
            let retired = live.targets.get(&name).is_some_and(|facts| facts.retired(today));
            if !retired || inner.retired.contains(&known) {
                continue;
            }
            leaves.push(Leaf::Swap(SwapLeaf {
                action: SwapAction::Retired,
                route: Some(label(route)),
                from: label(name.as_str()),
                to: new.map(|new| label(new.as_str())),
                report: new.and_then(|new| report_of(inner, &name, new)),
                share_percent: None,
                verdict: None,
                reason: Some(label(if new.is_some() { "tested_replacement" } else { "next_target" })),
            }));
            inner.retired.push(known);
        }
    }
    leaves
}

fn report_of(inner: &Inner, old: &TargetName, new: &TargetName) -> Option<mains_ledger::Hash> {
    let same = |test: &&mains_store::db::SwapTest| {
        test.from == old.as_str() && test.to == new.as_str() && test.verdict == super::PASSED
    };
    mains_ledger::Hash::from_hex(&inner.tests.iter().find(same)?.report)
}

pub(super) fn write(outlet: &Outlet, leaves: &[Leaf]) {
    for leaf in leaves {
        outlet.leaf(leaf);
    }
}

/// Hands the counts that changed to the store.
pub(super) async fn save(outlet: &Outlet) {
    for state in unsaved(outlet) {
        let route = state.route.clone();
        if let Err(error) = outlet.db.save_swap_state(state).await {
            tracing::error!(route, %error, "the counts of a switch could not be saved");
            if let Some(running) = outlet.swaps.inner().running.get_mut(&route) {
                running.unsaved = true;
            }
        }
    }
}

/// The counts that the store does not have; from here on they count as handed over.
pub(super) fn unsaved(outlet: &Outlet) -> Vec<SwapState> {
    let now = outlet.clock.now();
    let mut states = Vec::new();
    for (route, running) in outlet.swaps.inner().running.iter_mut().filter(|(_, running)| running.unsaved) {
        match serde_json::to_string(&running.canary) {
            Ok(state) => {
                running.unsaved = false;
                let report = running.report.to_string();
                states.push(SwapState { route: route.clone(), report, state, at: now });
            }
            Err(error) => tracing::error!(route, %error, "the counts of a switch could not be written"),
        }
    }
    states
}
