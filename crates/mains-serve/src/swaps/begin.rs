//! What the settings and the store say of switches when an outlet starts or reads its settings again.

use super::step;
use super::{Inner, Running};
use crate::live::Live;
use crate::outlet::Outlet;
use mains_config::{Route, Setting, Swap};
use mains_ledger::Hash;
use mains_ledger::leaf::{ConfigOrigin, Label, Leaf, Swap as SwapLeaf, SwapAction};
use mains_relay::route::TargetName;
use mains_store::db::{SwapState, SwapTest};
use mains_swap::canary::{Canary, Limits, Plan, Stage};
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

/// Where the store has the retired targets of which a leaf tells.
pub(super) const RETIRED: &str = "swaps.retired";

/// Reads what the store knows. Waits for the disk.
pub(crate) fn load(outlet: &Outlet) -> Result<(), String> {
    let tests = outlet.db.swap_tests().wait().map_err(|error| error.to_string())?;
    let told = outlet.db.meta(RETIRED).wait().map_err(|error| error.to_string())?;
    let told = told.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    {
        let mut inner = outlet.swaps.inner();
        inner.tests = tests;
        inner.retired = told;
    }
    let _shaping = outlet.swaps.shaping();
    let live = outlet.live();
    let leaves = take_up(outlet, &live)?;
    step::shape(outlet, &live);
    step::write(outlet, &leaves);
    Ok(())
}

/// Puts newly read settings in force, with the routes that their switches want. Waits for the disk.
pub(crate) fn enter(outlet: &Outlet, fresh: &Live) -> Result<(), String> {
    let _shaping = outlet.swaps.shaping();
    let leaves = take_up(outlet, fresh)?;
    let (previous, hash) = (outlet.live().hash, fresh.hash);
    outlet.reconfigure(fresh);
    step::shape(outlet, fresh);
    outlet.config_leaf(hash, Some(previous), ConfigOrigin::Reload);
    step::write(outlet, &leaves);
    Ok(())
}

