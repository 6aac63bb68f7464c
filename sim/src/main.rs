//! `sim`: runs seeded worlds and says what broke, with the way to run it again.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the face of a tool for the desk and for CI")]

use sim::{Plant, Run};
use std::collections::BTreeMap;
use std::process::ExitCode;

const USAGE: &str = "usage: sim [--seeds COUNT] [--seed N [--trace]] [--plant BUG]

  --seeds COUNT  run the worlds of the seeds 0 .. COUNT (default 1000)
  --seed N       run the world of this seed only
  --trace        print its every event and action
  --plant BUG    put a bug into the driver";

#[derive(Debug, Default)]
struct Arguments {
    seeds: Option<u64>,
    seed: Option<u64>,
    trace: bool,
    plant: Option<Plant>,
}

fn arguments() -> Result<Arguments, String> {
    let mut read = Arguments::default();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value"));
        let number = |text: String| text.parse().map_err(|_| format!("`{text}` is no number"));
        match word.as_str() {
            "--seeds" => read.seeds = Some(number(value()?)?),
            "--seed" => read.seed = Some(number(value()?)?),
            "--trace" => read.trace = true,
            "--plant" => {
                let name = value()?;
                let names = || Plant::ALL.map(|plant| format!("{plant:?}")).join(", ");
                read.plant =
                    Some(Plant::parse(&name).ok_or_else(|| format!("no bug `{name}`\nhint: {}", names()))?);
            }
            _ => return Err(format!("unknown argument `{word}`\n{USAGE}")),
        }
    }
    Ok(read)
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    #[expect(clippy::disallowed_methods, reason = "the speed of the simulation is measured here only")]
    let start = std::time::Instant::now();
    let seeds = match arguments.seed {
        Some(seed) => seed..seed + 1,
        None => 0..arguments.seeds.unwrap_or(1_000),
    };
    let mut sums = Sums::default();
    for seed in seeds {
        let run =
            if arguments.trace { sim::trace(seed, arguments.plant) } else { sim::run(seed, arguments.plant) };
        run.trace.iter().for_each(|line| println!("{line}"));
        sums.add(&run);
        if !run.violations.is_empty() {
            report(&run, arguments.plant);
            if sums.broken >= 5 {
                eprintln!("five worlds are broken: giving up");
                break;
            }
        }
    }
    sums.print(start.elapsed().as_secs_f64().max(1e-9));
    if sums.broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Sums over all worlds.
#[derive(Debug, Default)]
struct Sums {
    worlds: u64,
    broken: u64,
    died: u64,
    requests: u64,
    attempts: u64,
    whole: u64,
    faults: BTreeMap<&'static str, u64>,
    outcomes: BTreeMap<&'static str, u64>,
}

impl Sums {
    fn add(&mut self, run: &Run) {
        self.worlds += 1;
        self.broken += u64::from(!run.violations.is_empty());
        self.died += u64::from(run.died);
        self.requests += run.requests;
        self.attempts += run.attempts;
        self.whole += run.whole;
        for (fault, count) in &run.faults {
            *self.faults.entry(fault.name()).or_default() += count;
        }
        for (outcome, count) in &run.outcomes {
            *self.outcomes.entry(outcome.name()).or_default() += count;
        }
    }

    fn print(&self, seconds: f64) {
        let list = |counts: &BTreeMap<&str, u64>| {
            counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
        };
        println!("outcomes: {}", list(&self.outcomes));
        println!("faults: {}", list(&self.faults));
        println!(
            "{} worlds ({} died midway), {} broken; {} requests, {} attempts, {} whole answers; {seconds:.1} s, {:.0} requests/s",
            self.worlds,
            self.died,
            self.broken,
            self.requests,
            self.attempts,
            self.whole,
            self.requests as f64 / seconds
        );
    }
}

fn report(run: &Run, plant: Option<Plant>) {
    eprintln!("seed {} is broken:", run.seed);
    for violation in &run.violations {
        eprintln!("  {violation}");
    }
    let plant = plant.map(|plant| format!(" --plant {plant:?}")).unwrap_or_default();
    eprintln!("  replay: cargo run --release -p sim -- --seed {}{plant} --trace", run.seed);
}
