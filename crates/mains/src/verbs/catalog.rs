//! `mains catalog`: what is known of models, each fact with its source.

use super::estimate::unknown;
use crate::cli::Catalog as Verb;
use crate::print::{self, Ended, Trouble};
use mains_catalog::{
    After, Basis, Catalog, Change, DateKind, Description, Fact, HostDescription, Lifecycle, Price, Statement,
};
use mains_units::PicoUsdPerToken;
use std::fmt::Write as _;
use std::path::Path;

pub(crate) fn run(verb: &Verb) -> Result<Ended, Trouble> {
    match verb {
        Verb::Show { model, host, as_of, overlay, json } => {
            let as_of = super::as_of(as_of.as_deref())?;
            let laid_over = overlay.as_deref().map(with_overlay).transpose()?;
            let catalog = laid_over.as_ref().unwrap_or(Catalog::builtin());
            let mut description = catalog.describe(model, as_of);
            if description.hosts.is_empty() {
                return Err(unknown(None, model, &description.nearest));
            }
            if let Some(host) = host {
                description = at_host(catalog, description, host, model)?;
            }
            if *json {
                let mut document = serde_json::to_value(&description)?;
                document["schema"] = "mains.catalog/1".into();
                document["catalogue"] = catalog.hash().into();
                print::json(&document)?;
            } else {
                print::data(&page(&description, catalog));
            }
            Ok(Ended::Clean)
        }
        Verb::Diff { overlay, json } => diff(overlay, *json),
    }
}

/// What is known at one host, which may spell the model in its own way.
fn at_host<'c>(
    catalog: &'c Catalog,
    mut description: Description<'c>,
    host: &str,
    model: &str,
) -> Result<Description<'c>, Trouble> {
    let id = catalog.host(host).map_or(host, |known| known.id.as_ref());
    if !description.hosts.iter().any(|described| described.host == id)
        && let Some(found) = catalog.lookup(Some(id), model).resolved()
    {
        description = catalog.describe(&found.model.id, description.as_of);
    }
    description.hosts.retain(|described| described.host == id);
    if description.hosts.is_empty() {
        return Err(unknown(Some(host), model, &[]));
    }
    Ok(description)
}

fn with_overlay(path: &Path) -> Result<Catalog, Trouble> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Trouble::new(format!("failed to read `{name}`: {}", print::lowered(&error))))?;
    Catalog::with_overlay(&text, &name).map_err(Trouble::from)
}

fn diff(overlay: &Path, json: bool) -> Result<Ended, Trouble> {
    let changes = mains_catalog::diff(Catalog::builtin(), &with_overlay(overlay)?);
    if json {
        print::json(&serde_json::json!({ "schema": "mains.catalog-diff/1", "changes": changes }))?;
        return Ok(Ended::Clean);
    }
    let name = |statement: &Statement| {
        let id = if statement.id.is_empty() { String::new() } else { format!("/{}", statement.id) };
        format!("{} {}{id}", statement.about, statement.host)
    };
    let mut page = String::new();
    for change in &changes {
        let (sign, title, lines) = match change {
            Change::Added { new } => ("+", name(new), vec![("+", new)]),
            Change::Removed { old } => ("-", name(old), vec![("-", old)]),
            Change::Changed { old, new } => ("~", name(new), vec![("-", old), ("+", new)]),
        };
        let _ = writeln!(page, "{}", print::bold(&format!("{sign} {title}")));
        for (sign, statement) in lines {
            let _ = writeln!(page, "    {sign} {}", statement.value);
        }
    }
    print::data(&page);
    print::say(&print::plural(changes.len() as u64, "change"));
    Ok(Ended::Clean)
}

fn page(description: &Description<'_>, catalog: &Catalog) -> String {
    let mut page = print::bold(description.id);
    let kind = description.hosts.iter().find_map(|host| host.model).map_or("", |model| model.kind.name());
    let owner = description.owner.map_or_else(String::new, |owner| format!(", made by {owner}"));
    let _ = writeln!(
        page,
        "{}{kind}{owner}, as of {}",
        if kind.is_empty() { " " } else { "  " },
        description.as_of
    );
    if let Some(size) = description.parameters {
        let span = |bounds: mains_catalog::Bounds| match (bounds.min, bounds.max) {
            (min, max) if (min - max).abs() < f64::EPSILON => print::short(min),
            (min, max) => format!("{} to {}", print::short(min), print::short(max)),
        };
        let _ = writeln!(
            page,
            "{} billion parameters, {} active ({})",
            span(size.total),
            span(size.active),
            if size.published { "published" } else { "an estimate" },
        );
    }
    page.push('\n');
    let rows = description.hosts.iter().map(|host| {
        let model = host.model;
        let price = model.and_then(|model| model.price.as_ref());
        let context = model.and_then(|model| model.context).map_or_else(|| "-".to_owned(), print::thousands);
        vec![host.host.to_owned(), host.id.to_owned(), state(&host.lifecycle), price_line(price), context]
    });
    page.push_str(&print::table(&["host", "id", "state", "list price", "context"], rows));
    for host in &description.hosts {
        page.push_str(&facts(host));
    }
    page.push_str(&foot(description, catalog));
    page
}

