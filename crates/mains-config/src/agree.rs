//! `agree` of a route: two cheap models that are asked before its targets.

use crate::entries::{known_upstream, target};
use crate::problem::{Problem, SourceSpan};
use crate::reader::{Reader, Section};
use crate::settings::{Route, Upstream, WeightedTarget};
use crate::value::{Scalar, Setting};
use crate::words::Target;
use toml::Spanned;
use toml::de::DeValue;

const HINT: &str =
    "write `agree = [\"groq/small\", \"mistral/small\"]`: two models that are asked before the targets";

/// A list of two targets, if it is there.
pub(crate) fn agree(section: &mut Section<'_, '_>) -> Option<[Setting<Target>; 2]> {
    let (span, value) = section.raw("agree")?;
    let items: &[Spanned<DeValue<'_>>] = match value {
        DeValue::Array(items) if items.len() == 2 => items,
        _ => {
            section.reader.report(Problem::at(span, "`agree` must be a list of two targets").hint(HINT));
            return None;
        }
    };
    let pair: Vec<Setting<Target>> = items.iter().filter_map(|item| target("agree", section, item)).collect();
    let shown: Vec<String> = pair.iter().map(|target| target.value.show()).collect();
    let origin = section.origin(span);
    section.show("agree", format!("[{}]", shown.join(", ")), origin);
    pair.try_into().ok()
}

/// Two different models, none of them a labeller or among the targets, at upstreams that are there; and no switch, which
/// compares what the targets answer to all requests.
pub(crate) fn check(reader: &mut Reader<'_>, route: &Route, upstreams: &[Upstream]) {
    let Some(pair) = &route.agree else { return };
    let at = |setting: &Setting<Target>| -> SourceSpan { setting.span().unwrap_or(route.span) };
    for one in pair {
        if matches!(one.value, Target::Label(_)) {
            let problem = Problem::at(at(one), "a labeller cannot be one of two models that must agree");
            reader.report(
                problem.hint("put it first among the `targets`: it knows by itself when it is unsure"),
            );
        }
        if route.targets.iter().flatten().any(|known| known.target.value == one.value) {
            let problem = Problem::at(at(one), "this model stands in `agree` and among the `targets`");
            reader.report(problem.hint("whoever answers where the two do not agree must be another one"));
        }
        known_upstream(reader, one, upstreams);
    }
    let [first, second] = pair;
    if first.value == second.value {
        reader.report(Problem::at(at(second), "a model always agrees with itself").hint(HINT));
    }
    let labeller = |known: &&WeightedTarget| matches!(known.target.value, Target::Label(_));
    if let Some(labeller) = route.targets.iter().flatten().find(labeller) {
        let problem = Problem::at(at(&labeller.target), "a route has `agree` or a labeller, not both");
        reader.report(problem.hint("a labeller answers before anybody is asked: take `agree` out"));
    }
    if route.swap.is_some() {
        let problem = Problem::at(at(first), "a route with `agree` cannot have a switch under way");
        reader.report(problem.hint("finish or cancel the switch first, or take `agree` out for its time"));
    }
}
