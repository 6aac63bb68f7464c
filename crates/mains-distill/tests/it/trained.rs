//! From rows to a labeller with certificates: the same bits on any threads, honest refusals, and back from the file.

use mains_distill::certificate::{Promise, Refusal, Ruling};
use mains_distill::heads::average::Heads;
use mains_distill::labeller::{Draft, Labeller};
use mains_distill::task::{LabelSet, Role, Served, Shape, Template, Turn};
use mains_distill::training::{
    Alone, Crew, Embedded, Example, Given, Job, Lesson, NotVerified, Part, Settings, Speaks, Stage, Trained,
    Untrainable, train, verify,
};
use mains_distill::watch::Bound;
use mains_units::{Chance, Timestamp};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

const SEED: u64 = 11;

/// Real threads, each taking the next job.
struct Threads(usize);

impl Crew for Threads {
    fn all(&self, jobs: Vec<Job<'_>>) {
        let jobs = Mutex::new(jobs.into_iter());
        std::thread::scope(|scope| {
            for _ in 0..self.0 {
                scope.spawn(|| {
                    loop {
                        let Some(job) = jobs.lock().unwrap().next() else { break };
                        job();
                    }
                });
            }
        });
    }
}

/// Words that no two classes share, and filling that all do.
fn word(class: u64, number: u64) -> String {
    const SYLLABLES: [&str; 12] = ["ba", "ku", "ri", "mo", "te", "sa", "lo", "ni", "fe", "du", "gi", "po"];
    let part = |n: u64| SYLLABLES[usize::try_from(n % 12).unwrap()];
    format!("{}{}{}", part(class), part(number), part(number / 12))
}

/// A task with `classes` labels: texts of eight words, of which five are of their class; `noise` of the labels are
/// drawn by chance. Rows come a minute apart.
pub(crate) fn lesson(rows: usize, classes: u64, noise: f64, seed: u64) -> Lesson {
    let mut chance = Chance::from_seed(seed);
    let names: Vec<(String, u64)> = (0..classes).map(|class| (format!("label {class}"), 1)).collect();
    let template =
        Template::of_prompt("", &[Turn { role: Role::User, text: "Which one? {text}".to_owned() }]).unwrap();
    let labels = LabelSet::of_labels(&names, Shape::Word).unwrap();
    let bound = Bound { teacher: "openai/gpt-4".to_owned(), ..Bound::default() };
    let examples = (0..rows)
        .map(|row| {
            let class = chance.below(classes);
            let words: Vec<String> = (0..8)
                .map(|place| {
                    let of = if place % 2 == 0 || place == 7 { class } else { 5 + chance.below(7) };
                    word(of, chance.below(40))
                })
                .collect();
            let label = if chance.hits(noise) { chance.below(classes) } else { class };
            Example {
                name: format!("row {row}"),
                text: words.join(" "),
                label: u32::try_from(label).unwrap(),
                at: Timestamp(i64::try_from(row).unwrap() * 60_000),
            }
        })
        .collect();
    Lesson { task: Served::new("words", template, labels, bound), examples, costs: None }
}

/// Recorded texts with the labels `0 no` and `1 yes`.
pub(crate) fn lesson_of(rows: &[(String, u32)]) -> Lesson {
    let mut lesson = lesson(0, 2, 0.0, 0);
    lesson.examples = rows
        .iter()
        .enumerate()
        .map(|(row, (text, label))| Example {
            name: format!("row {row}"),
            text: text.clone(),
            label: *label,
            at: Timestamp(0),
        })
        .collect();
    lesson
}

fn trained(lesson: &Lesson, embedded: Option<Embedded<'_>>, settings: &Settings, crew: &dyn Crew) -> Trained {
    train(lesson, embedded, settings, crew, &|_| ()).unwrap()
}

fn of_part(lesson: &Lesson, trained: &Trained, part: Part) -> Vec<Example> {
    let rows = lesson.examples.iter().zip(&trained.parts);
    rows.filter(|(_, of)| **of == part).map(|(example, _)| example.clone()).collect()
}

/// Embeddings that say the class, all but loudly.
fn embeddings(lesson: &Lesson, dim: usize) -> Vec<f32> {
    let mut chance = Chance::from_seed(99);
    let mut values = Vec::new();
    for example in &lesson.examples {
        for place in 0..dim {
            let own = if place == example.label as usize { 0.6 } else { 0.0 };
            values.push(own + f32::from(u16::try_from(chance.below(1_000)).unwrap()) / 2_000.0);
        }
    }
    values
}

