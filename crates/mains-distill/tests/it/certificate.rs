//! Certificates: what they promise, refuse, stake, and that nothing in them can be changed unseen.

use mains_distill::certificate::{
    About, Ask, Calibration, Certificate, Costs, DeltaLedger, Plan, Promise, Refusal, Ruling, Savings, Share,
    Terms, certify, page, progress, recheck,
};
use mains_units::{Chance, Timestamp};

/// Rows whose chance to differ falls with confidence: `1 - confidence`, times `noise`.
fn rows(n: usize, noise: f64, chance: &mut Chance) -> Calibration {
    let mut rows = Calibration::default();
    for _ in 0..n {
        // Most texts are easy.
        let unit = f32::from(u16::try_from(chance.below(1 << 16)).unwrap()) / 65_536.0;
        let confidence = 1.0 - unit.powi(3) * 0.6;
        rows.confidence.push(confidence);
        rows.differs.push(chance.hits(noise * (1.0 - f64::from(confidence))));
        rows.class.push(u32::try_from(chance.below(4)).unwrap());
    }
    rows
}

fn about() -> About {
    About {
        task: "intents".into(),
        teacher: "openai/gpt-4".into(),
        rows: "rows-1".into(),
        at: Timestamp(1_000),
    }
}

fn ask<'a>(
    terms: Terms,
    plan: Plan,
    calibration: &'a Calibration,
    audit: Option<&'a Calibration>,
) -> Ask<'a> {
    Ask {
        about: about(),
        terms,
        plan,
        calibration,
        audit,
        ledger: DeltaLedger::new(50_000),
        ceiling: None,
        costs: None,
    }
}

fn certified(
    terms: Terms,
    calibration_rows: usize,
    noise: f64,
    seed: u64,
) -> (Certificate, [Calibration; 3]) {
    let mut chance = Chance::from_seed(seed);
    let training = rows(2_000, noise, &mut chance);
    let calibration = rows(calibration_rows, noise, &mut chance);
    let audit = rows(600, noise, &mut chance);
    let plan = Plan::from_training(&training, calibration.len() as u64, &terms, None).unwrap();
    let certificate = certify(ask(terms, plan, &calibration, Some(&audit))).unwrap();
    (certificate, [training, calibration, audit])
}

#[test]
fn both_promises_are_shown_where_they_hold_and_the_stricter_one_keeps_less() {
    let (all, _) = certified(Terms::new(Promise::AllTraffic, 20_000), 1_500, 0.4, 7);
    let (local, _) = certified(Terms::new(Promise::AnsweredLocally, 20_000), 1_500, 0.4, 7);
    let kept = |certificate: &Certificate| certificate.audit.expect("a threshold").local.ppm;
    assert!(kept(&all) > 600_000, "{}", page(&all));
    assert!(kept(&local) > 300_000 && kept(&local) <= kept(&all), "{}", page(&local));
    assert!(all.audit.unwrap().differs_of_all.low_ppm <= 20_000);
    let threshold = all.threshold_micro().unwrap();
    let greedier = all.steps.iter().filter(|step| step.threshold_micro < threshold);
    assert!(greedier.clone().all(|step| !step.passed) && greedier.count() > 0, "nothing greedier passed");
}

#[test]
fn a_labeller_that_is_often_wrong_is_refused_with_its_figures() {
    let (certificate, _) = certified(Terms::new(Promise::AnsweredLocally, 10_000), 1_000, 4.0, 3);
    let Ruling::Refused { reason: Refusal::TooManyDiffer { local, differs, .. } } = certificate.ruling else {
        panic!("{}", page(&certificate));
    };
    assert!(local > 0 && differs > 0, "{local} {differs}");
    assert!(page(&certificate).contains("answers differ"));
    assert!(!certificate.is_local(1.0, 0, None));
}

#[test]
fn rows_too_few_even_without_an_error_are_told_before_they_are_looked_at() {
    let terms = Terms::new(Promise::AllTraffic, 10_000);
    assert_eq!(progress(212, &terms), "212 of 299 rows for 1 %");
    let (certificate, _) = certified(terms, 212, 0.0, 1);
    assert_eq!(certificate.ruling, Ruling::Refused { reason: Refusal::TooFewRows { have: 212, need: 299 } });
    assert!(certificate.steps.is_empty());
    let (certificate, _) = certified(terms, 299, 0.0, 1);
    assert!(certificate.threshold_micro().is_some(), "{}", page(&certificate));
}

#[test]
fn delta_is_staked_once() {
    let (first, [training, calibration, _]) = certified(Terms::new(Promise::AllTraffic, 20_000), 800, 0.2, 5);
    let plan = Plan::from_training(&training, 800, &first.terms, None).unwrap();
    let mut again = ask(first.terms, plan.clone(), &calibration, None);
    again.ledger.spent.push(first.spent());
    let second = certify(again.clone()).unwrap();
    assert_eq!(
        second.ruling,
        Ruling::Refused { reason: Refusal::DeltaSpent { left_ppm: 0, asked_ppm: 50_000 } }
    );
    again.ledger.delta_ppm_most = 100_000;
    let second = certify(again).unwrap();
    assert!(second.threshold_micro().is_some());
    assert_eq!(second.delta_ppm_together, 100_000);
    assert!(page(&second).contains("all promises hold at 90 % confidence"), "{}", page(&second));
    assert!(first.spent().on.contains("intents") && first.spent().on.contains("2 %"));
}

