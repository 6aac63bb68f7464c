//! The plan parses, keeps the rules of its order, and holds a route for every model asked for.

use crate::report;
use mains_catalog::Catalog;
use mains_scan::plan_toml;

fn plan(files: &[(&str, &str)]) -> String {
    plan_toml(&report(files), Catalog::builtin())
}

#[test]
fn a_plan_is_a_valid_configuration_with_a_route_for_every_model() {
    let text = plan(&[(
        "a.py",
        "import openai, anthropic\nc.create(model='gpt-3.5-turbo')\nc.create(model='gpt-4o')\nc.create(model='claude-3-haiku-20240307')\nc.create(model='sora-2')\nc.create(model='text-embedding-3-small')\nc.create(model='our-tuned-1')\n",
    )]);
    let settings =
        mains_config::parse(&text, "mains.toml").unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    for model in [
        "gpt-3.5-turbo",
        "gpt-4o",
        "claude-3-haiku-20240307",
        "sora-2",
        "text-embedding-3-small",
        "our-tuned-1",
    ] {
        assert!(settings.route(model).is_some(), "{model}\n{text}");
    }
    assert!(settings.upstream("openai").is_some() && settings.upstream("anthropic").is_some());
    assert!(text.contains("key = \"env:OPENAI_API_KEY\""), "{text}");
    assert!(!text.contains("\"here/") && !text.contains("provider = \"local\""), "no local model by itself");
}

#[test]
fn the_living_original_comes_first_and_a_dead_one_not_at_all() {
    let text =
        plan(&[("a.py", "import openai\nc.create(model='gpt-3.5-turbo')\nc.create(model='gpt-4o')\n")]);
    let route = |model: &str| {
        let from = text.find(&format!("model = \"{model}\"")).unwrap();
        text[from..].split(']').next().unwrap().to_owned()
    };
    assert!(!route("gpt-3.5-turbo").contains("\"openai/gpt-3.5-turbo\""), "{text}");
    let living = route("gpt-4o");
    let first = living.lines().find(|line| line.trim_start().starts_with('"')).unwrap();
    assert_eq!(first.trim(), "\"openai/gpt-4o\",");
}

#[test]
fn hostile_names_stay_inside_their_strings() {
    let text = plan(&[("a\nb.py", "import openai\nc.create(model='x-1:y/z')\n")]);
    assert!(mains_config::parse(&text, "mains.toml").is_ok(), "{text}");
}
