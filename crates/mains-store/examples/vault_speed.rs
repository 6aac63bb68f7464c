//! Measures the vault on a real folder: what a request pays for an offer, what the vault's thread pays for an
//! exchange, how long opening, checking, reading and erasing take.
//! `cargo run --release -p mains-store --example vault_speed -- FOLDER`
#![expect(clippy::print_stdout, reason = "an example that prints figures")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use mains_store::vault::{
    Body, Exchange, Fresh, Keeper, KeeperOptions, Kek, NotKept, Offer, Vault, VaultError, VaultFilter,
    VaultOptions, VaultReader,
};
use mains_units::{RequestId, Span, Timestamp};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const KEY: [u8; 32] = [1; 32];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: vault_speed FOLDER")?);
    let mut number = 0;
    for (name, body_bytes, count) in
        [("1 KiB", 1 << 10, 20_000), ("32 KiB", 32 << 10, 4_000), ("1 MiB", 1 << 20, 200)]
    {
        write(&folder, name, body_bytes, count, &mut number)?;
    }
    offer(&folder, &mut number)?;
    let began = Instant::now();
    let (mut vault, opened) = Vault::open(&folder, Kek::from_bytes(KEY), VaultOptions::default())?;
    println!("open: {} exchanges, {:.0} ms", opened.exchanges, ms(began.elapsed()));
    let began = Instant::now();
    let report = vault.reader().verify()?;
    let stats = vault.reader().stats()?;
    let megabytes = stats.bytes as f64 / 1e6;
    let took = began.elapsed();
    println!("verify: {} frames, {megabytes:.0} MB, {:.0} ms", report.frames, ms(took));
    let reader = VaultReader::at(&folder, Kek::from_bytes(KEY), Span::from_s(1))?;
    let began = Instant::now();
    let filter = VaultFilter { limit: Some(20_000), ..VaultFilter::default() };
    let read = reader.exchanges(filter).collect::<Result<Vec<_>, _>>()?.len();
    println!("read in the order of time: {:.1} µs each of {read}", micro(began.elapsed()) / read as f64);
    let began = Instant::now();
    for request in 0..100 {
        vault.erase(id(request), Timestamp(0))?;
    }
    println!("erase: {:.2} ms each", ms(began.elapsed()) / 100.0);
    Ok(())
}

fn write(folder: &Path, name: &str, body: usize, count: u32, number: &mut u32) -> Result<(), VaultError> {
    let (mut vault, _) = Vault::open(folder, Kek::from_bytes(KEY), VaultOptions::default())?;
    let batch = 64.min(count / 4);
    let mut took = Duration::ZERO;
    for _ in 0..count / batch {
        let offers = (0..batch).map(|_| next(number, body)).collect();
        let began = Instant::now();
        let (kept, failure) = vault.keep(offers);
        took += began.elapsed();
        failure.map_or(Ok(()), Err)?;
        assert_eq!(kept.kept, u64::from(batch));
    }
    println!(
        "two bodies of {name}, {batch} at a time: {:.1} µs each",
        micro(took) / f64::from(count / batch * batch)
    );
    Ok(())
}

fn offer(folder: &Path, number: &mut u32) -> Result<(), VaultError> {
    let (vault, _) = Vault::open(folder, Kek::from_bytes(KEY), VaultOptions::default())?;
    let keeper: Keeper = vault.start(KeeperOptions::default())?;
    let mut times = Vec::new();
    for _ in 0..20_000 {
        let Offer { mut exchange, mut fresh } = next(number, 2 << 10);
        loop {
            let began = Instant::now();
            let kept = keeper.keep(exchange, fresh);
            times.push(began.elapsed());
            match kept {
                Ok(()) => break,
                Err(NotKept::Full) => keeper.flush()?,
                Err(_) => return Err(VaultError::Closed),
            }
            *number -= 1;
            Offer { exchange, fresh } = next(number, 2 << 10);
        }
    }
    keeper.flush()?;
    times.sort_unstable();
    let at = |share: usize| micro(times[(times.len() - 1) * share / 1_000]);
    println!(
        "an offer: p50 {:.2} µs, p99 {:.2} µs, p99.9 {:.1} µs, max {:.0} µs; {} kept, {} refused for want of room",
        at(500),
        at(990),
        at(999),
        at(1_000),
        keeper.tallies().kept,
        keeper.tallies().full
    );
    Ok(())
}

fn next(number: &mut u32, body: usize) -> Offer {
    let request = id(*number);
    *number += 1;
    let body = Body { content_type: "application/json".into(), bytes: vec![b'x'; body] };
    let exchange = Exchange {
        request,
        at: Timestamp(1_795_521_600_000 + i64::from(*number)),
        route: Some("gpt-4o-mini".into()),
        project: Some("search".into()),
        target: Some("openai/gpt-4o-mini".into()),
        model: Some("gpt-4o-mini-2024-07-18".into()),
        dialect: "openai_chat".into(),
        status: 200,
        asked: body.clone(),
        answer: body,
    };
    let mut key = [2; 32];
    key[..4].copy_from_slice(&number.to_le_bytes());
    Offer { exchange, fresh: Fresh::new(key, key) }
}

fn id(number: u32) -> RequestId {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    RequestId::from_bytes(bytes)
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn micro(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