#[test]
fn a_class_with_few_rows_always_escalates_and_the_rest_does_not() {
    let mut chance = Chance::from_seed(11);
    let [mut training, mut calibration] = [2_000, 700].map(|n| rows(n, 0.1, &mut chance));
    for (rows, rare) in [(&mut training, 4), (&mut calibration, 2)] {
        for class in rows.class.iter_mut().take(rare) {
            *class = 9;
        }
    }
    for promise in [Promise::AllTraffic, Promise::AnsweredLocally] {
        let terms = Terms::new(promise, 20_000);
        let plan = Plan::from_training(&training, 700, &terms, None).unwrap();
        let certificate = certify(ask(terms, plan, &calibration, None)).unwrap();
        let rare = certificate.classes.iter().find(|row| row.class == 9).unwrap();
        assert_eq!((rare.training_rows, rare.rows, rare.local, rare.may_answer), (4, 2, 0, false));
        assert!(!certificate.is_local(1.0, 9, None) && certificate.is_local(1.0, 0, None), "{promise:?}");
        assert!(!certificate.is_local(1.0, 77, None), "a class that nobody has seen");
        assert!(!certificate.is_local(f32::NAN, 0, None));
        assert!(page(&certificate).contains("always escalates"));
    }
}

#[test]
fn strange_text_escalates_however_sure_the_labeller_is() {
    let mut chance = Chance::from_seed(13);
    let [mut training, mut calibration] = [1_500, 900].map(|n| rows(n, 0.1, &mut chance));
    // A tenth of the rows is foreign, always wrong, and as sure as any.
    for rows in [&mut training, &mut calibration] {
        rows.strangeness = vec![0.1; rows.len()];
        for i in (0..rows.len()).step_by(10) {
            (rows.strangeness[i], rows.differs[i], rows.confidence[i]) = (0.9, true, 1.0);
        }
    }
    let terms = Terms::new(Promise::AllTraffic, 20_000);
    let blind = Plan::from_training(&training, 900, &terms, None).unwrap();
    let blind = certify(ask(terms, blind, &calibration, None)).unwrap();
    assert!(matches!(blind.ruling, Ruling::Refused { reason: Refusal::TooManyDiffer { .. } }));
    let plan = Plan::from_training(&training, 900, &terms, Some(500_000)).unwrap();
    let certificate = certify(ask(terms, plan.clone(), &calibration, None)).unwrap();
    assert!(certificate.is_local(1.0, 0, Some(0.1)), "{}", page(&certificate));
    for strange in [Some(0.9), Some(f32::NAN), None] {
        assert!(!certificate.is_local(1.0, 0, strange), "{strange:?}");
    }
    calibration.strangeness.clear();
    assert!(certify(ask(terms, plan, &calibration, None)).is_err());
}

#[test]
fn an_audit_part_that_refutes_the_promise_takes_it_back() {
    let (good, [training, calibration, mut audit]) =
        certified(Terms::new(Promise::AllTraffic, 20_000), 900, 0.1, 17);
    assert!(good.threshold_micro().is_some());
    for differs in audit.differs.iter_mut().step_by(5) {
        *differs = true;
    }
    let plan = Plan::from_training(&training, 900, &good.terms, None).unwrap();
    let late = certify(ask(good.terms, plan, &calibration, Some(&audit))).unwrap();
    assert!(
        matches!(late.ruling, Ruling::Refused { reason: Refusal::AuditRefutes { .. } }),
        "{}",
        page(&late)
    );
    assert!(late.audit.is_some(), "what was seen is told");
}

#[test]
fn savings_are_the_teachers_cost_on_the_local_share_less_the_labellers_on_all() {
    let teacher = Costs {
        nano_usd_per_1000: Some(8_000_000_000),
        mj_per_1000: Some([100, 200, 400]),
        ms_per_1000: Some(900_000),
    };
    let labeller = Costs { nano_usd_per_1000: Some(1_000), mj_per_1000: Some([1, 2, 60]), ms_per_1000: None };
    let savings = Savings::at(500_000, teacher, labeller);
    assert_eq!(savings.nano_usd_per_1000, Some(3_999_999_000));
    assert_eq!(savings.mj_per_1000, Some([-10, 98, 199]));
    assert_eq!(savings.ms_per_1000, None, "what is not known is not zero");
}

