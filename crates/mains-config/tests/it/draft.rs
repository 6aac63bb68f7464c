use mains_config::{Draft, NewUpstream, Target, parse};

const BEFORE: &str = "\
# Ours.
[serve]           # the outlet
listen = '127.0.0.1:2300'

# The model that half the company uses.
[[route]]
model = \"gpt-4o-mini\"
targets = [ \"openai/gpt-4o-mini\" ]   # the first choice
degraded = \"refuse\"

[[upstream]]
name = \"openai\"
provider = \"openai\"
";

fn target(text: &str) -> Target {
    Target::parse(text).unwrap()
}

#[test]
fn changes_keep_comments_and_everything_else() {
    let mut draft = Draft::parse(BEFORE, "mains.toml").unwrap();
    assert_eq!(draft.to_string(), BEFORE);
    assert!(draft.set_route_targets("gpt-4o-mini", &[target("groq/openai/gpt-oss-20b"), target("openai/x")]));
    assert!(!draft.set_route_targets("absent", &[]));
    let reasons = [
        (target("openai/gpt-4.1"), Some("named by the provider, 2026-04-23")),
        (target("openai/gpt-4.1-mini"), None),
    ];
    assert!(draft.add_route("gpt-4", &reasons, &["asked for in app.py:3\nnot a line of its own"]));
    assert!(!draft.add_route("gpt-4", &reasons, &[]));
    let groq = NewUpstream {
        name: "groq",
        provider: Some("groq"),
        key: Some("env:GROQ_API_KEY"),
        comment: &["added for gpt-oss"],
        ..NewUpstream::default()
    };
    assert!(draft.add_upstream(&groq));
    assert!(!draft.add_upstream(&groq));
    let after = draft.to_string();
    insta::assert_snapshot!("draft", after);
    let settings = parse(&after, "mains.toml").unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(settings.routes.len(), 2);
    assert_eq!(settings.routes[1].targets[0][0].target.value, target("openai/gpt-4.1"));
}

#[test]
fn a_draft_can_start_from_nothing() {
    let mut draft = Draft::parse("", "mains.toml").unwrap();
    assert!(draft.add_upstream(&NewUpstream {
        name: "a",
        provider: Some("openai"),
        ..NewUpstream::default()
    }));
    assert!(draft.add_route("m", &[(target("a/m"), None)], &[]));
    insta::assert_snapshot!("new", draft.to_string());
    parse(&draft.to_string(), "x").unwrap_or_else(|errors| panic!("{errors}"));
    assert!(Draft::parse("a = ", "x").is_err());
}
