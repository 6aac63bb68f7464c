//! The plan: a ready `mains.toml` with a route for every model that the code asks for.
//!
//! A route's targets are, in order: the model itself while it lives; else its host's own successor, the same
//! model at another host, a smaller one. Each carries its reason and source as a comment. A local generative
//! model is never one of them by itself: an outage must not turn into wrong answers.

use crate::finding::{Class, Scope};
use crate::report::{Candidate, ModelGroup, Report, detail, price_line};
use mains_catalog::Catalog;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Targets of one route: more only delay the error when everything is down.
const TARGETS_MAX: usize = 4;

/// One target of a route, with the sentence above it.
struct Target {
    upstream: String,
    model: String,
    reason: String,
}

/// The text of a `mains.toml` for what a report found. It holds no secret: keys are named by the variable
/// that holds them. Equal reports give equal bytes.
pub fn plan_toml(report: &Report, catalog: &Catalog) -> String {
    let used: BTreeSet<&str> = report.providers.iter().map(|provider| provider.host.as_str()).collect();
    let planner = Planner { catalog, used };
    let mut routes = String::new();
    let mut upstreams: BTreeSet<String> = BTreeSet::new();
    let mut left_out: Vec<String> = Vec::new();
    for (asked, group) in asked_for(report) {
        let targets = planner.targets(group, &asked);
        if targets.is_empty() {
            let why = match &group.host {
                Some(host) => {
                    format!("the outlet speaks no dialect of `{host}` yet, and no other host is known")
                }
                None => "nothing tells which host answers it".to_owned(),
            };
            left_out.push(format!("`{asked}`: {why}"));
            continue;
        }
        upstreams.extend(targets.iter().map(|target| target.upstream.clone()));
        route(&mut routes, report, group, &asked, &targets);
    }
    let mut out = String::new();
    let _ = writeln!(out, "# Written by `mains scan` for the code as of {}.", report.as_of);
    let _ =
        writeln!(out, "# Catalogue of {}; every target below names its reason.\n", report.catalogue_read_on);
    out.push_str("[serve]\nlisten = \"127.0.0.1:2300\"\ndata = \".mains\"\n");
    for host in &upstreams {
        planner.upstream(&mut out, host);
    }
    out.push_str(&routes);
    if !left_out.is_empty() {
        out.push_str("\n# Left out:\n");
    }
    for line in left_out {
        let _ = writeln!(out, "# - {}", one_line(&line));
    }
    out
}

/// Every name that code that ships asks for, as written there, with its group.
fn asked_for(report: &Report) -> BTreeMap<String, &ModelGroup> {
    let mut asked = BTreeMap::new();
    for group in report.models.iter().filter(|group| group.is_asked_for()) {
        let places = group.places.iter().filter(|at| at.class == Class::Use && at.scope == Scope::Product);
        for at in places {
            // The first group is the worst one; it decides where one name is used at two hosts.
            asked.entry(at.text.clone()).or_insert(group);
        }
    }
    asked
}

struct Planner<'p> {
    catalog: &'p Catalog,
    /// Hosts that the code depends on already.
    used: BTreeSet<&'p str>,
}

