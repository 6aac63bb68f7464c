use super::{Ran, example, mains, run, temporary};

const DAY: [&str; 2] = ["--as-of", "2026-11-24"];

fn scan(more: &[&str]) -> Ran {
    let folder = temporary();
    Ran::of(mains(folder.path()).arg("scan").arg(example()).args(DAY).args(more))
}

#[test]
fn the_example_asks_for_dead_models_and_ends_with_1() {
    let ran = scan(&[]).ends(1);
    assert!(ran.out.contains("DEAD      openai/gpt-3.5-turbo"), "{}", ran.out);
    assert!(ran.out.contains("DEAD      openai/sora-2"), "{}", ran.out);
    assert!(ran.out.contains("assistant.py:"), "{}", ran.out);
    let last = ran.err.trim_end().lines().last().unwrap_or_default();
    assert!(last.starts_with("6 files, ") && last.ends_with(" s"), "{}", ran.err);
    assert!(!ran.out.contains('\u{1b}'), "no colour into a pipe");
    scan(&["--exit-zero"]).ends(0);
}

#[test]
fn the_json_report_has_its_schema_and_places() {
    let report = scan(&["--json"]).ends(1).json();
    assert_eq!(report["schema"], "mains.scan/1");
    assert_eq!(report["as_of"], "2026-11-24");
    assert_eq!(report["gated"], 2);
    let models = report["models"].as_array().unwrap();
    let dead = models.iter().find(|model| model["id"] == "gpt-3.5-turbo").unwrap();
    assert_eq!((&dead["rule"], &dead["state"]), (&"MAINS-RETIRED".into(), &"retired".into()));
    assert_eq!(dead["ends_on"], "2026-10-23");
    let place = &dead["places"][0];
    assert!(place["file"].is_string() && place["line"].is_u64() && place["column"].is_u64(), "{place}");
    // Price and energy stand side by side, and energy is a range with its grade.
    let energy = &dead["energy"];
    assert!(energy["joules_per_1000"]["low"].as_f64() < energy["joules_per_1000"]["high"].as_f64());
    assert!(energy["grade"].is_string());
    assert!(
        dead["substitutes"].as_array().is_some_and(|all| all.iter().any(|one| one["energy"].is_object()))
    );
}

#[test]
fn every_format_is_one_document_and_the_same_twice() {
    let sarif = scan(&["--format", "sarif"]).ends(1).json();
    assert_eq!(sarif["version"], "2.1.0");
    assert!(sarif["runs"][0]["results"].as_array().is_some_and(|results| !results.is_empty()));
    assert!(scan(&["--format", "markdown"]).ends(1).out.contains("gpt-3.5-turbo"));
    for format in ["text", "json", "sarif", "markdown"] {
        assert_eq!(scan(&["--format", format]).out, scan(&["--format", format]).out, "{format}");
    }
}

#[test]
fn a_day_before_the_death_and_a_short_horizon_find_nothing() {
    let folder = temporary();
    let words = ["--as-of", "2026-01-01", "--horizon", "1"];
    Ran::of(mains(folder.path()).arg("scan").arg(example()).args(words)).ends(0);
    let ran = run(folder.path(), &["scan", ".", "--as-of", "tomorrow"]).ends(2);
    assert!(ran.err.contains("`tomorrow` is not a day\nhint: "), "{}", ran.err);
}

#[test]
fn the_plan_reads_back_and_is_overwritten_only_by_force() {
    let folder = temporary();
    let write = |more: &[&str]| {
        let mut command = mains(folder.path());
        command.arg("scan").arg(example()).args(DAY).args(["--write", "mains.toml"]).args(more);
        Ran::of(&mut command)
    };
    let ran = write(&[]).ends(1);
    assert!(ran.err.contains("wrote mains.toml: 3 routes"), "{}", ran.err);
    let plan = std::fs::read_to_string(folder.path().join("mains.toml")).unwrap();
    let settings = mains_config::parse(&plan, "mains.toml").unwrap();
    let models: Vec<&str> = settings.routes.iter().map(|route| route.model.value.as_str()).collect();
    assert_eq!(models, ["gpt-3.5-turbo", "sora-2", "text-embedding-3-small"]);
    run(folder.path(), &["config", "check"]).ends(0);

    std::fs::write(folder.path().join("mains.toml"), "# mine\n").unwrap();
    let refused = write(&[]).ends(2);
    assert!(refused.err.contains("is there already\nhint: `--force`"), "{}", refused.err);
    assert!(refused.out.is_empty(), "refused before the work");
    assert_eq!(std::fs::read_to_string(folder.path().join("mains.toml")).unwrap(), "# mine\n");
    write(&["--force"]).ends(1);
    assert_eq!(std::fs::read_to_string(folder.path().join("mains.toml")).unwrap(), plan);
}

#[test]
fn a_path_that_is_not_there_is_trouble_and_an_empty_tree_is_not_clean_by_silence() {
    let folder = temporary();
    let ran = run(folder.path(), &["scan", "absent"]).ends(2);
    assert!(ran.err.contains("cannot read `absent`") && ran.err.contains("hint: "), "{}", ran.err);
    assert!(run(folder.path(), &["scan"]).ends(0).out.contains("0 files were read"));
}

#[test]
fn what_counts_for_nothing_is_shown_when_asked_for() {
    let ran = scan(&["--all"]).ends(1);
    assert!(ran.out.contains("only spoken of\n"), "{}", ran.out);
    assert!(ran.out.contains("first at README.md:"), "{}", ran.out);
}

#[test]
fn colour_comes_by_flag_and_no_color_keeps_it_away() {
    let folder = temporary();
    let scan = |color: &str, no_color: bool| {
        let mut command = mains(folder.path());
        command.args(["--color", color, "scan"]).arg(example()).args(DAY);
        if no_color {
            command.env("NO_COLOR", "1");
        }
        Ran::of(&mut command).ends(1).out
    };
    assert!(scan("always", false).contains("\u{1b}["));
    assert!(!scan("never", false).contains('\u{1b}'));
    assert!(!scan("auto", true).contains('\u{1b}'));
}
