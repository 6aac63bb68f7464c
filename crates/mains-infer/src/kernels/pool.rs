//! A few threads that wait for work: they spin a moment, then sleep.
//!
//! Work is cut into pieces that do not depend on each other, so who takes which piece changes the time
//! and never the result.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle, Thread};

/// How often a waiting thread looks before it sleeps: some tens of microseconds.
const SPIN_COUNT: u32 = 4_000;

/// A pointer that threads may share; whoever uses it promises that no two write the same place.
pub(super) struct Shared<T>(pub(super) *mut T);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Shared<T> {}
// SAFETY: every use is in an `unsafe` block that says why its place is its own.
unsafe impl<T> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// The pointer; a method, so that closures capture the whole wrapper.
    #[inline(always)]
    pub(super) fn get(self) -> *mut T {
        self.0
    }
}

type Job = *const (dyn Fn(usize) + Sync);

/// What the threads share with the one that gives them work.
struct Board {
    /// Counts jobs; a change is the signal to start.
    round: AtomicUsize,
    /// The job of this round; written before `round` changes, read after.
    job: std::cell::UnsafeCell<Option<Job>>,
    /// Threads still at work.
    busy: AtomicUsize,
    failed: AtomicBool,
    stop: AtomicBool,
    asleep: Vec<AtomicBool>,
}

// SAFETY: `job` is written only while no thread is at work (`busy` is zero), and read only after the
// release of `round` that follows the writing; everything else is atomic.
unsafe impl Sync for Board {}
// SAFETY: as above; the pointer inside outlives the round, because the giver waits for its end.
unsafe impl Send for Board {}

/// The threads.
pub(super) struct Pool {
    board: Arc<Board>,
    threads: Vec<JoinHandle<()>>,
    handles: Vec<Thread>,
}

impl Pool {
    /// A pool in which `count` threads work, the caller's among them.
    pub(super) fn new(count: usize) -> std::io::Result<Self> {
        let helpers = count.max(1) - 1;
        let board = Arc::new(Board {
            round: AtomicUsize::new(0),
            job: std::cell::UnsafeCell::new(None),
            busy: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            asleep: (0..helpers).map(|_| AtomicBool::new(false)).collect(),
        });
        let mut threads = Vec::new();
        for helper in 0..helpers {
            let board = Arc::clone(&board);
            let builder = thread::Builder::new().name(format!("infer-{}", helper + 1));
            threads.push(builder.spawn(move || help(&board, helper))?);
        }
        let handles = threads.iter().map(|thread| thread.thread().clone()).collect();
        Ok(Self { board, threads, handles })
    }

    /// How many threads work, the caller's among them.
    pub(super) fn threads(&self) -> usize {
        self.threads.len() + 1
    }

    /// Runs `piece(thread, index)` for every index below `count`, on all threads.
    pub(super) fn run(&mut self, count: usize, piece: &(dyn Fn(usize, usize) + Sync)) {
        if self.threads.is_empty() || count <= 1 {
            (0..count).for_each(|index| piece(0, index));
            return;
        }
        let next = AtomicUsize::new(0);
        let work = |thread: usize| {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return;
                }
                piece(thread, index);
            }
        };
        self.give(&work);
    }

    /// Lets every thread run the job once and waits for all.
    fn give(&mut self, job: &(dyn Fn(usize) + Sync)) {
        let board = &*self.board;
        // SAFETY: `busy` is zero between rounds, so no thread reads `job` now. The lifetime is erased,
        // but the wait below ends only when no thread holds the reference any more.
        unsafe {
            *board.job.get() = Some(std::mem::transmute::<&(dyn Fn(usize) + Sync), Job>(job));
        }
        board.busy.store(self.threads.len(), Ordering::Relaxed);
        board.round.fetch_add(1, Ordering::SeqCst);
        for (asleep, handle) in board.asleep.iter().zip(&self.handles) {
            if asleep.load(Ordering::SeqCst) {
                handle.unpark();
            }
        }
        // The wait stands in a guard: were the job to unwind here, the helpers must still be awaited.
        let _wait = Wait(board);
        job(0);
    }
}

struct Wait<'a>(&'a Board);

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let mut looks = 0u32;
        while self.0.busy.load(Ordering::Acquire) != 0 {
            looks += 1;
            if looks < SPIN_COUNT { std::hint::spin_loop() } else { thread::yield_now() }
        }
        if self.0.failed.swap(false, Ordering::Relaxed) && !thread::panicking() {
            std::panic::resume_unwind(Box::new("a thread of the engine failed"));
        }
    }
}

fn help(board: &Board, helper: usize) {
    let mut seen = 0;
    loop {
        let mut looks = 0u32;
        while board.round.load(Ordering::SeqCst) == seen {
            looks += 1;
            if looks < SPIN_COUNT {
                std::hint::spin_loop();
                continue;
            }
            board.asleep[helper].store(true, Ordering::SeqCst);
            // Looked at once more after saying so: a round given in between is seen here.
            if board.round.load(Ordering::SeqCst) == seen {
                thread::park();
            }
            board.asleep[helper].store(false, Ordering::SeqCst);
        }
        seen = seen.wrapping_add(1);
        if board.stop.load(Ordering::SeqCst) {
            return;
        }
        // SAFETY: the round's release came after the writing of `job`, and the giver neither writes it
        // nor lets the job end before `busy` is back at zero.
        let job = unsafe { *board.job.get() };
        if let Some(job) = job {
            // SAFETY: as above: the job is alive while this thread counts as busy.
            let run = std::panic::AssertUnwindSafe(|| unsafe { (*job)(helper + 1) });
            if std::panic::catch_unwind(run).is_err() {
                board.failed.store(true, Ordering::Relaxed);
            }
        }
        board.busy.fetch_sub(1, Ordering::Release);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.board.stop.store(true, Ordering::SeqCst);
        self.board.round.fetch_add(1, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            // A helper catches its own panics, so there is nothing to hear here.
            drop(thread.join());
        }
    }
}
