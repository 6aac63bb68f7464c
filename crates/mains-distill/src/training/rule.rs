//! Both certificates, and the thresholds of the file that follow from the served one.

use super::judge::strangeness;
use super::lesson::{Lesson, Settings};
use crate::canonical;
use crate::certificate::{
    About, Ask, Calibration, Certificate, Costs, Learned, Malformed, Plan, Promise, Share, Terms, certify,
};
use crate::figures::micro;
use crate::labeller::Thresholds;
use serde::{Deserialize, Serialize};

/// The version of the form; another one is not read.
const SCHEMA: &str = "mains.distill.certificates/1";

/// A confidence that no answer reaches.
const NEVER: f32 = 2.0;

/// Both certificates of a labeller, as they stand in its file in canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificates {
    /// `mains.distill.certificates/1`.
    pub schema: String,
    /// Whose threshold is in the file.
    pub serve: Promise,
    /// About all traffic.
    pub all: Certificate,
    /// About what is answered locally.
    pub local: Certificate,
}

impl Certificates {
    /// The one whose threshold is in the file.
    pub fn served(&self) -> &Certificate {
        match self.serve {
            Promise::AllTraffic => &self.all,
            Promise::AnsweredLocally => &self.local,
        }
    }

    /// As they stand in a labeller file.
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical::json(self).into_bytes()
    }

    /// From a labeller file; nothing where the bytes are no certificates in their one spelling.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let read: Self = serde_json::from_slice(bytes).ok()?;
        (read.schema == SCHEMA && read.to_bytes() == bytes).then_some(read)
    }
}

/// What both promises are ruled on.
pub(super) struct Evidence<'e> {
    /// Rows to fit, judged out of fold.
    pub(super) training: &'e Calibration,
    pub(super) calibration: &'e Calibration,
    pub(super) audit: &'e Calibration,
    /// The hash of the calibration rows.
    pub(super) rows: String,
    pub(super) strangeness_micro_max: Option<i64>,
    pub(super) ceiling: Option<Share>,
    pub(super) learned: Learned,
}

/// Rules on both promises. The served one stakes first.
pub(super) fn rule(
    lesson: &Lesson,
    settings: &Settings,
    evidence: &Evidence<'_>,
) -> Result<Certificates, Malformed> {
    let bound = &lesson.task.bound;
    let mut teacher = bound.teacher.clone();
    for fingerprint in &bound.fingerprints {
        teacher.push_str(" @ ");
        teacher.push_str(fingerprint);
    }
    let mut ledger = settings.ledger.clone();
    let mut one = |terms: Terms| {
        let about = About {
            task: lesson.task.name.clone(),
            teacher: teacher.clone(),
            rows: evidence.rows.clone(),
            at: settings.at,
        };
        let rows = evidence.calibration.len() as u64;
        let mut plan = Plan::from_training(evidence.training, rows, &terms, evidence.strangeness_micro_max)?;
        plan.learned = Some(evidence.learned);
        let certificate = certify(Ask {
            about,
            terms,
            plan,
            calibration: evidence.calibration,
            audit: Some(evidence.audit).filter(|audit| !audit.is_empty()),
            ledger: ledger.clone(),
            ceiling: evidence.ceiling,
            costs: lesson.costs.map(|(teacher, labeller): (Costs, Costs)| (teacher, labeller)),
        })?;
        ledger.spent.push(certificate.spent());
        Ok(certificate)
    };
    let (all, local) = match settings.serve {
        Promise::AllTraffic => {
            let all = one(settings.all)?;
            (all, one(settings.local)?)
        }
        Promise::AnsweredLocally => {
            let local = one(settings.local)?;
            (one(settings.all)?, local)
        }
    };
    Ok(Certificates { schema: SCHEMA.to_owned(), serve: settings.serve, all, local })
}

/// The thresholds of a labeller with so many classes: it answers exactly what the certificate says it may.
pub(super) fn thresholds(certificate: &Certificate, classes: usize) -> Thresholds {
    let threshold = certificate.threshold_micro();
    let mut escalates = vec![true; classes];
    for row in certificate.classes.iter().filter(|row| row.may_answer && threshold.is_some()) {
        escalates.get_mut(row.class as usize).into_iter().for_each(|escalates| *escalates = false);
    }
    Thresholds {
        confidence_min: threshold.map_or(NEVER, |least| first(|c| micro(c, i64::MIN) >= least)),
        known_min: certificate
            .plan
            .strangeness_micro_max
            .map_or(0.0, |most| first(|known| micro(strangeness(known), i64::MAX) <= most)),
        escalates,
    }
}

/// The least number from 0 to 2 that fits, where every greater one fits too; 2 where none does.
fn first(fits: impl Fn(f32) -> bool) -> f32 {
    // Floats that are not negative have the order of their bits.
    let (mut low, mut high) = (0u32, NEVER.to_bits());
    while low < high {
        let middle = low + (high - low) / 2;
        if fits(f32::from_bits(middle)) { high = middle } else { low = middle + 1 }
    }
    f32::from_bits(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_float_that_fits_is_found() {
        for least in [0, 1, 333_333, 999_999, 1_000_000] {
            let found = first(|c| micro(c, i64::MIN) >= least);
            assert!(micro(found, i64::MIN) >= least);
            assert!(found == 0.0 || micro(f32::from_bits(found.to_bits() - 1), i64::MIN) < least, "{least}");
        }
        assert!((first(|_| false) - 2.0).abs() < f32::EPSILON);
    }
}
