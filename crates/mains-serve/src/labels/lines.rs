//! How labellers stand, in words and numbers: for the operator, the metrics and the page.

use super::{OUT_OF_SCOPE_TOLD, Running, step};
use crate::control::LabelLine;
use crate::outlet::Outlet;

/// Every labeller, by route.
pub(crate) fn all(outlet: &Outlet) -> Vec<LabelLine> {
    outlet.labels.inner().values().map(line).collect()
}

/// One line for the page on the labeller of a route, if one stands there.
pub(crate) fn of_route(outlet: &Outlet, route: &str) -> Option<String> {
    let line = outlet.labels.inner().get(route).map(line)?;
    let name = format!("label/{}", line.labeller);
    if let Some(why) = &line.withdrawn {
        return Some(format!("{name} withdrawn: {why}"));
    }
    let compared = format!("{} compared, {} local, {} differ", line.calls, line.local, line.differs);
    let lost = if line.scope_lost { "; no request in scope any more" } else { "" };
    Some(format!("{name} in {}: answers {} %; {compared}{lost}", line.stage, line.share_percent))
}

fn line(running: &Running) -> LabelLine {
    let Running { loaded, terms, state, tallies, .. } = running;
    let (stage_calls, stage_least) = state.progress();
    let watch = &state.watch;
    LabelLine {
        labeller: loaded.name.clone(),
        route: loaded.route.clone(),
        teacher: loaded.teacher.clone(),
        file: loaded.hash.to_hex(),
        stage: if watch.withdrawn.is_some() { "withdrawn" } else { state.stage(*terms).word() }.into(),
        share_percent: running.share_percent(),
        audit_percent: terms.audit_percent,
        eps_ppm: watch.eps_ppm,
        calls: watch.calls,
        local: watch.local,
        differs: watch.differs,
        stage_calls,
        stage_least,
        log_wealth_milli: watch.log_wealth_milli(),
        withdrawn: watch.withdrawn.as_ref().map(|withdrawn| withdrawn.reason.to_string()),
        withdrawn_because: watch.withdrawn.as_ref().map(|withdrawn| step::word(&withdrawn.reason).into()),
        withdrawn_at: watch.withdrawn.as_ref().map(|withdrawn| withdrawn.at.to_string()),
        requests: tallies.requests,
        in_scope: tallies.in_scope,
        answered: tallies.answered,
        scope_lost: tallies.out_of_scope_in_a_row >= OUT_OF_SCOPE_TOLD,
    }
}
