//! The report as a page for a terminal.

use super::build::days_in_words;
use super::{At, Candidate, Effect, EndpointGroup, ModelGroup, Report, money};
use crate::finding::{Confidence, Scope};
use std::fmt::Write as _;

/// How the page is dressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to use colour; every word stays readable without.
    pub colour: bool,
    /// The width of the page in characters; at least 40.
    pub width: usize,
    /// How many places of one model are shown before "and n more".
    pub places: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { colour: false, width: 100, places: 4 }
    }
}

const BOLD: &str = "1";
const RED: &str = "1;31";
const YELLOW: &str = "33";
const GREEN: &str = "32";
const DIM: &str = "2";

struct Page<'s> {
    style: &'s Style,
    out: String,
}

impl Report {
    /// The report for people, worst first.
    pub fn to_text(&self, style: &Style) -> String {
        let mut page = Page { style, out: String::new() };
        page.headline(self);
        for group in self.models.iter().filter(|group| group.is_asked_for()) {
            page.model(group);
        }
        for group in &self.endpoints {
            page.endpoint(group);
        }
        page.elsewhere(self);
        page.foot(self);
        page.out
    }
}

impl Page<'_> {
    fn paint(&self, code: &str, text: &str) -> String {
        if self.style.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// One line, cut at the width of the page.
    fn line(&mut self, code: &str, text: &str) {
        let width = self.style.width.max(40);
        let cut: String = if text.chars().count() > width {
            text.chars().take(width - 1).chain(['…']).collect()
        } else {
            text.to_owned()
        };
        let cut = cut.trim_end();
        let painted = if code.is_empty() { cut.to_owned() } else { self.paint(code, cut) };
        self.out.push_str(&painted);
        self.out.push('\n');
    }

    fn headline(&mut self, report: &Report) {
        let asked = report.models.iter().filter(|group| group.is_asked_for());
        let count = |state: &str| asked.clone().filter(|group| group.state == state).count();
        let (dead, dying) = (count("retired"), count("dying"));
        let dead_paths = report.endpoints.iter().filter(|group| group.gated).count();
        let total = asked.clone().count();
        let verdict = if report.walked.files == 0 {
            "0 files were read: this says nothing about the code".to_owned()
        } else if total == 0 && report.endpoints.is_empty() {
            "no model is asked for".to_owned()
        } else {
            let mut words = vec![format!("{} asked for", plural(total, "model"))];
            words.push(format!("{dead} dead"));
            words.push(format!("{dying} dying"));
            if dead_paths > 0 {
                words.push(format!("{} ended or ending", plural(dead_paths, "endpoint")));
            }
            words.join(", ")
        };
        let colour = if dead + dead_paths > 0 {
            RED
        } else if dying > 0 {
            YELLOW
        } else {
            GREEN
        };
        self.line(colour, &verdict);
        let walked = &report.walked;
        let scale = format!(
            "{} read, {:.1} MB, as of {}; catalogue of {}",
            plural(usize::try_from(walked.files).unwrap_or(usize::MAX), "file"),
            walked.bytes as f64 / 1e6,
            report.as_of,
            report.catalogue_read_on
        );
        self.line(DIM, &scale);
    }

    fn model(&mut self, group: &ModelGroup) {
        self.out.push('\n');
        let (word, code) = verdict(group);
        let kind = if group.kind.is_empty() { String::new() } else { format!(" ({})", group.kind) };
        self.line(code, &format!("{word:<9} {}{kind}", group.name()));
        let detail = detail(group);
        if !detail.is_empty() {
            self.line("", &format!("          {detail}"));
        }
        self.places(&group.places);
        if !group.others.is_empty() {
            let others: Vec<String> = group
                .others
                .iter()
                .map(|other| format!("{} {}", other.host, super::build::day_or_dash(other.shutdown)))
                .collect();
            self.line(DIM, &format!("          other dates: {}", others.join(", ")));
        }
        if !group.nearest.is_empty() {
            self.line("", &format!("          did you mean: {}", group.nearest.join(", ")));
        }
        if matches!(group.state, "retired" | "dying" | "deprecated" | "may-end-any-day") {
            self.substitutes(group);
        }
    }

    fn places(&mut self, places: &[At]) {
        let shipped: Vec<&At> = places.iter().filter(|at| at.scope == Scope::Product).collect();
        for at in shipped.iter().take(self.style.places) {
            let doubt = match at.confidence {
                Confidence::High => "",
                Confidence::Medium => ", fairly sure",
                Confidence::Low => ", not sure",
            };
            let ignored =
                at.ignored.as_ref().map_or_else(String::new, |reason| format!(" [ignored: {reason}]"));
            let text = format!("          {}:{}:{}  {}{doubt}{ignored}", at.file, at.line, at.column, at.why);
            self.line("", &text);
        }
        let more = shipped.len().saturating_sub(self.style.places);
        let aside = places.len() - shipped.len();
        let mut rest = Vec::new();
        if more > 0 {
            rest.push(format!("and {}", plural(more, "more place")));
        }
        if aside > 0 {
            rest.push(format!("{} in tests or examples", plural(aside, "place")));
        }
        if !rest.is_empty() {
            self.line(DIM, &format!("          {}", rest.join("; ")));
        }
    }

    fn substitutes(&mut self, group: &ModelGroup) {
        if group.substitutes.is_empty() {
            self.line("", "          substitutes: none that the catalogue knows");
            return;
        }
        let now = format!("          now  {}", money::line(group.price.as_ref()));
        let now = with_energy(now, group.energy.as_ref());
        self.line(DIM, &now);
        let widest =
            group.substitutes.iter().map(|c| c.host.len() + c.id.len() + 1).max().unwrap_or(0).min(48);
        for candidate in &group.substitutes {
            let line = substitute_line(candidate, widest);
            self.line("", &line);
        }
    }

    fn endpoint(&mut self, group: &EndpointGroup) {
        self.out.push('\n');
        let (word, code) = match group.days_left {
            Some(days) if days <= 0 => ("DEAD", RED),
            Some(_) => ("DYING", YELLOW),
            None => ("OLD", YELLOW),
        };
        let host = group.host.as_ref().map_or_else(String::new, |host| format!("{host} "));
        self.line(code, &format!("{word:<9} {host}{}", group.name));
        let mut words = Vec::new();
        if let (Some(day), Some(days)) = (group.ends_on, group.days_left) {
            let verb = if days <= 0 { "ended" } else { "ends" };
            words.push(format!("{verb} {day} ({})", days_in_words(days)));
        }
        if !group.instead.is_empty() {
            words.push(format!("instead: {}", group.instead));
        }
        if !words.is_empty() {
            self.line("", &format!("          {}", words.join("; ")));
        }
        self.places(&group.places);
    }

    fn elsewhere(&mut self, report: &Report) {
        let aside = report.models.iter().filter(|group| !group.is_asked_for());
        let dead: Vec<String> =
            aside.filter(|group| group.state == "retired").map(ModelGroup::name).collect();
        if !report.lists.is_empty() || !dead.is_empty() || !report.providers.is_empty() {
            self.out.push('\n');
        }
        for list in &report.lists {
            let text = format!(
                "LIST      {}:{} offers {}, {} dead, {} dying",
                list.file,
                list.line,
                plural(list.models, "model"),
                list.retired.len(),
                list.retiring.len()
            );
            self.line("", &text);
        }
        if !dead.is_empty() {
            let text = format!("tests and examples also ask for dead models: {}", dead.join(", "));
            self.line(DIM, &text);
        }
        for provider in &report.providers {
            let signs: Vec<&str> = provider.signs.keys().map(String::as_str).collect();
            let text = format!(
                "provider  {} in {}: {}",
                provider.host,
                plural(provider.files, "file"),
                signs.join(", ")
            );
            self.line(DIM, &text);
        }
    }

    fn foot(&mut self, report: &Report) {
        self.out.push('\n');
        let skipped: u64 = report.walked.skipped.values().sum();
        if skipped > 0 {
            let reasons: Vec<String> =
                report.walked.skipped.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
            self.line(DIM, &format!("left out: {}", reasons.join(", ")));
        }
        for unread in report.walked.unread.iter().take(10) {
            self.line(YELLOW, &format!("not read: {} ({})", unread.path, unread.reason));
        }
        let more = report.walked.unread.len().saturating_sub(10);
        if more > 0 {
            self.line(YELLOW, &format!("not read: {}", plural(more, "more file")));
        }
        for malformed in &report.malformed_ignores {
            let text =
                format!("ignore not honoured: {}:{}: {}", malformed.file, malformed.line, malformed.problem);
            self.line(YELLOW, &text);
        }
        let spoken: usize = report.mentions.iter().map(|mention| mention.places).sum();
        if spoken > 0 {
            let text = format!(
                "{} only spoken of, in {}; names built at run time cannot be seen",
                plural(report.mentions.len(), "model"),
                plural(spoken, "place")
            );
            self.line(DIM, &text);
        }
        let text = match report.gated {
            0 => format!("nothing that the code asks for dies within {} days", report.horizon_days),
            gated => format!("{} to act on within {} days", plural(gated, "finding"), report.horizon_days),
        };
        self.line(BOLD, &text);
    }
}

