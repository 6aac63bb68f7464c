//! What holds for any bytes.

use crate::detector;
use proptest::prelude::*;

const NAMES: [&str; 14] = [
    "a.py",
    "a.ts",
    "a.ipynb",
    "a.json",
    "a.yaml",
    "a.toml",
    ".env",
    "a.sh",
    "Dockerfile",
    "a.tf",
    "a.rs",
    "a.rb",
    "a.txt",
    "requirements.txt",
];

/// Pieces from which hostile files are made.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "gpt-4o",
        "import openai\n",
        "model=",
        "\"",
        "'",
        "\"\"\"",
        "`",
        "${",
        "}",
        "{",
        "(",
        ")",
        "[",
        "]",
        ":",
        "=",
        "??",
        "||",
        "\n",
        "\\",
        "#",
        "//",
        "/*",
        "*/",
        "<<EOF\n",
        "EOF\n",
        "r#\"",
        "f'{",
        "api.openai.com",
        "claude-",
        "--model ",
        "${M:-",
        "- ",
        "  ",
        "\u{fc}",
        "{\"cells\":[{\"cell_type\":\"code\",\"source\":[\"",
        "mains: ignore[",
        "]",
        "until=",
    ]);
    prop_oneof![
        4 => known.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ]
}

/// As many as the environment asks for (`cargo xtask soak` does), else enough for every day.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(400)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn scanning_any_bytes_never_panics_and_is_repeatable(parts in prop::collection::vec(fragment(), 0..60), name in prop::sample::select(NAMES.to_vec())) {
        let bytes = parts.concat();
        let first = detector().scan_file(name, &bytes);
        let second = detector().scan_file(name, &bytes);
        for sighting in &first.sightings {
            prop_assert!(sighting.place.start < sighting.place.end && sighting.place.end <= bytes.len());
        }
        prop_assert_eq!(first, second);
    }
}

#[test]
fn deep_nesting_neither_overflows_nor_hangs() {
    for part in ["(", "[", "{", "`${", "f'{", "<<A", "\"", "{\"a\":"] {
        let text = format!("import openai\nx = {} 'gpt-4o'", part.repeat(50_000));
        for name in NAMES {
            let _ = detector().scan_file(name, text.as_bytes());
        }
    }
}
