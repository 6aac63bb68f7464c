//! The figures of the report.

use super::heads::Learned;
use super::lesson::{Lesson, Settings};
use super::report::{Bin, Chosen, ClassOf, Counts, Curve, Point, Report, SCHEMA, Speaks, Suspicious};
use super::rule::Certificates;
use crate::certificate::{Calibration, Certificate, Share};
use crate::figures::micro;
use crate::heads::average::Heads;
use crate::labeller::Labeller;

/// So many suspicious labels are told at most.
const SUSPICIOUS_MAX: usize = 100;

/// Bins of the reliability diagram.
const BINS: i64 = 10;

const ONE_MICRO: i64 = 1_000_000;

/// What the report is made from.
pub(super) struct Told<'t> {
    pub(super) lesson: &'t Lesson,
    pub(super) settings: &'t Settings,
    pub(super) counts: Counts,
    pub(super) learned: &'t Learned,
    /// The place among the examples of each row to fit.
    pub(super) fit: &'t [usize],
    /// The rows to fit, judged out of fold.
    pub(super) training: &'t Calibration,
    pub(super) calibration: &'t Calibration,
    pub(super) audit: &'t Calibration,
    /// The teacher's labels of calibration and audit rows.
    pub(super) labels: [Vec<u32>; 2],
    pub(super) self_agreement: Option<Share>,
    pub(super) certificates: &'t Certificates,
    pub(super) labeller: &'t Labeller,
    pub(super) file_bytes: u64,
}

impl Told<'_> {
    pub(super) fn report(&self) -> Report {
        let served = self.certificates.served();
        let agrees = self.audit.differs.iter().filter(|differs| !**differs).count();
        let reliability = reliability(self.calibration);
        Report {
            schema: SCHEMA.to_owned(),
            counts: self.counts,
            chosen: self.chosen(),
            agreement: Share::of(agrees as u64, self.audit.len() as u64),
            self_agreement: self.self_agreement,
            strange: served.plan.strangeness_micro_max.map(|most| self.strange(most)),
            known_micro_min: micro(self.labeller.thresholds.known_min, 0),
            classes: self.classes(served),
            suspicious: self.suspicious(),
            curve: Curve { calibration: points(served, self.calibration), audit: points(served, self.audit) },
            calibration_error_ppm: calibration_error(&reliability),
            reliability,
            serve: self.certificates.serve,
            realised: served.audit,
            savings: served.savings,
            file_bytes: self.file_bytes,
        }
    }

    fn chosen(&self) -> Chosen {
        let choice = &self.learned.choice;
        let speaks = match choice.mapping.heads {
            Heads::Ngram => Speaks::Ngram,
            Heads::Dense => Speaks::Dense,
            Heads::Both => Speaks::Both,
        };
        Chosen {
            heads: speaks,
            by_hand: self.settings.heads.is_some(),
            of: self.fit.len() as u64,
            ngram_right: choice.ngram_right as u64,
            dense_right: choice.dense_right.map(|right| right as u64),
            both_right: choice.both_right.map(|right| right as u64),
            dense_cost: self.learned.dense_cost.map(u64::from),
        }
    }

    fn strange(&self, most: i64) -> Share {
        let all = self.calibration.strangeness.iter().chain(&self.audit.strangeness);
        let strange = all.clone().filter(|score| micro(**score, i64::MAX) > most).count();
        Share::of(strange as u64, all.count() as u64)
    }

    fn classes(&self, served: &Certificate) -> Vec<ClassOf> {
        let labels = &self.lesson.task.labels.labels;
        let mut table: Vec<ClassOf> = (0u32..)
            .zip(labels)
            .map(|(class, label)| ClassOf {
                class,
                name: label.name.clone(),
                fit_rows: 0,
                fit_right: 0,
                rows: 0,
                right: 0,
                said: 0,
                may_answer: served.classes.iter().any(|row| row.class == class && row.may_answer),
            })
            .collect();
        for (place, differs) in self.fit.iter().zip(&self.training.differs) {
            if let Some(row) = table.get_mut(self.lesson.examples[*place].label as usize) {
                row.fit_rows += 1;
                row.fit_right += u64::from(!differs);
            }
        }
        for (rows, labels) in [self.calibration, self.audit].into_iter().zip(&self.labels) {
            for ((label, differs), said) in labels.iter().zip(&rows.differs).zip(&rows.class) {
                if let Some(row) = table.get_mut(*label as usize) {
                    row.rows += 1;
                    row.right += u64::from(!differs);
                }
                table.get_mut(*said as usize).into_iter().for_each(|row| row.said += 1);
            }
        }
        table
    }

    fn suspicious(&self) -> Vec<Suspicious> {
        let mut found: Vec<Suspicious> = (0..self.fit.len())
            .filter(|row| self.training.differs[*row])
            .map(|row| Suspicious {
                example: self.fit[row] as u64,
                label: self.lesson.examples[self.fit[row]].label,
                says: self.training.class[row],
                confidence_micro: micro(self.training.confidence[row], 0),
            })
            .collect();
        found.sort_by_key(|row| (std::cmp::Reverse(row.confidence_micro), row.example));
        found.truncate(SUSPICIOUS_MAX);
        found
    }
}

