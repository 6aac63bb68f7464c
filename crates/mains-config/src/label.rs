//! `[route.label]`: how much of a route a labeller answers itself, where one stands before its teacher.

use crate::problem::{Problem, SourceSpan};
use crate::reader::{Reader, Section};
use crate::settings::Route;
use crate::value::{Setting, quoted_code};
use crate::words::{LabelStage, Target};

/// `[route.label]`: everything in it is optional.
#[derive(Debug, Clone)]
pub struct RouteLabel {
    /// `auto` by default: shadow, canary and serve by evidence.
    pub stage: Setting<LabelStage>,
    /// Of the requests that the labeller may answer, those that it answers in the stage `canary`; 10 by default.
    pub share_percent: Setting<u64>,
    /// Those that go to the teacher for ever, though the labeller would answer; 1 by default.
    pub audit_percent: Setting<u64>,
    /// Whose signature is trusted beside the outlet's own: a public key as `ledger.pub` has it.
    pub key: Option<Setting<String>>,
    /// Where its header stands.
    pub span: SourceSpan,
}

/// The share that a canary answers where none is named, in percent.
pub const SHARE_PERCENT: u64 = 10;
/// The share that is audited where none is named, in percent.
pub const AUDIT_PERCENT: u64 = 1;

/// Reads the table where it is there.
pub(crate) fn label(section: &mut Section<'_, '_>) -> Option<RouteLabel> {
    if !section.is_there() {
        return None;
    }
    let label = RouteLabel {
        stage: section.value_or("stage", LabelStage::Auto),
        share_percent: section.count_or("share_percent", SHARE_PERCENT, 1..=100),
        audit_percent: section.count_or("audit_percent", AUDIT_PERCENT, 1..=100),
        key: section.value("key"),
        span: section.span(),
    };
    section.finish();
    Some(label)
}

/// What must hold between a labeller and the other targets: one at most, first, alone in its place, and its teacher
/// next.
pub(crate) fn check(reader: &mut Reader<'_>, route: &Route) {
    let named: Vec<_> = route
        .targets
        .iter()
        .enumerate()
        .flat_map(|(place, pool)| pool.iter().map(move |member| (place, pool.len(), member)))
        .filter(|(_, _, member)| matches!(member.target.value, Target::Label(_)))
        .collect();
    let Some((place, width, first)) = named.first() else {
        if let Some(label) = &route.label {
            let problem = Problem::at(label.span, "`[route.label]` without a labeller among the `targets`");
            reader.report(
                problem.hint("put `label/NAME` before the model that taught it, or take the table out"),
            );
        }
        return;
    };
    let name = quoted_code(&first.target.value.to_string());
    let at = first.target.span().unwrap_or(route.span);
    let teacher = route.targets.get(place + 1).filter(|pool| pool.len() == 1).and_then(|pool| pool.first());
    let hint = "write `targets = [\"label/NAME\", \"UPSTREAM/TEACHER\"]`";
    if let Some((_, _, second)) = named.get(1) {
        let message = "a route has one labeller at most";
        reader.report(Problem::at(second.target.span().unwrap_or(route.span), message).hint(hint));
    } else if *width > 1 || *place > 0 {
        let message = format!("{name} must be the first target, and not in a pool");
        reader.report(Problem::at(at, message).hint(hint));
    } else if teacher.is_none() {
        let message = format!("{name} must be followed by the one model that taught it");
        reader.report(Problem::at(at, message).hint(hint));
    } else if let (Some(swap), Some(teacher)) = (&route.swap, teacher)
        && swap.from.value == teacher.target.value
    {
        let message = format!("{name} stands before its teacher, which is to be replaced");
        let hint = "take the labeller out until it was taught by the replacement";
        reader.report(Problem::at(at, message).hint(hint));
    }
}
