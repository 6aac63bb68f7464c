//! Training: pieces in any order give the same file; what cannot be learned is refused.

use mains_distill::features::Rows;
use mains_distill::heads::Refused;
use mains_distill::heads::folds::Folds;
use mains_distill::heads::ngram::{Problem, Settings};
use mains_units::Chance;

const WORDS: [&[&str]; 3] = [
    &["card", "lost", "stolen", "block"],
    &["rate", "euro", "dollar", "exchange"],
    &["top", "up", "failed", "add"],
];

/// Texts of four words each: three of their class, one of any.
fn world(rows: usize, seed: u64) -> (Vec<String>, Vec<u32>) {
    let mut chance = Chance::from_seed(seed);
    let mut texts = Vec::new();
    let mut labels = Vec::new();
    for row in 0..rows {
        let class = row % 3;
        let mut word = |class: usize| WORDS[class][usize::try_from(chance.below(4)).unwrap()];
        let own = [class, class, class, (row / 3) % 3].map(&mut word);
        texts.push(own.join(" "));
        labels.push(u32::try_from(class).unwrap());
    }
    (texts, labels)
}

#[test]
fn pieces_in_any_order_give_the_same_head() {
    let (texts, labels) = world(300, 1);
    let rows = Rows::of(texts.iter().map(String::as_str));
    let all: Vec<usize> = (0..300).collect();
    let problem = Problem::new(&rows, &labels, 3, &all, Settings::default()).unwrap();
    let mut backwards: Vec<_> = (0..problem.pieces()).rev().map(|piece| problem.solve(piece)).collect();
    backwards.reverse();
    assert_eq!(problem.assemble(&backwards), problem.fit());
}

#[test]
fn scores_out_of_fold_are_right_about_rows_that_no_head_saw() {
    let (texts, labels) = world(300, 2);
    let rows = Rows::of(texts.iter().map(String::as_str));
    let groups: Vec<u32> = (0..300).collect();
    let folds = Folds::by_group(&groups, 5, 3);
    let scores: Vec<_> = (0..folds.count())
        .map(|fold| {
            let problem = Problem::new(&rows, &labels, 3, &folds.others(fold), Settings::default()).unwrap();
            problem.fit().score_rows(&rows, &folds.held(fold))
        })
        .collect();
    let all = folds.gather(&scores, 3);
    assert!(all.right(&labels) > 285, "{} of 300", all.right(&labels));
    // Labels that say nothing cannot be learned: a fifth more than chance would be a leak.
    let mut chance = Chance::from_seed(4);
    let noise: Vec<u32> = labels.iter().map(|_| u32::try_from(chance.below(3)).unwrap()).collect();
    let scores: Vec<_> = (0..folds.count())
        .map(|fold| {
            let problem = Problem::new(&rows, &noise, 3, &folds.others(fold), Settings::default()).unwrap();
            problem.fit().score_rows(&rows, &folds.held(fold))
        })
        .collect();
    assert!(folds.gather(&scores, 3).right(&noise) < 130);
}

#[test]
fn what_cannot_be_learned_is_refused() {
    let rows = Rows::of(["a", "b"]);
    let settings = Settings::default();
    let refused = |labels: &[u32], classes, chosen: &[usize]| {
        Problem::new(&rows, labels, classes, chosen, settings).err()
    };
    assert_eq!(refused(&[0, 1], 1, &[0]), Some(Refused::Classes(1)));
    assert_eq!(refused(&[0], 2, &[0]), Some(Refused::Lengths { rows: 2, labels: 1 }));
    assert_eq!(refused(&[0, 5], 2, &[1]), Some(Refused::Label { row: 1, label: 5 }));
    assert_eq!(refused(&[0, 1], 2, &[2]), Some(Refused::Row(2)));
    assert_eq!(refused(&[0, 1], 2, &[]), Some(Refused::NoRows));
}
