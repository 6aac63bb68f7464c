//! Real spellings resolve; unknown ones do not.

use mains_catalog::{Catalog, Lookup, SpellingStep};
use proptest::prelude::*;

#[test]
fn real_spellings_resolve_to_a_host_and_an_id() {
    let catalog = Catalog::builtin();
    for (host, text, at, id) in [
        (Some("openai"), "gpt-4o", "openai", "gpt-4o"),
        (Some("openai"), "GPT-4o", "openai", "gpt-4o"),
        (None, "openai/gpt-4o", "openai", "gpt-4o"),
        (None, "openai:gpt-4o", "openai", "gpt-4o"),
        (None, "gemini/gemini-2.5-pro", "google", "gemini-2.5-pro"),
        (Some("google"), "models/gemini-2.5-pro", "google", "gemini-2.5-pro"),
        (None, "vertex_ai/claude-3-5-sonnet@20240620", "google-vertex", "claude-3-5-sonnet@20240620"),
        (
            None,
            "projects/p/locations/us-central1/publishers/google/models/gemini-2.5-pro",
            "google-vertex",
            "gemini-2.5-pro",
        ),
        (
            None,
            "publishers/anthropic/models/claude-3-5-sonnet@20240620",
            "google-vertex",
            "claude-3-5-sonnet@20240620",
        ),
        (
            None,
            "bedrock/us.anthropic.claude-3-opus-20240229-v1:0",
            "aws-bedrock",
            "us.anthropic.claude-3-opus-20240229-v1:0",
        ),
        (
            Some("aws-bedrock"),
            "anthropic.claude-3-haiku-20240307-v1:0:200k",
            "aws-bedrock",
            "anthropic.claude-3-haiku-20240307-v1:0",
        ),
        (
            None,
            "bedrock/converse/apac.anthropic.claude-3-sonnet-20240229-v1:0",
            "aws-bedrock",
            "anthropic.claude-3-sonnet-20240229-v1:0",
        ),
        (
            None,
            "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-opus-20240229-v1:0",
            "aws-bedrock",
            "anthropic.claude-3-opus-20240229-v1:0",
        ),
        (None, "bedrock/eu-west-1/anthropic.claude-v2:1", "aws-bedrock", "anthropic.claude-v2:1"),
        (None, "openrouter/openai/gpt-4o", "openrouter", "openai/gpt-4o"),
        (Some("openrouter"), "openai/gpt-4o:nitro", "openrouter", "openai/gpt-4o"),
        (None, "groq/openai/gpt-oss-20b", "groq", "openai/gpt-oss-20b"),
        (Some("azure"), "gpt-35-turbo-0125", "azure", "gpt-3.5-turbo-0125"),
        (None, "azure/gpt-4o-2024-11-20", "azure", "gpt-4o-2024-11-20"),
        (None, "ft:gpt-4o-2024-08-06:acme::abc", "openai", "gpt-4o-2024-08-06"),
        (
            None,
            "together_ai/meta-llama/Llama-3.3-70B-Instruct-Turbo",
            "together",
            "meta-llama/Llama-3.3-70B-Instruct-Turbo",
        ),
        (None, "claude-3-opus-20240229", "anthropic", "claude-3-opus-20240229"),
        (None, "text-davinci-003", "openai", "text-davinci-003"),
    ] {
        let found = catalog.lookup(host, text).into_first();
        let found = found.map(|found| (found.host.id.as_ref(), found.model.id.to_ascii_lowercase()));
        let Some((found_host, found_id)) = found else { panic!("{text} is unknown") };
        // Azure lists some ids in either spelling.
        let id =
            if found_id.starts_with("gpt-35-") { id.replace("gpt-3.5", "gpt-35") } else { id.to_owned() };
        assert_eq!((found_host, found_id), (at, id.to_ascii_lowercase()), "{text}");
    }
}

