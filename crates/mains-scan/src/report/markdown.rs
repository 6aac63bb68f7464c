//! The report as Markdown, for a pull request or a wiki.

use super::text::{detail, plural};
use super::{At, ModelGroup, Report, money};
use std::fmt::Write as _;

/// Places of one model that are listed.
const PLACES_MAX: usize = 20;

impl Report {
    /// Markdown: a table of everything asked for, then a section for each model that needs a decision.
    pub fn to_markdown(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "# AI dependencies as of {}\n", self.as_of);
        let _ = writeln!(
            out,
            "{} read ({:.1} MB). {} to act on within {} days. Catalogue of {}.\n",
            plural(usize::try_from(self.walked.files).unwrap_or(usize::MAX), "file"),
            self.walked.bytes as f64 / 1e6,
            plural(self.gated, "finding"),
            self.horizon_days,
            self.catalogue_read_on
        );
        let asked: Vec<&ModelGroup> = self.models.iter().filter(|group| group.is_asked_for()).collect();
        if !asked.is_empty() {
            out.push_str("| state | model | ends | places | price |\n|---|---|---|---|---|\n");
        }
        for group in &asked {
            let _ = writeln!(
                out,
                "| {} | `{}` | {} | {} | {} |",
                group.state,
                escape(&group.name()),
                super::build::day_or_dash(group.ends_on),
                group.places.len(),
                money::line(group.price.as_ref())
            );
        }
        for group in asked.iter().filter(|group| !matches!(group.state, "alive")) {
            section(&mut out, group);
        }
        if !self.endpoints.is_empty() {
            out.push_str("\n## Paths and calls that end\n\n");
        }
        for group in &self.endpoints {
            let host = group.host.as_ref().map_or_else(String::new, |host| format!("{host} "));
            let _ = writeln!(
                out,
                "- {host}`{}`: ends {}{}",
                escape(&group.name),
                super::build::day_or_dash(group.ends_on),
                if group.instead.is_empty() {
                    String::new()
                } else {
                    format!("; instead: {}", group.instead)
                }
            );
            places(&mut out, &group.places, "  ");
        }
        if !self.lists.is_empty() {
            out.push_str("\n## Lists\n\n");
        }
        for list in &self.lists {
            let _ = writeln!(
                out,
                "- `{}:{}` offers {}, {} dead, {} dying",
                escape(&list.file),
                list.line,
                plural(list.models, "model"),
                list.retired.len(),
                list.retiring.len()
            );
        }
        out
    }
}

fn section(out: &mut String, group: &ModelGroup) {
    let _ = writeln!(out, "\n## `{}`\n", escape(&group.name()));
    let detail = detail(group);
    if !detail.is_empty() {
        let _ = writeln!(out, "{detail}.\n");
    }
    places(out, &group.places, "");
    if group.substitutes.is_empty() {
        return;
    }
    out.push_str("\n| instead | why | price | energy |\n|---|---|---|---|\n");
    for candidate in &group.substitutes {
        let _ = writeln!(
            out,
            "| `{}/{}` | {} | {} | {} |",
            escape(&candidate.host),
            escape(&candidate.id),
            candidate.kind,
            money::line(candidate.price.as_ref()),
            money::energy_line(candidate.energy.as_ref())
        );
    }
}

fn places(out: &mut String, places: &[At], indent: &str) {
    for at in places.iter().take(PLACES_MAX) {
        let _ =
            writeln!(out, "{indent}- `{}:{}:{}` {}", escape(&at.file), at.line, at.column, escape(&at.why));
    }
    if places.len() > PLACES_MAX {
        let _ = writeln!(out, "{indent}- and {}", plural(places.len() - PLACES_MAX, "more place"));
    }
}

/// Text that must not end a table cell or a code span.
fn escape(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}
