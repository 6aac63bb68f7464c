//! `mains worker`: the process that runs local models; the outlet starts it and talks to it over pipes.

use crate::print::{Ended, Trouble};
use mains_infer::models;
use rustix::process::{Resource, Rlimit, setrlimit};

/// Address space beside the weights: the repacked copy, the cache of the longest context, the allocator's arenas.
const BESIDE_BYTES: u64 = 2 << 30;

/// Copies of the largest known model that fit: the mapped file, the repacked weights, and as much again.
const COPIES: u64 = 4;

/// Address space of one more thread: its stack and its arena.
const THREAD_BYTES: u64 = 128 << 20;

/// How much the worker stands back behind the outlet, whose streams must not wait for it.
const NICE: i32 = 5;

/// Serves questions from stdin until it is closed.
pub(crate) fn run() -> Result<Ended, Trouble> {
    lock_down();
    mains_infer::worker::run(std::io::stdin(), std::io::stdout())?;
    Ok(Ended::Clean)
}

/// Gives away what a worker never needs. Each is a second wall, not the only one, so a system that has none of them
/// is served too.
fn lock_down() {
    let _ = rustix::thread::set_no_new_privs(true);
    let _ = rustix::process::nice(NICE);
    let limit = |bytes: u64| Rlimit { current: Some(bytes), maximum: Some(bytes) };
    // A core file would hold the prompts of the moment.
    let _ = setrlimit(Resource::Core, limit(0));
    // No file of this process grows: it reads a model and writes to its parent.
    let _ = setrlimit(Resource::Fsize, limit(0));
    let _ = setrlimit(Resource::As, limit(memory_bytes()));
}

/// What the largest known model may take; a leak then ends the worker, and not the machine.
fn memory_bytes() -> u64 {
    let largest = models::ALL.iter().map(|model| model.bytes).max().unwrap_or(0);
    largest * COPIES + BESIDE_BYTES + crate::start::cores() as u64 * THREAD_BYTES
}