#[test]
fn the_host_is_chosen_only_where_the_hosts_agree() {
    let catalog = Catalog::builtin();
    let Lookup::Several(several) = catalog.lookup(None, "gpt-4o") else { panic!("hosts agree on gpt-4o") };
    assert_eq!(several[0].host.id, "openai", "the maker comes first");
    assert!(several.iter().any(|found| found.host.id == "azure"));
    assert!(several.iter().all(|found| !found.host_is_certain()));
    let one = catalog.lookup(Some("azure"), "gpt-4o").resolved().unwrap();
    assert!(one.host_is_certain() && one.spelling.is_exact());
    let cased = catalog.lookup(Some("azure"), "GPT-4O").resolved().unwrap();
    assert!(cased.spelling.has(SpellingStep::Case));
}

#[test]
fn what_is_unknown_stays_unknown_and_names_its_relatives() {
    let catalog = Catalog::builtin();
    for (text, relative) in
        [("gpt-4o-2031-01-01", "gpt-4o"), ("claude-3-opus-20310101", "claude-3-opus"), ("gpt-4oo", "gpt-4o")]
    {
        let Lookup::Unknown { nearest, .. } = catalog.lookup(None, text) else { panic!("{text} is known") };
        assert!(nearest.contains(&relative), "{text}: {nearest:?}");
    }
    let Lookup::Unknown { host, .. } = catalog.lookup(None, "azure/my-deployment") else { panic!("known") };
    assert_eq!(host.unwrap().id, "azure", "the deployment is unknown, its host is not");
    for text in [
        "",
        " ",
        "/",
        ":",
        "arn:",
        "ft:",
        "azure/",
        "models/",
        "gpt4all",
        "the model",
        "openai/",
        "@",
        ".-v1",
    ] {
        assert!(catalog.lookup(None, text).resolved().is_none(), "`{text}`");
    }
    let Lookup::Unknown { .. } = catalog.lookup(Some("no-such-host"), "gpt-4o") else { panic!("known") };
}

#[test]
fn every_pair_resolves_to_itself() {
    let catalog = Catalog::builtin();
    for model in catalog.models() {
        let found = catalog.lookup(Some(&model.host), &model.id).resolved();
        let found = found.unwrap_or_else(|| panic!("{} at {}", model.id, model.host));
        assert_eq!((&found.model.host, &found.model.id), (&model.host, &model.id));
        assert!(found.spelling.is_exact());
        let prefixed = format!("{}/{}", model.host, model.id);
        let found = catalog.lookup(None, &prefixed).into_first();
        assert!(found.is_some(), "{prefixed}");
    }
    for name in catalog.names() {
        assert_eq!(name, name.to_ascii_lowercase());
    }
}

proptest! {
    #[test]
    fn no_text_makes_a_lookup_panic(text in "\\PC{0,80}", host in prop::option::of("[a-z-]{0,12}")) {
        let catalog = Catalog::builtin();
        let _ = catalog.lookup(host.as_deref(), &text);
        let _ = catalog.host_by_api(&text);
    }

    #[test]
    fn no_mixture_of_real_pieces_makes_a_lookup_panic_and_what_resolves_is_known(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "openai", "/", ":", "bedrock", "us.", "anthropic.", "claude-3-opus", "-20240229", "-v1", ":0", "@",
            "models/", "publishers/", "ft:", "arn:aws:bedrock:", "gpt-35-turbo", "gpt-4o", "é", " (version ", ")",
            "-2024-05-13", ":free", "azure", "openrouter", "\u{0}",
        ]), 0..7)
    ) {
        let catalog = Catalog::builtin();
        let text = pieces.concat();
        if let Some(found) = catalog.lookup(None, &text).into_first() {
            prop_assert!(catalog.model(&found.host.id, &found.model.id).is_some());
            let again = catalog.lookup(Some(&found.host.id), &found.model.id).resolved();
            prop_assert!(again.is_some_and(|again| again.model == found.model));
        }
        let _ = catalog.lifecycle(None, &text, crate::today());
        let _ = catalog.describe(&text, crate::today());
    }
}
