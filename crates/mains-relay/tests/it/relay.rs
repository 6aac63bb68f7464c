//! The machine, step by step. A script is a list of lines: an event, and the actions it must lead to.

use mains_relay::relay::{Agreement, AttemptNumber, Deadlines, Durability, Mode, Retry};
use mains_relay::route::{Candidate, Target, Why};
use mains_relay::{Action, Denied, Event, Fault, Outcome, Pass, Relay, Settings, Verdict};
use mains_units::{Chance, Instant, Span};
use std::sync::Arc;

fn at(ms: u64) -> Instant {
    Instant(ms * 1_000_000)
}

fn settings() -> Settings {
    Settings {
        deadlines: Deadlines {
            connect: Span::from_ms(100),
            first_content: Span::from_ms(1_000),
            idle: Span::from_ms(500),
            whole: Span::from_ms(2_000),
            total: Span::from_ms(5_000),
        },
        retry: Retry { tries_per_target: 1, ..Retry::default() },
        kept_max: 100,
        ..Settings::default()
    }
}

fn relay(settings: Settings, targets: usize) -> Relay {
    let candidate = |n| Candidate {
        target: Arc::new(Target::new("u", &format!("m{n}"))),
        why: Why::Order,
        degraded: false,
    };
    Relay::new(settings, (0..targets).map(candidate).collect(), Chance::from_seed(1), at(0))
}

