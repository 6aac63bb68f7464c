//! What to use instead, and all that is known about one id.

use crate::today;
use mains_catalog::{Catalog, SubstituteKind};

#[test]
fn a_dead_model_has_substitutes_of_each_kind_with_their_prices() {
    let catalog = Catalog::builtin();
    let found = catalog.substitutes("openai", "gpt-3.5-turbo", today());
    assert!(found.iter().all(|substitute| substitute.lifecycle.serves()));
    assert!(found.iter().any(|substitute| substitute.kind == SubstituteKind::OwnSuccessor), "{found:?}");
    let found = catalog.substitutes("openai", "gpt-4o", today());
    let elsewhere: Vec<_> = found.iter().filter(|s| s.kind == SubstituteKind::AnotherHost).collect();
    assert!(!elsewhere.is_empty() && elsewhere.iter().all(|s| s.model.host != "openai"));
    let smaller: Vec<_> = found.iter().filter(|s| s.kind == SubstituteKind::Smaller).collect();
    assert!(!smaller.is_empty());
    for substitute in smaller {
        let original = catalog.model("openai", "gpt-4o").unwrap();
        assert!(
            substitute.model.input.covers(original.input) && substitute.model.output.covers(original.output)
        );
    }
    assert!(catalog.substitutes("openai", "no-such-model", today()).is_empty());
}

#[test]
fn a_video_model_is_never_replaced_by_one_that_makes_no_video() {
    let catalog = Catalog::builtin();
    let original = catalog.model("openai", "sora-2").unwrap();
    for substitute in catalog.substitutes("openai", "sora-2", today()) {
        assert!(substitute.model.output.covers(original.output), "{:?}", substitute.model);
    }
}

#[test]
fn everything_known_about_an_id_is_described_and_serialises() {
    let catalog = Catalog::builtin();
    let described = catalog.describe("gpt-3.5-turbo", today());
    assert_eq!((described.id, described.owner), ("gpt-3.5-turbo", Some("openai")));
    assert_eq!(described.hosts[0].host, "openai");
    assert_eq!(described.hosts[0].lifecycle.word(), "retired");
    assert!(!described.sources.is_empty() && !described.hosts[0].facts.is_empty());
    let json = serde_json::to_value(&described).unwrap();
    assert_eq!(json["hosts"][0]["lifecycle"]["state"], "retired");
    assert_eq!(json["hosts"][0]["lifecycle"]["since"], "2026-10-23");
    let unknown = catalog.describe("gpt-3.5-turboo", today());
    assert!(unknown.hosts.is_empty() && unknown.nearest.contains(&"gpt-3.5-turbo"), "{unknown:?}");
}