/// Takes up the switches of these settings: those that go on with their counts, those that are new with a leaf, and
/// ends those that the settings do not have any more. Waits for the disk.
fn take_up(outlet: &Outlet, live: &Live) -> Result<Vec<Leaf>, String> {
    let say = |error: mains_store::db::DbError| error.to_string();
    let saved = outlet.db.swap_states().wait().map_err(say)?;
    let now = outlet.clock.now();
    // Read before anything changes: counts that cannot be read leave all as it is.
    let counts: BTreeMap<&str, (&str, Canary)> = saved
        .iter()
        .map(|saved| Ok((saved.route.as_str(), (saved.report.as_str(), canary(saved)?))))
        .collect::<Result<_, String>>()?;
    let (mut leaves, mut fresh) = (Vec::new(), BTreeMap::new());
    let mut inner = outlet.swaps.inner();
    for route in &live.settings.routes {
        let Some(running) = running(&inner, route, live, now) else { continue };
        let name = &route.model.value;
        let known = inner.running.remove(name);
        let (known, other) = if known.as_ref().is_some_and(|known| known.is_same(&running)) {
            (known, None)
        } else {
            (None, known)
        };
        leaves.extend(other.and_then(|other| cancelled(name, &other)));
        let running = match (known, counts.get(name.as_str())) {
            (Some(known), _) => Running { canary: known.canary, unsaved: known.unsaved, ..running },
            (None, Some((report, canary))) if **report == *running.report => {
                Running { canary: canary.clone(), unsaved: false, ..running }
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
    leaves.extend(ended.iter().filter_map(|(route, running)| cancelled(route, running)));
    let gone: Vec<&SwapState> = {
        let inner = outlet.swaps.inner();
        saved.iter().filter(|saved| !inner.running.contains_key(&saved.route)).collect()
    };
    for saved in gone {
        outlet.db.drop_swap_state(&saved.route).wait().map_err(say)?;
    }
    for state in step::unsaved(outlet) {
        outlet.db.save_swap_state(state).wait().map_err(say)?;
    }
    Ok(leaves)
}

fn canary(saved: &SwapState) -> Result<Canary, String> {
    serde_json::from_str(&saved.state).map_err(|error| {
        format!(
            "the store's counts of the switch of `{}` cannot be read: {error}\nhint: a newer version of this program may have written them; run that one",
            saved.route
        )
    })
}

/// The leaf of a switch that ends before it is whole.
fn cancelled(route: &str, running: &Running) -> Option<Leaf> {
    (running.canary.stage() == Stage::Canary).then(|| leaf(route, running, SwapAction::Cancelled, None))
}

/// Keeps a test that has ended, and writes its leaf.
pub(crate) async fn tested(outlet: &Outlet, test: SwapTest) -> Result<Option<u64>, String> {
    let report =
        Hash::from_hex(&test.report).ok_or_else(|| format!("`{}` is no SHA-256 in hex", test.report))?;
    if !["non_inferior", "inferior", "undecided"].contains(&test.verdict.as_str()) {
        return Err(format!("`{}` is no verdict of a test", test.verdict));
    }
    let test = SwapTest { from: target_of(outlet, &test.from), to: target_of(outlet, &test.to), ..test };
    let new = outlet.db.add_swap_test(test.clone()).await.map_err(|error| error.to_string())?;
    if !new {
        return Ok(None);
    }
    let leaf = Leaf::Swap(SwapLeaf {
        action: SwapAction::Tested,
        route: test.route.as_deref().map(label),
        from: label(&test.from),
        to: Some(label(&test.to)),
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
    let first =
        live.routes.get(name).and_then(|route| route.route.targets().next().map(|t| t.name.to_string()));
    first.unwrap_or_else(|| name.to_owned())
}

fn running(inner: &Inner, route: &Route, live: &Live, now: Timestamp) -> Option<Running> {
    let swap = route.swap.as_ref()?;
    let (from, to) =
        (TargetName::new(swap.from.value.to_string()), TargetName::new(swap.to.value.to_string()));
    let test = inner.tests.iter().find(|test| test.report == swap.report.value);
    let ends = live.targets.get(&from).and_then(|facts| facts.ends_on);
    let by = [swap.whole_by.as_ref().map(|day| day.value), ends].into_iter().flatten().min();
    let plan = Plan {
        steps: swap.steps.value.iter().map(|percent| Ppm::points(i64::from(*percent))).collect(),
        hold: swap.hold.value,
        requests_min: swap.requests_min.value,
        whole_by: by.map(mains_units::Day::start),
        limits: limits_of(swap, test),
    };
    let report: Arc<str> = swap.report.value.as_str().into();
    Some(Running { from, to, report, plan, canary: Canary::new(now), unsaved: true, unseen: 0 })
}

/// What the test found, where its figures are here.
fn limits_of(swap: &Swap, test: Option<&SwapTest>) -> Limits {
    let beside: Option<Beside> = test.and_then(|test| serde_json::from_str(&test.figures).ok());
    let beside = beside.unwrap_or_default();
    let (cost_ratio, length_ratio) = beside.ratios();
    let scale = |per_1000: Option<u64>| {
        per_1000.map(|mean| mean.saturating_mul(SCALE).div_ceil(1_000)).filter(|scale| *scale > 0)
    };
    let percent =
        |setting: &Setting<u64>| Ppm::points(i64::try_from(setting.value).unwrap_or(i64::MAX).min(1_000_000));
    Limits {
        alpha: ALPHA,
        margin: percent(&swap.margin),
        dearer: percent(&swap.dearer),
        longer: percent(&swap.longer),
        cost_ratio,
        cost_scale_nano: scale(beside.old.nano_usd_per_1000),
        length_ratio,
        length_scale: scale(beside.old.output_per_1000),
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
