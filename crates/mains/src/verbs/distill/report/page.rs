//! The page for a browser: one file, no script, nothing from outside, light and dark.

use super::Document;
use super::picture;
use super::words::{heads, percent, promise, ruling, savings, share};
use crate::print;
use askama::Template;
use mains_distill::certificate::Promise;

#[derive(Template)]
#[template(path = "distill.html")]
struct Page<'d> {
    document: &'d Document,
    class: &'static str,
    headline: String,
    promise: String,
    ruling: String,
    other: String,
    figures: Vec<(&'static str, String)>,
    curve: String,
    reliability: String,
    error: String,
    rows: Vec<(&'static str, String)>,
    saved: Vec<(&'static str, String)>,
    classes: Vec<ClassLine<'d>>,
    day: String,
}

struct ClassLine<'d> {
    name: &'d str,
    fit: String,
    rows: String,
    right: String,
    class: &'static str,
    answers: &'static str,
}

/// The page. An error of the template is told in place of the page's body.
pub(in crate::verbs::distill) fn html(document: &Document) -> String {
    page(document).render().unwrap_or_else(|error| format!("<!doctype html><title>error</title><p>{error}"))
}

fn page(document: &Document) -> Page<'_> {
    let report = &document.report;
    let served = document.certificates.served();
    let other = match document.certificates.serve {
        Promise::AllTraffic => &document.certificates.local,
        Promise::AnsweredLocally => &document.certificates.all,
    };
    let certified = served.threshold_micro().is_some();
    let local = report.realised.map(|audit| audit.local.ppm);
    let headline = match local {
        Some(ppm) if certified => {
            format!(
                "{} answers {} of the requests in place of {}",
                document.about.name,
                percent(ppm),
                document.about.teacher
            )
        }
        _ if certified => {
            format!("{} may answer in place of {}", document.about.name, document.about.teacher)
        }
        _ => format!("{} may not answer in place of {}", document.about.name, document.about.teacher),
    };
    let mut figures = vec![("agreement, were it to answer all", percent(report.agreement.ppm))];
    if let Some(audit) = &report.realised {
        figures.insert(0, ("answered here (audit rows)", percent(audit.local.ppm)));
        figures.insert(1, ("of all answers differ (audit rows)", percent(audit.differs_of_all.ppm)));
    }
    figures.push(("calibration rows", print::thousands(served.rows)));
    if let Some(ceiling) = &report.self_agreement {
        figures.push(("the teacher agrees with itself", percent(ceiling.ppm)));
    }
    Page {
        class: if certified { "good" } else { "bad" },
        headline,
        promise: promise(served),
        ruling: ruling(served),
        other: format!("{} {}", promise(other), ruling(other)),
        figures,
        curve: picture::curve(&report.curve, served),
        reliability: picture::reliability(&report.reliability),
        error: percent(report.calibration_error_ppm),
        rows: rows(document),
        saved: report.savings.as_ref().map(savings).unwrap_or_default(),
        classes: classes(document),
        day: document.about.at.day().to_string(),
        document,
    }
}

fn rows(document: &Document) -> Vec<(&'static str, String)> {
    let (report, counts) = (&document.report, &document.report.counts);
    let mut rows = vec![
        ("from", document.about.origin.to_string()),
        ("rows", print::thousands(counts.rows)),
        ("to learn from", print::thousands(counts.fit)),
        ("to calibrate", print::thousands(counts.calibrate)),
        ("to audit, touched once", print::thousands(counts.audit)),
        ("left out, for they repeat another", print::thousands(counts.repeats)),
        ("repeats to the letter, among all", print::thousands(counts.exact_repeats)),
        ("heads", heads(document)),
    ];
    if let Some(audit) = &report.realised {
        rows.push(("answered here, on audit rows", share(&audit.local)));
        rows.push(("of all answers differ", share(&audit.differs_of_all)));
        rows.push(("of the answers given here differ", share(&audit.differs_of_local)));
    }
    if let Some(strange) = &report.strange {
        rows.push(("too strange to be answered here", share(strange)));
    }
    rows
}

fn classes(document: &Document) -> Vec<ClassLine<'_>> {
    let certified = document.certificates.served().threshold_micro().is_some();
    let line = |class: &'_ mains_distill::training::ClassOf| {
        let right = (class.right * 1_000_000).checked_div(class.rows);
        let right = right.map_or_else(|| "unknown".to_owned(), percent);
        let (mark, answers) = match (certified, class.may_answer) {
            (false, _) => ("", "the teacher"),
            (true, true) => ("", "here, where sure"),
            (true, false) => ("open", "always the teacher"),
        };
        (print::thousands(class.fit_rows), print::thousands(class.rows), right, mark, answers)
    };
    let lines = document.report.classes.iter().zip(&document.labels).map(|(class, name)| {
        let (fit, rows, right, class, answers) = line(class);
        ClassLine { name, fit, rows, right, class, answers }
    });
    lines.collect()
}
