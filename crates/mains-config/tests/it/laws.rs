use mains_config::{Draft, Layers, parse, parse_layered};
use proptest::prelude::*;

const FULL: &str = include_str!("../data/full.toml");

/// Words that the grammar knows, in any order: deeper into the reader than random text gets.
fn token() -> impl Strategy<Value = String> {
    let words = vec![
        "[serve]\n",
        "[[upstream]]\n",
        "[[route]]\n",
        "[[upstream.price]]\n",
        "[route.swap]\n",
        "[[budget]]\n",
        "[record]\n",
        "[[record.project]]\n",
        "retention_days",
        "key_file",
        "[limits]\n",
        "name",
        "model",
        "targets",
        "key",
        "listen",
        "drain_s",
        "usd",
        "scope",
        "per",
        "deadlines",
        "from",
        "steps",
        "hold",
        "whole_by",
        " = ",
        "\"a/b\"",
        "\"env:A\"",
        "[",
        "]",
        "{",
        "}",
        ",",
        "\n",
        "1",
        "-1",
        "1e400",
        "nan",
        "true",
        "1979-05-27",
        "\"label/x\"",
        "'''",
        "\u{202e}",
        "ä",
        "\r\n",
        "# c\n",
        "18446744073709551616",
        "0x1F",
    ];
    prop_oneof![4 => proptest::sample::select(words).prop_map(str::to_owned), 1 => ".{0,8}"]
}

/// As many as the environment asks for (`cargo xtask soak` does), else enough for every day.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(2_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(tokens in proptest::collection::vec(token(), 0..60)) {
        let text = tokens.concat();
        if let Err(errors) = parse(&text, "x") {
            prop_assert!(!errors.problems().is_empty());
            let _ = errors.to_string();
        }
        let _ = Draft::parse(&text, "x");
    }

    #[test]
    fn a_damaged_file_is_read_or_refused(at in 0..FULL.len(), junk in ".{0,4}", cut in 0..40usize) {
        let end = (at + cut).min(FULL.len());
        let text = format!("{}{junk}{}", FULL.get(..at).unwrap_or(""), FULL.get(end..).unwrap_or(""));
        match parse(&text, "x") {
            Ok(settings) => prop_assert_eq!(parse(&text, "x").unwrap().canonical(), settings.canonical()),
            Err(errors) => prop_assert!(errors.to_string().starts_with("error: ")),
        }
    }

    #[test]
    fn no_variable_makes_it_panic(name in "MAINS_[A-Z_]{0,20}", value in ".{0,20}") {
        let layers = Layers {
            environment: vec![(name, value.clone()), ("MAINS_SERVE_DRAIN_S".into(), value)],
            flags: Vec::new(),
        };
        if let Err(errors) = parse_layered("", "x", &layers) {
            let _ = errors.to_string();
        }
    }
}

#[test]
fn deep_and_long_files_are_refused_or_read_without_harm() {
    let deep = format!("a = {}", "[".repeat(100_000));
    assert!(parse(&deep, "x").is_err());
    let dotted = format!("{} = 1", vec!["a"; 50_000].join("."));
    assert!(parse(&dotted, "x").is_err());
    let long = format!("{} = 1", "k".repeat(1_000_000));
    let message = parse(&long, "x").unwrap_err().to_string();
    assert!(message.len() < 2_000, "{}", message.len());
}
