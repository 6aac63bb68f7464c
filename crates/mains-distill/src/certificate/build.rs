//! From rows to a ruling.

use super::learn::{Step, greediest, walk};
use super::plan::{Learned, Plan};
use super::realised::{Audit, Costs, Savings, Share};
use super::refusal::Refusal;
use super::terms::{Calibration, Malformed, Promise, Terms};
use super::{About, Certificate, ClassRow, DeltaLedger, Ruling, SCHEMA, tails};
use std::collections::BTreeMap;

/// Everything that a certificate is made from.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// What is certified.
    pub about: About,
    /// The terms.
    pub terms: Terms,
    /// What was settled before; see [`Plan::from_training`].
    pub plan: Plan,
    /// The calibration rows.
    pub calibration: &'a Calibration,
    /// The audit rows, where some were kept apart.
    pub audit: Option<&'a Calibration>,
    /// What was staked before.
    pub ledger: DeltaLedger,
    /// How often the teacher agrees with itself, where repeats exist.
    pub ceiling: Option<Share>,
    /// What teacher and labeller cost, where it is known.
    pub costs: Option<(Costs, Costs)>,
}

/// Rules on one promise. A refusal is a ruling; an error means that there was nothing to rule on.
pub fn certify(ask: Ask<'_>) -> Result<Certificate, Malformed> {
    let Ask { about, terms, plan, calibration, audit, ledger, ceiling, costs } = ask;
    terms.check()?;
    check(&plan, calibration, "calibration")?;
    if let Some(audit) = audit {
        check(&plan, audit, "audit")?;
    }
    let rows = calibration.len() as u64;
    let refused = before(&terms, &plan, rows, &ledger);
    let steps = if refused.is_some() { Vec::new() } else { walk(&plan, calibration, &terms) };
    let chosen = match refused {
        Some(reason) => Err(reason),
        None => choose(&steps, &terms, rows),
    };
    let threshold = chosen.as_ref().ok().copied();
    let classes = classes(&plan, calibration, &terms, threshold);
    let served = served(&plan, &classes);
    let audit = threshold.zip(audit).map(|(threshold, rows)| Audit::of(&served, rows, threshold));
    let ruling = rule(chosen, &terms, audit.as_ref());
    let local_ppm = match (&audit, threshold) {
        (Some(audit), _) => Some(audit.local.ppm),
        (None, Some(threshold)) => Some(Audit::of(&served, calibration, threshold).local.ppm),
        (None, None) => None,
    };
    let savings =
        local_ppm.zip(costs).map(|(local, (teacher, labeller))| Savings::at(local, teacher, labeller));
    Ok(Certificate {
        schema: SCHEMA.to_owned(),
        about,
        least_rows: terms.least_rows(),
        delta_ppm_together: ledger.sum_ppm().saturating_add(terms.delta_ppm),
        terms,
        plan,
        rows,
        steps,
        ruling,
        classes,
        audit,
        ceiling,
        ledger,
        savings,
    })
}

fn check(plan: &Plan, rows: &Calibration, which: &'static str) -> Result<(), Malformed> {
    rows.check(which)?;
    if plan.strangeness_micro_max.is_some() && rows.strangeness.is_empty() && !rows.is_empty() {
        return Err(Malformed::NoStrangeness(which));
    }
    Ok(())
}

/// What refuses before a calibration row is looked at.
pub(super) fn before(terms: &Terms, plan: &Plan, rows: u64, ledger: &DeltaLedger) -> Option<Refusal> {
    let left = ledger.left_ppm();
    if terms.delta_ppm > left {
        return Some(Refusal::DeltaSpent { left_ppm: left, asked_ppm: terms.delta_ppm });
    }
    let need = terms.least_rows().unwrap_or(u64::MAX);
    if rows < need {
        return Some(Refusal::TooFewRows { have: rows, need });
    }
    if let Some(Learned { right, most, of }) = plan.learned.filter(|learned| learned.is_nothing(terms)) {
        return Some(Refusal::NothingLearned { right, most, of });
    }
    plan.candidates.is_empty().then_some(Refusal::NoCandidates)
}

/// The threshold that the steps show, or why there is none.
pub(super) fn choose(steps: &[Step], terms: &Terms, rows: u64) -> Result<i64, Refusal> {
    match greediest(steps) {
        Some(step) if step.local > 0 => Ok(step.threshold_micro),
        Some(_) => Err(Refusal::NothingLocal),
        None => Err(nearest(steps, terms, rows)),
    }
}

fn nearest(steps: &[Step], terms: &Terms, rows: u64) -> Refusal {
    let Some(step) = steps.iter().filter(|step| step.level_ppb > 0).min_by_key(|step| step.p_ppb) else {
        return Refusal::NoCandidates;
    };
    let of = match terms.promise {
        Promise::AllTraffic => rows,
        Promise::AnsweredLocally => step.local,
    };
    let allowed = tails::allowed(of, terms.eps(), step.level_ppb as f64 / 1e9);
    Refusal::TooManyDiffer { local: step.local, differs: step.differs, allowed }
}

/// The ruling, with the audit part's say: it can only take a promise back.
pub(super) fn rule(chosen: Result<i64, Refusal>, terms: &Terms, audit: Option<&Audit>) -> Ruling {
    let low = audit.map(|audit| match terms.promise {
        Promise::AllTraffic => audit.differs_of_all.low_ppm,
        Promise::AnsweredLocally => audit.differs_of_local.low_ppm,
    });
    match (chosen, low) {
        (Ok(_), Some(low_ppm)) if low_ppm > terms.eps_ppm => {
            Ruling::Refused { reason: Refusal::AuditRefutes { low_ppm, eps_ppm: terms.eps_ppm } }
        }
        (Ok(threshold_micro), _) => Ruling::Certified { threshold_micro },
        (Err(reason), _) => Ruling::Refused { reason },
    }
}

/// The table of classes.
///
/// Over all traffic a class may also be shut for having few calibration rows: that takes errors away and adds none,
/// so the promise holds for what is left. Of what is answered locally it would choose by what the rows say, and
/// only the classes settled beforehand count.
pub(super) fn classes(
    plan: &Plan,
    rows: &Calibration,
    terms: &Terms,
    threshold: Option<i64>,
) -> Vec<ClassRow> {
    let mut table: BTreeMap<u32, ClassRow> = BTreeMap::new();
    let empty = |class: u32| ClassRow {
        class,
        training_rows: plan.training_rows.get(&class).copied().unwrap_or(0),
        rows: 0,
        local: 0,
        differs: 0,
        may_answer: plan.classes.contains(&class),
    };
    for class in plan.training_rows.keys() {
        table.insert(*class, empty(*class));
    }
    for row in rows.rows() {
        let entry = table.entry(row.class).or_insert_with(|| empty(row.class));
        entry.rows += 1;
        if threshold.is_some_and(|threshold| plan.is_local(&row, threshold)) {
            entry.local += 1;
            entry.differs += u64::from(row.differs);
        }
    }
    let mut table: Vec<ClassRow> = table.into_values().collect();
    if terms.promise == Promise::AllTraffic {
        for row in table.iter_mut().filter(|row| row.rows < terms.class_rows_min) {
            (row.may_answer, row.local, row.differs) = (false, 0, 0);
        }
    }
    table
}

/// The plan with only the classes that may answer.
pub(super) fn served(plan: &Plan, classes: &[ClassRow]) -> Plan {
    let mut served = plan.clone();
    served.classes = classes.iter().filter(|row| row.may_answer).map(|row| row.class).collect();
    served
}
