//! What happens when the world changes: another teacher in mid-stream, answers that no text tells, foreign text.
//!
//! `cargo run --release -p mains-distill --example drift`. Data sets: `MAINS_DATASETS`, or beside the repository;
//! embeddings from `MAINS_EMBEDDINGS`, where they are.
#![expect(clippy::print_stdout, reason = "an example prints")]

#[expect(dead_code, reason = "shared by the examples; this one uses a part")]
mod common;
#[expect(dead_code, reason = "shared by the examples; this one uses a part")]
mod recorded;

use common::Threads;
use mains_distill::certificate::page;
use mains_distill::labeller::{Labeller, Scratch};
use mains_distill::split::Shares;
use mains_distill::training::{Embedded, Lesson, Part, Scope, Settings, Trained, train};
use mains_distill::watch::{Audited, Bound, Watch, changed};
use mains_units::{Chance, Timestamp};
use recorded::Recorded;
use std::error::Error;

const SEED: u64 = 5;
/// Streams of which the median is told.
const RUNS: usize = 300;
/// Requests after which a change is given up on.
const REQUESTS_MAX: u64 = 300_000;

fn main() -> Result<(), Box<dyn Error>> {
    teachers()?;
    primes()?;
    for (task, other) in [("banking77", "trec6"), ("trec6", "banking77"), ("sst2", "ag_news")] {
        foreign(task, other, false)?;
        foreign(task, other, true)?;
    }
    Ok(())
}

fn trained(lesson: &Lesson, settings: &Settings) -> Result<Trained, Box<dyn Error>> {
    Ok(train(lesson, None, settings, &Threads(2), &|_| ())?)
}

/// GPT-4 becomes another model: with another fingerprint, and without.
fn teachers() -> Result<(), Box<dyn Error>> {
    let Some(recorded) = Recorded::read("gpt-4")? else {
        println!("left out: overruling_12llm");
        return Ok(());
    };
    let mut lesson = recorded.lesson()?;
    lesson.task.bound.fingerprints.insert("fp_before".to_owned());
    let shares = Shares { fit_ppm: 400_000, calibrate_ppm: 300_000 };
    let made = trained(&lesson, &Settings { shares, ..Settings::new(SEED, Timestamp(0)) })?;
    println!(
        "overruling: a labeller of GPT-4's answers, certified at 2 % of all traffic; then the teacher changes"
    );
    let bound = made.labeller.task.as_ref().map(|task| &task.bound).ok_or("no task")?;
    let seen = Bound { fingerprints: ["fp_after".to_owned()].into(), ..bound.clone() };
    println!("with another fingerprint: {:?}, before any answer is given", changed(bound, &seen));
    println!("without: median of {RUNS} streams, 200 audited calls before the change");
    println!(
        "{:20} {:>10} {:>14} {:>18} {:>18} {:>7}",
        "now", "differs %", "audited calls", "requests at 1 %", "requests at 10 %", "missed"
    );
    let mut chance = Chance::from_seed(SEED);
    let fresh: Vec<Said> = said(&made, &recorded)?;
    for (number, name) in recorded.others.iter().enumerate() {
        // What the new model gives no label to is no answer of the task: it is left out of the stream.
        let calls: Vec<Audited> = fresh
            .iter()
            .filter_map(|(place, local, class)| {
                let now = recorded.rows[*place].others[number]?;
                Some(Audited { local: *local, differs: *class != now })
            })
            .collect();
        let before: Vec<Audited> = fresh
            .iter()
            .map(|(place, local, class)| Audited {
                local: *local,
                differs: *class != recorded.rows[*place].label,
            })
            .collect();
        let wrong = calls.iter().filter(|call| call.local && call.differs).count();
        let differs = 100.0 * wrong as f64 / calls.len().max(1) as f64;
        let slow = noticed(&made, 10_000, &before, &calls, &mut chance.split())?;
        let fast = noticed(&made, 100_000, &before, &calls, &mut chance.split())?;
        println!(
            "{name:20} {differs:10.1} {:>14} {:>18} {:>18} {:>7}",
            slow.calls, slow.requests, fast.requests, slow.missed
        );
    }
    Ok(())
}

/// A row by its place, whether it is answered locally, and with what.
type Said = (usize, bool, u32);

/// The audit rows.
fn said(made: &Trained, recorded: &Recorded) -> Result<Vec<Said>, Box<dyn Error>> {
    let audit = (0..recorded.rows.len()).filter(|place| made.parts[*place] == Part::Audit);
    audit
        .map(|place| {
            let said = made.labeller.label(&recorded.rows[place].text, None)?;
            Ok((place, said.local, said.label))
        })
        .collect()
}

/// Medians; text where more than half are missed.
struct Noticed {
    calls: String,
    requests: String,
    missed: usize,
}

fn noticed(
    made: &Trained,
    share_ppm: u64,
    before: &[Audited],
    after: &[Audited],
    chance: &mut Chance,
) -> Result<Noticed, Box<dyn Error>> {
    let drawn = |calls: &[Audited], chance: &mut Chance| {
        usize::try_from(chance.below(calls.len() as u64)).ok().and_then(|place| calls.get(place).copied())
    };
    let mut found = Vec::new();
    for _ in 0..RUNS {
        let terms = &made.certificates.served().terms;
        let mut watch = Watch::of(terms, share_ppm, 10_000)?;
        while watch.calls < 200 && watch.withdrawn.is_none() {
            watch.observe(drawn(before, chance).ok_or("no rows")?, Timestamp(0));
        }
        let start = watch.calls;
        let request = (1..=REQUESTS_MAX).find(|_| {
            let audited = watch.audits(chance.next_u64());
            let call = drawn(after, chance).filter(|_| audited);
            call.is_some_and(|call| watch.observe(call, Timestamp(0)).is_some())
        });
        found.extend(request.map(|request| (request, watch.calls - start)));
    }
    found.sort_unstable();
    let missed = RUNS - found.len();
    let middle = found.get(RUNS / 2);
    let text = |value: Option<u64>| value.map_or("not noticed".to_owned(), |value| value.to_string());
    Ok(Noticed {
        calls: text(middle.map(|found| found.1)),
        requests: text(middle.map(|found| found.0)),
        missed,
    })
}

