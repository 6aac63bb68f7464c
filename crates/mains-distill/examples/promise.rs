//! How often the promise of a whole training is broken: the log is drawn anew, trained on, certified, and the rest of the
//! data set is the traffic that comes after.
//!
//! `cargo run --release -p mains-distill --example promise [RUNS]` (default 300), data sets as for `accuracy`. Fails where a
//! promise is broken more often than its confidence allows, or where none is ever broken: then delta is not used. The
//! confidence speaks of all logs, those whose promise was refused among them; how many of the certified ones are broken
//! stands beside it, and is more where few are certified.
#![expect(clippy::print_stdout, reason = "an example prints")]

#[expect(dead_code, reason = "shared by the examples; this one uses a part")]
mod common;

use common::Threads;
use mains_distill::certificate::{Certificate, Promise, Ruling, Step, Terms, tails};
use mains_distill::labeller::{Labeller, Scratch};
use mains_distill::training::{Settings, train};
use mains_units::{Chance, Timestamp};
use std::error::Error;
use std::sync::Mutex;

/// Rows in a drawn log: half to fit, 35 % to calibrate, the rest to audit.
const LOG_ROWS: usize = 1_500;
const SEED: u64 = 5;

type Rows = Vec<(String, u32)>;

/// What the traffic after one training shows of one rule.
#[derive(Default, Clone, Copy)]
struct Seen {
    certified: u64,
    broken: u64,
    /// The sum of the local shares.
    local: f64,
}

/// Two promises, each by our rule and by the plug-in rule.
type Sheet = [[Seen; 2]; 2];

fn main() -> Result<(), Box<dyn Error>> {
    let runs = std::env::args().nth(1).map_or(Ok(300), |word| word.parse())?;
    println!(
        "{runs} logs of {LOG_ROWS} rows each, drawn from train and test rows together, seed {SEED}, 95 % confidence"
    );
    println!("broken: of the rows outside the log, more differ than the certificate says\n");
    println!(
        "{:10} {:28} {:15} {:>9} {:>7} {:>12} {:>20} {:>8}",
        "", "promise", "threshold by", "certified", "broken", "of all logs", "of those certified", "local"
    );
    let most = bound(runs, promises()[0].delta());
    let (mut faults, mut ever) = (Vec::new(), 0);
    for name in ["banking77", "ag_news", "sst2", "trec6"] {
        let (Some(mut rows), Some(test)) = (common::rows(name, "train"), common::rows(name, "test")) else {
            println!("left out, no data in {}: {name}", common::folder().display());
            continue;
        };
        rows.extend(test);
        let sheet = resample(name, &rows, runs)?;
        for (said, of) in sheet.iter().zip(promises()) {
            for (seen, rule) in said.iter().zip(["learn then test", "looks good here"]) {
                let what = match of.promise {
                    Promise::AllTraffic => "of all traffic",
                    Promise::AnsweredLocally => "of what is answered here",
                };
                let promise = format!("{} % {what}", of.eps_ppm / 10_000);
                let share = |count: f64, all: u64| format!("{:.1} %", 100.0 * count / all.max(1) as f64);
                println!(
                    "{name:10} {promise:28} {rule:15} {:>9} {:>7} {:>12} {:>20} {:>8}",
                    seen.certified,
                    seen.broken,
                    share(seen.broken as f64, runs),
                    share(seen.broken as f64, seen.certified),
                    share(seen.local, seen.certified)
                );
            }
            ever += said[0].broken;
            if said[0].broken > most {
                faults.push(format!("{name}: broken in {} of {runs} logs", said[0].broken));
            }
        }
    }
    println!("\nat most {most} of {runs} broken are in line with 5 % (the binomial's 95 % point)");
    if ever == 0 {
        faults.push("no promise was ever broken: delta is not used".to_owned());
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ").into()) }
}

fn promises() -> [Terms; 2] {
    [Terms::new(Promise::AllTraffic, 20_000), Terms::new(Promise::AnsweredLocally, 50_000)]
}

/// The most broken promises of so many logs that are in line with `delta`: the 95 % point of the binomial.
fn bound(runs: u64, delta: f64) -> u64 {
    (0..runs).find(|broken| tails::at_most(*broken, runs, delta) >= 0.95).unwrap_or(runs)
}

fn resample(name: &str, rows: &Rows, runs: u64) -> Result<Sheet, Box<dyn Error>> {
    let classes = rows.iter().map(|(_, label)| *label as usize + 1).max().unwrap_or(0);
    let mut chance = Chance::from_seed(SEED);
    let draws: Vec<Chance> = (0..runs).map(|_| chance.split()).collect();
    let (left, sheet) = (Mutex::new(draws.into_iter().enumerate()), Mutex::new(Sheet::default()));
    let work = || -> Result<(), String> {
        loop {
            let Some((run, mut chance)) = left.lock().ok().and_then(|mut left| left.next()) else {
                return Ok(());
            };
            let one = one(name, rows, classes, run as u64, &mut chance).map_err(|error| error.to_string())?;
            let mut sheet = sheet.lock().map_err(|_| "another thread failed")?;
            for (sum, add) in sheet.iter_mut().flatten().zip(one.iter().flatten()) {
                sum.certified += add.certified;
                sum.broken += add.broken;
                sum.local += add.local;
            }
        }
    };
    std::thread::scope(|scope| {
        let crew: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        crew.into_iter().try_for_each(|one| one.join().unwrap_or_else(|_| Err("a thread failed".to_owned())))
    })?;
    Ok(sheet.into_inner().map_err(|_| "a thread failed")?)
}

/// One log, one training, and the traffic after it.
fn one(
    name: &str,
    rows: &Rows,
    classes: usize,
    run: u64,
    chance: &mut Chance,
) -> Result<Sheet, Box<dyn Error>> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    for place in 0..LOG_ROWS.min(rows.len()) {
        let other = place + usize::try_from(chance.below((rows.len() - place) as u64))?;
        order.swap(place, other);
    }
    let (log, after) = order.split_at(LOG_ROWS.min(rows.len()));
    let log: Rows = log.iter().map(|place| rows[*place].clone()).collect();
    let [all, local] = promises();
    let lesson = common::lesson(name, &log, classes)?;
    let settings = Settings { all, local, ..Settings::new(run, Timestamp(0)) };
    let made = train(&lesson, None, &settings, &Threads(1), &|_| ())?;
    let said = judged(&made.labeller, after.iter().map(|place| &rows[*place]))?;
    let certificates = [&made.certificates.all, &made.certificates.local];
    Ok(certificates
        .map(|certificate| [certificate.clone(), plug_in(certificate)].map(|one| seen(&one, &said))))
}