/// One word per action; the wakes are left out unless asked for.
fn words(actions: &[Action], wakes: bool) -> String {
    let word = |action: &Action| match action {
        Action::Ask { attempt, candidate, ask } => {
            let (further, last) = (ask.further, ask.last_resort);
            let mark = if last {
                "!"
            } else if further {
                "+"
            } else {
                ""
            };
            format!("ask{attempt}:{candidate}{mark}")
        }
        Action::WriteIntent { attempt, .. } => format!("intent{attempt}"),
        Action::Dial { attempt, .. } => format!("dial{attempt}"),
        Action::SendBody { attempt } => format!("send{attempt}"),
        Action::Keep { attempt } => format!("keep{attempt}"),
        Action::Commit { attempt } => format!("commit{attempt}"),
        Action::Forward { attempt } => format!("forward{attempt}"),
        Action::Hold { attempt } => format!("hold{attempt}"),
        Action::Compare { first, second } => format!("compare{first}:{second}"),
        Action::Release { attempt } => format!("release{attempt}"),
        Action::Close { attempt } => format!("close{attempt}"),
        Action::Cancel { attempt } => format!("cancel{attempt}"),
        Action::Report { attempt, verdict, pass, .. } => {
            let probe = if pass.probe { "?" } else { "" };
            match verdict {
                Verdict::Answering => format!("answering{attempt}{probe}"),
                Verdict::Healthy => format!("healthy{attempt}{probe}"),
                Verdict::Faulted { fault, .. } => format!("{fault}{attempt}{probe}"),
                Verdict::Nothing => format!("nothing{attempt}{probe}"),
            }
        }
        Action::DeliverError(failure) => {
            let when = if failure.committed { "in-stream" } else { "status" };
            format!("error({when})")
        }
        Action::Wake(at) if wakes => format!("wake{}", at.0 / 1_000_000),
        Action::Wake(_) => String::new(),
        Action::Finish(outcome) => format!("finish({})", outcome.name()),
    };
    actions.iter().map(word).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn check(relay: &mut Relay, script: &[(u64, Event, &str)]) {
    for (ms, event, expect) in script {
        let actions = relay.step(event.clone(), at(*ms));
        assert_eq!(words(&actions, false), *expect, "after {event:?} at {ms} ms");
    }
}

fn n(number: u32) -> AttemptNumber {
    AttemptNumber(number)
}
fn yes(number: u32) -> Event {
    Event::Permit { attempt: n(number), answer: Ok(Pass { probe: false }) }
}
fn no(number: u32) -> Event {
    Event::Permit { attempt: n(number), answer: Err(Denied::Open { until: at(9_999) }) }
}
fn connected(number: u32) -> Event {
    Event::Connected { attempt: n(number) }
}
fn failed(number: u32, fault: Fault) -> Event {
    Event::Failed { attempt: n(number), fault, retry_after: None }
}
fn preamble(number: u32, bytes: u64) -> Event {
    Event::Preamble { attempt: n(number), bytes }
}
fn content(number: u32, bytes: u64) -> Event {
    Event::Content { attempt: n(number), bytes }
}
fn clean(number: u32) -> Event {
    Event::EndedClean { attempt: n(number) }
}
fn broken(number: u32) -> Event {
    Event::EndedBroken { attempt: n(number) }
}

/// Brings a fresh relay to a sent body.
#[track_caller]
fn sent(relay: &mut Relay) {
    check(relay, &[(0, Event::Start, "ask0:0"), (0, yes(0), "intent0 dial0"), (1, connected(0), "send0")]);
}

#[test]
fn a_stream_is_committed_at_its_first_content_and_closed_at_its_clean_end() {
    let mut relay = relay(settings(), 2);
    sent(&mut relay);
    check(
        &mut relay,
        &[
            (2, Event::Head { attempt: n(0) }, ""),
            (3, preamble(0, 10), "keep0"),
            (4, content(0, 20), "commit0 answering0"),
            (5, content(0, 30), "forward0"),
            (6, preamble(0, 5), "forward0"),
            (7, clean(0), "close0 healthy0 finish(ok)"),
            (8, content(0, 1), ""),
            (9, Event::ClientGone, ""),
        ],
    );
    let summary = relay.summary();
    assert_eq!((summary.outcome, summary.answered), (Some(Outcome::Ok), Some(n(0))));
    assert_eq!((summary.bytes_forwarded, summary.attempts[0].bytes_received), (65, 65));
    assert_eq!(summary.attempts[0].first_content, Some(at(4)));
}

#[test]
fn before_the_commit_point_the_next_target_answers_and_the_abandoned_one_is_not_heard() {
    let mut relay = relay(settings(), 2);
    sent(&mut relay);
    check(
        &mut relay,
        &[
            (3, preamble(0, 10), "keep0"),
            (4, broken(0), "cancel0 broken_stream0 ask1:1+"),
            (5, content(0, 10), ""),
            (6, yes(1), "intent1 dial1"),
            (7, clean(0), ""),
            (8, connected(1), "send1"),
            (9, content(1, 7), "commit1 answering1"),
            (9, failed(0, Fault::InBand), ""),
            (10, clean(1), "close1 healthy1 finish(ok)"),
        ],
    );
    let summary = relay.summary();
    assert_eq!((summary.answered, summary.bytes_forwarded), (Some(n(1)), 7));
    assert_eq!(summary.attempts[0].fault, Some(Fault::BrokenStream));
}

#[test]
fn after_the_commit_point_a_broken_stream_ends_with_an_explicit_error() {
    for event in [broken(0), failed(0, Fault::InBand), failed(0, Fault::Caller)] {
        let mut relay = relay(settings(), 2);
        sent(&mut relay);
        check(&mut relay, &[(4, content(0, 20), "commit0 answering0")]);
        let end = words(&relay.step(event, at(5)), false);
        assert!(end.starts_with("cancel0 ") && end.ends_with("error(in-stream) finish(broken)"), "{end}");
    }
}

#[test]
fn the_callers_own_fault_ends_the_request_and_the_others_reroute() {
    for fault in Fault::ALL {
        let mut relay = relay(settings(), 2);
        sent(&mut relay);
        let end = words(&relay.step(failed(0, fault), at(5)), false);
        let expect = match fault {
            Fault::Caller => format!("cancel0 {fault}0 error(status) finish(rejected)"),
            _ => format!("cancel0 {fault}0 ask1:1+"),
        };
        assert_eq!(end, expect);
    }
}

#[test]
fn each_deadline_is_kept_without_any_event_but_the_tick() {
    // Connect, then first content; the last candidate's failure is the caller's.
    let mut r = relay(settings(), 2);
    check(
        &mut r,
        &[
            (0, Event::Start, "ask0:0"),
            (0, yes(0), "intent0 dial0"),
            (99, Event::Tick, ""),
            (100, Event::Tick, "cancel0 connect_timeout0 ask1:1+"),
            (100, yes(1), "intent1 dial1"),
            (150, connected(1), "send1"),
            (1_100, preamble(1, 1), "keep1"),
            (1_150, Event::Tick, "cancel1 first_content_timeout1 error(status) finish(exhausted)"),
        ],
    );
    // Idle gap.
    let mut r = relay(settings(), 2);
    sent(&mut r);
    check(
        &mut r,
        &[
            (900, content(0, 1), "commit0 answering0"),
            (1_300, content(0, 1), "forward0"),
            (1_799, Event::Tick, ""),
            (1_800, Event::Tick, "cancel0 idle_timeout0 error(in-stream) finish(broken)"),
        ],
    );
    // Total, in the middle of a stream.
    let mut r = relay(settings(), 2);
    sent(&mut r);
    check(&mut r, &[(900, content(0, 1), "commit0 answering0")]);
    for ms in (1_000..5_000).step_by(100) {
        check(&mut r, &[(ms, content(0, 1), "forward0")]);
    }
    check(&mut r, &[(5_000, content(0, 1), "cancel0 deadline0 error(in-stream) finish(timed_out)")]);
}

#[test]
fn the_total_deadline_is_shared_and_blames_only_who_had_it_alone() {
    let deadlines = Deadlines { first_content: Span::from_s(60), ..settings().deadlines };
    let mut r = relay(Settings { deadlines, ..settings() }, 2);
    sent(&mut r);
    check(&mut r, &[(5_000, Event::Tick, "cancel0 first_content_timeout0 error(status) finish(timed_out)")]);
    let mut r = relay(Settings { deadlines, ..settings() }, 2);
    sent(&mut r);
    check(
        &mut r,
        &[
            (4_900, failed(0, Fault::Unavailable), "cancel0 unavailable0 ask1:1+"),
            (4_900, yes(1), "intent1 dial1"),
            (4_910, connected(1), "send1"),
            (5_000, Event::Tick, "cancel1 deadline1 error(status) finish(timed_out)"),
        ],
    );
}

#[test]
fn strict_durability_holds_the_body_until_the_intent_is_synced() {
    let strict = Settings { durability: Durability::Strict, ..settings() };
    let mut r = relay(strict, 1);
    check(
        &mut r,
        &[
            (0, Event::Start, "ask0:0"),
            (0, yes(0), "intent0 dial0"),
            (1, connected(0), ""),
            (300, Event::Tick, ""),
            (301, Event::IntentDurable { attempt: n(0) }, "send0"),
        ],
    );
    let mut r = relay(strict, 1);
    check(
        &mut r,
        &[
            (0, Event::Start, "ask0:0"),
            (0, yes(0), "intent0 dial0"),
            (1, Event::IntentDurable { attempt: n(0) }, ""),
            (2, connected(0), "send0"),
        ],
    );
    let mut r = relay(strict, 2);
    check(
        &mut r,
        &[
            (0, Event::Start, "ask0:0"),
            (0, yes(0), "intent0 dial0"),
            (1, Event::IntentFailed { attempt: n(0) }, "cancel0 nothing0 error(status) finish(refused)"),
        ],
    );
}

#[test]
fn a_whole_answer_is_kept_until_it_is_whole_or_too_long() {
    let whole = Settings { mode: Mode::Whole, ..settings() };
    let mut r = relay(whole, 2);
    sent(&mut r);
    check(
        &mut r,
        &[
            (3, content(0, 60), "keep0"),
            (4, broken(0), "cancel0 broken_stream0 ask1:1+"),
            (4, yes(1), "intent1 dial1"),
            (5, connected(1), "send1"),
            (1_900, content(1, 60), "keep1"),
            (1_901, clean(1), "commit1 answering1 close1 healthy1 finish(ok)"),
        ],
    );
    assert_eq!(r.summary().bytes_forwarded, 60);
    let mut r = relay(whole, 2);
    sent(&mut r);
    check(
        &mut r,
        &[
            (3, content(0, 60), "keep0"),
            (4, content(0, 60), "commit0 answering0"),
            (5, broken(0), "cancel0 broken_stream0 error(in-stream) finish(broken)"),
        ],
    );
    assert_eq!(r.summary().bytes_forwarded, 120);
}

#[test]
fn a_preamble_without_end_is_garbage_and_so_is_an_answer_to_nothing() {
    let mut r = relay(settings(), 2);
    sent(&mut r);
    check(
        &mut r,
        &[
            (3, preamble(0, 60), "keep0"),
            (4, preamble(0, 60), "cancel0 garbage0 ask1:1+"),
            (4, yes(1), "intent1 dial1"),
            (5, content(1, 1), "cancel1 garbage1 error(status) finish(exhausted)"),
        ],
    );
}

#[test]
fn an_empty_answer_with_a_clean_end_is_an_answer() {
    let mut r = relay(settings(), 1);
    sent(&mut r);
    check(
        &mut r,
        &[(3, preamble(0, 9), "keep0"), (4, clean(0), "commit0 answering0 close0 healthy0 finish(ok)")],
    );
    assert_eq!(r.summary().bytes_forwarded, 9);
}

#[test]
fn the_caller_may_leave_at_any_moment() {
    let script = [
        (0, Event::Start),
        (0, yes(0)),
        (1, connected(0)),
        (2, preamble(0, 1)),
        (3, content(0, 1)),
        (4, content(0, 1)),
    ];
    for left_after in 0..=script.len() {
        let mut r = relay(settings(), 2);
        for (ms, event) in &script[..left_after] {
            r.step(event.clone(), at(*ms));
        }
        let expect = match left_after {
            0 | 1 => "finish(cancelled)",
            _ => "cancel0 nothing0 finish(cancelled)",
        };
        check(&mut r, &[(5, Event::ClientGone, expect), (6, content(0, 1), ""), (9_000, Event::Tick, "")]);
    }
}

#[test]
fn denied_candidates_are_passed_over_and_the_last_is_never_ejected() {
    let mut r = relay(settings(), 2);
    check(
        &mut r,
        &[
            (0, Event::Start, "ask0:0"),
            (0, no(0), "ask1:1"),
            (0, no(1), "ask2:0!"),
            (0, yes(2), "intent2 dial2"),
            (1, failed(2, Fault::Unreachable), "cancel2 unreachable2 error(status) finish(exhausted)"),
        ],
    );
    assert_eq!(r.summary().attempts.len(), 1, "denied ones are no attempts");
}

#[test]
fn a_spent_retry_budget_ends_the_request() {
    let mut r = relay(settings(), 3);
    sent(&mut r);
    let denied = Event::Permit { attempt: n(1), answer: Err(Denied::RetryBudget) };
    check(
        &mut r,
        &[
            (2, failed(0, Fault::Unavailable), "cancel0 unavailable0 ask1:1+"),
            (2, denied, "error(status) finish(exhausted)"),
        ],
    );
}

#[test]
fn a_target_that_may_recover_is_asked_again_after_a_pause_and_after_the_others() {
    let retry = Retry { tries_per_target: 2, attempts_max: 3, ..Retry::default() };
    let mut r = relay(Settings { retry, ..settings() }, 2);
    sent(&mut r);
    check(
        &mut r,
        &[
            (2, failed(0, Fault::Unavailable), "cancel0 unavailable0 ask1:1+"),
            (2, yes(1), "intent1 dial1"),
            (3, failed(1, Fault::Auth), "cancel1 auth1"),
        ],
    );
    let paused = r.next_deadline().unwrap();
    assert!(paused > at(2 + 124) && paused <= at(2 + 250), "{paused:?}");
    check(
        &mut r,
        &[
            (250, Event::Tick, "ask2:0+"),
            (250, yes(2), "intent2 dial2"),
            (251, failed(2, Fault::Unavailable), "cancel2 unavailable2 error(status) finish(exhausted)"),
        ],
    );
    // A wish beyond the longest pause is not waited for.
    let mut r = relay(Settings { retry, ..settings() }, 1);
    sent(&mut r);
    let wish = Event::Failed { attempt: n(0), fault: Fault::RateLimited, retry_after: Some(Span::from_s(6)) };
    check(&mut r, &[(2, wish, "cancel0 rate_limited0 error(status) finish(exhausted)")]);
}

#[test]
fn a_pass_that_comes_too_late_goes_back() {
    let probe = |number| Event::Permit { attempt: n(number), answer: Ok(Pass { probe: true }) };
    let mut r = relay(settings(), 1);
    check(
        &mut r,
        &[
            (0, Event::Start, "ask0:0"),
            (1, Event::ClientGone, "finish(cancelled)"),
            (2, probe(0), "nothing0?"),
        ],
    );
    let mut r = relay(settings(), 1);
    check(
        &mut r,
        &[(0, Event::Start, "ask0:0"), (5_000, probe(0), "nothing0? error(status) finish(timed_out)")],
    );
}

#[test]
fn a_wake_is_asked_for_only_when_an_earlier_moment_matters() {
    let mut r = relay(settings(), 1);
    let mut step = |event, ms| words(&r.step(event, at(ms)), true);
    assert_eq!(step(Event::Start, 0), "ask0:0 wake5000");
    assert_eq!(step(yes(0), 0), "intent0 dial0 wake100");
    assert_eq!(step(connected(0), 50), "send0", "the wake at 100 comes early and costs one tick");
    assert_eq!(step(Event::Tick, 100), "wake1050");
    assert_eq!(step(content(0, 1), 200), "commit0 answering0 wake700");
    assert_eq!(step(content(0, 1), 600), "forward0");
    assert_eq!(step(Event::Tick, 700), "wake1100");
    assert_eq!(step(clean(0), 701), "close0 healthy0 finish(ok)");
}

/// Two models that are asked first, and so many targets behind them.
fn paired(settings: Settings, targets: usize) -> Relay {
    let candidate = |n| Candidate {
        target: Arc::new(Target::new("u", &format!("m{n}"))),
        why: if n < 2 { Why::Agree } else { Why::Order },
        degraded: false,
    };
    Relay::new(settings, (0..targets + 2).map(candidate).collect(), Chance::from_seed(1), at(0))
}

/// Brings both legs to their ends: 30 and 20 bytes, content and all, of which nothing is forwarded.
#[track_caller]
fn both_answered(relay: &mut Relay) {
    sent(relay);
    check(
        relay,
        &[
            (2, preamble(0, 10), "keep0"),
            (3, content(0, 20), "keep0"),
            // Longer than a stream may be silent: nobody waits for its first content any more.
            (1_500, clean(0), "hold0 healthy0 ask1:1"),
            (1_500, yes(1), "intent1 dial1"),
            (1_500, connected(1), "send1"),
            (1_510, content(1, 20), "keep1"),
            (1_520, clean(1), "hold1 healthy1 compare0:1"),
        ],
    );
}

#[test]
fn where_two_agree_the_answer_of_the_first_is_released() {
    for mode in [Mode::Stream, Mode::Whole] {
        let mut relay = paired(Settings { mode, ..settings() }, 1);
        both_answered(&mut relay);
        check(&mut relay, &[(1_521, Event::Compared { agree: true }, "release0 close0 finish(ok)")]);
        let summary = relay.summary();
        assert_eq!((summary.answered, summary.bytes_forwarded), (Some(n(0)), 30));
        assert_eq!(summary.agreement, Some(Agreement::Yes));
        assert_eq!(summary.attempts.len(), 2);
    }
}

#[test]
fn where_they_do_not_agree_the_others_answer_and_no_attempt_is_lost() {
    let retry = Retry { attempts_max: 1, tries_per_target: 1, ..Retry::default() };
    let mut relay = paired(Settings { retry, ..settings() }, 2);
    both_answered(&mut relay);
    let actions = relay.step(Event::Compared { agree: false }, at(1_521));
    assert_eq!(words(&actions, false), "ask2:2+");
    // It was in the plan: held for, but no retry.
    assert!(matches!(actions[0], Action::Ask { ask, .. } if ask.further && ask.planned));
    check(
        &mut relay,
        &[
            (1_522, Event::Compared { agree: true }, ""),
            (1_522, yes(2), "intent2 dial2"),
            (1_523, connected(2), "send2"),
            (1_524, content(2, 5), "commit2 answering2"),
            (1_525, clean(2), "close2 healthy2 finish(ok)"),
        ],
    );
    let summary = relay.summary();
    assert_eq!((summary.answered, summary.agreement), (Some(n(2)), Some(Agreement::No)));
    assert_eq!(summary.bytes_forwarded, 5);
}

#[test]
fn whatever_befalls_one_of_two_the_others_are_asked() {
    // Any fault of the first, the caller's own included: the second is not asked.
    for fault in Fault::ALL {
        let mut relay = paired(settings(), 1);
        sent(&mut relay);
        check(&mut relay, &[(5, failed(0, fault), &format!("cancel0 {fault}0 ask1:2+"))]);
        assert_eq!(relay.summary().agreement, Some(Agreement::Failed));
    }
    // The first has answered, the second breaks off.
    let mut relay = paired(settings(), 1);
    sent(&mut relay);
    check(
        &mut relay,
        &[
            (3, content(0, 20), "keep0"),
            (4, clean(0), "hold0 healthy0 ask1:1"),
            (5, yes(1), "intent1 dial1"),
            (6, connected(1), "send1"),
            (7, broken(1), "cancel1 broken_stream1 ask2:2+"),
        ],
    );
    // A breaker that opened in the meantime.
    let mut relay = paired(settings(), 1);
    check(&mut relay, &[(0, Event::Start, "ask0:0"), (0, no(0), "ask1:2"), (0, yes(1), "intent1 dial1")]);
    assert_eq!(relay.summary().agreement, Some(Agreement::Failed));
    // An answer that is too long to be kept is nobody's fault.
    let mut relay = paired(settings(), 1);
    sent(&mut relay);
    check(&mut relay, &[(3, content(0, 101), "cancel0 nothing0 ask1:2+")]);
}

#[test]
fn a_caller_who_leaves_between_two_answers_ends_it() {
    let mut relay = paired(settings(), 1);
    both_answered(&mut relay);
    check(
        &mut relay,
        &[(1_521, Event::ClientGone, "finish(cancelled)"), (1_522, Event::Compared { agree: true }, "")],
    );
    assert_eq!(relay.summary().answered, None);
}
