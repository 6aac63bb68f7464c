//! The eight known defects of lifecycle data, each handled.

use crate::{day, today};
use mains_catalog::{After, Basis, Catalog, DateKind, Lifecycle};

fn at<'a>(host: &str, id: &str) -> Lifecycle<'a> {
    Catalog::builtin().lifecycle(Some(host), id, today())
}

#[test]
fn the_two_deaths_of_the_story_are_known() {
    assert!(
        matches!(at("openai", "gpt-3.5-turbo"), Lifecycle::Retired { since, .. } if since == day("2026-10-23"))
    );
    assert!(
        matches!(at("openai", "sora-2"), Lifecycle::Retired { since, after: After::Fails, .. } if since == day("2026-09-24"))
    );
    let before = Catalog::builtin().lifecycle(Some("openai"), "gpt-3.5-turbo", day("2026-10-22"));
    assert!(matches!(before, Lifecycle::Dying { on, .. } if on == day("2026-10-23")));
}

#[test]
fn defect_1_not_sooner_than_is_no_date_of_death() {
    let passed = at("anthropic", "claude-haiku-4-5-20251001");
    assert!(
        matches!(passed, Lifecycle::MayEndAnyDay { not_sooner_than, .. } if not_sooner_than == day("2026-10-15")),
        "{passed:?}"
    );
    assert!(passed.serves() && passed.ends_on().is_none());
    assert!(matches!(at("anthropic", "claude-opus-4-7"), Lifecycle::Alive { .. }));
    let on_the_day = at("anthropic", "claude-opus-4-5-20251101");
    assert!(matches!(on_the_day, Lifecycle::MayEndAnyDay { .. }));
}

#[test]
fn defect_2_chains_of_replacements_end_at_a_living_id_or_nowhere() {
    let catalog = Catalog::builtin();
    let mut dead_ends = 0;
    let mut walked = 0;
    for fact in catalog.facts() {
        let chain = catalog.replacements(&fact.host, &fact.id, today());
        if let Some(living) = chain.living {
            walked += usize::from(chain.steps.len() > 1);
            let state = catalog.lifecycle(Some(&fact.host), living, today());
            assert!(
                state.serves(),
                "{} at {} leads to {living}, which is {}",
                fact.id,
                fact.host,
                state.word()
            );
            assert!(catalog.model(&fact.host, living).is_some());
        } else if !chain.steps.is_empty() {
            dead_ends += 1;
        }
        assert!(chain.steps.len() < 10, "{}: {:?}", fact.id, chain.steps);
    }
    assert!(walked >= 20, "only {walked} chains have more than one step");
    assert!(dead_ends > 0, "some recommendations lead nowhere, and that is said");
    let chain = catalog.replacements("openai", "code-davinci-002", today());
    assert!(chain.steps.len() > 1 && chain.steps[0].state == "retired", "{chain:?}");
}

#[test]
fn defect_3_the_same_id_has_other_dates_at_other_hosts() {
    let azure = at("azure", "claude-opus-4-6");
    assert_eq!(azure.ends_on(), Some(day("2027-02-02")), "{azure:?}");
    let anthropic = at("anthropic", "claude-opus-4-6");
    assert!(matches!(anthropic, Lifecycle::Alive { .. }), "{anthropic:?}");
    assert_eq!(anthropic.evidence().fact.unwrap().shutdown, Some(day("2027-02-05")));
    let unknown_host = Catalog::builtin().lifecycle(None, "claude-opus-4-6", today());
    assert!(matches!(unknown_host.evidence().basis, Basis::Owner { owner: "anthropic" }), "{unknown_host:?}");
    assert!(unknown_host.evidence().elsewhere.iter().any(|fact| fact.host == "azure"));
    // GitHub Copilot drops it on a day of its own; that is not Azure's.
    let azure = at("azure", "gpt-5.4");
    assert!(azure.serves(), "{azure:?}");
    let copilot = at("github-copilot", "gpt-5.4");
    assert!(!copilot.serves(), "{copilot:?}");
}

#[test]
fn defect_4_conflicts_are_decided_by_rule_and_shown() {
    // An announced end refines a promise not to end before.
    let sonnet = at("anthropic", "claude-sonnet-4-5-20250929");
    assert_eq!(sonnet.ends_on(), Some(day("2026-11-30")));
    assert_eq!(sonnet.evidence().conflicts[0].date_kind, DateKind::NotSoonerThan);
    // The provider's own page wins over a data set.
    let embedding = at("azure", "text-embedding-3-large");
    assert_eq!(embedding.ends_on(), Some(day("2027-04-15")));
    assert_eq!(embedding.evidence().conflicts[0].shutdown, Some(day("2028-02-09")));
    // Of two announcements on the same page the later one holds.
    let extended = at("openai", "gpt-4-1106-preview");
    assert_eq!(extended.ends_on(), Some(day("2026-10-23")));
    assert_eq!(at("openai", "code-davinci-002").ends_on(), Some(day("2024-01-04")));
    // Of two readings of the same day only the recommendation differs: the newer one is shown first.
    let image = at("openai", "gpt-image-1-mini");
    assert_eq!(image.evidence().fact.unwrap().source_read, today());
}

