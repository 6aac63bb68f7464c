//! The files of the log: started, killed, filled up, cut off, forged.

mod boot;
mod processes;
mod rounds;
mod threads;

use mains_ledger::{Ed25519Signer, VerifierKey};
use mains_store::log::{Clock, Disk, Log, LogError, LogReader, Recovered};
use mains_units::Instant;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const ORIGIN: &str = "mains.example/test";

fn signer() -> Ed25519Signer {
    Ed25519Signer::from_seed(ORIGIN, &[42; 32]).unwrap()
}

fn key() -> VerifierKey {
    signer().verifier().clone()
}

fn open(disk: &(impl Disk + Clone + 'static)) -> Result<(Log, Recovered), LogError> {
    Log::open(Arc::new(disk.clone()), Arc::new(signer()), &key())
}

fn reader(disk: &(impl Disk + Clone + 'static)) -> LogReader {
    LogReader::new(Arc::new(disk.clone()))
}

fn leaf(index: u64) -> Vec<u8> {
    format!("leaf {index} {}", "x".repeat(usize::try_from(index % 61).unwrap())).into_bytes()
}

/// How often to do it: what the environment says (`cargo xtask soak` does), else this.
fn how_many(name: &str, ordinarily: u64) -> u64 {
    std::env::var(name).ok().and_then(|count| count.parse().ok()).unwrap_or(ordinarily)
}

/// A clock that moves a millisecond whenever it is looked at.
fn ticking() -> Clock {
    let now = AtomicU64::new(0);
    Arc::new(move || Instant(now.fetch_add(1_000_000, Ordering::Relaxed)))
}