/// What would be answered here at each threshold of the plan.
fn points(certificate: &Certificate, rows: &Calibration) -> Vec<Point> {
    let may = |class: u32| certificate.classes.iter().any(|row| row.class == class && row.may_answer);
    let most = certificate.plan.strangeness_micro_max.unwrap_or(i64::MAX);
    let mut able: Vec<(i64, bool)> = (0..rows.len())
        .filter(|row| may(rows.class[*row]) && micro(rows.strangeness[*row], i64::MAX) <= most)
        .map(|row| (micro(rows.confidence[row], i64::MIN), rows.differs[row]))
        .filter(|(confidence, _)| *confidence > i64::MIN)
        .collect();
    able.sort_unstable_by_key(|(confidence, _)| std::cmp::Reverse(*confidence));
    let (mut local, mut differs) = (0, 0);
    let point = |candidate: &crate::certificate::Candidate| {
        while let Some((_, wrong)) = able.get(local).filter(|(c, _)| *c >= candidate.threshold_micro) {
            differs += u64::from(*wrong);
            local += 1;
        }
        let threshold_micro = candidate.threshold_micro;
        Point { threshold_micro, local: local as u64, differs, of: rows.len() as u64 }
    };
    certificate.plan.candidates.iter().map(point).collect()
}

fn reliability(rows: &Calibration) -> Vec<Bin> {
    let width = ONE_MICRO / BINS;
    let mut bins: Vec<(Bin, i64)> = (0..BINS)
        .map(|bin| {
            let (low_micro, high_micro) = (bin * width, (bin + 1) * width);
            (Bin { low_micro, high_micro, rows: 0, right: 0, mean_confidence_micro: None }, 0)
        })
        .collect();
    for (confidence, differs) in rows.confidence.iter().zip(&rows.differs) {
        let confidence = micro(*confidence, 0);
        let place = usize::try_from((confidence / width).clamp(0, BINS - 1)).unwrap_or(0);
        let (bin, sum) = &mut bins[place];
        bin.rows += 1;
        bin.right += u64::from(!differs);
        *sum += confidence;
    }
    let finish = |(mut bin, sum): (Bin, i64)| {
        bin.mean_confidence_micro = sum.checked_div(i64::try_from(bin.rows).unwrap_or(0));
        bin
    };
    bins.into_iter().map(finish).collect()
}

/// The mean distance between confidence and share right, weighed by rows.
fn calibration_error(bins: &[Bin]) -> u64 {
    let rows: u64 = bins.iter().map(|bin| bin.rows).sum();
    let distance = |bin: &Bin| {
        let right = i64::try_from(bin.right * 1_000_000 / bin.rows.max(1)).unwrap_or(0);
        bin.rows * bin.mean_confidence_micro.unwrap_or(right).abs_diff(right)
    };
    bins.iter().map(distance).sum::<u64>().checked_div(rows).unwrap_or(0)
}