#[test]
fn a_task_that_can_be_learned_is_certified_and_served_as_the_certificate_says() {
    let lesson = lesson(1_600, 4, 0.003, SEED);
    let settings = Settings::new(SEED, Timestamp(1));
    let made = trained(&lesson, None, &settings, &Alone);
    let certificate = made.certificates.served();
    let Ruling::Certified { .. } = certificate.ruling else { panic!("{:?}", certificate.ruling) };
    assert_eq!(certificate.terms.promise, Promise::AllTraffic);
    // Both promises stake, the served one first.
    assert_eq!(certificate.delta_ppm_together, 50_000);
    assert_eq!(made.certificates.local.delta_ppm_together, 100_000);
    assert_eq!(made.certificates.local.ledger.spent, vec![certificate.spent()]);
    let counts = made.report.counts;
    assert_eq!(counts.fit + counts.calibrate + counts.audit + counts.repeats, 1_600);
    let realised = made.report.realised.unwrap();
    assert!(realised.local.ppm > 800_000, "{realised:?}");
    assert_eq!(realised.local.of, counts.audit);
    assert!(made.report.agreement.ppm > 960_000);
    assert_eq!(made.report.chosen.heads, Speaks::Ngram);
    // The file's thresholds and the certificate's words are one rule, also on text that nobody knows.
    let mut local = 0;
    let strange = ["", "zzz qqq xxx", "0123 4567 89", "bakuri zzz qqq", "tesalo"];
    let texts = lesson.examples.iter().map(|example| example.text.as_str()).chain(strange);
    for text in texts {
        let said = made.labeller.label(text, None).unwrap();
        let by_certificate = certificate.is_local(said.confidence, said.label, Some(1.0 - said.known));
        assert_eq!(said.local, by_certificate, "{text}: {said:?}");
        local += u64::from(said.local);
    }
    assert!(local > 1_000);
    assert!(!made.labeller.label("zzz qqq xxx", None).unwrap().local);
}

#[test]
fn the_same_bits_on_one_thread_and_on_two_and_in_any_order() {
    struct Backwards;
    impl Crew for Backwards {
        fn all(&self, jobs: Vec<Job<'_>>) {
            jobs.into_iter().rev().for_each(|job| job());
        }
    }
    let lesson = lesson(500, 5, 0.02, SEED);
    let values = embeddings(&lesson, 8);
    let embedded = Some(Embedded { model_sha256: [5; 32], values: &values, dim: 8 });
    let settings = Settings::new(SEED, Timestamp(1));
    let file = |made: &Trained| Draft::of(&made.labeller).finish(None);
    for embedded in [None, embedded] {
        let alone = trained(&lesson, embedded, &settings, &Alone);
        let crews: [&dyn Crew; 4] = [&Threads(1), &Threads(2), &Threads(5), &Backwards];
        for crew in crews {
            let again = trained(&lesson, embedded, &settings, crew);
            assert_eq!(file(&again), file(&alone));
            assert_eq!(again, alone);
        }
        assert_eq!(Labeller::parse(&file(&alone)).unwrap(), alone.labeller);
        let other = trained(&lesson, embedded, &Settings::new(SEED + 1, Timestamp(1)), &Alone);
        assert_ne!(file(&other), file(&alone));
    }
}

#[test]
fn embeddings_speak_where_they_know_more_and_only_where_they_may() {
    // Half of the labels are drawn by chance: texts cannot tell them, these embeddings can.
    let lesson = lesson(700, 4, 0.5, SEED);
    let values = embeddings(&lesson, 6);
    let embedded = Some(Embedded { model_sha256: [5; 32], values: &values, dim: 6 });
    let mut settings = Settings::new(SEED, Timestamp(1));
    let free = trained(&lesson, embedded, &settings, &Alone);
    assert_ne!(free.report.chosen.heads, Speaks::Ngram, "{:?}", free.report.chosen);
    assert_eq!(free.labeller.dense.as_ref().unwrap().model_sha256, [5; 32]);
    assert!(free.report.chosen.dense_cost.is_some());
    settings.heads = Some(Heads::Ngram);
    let bound = trained(&lesson, embedded, &settings, &Alone);
    assert!(bound.report.chosen.by_hand && bound.labeller.dense.is_none());
    assert_eq!(bound.report.chosen.dense_right, None, "what does not speak is not trained");
    settings.heads = Some(Heads::Dense);
    assert_eq!(trained(&lesson, embedded, &settings, &Alone).report.chosen.heads, Speaks::Dense);
    assert_eq!(train(&lesson, None, &settings, &Alone, &|_| ()), Err(Untrainable::NoEmbeddings));
    let short = Some(Embedded { model_sha256: [5; 32], values: &values[1..], dim: 6 });
    assert!(matches!(train(&lesson, short, &settings, &Alone, &|_| ()), Err(Untrainable::Embeddings(_))));
}

