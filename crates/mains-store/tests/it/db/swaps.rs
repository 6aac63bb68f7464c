use super::{NOON, PEPPER, id, later, memory, refused, request};
use mains_store::db::{Canary, Db, DbOptions, Feedback, FeedbackKept, KeepFor, SwapState, SwapTest};
use mains_units::Timestamp;

const DAY_MS: i64 = 86_400_000;

fn test(report: &str, at: Timestamp) -> SwapTest {
    SwapTest {
        report: report.into(),
        at,
        from: "openai/gpt-4o".into(),
        to: "openai/gpt-4.1-mini".into(),
        route: Some("gpt-4o".into()),
        verdict: "not_worse".into(),
        figures: r#"{"cost":0.2}"#.into(),
    }
}

fn state(route: &str, report: &str, at: Timestamp) -> SwapState {
    SwapState { route: route.into(), report: report.into(), state: format!("{{\"at\":{}}}", at.0), at }
}

fn verdict(number: u32, good: bool, note: Option<&str>) -> Feedback {
    Feedback {
        request: id(number),
        at: later(i64::from(number)),
        project: Some("search".into()),
        key_id: None,
        good,
        note: note.map(str::to_owned),
    }
}

#[test]
fn the_arm_that_took_a_request_reads_back() {
    let db = memory();
    for (number, new) in [(1, true), (2, false)] {
        let mut row = request(number);
        row.canary = Some(Canary { new, share_ppm: 50_000, report: "0f".repeat(32) });
        assert!(db.insert_request(row.clone()).wait().unwrap());
        assert_eq!(db.request(row.id).wait().unwrap(), Some(row));
    }
    db.insert_request(refused(3)).wait().unwrap();
    assert_eq!(db.request(id(3)).wait().unwrap().unwrap().canary, None);
}

#[test]
fn a_test_is_kept_once_and_the_newest_comes_first() {
    let db = memory();
    assert!(db.add_swap_test(test("aa", NOON)).wait().unwrap());
    let without_route = SwapTest { route: None, ..test("bb", later(5)) };
    assert!(db.add_swap_test(without_route.clone()).wait().unwrap());
    let again = SwapTest { verdict: "worse".into(), ..test("aa", later(9)) };
    assert!(!db.add_swap_test(again).wait().unwrap());
    assert_eq!(db.swap_tests().wait().unwrap(), [without_route, test("aa", NOON)]);
}

#[test]
fn a_route_has_one_state_and_it_outlives_its_writer() {
    let folder = tempfile::tempdir().unwrap();
    let options = DbOptions::file(folder.path().join("mains.db"), PEPPER);
    let db = Db::open(&options).unwrap();
    db.save_swap_state(state("one", "aa", NOON)).wait().unwrap();
    db.save_swap_state(state("two", "bb", NOON)).wait().unwrap();
    db.save_swap_state(state("one", "cc", later(1))).wait().unwrap();
    drop(db);
    let db = Db::open(&options).unwrap();
    let kept = db.swap_states().wait().unwrap();
    assert_eq!(kept, [state("one", "cc", later(1)), state("two", "bb", NOON)]);
    assert!(db.drop_swap_state("one").wait().unwrap());
    assert!(!db.drop_swap_state("one").wait().unwrap());
    assert_eq!(db.swap_states().wait().unwrap(), [state("two", "bb", NOON)]);
}

#[test]
fn the_last_verdict_on_an_answer_holds() {
    let db = memory();
    db.insert_request(request(1)).wait().unwrap();
    assert_eq!(db.feedback(id(1)).wait().unwrap(), None);
    let first = verdict(1, true, None);
    assert_eq!(db.add_feedback(first.clone()).wait().unwrap(), FeedbackKept::New);
    let later_but_same = Feedback { at: later(50), ..first.clone() };
    assert_eq!(db.add_feedback(later_but_same).wait().unwrap(), FeedbackKept::Same);
    assert_eq!(db.feedback(id(1)).wait().unwrap(), Some(first.clone()));
    let noted = Feedback { note: Some("fine".into()), ..first };
    assert_eq!(db.add_feedback(noted).wait().unwrap(), FeedbackKept::Changed);
    let bad = Feedback { at: later(70), ..verdict(1, false, Some("wrong year")) };
    assert_eq!(db.add_feedback(bad.clone()).wait().unwrap(), FeedbackKept::Changed);
    assert_eq!(db.feedback(id(1)).wait().unwrap(), Some(bad));
}

#[test]
fn the_words_of_a_verdict_are_erased_with_the_request_and_found_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&DbOptions::file(folder.path().join("mains.db"), PEPPER)).unwrap();
    let words = "a sentence that names a person";
    for number in 0..40 {
        let note = if number == 20 { words } else { "other words" };
        db.record_request(request(number), [1; 32]).wait().unwrap();
        db.add_feedback(verdict(number, false, Some(note))).wait().unwrap();
    }
    let holds = || {
        std::fs::read_dir(folder.path()).unwrap().any(|entry| {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            bytes.windows(words.len()).any(|window| window == words.as_bytes())
        })
    };
    assert!(holds());
    assert!(db.erase_commitment_key(id(20), later(99)).wait().unwrap());
    assert!(!holds());
    assert_eq!(db.feedback(id(20)).wait().unwrap(), Some(verdict(20, false, None)));
    assert_eq!(db.feedback(id(21)).wait().unwrap(), Some(verdict(21, false, Some("other words"))));
}

#[test]
fn a_verdict_is_pruned_with_its_request_and_tests_and_states_stay() {
    let db = memory();
    let long_ago = Timestamp(NOON.0 - 10 * DAY_MS);
    for (number, at) in [(1, long_ago), (2, NOON)] {
        let mut row = request(number);
        row.at = at;
        db.insert_request(row).wait().unwrap();
        // Both verdicts came today.
        db.add_feedback(verdict(number, true, None)).wait().unwrap();
    }
    // A verdict on a request that is not kept, old and new.
    db.add_feedback(Feedback { at: long_ago, ..verdict(3, true, None) }).wait().unwrap();
    db.add_feedback(verdict(4, true, None)).wait().unwrap();
    db.add_swap_test(test("aa", long_ago)).wait().unwrap();
    db.save_swap_state(state("one", "aa", long_ago)).wait().unwrap();
    let keep = KeepFor { requests_days: 9, usage_minute_days: 9, usage_hour_days: 9, usage_day_days: 9 };
    let pruned = db.prune(NOON, keep).wait().unwrap();
    assert_eq!((pruned.requests, pruned.more), (1, false));
    let kept = (1..=4).filter(|number| db.feedback(id(*number)).wait().unwrap().is_some());
    assert_eq!(kept.collect::<Vec<_>>(), [2, 4]);
    assert_eq!(db.swap_tests().wait().unwrap().len(), 1);
    assert_eq!(db.swap_states().wait().unwrap().len(), 1);
}
