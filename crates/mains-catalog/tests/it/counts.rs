//! Enough facts, each with source and date, and the files as the generator left them.

use mains_catalog::{Catalog, FactKind, Modality};
use std::collections::HashSet;

#[test]
fn there_are_enough_pairs_hosts_names_and_facts() {
    let catalog = Catalog::builtin();
    let priced: HashSet<(&str, &str)> = catalog
        .models()
        .filter(|model| model.price.is_some() && model.context.is_some())
        .map(|model| (model.host.as_ref(), model.id.as_ref()))
        .collect();
    assert!(priced.len() >= 2_500, "{} pairs have price and context", priced.len());
    let hosts: HashSet<&str> = priced.iter().map(|(host, _)| *host).collect();
    assert!(hosts.len() >= 20, "{} hosts", hosts.len());
    let facts = catalog.facts().count()
        + catalog.endpoints().count()
        + catalog.products().count()
        + catalog.request_parameters().count();
    assert!(facts >= 1_005 + 28, "{facts} lifecycle facts");
    assert!(catalog.endpoints().count() >= 15);
    assert!(catalog.names().count() >= 5_000);
    assert_eq!(catalog.grids().count(), 215);
    assert_eq!(catalog.videos().count(), 17);
    assert!(catalog.all_parameters().count() >= 342);
    assert!(catalog.hosts().filter(|host| host.openai_compatible() && !host.base.is_empty()).count() >= 100);
    assert!(catalog.hosts().filter(|host| !host.key_variables.is_empty()).count() >= 100);
}

#[test]
fn every_row_has_a_source_and_every_source_a_date() {
    let catalog = Catalog::builtin();
    let known: HashSet<&str> = catalog.sources().map(|source| source.code.as_ref()).collect();
    let check = |codes: &str, what: &str| {
        assert!(!codes.is_empty(), "{what} has no source");
        for code in codes.split('+') {
            assert!(known.contains(code), "{what}: no source is called `{code}`");
        }
    };
    for model in catalog.models() {
        check(&model.source, &model.id);
        if let Some(price) = &model.price {
            check(&price.source, &model.id);
        }
    }
    for fact in catalog.facts() {
        check(&fact.source, &fact.id);
        assert_eq!(fact.kind, FactKind::Model);
    }
    for endpoint in catalog.endpoints() {
        check(&endpoint.fact.source, endpoint.path);
    }
    catalog.hosts().for_each(|host| check(&host.source, &host.id));
    catalog.aliases().for_each(|alias| check(&alias.source, &alias.id));
    catalog.all_parameters().for_each(|parameters| check(&parameters.source, &parameters.id));
    catalog.grids().for_each(|mix| check(&mix.source, &mix.zone));
    catalog.videos().for_each(|video| check(&video.source, &video.id));
    catalog.legacy_calls().for_each(|call| check(&call.source, &call.shape));
    for source in catalog.sources() {
        assert!(source.read <= catalog.as_read_on(), "{}", source.code);
        assert!(!source.licence.is_empty() && !source.name.is_empty(), "{}", source.code);
    }
    assert_eq!(catalog.as_read_on().to_string(), "2026-11-24");
}

#[test]
fn every_pair_names_a_known_host_and_no_price_is_zero_both_ways() {
    let catalog = Catalog::builtin();
    for model in catalog.models() {
        assert!(catalog.host(&model.host).is_some(), "{}", model.host);
        let Some(price) = &model.price else { continue };
        let zero = price.input.is_some_and(|p| p.0 == 0) && price.output.is_some_and(|p| p.0 == 0);
        let local = ["ollama", "lmstudio", "lemonade"].contains(&model.host.as_ref());
        assert!(!zero || model.id.ends_with(":free") || local, "{} at {} is free", model.id, model.host);
    }
}

#[test]
fn every_alias_and_snapshot_is_a_model_of_its_host() {
    let catalog = Catalog::builtin();
    for alias in catalog.aliases() {
        assert!(catalog.model(&alias.host, &alias.id).is_some(), "{} at {}", alias.id, alias.host);
        assert!(!alias.snapshots.is_empty());
        for snapshot in &alias.snapshots {
            assert!(catalog.model(&alias.host, snapshot).is_some(), "{snapshot} at {}", alias.host);
        }
    }
}

