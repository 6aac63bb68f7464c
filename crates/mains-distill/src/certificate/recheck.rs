//! From a certificate back to certainty.

use super::build::{before, choose, classes, rule, served};
use super::learn::{Step, walk};
use super::realised::{Audit, Savings};
use super::terms::Calibration;
use super::{Certificate, Ruling, SCHEMA};

/// Chances in billionths may differ by this much between machines, whose logarithms round differently.
const ROUNDING_PPB: u64 = 2;

/// No teacher was asked more often than this.
const COUNT_MAX: u64 = 10_000_000;

/// Computes a certificate again from its calibration rows (and its audit rows, where they are given), and says where
/// they differ; nothing if they do not.
///
/// It takes the plan as it stands: that thresholds and classes were settled before the rows were looked at is what
/// the labeller's lineage must show.
pub fn recheck(certificate: &Certificate, rows: &Calibration, audit: Option<&Calibration>) -> Vec<String> {
    if certificate.schema != SCHEMA {
        return vec![format!(
            "the certificate is of the form `{}`, and only `{SCHEMA}` can be checked",
            certificate.schema
        )];
    }
    let terms = &certificate.terms;
    let unusable = terms.check().err().or_else(|| rows.check("calibration").err());
    if let Some(error) = unusable.or_else(|| audit.and_then(|audit| audit.check("audit").err())) {
        return vec![error.to_string()];
    }
    let mut wrong = settled(certificate);
    let n = rows.len() as u64;
    if certificate.rows != n {
        wrong
            .push(format!("the certificate counts {} calibration rows, and there are {n}", certificate.rows));
    }
    let refused = before(terms, &certificate.plan, n, &certificate.ledger);
    let steps = if refused.is_some() { Vec::new() } else { walk(&certificate.plan, rows, terms) };
    let alike = steps.len() == certificate.steps.len()
        && steps.iter().zip(&certificate.steps).all(|(found, said)| alike(found, said));
    if !alike {
        wrong.push("the thresholds say other than the calibration rows".into());
    }
    // With the same steps the same threshold follows; with others the difference is told above.
    let chosen = match refused {
        Some(reason) => Err(reason),
        None => choose(&steps, terms, n),
    };
    let threshold = chosen.as_ref().ok().copied();
    let table = classes(&certificate.plan, rows, terms, threshold);
    if table != certificate.classes {
        wrong.push("the table of classes is not that of the calibration rows".into());
    }
    let served = served(&certificate.plan, &table);
    let found = threshold.zip(audit).map(|(threshold, rows)| Audit::of(&served, rows, threshold));
    if audit.is_some() && found != certificate.audit {
        wrong.push("what was realised is not that of the audit rows".into());
    }
    let ruling = rule(chosen, terms, found.or(certificate.audit).as_ref());
    if ruling != certificate.ruling {
        wrong.push(format!(
            "the ruling is said to be {}, and the rows say {}",
            name(&certificate.ruling),
            name(&ruling)
        ));
    }
    let local = found
        .or(certificate.audit)
        .or_else(|| threshold.map(|threshold| Audit::of(&served, rows, threshold)))
        .map(|audit| audit.local.ppm);
    if let Some(savings) = certificate.savings {
        let again = local.map(|local| Savings::at(local, savings.teacher, savings.labeller));
        if again != Some(savings) {
            wrong.push("the savings do not follow from the share and the costs".into());
        }
    }
    wrong
}

/// What must hold of the terms and the plan by themselves.
fn settled(certificate: &Certificate) -> Vec<String> {
    let mut wrong = Vec::new();
    let candidates = &certificate.plan.candidates;
    if candidates.windows(2).any(|pair| pair[0].threshold_micro <= pair[1].threshold_micro) {
        wrong.push("the thresholds do not go from the safest to the greediest".into());
    }
    let started: u128 = candidates.iter().map(|candidate| u128::from(candidate.start_ppb)).sum();
    if started > u128::from(certificate.terms.delta_ppm) * 1_000 {
        wrong.push("the starts together stake more than delta".into());
    }
    if certificate.least_rows != certificate.terms.least_rows() {
        wrong.push("the fewest rows do not follow from the terms".into());
    }
    let together = certificate.ledger.sum_ppm().saturating_add(certificate.terms.delta_ppm);
    if certificate.delta_ppm_together != together {
        wrong.push("the stakes do not sum to what is said".into());
    }
    // A count that nobody can have counted would only keep the checker busy.
    let follows =
        |share: super::Share| share.of <= COUNT_MAX && share == super::Share::of(share.hits, share.of);
    if !certificate.ceiling.is_none_or(follows) {
        wrong.push(
            "the interval of the teacher's agreement with itself does not follow from its counts".into(),
        );
    }
    wrong
}

fn alike(found: &Step, said: &Step) -> bool {
    found.p_ppb.abs_diff(said.p_ppb) <= ROUNDING_PPB && Step { p_ppb: said.p_ppb, ..*found } == *said
}

fn name(ruling: &Ruling) -> String {
    match ruling {
        Ruling::Certified { threshold_micro } => format!("certified at {threshold_micro} millionths"),
        Ruling::Refused { reason } => {
            format!("refused ({})", reason.to_string().lines().next().unwrap_or_default())
        }
    }
}
