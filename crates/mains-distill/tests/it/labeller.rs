//! The file: it comes back as it went, any changed bit is refused, and a forger's bytes do no harm.

use mains_distill::features::Rows;
use mains_distill::heads::average::{Heads, Mapping};
use mains_distill::heads::{dense, ngram};
use mains_distill::labeller::{
    Damaged, Dense, Draft, Labeller, Lacking, Origin, Seal, Thresholds, rehash, signed,
};
use mains_distill::task::{LabelSet, Role, Served, Shape, Template, Turn};
use mains_distill::watch::Bound;
use proptest::prelude::*;
use std::sync::OnceLock;

const TEXTS: [&str; 6] =
    ["my card is lost", "a lost card", "top up failed", "the top up", "rate of euros", "euro rate"];

fn served() -> Served {
    let turn = |role, text: &str| Turn { role, text: text.to_owned() };
    let turns =
        [turn(Role::System, "Name the intent. Today is 2026-11-28."), turn(Role::User, "{text}\nIntent:")];
    let template = Template::of_prompt("", &turns).unwrap();
    let labels = ["lost card", "rate", "top up"].map(|label| (label.to_owned(), 2));
    let labels = LabelSet::of_labels(&labels, Shape::Word).unwrap();
    Served::new("intents", template, labels, Bound { teacher: "gpt-4".to_owned(), ..Bound::default() })
}

fn labeller() -> Labeller {
    let rows = Rows::of(TEXTS);
    let labels = [0, 0, 2, 2, 1, 1];
    let all: Vec<usize> = (0..6).collect();
    let problem = ngram::Problem::new(&rows, &labels, 3, &all, ngram::Settings::default()).unwrap();
    let values = [1.0, 0.1, 0.9, 0.0, 0.0, 1.0, 0.1, 0.9, -1.0, -0.9, -0.8, -1.0];
    let embeddings = dense::Embeddings { values: &values, dim: 2 };
    let head = dense::fit(embeddings, &labels, 3, &all, dense::Settings::default()).unwrap();
    Labeller {
        labels: ["lost card", "rate", "top up"].map(str::to_owned).to_vec(),
        ngram: Some(problem.fit()),
        dense: Some(Dense {
            model_sha256: [7; 32],
            head,
            centres: dense::Centres::of(embeddings, &labels, 3, &all),
        }),
        mapping: Mapping { heads: Heads::Both, ngram: 3.0, dense: 2.0, shown: 1.2 },
        thresholds: Thresholds { confidence_min: 0.5, known_min: 0.9, escalates: vec![false, true, false] },
        certificate: b"{}".to_vec(),
        lineage: vec![Origin { name: "rows".to_owned(), sha256: [1; 32] }],
        task: Some(served()),
    }
}

fn file() -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| Draft::of(&labeller()).finish(Some(&Seal { key: [2; 32], signature: [3; 64] })))
}

#[test]
fn a_file_comes_back_as_it_went() {
    let labeller = labeller();
    let draft = Draft::of(&labeller);
    let to_sign = draft.to_sign();
    let read = Labeller::parse(file()).unwrap();
    assert_eq!(read, labeller);
    let seal = Seal { key: [2; 32], signature: [3; 64] };
    let signed_file = signed(file()).unwrap();
    assert_eq!((signed_file.to_sign, signed_file.seal), (to_sign.clone(), Some(seal)));
    let unsigned = draft.finish(None);
    assert_eq!(signed(&unsigned).unwrap().seal, None);
    assert_eq!(signed(&unsigned).unwrap().to_sign, to_sign);
    assert_eq!(read.label(TEXTS[0], Some(&[1.0, 0.1])), labeller.label(TEXTS[0], Some(&[1.0, 0.1])));
}