/// A text of the traffic after: confidence, label, strangeness, and whether the label is another one.
type Said = (f32, u32, f32, bool);

fn judged<'r>(
    labeller: &Labeller,
    rows: impl Iterator<Item = &'r (String, u32)>,
) -> Result<Vec<Said>, Box<dyn Error>> {
    let mut scratch = Scratch::default();
    rows.map(|(text, label)| {
        let said = labeller.label_with(text, None, &mut scratch)?;
        Ok((said.confidence, said.label, 1.0 - said.known, said.label != *label))
    })
    .collect()
}

/// The common way: the greediest threshold at which the share that differs on the calibration rows is what may differ.
fn plug_in(certificate: &Certificate) -> Certificate {
    let eps = certificate.terms.eps();
    let good = |step: &&Step| {
        let of = match certificate.terms.promise {
            Promise::AllTraffic => certificate.rows,
            Promise::AnsweredLocally => step.local,
        };
        step.local > 0 && step.differs as f64 <= eps * of as f64
    };
    let mut believed = certificate.clone();
    if let Some(step) = certificate.steps.iter().rev().find(good) {
        believed.ruling = Ruling::Certified { threshold_micro: step.threshold_micro };
    }
    believed
}

fn seen(certificate: &Certificate, said: &[Said]) -> Seen {
    if certificate.threshold_micro().is_none() {
        return Seen::default();
    }
    let (mut local, mut differs) = (0u64, 0u64);
    for (confidence, class, strangeness, other) in said {
        if certificate.is_local(*confidence, *class, Some(*strangeness)) {
            local += 1;
            differs += u64::from(*other);
        }
    }
    let of = match certificate.terms.promise {
        Promise::AllTraffic => said.len() as u64,
        Promise::AnsweredLocally => local,
    };
    let broken = u64::from(differs as f64 > certificate.terms.eps() * of as f64);
    Seen { certified: 1, broken, local: local as f64 / said.len().max(1) as f64 }
}
