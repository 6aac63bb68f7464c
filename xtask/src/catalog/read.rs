//! Opens the collected sources and reads small things from them.

use serde_json::Value;
use std::fs;
use std::path::Path;

/// The sources, read whole.
pub(super) struct Sources {
    pub(super) litellm: Value,
    pub(super) models_dev: Value,
    pub(super) genai: Value,
    pub(super) feed: Value,
    pub(super) lifecycle: Vec<csv::StringRecord>,
    pub(super) parameters: Value,
    pub(super) videos: Value,
    pub(super) mixes: Value,
}

impl Sources {
    pub(super) fn open(from: &Path) -> Result<Self, String> {
        let json = |name: &str| -> Result<Value, String> {
            let path = from.join(name);
            let text = fs::read_to_string(&path)
                .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            let mut value: Value =
                serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
            // One order of keys, whichever this build's parser keeps.
            value.sort_all_objects();
            Ok(value)
        };
        let facts = from.join("catalogue-sources/lifecycle-facts.csv");
        let mut reader =
            csv::Reader::from_path(&facts).map_err(|error| format!("{}: {error}", facts.display()))?;
        let lifecycle = reader.records().collect::<Result<_, _>>();
        Ok(Self {
            litellm: json("catalogue-sources/litellm/model_prices_and_context_window.json")?,
            models_dev: json("catalogue-sources/models.dev/models-dev.json")?,
            genai: json("catalogue-sources/genai-prices/providers.json")?,
            feed: json("catalogue-sources/llm-sunset/snapshot.json")?,
            lifecycle: lifecycle.map_err(|error| format!("{}: {error}", facts.display()))?,
            parameters: json("physical-sources/ecologits/models.json")?,
            videos: json("physical-sources/ecologits/video_models.json")?,
            mixes: json("physical-sources/ecologits/electricity_mixes.json")?,
        })
    }
}

/// The members of an object, in the order of their names; of anything else none.
pub(super) fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// The items of an array; of anything else none.
pub(super) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The text of a member, or an empty one.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or("")
}

/// A positive whole number, also when it is written as text or with a point.
pub(super) fn whole(value: &Value) -> Option<u64> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked before")]
    let number = number.or_else(|| value.as_f64().filter(|n| (1.0..1e15).contains(n)).map(|n| n as u64));
    number.filter(|number| *number > 0)
}

/// A price in US dollars times `factor`, as a whole number of trillionths; nothing when it is negative.
pub(super) fn pico(value: &Value, factor: f64) -> Option<u64> {
    let usd = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    let amount = (usd * factor).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked before")]
    (0.0..1e18).contains(&amount).then_some(amount as u64)
}

/// One line of comma-separated text; quotes only where they are needed.
pub(super) fn line(fields: &[&str]) -> String {
    let quote = |field: &&str| {
        let flat = field.split_whitespace().collect::<Vec<_>>().join(" ");
        if flat.contains([',', '"']) || flat.starts_with('"') {
            format!("\"{}\"", flat.replace('"', "\"\""))
        } else {
            flat
        }
    };
    let mut line = fields.iter().map(quote).collect::<Vec<_>>().join(",");
    line.push('\n');
    line
}

/// The table of call shapes, kept by hand, with its source.
pub(super) fn legacy() -> Result<String, String> {
    let mut reader = csv::Reader::from_reader(include_str!("legacy.csv").as_bytes());
    let mut made = "shape,language,package,ended_with,endpoint,successor,note,source\n".to_owned();
    for record in reader.records() {
        let record = record.map_err(|error| format!("legacy.csv: {error}"))?;
        let fields: Vec<&str> = record.iter().chain(["H"]).collect();
        made.push_str(&line(&fields));
    }
    Ok(made)
}
