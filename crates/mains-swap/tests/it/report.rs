//! Reports: built, written, read back, computed again, shown.

use mains_swap::grade::{FieldMark, Mark};
use mains_swap::report::{About, Beside, Costs, Example, Outcome, Row, Test, canonical, html, recheck};
use mains_swap::{Ppm, Question, Report, Verdict};
use mains_units::Chance;
use std::collections::BTreeMap;

fn test(n: usize, seed: u64) -> Test {
    let mut chance = Chance::from_seed(seed);
    let rows = (0..n)
        .map(|i| {
            let old = chance.hits(0.9);
            let new = if chance.hits(0.02) { !old } else { old };
            let language = if chance.hits(0.97) { "en" } else { "de" };
            Row {
                id: format!("req_{i:05}"),
                outcome: Outcome::Pair { old, new },
                parts: BTreeMap::from([("language".into(), language.into())]),
            }
        })
        .collect();
    Test {
        about: About {
            old: "openai/gpt-4o".into(),
            new: "here/<small> & \"quick\"".into(),
            route: "tickets".into(),
            grader: "label, case kept".into(),
            day: "2026-11-28".into(),
            seed: "7".into(),
        },
        question: Question::Quality { margin: Ppm::points(3) },
        alpha: Ppm(50_000),
        available: 9_000,
        rows,
        looks: Vec::new(),
        left_out: BTreeMap::from([("the recorded answer is no label".into(), 3)]),
        marks: vec![FieldMark { path: "total".into(), mark: Mark::Missing }],
        worst: vec![Example {
            id: "req_00003".into(),
            note: "another label".into(),
            old: None,
            new: Some("<script>alert(1)</script>".into()),
        }],
        beside: Beside {
            old: Costs {
                nano_usd_per_1000: Some(2_500_000_000),
                first_ms_p50: Some(420),
                output_per_1000: Some(181_500),
                ..Costs::default()
            },
            new: Costs {
                mj_per_1000: Some([1_000, 2_000, 4_000]),
                energy_grade: Some("A".into()),
                ..Costs::default()
            },
        },
    }
}

fn built(seed: u64) -> Report {
    Report::build(test(1_500, seed)).unwrap()
}

#[test]
fn a_report_survives_its_own_text_and_is_computed_again() {
    let report = built(7);
    assert_eq!(report.ruling.verdict, Verdict::NonInferior);
    let text = canonical(&report).unwrap();
    let read: Report = serde_json::from_str(&text).unwrap();
    assert_eq!(read, report);
    assert_eq!(canonical(&read).unwrap(), text, "one report, one text");
    assert_eq!(recheck(&read), Vec::<String>::new());
    assert!(!text.contains(['\n', ' ']) || text.contains("case kept"), "no white space but in words");
    let digits = |c: char| c.is_ascii_digit();
    assert!(
        !text
            .split('.')
            .skip(1)
            .zip(text.split('.'))
            .any(|(after, before)| { before.ends_with(digits) && after.starts_with(digits) }),
        "no fraction"
    );
}

type Change = fn(&mut Report);

#[test]
fn what_is_changed_is_found() {
    let changes: [(&str, Change); 6] = [
        ("a verdict", |report| report.ruling.verdict = Verdict::Inferior),
        ("a bound", |report| report.ruling.evidence.at_least = Ppm(0)),
        ("an outcome", |report| report.rows[100].outcome = Outcome::Pair { old: false, new: true }),
        ("a row taken out", |report| drop(report.rows.pop())),
        ("a slice", |report| report.slices[0].ruling.verdict = Verdict::Inferior),
        ("the margin", |report| report.question = Question::Quality { margin: Ppm::points(1) }),
    ];
    for (what, change) in changes {
        let mut report = built(7);
        change(&mut report);
        assert!(!recheck(&report).is_empty(), "{what} was not found");
    }
    let mut report = built(7);
    report.schema = "mains.swap.report/2".into();
    assert_eq!(recheck(&report).len(), 1);
}

#[test]
fn outcomes_of_different_sorts_are_not_mixed() {
    let mut mixed = test(50, 1);
    mixed.rows[3].outcome = Outcome::Single { same: true };
    assert_eq!(Report::build(mixed), None);
    let mut judged = test(50, 1);
    judged.rows.iter_mut().for_each(|row| row.outcome = Outcome::Judged { judge: 2, human: None });
    let report = Report::build(judged).unwrap();
    assert_eq!(report.ruling.verdict, Verdict::Undecided);
    assert!(html(&report).contains("a judge alone decides nothing"));
}

#[test]
fn an_empty_test_is_a_report_too() {
    let mut empty = test(0, 1);
    empty.worst.clear();
    let report = Report::build(empty).unwrap();
    assert_eq!(report.ruling.verdict, Verdict::Undecided);
    assert_eq!(recheck(&report), Vec::<String>::new());
    assert!(html(&report).contains("Not decided"));
}

#[test]
fn the_page_shows_the_figures_and_nothing_runs_in_it() {
    let page = html(&built(7));
    for expected in [
        "less than 3.00 points worse",
        "<svg",
        "language: de",
        "too few",
        "$2.5",
        "unknown",
        "1 to 4 J (grade A)",
        "input tokens of 1,000 requests",
        "181,500",
    ] {
        assert!(page.contains(expected), "{expected} is missing");
    }
    assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"));
    assert!(page.contains("&#60;script&#62;") || page.contains("&lt;script&gt;"));
    assert!(page.contains("prefers-color-scheme: dark"));
}

#[test]
fn older_reports_keep_their_text_and_ratios_are_told_where_both_sides_are_known() {
    let mut report = built(7);
    let with_tokens = canonical(&report).unwrap();
    assert!(with_tokens.contains(r#""output_per_1000":181500"#));
    report.beside.old.output_per_1000 = None;
    let without = canonical(&report).unwrap();
    assert!(!without.contains("output_per_1000") && !without.contains("input_per_1000"));
    let read: Report = serde_json::from_str(&without).unwrap();
    assert_eq!(canonical(&read).unwrap(), without);
    assert_eq!(recheck(&read), Vec::<String>::new());

    let costs = |cost: Option<u64>, output| Costs {
        nano_usd_per_1000: cost,
        output_per_1000: output,
        ..Costs::default()
    };
    let ratios = |old, new| Beside { old, new }.ratios();
    let alike = costs(Some(3), Some(100));
    assert_eq!(ratios(alike.clone(), costs(Some(2), Some(80))), (Some(Ppm(666_667)), Some(Ppm(800_000))));
    assert_eq!(ratios(alike.clone(), costs(None, Some(0))), (None, Some(Ppm(0))));
    assert_eq!(ratios(costs(Some(0), None), alike.clone()), (None, None));
    assert_eq!(ratios(costs(Some(1), Some(1)), costs(Some(u64::MAX), None)), (Some(Ppm(i64::MAX)), None));
}