#[test]
fn prices_are_exact_in_trillionths_of_a_dollar() {
    let catalog = Catalog::builtin();
    let price = catalog.price("openai", "gpt-4o").unwrap();
    assert_eq!(price.input.unwrap().0, 2_500_000);
    assert_eq!(price.output.unwrap().0, 10_000_000);
    assert_eq!(price.cached_read.unwrap().0, 1_250_000);
    let sora = catalog.price("openai", "sora-2").unwrap();
    assert_eq!((sora.units[0].unit.as_ref(), sora.units[0].pico_usd), ("output_second", 100_000_000_000));
    assert!(!sora.covers_text());
    let tiered = catalog.price("google", "gemini-2.5-pro").unwrap();
    assert_eq!(tiered.at(200_000).input, tiered.input);
    assert_eq!(tiered.at(200_001).input.unwrap().0, 2_500_000);
    let sora = catalog.model("openai", "sora-2").unwrap();
    assert!(sora.output.contains(Modality::Video) && !sora.output.contains(Modality::Text));
}

#[test]
fn sizes_sites_and_grids_are_those_of_the_method() {
    let catalog = Catalog::builtin();
    let dense = catalog.parameters("c4ai-aya-expanse-32b").unwrap();
    assert!((dense.total.min - 32.3).abs() < 1e-12 && (dense.active.max - 32.3).abs() < 1e-12);
    let closed = catalog.parameters("openai/gpt-4o").unwrap();
    assert!(!closed.published && closed.active.min < closed.active.max);
    assert!(catalog.parameters("no-such-model").is_none());
    assert!((catalog.grid("usa").unwrap().gwp_kg - 0.38).abs() < 0.1);
    assert!((catalog.site("mistral").unwrap().pue.max - 1.16).abs() < 1e-12);
    for video in catalog.videos() {
        assert!(catalog.hardware(&video.hardware).is_some(), "{}", video.hardware);
        assert!(catalog.site(&video.provider).is_some(), "{}", video.provider);
    }
}

#[test]
fn hosts_are_found_by_address_and_by_key_variable() {
    let catalog = Catalog::builtin();
    for (address, host) in [
        ("https://api.openai.com/v1", "openai"),
        ("api.groq.com/openai/v1/chat/completions", "groq"),
        ("https://my-unit.openai.azure.com/openai/deployments/x", "azure"),
        ("https://bedrock-runtime.eu-west-1.amazonaws.com", "aws-bedrock"),
        ("https://us-central1-aiplatform.googleapis.com/v1/projects/p", "google-vertex"),
        ("https://generativelanguage.googleapis.com/v1beta/openai", "google"),
        ("https://openrouter.ai/api/v1", "openrouter"),
        ("https://opencode.ai/zen/go/v1", "opencode-go"),
        ("http://localhost:11434/v1", "ollama"),
    ] {
        assert_eq!(catalog.host_by_api(address).map(|host| host.id.as_ref()), Some(host), "{address}");
    }
    for other in ["https://platform.openai.com/docs", "https://api.openai.com.evil.example", "", "://", "@"] {
        assert!(catalog.host_by_api(other).is_none(), "{other}");
    }
    for (variable, host) in [
        ("OPENAI_API_KEY", "openai"),
        ("ANTHROPIC_API_KEY", "anthropic"),
        ("GROQ_API_KEY", "groq"),
        ("AZURE_OPENAI_API_KEY", "azure"),
        ("DASHSCOPE_API_KEY", "alibaba"),
        ("MOONSHOT_API_KEY", "moonshot"),
    ] {
        assert_eq!(catalog.host_by_key_variable(variable).map(|host| host.id.as_ref()), Some(host));
    }
    assert!(catalog.host_by_key_variable("HOME").is_none());
    assert_eq!(catalog.host("together_ai").unwrap().id, "together");
}

#[test]
fn the_hash_is_that_of_the_files() {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let names = [
        "aliases.csv",
        "hosts.csv",
        "legacy.csv",
        "lifecycle.csv",
        "models.csv",
        "mpl/grid.csv",
        "mpl/hardware.csv",
        "mpl/video.csv",
        "parameters.csv",
        "sites.csv",
        "sources.csv",
    ];
    let read: Vec<Vec<u8>> = names.iter().map(|name| std::fs::read(data.join(name)).unwrap()).collect();
    let files = names.iter().copied().zip(read.iter().map(Vec::as_slice));
    assert_eq!(mains_catalog::hash_of_files(files), Catalog::builtin().hash());
}
