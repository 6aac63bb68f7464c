//! A user's own facts: they win, and what is wrong in them is said with file and line.

use crate::{day, today};
use mains_catalog::{Catalog, Change, Confidence, diff};

const GOOD: &str = r#"
[[host]]
id = "in-house"
base = "https://models.example/v1"
patterns = ["models.example"]
source = "our own server"
read = 2026-11-01

[[model]]
host = "in-house"
id = "our-7b"
kind = "chat"
input = ["text"]
output = ["text"]
context = 8192
input_usd_per_million = 0.0
output_usd_per_million = 0.05
source = "our own server"
read = 2026-11-01

[[model]]
host = "openai"
id = "gpt-4o"
input_usd_per_million = 2.0
source = "contract 2026-117"
read = 2026-10-01

[[lifecycle]]
host = "azure"
id = "text-embedding-3-large"
shutdown = 2027-12-31
source = "mail of the account team"
read = 2026-11-02

[[alias]]
host = "in-house"
id = "our-latest"
snapshots = ["our-7b"]
source = "our own server"
read = 2026-11-01
"#;

#[test]
fn an_overlay_adds_and_wins() {
    let own = Catalog::with_overlay(GOOD, "own.toml").unwrap();
    assert_eq!(own.host_by_api("https://models.example/v1").unwrap().id, "in-house");
    assert_eq!(own.lookup(None, "in-house/our-7b").resolved().unwrap().model.context, Some(8192));
    assert!(own.lifecycle(Some("in-house"), "our-latest", today()).serves());
    let price = own.price("openai", "gpt-4o").unwrap();
    assert_eq!((price.input.unwrap().0, price.output.unwrap().0), (2_000_000, 10_000_000));
    assert_eq!(own.source(&price.source).unwrap().read, day("2026-10-01"));
    let life = own.lifecycle(Some("azure"), "text-embedding-3-large", today());
    assert_eq!(life.ends_on(), Some(day("2027-12-31")));
    assert_eq!(life.evidence().fact.unwrap().confidence, Confidence::Own);
    assert_eq!(life.evidence().conflicts.len(), 2);
    assert_ne!(own.hash(), Catalog::builtin().hash());
    assert!(own.names().any(|name| name == "our-7b"));
}

#[test]
fn what_differs_is_told_and_only_that() {
    let own = Catalog::with_overlay(GOOD, "own.toml").unwrap();
    let changes = diff(Catalog::builtin(), &own);
    let changed = changes.iter().filter(|change| matches!(change, Change::Changed { .. })).count();
    let removed = changes.iter().filter(|change| matches!(change, Change::Removed { .. })).count();
    assert_eq!((changes.len(), changed, removed), (6, 1, 0), "{changes:#?}");
    assert!(diff(Catalog::builtin(), Catalog::builtin()).is_empty());
    assert!(diff(&own, &own).is_empty());
    let empty = Catalog::with_overlay("", "own.toml").unwrap();
    assert!(diff(Catalog::builtin(), &empty).is_empty());
}

#[test]
fn what_is_wrong_is_said_with_file_line_and_hint() {
    for (text, line, part) in [
        ("[[model]]\nhost = \"openai\"\nid = \"x\"\n", 1, "source"),
        (
            "\n\n[[model]]\nhost = \"opanai\"\nid = \"x\"\nsource = \"s\"\nread = 2026-01-01\n",
            3,
            "no host is called `opanai`",
        ),
        (
            "[[model]]\nhost = \"openai\"\nid = \"x\"\nprize = 1\nsource = \"s\"\nread = 2026-01-01\n",
            4,
            "prize",
        ),
        (
            "[[model]]\nhost = \"openai\"\nid = \"x\"\ninput_usd_per_million = -1.0\nsource = \"s\"\nread = 2026-01-01\n",
            1,
            "no price",
        ),
        (
            "[[lifecycle]]\nhost = \"openai\"\nid = \"x\"\nshutdown = \"soon\"\nsource = \"s\"\nread = 2026-01-01\n",
            4,
            "soon",
        ),
        (
            "[[alias]]\nhost = \"openai\"\nid = \"x\"\nsnapshots = [\"gpt-4oo\"]\nsource = \"s\"\nread = 2026-01-01\n",
            1,
            "no snapshot `gpt-4oo`",
        ),
        ("[[host]]\nid = \"A B\"\nsource = \"s\"\nread = 2026-01-01\n", 1, "no id of a host"),
        ("[[model]\n", 1, ""),
        ("[[model]]\nhost = \"openai\"\nid = \"\"\nsource = \"s\"\nread = 2026-01-01\n", 1, "`id` is empty"),
    ] {
        let error = Catalog::with_overlay(text, "own.toml").err().unwrap_or_else(|| panic!("{text}"));
        assert_eq!((error.file.as_str(), error.line), ("own.toml", line), "{error}");
        assert!(error.message.contains(part), "{error}");
        assert!(!error.hint.is_empty());
        let shown = error.to_string();
        assert!(shown.starts_with(&format!("own.toml:{line}: ")) && shown.contains("\nhint: "), "{shown}");
    }
}
