//! Breakers, the retry budget, and leave to start.

use mains_relay::breaker::BreakerSettings;
use mains_relay::budget::{Cap, Draw, Path, Per, Scope, Tree};
use mains_relay::{Ask, Breakers, Denied, Fault, Lamp, Pass, RetryBudget, TargetName, Verdict, admit};
use mains_units::{Chance, Instant, Quantity, Span, Timestamp};

const PLAIN: Pass = Pass { probe: false };
const PROBE: Pass = Pass { probe: true };

fn ms(ms: u64) -> Instant {
    Instant(ms * 1_000_000)
}

fn target() -> TargetName {
    TargetName::new("openai/gpt-4o-mini")
}

fn breakers() -> Breakers {
    Breakers::new(BreakerSettings::default(), Chance::from_seed(1))
}

fn fault(breakers: &mut Breakers, pass: Pass, fault: Fault, retry_after: Option<Span>, now: Instant) {
    breakers.report(&target(), pass, now, Verdict::Faulted { fault, retry_after }, now);
}

/// When the open breaker closes; `None` if it is not open.
fn open_until(breakers: &Breakers, now: Instant) -> Option<Instant> {
    match breakers.lamp(&target(), now) {
        Lamp::Open { until, .. } => Some(until),
        _ => None,
    }
}

#[test]
fn it_opens_after_five_counted_faults_in_a_row_and_not_before() {
    let mut b = breakers();
    for n in 0..4 {
        fault(&mut b, PLAIN, Fault::Unavailable, None, ms(n));
        assert_eq!(b.lamp(&target(), ms(n)), Lamp::Closed);
    }
    b.report(&target(), PLAIN, ms(4), Verdict::Healthy, ms(4));
    for n in 5..9 {
        fault(&mut b, PLAIN, Fault::BrokenStream, None, ms(n));
    }
    assert_eq!(b.lamp(&target(), ms(9)), Lamp::Closed, "a healthy answer ends the row");
    fault(&mut b, PLAIN, Fault::InBand, None, ms(10));
    let rest = open_until(&b, ms(10)).unwrap().since(ms(10));
    assert!(rest >= Span::from_s(1) && rest <= Span::from_s(2), "{rest:?}");
}

#[test]
fn auth_and_billing_open_at_once_and_the_callers_faults_never() {
    for f in [Fault::Auth, Fault::Billing] {
        let mut b = breakers();
        fault(&mut b, PLAIN, f, None, ms(0));
        assert!(open_until(&b, ms(0)).unwrap() >= ms(30_000), "{f}");
    }
    let mut b = breakers();
    for n in 0..100 {
        for f in [Fault::Caller, Fault::ContextLength, Fault::Deadline] {
            fault(&mut b, PLAIN, f, Some(Span::from_s(9)), ms(n));
            assert_eq!(b.lamp(&target(), ms(n)), Lamp::Closed, "{f}");
        }
    }
}

#[test]
fn retry_after_is_a_floor_and_is_not_believed_for_ever() {
    let mut b = breakers();
    fault(&mut b, PLAIN, Fault::RateLimited, Some(Span::from_s(30)), ms(0));
    assert_eq!(open_until(&b, ms(0)).unwrap(), ms(30_000), "one wish is enough");
    fault(&mut b, PLAIN, Fault::RateLimited, Some(Span::from_s(60)), ms(1_000));
    assert_eq!(open_until(&b, ms(1_000)).unwrap(), ms(61_000), "a later wish prolongs");
    fault(&mut b, PLAIN, Fault::RateLimited, Some(Span::from_s(1)), ms(2_000));
    assert_eq!(open_until(&b, ms(2_000)).unwrap(), ms(61_000), "none shortens");
    fault(&mut b, PLAIN, Fault::RateLimited, Some(Span::from_s(1_000_000)), ms(3_000));
    assert_eq!(open_until(&b, ms(3_000)).unwrap(), ms(3_603_000));
}

#[test]
fn half_open_lets_one_probe_through_and_a_failed_one_doubles_the_rest() {
    let mut b = breakers();
    fault(&mut b, PLAIN, Fault::RateLimited, Some(Span::from_s(10)), ms(0));
    assert_eq!(b.try_pass(&target(), ms(9_999)), Err(ms(10_000)));
    assert_eq!(b.lamp(&target(), ms(10_000)), Lamp::HalfOpen);
    assert_eq!(b.try_pass(&target(), ms(10_000)), Ok(PROBE));
    assert_eq!(b.lamp(&target(), ms(10_000)), Lamp::Probing);
    assert_eq!(b.try_pass(&target(), ms(10_001)), Err(ms(10_001)));
    fault(&mut b, PROBE, Fault::Unavailable, None, ms(10_002));
    let rest = open_until(&b, ms(10_002)).unwrap().since(ms(10_002));
    assert!(rest >= Span::from_s(2) && rest <= Span::from_s(4), "{rest:?}");
    let again = open_until(&b, ms(10_002)).unwrap();
    assert_eq!(b.try_pass(&target(), again), Ok(PROBE));
    b.report(&target(), PROBE, again, Verdict::Nothing, again);
    assert_eq!(b.try_pass(&target(), again), Ok(PROBE), "a probe that said nothing comes back");
    b.report(&target(), PROBE, again, Verdict::Answering, again);
    assert_eq!(b.lamp(&target(), again), Lamp::Closed, "others need not wait for the end of the stream");
    fault(&mut b, PLAIN, Fault::BrokenStream, None, again);
    let rest = open_until(&b, again).unwrap().since(again);
    assert!(rest >= Span::from_s(4) && rest <= Span::from_s(8), "but it is on probation: {rest:?}");
}

