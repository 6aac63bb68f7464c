//! Prices as people read them.

use super::{Energy, PriceTag};
use mains_catalog::Price;
use mains_units::PicoUsdPerToken;

/// The catalogue's price for display.
pub(super) fn tag(price: &Price) -> PriceTag {
    let per_million = |price: Option<PicoUsdPerToken>| price.map(PicoUsdPerToken::as_usd_per_million);
    let unit = price.units.iter().find(|unit| unit.unit.starts_with("output")).or(price.units.first());
    PriceTag {
        input_usd_per_million: per_million(price.input),
        output_usd_per_million: per_million(price.output),
        unit: unit.map(|unit| (unit.unit.to_string(), unit.pico_usd as f64 / 1e12)),
        source: price.source.to_string(),
    }
}

/// A dollar amount with as many digits as it needs: `$0.15`, `$2.50`, `$0.0004`.
pub(super) fn dollars(amount: f64) -> String {
    if amount == 0.0 {
        return "$0".to_owned();
    }
    if amount >= 0.1 {
        return format!("${amount:.2}");
    }
    let text = format!("{amount:.6}");
    format!("${}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// One line: `$0.15 in, $0.60 out a million tokens`, `$0.10 a second`, `price not known`.
pub(crate) fn line(price: Option<&PriceTag>) -> String {
    let Some(price) = price else { return "price not known".to_owned() };
    match (price.input_usd_per_million, price.output_usd_per_million, &price.unit) {
        (Some(input), Some(output), _) if input > 0.0 || output > 0.0 => {
            format!("{} in, {} out per 1M", dollars(input), dollars(output))
        }
        (_, _, Some((unit, amount))) => format!("{} per {}", dollars(*amount), unit.replace('_', " ")),
        (Some(input), Some(output), None) => format!("{} in, {} out per 1M", dollars(input), dollars(output)),
        (Some(input), None, None) => format!("{} in per 1M", dollars(input)),
        (None, Some(output), None) => format!("{} out per 1M", dollars(output)),
        (None, None, None) => "price not known".to_owned(),
    }
}

/// Energy of a thousand answers: `0.1..0.9 Wh, grade D`.
pub(super) fn energy_line(energy: Option<&Energy>) -> String {
    let Some(energy) = energy else { return "energy not known".to_owned() };
    let wh = energy.joules_per_1000.scaled(1.0 / 3600.0);
    format!("{}..{} Wh per 1,000, grade {}", short(wh.low), short(wh.high), energy.grade)
}

/// Three significant digits.
fn short(value: f64) -> String {
    let digits = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else if value >= 1.0 {
        2
    } else {
        3
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_as_many_digits_as_it_needs() {
        for (amount, text) in
            [(0.15, "$0.15"), (2.5, "$2.50"), (0.0004, "$0.0004"), (0.0, "$0"), (0.02, "$0.02")]
        {
            assert_eq!(dollars(amount), text);
        }
    }
}
