//! (host, model) pairs with kind, limits, capabilities and prices.
//!
//! Precedence. Prices come whole from one source: LiteLLM (the newest copy, and the only one with many other
//! units than tokens), else genai-prices, else models.dev; a later source only adds cached prices to a price
//! whose input and output it confirms. Limits and kinds come from LiteLLM, else models.dev; what goes in and
//! out of a model comes from models.dev, else LiteLLM. A price of zero for both input and output counts as
//! unknown, but for models that are free by name or run on one's own machine.

mod litellm;

use super::aliases::AliasRow;
use super::genai;
use super::hosts::Hosts;
use super::lifecycle::Life;
use super::read::{Sources, items, line, members, pico, text, whole};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Prices in trillionths of a dollar: input, output, cached read, cached write.
pub(super) type Four = [Option<u64>; 4];

#[derive(Default, Clone)]
pub(super) struct Price {
    pub(super) text: Four,
    pub(super) tiers: BTreeMap<u64, Four>,
    pub(super) units: BTreeMap<String, u64>,
    pub(super) source: &'static str,
}

impl Price {
    fn is_empty(&self) -> bool {
        self.text.iter().all(Option::is_none) && self.units.is_empty()
    }

    /// Takes zeros for unknown where they cannot be meant.
    fn without_empty_zeros(mut self, free: bool, makes_text: bool) -> Self {
        let zero = |price: Option<u64>| price.unwrap_or(0) == 0;
        if !free && zero(self.text[0]) && zero(self.text[1]) {
            self.text = [None; 4];
        }
        if !free && makes_text && zero(self.text[1]) {
            self.text[1] = None;
        }
        for cached in &mut self.text[2..] {
            if !free && *cached == Some(0) {
                *cached = None;
            }
        }
        if !free {
            self.units.retain(|_, amount| *amount > 0);
        }
        self
    }

    /// Takes over the cached prices of a source that confirms input and output.
    fn complete_from(&mut self, other: &Self) {
        if self.text[..2] == other.text[..2] {
            for column in 2..4 {
                self.text[column] = self.text[column].or(other.text[column]);
            }
        }
    }
}

#[derive(Default, Clone)]
pub(super) struct Row {
    pub(super) host: String,
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) input: String,
    pub(super) output: String,
    context: Option<u64>,
    max_output: Option<u64>,
    can: BTreeMap<char, bool>,
    sources: BTreeSet<String>,
    prices: Vec<Price>,
}

impl Row {
    fn can_text(&self) -> String {
        let letter = |(letter, yes): (&char, &bool)| if *yes { *letter } else { letter.to_ascii_uppercase() };
        self.can.iter().map(letter).collect()
    }

    fn price(&self) -> Price {
        let free =
            self.id.ends_with(":free") || ["ollama", "lmstudio", "lemonade"].contains(&self.host.as_str());
        let makes_text = matches!(self.kind, "chat" | "completion" | "");
        let mut known = self
            .prices
            .iter()
            .map(|price| price.clone().without_empty_zeros(free, makes_text))
            .filter(|price| !price.is_empty());
        let Some(mut best) = known.next() else { return Price::default() };
        known.for_each(|other| best.complete_from(&other));
        best
    }
}

pub(super) struct Models {
    rows: BTreeMap<(String, String), Row>,
}

impl Models {
    pub(super) fn from(sources: &Sources, hosts: &Hosts) -> Result<Self, String> {
        let mut models = Self { rows: BTreeMap::new() };
        for (key, entry) in members(&sources.litellm) {
            if let Some(host) = hosts.of_litellm(text(entry, "litellm_provider")) {
                litellm::add(&mut models, host, key, entry);
            }
        }
        for provider in items(&sources.genai) {
            let Some(host) = hosts.of_genai(text(provider, "id")) else { continue };
            for entry in items(&provider["models"]) {
                models.add_genai(host, entry);
            }
        }
        for (provider, entry) in members(&sources.models_dev["providers"]) {
            let Some(host) = hosts.of_models_dev(provider) else { continue };
            for (id, model) in members(&entry["models"]) {
                models.add_models_dev(host, id, model, &sources.models_dev["models"]);
            }
        }
        models.add_history()?;
        models.fill_kinds();
        if models.rows.len() < 2_500 {
            return Err(format!(
                "only {} (host, model) pairs; the sources must have changed",
                models.rows.len()
            ));
        }
        Ok(models)
    }

    /// The row of a pair, made where there is none.
    fn row(&mut self, host: &str, id: &str) -> &mut Row {
        let key = (id.to_ascii_lowercase(), host.to_owned());
        self.rows.entry(key).or_insert_with(|| Row {
            host: host.to_owned(),
            id: id.to_owned(),
            ..Row::default()
        })
    }

