use mains_config::{LabelStage, parse};

fn messages(targets: &str, rest: &str) -> String {
    let text = format!(
        "[[upstream]]\nname = \"openai\"\nprovider = \"openai\"\n[[route]]\nmodel = \"m\"\ntargets = {targets}\n{rest}"
    );
    parse(&text, "mains.toml").map_or_else(|errors| errors.to_string(), |_| "no problem".to_owned())
}

#[test]
fn a_labeller_stands_first_and_before_its_teacher() {
    assert_eq!(messages(r#"["label/a", "openai/m"]"#, ""), "no problem");
    assert_eq!(messages(r#"["label/a", "openai/m", [["openai/x", 1], ["openai/y", 1]]]"#, ""), "no problem");
    for (targets, rest, says) in [
        (r#"["openai/m", "label/a"]"#, "", "must be the first target"),
        (r#"[[["label/a", 1], ["openai/m", 1]]]"#, "", "not in a pool"),
        (r#"["label/a"]"#, "", "must be followed by the one model that taught it"),
        (r#"["label/a", [["openai/m", 1], ["openai/x", 1]]]"#, "", "must be followed by the one model"),
        (r#"["label/a", "label/b", "openai/m"]"#, "", "one labeller at most"),
        (r#"["openai/m"]"#, "[route.label]\n", "without a labeller"),
    ] {
        let said = messages(targets, rest);
        assert!(said.contains(says) && said.contains("hint:"), "{targets}: {said}");
    }
    let report = "0".repeat(64);
    let swap = format!("[route.swap]\nfrom = \"openai/m\"\nto = \"openai/x\"\nreport = \"{report}\"\n");
    assert!(messages(r#"["label/a", "openai/m"]"#, &swap).contains("is to be replaced"));
}

#[test]
fn what_is_not_said_has_its_default() {
    let text = "[[upstream]]\nname = \"openai\"\nprovider = \"openai\"\n[[route]]\nmodel = \"m\"\ntargets = [\"label/a\", \"openai/m\"]\n[route.label]\nstage = \"canary\"\n";
    let settings = parse(text, "mains.toml").unwrap_or_else(|errors| panic!("{errors}"));
    let label = settings.routes[0].label.as_ref().unwrap();
    assert_eq!(
        (label.stage.value, label.share_percent.value, label.audit_percent.value),
        (LabelStage::Canary, 10, 1)
    );
    assert!(label.key.is_none());
    let wrong = messages(r#"["label/a", "openai/m"]"#, "[route.label]\naudit_percent = 0\n");
    assert!(wrong.contains("audit_percent"), "{wrong}");
}
