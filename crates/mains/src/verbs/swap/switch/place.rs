//! Which route a report is about, and which targets its models are there.

use crate::print::Trouble;
use mains_config::{Route, Settings, Target, closest};
use mains_swap::report::About;

/// Where a switch belongs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The model of the route.
    pub(super) route: String,
    pub(super) from: Target,
    pub(super) to: Target,
}

/// The route that was named; else the one that the report names, or that has the old target alone.
pub(super) fn find(settings: &Settings, about: &About, named: Option<&str>) -> Result<Place, Trouble> {
    let (from, to) = (target(settings, &about.old)?, target(settings, &about.new)?);
    if from == to {
        return Err(Trouble::new(format!("both models of the report are {from} in this configuration"))
            .hint("a switch needs two targets: test again with `--from` and `--to` as `upstream/model`"));
    }
    let route = match named {
        Some(named) => {
            let route = settings.route(named).ok_or_else(|| no_route(settings, named))?;
            if !has(route, &from) {
                return Err(Trouble::new(format!("the route `{named}` has no target {from}"))
                    .hint(format!("it has {}", targets(route))));
            }
            route
        }
        None => only(settings, about, &from)?,
    };
    Ok(Place { route: route.model.value.clone(), from, to })
}

fn only<'s>(settings: &'s Settings, about: &About, from: &Target) -> Result<&'s Route, Trouble> {
    let of_report = [&about.route, &about.old].into_iter().find_map(|name| settings.route(name));
    if let Some(route) = of_report.filter(|route| has(route, from)) {
        return Ok(route);
    }
    let having: Vec<&Route> = settings.routes.iter().filter(|route| has(route, from)).collect();
    match having.as_slice() {
        [only] => Ok(only),
        [] => Err(Trouble::new(format!("no route has the target {from}"))
            .hint("only what answers now can be replaced; `mains config show` prints the routes")),
        many => Err(Trouble::new(format!("{} routes have the target {from}", many.len()))
            .hint(format!("name one with `--route`: {}", list(many.iter().map(|route| &route.model.value))))),
    }
}

/// The route that is in a switch, and its old target: the one that was named, else the only one.
pub(super) fn switched(settings: &Settings, named: Option<&str>) -> Result<(String, Target), Trouble> {
    if let Some(named) = named {
        settings.route(named).ok_or_else(|| no_route(settings, named))?;
    }
    let all = settings.routes.iter().filter_map(|route| Some((&route.model.value, route.swap.as_ref()?)));
    let wanted: Vec<_> = all.filter(|(model, _)| named.is_none_or(|named| named == *model)).collect();
    match wanted.as_slice() {
        [(model, swap)] => Ok(((*model).clone(), swap.from.value.clone())),
        [] => Err(Trouble::new(named.map_or_else(
            || "no route of the file is in a switch".to_owned(),
            |named| format!("the route `{named}` is in no switch"),
        ))
        .hint("`mains swap switch REPORT` begins one")),
        many => Err(Trouble::new(format!("{} routes are in a switch", many.len()))
            .hint(format!("name one with `--route`: {}", list(many.iter().map(|(model, _)| *model))))),
    }
}

/// The target behind a name of a report: itself, where its upstream is here, or the first of the route of that name.
fn target(settings: &Settings, name: &str) -> Result<Target, Trouble> {
    let parsed = Target::parse(name).filter(|target| match target {
        Target::Model { upstream, .. } => settings.upstream(upstream).is_some(),
        Target::Label(_) => true,
    });
    let of_route = || Some(settings.route(name)?.targets.first()?.first()?.target.value.clone());
    parsed.or_else(of_route).ok_or_else(|| {
        Trouble::new(format!("the report's `{name}` is neither a target nor a route of this configuration"))
            .hint("add its upstream first, or name the configuration of the outlet that was tested with `--config`")
    })
}

fn has(route: &Route, target: &Target) -> bool {
    route.targets.iter().flatten().any(|weighted| weighted.target.value == *target)
}

fn targets(route: &Route) -> String {
    list(route.targets.iter().flatten().map(|weighted| &weighted.target.value))
}

fn no_route(settings: &Settings, named: &str) -> Trouble {
    let models = || settings.routes.iter().map(|route| route.model.value.as_str());
    let hint = closest(named, models())
        .map_or_else(|| format!("there are {}", list(models())), |near| format!("did you mean `{near}`?"));
    Trouble::new(format!("no route has the model `{named}`")).hint(hint)
}

