//! The whole of a training, in order.

use super::crew::Crew;
use super::heads::{Ground, Learned};
use super::judge::{by_labeller, out_of_fold, quantile};
use super::lesson::{Embedded, Lesson, Part, Scope, Settings, Stage};
use super::lineage::{self, Places};
use super::report::{Counts, Report};
use super::rule::{Certificates, Evidence, rule, thresholds};
use super::tell::Told;
use super::untrainable::Untrainable;
use crate::certificate::{self, Calibration, Malformed, Promise, Share};
use crate::features::Rows;
use crate::group::{Groups, group, self_agreement};
use crate::heads::average::Heads;
use crate::labeller::{Dense, Draft, Labeller, Thresholds};
use crate::split::{self, one_each, split};
use std::collections::BTreeMap;

/// Fewer different rows teach nothing that folds could examine.
const GROUPS_MIN: usize = 10;

/// What training gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// The labeller, as its file gives it back: certificates, lineage and task are in it, and no signature.
    pub labeller: Labeller,
    /// Both certificates, or refusals.
    pub certificates: Certificates,
    /// What became of each example.
    pub parts: Vec<Part>,
    /// The figures.
    pub report: Report,
}

/// The examples in groups and parts, as places among them.
struct Divided {
    groups: Groups,
    fit: Vec<usize>,
    /// Of the rows to fit one of each group, as places among the rows to fit.
    fit_each: Vec<usize>,
    calibrate: Vec<usize>,
    audit: Vec<usize>,
    parts: Vec<Part>,
    self_agreement: Option<Share>,
}

/// Trains a labeller and rules on both promises.
///
/// A promise that is not shown still gives a labeller, whose file says so and which answers nothing here. The
/// embeddings are not looked at where n-grams alone must speak. `told` hears from any thread of the crew.
pub fn train(
    lesson: &Lesson,
    embedded: Option<Embedded<'_>>,
    settings: &Settings,
    crew: &dyn Crew,
    told: &(dyn Fn(Stage) + Sync),
) -> Result<Trained, Untrainable> {
    let embedded = embedded.filter(|_| settings.heads != Some(Heads::Ngram));
    check(lesson, embedded, settings)?;
    told(Stage::Group);
    let divided = divide(lesson, settings);
    let ground = ground(lesson, embedded, settings, &divided)?;
    let learned = ground.learn(crew, told)?;
    told(Stage::Judge);
    let mut labeller = shipped(&unproven(lesson, embedded, &learned))?.0;
    let judge = |places: &[usize]| {
        by_labeller(&labeller, &lesson.examples, embedded, places).map_err(|_| Untrainable::NoEmbeddings)
    };
    let (calibration, audit) = (judge(&divided.calibrate)?, judge(&divided.audit)?);
    let training = out_of_fold(&learned, &ground.labels, &divided.fit_each);
    told(Stage::Certify);
    let places = Places { fit: &divided.fit, calibrate: &divided.calibrate, audit: &divided.audit };
    let calibration_rows = divided.calibrate.iter().map(|place| &lesson.examples[*place]);
    let evidence = Evidence {
        training: &training,
        calibration: &calibration,
        audit: &audit,
        rows: lineage::hex(&lineage::rows_hash(calibration_rows)),
        strangeness_micro_max: match settings.strangeness {
            Scope::Any => None,
            Scope::Within { ppm } => quantile(&training, ppm),
        },
        ceiling: divided.self_agreement,
        learned: beyond_the_most_frequent(&training, divided.fit_each.iter().map(|row| ground.labels[*row])),
    };
    let certificates = rule(lesson, settings, &evidence)?;
    labeller.thresholds = thresholds(certificates.served(), labeller.labels.len());
    labeller.certificate = certificates.to_bytes();
    let model = labeller.dense.as_ref().map(|dense| dense.model_sha256);
    labeller.lineage = lineage::origins(lesson, settings, &places, model);
    let (labeller, file_bytes) = shipped(&labeller)?;
    let every: Vec<usize> = (0..divided.fit.len()).collect();
    let labels = |places: &[usize]| places.iter().map(|place| lesson.examples[*place].label).collect();
    let report = Told {
        lesson,
        settings,
        counts: counts(&divided),
        learned: &learned,
        fit: &divided.fit,
        training: &out_of_fold(&learned, &ground.labels, &every),
        calibration: &calibration,
        audit: &audit,
        labels: [labels(&divided.calibrate), labels(&divided.audit)],
        self_agreement: divided.self_agreement,
        certificates: &certificates,
        labeller: &labeller,
        file_bytes,
    }
    .report();
    Ok(Trained { labeller, certificates, parts: divided.parts, report })
}

fn check(lesson: &Lesson, embedded: Option<Embedded<'_>>, settings: &Settings) -> Result<(), Untrainable> {
    if let Some(what) = lesson.task.fault() {
        return Err(Untrainable::Task(what));
    }
    let classes = lesson.task.labels.labels.len();
    if let Some(row) = lesson.examples.iter().position(|example| example.label as usize >= classes) {
        let label = lesson.examples[row].label;
        return Err(Untrainable::Head(crate::heads::Refused::Label { row, label }));
    }
    let promises = (settings.all.promise, settings.local.promise);
    if promises != (Promise::AllTraffic, Promise::AnsweredLocally) {
        return Err(Untrainable::Certificate(Malformed::Terms("each promise has terms of its own")));
    }
    match embedded {
        None if matches!(settings.heads, Some(Heads::Dense | Heads::Both)) => Err(Untrainable::NoEmbeddings),
        Some(all) if all.dim == 0 || all.values.len() != lesson.examples.len() * all.dim => {
            Err(Untrainable::Embeddings("are not one of the same length for each row"))
        }
        Some(all) if !all.values.iter().all(|value| value.is_finite()) => {
            Err(Untrainable::Embeddings("hold a number that is not finite"))
        }
        _ => Ok(()),
    }
}

