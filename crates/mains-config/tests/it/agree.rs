//! `agree` of a route.

fn file(agree: &str, more: &str) -> String {
    format!(
        "[[upstream]]\nname = \"a\"\nprovider = \"openai\"\n[[route]]\nmodel = \"m\"\ntargets = [\"a/big\"]\nagree = {agree}\n{more}"
    )
}

fn messages(text: &str) -> String {
    mains_config::parse(text, "mains.toml").unwrap_err().to_string()
}

#[test]
fn two_models_are_read_shown_and_hashed() {
    let settings = mains_config::parse(&file("[\"a/one\", \"a/two\"]", ""), "mains.toml").unwrap();
    let pair = settings.routes[0].agree.as_ref().unwrap();
    assert_eq!(pair.each_ref().map(|target| target.value.to_string()), ["a/one", "a/two"]);
    let other = mains_config::parse(&file("[\"a/two\", \"a/one\"]", ""), "mains.toml").unwrap();
    assert_ne!(settings.canonical(), other.canonical(), "whose answer is given is a setting");
    assert!(settings.canonical().contains("agree"), "{}", settings.canonical());
}

#[test]
fn what_is_wrong_with_it_is_said() {
    let swap = format!("[route.swap]\nfrom = \"a/big\"\nto = \"a/new\"\nreport = \"{}\"\n", "0".repeat(64));
    for (agree, more, expected) in [
        ("\"a/one\"", "", "`agree` must be a list of two targets"),
        ("[\"a/one\"]", "", "`agree` must be a list of two targets"),
        ("[\"a/one\", \"a/one\"]", "", "a model always agrees with itself"),
        ("[\"a/one\", \"a/big\"]", "", "stands in `agree` and among the `targets`"),
        ("[\"a/one\", \"label/x\"]", "", "a labeller cannot be one of two models that must agree"),
        ("[\"a/one\", \"c/two\"]", "", "no upstream is called `c`"),
        ("[\"a/one\", 3]", "", "`agree`: "),
        ("[\"a/one\", \"a/two\"]", swap.as_str(), "cannot have a switch under way"),
    ] {
        let found = messages(&file(agree, more));
        assert!(found.contains(expected), "{agree} {more}: {found}");
    }
    let labelled = file("[\"a/one\", \"a/two\"]", "").replace("[\"a/big\"]", "[\"label/x\", \"a/big\"]");
    assert!(messages(&labelled).contains("a route has `agree` or a labeller, not both"));
}
