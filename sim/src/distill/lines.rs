//! The table: populations, promises, and two ways of choosing.

use super::{Line, Population, Shows};
use mains_distill::certificate::{
    About, Ask, Calibration, Certificate, DeltaLedger, Plan, Promise, Ruling, Step, Terms, certify,
};
use mains_units::{Chance, Timestamp};

/// Calibration rows and the share that may differ, in millionths, by promise.
const TERMS: [(Promise, usize, u64); 4] = [
    (Promise::AllTraffic, 300, 20_000),
    (Promise::AllTraffic, 1_000, 20_000),
    (Promise::AnsweredLocally, 600, 50_000),
    (Promise::AnsweredLocally, 1_500, 20_000),
];

/// The whole table, `runs` draws a line. The same seed gives the same table.
pub fn table(populations: &[Population], runs: u32, seed: u64) -> Result<Vec<Line>, String> {
    let mut lines = Vec::new();
    let mut chance = Chance::from_seed(seed);
    for population in populations {
        for (promise, n, eps_ppm) in TERMS {
            let terms = Terms::new(promise, eps_ppm);
            lines.extend(pair(population, terms, n, runs, &mut chance.split())?);
        }
    }
    Ok(lines)
}

fn pair(
    population: &Population,
    terms: Terms,
    n: usize,
    runs: u32,
    chance: &mut Chance,
) -> Result<[Line; 2], String> {
    let wrong = |error: mains_distill::certificate::Malformed| error.to_string();
    let plan = Plan::from_training(&population.training, n as u64, &terms, None).map_err(wrong)?;
    let of = match terms.promise {
        Promise::AllTraffic => "all",
        Promise::AnsweredLocally => "local",
    };
    let world = format!("{}: {} % of {of}, {n} rows", population.name, terms.eps_ppm / 10_000);
    let line = |method, shows| Line {
        world: world.clone(),
        method,
        runs: runs.into(),
        certified: 0,
        broken: 0,
        local: 0.0,
        shows,
    };
    let mut ours = line("learn then test", Shows::Kept);
    let mut common = line("looks good here", Shows::Wrong);
    for _ in 0..runs {
        let places: Vec<usize> = (0..n)
            .map(|_| usize::try_from(chance.below(population.rows.len() as u64)).unwrap_or(0))
            .collect();
        let rows = population.rows.pick(&places);
        let certificate = certify(ask(terms, &plan, &rows)).map_err(wrong)?;
        add(&mut ours, &certificate, &population.rows);
        let plug_in = certificate.steps.iter().rev().find(|step| looks_good(step, &terms, n as u64));
        let mut believed = certificate.clone();
        if let Some(step) = plug_in {
            believed.ruling = Ruling::Certified { threshold_micro: step.threshold_micro };
            add(&mut common, &believed, &population.rows);
        }
    }
    ours.local /= f64::from(runs.max(1));
    common.local /= f64::from(runs.max(1));
    Ok([ours, common])
}

/// A certificate, or a refusal, with the plan of its training rows.
pub(super) fn certified(
    training: &Calibration,
    rows: &Calibration,
    terms: Terms,
) -> Result<Certificate, String> {
    let plan = Plan::from_training(training, rows.len() as u64, &terms, None);
    let plan = plan.map_err(|error| error.to_string())?;
    certify(ask(terms, &plan, rows)).map_err(|error| error.to_string())
}

fn ask<'a>(terms: Terms, plan: &Plan, rows: &'a Calibration) -> Ask<'a> {
    Ask {
        about: About {
            task: "resampled".into(),
            teacher: "recorded".into(),
            rows: "drawn".into(),
            at: Timestamp(0),
        },
        terms,
        plan: plan.clone(),
        calibration: rows,
        audit: None,
        ledger: DeltaLedger::new(terms.delta_ppm),
        ceiling: None,
        costs: None,
    }
}

/// The common way: the share that differs on the calibration rows is what may differ.
fn looks_good(step: &Step, terms: &Terms, n: u64) -> bool {
    let of = match terms.promise {
        Promise::AllTraffic => n,
        Promise::AnsweredLocally => step.local,
    };
    step.local > 0 && step.differs as f64 <= terms.eps() * of as f64
}

/// Counts one draw: the truth is the population's.
fn add(line: &mut Line, certificate: &Certificate, population: &Calibration) {
    if certificate.threshold_micro().is_none() {
        return;
    }
    let (mut local, mut differs) = (0u64, 0u64);
    for place in 0..population.len() {
        if certificate.is_local(population.confidence[place], population.class[place], None) {
            local += 1;
            differs += u64::from(population.differs[place]);
        }
    }
    let of = match certificate.terms.promise {
        Promise::AllTraffic => population.len() as u64,
        Promise::AnsweredLocally => local,
    };
    line.certified += 1;
    line.broken += u64::from(differs as f64 > certificate.terms.eps() * of as f64);
    line.local += local as f64 / population.len().max(1) as f64;
}
