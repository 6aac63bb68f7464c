//! What the settings ask for when an outlet starts or reads its settings again.

use super::file::{self, Loaded};
use super::{Running, Tallies, step};
use crate::live::Live;
use crate::outlet::Outlet;
use mains_config::{LabelStage, Route};
use mains_distill::serving::{Stage, State, Terms};
use mains_distill::watch::Reason;
use mains_ledger::leaf::{Leaf, ModelAction};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Labellers that were read and checked, and nothing changed by it.
pub(crate) struct Prepared(BTreeMap<String, Running>);

/// Takes up the labellers of the settings at the start. Waits for the disk.
pub(crate) fn start(outlet: &Outlet) -> Result<(), String> {
    let prepared = prepare(outlet, &outlet.live())?;
    enter(outlet, prepared);
    Ok(())
}

/// Reads the labellers of these settings; one that may not serve is an error, and all stays as it is. Waits for the
/// disk.
pub(crate) fn prepare(outlet: &Outlet, live: &Live) -> Result<Prepared, String> {
    let mut all = BTreeMap::new();
    for route in &live.settings.routes {
        let Some(loaded) = file::load(&outlet.labels.folder, route, outlet.verifier())? else { continue };
        let terms = terms(route);
        let state = state(outlet, &loaded, terms)?;
        let running =
            Running { loaded: Arc::new(loaded), terms, state, unsaved: true, tallies: Tallies::default() };
        all.insert(route.model.value.clone(), running);
    }
    Ok(Prepared(all))
}

fn terms(route: &Route) -> Terms {
    let label = route.label.as_ref();
    Terms {
        fixed: label.and_then(|label| match label.stage.value {
            LabelStage::Auto => None,
            LabelStage::Shadow => Some(Stage::Shadow),
            LabelStage::Canary => Some(Stage::Canary),
            LabelStage::Serve => Some(Stage::Serve),
        }),
        share_percent: label.map_or(mains_config::SHARE_PERCENT, |label| label.share_percent.value),
        audit_percent: label.map_or(mains_config::AUDIT_PERCENT, |label| label.audit_percent.value),
    }
}

/// What the store knows of this very file, else the beginning. A row that was erased while nobody served the labeller
/// ends it here.
fn state(outlet: &Outlet, loaded: &Loaded, terms: Terms) -> Result<State, String> {
    let say = |error: mains_store::db::DbError| error.to_string();
    let saved = outlet.db.meta(&step::saved_as(&loaded.route, loaded.hash)).wait().map_err(say)?;
    let mut state = match saved {
        None => State::over(&loaded.certificate, terms).map_err(|why| format!("`{}`: {why}", loaded.target()))?,
        Some(text) => serde_json::from_str(&text).ok().filter(State::is_sound).ok_or_else(|| {
            format!(
                "the store's counts of `{}` cannot be read\nhint: a newer version of this program may have written them; run that one",
                loaded.target()
            )
        })?,
    };
    let ended = outlet.db.meta(&step::ended_as(loaded.hash)).wait().map_err(say)?;
    if let Some(reason) = ended {
        let reason = serde_json::from_str(&reason).unwrap_or(Reason::RowDeleted);
        state.withdraw(reason, outlet.clock.now());
    }
    Ok(state)
}

/// Puts prepared labellers in force. The counts of one whose file is the same go on.
pub(crate) fn enter(outlet: &Outlet, prepared: Prepared) {
    let mut leaves: Vec<Leaf> = Vec::new();
    {
        let mut inner = outlet.labels.inner();
        let mut before = std::mem::replace(&mut *inner, prepared.0);
        for (route, running) in inner.iter_mut() {
            let same = before.get(route).is_some_and(|known| known.loaded.hash == running.loaded.hash);
            if same && let Some(known) = before.remove(route) {
                let withdrawn = running.state.watch.withdrawn.clone();
                (running.state, running.tallies) = (known.state, known.tallies);
                if let Some(withdrawn) = withdrawn {
                    running.state.withdraw(withdrawn.reason, withdrawn.at);
                }
            }
            if running.state.told.is_none() {
                leaves.push(step::leaf(running, ModelAction::Loaded, None));
            }
            leaves.extend(step::tell_stage(running));
        }
        leaves.extend(before.values().map(|gone| step::leaf(gone, ModelAction::Removed, None)));
    }
    step::write(outlet, &leaves);
    step::save_now(outlet);
}