#[test]
fn answers_are_local_only_within_the_thresholds() {
    let mut labeller = labeller();
    let answer = labeller.label(TEXTS[0], Some(&[1.0, 0.1])).unwrap();
    assert!(answer.label == 0 && answer.local && answer.confidence > 0.5);
    assert!(!labeller.label(TEXTS[4], Some(&[-1.0, -0.9])).unwrap().local, "this class always escalates");
    let foreign = labeller.label(TEXTS[0], Some(&[1.0, -1.0])).unwrap();
    assert!(foreign.label == 0 && !foreign.local && foreign.known < 0.9, "{foreign:?}");
    labeller.thresholds.confidence_min = 1.5;
    assert!(!labeller.label(TEXTS[0], Some(&[1.0, 0.1])).unwrap().local);
    assert_eq!(labeller.label("x", None), Err(Lacking::Embedding));
    assert_eq!(labeller.label("x", Some(&[1.0])), Err(Lacking::Length { needed: 2, given: 1 }));
    assert_eq!(labeller.label("x", Some(&[1.0, f32::NAN])), Err(Lacking::NotFinite));
    labeller.mapping.heads = Heads::Ngram;
    assert!(labeller.label("", None).unwrap().confidence.is_finite());
    // Without embeddings the n-grams tell.
    labeller.thresholds = Thresholds { confidence_min: 0.1, known_min: 0.3, ..labeller.thresholds };
    assert!(labeller.label(TEXTS[0], None).unwrap().local);
    let foreign = labeller.label("quantum zoology of jazz", None).unwrap();
    assert!(!foreign.local && foreign.known < 0.3, "{foreign:?}");
}

#[test]
fn every_bit_of_header_and_seal_counts() {
    let header = 16 + 44 * 8;
    for at in (0..header).chain(file().len() - 129..file().len()) {
        for bit in 0..8 {
            let mut changed = file().to_vec();
            changed[at] ^= 1 << bit;
            assert!(Labeller::parse(&changed).is_err(), "byte {at} bit {bit}");
        }
    }
    assert_eq!(Labeller::parse(b"MAINS"), Err(Damaged::NotALabeller));
    assert_eq!(Labeller::parse(&file()[..file().len() - 1]), Err(Damaged::Short("seal")));
}

#[test]
fn a_task_that_is_not_the_labellers_is_refused() {
    let changes: [fn(&mut Served); 6] = [
        |task| task.schema.push('0'),
        |task| task.name = "Intents".to_owned(),
        |task| task.template.prefix.push(' '),
        |task| task.bound.labels.push('0'),
        |task| task.labels.labels.reverse(),
        |task| {
            let labels = ["lost card", "rate", "bottom"].map(|label| (label.to_owned(), 2));
            task.labels = LabelSet::of_labels(&labels, Shape::Word).unwrap();
            task.bound.labels = task.labels.hash();
        },
    ];
    for (place, change) in changes.iter().enumerate() {
        let mut labeller = labeller();
        change(labeller.task.as_mut().unwrap());
        let read = Labeller::parse(&Draft::of(&labeller).finish(None));
        assert!(matches!(read, Err(Damaged::Value { section: "task", .. })), "change {place}: {read:?}");
    }
    let mut plain = labeller();
    plain.task = None;
    assert_eq!(Labeller::parse(&Draft::of(&plain).finish(None)).unwrap(), plain);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_changed_bit_is_refused(at in 0..file().len(), bit in 0..8u32) {
        let mut changed = file().to_vec();
        changed[at] ^= 1 << bit;
        prop_assert!(Labeller::parse(&changed).is_err());
    }

    #[test]
    fn forged_bytes_are_refused_or_work(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        small in any::<bool>(),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut forged = file().to_vec();
        for (at, byte) in changes {
            // The head of the file holds the lengths; half of the cases stay there.
            let at = if small { at.index(400) } else { at.index(forged.len()) };
            forged[at] = byte;
        }
        if let Some(cut) = cut {
            forged.truncate(cut.index(forged.len()));
        }
        rehash(&mut forged);
        if let Ok(labeller) = Labeller::parse(&forged) {
            let answer = labeller.label("my lost card is the top", Some(&[0.5, 0.5]));
            if let Ok(answer) = answer {
                prop_assert!((answer.label as usize) < labeller.labels.len());
                prop_assert!(!answer.confidence.is_nan());
            }
        }
    }

    #[test]
    fn any_bytes_and_any_text_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..600), text in ".{0,80}") {
        prop_assert!(Labeller::parse(&bytes).is_err());
        let labeller = Labeller::parse(file()).unwrap();
        let answer = labeller.label(&text, Some(&[0.1, -0.1])).unwrap();
        prop_assert!(answer.confidence > 0.0 && answer.confidence <= 1.0);
        prop_assert!((0.0..=1.0).contains(&answer.known));
    }
}
