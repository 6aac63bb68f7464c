//! The log behind its threads: indices, waiting, group commit, full disks, failed syncs, ends.

use super::{key, leaf, open, reader, ticking};
use mains_ledger::{Scope, verify};
use mains_store::log::double::DoubleDisk;
use mains_store::log::{Appender, LogError};
use mains_units::Span;
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

fn start(disk: &DoubleDisk) -> Appender {
    open(disk).unwrap().0.start(ticking()).unwrap()
}

/// The smallest executor: it shows that waiting needs no particular one.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn many_callers_get_every_index_once_and_durability_in_three_ways() {
    let disk = DoubleDisk::new();
    let appender = start(&disk);
    let indices = Mutex::new(BTreeSet::new());
    thread::scope(|scope| {
        for caller in 0..8u64 {
            let (appender, indices) = (&appender, &indices);
            scope.spawn(move || {
                for round in 0..250 {
                    let ticket = appender.append(&leaf(caller * 1000 + round)).unwrap();
                    let index = ticket.index();
                    assert!(indices.lock().unwrap().insert(index), "index {index} twice");
                    match round % 3 {
                        0 => ticket.wait().unwrap(),
                        1 => block_on(ticket.durable()).unwrap(),
                        _ => {
                            let (tell, told) = mpsc::sync_channel(1);
                            ticket.on_durable(move |outcome| tell.send(outcome).unwrap());
                            told.recv().unwrap().unwrap();
                        }
                    }
                    assert!(appender.durable_size() > index);
                }
            });
        }
    });
    assert_eq!(*indices.lock().unwrap(), (0..2_000).collect());
    let times = appender.sync_times();
    assert_eq!(times.leaves, 2_000);
    assert!(times.count <= 2_000 && times.mean().is_some() && times.recent_median.as_ms() > 0);
    let signed = appender.flush().unwrap();
    assert_eq!(signed.checkpoint.size, 2_000);
    assert_eq!(*appender.checkpoint(), *signed);
    appender.close().unwrap();
    assert_eq!(appender.append(b"late").err(), Some(LogError::Closed));
    let report = verify(&reader(&disk), &key(), Scope::Folder).unwrap();
    assert_eq!((report.leaves, report.signed), (2_000, 2_000));
    assert!(open(&disk).unwrap().1.clean);
}

#[test]
fn a_checkpoint_comes_by_itself_after_256_leaves() {
    let disk = DoubleDisk::new();
    // A clock that never comes to the second after which any leaf brings a checkpoint: only the count can.
    let calls = std::sync::atomic::AtomicU64::new(0);
    let clock = move || {
        let calls = calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        mains_units::Instant(Span::from_ms(calls.min(9) * 100).0)
    };
    let appender = open(&disk).unwrap().0.start(Arc::new(clock)).unwrap();
    let leaves: Vec<Vec<u8>> = (0..256).map(leaf).collect();
    appender.append_all(&leaves).unwrap().wait().unwrap();
    while appender.checkpoint().checkpoint.size < 256 {
        thread::yield_now();
    }
    appender.close().unwrap();
}

#[test]
fn a_full_disk_is_said_and_the_log_goes_on_when_there_is_room() {
    let disk = DoubleDisk::new();
    let appender = start(&disk);
    appender.append(b"before").unwrap().wait().unwrap();
    appender.flush().unwrap();
    let used: u64 = disk.snapshot().values().map(|bytes| bytes.len() as u64).sum();
    disk.set_room(Some(used + 60));
    // It does not fit, and the part that was written is taken back: the small one after it fits.
    let Err(error) = appender.append(&[1; 100]) else { panic!("there was no room") };
    assert!(matches!(error, LogError::Disk { full: true, .. }), "{error}");
    assert!(error.to_string().contains("hint: free some space"), "{error}");
    let small = appender.append(b"small").unwrap();
    assert_eq!(small.index(), 1);
    small.wait().unwrap();
    // No room for the files of a checkpoint either; the journal holds what it promised.
    assert!(matches!(appender.flush(), Err(LogError::Disk { full: true, .. })));
    disk.set_room(None);
    assert_eq!(appender.append(b"after").unwrap().index(), 2);
    assert_eq!(appender.flush().unwrap().checkpoint.size, 3);
    assert_eq!(appender.trouble(), None);
    appender.close().unwrap();
    assert_eq!(verify(&reader(&disk), &key(), Scope::Folder).unwrap().leaves, 3);
}

#[test]
fn a_close_after_trouble_tries_once_more() {
    let disk = DoubleDisk::new();
    let appender = start(&disk);
    appender.append(b"one").unwrap().wait().unwrap();
    let used: u64 = disk.snapshot().values().map(|bytes| bytes.len() as u64).sum();
    disk.set_room(Some(used));
    assert!(matches!(appender.flush(), Err(LogError::Disk { full: true, .. })));
    assert!(appender.trouble().is_some());
    disk.set_room(None);
    appender.close().unwrap();
    let report = verify(&reader(&disk), &key(), Scope::Folder).unwrap();
    assert_eq!((report.leaves, report.signed), (1, 1));
    assert!(open(&disk).unwrap().1.clean);
}

#[test]
fn after_a_failed_sync_nothing_is_promised_any_more() {
    let disk = DoubleDisk::new();
    let appender = start(&disk);
    appender.append(b"good").unwrap().wait().unwrap();
    disk.fail_next_sync();
    let ticket = appender.append(b"lost").unwrap();
    assert!(matches!(ticket.wait(), Err(LogError::Broken { .. })));
    assert!(matches!(block_on(ticket.durable()), Err(LogError::Broken { .. })));
    assert!(matches!(appender.append(b"more"), Err(LogError::Broken { .. })));
    assert!(matches!(appender.trouble(), Some(LogError::Broken { .. })));
    assert!(matches!(appender.close(), Err(LogError::Broken { .. })));
    drop(appender);
    let (log, recovered) = open(&disk).unwrap();
    assert!(!recovered.clean && recovered.leaves >= 1);
    log.close().unwrap();
}

#[test]
fn a_leaf_that_is_too_long_is_refused_and_takes_no_index() {
    let disk = DoubleDisk::new();
    let appender = start(&disk);
    assert_eq!(appender.append(&vec![0; 65_536]).err(), Some(LogError::Leaf { bytes: 65_536 }));
    let ticket = appender.append(&vec![0; 65_535]).unwrap();
    assert_eq!(ticket.index(), 0);
    ticket.wait().unwrap();
    appender.close().unwrap();
}

#[test]
fn handles_that_are_dropped_end_the_threads_and_free_the_lock() {
    let disk = DoubleDisk::new();
    let appender = start(&disk);
    let ticket = appender.append(b"one").unwrap();
    let second = appender.clone();
    drop(appender);
    second.append(b"two").unwrap();
    drop(second);
    // A ticket outlives the handles and still tells the truth.
    ticket.wait().unwrap();
    let (_, recovered) = open(&disk).unwrap();
    assert_eq!(recovered.leaves, 2);
}
