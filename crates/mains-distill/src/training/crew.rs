//! Who runs the work: this crate starts no thread.

/// A job.
pub type Job<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Runs jobs that do not depend on each other.
pub trait Crew: Sync {
    /// Runs all jobs, in any order, on any threads, and returns when all have ended.
    fn all(&self, jobs: Vec<Job<'_>>);
}

/// Runs them in their order, on the caller's thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct Alone;

impl Crew for Alone {
    fn all(&self, jobs: Vec<Job<'_>>) {
        for job in jobs {
            job();
        }
    }
}

/// What each piece of work gives, in their order; none of what the crew left undone.
pub(super) fn each<T: Send, W: FnOnce() -> T + Send>(crew: &dyn Crew, work: Vec<W>) -> Vec<Option<T>> {
    let mut results: Vec<Option<T>> = work.iter().map(|_| None).collect();
    let jobs = work.into_iter().zip(&mut results).map(|(work, place)| {
        let job: Job<'_> = Box::new(move || *place = Some(work()));
        job
    });
    crew.all(jobs.collect());
    results
}