#[test]
fn a_noisy_task_is_refused_and_its_file_answers_nothing() {
    let lesson = lesson(900, 3, 0.6, SEED);
    let settings = Settings { serve: Promise::AnsweredLocally, ..Settings::new(SEED, Timestamp(1)) };
    let made = trained(&lesson, None, &settings, &Alone);
    let refused =
        |ruling: &Ruling| matches!(ruling, Ruling::Refused { reason: Refusal::TooManyDiffer { .. } });
    assert!(refused(&made.certificates.local.ruling), "{:?}", made.certificates.local.ruling);
    // Of all traffic 2 % may differ, so a sliver could be answered whatever the labeller is worth.
    assert!(made.certificates.all.audit.is_none_or(|audit| audit.local.ppm < 100_000));
    assert!(lesson.examples.iter().all(|row| !made.labeller.label(&row.text, None).unwrap().local));
    assert_eq!((made.report.realised, made.report.savings), (None, None));
    let suspicious = &made.report.suspicious;
    assert_eq!(suspicious.len(), 100);
    assert!(suspicious.is_sorted_by(|a, b| a.confidence_micro >= b.confidence_micro));
    assert!(suspicious.iter().all(|row| row.label != row.says));
    // It can be verified all the same.
    let rows = of_part(&lesson, &made, Part::Calibrate);
    let given = Given { examples: &rows, embedded: None };
    assert_eq!(verify(&made.labeller, Some(given), None).unwrap().calibration_rows, rows.len() as u64);
}

/// Counts the jobs and does none.
struct Idle(AtomicU32);
impl Crew for Idle {
    fn all(&self, jobs: Vec<Job<'_>>) {
        self.0.fetch_add(u32::try_from(jobs.len()).unwrap(), Ordering::Relaxed);
    }
}

#[test]
fn stages_are_told_in_order_and_what_cannot_be_trained_is_said() {
    let good = lesson(300, 3, 0.0, SEED);
    let settings = Settings::new(SEED, Timestamp(1));
    let told = Mutex::new(Vec::new());
    train(&good, None, &settings, &Alone, &|stage| told.lock().unwrap().push(stage)).unwrap();
    let mut expected = vec![Stage::Group];
    expected.extend((0..=5).map(|done| Stage::Fold { done, of: 5 }));
    expected.extend([Stage::Choose, Stage::Fit, Stage::Judge, Stage::Certify]);
    assert_eq!(*told.lock().unwrap(), expected);
    let error = |lesson: &Lesson| train(lesson, None, &settings, &Alone, &|_| ()).unwrap_err();
    let mut bad = good.clone();
    bad.examples.truncate(12);
    assert!(matches!(error(&bad), Untrainable::Rows { need: 10, .. }), "{:?}", error(&bad));
    let mut bad = good.clone();
    bad.examples.iter_mut().for_each(|example| example.label = 1);
    assert_eq!(error(&bad), Untrainable::Classes(1));
    let mut bad = good.clone();
    bad.task.bound.labels.clear();
    assert_eq!(error(&bad), Untrainable::Task("the hash of the labels"));
    let mut bad = good;
    bad.examples[7].label = 3;
    assert!(error(&bad).to_string().contains("row 7"), "{}", error(&bad));
    let idle = Idle(AtomicU32::new(0));
    let undone = train(&lesson(300, 3, 0.0, SEED), None, &settings, &idle, &|_| ());
    assert_eq!((undone, idle.0.into_inner()), (Err(Untrainable::Undone), 5));
}