impl Planner<'_> {
    fn targets(&self, group: &ModelGroup, asked: &str) -> Vec<Target> {
        let mut targets = Vec::new();
        let own = group.host.as_ref().filter(|host| self.is_reachable(host));
        if let Some(host) = own.filter(|_| group.state != "retired") {
            let reason = match group.state {
                "unknown" => format!("as the code has it; no source knows `{asked}`"),
                "alive" => "the model itself".to_owned(),
                _ => format!("the model itself; {}", detail(group)),
            };
            targets.push(Target { upstream: host.clone(), model: group.id.clone(), reason });
        }
        let mut new_hosts = 0;
        for candidate in &group.substitutes {
            let known =
                self.used.contains(candidate.host.as_str()) || group.host.as_ref() == Some(&candidate.host);
            let may_join = known || (new_hosts == 0 && self.may_be_added(&candidate.host));
            // A smaller model is only a guess at what will do; it must at least surely be there.
            let surely_there = candidate.kind != "smaller" || candidate.listed_by >= 2;
            if !(self.is_reachable(&candidate.host) && may_join && surely_there) {
                continue;
            }
            new_hosts += usize::from(!known);
            let reason = reason_of(candidate);
            targets.push(Target { upstream: candidate.host.clone(), model: candidate.id.clone(), reason });
        }
        if let (true, Some(host)) = (targets.is_empty(), own) {
            let reason =
                format!("{}; no substitute is known, so requests fail as they do today", detail(group));
            targets.push(Target { upstream: host.clone(), model: group.id.clone(), reason });
        }
        targets.truncate(TARGETS_MAX);
        targets
    }

    /// Whether the outlet can dial a host with what the catalogue and the provider records say.
    fn is_reachable(&self, host: &str) -> bool {
        let compatible = |host: &mains_catalog::Host| host.openai_compatible() && !host.base.is_empty();
        match mains_wire::providers::by_name(host) {
            // An account of one's own has an address of its own, which only the code's owner knows.
            Some(_) => host != "azure" || self.used.contains(host),
            None => self.catalog.host(host).is_some_and(compatible),
        }
    }

    /// Whether a plan may add a host that the code does not use yet: one whose models cannot vanish unseen,
    /// because the catalogue follows their ends, and whose key has a known variable.
    fn may_be_added(&self, host: &str) -> bool {
        let has_key =
            self.catalog.host(host).is_some_and(|host| host.key_variables.iter().any(|name| is_key(name)));
        has_key && self.catalog.facts().any(|fact| fact.host == host)
    }

    fn upstream(&self, out: &mut String, host: &str) {
        let known = self.catalog.host(host);
        out.push('\n');
        if !self.used.contains(host) {
            out.push_str("# The code does not use this host yet: it needs an account and a key.\n");
        }
        if host == "google" {
            out.push_str("# Through its interface for OpenAI's dialect: code that speaks `generateContent` must speak OpenAI's\n# or Anthropic's dialect to the outlet.\n");
        }
        let _ = writeln!(out, "[[upstream]]\nname = {0}\nprovider = {0}", quoted(host));
        if host == "azure" {
            out.push_str("# The address of your own resource.\nbase_url = \"https://YOUR-RESOURCE.openai.azure.com\"\n");
        }
        let variable = known.and_then(|host| host.key_variables.iter().find(|name| is_key(name)));
        if let Some(variable) = variable {
            let _ = writeln!(out, "key = {}", quoted(&format!("env:{variable}")));
        }
    }
}

/// Whether a variable holds a key and not an address or a project.
fn is_key(name: &str) -> bool {
    name.contains("KEY") || name.contains("TOKEN")
}

fn reason_of(candidate: &Candidate) -> String {
    let why = match candidate.kind {
        "own-successor" => "the host's own successor",
        "another-host" => "the same model at another host",
        _ => "a smaller model of the same host",
    };
    let mut reason = format!("{why}; {}", price_line(candidate.price.as_ref()));
    if let Some(price) = &candidate.price {
        let _ = write!(reason, " (source {})", price.source);
    }
    if let Some(day) = candidate.ends_on {
        let _ = write!(reason, "; itself ends {day}");
    }
    if let Some(source) = &candidate.source {
        let _ = write!(reason, "; recommended at {source}");
    }
    reason
}

fn route(out: &mut String, report: &Report, group: &ModelGroup, asked: &str, targets: &[Target]) {
    out.push('\n');
    let mut places: Vec<String> = group
        .places
        .iter()
        .filter(|at| at.text == asked && at.scope == Scope::Product && at.class == Class::Use)
        .map(|at| format!("{}:{}", at.file, at.line))
        .collect();
    let more = places.len().saturating_sub(3);
    places.truncate(3);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let _ = writeln!(out, "# Asked for in {}{more}.", one_line(&places.join(", ")));
    let detail = detail(group);
    if !detail.is_empty() && group.state != "alive" {
        let _ = writeln!(out, "# As of {}: {}.", report.as_of, one_line(&detail));
    }
    if !matches!(group.kind, "" | "chat" | "completion" | "embedding") {
        let article = if group.kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "An" } else { "A" };
        let _ =
            writeln!(out, "# {article} {} model: the outlet relays text and embeddings only.", group.kind);
    }
    let _ = writeln!(out, "[[route]]\nmodel = {}\ntargets = [", quoted(asked));
    for target in targets {
        let _ = writeln!(out, "    # {}", one_line(&target.reason));
        let _ = writeln!(out, "    {},", quoted(&format!("{}/{}", target.upstream, target.model)));
    }
    out.push_str("]\n");
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Text that must stay within one comment line.
fn one_line(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
}
