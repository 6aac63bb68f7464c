//! What the recorded data sets say, as golden figures. `cargo run -p mains-swap --example recorded` prints them.

use super::recorded::{self, Tested, folder};
use mains_swap::Ppm;
use mains_swap::Verdict::{self, Inferior as Worse, NonInferior as NotWorse, Undecided as Open};

/// Whether the data sets are here; says so if not.
fn here(test: &str) -> bool {
    let here = folder().is_some();
    if !here {
        println!("left out: {test} needs shared/datasets");
        assert!(std::env::var_os("MAINS_REQUIRE_ALL").is_none(), "shared/datasets is missing");
    }
    here
}

fn verdict(tested: &Tested) -> Verdict {
    tested.ruling.verdict
}

#[test]
fn overruling() {
    if !here("overruling") {
        return;
    }
    let rows = recorded::overruling().unwrap();
    for row in &rows {
        let found = [&row.agreement[0], &row.agreement[1], &row.gold[0], &row.gold[1]].map(verdict);
        let expected = match row.model {
            "text-davinci-002" => [Open, Open, Open, NotWorse],
            "gpt-3.5-turbo" => [Worse, Open, Worse, Open],
            _ => [Worse; 4],
        };
        assert_eq!(found, expected, "{}", row.model);
        assert_eq!(row.agreement[1].left_out, 2, "GPT-4 answered neither yes nor no twice");
        // Two tests of one fact, by what the old model said and by what is true, never contradict each other.
        assert!(!(found[1] == NotWorse && found[3] == Worse), "{}", row.model);
    }
    let saved: Vec<_> = rows.iter().map(|row| format!("{:.1}", row.saved)).collect();
    let expected = ["34.4", "93.3", "64.5", "38.5", "96.0", "94.6", "93.4", "89.3", "97.7", "64.5", "99.2"];
    assert_eq!(saved, expected);
    let davinci = &rows[0];
    assert_eq!(davinci.agreement[1].tally.0, [36, 0, 1_028]);
    assert_eq!(davinci.gold[1].stopped, Some(120));
}

#[test]
fn mmlu_is_refused() {
    if !here("mmlu_is_refused") {
        return;
    }
    for (tested, stopped) in recorded::mmlu().unwrap().iter().zip([110, 150]) {
        assert_eq!((verdict(tested), tested.stopped), (Worse, Some(stopped)));
        assert_eq!(tested.ruling.evidence.n, 8_387);
        let evidence = tested.ruling.evidence;
        assert!(evidence.high < Ppm::points(-12) && evidence.low > Ppm::points(-15), "{evidence:?}");
    }
}

#[test]
fn primes_are_refused() {
    if !here("primes_are_refused") {
        return;
    }
    let [agreement, truth] = recorded::primes().unwrap();
    assert_eq!((verdict(&agreement), verdict(&truth)), (Worse, Worse));
    assert_eq!((agreement.tally.0, agreement.left_out), ([622, 0, 374], 4));
    assert_eq!(truth.ruling.evidence.estimate, Some(Ppm(-329_000)), "840 right before, 511 after");
}

#[test]
fn no_parser_of_logs_stands_for_another() {
    if !here("no_parser_of_logs_stands_for_another") {
        return;
    }
    let pairs = recorded::logs().unwrap();
    assert_eq!(pairs.len(), 224);
    let count = |wanted| pairs.iter().filter(|pair| verdict(&pair.agreement) == wanted).count();
    let found = [NotWorse, Worse, Open].map(count);
    assert_eq!(found, [0, 220, 4]);
    let open: Vec<_> = pairs.iter().filter(|pair| verdict(&pair.agreement) == Open).collect();
    assert!(open.iter().all(|pair| pair.system == "Apache"));
    // By the true templates three of these four are not worse: they write the same thing in another way, which
    // exact agreement cannot see.
    let fine: Vec<_> = open.iter().filter(|pair| verdict(&pair.gold) == NotWorse).collect();
    let names: Vec<_> = fine.iter().map(|pair| (pair.old, pair.new)).collect();
    let (mixtral, seven, thirteen) =
        ("Nous_Mixtral_template", "Nous_llama7b_template", "Nous_llama13b_template");
    assert_eq!(names, [(mixtral, thirteen), (seven, mixtral), (thirteen, mixtral)]);
}