fn list<T: std::fmt::Display>(names: impl Iterator<Item = T>) -> String {
    names.take(12).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "[[upstream]]\nname = \"openai\"\nprovider = \"openai\"\n\
        [[route]]\nmodel = \"chat\"\ntargets = [\"openai/gpt-4o\", \"openai/o3\"]\n\
        [[route]]\nmodel = \"search\"\ntargets = [[[\"openai/gpt-4o\", 2], [\"openai/gpt-4.1\", 1]]]\n\
        [[route]]\nmodel = \"mini\"\ntargets = [\"openai/gpt-4.1-mini\"]\n";

    fn found(old: &str, new: &str, route: &str, named: Option<&str>) -> Result<String, String> {
        let settings = mains_config::parse(FILE, "x").unwrap();
        let about = About { old: old.into(), new: new.into(), route: route.into(), ..About::default() };
        let place = find(&settings, &about, named).map_err(|trouble| trouble.text())?;
        Ok(format!("{}: {} -> {}", place.route, place.from, place.to))
    }

    #[test]
    fn the_route_is_the_named_one_the_reports_or_the_only_one() {
        let (old, new) = ("openai/gpt-4o", "openai/gpt-4.1-nano");
        let to = "openai/gpt-4o -> openai/gpt-4.1-nano";
        assert_eq!(found(old, new, "", Some("search")), Ok(format!("search: {to}")));
        assert_eq!(found(old, new, "chat", None), Ok(format!("chat: {to}")));
        assert_eq!(found(old, new, "chat", Some("search")), Ok(format!("search: {to}")));
        assert_eq!(
            found("openai/o3", new, "requests.jsonl", None).unwrap(),
            "chat: openai/o3 -> openai/gpt-4.1-nano"
        );
        // Names of routes stand for their first targets.
        assert_eq!(
            found("chat", "mini", "r.jsonl", None).unwrap(),
            "chat: openai/gpt-4o -> openai/gpt-4.1-mini"
        );
    }

    #[test]
    fn what_cannot_be_told_is_asked_for() {
        let new = "openai/gpt-4.1-nano";
        let said = |old: &str, new: &str, named: Option<&str>| found(old, new, "r.jsonl", named).unwrap_err();
        assert_eq!(
            said("openai/gpt-4o", new, None),
            "2 routes have the target openai/gpt-4o\nhint: name one with `--route`: `chat`, `search`"
        );
        assert!(said("openai/x", new, None).starts_with("no route has the target openai/x"));
        assert!(said("office/x", new, None).contains("`office/x` is neither a target nor a route"));
        assert!(said("openai/o3", "chat2", None).contains("`chat2` is neither"));
        assert!(said("openai/gpt-4o", "chat", None).contains("both models"));
        assert!(said("openai/o3", new, Some("search")).contains("it has `openai/gpt-4o`, `openai/gpt-4.1`"));
        assert!(said("openai/o3", new, Some("serch")).contains("did you mean `search`?"));
    }

    #[test]
    fn the_switch_is_the_named_one_or_the_only_one() {
        let table = |from: &str| {
            format!(
                "[route.swap]\nfrom = \"{from}\"\nto = \"openai/new\"\nreport = \"{}\"\n",
                "ab".repeat(32)
            )
        };
        let parse = |text: &str| mains_config::parse(text, "x").unwrap_or_else(|errors| panic!("{errors}"));
        let one = parse(&format!("{FILE}{}", table("openai/gpt-4.1-mini")));
        let mini = ("mini".to_owned(), Target::parse("openai/gpt-4.1-mini").unwrap());
        assert_eq!(switched(&one, None).ok(), Some(mini.clone()));
        assert_eq!(switched(&one, Some("mini")).ok(), Some(mini));
        assert!(switched(&one, Some("chat")).unwrap_err().text().contains("`chat` is in no switch"));
        assert!(switched(&parse(FILE), None).unwrap_err().text().contains("no route of the file"));
        let two = FILE.replacen(
            "[[route]]\nmodel = \"search\"",
            &format!("{}[[route]]\nmodel = \"search\"", table("openai/o3")),
            1,
        );
        let two = parse(&format!("{two}{}", table("openai/gpt-4.1-mini")));
        assert!(switched(&two, None).unwrap_err().text().contains("`--route`: `chat`, `mini`"));
    }
}
