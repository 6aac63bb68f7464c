//! Going on, and the end: leaves and the store.

use super::{Running, file};
use crate::outlet::Outlet;
use mains_distill::serving::{Stage, Step};
use mains_distill::watch::Reason;
use mains_ledger::Hash;
use mains_ledger::leaf::{Label, Leaf, Model, ModelAction};
use mains_store::db::{DbError, Pending};

/// Where the store has the counts of a file in a route.
pub(super) fn saved_as(route: &str, file: Hash) -> String {
    format!("label {} {route}", file.to_hex())
}

/// Where the store says that a file may serve nowhere any more.
pub(super) fn ended_as(file: Hash) -> String {
    format!("label.ended {}", file.to_hex())
}

/// Looks at the counts; the leaves of what came of it.
pub(super) fn look(running: &mut Running) -> Vec<Leaf> {
    match running.state.look() {
        None => Vec::new(),
        Some(Step::Stage(stage)) => {
            running.unsaved = true;
            tracing::info!(labeller = running.loaded.target(), stage = stage.word(), "a labeller went on");
            tell_stage(running).into_iter().collect()
        }
        Some(Step::Withdrawn(withdrawn)) => {
            running.unsaved = true;
            tracing::warn!(labeller = running.loaded.target(), reason = %withdrawn.reason, "a labeller was withdrawn");
            vec![leaf(running, ModelAction::Withdrawn, Some(word(&withdrawn.reason)))]
        }
    }
}

/// The leaf of a stage that no leaf told yet.
pub(super) fn tell_stage(running: &mut Running) -> Option<Leaf> {
    let stage = running.state.stage(running.terms);
    if running.state.told == Some(stage) || running.state.watch.withdrawn.is_some() {
        return None;
    }
    running.state.told = Some(stage);
    running.unsaved = true;
    let action = match stage {
        Stage::Shadow => ModelAction::Shadow,
        Stage::Canary => ModelAction::Canary,
        Stage::Serve => ModelAction::Serve,
    };
    let reason = if running.terms.fixed.is_some() { "settings" } else { "evidence" };
    Some(leaf(running, action, Some(reason)))
}

/// Withdraws the labeller of a route at once; whether it was not withdrawn before.
pub(crate) async fn withdraw(outlet: &Outlet, route: &str, reason: Reason) -> Result<bool, String> {
    let leaf = {
        let mut inner = outlet.labels.inner();
        let running = inner.get_mut(route).ok_or_else(|| {
            format!("no labeller stands in the route `{route}`\nhint: `mains distill status` lists them")
        })?;
        end(outlet, running, reason)
    };
    let new = leaf.is_some();
    write(outlet, leaf.as_slice());
    save(outlet).await;
    Ok(new)
}

/// The leaf of an end that is new.
pub(super) fn end(outlet: &Outlet, running: &mut Running, reason: Reason) -> Option<Leaf> {
    if running.state.watch.withdrawn.is_some() {
        return None;
    }
    running.state.withdraw(reason, outlet.clock.now());
    look(running).pop()
}

/// A request's content was erased: labellers that were made from it end, those that stand in a route at once, others
/// when they are read. Reads the folder of labellers.
pub(crate) fn row_erased(outlet: &Outlet, request: &str) {
    let mut leaves = Vec::new();
    for running in outlet.labels.inner().values_mut() {
        if running.loaded.rows.contains(request) {
            leaves.extend(end(outlet, running, Reason::RowDeleted));
        }
    }
    write(outlet, &leaves);
    save_now(outlet);
    for entry in std::fs::read_dir(&outlet.labels.folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(name) = name.strip_suffix(".rows.json") else { continue };
        if !file::rows(&outlet.labels.folder, name).contains(request) {
            continue;
        }
        if let (Ok(bytes), Ok(reason)) = (
            std::fs::read(file::path(&outlet.labels.folder, name)),
            serde_json::to_string(&Reason::RowDeleted),
        ) {
            drop(outlet.db.set_meta(&ended_as(Hash::of_bytes(&bytes)), &reason));
        }
    }
}

/// The leaf of a labeller as it stands.
pub(super) fn leaf(running: &Running, action: ModelAction, reason: Option<&str>) -> Leaf {
    let (loaded, watch) = (&running.loaded, &running.state.watch);
    Leaf::Model(Model {
        action,
        target: label(&loaded.target()),
        route: label(&loaded.route),
        file: loaded.hash,
        certificate: loaded.certificate_hash,
        teacher: label(&loaded.teacher),
        share_percent: running.share_percent(),
        calls: watch.calls,
        local: watch.local,
        differs: watch.differs,
        reason: reason.map(label),
    })
}

/// A reason as leaves name it.
pub(super) fn word(reason: &Reason) -> &'static str {
    match reason {
        Reason::PromiseGone { .. } => "promise_gone",
        Reason::Template => "template",
        Reason::Teacher => "teacher",
        Reason::Fingerprint => "fingerprint",
        Reason::Labels => "labels",
        Reason::Tokenizer => "tokenizer",
        Reason::RowDeleted => "row_deleted",
        Reason::ByHand => "by_hand",
    }
}

fn label(text: &str) -> Label {
    Label::new(text).unwrap_or_else(|_| Label::digest_of(text))
}

pub(super) fn write(outlet: &Outlet, leaves: &[Leaf]) {
    for leaf in leaves {
        outlet.leaf(leaf);
    }
}

/// Hands the counts that changed to the store and waits until it has them.
pub(crate) async fn save(outlet: &Outlet) {
    for pending in unsaved(outlet) {
        told(pending.await);
    }
}

/// The same without a runtime: waits for the disk.
pub(super) fn save_now(outlet: &Outlet) {
    for pending in unsaved(outlet) {
        told(pending.wait());
    }
}

fn told(saved: Result<(), DbError>) {
    if let Err(error) = saved {
        tracing::error!(%error, "the counts of a labeller could not be saved");
    }
}

fn unsaved(outlet: &Outlet) -> Vec<Pending<()>> {
    let mut pending = Vec::new();
    for running in outlet.labels.inner().values_mut().filter(|running| running.unsaved) {
        match serde_json::to_string(&running.state) {
            Ok(text) => {
                running.unsaved = false;
                pending
                    .push(outlet.db.set_meta(&saved_as(&running.loaded.route, running.loaded.hash), &text));
            }
            Err(error) => tracing::error!(%error, "the counts of a labeller could not be written"),
        }
    }
    pending
}
