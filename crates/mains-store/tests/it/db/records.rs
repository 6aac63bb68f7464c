use super::{NOON, id, later, memory, refused, request};
use mains_store::db::{BudgetRow, CheckpointRow, Group, KeepFor, Period, RequestFilter, Totals, UsageFilter};
use mains_units::{Grade, NanoUsd, Quantity, Range, Timestamp, Usage};

const DAY_MS: i64 = 86_400_000;

#[test]
fn a_request_reads_back_as_it_was_written_and_counts_once() {
    let db = memory();
    for row in [request(1), refused(2)] {
        assert!(db.insert_request(row.clone()).wait().unwrap());
        assert_eq!(db.request(row.id).wait().unwrap(), Some(row.clone()));
        assert!(!db.insert_request(row).wait().unwrap());
    }
    assert_eq!(db.request(id(3)).wait().unwrap(), None);
    let totals = db.totals(Period::Day, NOON, later(DAY_MS), UsageFilter::default()).wait().unwrap();
    assert_eq!((totals.requests, totals.failed), (2, 1));
}

#[test]
fn pages_follow_each_other_from_the_newest_without_a_gap() {
    let db = memory();
    for number in 0..25 {
        let mut row = request(number);
        row.target = Some(if number % 2 == 0 { "a/even".into() } else { "a/odd".into() });
        db.insert_request(row).wait().unwrap();
    }
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = db.requests(RequestFilter::default(), before, 10).wait().unwrap();
        seen.extend(page.rows.iter().map(|row| row.id));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..25).rev().map(id).collect::<Vec<_>>());
    let filter = RequestFilter {
        target: Some("a/odd".into()),
        from: Some(later(3)),
        until: Some(later(8)),
        ..RequestFilter::default()
    };
    let odd = db.requests(filter, None, 10).wait().unwrap();
    assert_eq!(odd.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [id(7), id(5), id(3)]);
    assert_eq!(odd.next, None);
    let injected = RequestFilter { project: Some("' OR 1=1 --".into()), ..RequestFilter::default() };
    assert_eq!(db.requests(injected, None, 10).wait().unwrap().rows, []);
}

#[test]
fn what_is_unknown_is_counted_apart_and_never_summed_as_nothing() {
    let db = memory();
    db.insert_request(request(1)).wait().unwrap();
    db.insert_request(refused(2)).wait().unwrap();
    let mut weak = request(3);
    weak.cost = None;
    if let Some(footprint) = &mut weak.footprint {
        footprint.grade = Grade::E;
    }
    db.insert_request(weak).wait().unwrap();
    let mut endless = request(4);
    if let Some(footprint) = &mut endless.footprint {
        footprint.energy_j.high = f64::INFINITY;
    }
    db.insert_request(endless).wait().unwrap();
    assert_eq!(db.request(id(4)).wait().unwrap().unwrap().footprint, None);

    let totals = db.totals(Period::Minute, NOON, later(60_000), UsageFilter::default()).wait().unwrap();
    let expected = Totals {
        requests: 4,
        failed: 1,
        unpriced: 2,
        uncounted: 1,
        unmetered: 2,
        cost: NanoUsd(12_900),
        usage: Usage { input: 30, cached_read: 15, cached_write: 3, output: 21, reasoning: 9 },
        energy_j: Range { low: 20.0, central: 60.0, high: 180.0 },
        co2_g: totals.co2_g,
        water_l: totals.water_l,
        grade: Some(Grade::E),
    };
    assert_eq!(totals, expected);
    assert!((totals.co2_g.central - 0.008).abs() < 1e-12 && (totals.water_l.high - 0.000_6).abs() < 1e-12);
    let nothing = db.totals(Period::Day, later(DAY_MS), later(2 * DAY_MS), UsageFilter::default());
    assert_eq!(nothing.wait().unwrap(), Totals::NOTHING);
}

#[test]
fn sums_are_kept_by_period_and_by_who() {
    let db = memory();
    for (number, minute) in [(0, 0), (1, 0), (2, 59), (3, 60), (4, 60 * 24)] {
        let mut row = request(number);
        row.at = later(minute * 60_000);
        row.project = Some(if number == 1 { "chat".into() } else { "search".into() });
        db.insert_request(row).wait().unwrap();
    }
    let over = |period, until| {
        let rows = db.totals_over_time(period, NOON, until, UsageFilter::default()).wait().unwrap();
        rows.into_iter()
            .map(|(start, totals)| ((start.0 - NOON.0) / 60_000, totals.requests))
            .collect::<Vec<_>>()
    };
    assert_eq!(over(Period::Minute, later(DAY_MS)), [(0, 2), (59, 1), (60, 1)]);
    assert_eq!(over(Period::Hour, later(2 * DAY_MS)), [(0, 3), (60, 1), (1_440, 1)]);
    assert_eq!(over(Period::Day, later(2 * DAY_MS)), [(-720, 4), (720, 1)]);
    let by = db.totals_by(Group::Project, Period::Day, NOON, later(DAY_MS), UsageFilter::default());
    let by: Vec<(String, u64)> =
        by.wait().unwrap().into_iter().map(|(name, totals)| (name, totals.requests)).collect();
    assert_eq!(by, [("search".to_owned(), 4), ("chat".to_owned(), 1)]);
    let filter = UsageFilter { project: Some("chat".into()), ..UsageFilter::default() };
    assert_eq!(db.totals(Period::Hour, NOON, later(DAY_MS), filter).wait().unwrap().requests, 1);
}