/// The state on the day asked for, with its day.
fn state(lifecycle: &Lifecycle<'_>) -> String {
    match lifecycle {
        Lifecycle::Dying { on, .. } => format!("ends {on}"),
        Lifecycle::Retired { since, .. } => format!("ended {since}"),
        Lifecycle::MayEndAnyDay { not_sooner_than, .. } => format!("may end any day since {not_sooner_than}"),
        other => other.word().to_owned(),
    }
}

/// `$0.15 in, $0.6 out per 1M`, else the first price in another unit.
fn price_line(price: Option<&Price>) -> String {
    let Some(price) = price else { return "not known".to_owned() };
    let dollars = |rate: PicoUsdPerToken| format!("${}", rate.as_usd_per_million());
    let mut parts = Vec::new();
    for (rate, word) in [(price.input, "in"), (price.cached_read, "cached"), (price.output, "out")] {
        parts.extend(rate.map(|rate| format!("{} {word}", dollars(rate))));
    }
    if !parts.is_empty() {
        return format!("{} per 1M", parts.join(", "));
    }
    price.units.first().map_or_else(
        || "not known".to_owned(),
        |unit| format!("${} per {}", print::short(unit.pico_usd as f64 / 1e12), unit.unit.replace('_', " ")),
    )
}

/// The facts about one host's id, the deciding one first, with what follows from them.
fn facts(host: &HostDescription<'_>) -> String {
    let evidence = host.lifecycle.evidence();
    if evidence.fact.is_none() && host.facts.is_empty() {
        return String::new();
    }
    let mut page = format!("\n{}\n", print::bold(&format!("{} at {}", host.id, host.host)));
    match evidence.basis {
        Basis::LastSnapshot { snapshot } => {
            let _ = writeln!(page, "  lives as long as its last snapshot, `{snapshot}`");
        }
        Basis::VendorDate { owner } => {
            let _ = writeln!(
                page,
                "  the date is that of {owner}'s own API; this platform names none and may be later"
            );
        }
        _ => {}
    }
    let others = host.facts.iter().copied().filter(|fact| evidence.fact != Some(*fact));
    for fact in evidence.fact.into_iter().chain(others) {
        let _ = writeln!(page, "  {}", fact_line(fact));
    }
    if let Lifecycle::Dying { after, .. } | Lifecycle::Retired { after, .. } = &host.lifecycle {
        match after {
            After::Fails => page.push_str("  after that day requests fail\n"),
            After::Redirects { to, price_before, price_after } => {
                let (before, now) = (price_line(*price_before), price_line(*price_after));
                let _ = writeln!(page, "  after that day `{to}` answers: {before} becomes {now}");
            }
            After::Unknown => {}
        }
    }
    for step in &host.replacements.steps {
        let to = step
            .to
            .map_or_else(|| format!("\"{}\"", step.recommended), |to| format!("{to} ({})", step.state));
        let _ = writeln!(page, "  replacement of {}: {to}", step.from);
    }
    if !host.replacements.steps.is_empty() && host.replacements.living.is_none() {
        page.push_str("  the chain of replacements ends nowhere\n");
    }
    page
}

fn fact_line(fact: &Fact) -> String {
    let day = fact.shutdown.map_or_else(|| "no day".to_owned(), |day| day.to_string());
    let when = match fact.date_kind {
        DateKind::Exact => format!("ends {day}"),
        DateKind::Earliest => format!("ends {day} at the earliest"),
        DateKind::NotSoonerThan => format!("does not end before {day}"),
        DateKind::NoDate => "its end is announced without a day".to_owned(),
    };
    let announced = fact.announced.map_or_else(String::new, |day| format!(", announced {day}"));
    let version = if fact.version.is_empty() { String::new() } else { format!("version {}: ", fact.version) };
    format!(
        "{version}{when}{announced} [{}, {}, read {}]",
        fact.source,
        fact.confidence.name(),
        fact.source_read
    )
}

/// What the source codes stand for, and what the facts are as a whole.
fn foot(description: &Description<'_>, catalog: &Catalog) -> String {
    let mut page = format!("\n{}\n", print::bold("sources"));
    for source in &description.sources {
        let _ =
            writeln!(page, "  [{}] {}, {}, read {}", source.code, source.name, source.licence, source.read);
    }
    let (hash, day) = (catalog.hash(), catalog.as_read_on());
    let _ = writeln!(page, "\ncatalogue {} of {day}", hash.get(..12).unwrap_or(hash));
    page
}