fn divide(lesson: &Lesson, settings: &Settings) -> Divided {
    let examples = &lesson.examples;
    let groups = group(&examples.iter().map(|example| example.text.as_str()).collect::<Vec<_>>());
    let rows: Vec<split::Row> = examples
        .iter()
        .zip(&groups.near)
        .map(|(example, group)| split::Row { group: *group, at: example.at })
        .collect();
    let all = split(&rows, settings.shares, settings.seed);
    let each = |places: &[usize]| one_each(places, &rows, settings.seed);
    let (calibrate, audit) = (each(&all.calibrate), each(&all.audit));
    let mut parts = vec![Part::Repeat; examples.len()];
    for (places, part) in [(&all.fit, Part::Fit), (&calibrate, Part::Calibrate), (&audit, Part::Audit)] {
        for place in places {
            parts[*place] = part;
        }
    }
    let one = each(&all.fit);
    let mut ones = vec![false; examples.len()];
    for place in one {
        ones[place] = true;
    }
    let fit_each = (0..all.fit.len()).filter(|row| ones[all.fit[*row]]).collect();
    let mut in_time: Vec<usize> = (0..examples.len()).collect();
    in_time.sort_by_key(|place| (examples[*place].at, *place));
    let exact: Vec<u32> = in_time.iter().map(|place| groups.exact[*place]).collect();
    let labels: Vec<u32> = in_time.iter().map(|place| examples[*place].label).collect();
    let share = self_agreement(&exact, &labels);
    let self_agreement = (share.of > 0).then_some(share);
    Divided { groups, fit: all.fit, fit_each, calibrate, audit, parts, self_agreement }
}

/// What the judged rows show of the labeller beside the most frequent of their labels.
fn beyond_the_most_frequent(judged: &Calibration, labels: impl Iterator<Item = u32>) -> certificate::Learned {
    let mut rows: BTreeMap<u32, u64> = BTreeMap::new();
    for label in labels {
        *rows.entry(label).or_default() += 1;
    }
    certificate::Learned {
        right: judged.differs.iter().filter(|differs| !**differs).count() as u64,
        most: rows.into_values().max().unwrap_or(0),
        of: judged.len() as u64,
    }
}

fn counts(divided: &Divided) -> Counts {
    let repeats = divided.parts.iter().filter(|part| **part == Part::Repeat).count();
    Counts {
        rows: divided.parts.len() as u64,
        exact_repeats: divided.groups.exact_repeats() as u64,
        near_repeats: divided.groups.near_repeats().into(),
        fit: divided.fit.len() as u64,
        calibrate: divided.calibrate.len() as u64,
        audit: divided.audit.len() as u64,
        repeats: repeats as u64,
    }
}

fn ground(
    lesson: &Lesson,
    embedded: Option<Embedded<'_>>,
    settings: &Settings,
    divided: &Divided,
) -> Result<Ground, Untrainable> {
    let have = divided.fit_each.len();
    if have < GROUPS_MIN {
        return Err(Untrainable::Rows { have, need: GROUPS_MIN });
    }
    let labels: Vec<u32> = divided.fit.iter().map(|place| lesson.examples[*place].label).collect();
    let mut seen = labels.clone();
    seen.sort_unstable();
    seen.dedup();
    if seen.len() < 2 {
        return Err(Untrainable::Classes(seen.len()));
    }
    let embeddings = embedded.map(|all| {
        let row = |place: &usize| all.values[place * all.dim..(place + 1) * all.dim].iter().copied();
        (divided.fit.iter().flat_map(row).collect(), all.dim)
    });
    Ok(Ground {
        rows: Rows::of(divided.fit.iter().map(|place| lesson.examples[*place].text.as_str())),
        labels,
        classes: lesson.task.labels.labels.len(),
        groups: divided.fit.iter().map(|place| divided.groups.near[*place]).collect(),
        embeddings,
        seed: settings.seed,
        heads: settings.heads,
    })
}

/// The labeller before anything is proven of it.
fn unproven(lesson: &Lesson, embedded: Option<Embedded<'_>>, learned: &Learned) -> Labeller {
    let labels: Vec<String> = lesson.task.labels.labels.iter().map(|label| label.name.clone()).collect();
    let dense = learned.dense.clone().zip(embedded);
    Labeller {
        thresholds: Thresholds { confidence_min: 0.0, known_min: 0.0, escalates: vec![false; labels.len()] },
        labels,
        // n-grams that do not speak would be weights that nobody reads.
        ngram: Some(learned.ngram.clone()).filter(|_| learned.choice.mapping.heads != Heads::Dense),
        dense: dense.map(|((head, centres), embedded)| Dense {
            model_sha256: embedded.model_sha256,
            head,
            centres,
        }),
        mapping: learned.choice.mapping,
        certificate: Vec::new(),
        lineage: Vec::new(),
        task: Some(lesson.task.clone()),
    }
}

/// The labeller as its file gives it back, and how long the file is.
fn shipped(labeller: &Labeller) -> Result<(Labeller, u64), Untrainable> {
    let file = Draft::of(labeller).finish(None);
    let read = Labeller::parse(&file).map_err(Untrainable::File)?;
    Ok((read, file.len() as u64))
}
