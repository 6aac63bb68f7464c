//! What the settings and the store say of switches when an outlet starts or reads its settings again.

use super::{Inner, Running};
use crate::live::Live;
use crate::outlet::Outlet;
use mains_config::Route;
use mains_ledger::Hash;
use mains_ledger::leaf::{Label, Leaf, Swap as SwapLeaf, SwapAction};
use mains_relay::route::TargetName;
use mains_store::db::{SwapState, SwapTest};
use mains_swap::canary::{Canary, Limits, Plan};
use mains_swap::report::Beside;
use mains_swap::verdict::Ppm;
use mains_units::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The error level of all comparisons of one switch together.
const ALPHA: Ppm = Ppm(50_000);

/// A cost or a length counts up to so many times what the test found in the mean; beyond that it is cut off, so that
/// one odd answer decides nothing.
const SCALE: u64 = 8;

/// Reads what the store knows. Waits for the disk.
pub(crate) fn load(outlet: &Outlet) -> Result<(), String> {
    let tests = outlet.db.swap_tests().wait().map_err(|error| error.to_string())?;
    outlet.swaps.inner().tests = tests;
    Ok(())
}

/// Takes up the switches of these settings: those that go on with their counts, those that are new with a leaf, and
/// ends those that the settings do not have any more. Waits for the disk.
pub(crate) fn take_up(outlet: &Outlet, live: &Live) -> Result<Vec<Leaf>, String> {
    let say = |error: mains_store::db::DbError| error.to_string();
    let saved = outlet.db.swap_states().wait().map_err(say)?;
    let now = outlet.clock.now();
    let (mut leaves, mut fresh) = (Vec::new(), BTreeMap::new());
    let mut inner = outlet.swaps.inner();
    for route in &live.settings.routes {
        let Some(running) = running(&inner, route, live, now) else { continue };
        let name = &route.model.value;
        let known = inner.running.remove(name).filter(|known| known.is_same(&running));
        let running = match (known, saved.iter().find(|saved| saved.route == *name)) {
            (Some(known), _) => Running { canary: known.canary, unsaved: known.unsaved, ..running },
            (None, Some(saved)) if saved.report == *running.report => {
                let canary = serde_json::from_str(&saved.state)
                    .map_err(|error| format!("the store's counts of the switch of `{name}` cannot be read: {error}\nhint: a newer version of this program may have written them"))?;
                Running { canary, unsaved: false, ..running }
            }
            _ => {
                leaves.push(leaf(name, &running, SwapAction::Switched, None));
                running
            }
        };
        fresh.insert(name.clone(), running);
    }
    let ended = std::mem::replace(&mut inner.running, fresh);
    drop(inner);
    for (route, running) in ended {
        if running.canary.stage() == mains_swap::canary::Stage::Canary {
            leaves.push(leaf(&route, &running, SwapAction::Cancelled, None));
        }
    }
    let gone: Vec<&SwapState> = {
        let inner = outlet.swaps.inner();
        saved.iter().filter(|saved| !inner.running.contains_key(&saved.route)).collect()
    };
    for saved in gone {
        outlet.db.drop_swap_state(&saved.route).wait().map_err(say)?;
    }
    super::step::save(outlet);
    Ok(leaves)
}

/// Keeps a test that has ended, and writes its leaf.
pub(crate) async fn tested(outlet: &Outlet, test: SwapTest) -> Result<Option<u64>, String> {
    let report = Hash::from_hex(&test.report)
        .ok_or_else(|| format!("`{}` is no SHA-256 in hex", test.report))?;
    if !["non_inferior", "inferior", "undecided"].contains(&test.verdict.as_str()) {
        return Err(format!("`{}` is no verdict of a test", test.verdict));
    }
    let test = SwapTest { from_target: target_of(outlet, &test.from_target), to_target: target_of(outlet, &test.to_target), ..test };
    let new = outlet.db.add_swap_test(test.clone()).await.map_err(|error| error.to_string())?;
    if !new {
        return Ok(None);
    }
    let leaf = Leaf::Swap(SwapLeaf {
        action: SwapAction::Tested,
        route: Some(label(&test.route)).filter(|_| !test.route.is_empty()),
        from: label(&test.from_target),
        to: Some(label(&test.to_target)),
        report: Some(report),
        share_percent: None,
        verdict: Some(label(&test.verdict)),
        reason: None,
    });
    let index = outlet.leaf(&leaf);
    outlet.swaps.inner().tests.insert(0, test);
    // On the very day of an end it takes the place at once.
    super::reshape(outlet);
    Ok(index)
}

