//! The page of text.

use super::Document;
use crate::print;
use mains_distill::certificate::{Certificate, Promise, Ruling, Savings, Share};
use mains_distill::training::Speaks;
use mains_units::NanoUsd;
use std::fmt::Write as _;

/// Suspicious labels on the page of text.
const DOUBTS: usize = 5;

/// Millionths as a percentage with no more digits than it needs.
pub(in crate::verbs::distill) fn percent(ppm: u64) -> String {
    let hundredths = (ppm + 50) / 100;
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A share with what it was counted on.
pub(super) fn share(share: &Share) -> String {
    format!(
        "{} ({} of {}; 95 %: {} to {})",
        percent(share.ppm),
        print::thousands(share.hits),
        print::thousands(share.of),
        percent(share.low_ppm),
        percent(share.high_ppm)
    )
}

/// The promise in one plain sentence.
pub(in crate::verbs::distill) fn promise(certificate: &Certificate) -> String {
    let terms = &certificate.terms;
    let of = match terms.promise {
        Promise::AllTraffic => "of all answers to this task",
        Promise::AnsweredLocally => "of the answers that the labeller gives itself",
    };
    format!(
        "With {} confidence, at most {} {of} differ from what {} would have said.",
        percent(1_000_000 - terms.delta_ppm.min(1_000_000)),
        percent(terms.eps_ppm),
        certificate.about.teacher
    )
}

/// The ruling in one clause.
pub(super) fn ruling(certificate: &Certificate) -> String {
    match &certificate.ruling {
        Ruling::Certified { threshold_micro } => {
            format!("certified; it answers from a confidence of {:.4} on", *threshold_micro as f64 / 1e6)
        }
        Ruling::Refused { reason } => format!("refused: {reason}"),
    }
}

/// Which heads speak, and why.
pub(super) fn heads(document: &Document) -> String {
    let chosen = &document.report.chosen;
    let right = |count: u64| percent(count * 1_000_000 / chosen.of.max(1));
    let speaks = match chosen.heads {
        Speaks::Ngram => "n-grams",
        Speaks::Dense => "sentence embeddings",
        Speaks::Both => "n-grams and sentence embeddings, averaged",
    };
    let mut why = vec![format!("n-grams {}", right(chosen.ngram_right))];
    why.extend(chosen.dense_right.map(|count| format!("embeddings {}", right(count))));
    why.extend(chosen.both_right.map(|count| format!("average {}", right(count))));
    let how = if chosen.by_hand { "by your choice" } else { "right on rows that they did not see" };
    format!("{speaks} ({how}: {})", why.join(", "))
}

/// How the rows are divided.
fn rows(document: &Document) -> String {
    let counts = &document.report.counts;
    let [all, fit, calibrate, audit, repeats] =
        [counts.rows, counts.fit, counts.calibrate, counts.audit, counts.repeats].map(print::thousands);
    format!(
        "{all}: {fit} to learn from, {calibrate} to calibrate, {audit} to audit, {repeats} repeats left out"
    )
}

/// What is saved with 1,000 requests: name and figure.
pub(super) fn savings(savings: &Savings) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    if let Some(nano) = savings.nano_usd_per_1000 {
        let sign = if nano < 0 { "-" } else { "" };
        let teacher = savings.teacher.nano_usd_per_1000.unwrap_or(0);
        rows.push(("money", format!("{sign}{} of {}", NanoUsd(nano.unsigned_abs()), NanoUsd(teacher))));
    }
    if let Some([low, central, high]) = savings.mj_per_1000 {
        let joules = |mj: i64| print::short(mj as f64 / 1e3);
        rows.push(("energy", format!("{} J ({} to {})", joules(central), joules(low), joules(high))));
    }
    if let Some(ms) = savings.ms_per_1000 {
        rows.push(("waiting", format!("{} s", print::short(ms as f64 / 1e3))));
    }
    rows
}

/// The page.
pub(in crate::verbs::distill) fn text(document: &Document) -> String {
    let Document { about, report, certificates, .. } = document;
    let served = certificates.served();
    let other = match certificates.serve {
        Promise::AllTraffic => &certificates.local,
        Promise::AnsweredLocally => &certificates.all,
    };
    let mut page = String::new();
    let mut row = |name: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(page, "{name:<11}{}", value.replace('\n', "\n           "));
    };
    row("labeller", &format!("{}, taught by {}", about.name, about.teacher));
    row("promise", &promise(served));
    row("ruling", &ruling(served));
    row("rows", &rows(document));
    row("suffices", &mains_distill::certificate::progress(served.rows, &served.terms));
    row("heads", &heads(document));
    row("agreement", &format!("{} of audit rows, were it to answer all", share(&report.agreement)));
    if let Some(ceiling) = &report.self_agreement {
        row("ceiling", &format!("the teacher agrees with itself on {} repeats", share(ceiling)));
    }
    if let Some(audit) = &report.realised {
        row("local", &format!("{} of audit rows are answered here", share(&audit.local)));
        row("realised", &format!("{} of all answers differ", share(&audit.differs_of_all)));
        row("", &format!("{} of those given here differ", share(&audit.differs_of_local)));
    }
    match &report.savings {
        Some(saved) => {
            for (place, (name, value)) in savings(saved).into_iter().enumerate() {
                let head = if place == 0 { "saved" } else { "" };
                row(head, &format!("{name}: {value}, with every 1,000 requests"));
            }
        }
        None if report.realised.is_some() => row("saved", "unknown: no row says what its answer cost"),
        None => {}
    }
    row("other", &format!("{} {}", promise(other), ruling(other)));
    let (looks, staked) = about.looks;
    if looks > 2 {
        row(
            "together",
            &format!(
                "{looks} promises were ruled on in this folder; all at once they hold with {} confidence at least",
                percent(1_000_000_u64.saturating_sub(staked))
            ),
        );
    }
    let shut: Vec<&str> =
        report.classes.iter().filter(|class| !class.may_answer).map(|class| class.name.as_str()).collect();
    if !shut.is_empty() && served.threshold_micro().is_some() {
        row("escalates", &format!("always, for too few rows: {}", shut.join(", ")));
    }
    for (place, doubt) in document.suspicious.iter().take(DOUBTS).enumerate() {
        let head = if place == 0 { "suspicious" } else { "" };
        row(head, &format!("{}: {} is perhaps {}", doubt.row, doubt.label, doubt.says));
    }
    row("terms", &about.terms_allow);
    row("file", &format!("{} bytes, sha256 {}", print::thousands(document.bytes), document.sha256));
    row("signed by", &document.signed_by);
    page
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn a_share_has_no_more_digits_than_it_needs() {
        for (ppm, text) in
            [(20_000, "2 %"), (5_000, "0.5 %"), (123_456, "12.35 %"), (1_000_000, "100 %"), (0, "0 %")]
        {
            assert_eq!(percent(ppm), text);
        }
    }
}
