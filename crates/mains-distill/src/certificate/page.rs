//! A certificate as one page of text.

use super::realised::{Savings, Share};
use super::terms::{Promise, Terms};
use super::{Certificate, ClassRow, Ruling};
use std::fmt::Write as _;

/// Millionths as a percentage with no more digits than it needs: `1.5 %`.
pub(super) fn percent(ppm: u64) -> String {
    let text = format!("{}.{:04}", ppm / 10_000, ppm % 10_000);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// The promise in one clause.
pub(super) fn promise(terms: &Terms) -> String {
    let of = match terms.promise {
        Promise::AllTraffic => "of all answers",
        Promise::AnsweredLocally => "of the answers given locally",
    };
    format!("at most {} {of} differ from the teacher's", percent(terms.eps_ppm))
}

/// How many rows there are of those needed, before anything is started: `212 of 299 rows for 1 %`.
pub fn progress(have: u64, terms: &Terms) -> String {
    match terms.least_rows() {
        Some(need) => format!("{have} of {need} rows for {}", percent(terms.eps_ppm)),
        None => format!("no number of rows suffices for {}", percent(terms.eps_ppm)),
    }
}

/// The page.
pub fn page(certificate: &Certificate) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(certificate, &mut out);
    out
}

fn write(certificate: &Certificate, out: &mut String) -> std::fmt::Result {
    let Certificate { about, terms, .. } = certificate;
    writeln!(out, "task      {}", about.task)?;
    writeln!(out, "teacher   {}", about.teacher)?;
    let sure = percent(1_000_000u64.saturating_sub(terms.delta_ppm));
    writeln!(out, "promise   {}, with {sure} confidence", promise(terms))?;
    match &certificate.ruling {
        Ruling::Certified { threshold_micro } => {
            let micro = threshold_micro.unsigned_abs();
            let sign = if *threshold_micro < 0 { "-" } else { "" };
            writeln!(
                out,
                "ruling    certified at confidence {sign}{}.{:06}",
                micro / 1_000_000,
                micro % 1_000_000
            )?;
        }
        Ruling::Refused { reason } => {
            writeln!(out, "ruling    refused: {}", reason.to_string().replace('\n', "\n          "))?;
        }
    }
    writeln!(out, "rows      {} ({})", certificate.rows, progress(certificate.rows, terms))?;
    if let Some(audit) = &certificate.audit {
        writeln!(out, "audit     {} answered locally", share(&audit.local))?;
        writeln!(out, "          {} of all answers differ", share(&audit.differs_of_all))?;
        writeln!(out, "          {} of the local ones differ", share(&audit.differs_of_local))?;
    }
    if let Some(ceiling) = &certificate.ceiling {
        writeln!(out, "ceiling   the teacher agrees with itself on {}", share(ceiling))?;
    }
    if !certificate.ledger.spent.is_empty() {
        let together = percent(1_000_000u64.saturating_sub(certificate.delta_ppm_together));
        let earlier = certificate.ledger.spent.len();
        writeln!(
            out,
            "together  with {earlier} earlier certificates all promises hold at {together} confidence"
        )?;
    }
    if let Some(savings) = &certificate.savings {
        write_savings(savings, out)?;
    }
    write_classes(&certificate.classes, out)
}

fn share(share: &Share) -> String {
    format!(
        "{} ({} of {}; {} to {})",
        percent(share.ppm),
        share.hits,
        share.of,
        percent(share.low_ppm),
        percent(share.high_ppm)
    )
}

fn write_savings(savings: &Savings, out: &mut String) -> std::fmt::Result {
    writeln!(out, "saved     with every 1,000 requests, {} of them local:", percent(savings.local_ppm))?;
    if let Some(nano) = savings.nano_usd_per_1000 {
        let (sign, size) = (if nano < 0 { "-" } else { "" }, nano.unsigned_abs());
        writeln!(out, "          {sign}${}.{:09}", size / 1_000_000_000, size % 1_000_000_000)?;
    }
    if let Some([low, central, high]) = savings.mj_per_1000 {
        writeln!(out, "          {central} mJ ({low} to {high})")?;
    }
    if let Some(ms) = savings.ms_per_1000 {
        writeln!(out, "          {ms} ms of waiting")?;
    }
    Ok(())
}

fn write_classes(classes: &[ClassRow], out: &mut String) -> std::fmt::Result {
    writeln!(out, "{:>9} {:>8} {:>6} {:>6} {:>8}", "class", "training", "rows", "local", "differ")?;
    for row in classes {
        let shut = if row.may_answer { "" } else { "  always escalates" };
        writeln!(
            out,
            "{:>9} {:>8} {:>6} {:>6} {:>8}{shut}",
            row.class, row.training_rows, row.rows, row.local, row.differs
        )?;
    }
    Ok(())
}