#[test]
fn a_provider_that_reports_nonsense_cannot_make_a_record_fail() {
    let db = memory();
    for number in 0..5 {
        let mut row = request(number);
        row.usage = Some(Usage { input: u64::MAX, output: u64::MAX, ..Usage::default() });
        row.cost = Some(NanoUsd(u64::MAX));
        row.asked = "\0' ; DROP TABLE requests; --\u{202e}".into();
        assert!(db.insert_request(row).wait().unwrap());
    }
    let totals = db.totals(Period::Day, NOON, later(DAY_MS), UsageFilter::default()).wait().unwrap();
    assert_eq!(totals.requests, 5);
    assert_eq!(totals.usage.input, 1 << 53);
}

#[test]
fn budgets_checkpoints_and_facts_outlive_their_writer() {
    let db = memory();
    let row = |quantity, used| BudgetRow {
        scope: "project:search".into(),
        per: "month".into(),
        quantity,
        since: Timestamp(0),
        used,
        reported: 3,
    };
    let all: Vec<BudgetRow> = Quantity::ALL.into_iter().map(|quantity| row(quantity, 5)).collect();
    db.save_budgets(all.clone()).wait().unwrap();
    let mut kept = db.budgets().wait().unwrap();
    kept.sort_by_key(|row| row.quantity);
    assert_eq!(kept, all);
    db.save_budgets(vec![row(Quantity::Money, u64::MAX)]).wait().unwrap();
    assert_eq!(db.budgets().wait().unwrap(), [row(Quantity::Money, i64::MAX as u64)]);

    assert_eq!(db.last_checkpoint().wait().unwrap(), None);
    for size in [256, 9, 512, 300] {
        let row = CheckpointRow { size, at: NOON, note: format!("mains\n{size}\n") };
        db.add_checkpoint(row).wait().unwrap();
    }
    assert_eq!(db.last_checkpoint().wait().unwrap().map(|row| row.size), Some(512));

    db.set_meta("instance", "a").wait().unwrap();
    db.set_meta("instance", "b").wait().unwrap();
    assert_eq!(db.meta("instance").wait().unwrap().as_deref(), Some("b"));
    assert_eq!(db.meta("absent").wait().unwrap(), None);
}

#[test]
fn a_record_has_one_commitment_key_until_it_is_erased() {
    let db = memory();
    assert!(db.keep_commitment_key(id(1), [1; 32], NOON).wait().unwrap());
    assert!(!db.keep_commitment_key(id(1), [2; 32], NOON).wait().unwrap());
    assert_eq!(db.commitment_key(id(1)).wait().unwrap(), Some([1; 32]));
    assert!(db.erase_commitment_key(id(1), NOON).wait().unwrap());
    assert!(!db.erase_commitment_key(id(1), NOON).wait().unwrap());
    assert_eq!(db.commitment_key(id(1)).wait().unwrap(), None);
    assert!(!db.keep_commitment_key(id(1), [3; 32], NOON).wait().unwrap());
    assert!(!db.erase_commitment_key(id(2), NOON).wait().unwrap());
}

#[test]
fn pruning_takes_what_is_past_its_time_and_nothing_else() {
    let db = memory();
    for number in 0..2_100 {
        let mut row = request(number);
        row.at = Timestamp(NOON.0 - 10 * DAY_MS);
        drop(db.insert_request(row));
    }
    db.insert_request(request(5_000)).wait().unwrap();
    db.keep_commitment_key(id(0), [1; 32], Timestamp(NOON.0 - 10 * DAY_MS)).wait().unwrap();
    db.keep_commitment_key(id(5_000), [1; 32], NOON).wait().unwrap();
    let keep = KeepFor { requests_days: 9, usage_minute_days: 1, usage_hour_days: 9, usage_day_days: 100 };
    let first = db.prune(NOON, keep).wait().unwrap();
    assert_eq!((first.requests, first.commitment_keys, first.usage, first.more), (2_000, 1, 2, true));
    let second = db.prune(NOON, keep).wait().unwrap();
    assert_eq!((second.requests, second.more), (100, false));
    assert_eq!(db.requests(RequestFilter::default(), None, 10).wait().unwrap().rows.len(), 1);
    assert_eq!(db.commitment_key(id(5_000)).wait().unwrap(), Some([1; 32]));
    let from = Timestamp(0);
    let totals = db.totals(Period::Day, from, later(DAY_MS), UsageFilter::default()).wait().unwrap();
    assert_eq!(totals.requests, 2_101);
    let ever = KeepFor { requests_days: u64::MAX, ..keep };
    assert_eq!(db.prune(NOON, ever).wait().unwrap().requests, 0);
}
