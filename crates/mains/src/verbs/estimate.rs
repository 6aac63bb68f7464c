//! `mains estimate`: what a call would cost in money, energy, carbon and water.

use crate::cli::Estimate;
use crate::print::{self, Ended, Trouble};
use mains_catalog::{Catalog, Lookup, ModelKind, Resolved};
use mains_meter::estimate::Estimate as Figures;
use mains_meter::footprint::JOULES_PER_KWH;
use mains_meter::{Answer, Footprint, Meter, Step};
use mains_units::{NanoUsd, Range, Usage};
use std::fmt::Write as _;

pub(crate) fn run(arguments: &Estimate) -> Result<Ended, Trouble> {
    let catalog = Catalog::builtin();
    let found = resolve(catalog, arguments.host.as_deref(), &arguments.model)?;
    let (host, model) = (found.host.id.as_ref(), found.model.id.as_ref());
    if let Some(zone) = &arguments.zone
        && catalog.grid(zone).is_none()
    {
        return Err(Trouble::new(format!("no grid zone is called `{zone}`"))
            .hint("zones are countries in three letters (`USA`, `FRA`), or `WOR` for the world's mean"));
    }
    let usage = Usage { input: arguments.input, output: arguments.output, ..Usage::default() };
    let zone = arguments.zone.as_deref();
    let mut one = Meter::new(catalog).explain(&Answer { host, model, usage, latency_s: None, zone });
    if let Some(why) = not_text(found.model.kind) {
        // The method and the class default are about answers of text; of anything else they would lie.
        one.footprint = None;
        one.steps.retain(|step| step.what == "money");
        one.steps.push(Step {
            what: "energy".into(),
            formula: why,
            result: "unknown".into(),
            source: "EcoLogits 0.11.3 describes text".into(),
        });
    }
    let all = Figures {
        money: one.money.map(|money| NanoUsd(money.0.saturating_mul(arguments.requests))),
        footprint: one.footprint.map(|footprint| times(&footprint, arguments.requests as f64)),
        steps: one.steps,
    };
    if arguments.json {
        print::json(&document(arguments, &found, &all))?;
    } else {
        print::data(&page(arguments, &found, &all));
    }
    Ok(Ended::Clean)
}

/// The model that a text means, at that host or at its maker's.
fn resolve<'c>(catalog: &'c Catalog, host: Option<&str>, text: &str) -> Result<Resolved<'c>, Trouble> {
    if let Some(host) = host
        && catalog.host(host).is_none()
    {
        let near = mains_config::closest(host, catalog.hosts().map(|host| host.id.as_ref()));
        let trouble = Trouble::new(format!("the catalogue knows no host `{host}`"));
        return Err(match near {
            Some(near) => trouble.hint(format!("did you mean `{near}`?")),
            None => trouble,
        });
    }
    match catalog.lookup(host, text) {
        Lookup::Resolved(found) => Ok(found),
        Lookup::Several(several) => several.into_iter().next().ok_or_else(|| unknown(host, text, &[])),
        Lookup::Unknown { nearest, .. } => Err(unknown(host, text, &nearest)),
    }
}

/// Trouble about a model that no source knows, with the names that look like it.
pub(super) fn unknown(host: Option<&str>, text: &str, nearest: &[&str]) -> Trouble {
    let place = host.map_or_else(String::new, |host| format!(" at `{host}`"));
    let trouble = Trouble::new(format!("the catalogue knows no model `{text}`{place}"));
    if nearest.is_empty() {
        return trouble.hint("`--overlay FILE` of `mains catalog show` reads facts of your own");
    }
    let names: Vec<String> = nearest.iter().map(|name| format!("`{name}`")).collect();
    trouble.hint(format!("did you mean {}?", names.join(", ")))
}

fn not_text(kind: ModelKind) -> Option<String> {
    match kind {
        ModelKind::Chat | ModelKind::Completion | ModelKind::Unknown => None,
        other => {
            Some(format!("this is a model of kind `{}`: no method here counts it by tokens", other.name()))
        }
    }
}

fn times(one: &Footprint, count: f64) -> Footprint {
    Footprint {
        energy_j: one.energy_j.scaled(count),
        co2_g: one.co2_g.scaled(count),
        water_l: one.water_l.scaled(count),
        grade: one.grade,
    }
}

