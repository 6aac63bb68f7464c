use super::{NOON, PEPPER, id, later, memory, request};
use mains_store::db::{Db, DbErrorKind, DbOptions, Period, RequestFilter, UsageFilter};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};

/// Wakes by unparking the thread that blocks: the smallest executor there is.
struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[test]
fn async_callers_need_no_runtime() {
    let db = memory();
    let read = block_on(async {
        db.insert_request(request(1)).await?;
        db.request(id(1)).await
    });
    assert_eq!(read.unwrap(), Some(request(1)));
}

#[test]
fn a_full_queue_slows_callers_down_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let options = DbOptions { queue: 2, ..DbOptions::file(folder.path().join("mains.db"), PEPPER) };
    let db = Db::open(&options).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let db = &db;
            scope.spawn(move || {
                for i in 0..100 {
                    let pending = db.insert_request(request(thread * 100 + i));
                    if thread % 2 == 0 { block_on(pending) } else { pending.wait() }.unwrap();
                }
            });
        }
    });
    let totals = db.totals(Period::Day, NOON, later(86_400_000), UsageFilter::default()).wait().unwrap();
    assert_eq!(totals.requests, 400);
}

#[test]
fn the_last_handle_waits_for_what_was_queued() {
    let folder = tempfile::tempdir().unwrap();
    let options = DbOptions::file(folder.path().join("mains.db"), PEPPER);
    let db = Db::open(&options).unwrap();
    let waiting: Vec<_> = (0..300).map(|number| db.insert_request(request(number))).collect();
    drop(db);
    for pending in waiting {
        assert!(pending.wait().unwrap());
    }
    let db = Db::open(&options).unwrap();
    let page = db.requests(RequestFilter::default(), None, 1_000).wait().unwrap();
    assert_eq!(page.rows.len(), 300);
}

#[test]
fn another_process_that_holds_the_file_is_named_and_then_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mains.db");
    let busy = mains_units::Span::from_ms(20);
    let db = Db::open(&DbOptions { busy, ..DbOptions::file(&path, PEPPER) }).unwrap();
    db.insert_request(request(1)).wait().unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = db.insert_request(request(2)).wait().unwrap_err();
    assert_eq!(error.kind, DbErrorKind::Locked);
    assert!(error.to_string().contains("hint: "), "{error}");
    // Readers go on meanwhile, and writers afterwards.
    assert!(db.request(id(1)).wait().unwrap().is_some());
    other.execute_batch("ROLLBACK").unwrap();
    assert!(db.insert_request(request(2)).wait().unwrap());
}

#[test]
fn a_full_disk_is_said_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mains.db");
    let options = DbOptions::file(&path, PEPPER);
    drop(Db::open(&options).unwrap());
    // The limit fails the same calls with the same code as a disk without room.
    let db = Db::open(&DbOptions { bytes_max: Some(400_000), ..options.clone() }).unwrap();
    let mut written = 0;
    let error = loop {
        let mut row = request(written);
        row.asked = "x".repeat(4_000);
        match db.insert_request(row).wait() {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 10_000);
    };
    assert_eq!(error.kind, DbErrorKind::Full, "{error}");
    assert!(written > 5);
    drop(db);
    let db = Db::open(&options).unwrap();
    let page = db.requests(RequestFilter::default(), None, 1_000).wait().unwrap();
    assert_eq!(page.rows.len(), usize::try_from(written).unwrap());
    assert!(db.insert_request(request(90_000)).wait().unwrap());
}