/// Whether a number is prime, as GPT-4 said in March 2023: the yes or no alone, which no text tells.
fn primes() -> Result<(), Box<dyn Error>> {
    let file = common::folder().join("llmdrift/prime.csv");
    if !file.exists() {
        println!("left out: llmdrift");
        return Ok(());
    }
    let mut rows = Vec::new();
    for record in csv::Reader::from_path(file)?.into_records() {
        let record = record?;
        let answer = record[8].to_lowercase();
        let label = match (answer.contains("[yes]"), answer.contains("[no]")) {
            (true, false) => 1,
            (false, true) => 0,
            _ => continue,
        };
        if record[0].ends_with("gpt-4-0314") {
            // What varies in the prompt is the number.
            rows.push((record[6].chars().filter(char::is_ascii_digit).collect::<String>(), label));
        }
    }
    let lesson = common::lesson("primes", &rows, 2)?;
    let made = trained(&lesson, &Settings::new(SEED, Timestamp(0)))?;
    println!("\nPRIME, the extracted yes or no of gpt-4-0314, {} rows:", rows.len());
    for certificate in [&made.certificates.all, &made.certificates.local] {
        let text = page(certificate);
        text.lines().filter(|line| !line.is_empty()).skip(2).take(2).for_each(|line| println!("  {line}"));
    }
    Ok(())
}

/// Texts of another data set among the task's own, and every local answer to one of them a difference.
fn foreign(task: &str, other: &str, embedded: bool) -> Result<(), Box<dyn Error>> {
    let (tasks, _) = common::tasks();
    let find = |name: &str| tasks.iter().find(|task| task.name == name);
    let (Some(own), Some(other)) = (find(task), find(other)) else {
        println!("left out: {task} with {other}");
        return Ok(());
    };
    let embeddings = |name: &str| common::embeddings(name, "train").filter(|_| embedded);
    let (own_values, other_values) = (embeddings(own.name), embeddings(other.name));
    if embedded && (own_values.is_none() || other_values.is_none()) {
        println!("left out, no embeddings: {task} with {}", other.name);
        return Ok(());
    }
    let lesson = common::lesson(own.name, &own.train, own.classes)?;
    println!(
        "\n{} with texts of {} mixed in, {}, certified at 2 % of all traffic; all figures in %",
        own.name,
        other.name,
        if embedded { "n-grams and embeddings" } else { "n-grams" }
    );
    println!(
        "{:24} {:>10} {:>14} {:>12} {:>12} {:>12}",
        "limit", "own local", "foreign local", "differs 0 %", "at 5 %", "at 20 %"
    );
    for (name, strangeness) in [
        ("none", Scope::Any),
        ("99.5 % of training", Scope::Within { ppm: 995_000 }),
        ("98 % of training", Scope::Within { ppm: 980_000 }),
        ("95 % of training", Scope::Within { ppm: 950_000 }),
    ] {
        let settings = Settings { strangeness, ..Settings::new(SEED, Timestamp(0)) };
        let values =
            own_values.as_deref().map(|values| Embedded { model_sha256: [0; 32], values, dim: common::DIM });
        let made = train(&lesson, values, &settings, &Threads(2), &|_| ())?;
        let audit = (0..lesson.examples.len()).filter(|place| made.parts[*place] == Part::Audit);
        let rows: Vec<Row<'_>> = audit
            .map(|place| {
                let row = &lesson.examples[place];
                (row.text.as_str(), row.label, embedding(own_values.as_deref(), place))
            })
            .collect();
        let own_local = local(&made.labeller, rows.iter().copied())?;
        let strange = other.train.iter().enumerate();
        let strange = strange
            .map(|(place, (text, _))| (text.as_str(), u32::MAX, embedding(other_values.as_deref(), place)));
        let foreign_local = local(&made.labeller, strange)?;
        let differs = |share: f64| 100.0 * ((1.0 - share) * own_local.1 + share * foreign_local.0);
        println!(
            "{name:24} {:10.1} {:14.1} {:12.2} {:12.2} {:12.2}",
            100.0 * own_local.0,
            100.0 * foreign_local.0,
            differs(0.0),
            differs(0.05),
            differs(0.2)
        );
    }
    Ok(())
}

/// A text with its label and its embedding.
type Row<'r> = (&'r str, u32, Option<&'r [f32]>);

fn embedding(values: Option<&[f32]>, place: usize) -> Option<&[f32]> {
    values?.get(place * common::DIM..(place + 1) * common::DIM)
}

/// The share that is answered locally, and the share of all that is answered locally and differs.
fn local<'r>(labeller: &Labeller, rows: impl Iterator<Item = Row<'r>>) -> Result<(f64, f64), Box<dyn Error>> {
    let mut scratch = Scratch::default();
    let (mut local, mut differs, mut of) = (0u32, 0u32, 0u32);
    for (text, label, embedding) in rows {
        let said = labeller.label_with(text, embedding, &mut scratch)?;
        of += 1;
        local += u32::from(said.local);
        differs += u32::from(said.local && said.label != label);
    }
    let share = |count: u32| f64::from(count) / f64::from(of.max(1));
    Ok((share(local), share(differs)))
}