fn document(arguments: &Estimate, found: &Resolved<'_>, all: &Figures) -> serde_json::Value {
    let mut document = serde_json::json!({
        "schema": "mains.estimate/1",
        "host": found.host.id,
        "model": found.model.id,
        "host_is_certain": found.host_is_certain(),
        "input_tokens": arguments.input,
        "output_tokens": arguments.output,
        "requests": arguments.requests,
        "cost_nano_usd": all.money.map(|money| money.0.to_string()),
        "footprint": all.footprint,
        "catalogue": Catalog::builtin().hash(),
    });
    if arguments.explain {
        document["steps"] = serde_json::json!(all.steps);
    }
    document
}

fn page(arguments: &Estimate, found: &Resolved<'_>, all: &Figures) -> String {
    let mut page = print::bold(&format!("{} at {}", found.model.id, found.host.id));
    let tokens = |count: u64| print::plural(count, "token");
    let _ = writeln!(
        page,
        "\n{} of {} in and {} out{}\n",
        print::plural(arguments.requests, "request"),
        tokens(arguments.input),
        tokens(arguments.output),
        if found.host_is_certain() { "" } else { "; `--host` names another host" },
    );
    let unknown = || ["unknown".to_owned(), String::new(), String::new()];
    let row = |name: &str, cells: [String; 3]| {
        let [central, range, grade] = cells;
        vec![name.to_owned(), central, range, grade]
    };
    let money =
        all.money.map_or_else(unknown, |money| [money.to_string(), "list price".into(), String::new()]);
    let physical = |pick: fn(&Footprint) -> Range, unit: fn(f64) -> (f64, &'static str)| {
        all.footprint.as_ref().map_or_else(unknown, |footprint| {
            let range = pick(footprint);
            let (factor, name) = unit(range.central);
            let value = |value: f64| print::short(value * factor);
            let spread = format!("{} to {} {name}", value(range.low), value(range.high));
            [format!("{} {name}", value(range.central)), spread, footprint.grade.to_string()]
        })
    };
    let rows = [
        row("money", money),
        row("energy", physical(|footprint| footprint.energy_j, energy_unit)),
        row("carbon", physical(|footprint| footprint.co2_g, carbon_unit)),
        row("water", physical(|footprint| footprint.water_l, water_unit)),
    ];
    page.push_str(&print::table(&["", "central", "range", "grade"], rows));
    if let (false, Some(why)) = (arguments.explain, not_text(found.model.kind)) {
        let _ = writeln!(page, "\n{why}");
    }
    if arguments.explain {
        page.push_str(&explained(&all.steps, arguments.requests));
    }
    page
}

/// Joules in a unit that fits their size.
fn energy_unit(joules: f64) -> (f64, &'static str) {
    match joules {
        j if j >= JOULES_PER_KWH => (1.0 / JOULES_PER_KWH, "kWh"),
        j if j >= 3_600.0 => (1.0 / 3_600.0, "Wh"),
        _ => (1.0, "J"),
    }
}

fn carbon_unit(grams: f64) -> (f64, &'static str) {
    match grams {
        g if g >= 1_000.0 => (1e-3, "kgCO2e"),
        g if g >= 0.1 => (1.0, "gCO2e"),
        _ => (1e3, "mgCO2e"),
    }
}

fn water_unit(litres: f64) -> (f64, &'static str) {
    if litres >= 1.0 { (1.0, "L") } else { (1e3, "mL") }
}

/// Every step with its numbers and its source.
fn explained(steps: &[Step], requests: u64) -> String {
    let mut page = String::new();
    let _ = writeln!(page, "\n{}", print::bold("how one request is counted"));
    let widest = steps.iter().map(|step| step.what.chars().count()).max().unwrap_or(0);
    for step in steps {
        let _ = writeln!(page, "{:widest$}  {}", step.what, print::bold(&step.result));
        let _ = writeln!(page, "{:widest$}  = {}", "", step.formula);
        let known = Catalog::builtin().source(&step.source);
        let source = known
            .map_or_else(|| step.source.clone(), |source| format!("{}, read {}", source.name, source.read));
        let _ = writeln!(page, "{:widest$}  source: {source}", "");
    }
    if requests > 1 {
        let _ = writeln!(page, "times {} requests", print::thousands(requests));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_fit_the_size() {
        assert_eq!(energy_unit(36.0).1, "J");
        assert_eq!(energy_unit(36_000.0).1, "Wh");
        assert_eq!(energy_unit(3.6e7).1, "kWh");
        assert_eq!(carbon_unit(0.01), (1e3, "mgCO2e"));
        assert_eq!(water_unit(2.0).1, "L");
    }
}
