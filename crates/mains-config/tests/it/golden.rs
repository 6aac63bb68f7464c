use mains_config::{Layers, Origin, Settings, parse, parse_layered};

const FULL: &str = include_str!("../data/full.toml");

fn page(settings: &Settings) -> String {
    let line = |s: &mains_config::Shown| format!("{:<44} {:<60} {}\n", s.key, s.value, s.origin);
    settings.shown().iter().map(line).collect()
}

#[test]
fn a_full_file_is_read_as_its_golden_page() {
    let settings = parse(FULL, "full.toml").unwrap_or_else(|errors| panic!("{errors}"));
    insta::assert_snapshot!("full", page(&settings));
    assert!(!settings.serve.listens_beyond_loopback());
    let route = settings.route("gpt-4o-mini").unwrap();
    assert_eq!(route.targets.len(), 2);
    assert_eq!(route.targets[1][0].weight, 3);
    assert_eq!(route.deadlines(&settings.serve).total.as_ms(), 4_500);
    let other = settings.route("small").unwrap();
    assert_eq!(other.deadlines(&settings.serve).total.as_ms(), 300_000);
    let span = route.targets[1][0].target.span().unwrap();
    assert_eq!(&FULL[span.start..span.end], "\"groq/openai/gpt-oss-20b\"");
}

#[test]
fn an_empty_file_is_the_defaults() {
    let settings = parse("", "empty.toml").unwrap_or_else(|errors| panic!("{errors}"));
    insta::assert_snapshot!("defaults", page(&settings));
}

#[test]
fn the_text_for_hashing_ignores_spelling_and_sees_meaning() {
    let text = |file: &str| parse(file, "x").unwrap().canonical();
    let spelled = "[serve]\nlisten = 'localhost:2300' # the default\ndrain_s = 3e1\n";
    assert_eq!(text(spelled), text(""));
    assert_ne!(text("[serve]\npassthrough = true\n"), text(""));
    insta::assert_snapshot!("canonical", text(FULL));
}

#[test]
fn flags_stand_above_variables_and_variables_above_the_file() {
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let mut layers = Layers {
        flags: vec![pair("serve.listen", "127.0.0.1:1")],
        environment: vec![
            pair("MAINS_SERVE_LISTEN", "127.0.0.1:2"),
            pair("MAINS_SERVE_DATA", "/var/lib/mains"),
            pair("MAINS_SERVE_DEADLINES_IDLE_S", "7"),
            pair("MAINS_SERVE_ALLOWED_HOSTS", "a.example, b.example"),
            pair("MAINS_MODELS", "/models"),
            pair("PATH", "/bin"),
        ],
    };
    let settings = parse_layered(FULL, "full.toml", &layers).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!((settings.serve.listen.value.port(), &settings.serve.listen.origin), (1, &Origin::Flag));
    assert_eq!(settings.serve.data.value, "/var/lib/mains");
    assert_eq!(settings.serve.data.origin, Origin::Environment("MAINS_SERVE_DATA".into()));
    assert_eq!(settings.serve.deadlines.idle.value.as_ms(), 7_000);
    assert_eq!(settings.serve.allowed_hosts.value, ["a.example", "b.example"]);
    assert!(matches!(settings.serve.passthrough.origin, Origin::File { line: 5, .. }));

    layers.environment.push(pair("MAINS_SERVE_LISTN", "127.0.0.1:2"));
    layers.environment.push(pair("MAINS_LEDGER_DURABILITY", "sometimes"));
    layers.flags.push(pair("serve.dta", "x"));
    let errors = parse_layered(FULL, "full.toml", &layers).unwrap_err();
    insta::assert_snapshot!("layers", errors.to_string());
}

#[test]
fn a_listener_beyond_loopback_is_said() {
    for (listen, beyond) in [
        ("0.0.0.0:2300", true),
        ("[::]:2300", true),
        ("192.0.2.1:2300", true),
        ("127.9.9.9:2300", false),
        ("[::1]:2300", false),
        ("[::ffff:127.0.0.1]:2300", false),
        ("[::ffff:192.0.2.1]:2300", true),
        ("localhost:2300", false),
    ] {
        let settings = parse(&format!("[serve]\nlisten = \"{listen}\"\n"), "x").unwrap();
        assert_eq!(settings.serve.listens_beyond_loopback(), beyond, "{listen}");
    }
}

#[test]
fn a_project_keeps_what_its_own_table_says_and_else_what_all_do() {
    let full = parse(FULL, "x").unwrap().record;
    assert_eq!(full.keep_days(None), Some(60));
    assert_eq!(full.keep_days(Some("billing")), Some(60));
    assert_eq!(full.keep_days(Some("search")), None);
    assert_eq!(full.keep_days(Some("support")), Some(14));
    assert_eq!(full.retention(), (60, vec![("search", 60), ("support", 14)]));

    let text = "[[record.project]]\nname = \"search\"\ncontent = \"keep\"\n";
    let one = parse(text, "x").unwrap().record;
    assert_eq!((one.keep_days(None), one.keep_days(Some("search"))), (None, Some(30)));
    assert!(one.keeps_any() && full.keeps_any() && !parse("", "x").unwrap().record.keeps_any());
}

#[test]
fn a_key_file_beside_the_data_folder_is_fine() {
    for (data, key_file, fine) in [
        (".mains", "vault.key", true),
        (".mains", ".mains/vault.key", false),
        (".mains", "./.mains/../.mains/k", false),
        (".mains", ".mains/../vault.key", true),
        (".mains", ".mains-keys/vault.key", true),
        ("/var/lib/mains", "/var/lib/mains/vault.key", false),
        ("/var/lib/mains", "/var/lib/vault.key", true),
        ("data", "../vault.key", true),
        (".", "/etc/mains/vault.key", true),
        (".", "../vault.key", true),
        (".", "vault.key", false),
        ("../data", "../data/vault.key", false),
    ] {
        let text = format!("[serve]\ndata = '{data}'\n[record]\nkey_file = '{key_file}'\n");
        assert_eq!(parse(&text, "x").is_ok(), fine, "{data} {key_file}");
    }
}