/// The target behind a name that a test was given: the first of a route, where it is one.
fn target_of(outlet: &Outlet, name: &str) -> String {
    let live = outlet.live();
    let first = live.routes.get(name).and_then(|route| route.route.targets().next().map(|t| t.name.to_string()));
    first.unwrap_or_else(|| name.to_owned())
}

fn running(inner: &Inner, route: &Route, live: &Live, now: Timestamp) -> Option<Running> {
    let swap = route.swap.as_ref()?;
    let (from, to) = (TargetName::new(swap.from.value.to_string()), TargetName::new(swap.to.value.to_string()));
    let test = inner.tests.iter().find(|test| test.report == swap.report.value);
    let ends = live.targets.get(&from).and_then(|facts| facts.ends_on);
    let by = [swap.whole_by.as_ref().map(|day| day.value), ends].into_iter().flatten().min();
    let limits = Limits {
        alpha: ALPHA,
        margin: Ppm::points(i64::try_from(swap.margin.value).unwrap_or(100)),
        dearer: Ppm::points(i64::try_from(swap.dearer.value).unwrap_or(i64::MAX / 1_000_000)),
        longer: Ppm::points(i64::try_from(swap.longer.value).unwrap_or(i64::MAX / 1_000_000)),
        ..limits_of(test)
    };
    let plan = Plan {
        steps: swap.steps.value.iter().map(|percent| Ppm::points(i64::from(*percent))).collect(),
        hold: swap.hold.value,
        requests_min: swap.requests_min.value,
        whole_by: by.map(|day| day.start()),
        limits,
    };
    let report: Arc<str> = swap.report.value.as_str().into();
    Some(Running { from, to, report, plan, canary: Canary::new(now), unsaved: true, unseen: 0 })
}

/// What the test found, where its figures are here.
fn limits_of(test: Option<&SwapTest>) -> Limits {
    let beside: Option<Beside> = test.and_then(|test| serde_json::from_str(&test.figures).ok());
    let Some(beside) = beside else { return Limits::default() };
    let (cost_ratio, length_ratio) = beside.ratios();
    let scale = |old: Option<u64>, new: Option<u64>| {
        let most = old.into_iter().chain(new).max()?;
        Some(most.saturating_mul(SCALE).div_ceil(1_000)).filter(|scale| *scale > 0)
    };
    Limits {
        cost_ratio,
        cost_scale_nano: scale(beside.old.nano_usd_per_1000, beside.new.nano_usd_per_1000),
        length_ratio,
        length_scale: scale(beside.old.output_per_1000, beside.new.output_per_1000),
        ..Limits::default()
    }
}

impl Running {
    /// Whether this is the same switch, perhaps with other steps.
    fn is_same(&self, other: &Self) -> bool {
        self.from == other.from && self.to == other.to && self.report == other.report
    }
}

/// The leaf of a switch.
pub(super) fn leaf(route: &str, running: &Running, action: SwapAction, reason: Option<&str>) -> Leaf {
    Leaf::Swap(SwapLeaf {
        action,
        route: Some(label(route)),
        from: label(running.from.as_str()),
        to: Some(label(running.to.as_str())),
        report: Hash::from_hex(&running.report),
        share_percent: Some(u64::from(running.shift().percent)),
        verdict: None,
        reason: reason.map(label),
    })
}

pub(super) fn label(text: &str) -> Label {
    Label::new(text).unwrap_or_else(|_| Label::digest_of(text))
}