    fn add_genai(&mut self, host: &str, entry: &Value) {
        let Some(price) = genai::price(entry).filter(|price| !price.is_empty()) else { return };
        let id = text(entry, "id");
        // Ids without a maker in front match names there, and are none of OpenRouter's own.
        if host == "openrouter" && !id.contains('/') {
            return;
        }
        // The list puts both of Google's hosts under one name; other makers' models are Vertex's.
        let vertex = host == "google"
            && ["claude", "mistral", "llama", "codestral"].iter().any(|maker| id.starts_with(maker));
        let row = self.row(if vertex { "google-vertex" } else { host }, id);
        row.sources.insert("G".to_owned());
        row.context = row.context.or(whole(&entry["context_window"]));
        row.prices.push(price);
    }

    fn add_models_dev(&mut self, host: &str, id: &str, entry: &Value, bases: &Value) {
        let row = self.row(host, id);
        row.sources.insert("M".to_owned());
        let base = &bases[text(entry, "base_model")];
        let omitted = |name: &str| items(&entry["base_model_omit"]).any(|omitted| omitted == name);
        let of = |name: &str| match &entry[name] {
            Value::Null if !omitted(name) => &base[name],
            own => own,
        };
        let letters = |value: &Value| -> String {
            ["text", "image", "audio", "video", "pdf"]
                .iter()
                .zip("tiavf".chars())
                .filter(|(name, _)| items(value).any(|item| item == **name))
                .map(|(_, letter)| letter)
                .collect()
        };
        let modalities = of("modalities");
        let (input, output) = (letters(&modalities["input"]), letters(&modalities["output"]));
        if !input.is_empty() {
            row.input = input;
        }
        if !output.is_empty() {
            row.output = output;
        }
        if row.kind.is_empty() {
            row.kind = kind_of(id, &row.output);
        }
        row.context = row.context.or(whole(&of("limit")["context"]));
        row.max_output = row.max_output.or(whole(&of("limit")["output"]));
        let names =
            [("tool_call", 't'), ("structured_output", 'j'), ("reasoning", 'r'), ("open_weights", 'w')];
        for (name, letter) in names {
            if let Some(yes) = of(name).as_bool() {
                row.can.entry(letter).or_insert(yes);
            }
        }
        let cost = of("cost");
        let four = |cost: &Value| {
            ["input", "output", "cache_read", "cache_write"].map(|name| pico(&cost[name], 1e6))
        };
        let mut price = Price { text: four(cost), source: "M", ..Price::default() };
        for tier in items(&cost["tiers"]) {
            if let Some(size) = whole(&tier["tier"]["size"]) {
                price.tiers.insert(size, four(tier));
            }
        }
        for (name, unit) in [("input_audio", "input_audio_token"), ("output_audio", "output_audio_token")] {
            if let Some(amount) = pico(&cost[name], 1e6) {
                price.units.insert(unit.to_owned(), amount);
            }
        }
        row.prices.push(price);
    }

    /// Ids that hosts once documented and that no list holds today, kept by hand.
    fn add_history(&mut self) -> Result<(), String> {
        let mut reader = csv::Reader::from_reader(include_str!("history.csv").as_bytes());
        for record in reader.records() {
            let record = record.map_err(|error| format!("history.csv: {error}"))?;
            if self.has(&record[0], &record[1]) {
                continue;
            }
            let kind =
                kind_named(&record[2]).ok_or_else(|| format!("history.csv: no kind `{}`", &record[2]))?;
            let row = self.row(&record[0], &record[1]);
            row.sources.insert("H".to_owned());
            row.kind = kind;
        }
        Ok(())
    }