#[test]
fn a_file_is_verified_from_its_rows_and_other_rows_are_named() {
    let lesson = lesson(1_200, 4, 0.01, SEED);
    let made = trained(&lesson, None, &Settings::new(SEED, Timestamp(1)), &Alone);
    let [calibration, audit] = [Part::Calibrate, Part::Audit].map(|part| of_part(&lesson, &made, part));
    let given = |examples| Some(Given { examples, embedded: None });
    let labeller = Labeller::parse(&Draft::of(&made.labeller).finish(None)).unwrap();
    let verified = verify(&labeller, given(&calibration), given(&audit)).unwrap();
    assert_eq!(verified.certificates, made.certificates);
    assert_eq!(
        (verified.calibration_rows, verified.audit_rows),
        (calibration.len() as u64, audit.len() as u64)
    );
    let mut turned = calibration.clone();
    turned.reverse();
    assert!(verify(&labeller, given(&turned), None).is_ok(), "their order does not matter");
    assert!(verify(&labeller, None, None).is_ok());
    let missing = verify(&labeller, given(&calibration[1..]), None).unwrap_err();
    let need = calibration.len() as u64;
    assert_eq!(missing, NotVerified::Count { which: "calibration", need, have: need - 1 });
    assert!(missing.to_string().contains(&format!("{} calibration rows were given", need - 1)));
    let mut changed = calibration.clone();
    changed[3].label ^= 1;
    let wrong = verify(&labeller, given(&changed), None).unwrap_err();
    assert!(matches!(wrong, NotVerified::Rows { which: "calibration", .. }), "{wrong}");
    // Another seed divides rows of equal times otherwise.
    let mut timeless = lesson.clone();
    timeless.examples.iter_mut().for_each(|example| example.at = Timestamp(5));
    let one = trained(&timeless, None, &Settings::new(SEED, Timestamp(1)), &Alone);
    let other = trained(&timeless, None, &Settings::new(SEED + 1, Timestamp(1)), &Alone);
    let rows = of_part(&timeless, &other, Part::Calibrate);
    let wrong = verify(&one.labeller, given(&rows), None).unwrap_err();
    assert!(
        wrong.to_string().contains("another seed") || wrong.to_string().contains("rows were given"),
        "{wrong}"
    );
    // A file that says more than its rows show.
    let mut greedy = labeller.clone();
    greedy.thresholds.confidence_min /= 2.0;
    assert_eq!(verify(&greedy, None, None), Err(NotVerified::Thresholds));
    let mut forged = labeller.clone();
    let mut certificates = made.certificates.clone();
    certificates.local.steps[0].differs += 1;
    forged.certificate = certificates.to_bytes();
    let wrong = verify(&forged, given(&calibration), None).unwrap_err();
    assert!(matches!(&wrong, NotVerified::Certificate(what) if what[0].starts_with("local")), "{wrong}");
    let mut bare = labeller;
    bare.certificate.clear();
    assert_eq!(verify(&bare, None, None), Err(NotVerified::NoCertificates));
}

#[test]
fn every_single_bit_of_a_trained_file_counts() {
    let mut lesson = lesson(60, 2, 0.0, SEED);
    lesson.examples.iter_mut().for_each(|example| example.text.truncate(14));
    let made = trained(&lesson, None, &Settings::new(SEED, Timestamp(1)), &Alone);
    let file = Draft::of(&made.labeller).finish(None);
    assert!(Labeller::parse(&file).is_ok());
    // Of the bits that say which n-grams are known every 97th byte is tried, of all others each.
    let known = 1_000..66_000;
    for at in (0..file.len()).filter(|at| !known.contains(at) || at % 97 == 0) {
        for bit in 0..8 {
            let mut changed = file.clone();
            changed[at] ^= 1 << bit;
            assert!(Labeller::parse(&changed).is_err(), "byte {at} bit {bit}");
        }
    }
}

#[test]
fn labels_that_no_text_tells_are_refused_whatever_threshold_would_pass() {
    let lesson = lesson(900, 2, 1.0, SEED);
    let made = trained(&lesson, None, &Settings::new(SEED, Timestamp(1)), &Alone);
    for certificate in [&made.certificates.all, &made.certificates.local] {
        let Ruling::Refused { reason: Refusal::NothingLearned { right, most, of } } = &certificate.ruling
        else {
            panic!("{:?}", certificate.ruling);
        };
        assert!(right <= of && most <= of && *of > 400, "{right} {most} {of}");
        assert!(certificate.steps.is_empty(), "the calibration rows were not looked at");
    }
    let rows = of_part(&lesson, &made, Part::Calibrate);
    assert!(verify(&made.labeller, Some(Given { examples: &rows, embedded: None }), None).is_ok());
    // One label nearly always is no reason: naming it always keeps the promise.
    let mut constant = lesson;
    for (row, example) in constant.examples.iter_mut().enumerate() {
        example.label = u32::from(row % 150 == 0);
    }
    let made = trained(&constant, None, &Settings::new(SEED, Timestamp(1)), &Alone);
    assert!(
        matches!(made.certificates.all.ruling, Ruling::Certified { .. }),
        "{:?}",
        made.certificates.all.ruling
    );
}