fn verdict(group: &ModelGroup) -> (&'static str, &'static str) {
    match group.state {
        "retired" => ("DEAD", RED),
        "dying" => ("DYING", YELLOW),
        "deprecated" => ("LEAVING", YELLOW),
        "may-end-any-day" => ("ANY DAY", YELLOW),
        "alive" => ("alive", GREEN),
        _ => ("unknown", DIM),
    }
}

/// What is known of the end, in one line.
pub(crate) fn detail(group: &ModelGroup) -> String {
    let mut words = Vec::new();
    match (group.state, group.ends_on, group.days_left) {
        ("retired", Some(day), Some(days)) => words.push(format!("ended {day} ({})", days_in_words(days))),
        ("dying", Some(day), Some(days)) => words.push(format!("ends {day} ({})", days_in_words(days))),
        ("may-end-any-day", Some(day), _) => {
            words.push(format!("promised until {day}; may end any day, no date announced"));
        }
        ("deprecated", ..) => words.push("its end is announced without a day".to_owned()),
        ("unknown", ..) => words.push("no source knows this name".to_owned()),
        _ => {}
    }
    match &group.effect {
        Some(Effect::Fails) => words.push("then requests fail".to_owned()),
        Some(Effect::Redirects { to, price_before, price_after }) => {
            let mut text = format!("then `{to}` answers");
            if price_before.is_some() && price_after.is_some() {
                let _ = write!(
                    text,
                    ", at {} instead of {}",
                    money::line(price_after.as_ref()),
                    money::line(price_before.as_ref())
                );
            }
            words.push(text);
        }
        Some(Effect::Unknown) | None => {}
    }
    if let Some(source) = &group.source {
        words.push(format!("{} read {}", short_source(&source.source), source.read));
    }
    let doubtful = group.basis.contains("platform")
        || group.basis.contains("snapshot")
        || group.basis.contains("nothing names");
    if doubtful {
        words.push(group.basis.clone());
    }
    words.join("; ")
}

/// An address without its scheme and what follows the host's first folder.
fn short_source(source: &str) -> String {
    let bare = source.split_once("://").map_or(source, |(_, rest)| rest);
    bare.split('/').next().unwrap_or(bare).to_owned()
}

fn with_energy(mut line: String, energy: Option<&super::Energy>) -> String {
    if energy.is_some() {
        let _ = write!(line, "; {}", money::energy_line(energy));
    }
    line
}

fn substitute_line(candidate: &Candidate, widest: usize) -> String {
    let why = match candidate.kind {
        "own-successor" => "successor",
        "another-host" => "elsewhere",
        other => other,
    };
    let name = format!("{}/{}", candidate.host, candidate.id);
    let mut line = format!("     -> {why:<9} {name:<widest$}  {}", money::line(candidate.price.as_ref()));
    if let Some(day) = candidate.ends_on {
        let _ = write!(line, ", itself ends {day}");
    }
    with_energy(line, candidate.energy.as_ref())
}

/// `1 file`, `2 files`.
pub(super) fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}
