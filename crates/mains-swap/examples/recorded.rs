//! Prints what the recorded data sets say about replacing one model by another.
#![expect(clippy::print_stdout, reason = "an example prints")]

#[path = "../tests/it/recorded/mod.rs"]
mod recorded;

use mains_swap::{Ppm, Verdict};
use recorded::Tested;

fn verdict(tested: &Tested) -> String {
    let stopped = tested.stopped.map_or_else(|| "-".into(), |n| n.to_string());
    format!("{:11} {stopped:>5}", tested.ruling.verdict.name())
}

fn interval(tested: &Tested) -> String {
    let evidence = tested.ruling.evidence;
    let estimate = evidence.estimate.unwrap_or(Ppm(0));
    format!("{estimate:>7} [{:>7}, {:>7}]", evidence.low, evidence.high)
}

fn line(name: &str, tested: &Tested) {
    let n = tested.tally.n();
    println!("{name:34} {n:5} ({} left out)  {}  {}", tested.left_out, verdict(tested), interval(tested));
}

fn main() -> Result<(), String> {
    println!(
        "OVERRULING, GPT-4 replaced; % that agree, points by gold (new - old); verdict and items at which it stood"
    );
    for row in recorded::overruling()? {
        println!(
            "{:17} saved {:5.1} %  agree {} 2: {} 5: {}  gold {} 2: {} 5: {}  ({} left out)",
            row.model,
            row.saved,
            interval(&row.agreement[1]),
            verdict(&row.agreement[0]),
            verdict(&row.agreement[1]),
            interval(&row.gold[1]),
            verdict(&row.gold[0]),
            verdict(&row.gold[1]),
            row.agreement[1].left_out,
        );
    }
    println!();
    let [two, five] = recorded::mmlu()?;
    line("MMLU GPT-4 to Mixtral, 2 points", &two);
    line("MMLU GPT-4 to Mixtral, 5 points", &five);
    let [agree, truth] = recorded::primes()?;
    line("PRIME 0314 to 0613, agreement, 5", &agree);
    line("PRIME 0314 to 0613, truth, 5", &truth);
    let logs = recorded::logs()?;
    println!(
        "\nlogs, 5 points: system, pairs, by agreement (not worse / worse / not decided), of the accepted: gold not worse"
    );
    for system in recorded::LOGS {
        let pairs: Vec<_> = logs.iter().filter(|pair| pair.system == system).collect();
        let count = |verdict| pairs.iter().filter(|pair| pair.agreement.ruling.verdict == verdict).count();
        let accepted: Vec<_> =
            pairs.iter().filter(|pair| pair.agreement.ruling.verdict == Verdict::NonInferior).collect();
        let fine = accepted.iter().filter(|pair| pair.gold.ruling.verdict == Verdict::NonInferior).count();
        println!(
            "{system:8} {:3} pairs: {} / {} / {}; {fine} of {} accepted",
            pairs.len(),
            count(Verdict::NonInferior),
            count(Verdict::Inferior),
            count(Verdict::Undecided),
            accepted.len()
        );
        for pair in accepted {
            println!(
                "    {} to {}: agree {}; gold {} {}",
                pair.old,
                pair.new,
                interval(&pair.agreement),
                interval(&pair.gold),
                verdict(&pair.gold)
            );
        }
    }
    Ok(())
}
