//! Reads one entry of LiteLLM's map into a row.

use super::super::read::{items, members, pico, text, whole};
use super::{Models, Price};
use serde_json::Value;

/// Adds the model that a key of LiteLLM's map means, or one more unit price of a picture model.
pub(super) fn add(models: &mut Models, host: &str, key: &str, entry: &Value) {
    let Some(kind) = kind(text(entry, "mode")) else { return };
    let Some((id, variant)) = id_of(host, text(entry, "litellm_provider"), key) else { return };
    let price = prices(entry);
    let row = models.row(host, id);
    row.sources.insert("L".to_owned());
    row.kind = kind;
    if let Some(variant) = variant {
        // The key holds quality and size of a picture; its prices become units of the model.
        let Some(amount) = picture_price(&price, &variant) else { return };
        let named = [(format!("output_image_{variant}"), amount)];
        match row.prices.iter_mut().find(|price| price.source == "L") {
            Some(known) => known.units.extend(named),
            None => row.prices.push(Price { units: named.into(), source: "L", ..Price::default() }),
        }
        "i".clone_into(&mut row.output);
        return;
    }
    row.context = row.context.or(whole(&entry["max_input_tokens"]));
    row.max_output = row.max_output.or(whole(&entry["max_output_tokens"]));
    (row.input, row.output) = modalities(kind, entry);
    let names = [
        ("supports_function_calling", 't'),
        ("supports_response_schema", 'j'),
        ("supports_native_streaming", 's'),
        ("supports_reasoning", 'r'),
        ("supports_prompt_caching", 'c'),
    ];
    for (name, letter) in names {
        if let Some(yes) = entry[name].as_bool() {
            row.can.insert(letter, yes);
        }
    }
    match row.prices.iter_mut().find(|price| price.source == "L") {
        Some(known) => {
            // A picture's sizes came first, or two keys mean the same id: the first price stays.
            for column in 0..4 {
                known.text[column] = known.text[column].or(price.text[column]);
            }
            for (unit, amount) in price.units {
                known.units.entry(unit).or_insert(amount);
            }
        }
        None => row.prices.insert(0, price),
    }
}

/// The price of one picture, whichever column holds it; a price per pixel is multiplied by the size at the
/// end of `variant`.
fn picture_price(price: &Price, variant: &str) -> Option<u64> {
    let of = |unit: &str| price.units.get(unit).copied().filter(|amount| *amount > 0);
    if let Some(amount) = of("output_image").or(of("input_image")) {
        return Some(amount);
    }
    let (width, height) = variant.rsplit('_').next()?.split_once('x')?;
    let pixels = width.parse::<u64>().ok()?.checked_mul(height.parse().ok()?)?;
    of("output_pixel").or(of("input_pixel"))?.checked_mul(pixels)
}

fn kind(mode: &str) -> Option<&'static str> {
    Some(match mode {
        "chat" | "responses" => "chat",
        "completion" => "completion",
        "embedding" => "embedding",
        "image_generation" | "image_edit" => "image",
        "video_generation" => "video",
        "audio_transcription" => "transcription",
        "audio_speech" => "speech",
        "realtime" => "realtime",
        "rerank" => "rerank",
        "moderation" => "moderation",
        "ocr" => "ocr",
        _ => return None,
    })
}

/// Segments in front of an id that say for which region or tier a price holds.
const PLACES: [&str; 7] = ["eu", "us", "global", "global-standard", "apac", "regional", "standard"];

/// The id behind a key, without the provider in front, and the picture size and quality if the key holds
/// one. Keys that stand for a class of prices, a committed throughput or one region mean no id.
fn id_of<'k>(host: &str, provider: &str, key: &'k str) -> Option<(&'k str, Option<String>)> {
    let mut id = key;
    let prefixes = [
        provider,
        host,
        "azure",
        "bedrock",
        "vertex_ai",
        "vertex-ai",
        "fireworks_ai",
        "gemini",
        "xai",
        "stability",
    ];
    for prefix in prefixes {
        if let Some(rest) = id.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('/')) {
            id = rest;
            break;
        }
    }
    for prefix in ["text-completion-codestral", "amazon-nova", "vertex_ai", "oci", "ps"] {
        id = id.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('/')).unwrap_or(id);
    }
    if key.contains("-commitment/") || id.contains('*') || key.contains("steps/") {
        return None;
    }
    let price_class = ["fireworks-ai-", "together-ai-", "together-ai-embedding"];
    if price_class.iter().any(|class| id.starts_with(class)) {
        return None;
    }
    let segments: Vec<&str> = id.split('/').collect();
    let (last, before) = segments.split_last()?;
    if let Some(size) = before.iter().find(|segment| segment.contains("-x-")) {
        let quality: Vec<&str> = before.iter().filter(|segment| *segment != size).copied().collect();
        let parts: Vec<String> =
            quality.iter().map(|part| (*part).to_owned()).chain([size.replace("-x-", "x")]).collect();
        return Some((last, Some(parts.join("_"))));
    }
    let regional = match host {
        "azure" => before.first().is_some_and(|first| PLACES.contains(first)),
        "aws-bedrock" => before.first().is_some_and(|first| first.contains('-') || *first == "invoke"),
        _ => false,
    };
    (!regional && !id.is_empty()).then_some((id, None))
}

