//! The watch: seldom a false alarm, a change soon noticed, other models at once.

use mains_distill::certificate::{Promise, Terms};
use mains_distill::watch::{Audited, Bound, Reason, Watch, calls_until_noticed, changed};
use mains_units::{Chance, Timestamp};

const AT: Timestamp = Timestamp(5);

fn watch(promise: Promise) -> Watch {
    Watch::of(&Terms::new(promise, 20_000), 10_000, 10_000).unwrap()
}

/// Further calls until it withdraws, up to a number; `before` calls differ with the first chance, then the second.
fn calls_until(
    watch: &mut Watch,
    before: u32,
    chances: [f64; 2],
    most: u64,
    chance: &mut Chance,
) -> Option<u64> {
    for _ in 0..before {
        watch.observe(Audited { local: true, differs: chance.hits(chances[0]) }, AT);
    }
    let since = watch.calls;
    for _ in 0..most {
        if watch.observe(Audited { local: true, differs: chance.hits(chances[1]) }, AT).is_some() {
            return Some(watch.calls - since);
        }
    }
    None
}

#[test]
fn a_promise_that_just_holds_is_hardly_ever_withdrawn() {
    let (mut chance, runs) = (Chance::from_seed(41), 1_000);
    let withdrawn = (0..runs)
        .filter(|_| {
            calls_until(&mut watch(Promise::AllTraffic), 0, [0.0, 0.02], 2_000, &mut chance).is_some()
        })
        .count();
    // 1 % at most; the binomial bound of 1,000 runs at 99.9 % is 21.
    assert!(withdrawn <= 21, "{withdrawn} of {runs}");
    assert!(withdrawn > 0, "a test that never errs is too timid to be a test at alpha");
}

#[test]
fn a_teacher_that_changes_is_noticed_about_when_the_formula_says() {
    for before in [0u32, 100, 1_000, 10_000] {
        let mut chance = Chance::from_seed(u64::from(before) + 1);
        let mut calls: Vec<u64> = (0..200)
            .filter_map(|_| {
                let mut watch = watch(Promise::AllTraffic);
                calls_until(&mut watch, before, [0.015, 0.2], 1_000, &mut chance)
            })
            .collect();
        assert_eq!(calls.len(), 200, "every change is noticed");
        calls.sort_unstable();
        let (median, late) = (calls[100], calls[190]);
        let said = calls_until_noticed(0.02, 0.01, before.into(), 0.2).unwrap();
        println!("after {before}: formula {said}, median {median}, 95 % within {late}");
        assert!(median <= said + said / 10 && median >= said / 3, "{before}: {said} {median}");
        assert!(late <= 2 * said + 10, "{before}: {said} {late}");
    }
    assert_eq!(calls_until_noticed(0.02, 0.01, 100, 0.02), None);
    assert!(calls_until_noticed(0.02, 0.01, 100, 0.2) < calls_until_noticed(0.02, 0.01, 100, 0.05));
}

#[test]
fn what_is_passed_on_agrees_by_definition() {
    let passed_on = Audited { local: false, differs: true };
    let local = Audited { local: true, differs: true };
    let [mut all, mut locally] = [Promise::AllTraffic, Promise::AnsweredLocally].map(watch);
    for _ in 0..500 {
        assert!(all.observe(passed_on, AT).is_none() && locally.observe(passed_on, AT).is_none());
    }
    assert!(all.log_wealth_milli() < 0 && all.is_sound() && locally.is_sound());
    let calls = |watch: &mut Watch| {
        (1..100).find(|_| watch.observe(local, AT).is_some()).expect("nothing but differences is noticed")
    };
    assert!(calls(&mut locally) < calls(&mut all), "calls that do not count have cost nothing");
    let gone = all.withdrawn.clone().unwrap();
    assert!(
        matches!(gone.reason, Reason::PromiseGone { differs, of } if differs < 20 && of > 500),
        "{gone:?}"
    );
}

#[test]
fn a_watch_that_was_written_down_goes_on_as_if_it_had_not_been() {
    let (mut one, mut chance) = (watch(Promise::AllTraffic), Chance::from_seed(43));
    let mut other = one.clone();
    for call in 0..600 {
        let audited = Audited { local: chance.hits(0.8), differs: chance.hits(0.03) };
        one.observe(audited, AT);
        other.observe(audited, AT);
        if call % 50 == 0 {
            other = serde_json::from_str(&serde_json::to_string(&other).unwrap()).unwrap();
        }
    }
    assert_eq!(one, other);
    let text = serde_json::to_string(&one).unwrap();
    assert!(!text.contains("0."), "whole numbers only: {text}");
    assert!(serde_json::from_str::<Watch>(&text.replacen('{', "{\"extra\":1,", 1)).is_err());
    other.calls += 1;
    assert!(one.is_sound() && !other.is_sound());
}

#[test]
fn the_first_reason_stands_and_nothing_counts_after_it() {
    let mut watch = watch(Promise::AllTraffic);
    watch.withdraw(Reason::RowDeleted, Timestamp(7));
    watch.withdraw(Reason::ByHand, Timestamp(8));
    watch.observe(Audited { local: true, differs: true }, Timestamp(9));
    let withdrawn = watch.withdrawn.clone().unwrap();
    assert_eq!((withdrawn.reason, withdrawn.at, watch.calls), (Reason::RowDeleted, Timestamp(7), 0));
}

#[test]
fn what_a_certificate_is_bound_to_withdraws_it_at_once() {
    let bound = Bound {
        template: "t1".into(),
        teacher: "openai/gpt-4-0314".into(),
        fingerprints: ["fp_a", "fp_b"].map(String::from).into(),
        labels: "l1".into(),
        tokenizer: Some("k1".into()),
    };
    let with = |change: fn(&mut Bound)| {
        let mut seen = bound.clone();
        change(&mut seen);
        changed(&bound, &seen)
    };
    assert_eq!(with(|_| ()), None);
    assert_eq!(with(|seen| seen.fingerprints = ["fp_b".to_owned()].into()), None);
    assert_eq!(with(|seen| seen.fingerprints.clear()), None);
    assert_eq!(with(|seen| seen.template.push('x')), Some(Reason::Template));
    assert_eq!(with(|seen| seen.teacher = "openai/gpt-4-0613".into()), Some(Reason::Teacher));
    assert_eq!(with(|seen| seen.fingerprints = ["fp_c".to_owned()].into()), Some(Reason::Fingerprint));
    assert_eq!(with(|seen| seen.labels.clear()), Some(Reason::Labels));
    assert_eq!(with(|seen| seen.tokenizer = None), Some(Reason::Tokenizer));
}

#[test]
fn the_audited_share_is_as_asked() {
    let (watch, mut chance) = (watch(Promise::AllTraffic), Chance::from_seed(47));
    let audited = (0..100_000).filter(|_| watch.audits(chance.next_u64())).count();
    assert!((850..1_150).contains(&audited), "{audited}");
    let every = Watch::of(&Terms::new(Promise::AllTraffic, 20_000), 1_000_000, 10_000).unwrap();
    assert!(every.audits(u64::MAX) && every.audits(0));
    assert!(Watch::of(&Terms::new(Promise::AllTraffic, 20_000), 0, 10_000).is_err());
}