    /// What no source says about a pair and some source says about the same model elsewhere; else what its
    /// prices tell: text goes in and out of what is priced by tokens both ways.
    fn fill_kinds(&mut self) {
        let tail =
            |id: &str| id.to_ascii_lowercase().rsplit('/').next().unwrap_or_default().replace(":free", "");
        let mut known: BTreeMap<String, (&'static str, String, String)> = BTreeMap::new();
        for row in self.rows.values().filter(|row| !row.kind.is_empty() && !row.input.is_empty()) {
            known.entry(tail(&row.id)).or_insert_with(|| (row.kind, row.input.clone(), row.output.clone()));
        }
        for row in self.rows.values_mut().filter(|row| row.input.is_empty()) {
            let same = known.get(&tail(&row.id)).filter(|same| row.kind.is_empty() || row.kind == same.0);
            if let Some((kind, input, output)) = same {
                (row.kind, row.input, row.output) = (*kind, input.clone(), output.clone());
                continue;
            }
            if row.kind.is_empty() {
                row.kind = kind_of(&row.id, "");
            }
            let text = row.price().text;
            if row.kind.is_empty() && text[0].is_some() && text[1].is_some() {
                row.kind = "chat";
            }
            if matches!(row.kind, "chat" | "completion") {
                "t".clone_into(&mut row.input);
                "t".clone_into(&mut row.output);
            }
        }
    }

    /// Models that only lifecycle facts name: what is known of the same id elsewhere holds here too.
    pub(super) fn add_dead(&mut self, life: &Life) {
        // A picture's size in front is a price list's key, not an id.
        for fact in life.rows.iter().filter(|fact| fact.kind == "model" && !fact.id.contains("-x-")) {
            let key = (fact.id.to_ascii_lowercase(), fact.host.clone());
            if self.rows.contains_key(&key) {
                continue;
            }
            let code = life.codes.get(fact.source()).map(|(code, _)| code.clone()).unwrap_or_default();
            self.add_by_name(&fact.host, &fact.id, &code);
        }
    }

    pub(super) fn add_aliases(&mut self, aliases: &[AliasRow]) {
        for alias in aliases {
            if !self.has(&alias.host, &alias.id) {
                self.add_by_name(&alias.host, &alias.id, "R");
            }
        }
    }

    fn add_by_name(&mut self, host: &str, id: &str, source: &str) {
        let lower = id.to_ascii_lowercase();
        let same =
            self.rows.range((lower.clone(), String::new())..).take_while(|((name, _), _)| *name == lower);
        let same = same.map(|(_, row)| row).find(|row| !row.kind.is_empty()).cloned();
        let row = self.row(host, id);
        row.sources.insert(source.to_owned());
        if let Some(same) = same {
            (row.kind, row.input, row.output) = (same.kind, same.input, same.output);
            row.sources.extend(same.sources);
        } else {
            row.kind = kind_of(id, "");
        }
    }

    pub(super) fn has(&self, host: &str, id: &str) -> bool {
        self.rows.contains_key(&(id.to_ascii_lowercase(), host.to_owned()))
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    pub(super) fn hosts(&self) -> impl Iterator<Item = &str> {
        self.rows.values().map(|row| row.host.as_str())
    }

    pub(super) fn text(&self) -> String {
        let mut made = "host,id,kind,in,out,context,max_output,can,source,\
                        input,output,cached_read,cached_write,tiers,units,price_source\n"
            .to_owned();
        let number = |value: Option<u64>| value.map_or(String::new(), |value| value.to_string());
        for row in self.rows.values() {
            let price = row.price();
            let four = price.text.map(number);
            let tier = |(above, tier): (&u64, &Four)| {
                let four = tier.map(number).join(":");
                format!("{above}:{}", four.trim_end_matches(':'))
            };
            let tiers = price.tiers.iter().map(tier).collect::<Vec<_>>().join("|");
            let units: Vec<String> =
                price.units.iter().map(|(unit, amount)| format!("{unit}={amount}")).collect();
            let sources: Vec<&str> = row.sources.iter().map(String::as_str).collect();
            made.push_str(&line(&[
                &row.host,
                &row.id,
                row.kind,
                &row.input,
                &row.output,
                &number(row.context),
                &number(row.max_output),
                &row.can_text(),
                &sources.join("+"),
                &four[0],
                &four[1],
                &four[2],
                &four[3],
                &tiers,
                &units.join("|"),
                price.source,
            ]));
        }
        made
    }
}

/// The kinds that `history.csv` uses.
fn kind_named(word: &str) -> Option<&'static str> {
    ["chat", "completion", "embedding", "image"].into_iter().find(|kind| *kind == word)
}

/// What a model is asked to do, by what it gives; embeddings and the like are told by their names.
pub(super) fn kind_of(id: &str, output: &str) -> &'static str {
    let id = id.to_ascii_lowercase();
    let named = |parts: &[&str]| parts.iter().any(|part| id.contains(part));
    if named(&["embed", "similarity", "bge-", "gte-", "-ada-002", "text-search", "code-search"])
        && !named(&["rerank"])
    {
        return "embedding";
    }
    if named(&["rerank"]) {
        return "rerank";
    }
    if named(&["whisper", "transcribe"]) {
        return "transcription";
    }
    if named(&["moderation"]) {
        return "moderation";
    }
    match output {
        "v" | "av" | "va" => return "video",
        "i" => return "image",
        "a" => return "speech",
        _ => {}
    }
    if named(&["realtime"]) {
        return "realtime";
    }
    if named(&["text-davinci", "text-curie", "text-babbage", "davinci-002", "babbage-002", "code-davinci"]) {
        return "completion";
    }
    if named(&["claude-", "gpt-3.5", "gpt-4", "gpt-5", "gemini-"])
        && output.is_empty()
        && !named(&["image", "audio", "tts", "live"])
    {
        return "chat";
    }
    if named(&["sora", "veo-"]) {
        return "video";
    }
    if named(&["dall-e", "imagen", "gpt-image", "stable-diffusion", "stable-image"]) {
        return "image";
    }
    if output.is_empty() { "" } else { "chat" }
}
