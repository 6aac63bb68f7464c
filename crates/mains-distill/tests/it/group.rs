//! Repeats and near duplicates.

use mains_distill::group::{fold, group, self_agreement};
use mains_units::Chance;
use proptest::prelude::*;

#[test]
fn repeats_are_told_from_near_duplicates_and_from_others() {
    let texts = [
        "How do I locate my card?",
        "  how do i  locate my CARD? ",
        "How do I locate my cards?",
        "Why was my transfer declined yesterday?",
        "How do I locate my card",
        "",
        " ",
        "no",
        "No",
        "yes",
    ];
    let groups = group(&texts);
    assert_eq!(groups.exact, [0, 0, 1, 2, 3, 4, 4, 5, 5, 6]);
    assert_eq!(groups.near, [0, 0, 0, 1, 0, 2, 2, 3, 3, 4]);
    assert_eq!((groups.exact_repeats(), groups.near_repeats()), (3, 2));
    assert_eq!(fold("Straße\tÄrger\n"), "straße ärger");
}

fn words(chance: &mut Chance, n: usize) -> Vec<String> {
    let letters: Vec<char> = ('a'..='z').collect();
    let mut letter = |bound: usize| letters[usize::try_from(chance.below(bound as u64)).unwrap()];
    (0..n)
        .map(|_| {
            let length = 3 + u32::from(letter(5)) - u32::from('a');
            (0..length).map(|_| letter(26)).collect()
        })
        .collect()
}

#[test]
fn planted_near_duplicates_are_found_among_thousands_and_others_left_alone() {
    let mut chance = Chance::from_seed(53);
    let mut texts = Vec::new();
    for _ in 0..1_500 {
        let mut said = words(&mut chance, 20);
        texts.push(said.join(" "));
        // One word of twenty is another: more than eight tenths of the runs are common.
        said[7] = words(&mut chance, 1).remove(0);
        texts.push(said.join(" "));
    }
    let groups = group(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    let found = (0..1_500).filter(|pair| groups.near[2 * pair] == groups.near[2 * pair + 1]).count();
    assert!(found >= 1_480, "{found} of 1500 planted pairs");
    assert!(groups.near_groups >= 1_500, "random texts were joined: {}", groups.near_groups);
}

#[test]
fn long_texts_are_compared_by_a_sample() {
    let mut chance = Chance::from_seed(59);
    let [one, other] = [2_000, 2_000].map(|n| words(&mut chance, n).join(" "));
    let nearly = format!("{one} and a few words more");
    let groups = group(&[&one, &other, &nearly]);
    assert_eq!(groups.near, [0, 1, 0]);
}

#[test]
fn the_teachers_agreement_with_itself_is_counted_once_a_text() {
    //          a  b  a  c  b  a  c
    let exact = [0, 1, 0, 2, 1, 0, 2];
    let said = [5, 6, 5, 7, 8, 9, 7];
    let share = self_agreement(&exact, &said);
    assert_eq!((share.hits, share.of, share.ppm), (2, 3, 666_667));
    assert_eq!(self_agreement(&[0, 1, 2], &[1, 1, 1]).of, 0);
}

proptest! {
    #[test]
    fn groups_are_the_same_again_numbered_by_appearance_and_hold_their_repeats(
        texts in prop::collection::vec("[abAB ]{0,9}", 0..40),
    ) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let groups = group(&texts);
        prop_assert_eq!(&groups, &group(&texts));
        for (numbers, count) in [(&groups.near, groups.near_groups), (&groups.exact, groups.exact_groups)] {
            let mut next = 0;
            for number in numbers {
                prop_assert!(*number <= next);
                next = next.max(number + 1);
            }
            prop_assert_eq!(next, count);
        }
        for i in 0..texts.len() {
            for j in 0..i {
                let same = fold(texts[i]) == fold(texts[j]);
                prop_assert_eq!(groups.exact[i] == groups.exact[j], same);
                prop_assert!(!same || groups.near[i] == groups.near[j]);
            }
        }
    }
}