fn modalities(kind: &str, entry: &Value) -> (String, String) {
    let letters = |value: &Value| -> String {
        let pairs = [("text", 't'), ("image", 'i'), ("audio", 'a'), ("video", 'v'), ("file", 'f')];
        let has = |name: &str| items(value).any(|item| item == name);
        pairs.iter().filter(|(name, _)| has(name)).map(|(_, letter)| *letter).collect()
    };
    let (mut input, mut output) =
        (letters(&entry["supported_modalities"]), letters(&entry["supported_output_modalities"]));
    let yes = |name: &str| entry[name] == true;
    let plain = match kind {
        "image" => ("t", "i"),
        "video" => ("t", "v"),
        "transcription" => ("a", "t"),
        "speech" => ("t", "a"),
        "ocr" => ("f", "t"),
        "chat" | "completion" => ("t", "t"),
        "realtime" => ("ta", "ta"),
        // A vector, an order or a judgement is none of the forms of content.
        _ => ("t", ""),
    };
    if input.is_empty() {
        plain.0.clone_into(&mut input);
        for (name, letter) in [
            ("supports_vision", 'i'),
            ("supports_audio_input", 'a'),
            ("supports_video_input", 'v'),
            ("supports_pdf_input", 'f'),
        ] {
            if yes(name) && !input.contains(letter) {
                input.push(letter);
            }
        }
    }
    if output.is_empty() {
        plain.1.clone_into(&mut output);
        if yes("supports_audio_output") && !output.contains('a') {
            output.push('a');
        }
    }
    (input, output)
}

/// The columns of LiteLLM that price something else than a text token, and our names for the units.
const UNITS: [(&str, &str); 27] = [
    ("cache_creation_input_token_cost_above_1hr", "cached_write_1h_token"),
    ("cache_read_input_audio_token_cost", "cached_read_audio_token"),
    ("cost_per_second", "second"),
    ("input_cost_per_audio_token", "input_audio_token"),
    ("input_cost_per_character", "input_character"),
    ("input_cost_per_image", "input_image"),
    ("input_cost_per_image_token", "input_image_token"),
    ("input_cost_per_pixel", "input_pixel"),
    ("input_cost_per_query", "request"),
    ("input_cost_per_second", "input_second"),
    ("input_cost_per_token_batches", "batch_input_token"),
    ("input_cost_per_video_per_second", "input_video_second"),
    ("ocr_cost_per_page", "page"),
    ("output_cost_per_audio_token", "output_audio_token"),
    ("output_cost_per_character", "output_character"),
    ("output_cost_per_image", "output_image"),
    ("output_cost_per_image_token", "output_image_token"),
    ("output_cost_per_pixel", "output_pixel"),
    ("output_cost_per_reasoning_token", "output_reasoning_token"),
    ("output_cost_per_second", "output_second"),
    ("output_cost_per_second_1080p", "output_second_1080p"),
    ("output_cost_per_second_480p", "output_second_480p"),
    ("output_cost_per_second_4k", "output_second_4k"),
    ("output_cost_per_second_720p", "output_second_720p"),
    ("output_cost_per_token_batches", "batch_output_token"),
    ("output_cost_per_video_per_second", "output_second"),
    ("output_cost_per_video_per_second_1080p", "output_second_1080p"),
];

const COLUMNS: [&str; 4] = [
    "input_cost_per_token",
    "output_cost_per_token",
    "cache_read_input_token_cost",
    "cache_creation_input_token_cost",
];

fn prices(entry: &Value) -> Price {
    let mut price =
        Price { text: COLUMNS.map(|name| pico(&entry[name], 1e12)), source: "L", ..Price::default() };
    price.text[2] = price.text[2].or(pico(&entry["input_cost_per_token_cache_hit"], 1e12));
    for (name, unit) in UNITS {
        if let Some(amount) = pico(&entry[name], 1e12) {
            price.units.insert(unit.to_owned(), amount);
        }
    }
    for (name, value) in members(entry) {
        let Some((column, above)) = name.split_once("_above_") else { continue };
        let Some(column) = COLUMNS.iter().position(|known| *known == column) else { continue };
        let thousands = above.strip_suffix("k_tokens").and_then(|thousands| thousands.parse::<u64>().ok());
        if let Some(thousands) = thousands {
            price.tiers.entry(thousands * 1_000).or_default()[column] = pico(value, 1e12);
        }
    }
    price
}
