//! Reads the prices of genai-prices, which are written as Python values.

use super::READ_ON;
use super::models::Price;
use super::read::{items, text};
use serde_json::Value;

/// The price that held on the day of reading, of one model entry.
pub(super) fn price(model: &Value) -> Option<Price> {
    let written = match &model["prices"] {
        Value::String(written) => written.as_str(),
        list => {
            // Entries without a date hold until the first dated one; entries by the time of day are left out.
            let dated = items(list).filter(|entry| entry["constraint"]["start_time"].is_null());
            let held = dated.filter(|entry| text(&entry["constraint"], "start_date") <= READ_ON);
            held.max_by_key(|entry| text(&entry["constraint"], "start_date"))
                .map(|entry| text(entry, "prices"))?
        }
    };
    let mut price = Price { source: "G", ..Price::default() };
    for (name, value) in fields(written) {
        let (base, tiers) = amounts(value)?;
        match name {
            "input_mtok" => price.text[0] = pico(base, 1e6),
            "output_mtok" => price.text[1] = pico(base, 1e6),
            "cache_read_mtok" => price.text[2] = pico(base, 1e6),
            "cache_write_mtok" => price.text[3] = pico(base, 1e6),
            _ => {
                if let Some((unit, factor)) = unit(name)
                    && let Some(amount) = pico(base, factor)
                {
                    price.units.insert(unit.to_owned(), amount);
                }
                continue;
            }
        }
        let column = ["input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok"]
            .iter()
            .position(|n| *n == name)?;
        for (start, amount) in tiers {
            price.tiers.entry(start).or_default()[column] = pico(amount, 1e6);
        }
    }
    Some(price)
}

fn unit(name: &str) -> Option<(&'static str, f64)> {
    Some(match name {
        "cache_write_1h_mtok" => ("cached_write_1h_token", 1e6),
        "input_audio_mtok" => ("input_audio_token", 1e6),
        "output_audio_mtok" => ("output_audio_token", 1e6),
        "input_image_mtok" => ("input_image_token", 1e6),
        "output_image_mtok" => ("output_image_token", 1e6),
        "cache_audio_read_mtok" => ("cached_read_audio_token", 1e6),
        "input_mchars" => ("input_character", 1e6),
        "requests_kcount" => ("request", 1e9),
        "audio_hours" | "input_audio_hours" => ("input_second", 1e12 / 3600.0),
        "input_document_kpages" => ("page", 1e9),
        _ => return None,
    })
}

fn pico(number: f64, factor: f64) -> Option<u64> {
    let amount = (number * factor).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked before")]
    (0.0..1e18).contains(&amount).then_some(amount as u64)
}

/// The named values between the outer brackets of `ModelPrice(a=…, b=…)`.
fn fields(written: &str) -> Vec<(&str, &str)> {
    let inner = written.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or("");
    let (mut depth, mut start, mut parts) = (0_i32, 0, Vec::new());
    for (i, byte) in inner.bytes().enumerate() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(&inner[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[start..]);
    parts.into_iter().filter_map(|part| part.trim().split_once('=')).collect()
}

/// The base amount and the tiers of `Decimal('3')` or of `TieredPrices(base=…, tiers=[Tier(start=…, price=…)])`.
fn amounts(value: &str) -> Option<(f64, Vec<(u64, f64)>)> {
    let mut decimals =
        value.split("Decimal('").skip(1).filter_map(|part| part.split('\'').next()?.parse().ok());
    let base = decimals.next()?;
    let starts = value.split("start=").skip(1).filter_map(|part| part.split(',').next()?.trim().parse().ok());
    Some((base, starts.zip(decimals).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_are_read() {
        let model = serde_json::json!({"prices": "ModelPrice(input_mtok=TieredPrices(base=Decimal('3'), tiers=[Tier(start=200000, price=Decimal('6'))]), output_mtok=Decimal('15'), web_searches_kcount=Decimal('10'))"});
        let price = price(&model).unwrap();
        assert_eq!(price.text, [Some(3_000_000), Some(15_000_000), None, None]);
        assert_eq!(price.tiers[&200_000], [Some(6_000_000), None, None, None]);
    }
}
