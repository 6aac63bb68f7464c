use mains_config::{Problem, parse};

fn messages(text: &str) -> String {
    parse(text, "mains.toml").map_or_else(|errors| errors.to_string(), |_| "no problem".to_owned())
}

#[test]
fn several_problems_are_said_at_once_each_with_its_line() {
    insta::assert_snapshot!(messages(
        r#"[serve]
listne = "127.0.0.1:2300"
max_body_bytes = "a lot"
drain_s = -1
budget_status = 403

[[upstream]]
name = "openai"
provider = "openai"
key = "sk-proj-0123456789abcdef"

[[upstream]]
name = "openai"
base_url = "https://user:pass@host/v1"

[[route]]
model = "gpt-4o-mini"
targets = ["opnai/gpt-4o-mini", "gpt-4o", [["openai/a", 0]], "openai/b", "openai/b"]
criticality = "critcal"

[[route]]
targets = []

[[budget]]
scope = "team:search"
per = "fortnight"
usd = "much"

[record]
content = "kept"
"#
    ));
}

#[test]
fn what_is_wrong_with_what_is_kept_is_said() {
    insta::assert_snapshot!(messages(
        r#"[serve]
data = "run/mains"
[record]
content = "keep"
retention_days = 0
max_body_bytes = 33_554_432
key_file = "./run/x/../mains/vault/key"
[[record.project]]
name = "search"
[[record.project]]
content = "keep"
[[record.project]]
name = "search"
content = "all"
retention_days = 36501
[[record.project]]
name = ""
rentention_days = 3
"#
    ));
}

#[test]
fn projects_that_nobody_has_are_said_at_their_place() {
    let text = "[[record.project]]\nname = \"serach\"\ncontent = \"keep\"\n[[record.project]]\nname = \"b\"\ncontent = \"none\"\n";
    let settings = parse(text, "mains.toml").unwrap();
    let problems = settings.record.unknown_projects(&["search", "support"]);
    let errors = mains_config::Errors::new(settings.source().clone(), problems);
    insta::assert_snapshot!(errors.to_string());
    assert_eq!(settings.record.unknown_projects(&["serach", "b"]), []);
}

#[test]
fn broken_syntax_is_said_with_its_place() {
    insta::assert_snapshot!(messages("[serve]\nlisten = \"127.0.0.1\ndata = .mains\n[serve]\n"));
}

#[test]
fn wrong_shapes_are_said() {
    insta::assert_snapshot!(messages(
        "serve = 3\nrecord = []\n[upstream]\nname = \"a\"\n[routes]\n[[policy]]\n[[budget]]\nscope = \"organisation\"\nper = \"day\"\n"
    ));
}

#[test]
fn names_and_keys_are_checked() {
    insta::assert_snapshot!(messages(
        r#"[[upstream]]
name = "label"
provider = "openai"
dialect = "openai"
proxy = "http://user:secret@proxy:1"
[[upstream]]
name = "my upstream"
base_url = "ftp://x"
key = "env:A B"
discount_percent = 101
[[upstream]]
[[upstream.price]]
model = "m"
[[route]]
model = "a"
targets = [["x/y", 3], ["z/y", 1]]
deadlines = { total = 3, idle_s = 0 }
[[budget]]
scope = "organisation"
per = "day"
usd = 1e30
tokens = 1.5
[[budget]]
scope = "organisation"
per = "day"
requests = 1
[[budget]]
scope = "organisation"
per = "day"
requests = 2
"#
    ));
}

#[test]
fn no_part_of_a_pasted_key_is_repeated() {
    for text in [
        "[[upstream]]\nname = \"a\"\nprovider = \"b\"\nkey = \"sk-verysecret\"\n",
        "upstream = [{ name = \"a\", provider = \"b\", key = \"sk-verysecret\" }]\n",
        "[[upstream]]\nname = \"a\"\nprovider = \"b\"\nkey = \"sk-verysecret\n",
        "[[upstream]]\nname = \"a\"\nprovider = \"b\"\nkey = sk-verysecret\n",
        "[[upstream]]\nname = \"a\"\nprovider = \"b\"\nproxy = \"http://u:verysecret@h\"\n",
    ] {
        let messages = messages(text);
        assert!(messages.starts_with("error: "), "{messages}");
        assert!(!messages.contains("verysecret"), "{messages}");
    }
}

#[test]
fn a_later_check_complains_at_the_place_of_the_value() {
    let text = "[[upstream]]\nname = \"a\"\nprovider = \"opnai\"\n";
    let settings = parse(text, "mains.toml").unwrap();
    let provider = settings.upstreams[0].provider.as_ref().unwrap();
    let problem = Problem::at(provider.span().unwrap(), "no provider is called `opnai`").hint("see the list");
    insta::assert_snapshot!(problem.render(settings.source()));
}