#[test]
fn defect_5_an_alias_lives_as_long_as_its_last_snapshot() {
    let catalog = Catalog::builtin();
    for alias in ["gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini"] {
        let life = at("openai", alias);
        assert!(matches!(life.evidence().basis, Basis::LastSnapshot { .. }), "{alias}: {life:?}");
        let alias = catalog.alias("openai", alias).unwrap();
        let ends: Vec<_> = alias.snapshots.iter().map(|snapshot| at("openai", snapshot).ends_on()).collect();
        let last = if ends.contains(&None) { None } else { ends.into_iter().flatten().max() };
        assert_eq!(life.ends_on(), last, "{}", alias.id);
    }
    let dead = at("anthropic", "claude-2");
    assert!(matches!(dead, Lifecycle::Retired { since, .. } if since == day("2025-07-21")), "{dead:?}");
    assert!(!at("google", "gemini-1.5-pro-latest").serves());
}

#[test]
fn defect_6_bedrock_falls_back_to_the_makers_date_and_says_so() {
    for id in ["anthropic.claude-3-sonnet-20240229-v1:0", "us.anthropic.claude-3-sonnet-20240229-v1:0"] {
        let life = at("aws-bedrock", id);
        assert_eq!(life.ends_on(), Some(day("2025-07-21")), "{id}: {life:?}");
        assert!(matches!(life.evidence().basis, Basis::VendorDate { owner: "anthropic" }), "{life:?}");
    }
    let first = at("aws-bedrock", "anthropic.claude-v2");
    assert!(matches!(first.evidence().basis, Basis::VendorDate { .. }) && !first.serves(), "{first:?}");
    // Open weights are not the maker's to end.
    assert!(at("groq", "openai/gpt-oss-120b").serves());
}

#[test]
fn defect_7_azure_versions_are_ids_and_products_are_not() {
    let catalog = Catalog::builtin();
    let life = at("azure", "gpt-4o-2024-05-13");
    assert!(life.evidence().fact.is_some_and(|fact| fact.version == "2024-05-13"), "{life:?}");
    let spelled = catalog.lookup(Some("azure"), "gpt-4o (version 2024-05-13)").resolved().unwrap();
    assert_eq!(spelled.model.id, "gpt-4o-2024-05-13");
    let last = catalog.lifecycle(Some("azure"), "gpt-4o", today());
    assert!(matches!(last.evidence().basis, Basis::LastSnapshot { .. }), "{last:?}");
    assert!(catalog.products().count() >= 9);
    for product in catalog.products() {
        assert!(catalog.lookup(None, &product.id).resolved().is_none(), "{}", product.id);
    }
    for name in catalog.names() {
        assert!(!name.contains(' '), "`{name}` would never match code");
    }
}

#[test]
fn defect_7_redirects_carry_the_change_of_price() {
    let life = at("xai", "grok-3");
    let Lifecycle::Retired { after: After::Redirects { to, price_before, price_after }, .. } = life else {
        panic!("{life:?}");
    };
    assert_eq!(to, "grok-4.3");
    let (before, after) = (price_before.unwrap().output, price_after.unwrap().output);
    assert!(before.is_some() && after.is_some() && before != after, "{before:?} {after:?}");
    // Redirected until the day, dead since.
    assert!(matches!(at("xiaomi", "mimo-v2-flash"), Lifecycle::Retired { after: After::Fails, .. }));
}

#[test]
fn defect_8_endpoints_and_old_call_shapes_are_facts_too() {
    let catalog = Catalog::builtin();
    let videos = catalog.endpoints().find(|endpoint| endpoint.path == "/v1/videos").unwrap();
    assert_eq!((videos.host, videos.fact.shutdown), ("openai", Some(day("2026-09-24"))));
    assert!(catalog.endpoints().any(|endpoint| endpoint.path == "/v1/edits"));
    let shape = catalog.legacy_calls().find(|call| call.shape == "openai.ChatCompletion.create").unwrap();
    assert_eq!((shape.package.as_ref(), shape.ended_with.as_ref()), ("openai", "1.0.0"));
}