#[test]
fn a_certificate_is_rechecked_from_its_rows_and_any_change_is_told() {
    for promise in [Promise::AllTraffic, Promise::AnsweredLocally] {
        let (mut made, [training, calibration, audit]) =
            certified(Terms::new(promise, 30_000), 1_000, 0.3, 19);
        made.ceiling = Some(Share::of(97, 100));
        assert_eq!(recheck(&made, &calibration, Some(&audit)), Vec::<String>::new());
        assert_eq!(recheck(&made, &calibration, None), Vec::<String>::new());
        let changes: [fn(&mut Certificate); 12] = [
            |c| c.schema.push('0'),
            |c| c.rows += 1,
            |c| c.ruling = Ruling::Certified { threshold_micro: 400_000 },
            |c| c.steps[3].local += 1,
            |c| c.plan.candidates[0].start_ppb += 1_000_000,
            |c| c.plan.candidates.swap(0, 1),
            |c| c.classes[0].may_answer = false,
            |c| c.delta_ppm_together = 0,
            |c| c.terms.eps_ppm = 10_000,
            |c| c.plan.candidates.iter_mut().for_each(|candidate| candidate.start_ppb = u64::MAX),
            |c| c.ceiling = Some(Share { of: u64::MAX, ..Share::of(97, 100) }),
            |c| c.ceiling = Some(Share { ppm: 1_000_000, ..Share::of(97, 100) }),
        ];
        for (place, change) in changes.iter().enumerate() {
            let mut changed = made.clone();
            change(&mut changed);
            assert!(!recheck(&changed, &calibration, Some(&audit)).is_empty(), "change {place} is unseen");
        }
        let mut changed = made.clone();
        changed.audit.as_mut().unwrap().differs_of_all.hits = 0;
        assert!(!recheck(&changed, &calibration, Some(&audit)).is_empty());
        assert!(!recheck(&made, &training, None).is_empty(), "other rows");
        let mut one_flipped = calibration.clone();
        one_flipped.differs[0] ^= true;
        assert!(!recheck(&made, &one_flipped, None).is_empty());
    }
}

#[test]
fn its_text_has_whole_numbers_only_comes_back_and_refuses_what_it_does_not_know() {
    let (mut made, _) = certified(Terms::new(Promise::AnsweredLocally, 20_000), 900, 0.2, 23);
    made.savings = Some(Savings::at(500_000, Costs::default(), Costs::default()));
    let text = serde_json::to_string(&made).unwrap();
    assert_eq!(serde_json::from_str::<Certificate>(&text).unwrap(), made);
    assert!(is_whole(&serde_json::from_str(&text).unwrap()));
    let more = text.replacen("{\"schema\"", "{\"extra\":1,\"schema\"", 1);
    assert!(serde_json::from_str::<Certificate>(&more).is_err());
    let more = text.replacen("\"is\":\"certified\"", "\"is\":\"certified\",\"extra\":1", 1);
    assert!(more != text && serde_json::from_str::<Certificate>(&more).is_err());
}

/// Whether every number is a whole one that every reader keeps.
fn is_whole(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Number(number) => {
            number.as_i64().is_some_and(|size| size.unsigned_abs() <= 1 << 53)
        }
        serde_json::Value::Array(items) => items.iter().all(is_whole),
        serde_json::Value::Object(members) => members.values().all(is_whole),
        _ => true,
    }
}

#[test]
fn starts_share_delta_whatever_the_rows_are() {
    for (n, starts) in [(0usize, 3), (1, 3), (2, 7), (500, 1), (500, 3), (500, 4)] {
        for promise in [Promise::AllTraffic, Promise::AnsweredLocally] {
            let terms = Terms { starts, ..Terms::new(promise, 20_000) };
            let training = rows(n, 0.3, &mut Chance::from_seed(29));
            let plan = Plan::from_training(&training, 400, &terms, None).unwrap();
            let sum: u64 = plan.candidates.iter().map(|candidate| candidate.start_ppb).sum();
            assert_eq!(sum, if n == 0 { 0 } else { 50_000_000 }, "{n} {starts} {promise:?}");
        }
    }
}

#[test]
fn a_start_that_fails_does_not_stop_the_next_one() {
    // The safest rows are unlucky: a tenth of the surest 400 differ, and nothing after them.
    let n = 4_000;
    let mut calibration = Calibration::default();
    for i in 0..n {
        calibration.confidence.push(1.0 - i as f32 / n as f32);
        calibration.differs.push(i < 200 && i % 10 == 0);
        calibration.class.push(0);
    }
    // The training rows know nothing of that.
    let training = Calibration { differs: vec![false; n], ..calibration.clone() };
    let keep = |starts| {
        let terms = Terms { starts, ..Terms::new(Promise::AnsweredLocally, 20_000) };
        let mut plan = Plan::from_training(&training, n as u64, &terms, None).unwrap();
        if starts == 1 {
            plan.candidates.iter_mut().for_each(|candidate| candidate.start_ppb = 0);
            plan.candidates[4].start_ppb = 50_000_000;
        }
        certify(ask(terms, plan, &calibration, None)).unwrap()
    };
    assert!(keep(1).threshold_micro().is_none());
    let kept = keep(3);
    assert!(kept.threshold_micro().is_some(), "{}", page(&kept));
    assert!(kept.steps.iter().any(|step| step.level_ppb > 0 && !step.passed), "a start has failed");
}
