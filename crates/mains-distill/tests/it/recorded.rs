//! Training on recorded answers that lie beside the repository; left out, and said so, where they are not there.

use crate::trained::lesson_of;
use mains_distill::certificate::{Refusal, Ruling};
use mains_distill::training::{Alone, Settings, train};
use mains_distill::watch::{Audited, Watch};
use mains_units::Timestamp;
use std::path::{Path, PathBuf};

fn file(test: &str, name: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/datasets").join(name);
    if file.exists() {
        return Some(file);
    }
    println!("left out: {test} needs shared/datasets/{name}");
    assert!(std::env::var_os("MAINS_REQUIRE_ALL").is_none(), "shared/datasets is missing");
    None
}

fn column(reader: &mut csv::Reader<std::fs::File>, name: &str) -> usize {
    reader.headers().unwrap().iter().position(|head| head == name).unwrap()
}

fn yes_or_no(answer: &str) -> Option<u32> {
    match answer.trim() {
        "No" => Some(0),
        "Yes" => Some(1),
        _ => None,
    }
}

#[test]
fn gpt_4_as_a_teacher_is_certified_and_another_model_in_its_place_is_noticed() {
    let Some(file) = file("the teacher that changes", "overruling_12llm/dev_half.csv") else { return };
    let mut reader = csv::Reader::from_path(file).unwrap();
    let [text, teacher, other] =
        ["text", "gpt-4_answer", "medium_answer"].map(|name| column(&mut reader, name));
    let records: Vec<_> = reader.records().map(Result::unwrap).collect();
    let rows = records.iter().filter_map(|row| Some((row[text].to_owned(), yes_or_no(&row[teacher])?)));
    let lesson = lesson_of(&rows.collect::<Vec<_>>());
    let made = train(&lesson, None, &Settings::new(5, Timestamp(0)), &Alone, &|_| ()).unwrap();
    assert!(
        matches!(made.certificates.all.ruling, Ruling::Certified { .. }),
        "{:?}",
        made.certificates.all.ruling
    );
    let audit = made.certificates.all.audit.unwrap();
    assert!(audit.local.ppm > 300_000 && audit.differs_of_all.ppm <= 30_000, "{audit:?}");
    let mut watch = Watch::over(&made.certificates.all).unwrap();
    let mut calls = 0;
    for row in records.iter().cycle().take(3_000) {
        let Some(now) = yes_or_no(&row[other]) else { continue };
        let said = made.labeller.label(&row[text], None).unwrap();
        calls += 1;
        if watch.observe(Audited { local: said.local, differs: said.label != now }, Timestamp(0)).is_some() {
            break;
        }
    }
    assert!(watch.withdrawn.is_some() && calls < 200, "after {calls} audited calls");
}

/// Numbers with what gpt-4-0314 said of them: 336 of its 361 "no" are for numbers that end in an even digit or in 5.
#[test]
fn whether_a_number_is_prime_is_learned_as_far_as_its_last_digit_tells_and_no_further() {
    let Some(file) = file("the primes", "llmdrift/prime.csv") else { return };
    let mut reader = csv::Reader::from_path(file).unwrap();
    let [model, query, answer] = ["model", "query", "answer"].map(|name| column(&mut reader, name));
    let rows = reader.records().map(Result::unwrap).filter_map(|row| {
        let said = row[answer].to_lowercase();
        let label = match (said.contains("[yes]"), said.contains("[no]")) {
            (true, false) => 1,
            (false, true) => 0,
            _ => return None,
        };
        let number = row[query].chars().filter(char::is_ascii_digit).collect::<String>();
        row[model].ends_with("gpt-4-0314").then_some((number, label))
    });
    let rows: Vec<(String, u32)> = rows.collect();
    let made = |rows: &[(String, u32)]| {
        let lesson = lesson_of(rows);
        let made = train(&lesson, None, &Settings::new(5, Timestamp(0)), &Alone, &|_| ()).unwrap();
        (lesson, made)
    };
    // Of all numbers most are told right by their end, and still too few for a promise about what is answered here.
    let (_, all) = made(&rows);
    assert!(all.report.agreement.ppm > 900_000, "{:?}", all.report.agreement);
    assert!(matches!(all.certificates.local.ruling, Ruling::Refused { .. }));
    // Of those whose end says nothing no text feature tells a prime: refused, both ways.
    let odd = |row: &&(String, u32)| row.0.ends_with(['1', '3', '7', '9']);
    let (lesson, hard) = made(&rows.iter().filter(odd).cloned().collect::<Vec<_>>());
    for certificate in [&hard.certificates.all, &hard.certificates.local] {
        let Ruling::Refused { reason } = &certificate.ruling else { panic!("{:?}", certificate.ruling) };
        assert!(matches!(reason, Refusal::NothingLearned { .. }), "{reason:?}");
    }
    assert!(lesson.examples.iter().all(|row| !hard.labeller.label(&row.text, None).unwrap().local));
}
