//! Routers on worlds whose truth is known, by n-grams alone.

use mains_distill::routing::{Refusal, Report, Router, Row, Ruling, Settings, Trial, Untestable};
use mains_units::Chance;

const SETTINGS: Settings = Settings { seed: 1, folds: 3, resamples: 300 };
const WORDS: [&str; 12] = [
    "river", "stone", "garden", "window", "letter", "market", "winter", "bridge", "candle", "forest",
    "silver", "harbour",
];

/// A text, both qualities and its group.
struct Asked {
    text: String,
    weak: f64,
    strong: f64,
    group: String,
}

/// So many texts; `gain` says from the topic and the number of words how likely the strong model alone is right.
fn world(rows: usize, groups: u64, gain: impl Fn(&str, usize) -> f64) -> Vec<Asked> {
    let mut chance = Chance::from_seed(5);
    let mut pick = |of: &[&'static str]| of[usize::try_from(chance.below(of.len() as u64)).unwrap()];
    let mut texts = Vec::new();
    for row in 0..rows {
        let topic = pick(&["theorem", "recipe", "weather", "football"]);
        let words = 2 + row % 5;
        let mut text: Vec<&str> = (0..words).map(|_| pick(&WORDS)).collect();
        text.push(topic);
        // Which row it is keeps texts apart that would be near duplicates.
        texts.push((topic, words, format!("{} {:x}", text.join(" "), row * 2_654_435_761 % 1_000_003)));
    }
    let mut asked = Vec::new();
    for (topic, words, text) in texts {
        let gains = chance.hits(gain(topic, words));
        let weak = if gains { 0.0 } else { 1.0 };
        asked.push(Asked { text, weak, strong: 1.0, group: format!("g{}", chance.below(groups)) });
    }
    asked
}

fn rows(asked: &[Asked]) -> Vec<Row<'_>> {
    let row = |asked: &'_ Asked| (asked.weak, asked.strong);
    asked
        .iter()
        .map(|one| {
            let (weak, strong) = row(one);
            Row { text: &one.text, weak, strong, costs: Some([1.0, 10.0]), group: Some(&one.group) }
        })
        .collect()
}

fn tried(asked: &[Asked]) -> Report {
    let rows = rows(asked);
    let trial = Trial::new(&rows, None, SETTINGS).unwrap();
    let parts: Vec<_> = (0..trial.pieces()).filter_map(|piece| trial.solve(piece)).collect();
    trial.report(&parts)
}

#[test]
fn a_topic_that_gains_is_learned_and_the_same_in_any_order_of_pieces() {
    let asked = world(450, 30, |topic, _| if topic == "theorem" { 0.9 } else { 0.05 });
    let report = tried(&asked);
    assert_eq!(report.ruling, Ruling::Enabled { router: Router::GainByNgrams, unseen: Some(true) });
    let line = |router| *report.seen.lines.iter().find(|line| line.router == router).unwrap();
    let (random, learned) = (line(Router::Random), line(Router::GainByNgrams));
    assert_eq!((random.apgr.ppm, random.calls_50.ppm, random.calls_80.ppm), (500_000, 500_000, 800_000));
    // A quarter of the texts carries nearly all of the gain.
    assert!(learned.apgr.ppm > 750_000 && learned.calls_80.ppm < 300_000, "{learned:?}");
    assert!(learned.apgr.low_ppm <= learned.apgr.ppm && learned.apgr.ppm <= learned.apgr.high_ppm);
    // At 80 % by lots: 1 and eight tenths of 9, of 10.
    assert_eq!(random.saved_80.unwrap().ppm, 180_000);
    assert!(learned.saved_80.unwrap().ppm > 600_000);
    let rows = rows(&asked);
    let trial = Trial::new(&rows, None, SETTINGS).unwrap();
    let backwards: Vec<_> = (0..trial.pieces()).rev().filter_map(|piece| trial.solve(piece)).collect();
    assert_eq!(trial.report(&backwards), report);
    assert_eq!(trial.solve(trial.pieces()), None);
}

#[test]
fn what_length_tells_as_well_or_nobody_is_refused() {
    // Long texts gain: n-grams cannot be shown to know more than the number of characters.
    let long = world(450, 5, |_, words| if words >= 5 { 0.8 } else { 0.1 });
    let report = tried(&long);
    assert_eq!(report.ruling, Ruling::Refused { why: Refusal::NotBeyondLength });
    let length = report.seen.lines.iter().find(|line| line.router == Router::Length).unwrap();
    assert!(length.apgr.low_ppm > 550_000, "{length:?}");
    assert!(report.unseen.is_none(), "five groups say nothing of others");
    let noise = world(450, 5, |_, _| 0.3);
    assert_eq!(tried(&noise).ruling, Ruling::Refused { why: Refusal::NotBeyondLength });
}

#[test]
fn where_nothing_can_be_recovered_nothing_is_said() {
    let mut asked = world(200, 5, |_, _| 0.3);
    for one in &mut asked {
        one.strong = one.weak;
    }
    let report = tried(&asked);
    assert_eq!(report.ruling, Ruling::Refused { why: Refusal::StrongNotBetter });
    assert!(report.seen.lines.is_empty());
}

#[test]
fn what_cannot_be_tried_is_refused_with_its_row() {
    let asked = world(120, 5, |_, _| 0.3);
    let mut all = rows(&asked);
    all[7].weak = 1.5;
    assert_eq!(Trial::new(&all, None, SETTINGS).unwrap_err(), Untestable::Quality(7));
    all[7].weak = 1.0;
    all[3].costs = Some([f64::NAN, 1.0]);
    assert_eq!(Trial::new(&all, None, SETTINGS).unwrap_err(), Untestable::Cost(3));
    assert!(matches!(Trial::new(&rows(&asked)[..50], None, SETTINGS), Err(Untestable::Few(_))));
}