#[test]
fn rests_grow_to_their_cap_with_jitter() {
    let mut b = breakers();
    let (mut now, mut rests) = (ms(0), Vec::new());
    fault(&mut b, PLAIN, Fault::RateLimited, Some(Span::from_ms(1)), now);
    for _ in 0..60 {
        now = open_until(&b, now).unwrap();
        assert_eq!(b.try_pass(&target(), now), Ok(PROBE));
        fault(&mut b, PROBE, Fault::Unreachable, None, now);
        rests.push(open_until(&b, now).unwrap().since(now));
    }
    let late = &rests[20..];
    assert!(late.iter().all(|rest| *rest >= Span::from_s(150) && *rest <= Span::from_s(300)), "{late:?}");
    assert!(late.iter().collect::<std::collections::BTreeSet<_>>().len() > 30, "jitter");
}

#[test]
fn an_answer_begun_before_the_outage_does_not_close_the_breaker() {
    let mut b = breakers();
    fault(&mut b, PLAIN, Fault::Auth, None, ms(1_000));
    b.report(&target(), PLAIN, ms(0), Verdict::Healthy, ms(2_000));
    assert!(matches!(b.lamp(&target(), ms(2_000)), Lamp::Open { .. }));
    b.report(&target(), PLAIN, ms(1_500), Verdict::Healthy, ms(2_000));
    assert_eq!(b.lamp(&target(), ms(2_000)), Lamp::Closed, "one begun after it does");
}

#[test]
fn a_retired_model_is_dead_until_it_answers_or_is_reset() {
    let mut b = breakers();
    fault(&mut b, PLAIN, Fault::Retired, None, ms(1));
    assert_eq!(b.lamp(&target(), ms(u64::MAX / 1_000_000)), Lamp::Dead);
    fault(&mut b, PLAIN, Fault::Auth, None, ms(1));
    assert_eq!(b.lamp(&target(), ms(1)), Lamp::Dead);
    assert_eq!(b.try_pass(&target(), ms(2)), Err(Instant(u64::MAX)));
    let ask = |last_resort| Ask { further: false, last_resort, planned: false };
    let mut leave = |ask| admit(&mut b, &mut RetryBudget::default(), &target(), ask, || Ok(()), ms(2));
    assert!(leave(ask(false)).is_err());
    assert_eq!(leave(ask(true)), Ok(PLAIN), "the only one is asked all the same");
    b.report(&target(), PLAIN, ms(0), Verdict::Healthy, ms(2));
    assert_eq!(b.lamp(&target(), ms(2)), Lamp::Dead, "an answer begun before its death proves nothing");
    b.report(&target(), PLAIN, ms(2), Verdict::Healthy, ms(3));
    assert_eq!(b.lamp(&target(), ms(3)), Lamp::Closed);
    fault(&mut b, PLAIN, Fault::Retired, None, ms(3));
    b.reset(&target());
    assert_eq!(b.lamp(&target(), ms(3)), Lamp::Closed);
}

#[test]
fn the_retry_budget_is_a_fifth_of_the_requests_and_ten_a_second() {
    let mut budget = RetryBudget::default();
    let spend = |budget: &mut RetryBudget, now| {
        let mut spent = 0;
        while budget.has_room(now) {
            budget.withdraw(now);
            spent += 1;
        }
        spent
    };
    assert_eq!(spend(&mut budget, ms(0)), 100);
    for _ in 0..1_000 {
        budget.deposit(ms(5_000));
    }
    assert_eq!(spend(&mut budget, ms(5_000)), 200);
    assert!(!budget.has_room(ms(9_999)));
    assert_eq!(spend(&mut budget, ms(10_000)), 100, "the first second has left the window");
    assert_eq!(spend(&mut budget, ms(1_000_000)), 100, "and all of it after a pause");
}

#[test]
fn leave_is_all_or_nothing() {
    let now = Timestamp(0);
    let cap = Cap::new(Scope::Organisation, Per::Day, Quantity::Money, 10);
    let mut tree = Tree::new(vec![cap], now);
    let worst = Draw::one_request().exactly(Quantity::Money, 6);
    let mut hold = tree.reserve(Path::default(), &worst, now).unwrap();
    let (mut b, mut retries) = (breakers(), RetryBudget::default());
    fault(&mut b, PLAIN, Fault::RateLimited, Some(Span::from_s(1)), ms(0));
    let further = Ask { further: true, last_resort: false, planned: false };

    let open = admit(&mut b, &mut retries, &target(), further, || panic!("not asked"), ms(500));
    assert_eq!(open, Err(Denied::Open { until: ms(2_000).min(open_until(&b, ms(500)).unwrap()) }));
    let at = open_until(&b, ms(500)).unwrap();
    let extend = || tree.extend(&mut hold, &worst, now);
    let Err(Denied::Hold(refusal)) = admit(&mut b, &mut retries, &target(), further, extend, at) else {
        panic!("the hold cannot grow to 12 of 10");
    };
    assert_eq!((refusal.held, refusal.asked, refusal.limit), (6, Some(6), 10));
    assert_eq!(b.lamp(&target(), at), Lamp::HalfOpen, "the probe came back");

    while retries.has_room(at) {
        retries.withdraw(at);
    }
    let denied = admit(&mut b, &mut retries, &target(), further, || Ok(()), at);
    assert_eq!(denied, Err(Denied::RetryBudget));
    let first = Ask { further: false, last_resort: false, planned: true };
    assert_eq!(admit(&mut b, &mut retries, &target(), first, || panic!("not asked"), at), Ok(PROBE));
    let last = Ask { further: false, last_resort: true, planned: false };
    assert_eq!(
        admit(&mut b, &mut retries, &target(), last, || Ok(()), at),
        Ok(PLAIN),
        "never ejecting the last"
    );
    tree.release(hold);
}
