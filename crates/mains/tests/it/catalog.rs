use super::{run, temporary};

const DAY: [&str; 2] = ["--as-of", "2026-11-24"];

#[test]
fn a_dead_model_is_shown_with_its_day_and_source() {
    let folder = temporary();
    let ran = run(folder.path(), &["catalog", "show", "gpt-3.5-turbo", DAY[0], DAY[1]]).ends(0);
    for words in [
        "ended 2026-10-23",
        "announced 2026-04-22",
        "primary, read",
        "after that day requests fail",
        "sources\n",
    ] {
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
    }
    let words = ["catalog", "show", "openai/gpt-3.5-turbo", "--host", "openai", "--json", DAY[0], DAY[1]];
    let shown = run(folder.path(), &words).ends(0).json();
    assert_eq!(shown["schema"], "mains.catalog/1");
    assert_eq!(shown["hosts"].as_array().map(Vec::len), Some(1));
    assert_eq!(shown["hosts"][0]["lifecycle"]["state"], "retired");
    assert_eq!(shown["hosts"][0]["lifecycle"]["since"], "2026-10-23");
}

#[test]
fn an_unknown_model_is_trouble_with_near_names() {
    let folder = temporary();
    let ran = run(folder.path(), &["catalog", "show", "gpt-3.5-turob"]).ends(2);
    assert!(ran.out.is_empty() && ran.err.contains("hint: did you mean `gpt-3.5-turbo`"), "{}", ran.err);
    run(folder.path(), &["catalog", "show", "gpt-4o", "--host", "nowhere"]).ends(2);
}

#[test]
fn an_overlay_changes_what_is_shown_and_diff_says_what() {
    let folder = temporary();
    let overlay = "[[model]]\nhost = \"openai\"\nid = \"gpt-4o-mini\"\ninput_usd_per_million = 0.01\n\
                   output_usd_per_million = 0.02\nsource = \"our contract\"\nread = 2026-11-01\n";
    std::fs::write(folder.path().join("own.toml"), overlay).unwrap();
    let diff = run(folder.path(), &["catalog", "diff", "own.toml", "--json"]).ends(0);
    let changes = diff.json();
    assert_eq!(changes["schema"], "mains.catalog-diff/1");
    assert!(changes["changes"].as_array().is_some_and(|all| !all.is_empty()));
    let shown =
        run(folder.path(), &["catalog", "show", "gpt-4o-mini", "--host", "openai", "--overlay", "own.toml"]);
    assert!(shown.ends(0).out.contains("$0.01 in"));
    std::fs::write(folder.path().join("own.toml"), "[[model]]\nhsot = \"openai\"\n").unwrap();
    let ran = run(folder.path(), &["catalog", "diff", "own.toml"]).ends(2);
    assert!(ran.err.contains("own.toml:"), "{}", ran.err);
    assert!(run(folder.path(), &["catalog", "diff", "absent.toml"]).ends(2).err.contains("failed to read"));
}

#[test]
fn an_estimate_has_four_units_and_explains_itself() {
    let folder = temporary();
    let words = ["estimate", "gpt-4o-mini", "--input", "1000", "--output", "500", "--json", "--explain"];
    let one = run(folder.path(), &words).ends(0).json();
    assert_eq!((&one["schema"], &one["host"]), (&"mains.estimate/1".into(), &"openai".into()));
    // $0.15 and $0.60 per million: 150,000 + 300,000 billionths of a dollar.
    assert_eq!(one["cost_nano_usd"], "450000");
    for amount in ["energy_j", "co2_g", "water_l"] {
        let range = &one["footprint"][amount];
        assert!(range["low"].as_f64() < range["central"].as_f64(), "{amount}");
        assert!(range["central"].as_f64() < range["high"].as_f64(), "{amount}");
    }
    assert!(one["steps"].as_array().is_some_and(|steps| steps.len() > 3));
    assert!(one["steps"].as_array().unwrap().iter().all(|step| step["source"] != ""));

    let many = run(folder.path(), &[&words[..], &["--requests", "1000"]].concat()).ends(0).json();
    assert_eq!(many["cost_nano_usd"], "450000000");
    let ratio = many["footprint"]["energy_j"]["central"].as_f64().unwrap()
        / one["footprint"]["energy_j"]["central"].as_f64().unwrap();
    assert!((ratio - 1000.0).abs() < 1e-6, "{ratio}");

    let page = run(folder.path(), &["estimate", "gpt-4o-mini", "--explain"]).ends(0).out;
    for words in ["money", "energy at the plug", "source: ", "range"] {
        assert!(page.contains(words), "{words}: {page}");
    }
}

#[test]
fn what_no_method_covers_is_unknown_and_never_zero() {
    let folder = temporary();
    let video = run(folder.path(), &["estimate", "sora-2", "--json"]).ends(0).json();
    assert!(video["footprint"].is_null() && video["cost_nano_usd"].is_null(), "{video}");
    let ran = run(folder.path(), &["estimate", "gpt-4o-mini", "--zone", "XYZ"]).ends(2);
    assert!(ran.err.contains("no grid zone is called `XYZ`"), "{}", ran.err);
    run(folder.path(), &["estimate", "gpt-4o-mini", "--host", "opanai"]).ends(2);
}
