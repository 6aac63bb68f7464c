//! Measures the log on a real folder: how long a sync takes, how many leaves a second are appended with and
//! without waiting for it. `cargo run --release -p mains-store --example log_speed -- FOLDER`
#![expect(clippy::print_stdout, reason = "an example that prints figures")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use mains_ledger::Ed25519Signer;
use mains_store::log::{Appender, Clock, FileDisk, Log, LogError, LogReader};
use mains_units::Instant;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

const CALLERS: u64 = 64;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: log_speed FOLDER")?);
    let signer = Ed25519Signer::from_seed("mains.example/speed", &[1; 32])?;
    let key = signer.verifier().clone();
    let started = std::time::Instant::now();
    let clock: Clock =
        Arc::new(move || Instant(u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX)));
    let began = clock();
    let disk = Arc::new(FileDisk::create(&folder)?);
    let (log, recovered) = Log::open(disk, Arc::new(signer), &key)?;
    println!("open: {} leaves in {} ms", recovered.leaves, clock().since(began).as_ms());
    let appender = log.start(Arc::clone(&clock))?;
    let leaf = vec![b'x'; 700];

    let mut times = Vec::new();
    let began = clock();
    for _ in 0..100_000 {
        let before = clock();
        appender.append(&leaf)?;
        times.push(clock().since(before).0);
    }
    let took = clock().since(began);
    times.sort_unstable();
    let micro = |share: usize| times[(times.len() - 1) * share / 1000] as f64 / 1e3;
    println!(
        "batched, one caller: {:.0} leaves/s; append p50 {:.1} µs, p99 {:.1} µs, p99.9 {:.1} µs, max {:.1} µs",
        1e5 / took.as_s_f64(),
        micro(500),
        micro(990),
        micro(999),
        micro(1000)
    );
    appender.flush()?;
    println!("all of it synced and signed after {:.2} s", clock().since(began).as_s_f64());
    report(&appender);

    let began = clock();
    for _ in 0..200 {
        appender.append(&leaf)?.wait()?;
    }
    println!("strict, one caller: {:.0} leaves/s", 200.0 / clock().since(began).as_s_f64());
    let began = clock();
    thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(|| strict(&appender, &leaf))).collect();
        callers.into_iter().try_for_each(|caller| caller.join().unwrap_or(Err(LogError::Closed)))
    })?;
    let leaves = CALLERS as f64 * 100.0;
    println!("strict, {CALLERS} callers: {:.0} leaves/s", leaves / clock().since(began).as_s_f64());
    report(&appender);
    appender.close()?;
    let began = clock();
    let verified = LogReader::at(&folder).verify(&key)?;
    println!("verify: {} leaves in {} ms", verified.leaves, clock().since(began).as_ms());
    Ok(())
}

fn strict(appender: &Appender, leaf: &[u8]) -> Result<(), LogError> {
    (0..100).try_for_each(|_| appender.append(leaf)?.wait())
}

fn report(appender: &Appender) {
    let times = appender.sync_times();
    let ms = |span: mains_units::Span| span.as_s_f64() * 1e3;
    println!(
        "syncs: {}, {:.1} leaves each; mean {:.2} ms, recent median {:.2} ms, max {:.2} ms",
        times.count,
        times.leaves as f64 / times.count.max(1) as f64,
        ms(times.mean().unwrap_or_default()),
        ms(times.recent_median),
        ms(times.max)
    );
}
