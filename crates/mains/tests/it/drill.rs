use super::running::Outlet;

#[test]
fn a_route_with_another_provider_survives_and_the_ledger_says_so() {
    let outlet = Outlet::start();
    let report = outlet.run(&["drill", "--target", "openai/gpt-4o-mini", "--count", "2", "--json"]);
    // The route of the dead model has nobody else, and so does not survive: that is what a drill finds out.
    let report = report.ends(1).json();
    assert_eq!(report["schema"], "mains.drill/1");
    let route = |model: &str| {
        report["routes"].as_array().unwrap().iter().find(|route| route["model"] == model).unwrap()
    };
    let survivor = route("gpt-4o-mini");
    assert_eq!((&survivor["requests"], &survivor["answered"]), (&4.into(), &4.into()), "{survivor}");
    assert_eq!(survivor["answered_by"]["anthropic/claude-sonnet-4-5"], 4);
    // Streams are among them: their cost comes from the record.
    for state in ["alive", "dead"] {
        for figure in ["median_ms", "mean_cost_usd"] {
            assert!(survivor[state][figure].as_f64().unwrap() > 0.0, "{survivor}");
        }
        assert!(survivor[state]["mean_energy_j"][1].as_f64().unwrap() > 0.0, "{survivor}");
    }
    let lost = route("gpt-3.5-turbo");
    assert_eq!((&lost["answered"], &report["survived"]), (&0.into(), &false.into()));
    assert!(lost["first_failure"].as_str().unwrap().starts_with("HTTP "), "{lost}");
    let leaf = report["leaf"].as_u64().unwrap();
    let status = outlet.ask("gpt-4o-mini");
    assert_eq!(status.header("x-mains-target"), "openai/gpt-4o-mini", "the target lives again, unmarked");
    assert!(leaf > 0);
}

#[test]
fn a_file_of_requests_is_sent_instead_of_the_built_in_ones() {
    let outlet = Outlet::start();
    let path = outlet.folder.path().join("requests.jsonl");
    let lines = "{\"model\":\"gpt-4o-mini\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}\n\n\
                 {\"model\":\"gpt-4o-mini\",\"max_tokens\":5,\"system\":\"s\",\"messages\":[{\"role\":\"user\",\"content\":\"b\"}]}\n";
    std::fs::write(&path, lines).unwrap();
    let words = ["drill", "--target", "openai", "--count", "1", "--requests", "requests.jsonl"];
    let page = outlet.run(&words).ends(0).out;
    assert!(page.contains("every request was answered") && page.contains("2 of 2 answered"), "{page}");
    std::fs::write(&path, "{\"model\":\"gpt-4o-mini\"}\n").unwrap();
    let ran = outlet.run(&words).ends(2);
    assert!(ran.err.contains("`requests.jsonl` line 1") && ran.err.contains("hint:"), "{}", ran.err);
}

#[test]
fn an_embedding_is_asked_as_one_and_an_unknown_target_is_trouble() {
    let outlet = Outlet::start();
    let words = ["drill", "--target", "openai/text-embedding-3-small", "--count", "1", "--json"];
    let report = outlet.run(&words).ends(1).json();
    assert_eq!(report["routes"][0]["alive"]["answers"], 1, "{report}");
    assert_eq!(report["routes"][0]["answered"], 0, "{report}");
    let ran = outlet.run(&["drill", "--target", "azure"]).ends(2);
    assert!(ran.err.contains("no route has a target `azure`"), "{}", ran.err);
}
