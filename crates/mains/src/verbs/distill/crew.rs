//! Threads for training.

use mains_distill::training::{Crew, Job};
use std::sync::{Mutex, PoisonError};

/// So many threads.
pub(super) struct Threads(pub(super) usize);

impl Threads {
    /// As many as were asked for, else one per core.
    pub(super) fn of(asked: Option<u16>) -> Self {
        Self(asked.map_or_else(cores, usize::from))
    }
}

/// Cores that this process may use.
pub(in crate::verbs) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl Crew for Threads {
    fn all(&self, jobs: Vec<Job<'_>>) {
        let threads = self.0.min(jobs.len());
        // The first job is taken first; which thread takes it says nothing about the result.
        let jobs = Mutex::new(jobs.into_iter());
        let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || {
            while let Some(job) = next() {
                job();
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
    }
}
