//! A switch in steps: its course, its way back, its kept form.

use mains_swap::Ppm;
use mains_swap::canary::{
    Arm, Canary, Event, Limits, Metric, Observation, Plan, Reason, Stage, Watched, WholeBecause,
};
use mains_units::{Chance, NanoUsd, Span, Timestamp};
use proptest::prelude::*;

const FINE: Observation = Observation {
    failed: false,
    schema_failed: Some(false),
    refused: Some(false),
    output_tokens: Some(100),
    cost: Some(NanoUsd(1_000)),
};
const FAILED: Observation =
    Observation { failed: true, schema_failed: None, refused: None, output_tokens: None, cost: None };

fn plan() -> Plan {
    Plan {
        steps: [50_000, 250_000, 500_000, 1_000_000].map(Ppm).to_vec(),
        hold: Span::from_s(60),
        requests_min: 3,
        whole_by: None,
        limits: Limits {
            alpha: Ppm(50_000),
            margin: Ppm::points(2),
            dearer: Ppm(250_000),
            longer: Ppm(500_000),
            cost_ratio: Some(Ppm(1_000_000)),
            cost_scale_nano: Some(4_000),
            length_ratio: Some(Ppm(1_000_000)),
            length_scale: Some(400),
        },
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp(seconds * 1_000)
}

/// Requests by the coin; the new model's requests and the old one's as given.
fn traffic(
    canary: &mut Canary,
    plan: &Plan,
    n: u32,
    chance: &mut Chance,
    of: impl Fn(Arm, &mut Chance) -> Observation,
) {
    let share = canary.share(plan);
    for _ in 0..n {
        let arm = if chance.hits(share.fraction()) { Arm::New } else { Arm::Old };
        let observation = of(arm, chance);
        canary.observe(plan, arm, share, &observation);
    }
}

fn watched_milli(canary: &Canary, plan: &Plan, metric: Metric) -> i64 {
    canary.readings(plan).into_iter().find(|reading| reading.metric == metric).unwrap().log_e_milli
}

#[test]
fn it_steps_when_time_and_requests_allow_and_becomes_whole() {
    let plan = plan();
    let mut canary = Canary::new(at(0));
    let mut chance = Chance::from_seed(1);
    for (now, share) in [(60, 250_000), (120, 500_000)] {
        assert_eq!(canary.look(&plan, at(now)), None, "no request yet");
        traffic(&mut canary, &plan, 400, &mut chance, |_, _| FINE);
        assert_eq!(canary.look(&plan, at(now - 1)), None, "too early");
        assert_eq!(canary.look(&plan, at(now)), Some(Event::Stepped { share: Ppm(share) }));
        assert_eq!((canary.share(&plan), canary.since()), (Ppm(share), at(now)));
    }
    traffic(&mut canary, &plan, 400, &mut chance, |_, _| FINE);
    assert_eq!(canary.look(&plan, at(180)), Some(Event::Whole { because: WholeBecause::Steps }));
    assert_eq!((canary.share(&plan), canary.stage()), (Ppm(1_000_000), Stage::Whole));
    let before = canary.clone();
    canary.observe(&plan, Arm::New, Ppm(500_000), &FAILED);
    canary.feedback(&plan, Arm::New, Ppm(500_000), false);
    assert_eq!((canary.look(&plan, at(9_999)), &canary), (None, &before), "whole is whole");
    canary.roll_back(at(200));
    assert_eq!(canary.stage(), Stage::RolledBack { reason: Reason::Operator, at: at(200) });
    assert_eq!(canary.share(&plan), Ppm(0));
}

#[test]
fn the_day_makes_it_whole_but_not_past_a_rollback() {
    let mut plan = plan();
    plan.whole_by = Some(at(100));
    let mut canary = Canary::new(at(0));
    assert_eq!(canary.look(&plan, at(99)), None);
    let mut bad = canary.clone();
    assert_eq!(canary.look(&plan, at(100)), Some(Event::Whole { because: WholeBecause::Day }));
    let failing = |arm, _: &mut Chance| if arm == Arm::New { FAILED } else { FINE };
    traffic(&mut bad, &plan, 1_000, &mut Chance::from_seed(2), failing);
    assert_eq!(bad.look(&plan, at(100)), Some(Event::RolledBack { metric: Metric::Errors }));
    let stage = Stage::RolledBack { reason: Reason::Metric(Metric::Errors), at: at(100) };
    bad.roll_back(at(101));
    assert_eq!((bad.stage(), bad.look(&plan, at(9_999)), bad.share(&plan)), (stage, None, Ppm(0)));
}

#[test]
fn steps_of_one_share_or_none_are_whole_at_once() {
    for steps in [vec![], vec![Ppm(1_000_000)], vec![Ppm(2_000_000)]] {
        let plan = Plan { steps, ..plan() };
        let mut canary = Canary::new(at(0));
        assert_eq!(canary.share(&plan), Ppm(1_000_000));
        assert_eq!(canary.look(&plan, at(0)), Some(Event::Whole { because: WholeBecause::Steps }));
    }
}

#[test]
fn what_is_worse_is_named() {
    let plan = plan();
    let breaks = Observation { schema_failed: Some(true), ..FINE };
    let declines = Observation { refused: Some(true), ..FINE };
    let long = Observation { output_tokens: Some(400), ..FINE };
    let dear = Observation { cost: Some(NanoUsd(2_000)), ..FINE };
    let cases = [
        (FAILED, Metric::Errors),
        (breaks, Metric::Schema),
        (declines, Metric::Refusals),
        (long, Metric::Length),
        (dear, Metric::Cost),
    ];
    for (bad, metric) in cases {
        let mut canary = Canary::new(at(0));
        let of = |arm, _: &mut Chance| if arm == Arm::New { bad } else { FINE };
        traffic(&mut canary, &plan, 20_000, &mut Chance::from_seed(3), of);
        assert_eq!(canary.look(&plan, at(1)), Some(Event::RolledBack { metric }), "{metric}");
    }
    let mut canary = Canary::new(at(0));
    for n in 0..2_000 {
        let arm = if n % 20 == 0 { Arm::New } else { Arm::Old };
        canary.feedback(&plan, arm, Ppm(50_000), arm == Arm::Old);
    }
    assert_eq!(canary.look(&plan, at(1)), Some(Event::RolledBack { metric: Metric::Feedback }));
}

#[test]
fn an_old_model_that_dies_is_no_proof_against_the_new_one() {
    let plan = plan();
    let sometimes = Observation { schema_failed: Some(true), refused: Some(true), ..FINE };
    let of = |arm, chance: &mut Chance| match arm {
        Arm::Old => FAILED,
        Arm::New if chance.hits(0.1) => sometimes,
        Arm::New => FINE,
    };
    let mut canary = Canary::new(at(0));
    let mut chance = Chance::from_seed(4);
    for _ in 0..100 {
        traffic(&mut canary, &plan, 100, &mut chance, of);
        for arm in [Arm::New; 5] {
            canary.feedback(&plan, arm, Ppm(50_000), chance.hits(0.5));
        }
        let most = canary.readings(&plan).iter().map(|reading| reading.log_e_milli).max();
        assert!(most < Some(500), "{most:?}");
    }
}

#[test]
fn more_bad_requests_of_the_new_model_never_speak_for_it() {
    let plan = plan();
    let mut canary = Canary::new(at(0));
    traffic(&mut canary, &plan, 500, &mut Chance::from_seed(5), |_, _| FINE);
    let mut before = watched_milli(&canary, &plan, Metric::Errors);
    for _ in 0..30 {
        canary.observe(&plan, Arm::New, Ppm(50_000), &FAILED);
        let after = watched_milli(&canary, &plan, Metric::Errors);
        assert!(after >= before);
        before = after;
    }
    for _ in 0..30 {
        canary.observe(&plan, Arm::Old, Ppm(50_000), &FAILED);
        let after = watched_milli(&canary, &plan, Metric::Errors);
        assert!(after <= before);
        before = after;
    }
}

#[test]
fn what_was_not_measured_is_not_watched_and_costs_no_error_level() {
    let mut plan = plan();
    assert_eq!((plan.limits.watched_count(), plan.limits.needed_milli()), (6, 4_788));
    plan.limits.cost_ratio = None;
    plan.limits.length_scale = Some(0);
    assert_eq!((plan.limits.watched_count(), plan.limits.needed_milli()), (4, 4_383));
    let readings = Canary::new(at(0)).readings(&plan);
    let watched: Vec<_> = readings.iter().map(|reading| reading.watched).collect();
    assert_eq!(readings.iter().map(|reading| reading.metric).collect::<Vec<_>>(), Metric::ALL);
    assert_eq!(watched[3..], [Watched::NoScale, Watched::NoRatio, Watched::Yes]);
}

#[test]
fn figures_have_units_and_late_requests_keep_their_share() {
    let plan = plan();
    let mut canary = Canary::new(at(0));
    for (arm, share) in [(Arm::New, 50_000), (Arm::New, 70_000), (Arm::Old, 50_000), (Arm::Old, 0)] {
        canary.observe(&plan, arm, Ppm(share), &FINE);
    }
    canary.observe(&plan, Arm::New, Ppm(50_000), &FAILED);
    let readings = canary.readings(&plan);
    let figures = |metric: usize| {
        let reading = &readings[metric];
        let arm = |arm: mains_swap::canary::ArmReading| (arm.requests, arm.total, arm.per_1000);
        (arm(reading.old), arm(reading.new))
    };
    assert_eq!(figures(0), ((1, 0, Some(0)), (3, 1, Some(333))));
    assert_eq!(figures(4), ((1, 1_000, Some(1_000_000)), (2, 2_000, Some(1_000_000))));
    assert_eq!(figures(5), ((0, 0, None), (0, 0, None)));
    let text = serde_json::to_string(&canary).unwrap();
    assert!(text.contains("\"50000\"") && text.contains("\"70000\"") && !text.contains("\"0\""), "{text}");
}

#[test]
fn the_kept_form_is_read_back_and_no_other_one_is() {
    let plan = plan();
    let mut canary = Canary::new(at(7));
    traffic(&mut canary, &plan, 3_000, &mut Chance::from_seed(6), |arm, chance| {
        if chance.hits(if arm == Arm::New { 0.3 } else { 0.01 }) { FAILED } else { FINE }
    });
    canary.look(&plan, at(9)).unwrap();
    let text = serde_json::to_string(&canary).unwrap();
    assert!(text.starts_with(r#"{"form":"mains.swap.canary/1","step":0,"#), "{text}");
    assert!(!text.contains('.') || text.matches('.').count() == 2, "no fraction but in the form's name");
    let read: Canary = serde_json::from_str(&text).unwrap();
    assert_eq!(read, canary);
    assert_eq!(read.readings(&plan), canary.readings(&plan), "computed again");
    for (from, to) in
        [("canary/1", "canary/2"), ("\"step\"", "\"more\":1,\"step\""), ("\"schema\"", "\"new\"")]
    {
        assert!(serde_json::from_str::<Canary>(&text.replacen(from, to, 1)).is_err(), "{from}");
    }
}

/// Anything that can be done to a switch.
#[derive(Debug, Clone)]
enum Call {
    Observe(bool, i64, [Option<u64>; 4]),
    Feedback(bool, i64, bool),
    Look(i64),
    RollBack(i64),
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let share = prop_oneof![any::<i64>(), 0..1_000_001i64, Just(50_000), Just(250_000)];
    let values = any::<[Option<u64>; 4]>();
    let call = prop_oneof![
        20 => (any::<bool>(), share.clone(), values).prop_map(|(arm, share, values)| Call::Observe(arm, share, values)),
        5 => (any::<bool>(), share, any::<bool>()).prop_map(|(arm, share, good)| Call::Feedback(arm, share, good)),
        3 => any::<i64>().prop_map(Call::Look),
        1 => any::<i64>().prop_map(Call::RollBack),
    ];
    prop::collection::vec(call, 0..60)
}

fn plans() -> impl Strategy<Value = Plan> {
    let steps = prop::collection::vec(any::<i64>().prop_map(|s| Ppm(s % 1_500_000)), 0..5);
    let limits = (any::<[i64; 4]>(), any::<[Option<i64>; 2]>(), any::<[Option<u64>; 2]>());
    (steps, any::<u64>(), 0..3u64, any::<Option<i64>>(), limits).prop_map(
        |(steps, hold, requests_min, whole_by, (ppm, ratios, scales))| Plan {
            steps,
            hold: Span(hold),
            requests_min,
            whole_by: whole_by.map(Timestamp),
            limits: Limits {
                alpha: Ppm(ppm[0]),
                margin: Ppm(ppm[1]),
                dearer: Ppm(ppm[2]),
                longer: Ppm(ppm[3]),
                cost_ratio: ratios[0].map(Ppm),
                cost_scale_nano: scales[0],
                length_ratio: ratios[1].map(Ppm),
                length_scale: scales[1],
            },
        },
    )
}

proptest! {
    #[test]
    fn nothing_panics_and_what_is_rolled_back_never_shares_again(plan in plans(), calls in calls()) {
        let mut canary = Canary::new(Timestamp(0));
        let mut back = false;
        let arm = |new| if new { Arm::New } else { Arm::Old };
        for call in calls {
            match call {
                Call::Observe(new, share, [failed, flags, output_tokens, cost]) => {
                    let observation = Observation {
                        failed: failed.is_some(),
                        schema_failed: flags.map(|f| f % 2 == 0),
                        refused: flags.map(|f| f % 3 == 0),
                        output_tokens,
                        cost: cost.map(NanoUsd),
                    };
                    canary.observe(&plan, arm(new), Ppm(share), &observation);
                }
                Call::Feedback(new, share, good) => canary.feedback(&plan, arm(new), Ppm(share), good),
                Call::Look(now) => drop(canary.look(&plan, Timestamp(now))),
                Call::RollBack(now) => canary.roll_back(Timestamp(now)),
            }
            back |= matches!(canary.stage(), Stage::RolledBack { .. });
            let share = canary.share(&plan);
            prop_assert!((0..=1_000_000).contains(&share.0));
            prop_assert!(!back || share == Ppm(0));
            prop_assert_eq!(canary.readings(&plan).len(), 6);
        }
        let read: Canary = serde_json::from_str(&serde_json::to_string(&canary).unwrap()).unwrap();
        prop_assert_eq!(read, canary);
    }
}
