//! Figures into words. Unknown is "unknown", never 0.

use mains_units::{Day, NanoUsd, Range, Span};

/// A number in three significant digits with a unit of fitting size, from a base unit.
pub(super) fn scaled(value: f64, steps: &[(f64, &'static str)]) -> (String, &'static str) {
    let fitting = steps.iter().rev().find(|(size, _)| value >= *size).or_else(|| steps.first());
    let Some((size, unit)) = fitting else { return (digits(value), "") };
    (digits(value / size), unit)
}

/// Three significant digits.
pub(super) fn digits(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let decimals = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        size if size >= 0.1 => 3,
        size if size >= 0.01 => 4,
        size if size >= 0.001 => 5,
        _ => return format!("{value:.2e}"),
    };
    format!("{value:.decimals$}")
}

pub(super) const ENERGY: &[(f64, &str)] =
    &[(0.001, "mJ"), (1.0, "J"), (3_600.0, "Wh"), (3.6e6, "kWh"), (3.6e9, "MWh")];
pub(super) const CARBON: &[(f64, &str)] = &[(0.001, "mg"), (1.0, "g"), (1_000.0, "kg"), (1e6, "t")];
pub(super) const WATER: &[(f64, &str)] = &[(0.001, "mL"), (1.0, "L"), (1_000.0, "m³")];

/// A range in the unit that fits its central value.
pub(super) fn range(range: Range, steps: &[(f64, &'static str)]) -> String {
    let (_, unit) = scaled(range.central, steps);
    let size = steps.iter().find(|(_, name)| *name == unit).map_or(1.0, |(size, _)| *size);
    format!("{} to {} {unit}", digits(range.low / size), digits(range.high / size))
}

pub(super) fn money(cost: Option<NanoUsd>) -> String {
    cost.map_or_else(|| "unknown".into(), |cost| format!("${}", plain(cost.as_usd())))
}

/// Three significant digits without an exponent, however small.
pub(super) fn plain(value: f64) -> String {
    if value >= 0.001 || value <= 0.0 {
        return digits(value);
    }
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    rounded.to_string()
}

pub(super) fn time(span: Span) -> String {
    let ms = span.as_s_f64() * 1e3;
    if ms < 1.0 {
        "under 1 ms".into()
    } else if ms >= 1_000.0 {
        format!("{} s", digits(ms / 1e3))
    } else {
        format!("{} ms", digits(ms))
    }
}

/// How long a model has to live, and the class that colours it.
pub(super) fn life(ends_on: Option<Day>, today: Day) -> (String, &'static str) {
    let Some(end) = ends_on else { return (String::new(), "") };
    match today.days_until(end) {
        gone if gone <= 0 => (format!("retired {end}"), "gone"),
        1 => ("1 day left".into(), "gone"),
        days if days <= 90 => (format!("{days} days left"), "soon"),
        days => (format!("{days} days left"), ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_take_the_unit_that_fits() {
        assert_eq!(scaled(7_200.0, ENERGY), ("2.00".into(), "Wh"));
        assert_eq!(scaled(0.0123, ENERGY), ("12.3".into(), "mJ"));
        assert_eq!(
            range(Range { low: 1_800.0, central: 7_200.0, high: 36_000.0 }, ENERGY),
            "0.500 to 10.0 Wh"
        );
        assert_eq!(money(None), "unknown");
        assert_eq!(money(Some(NanoUsd(29_700))), "$0.0000297");
    }

    #[test]
    fn a_life_is_told_in_days() {
        let day = |text: &str| Day::parse(text).unwrap();
        let today = day("2026-11-24");
        assert_eq!(life(Some(day("2026-10-23")), today), ("retired 2026-10-23".into(), "gone"));
        assert_eq!(life(Some(day("2027-01-14")), today), ("51 days left".into(), "soon"));
        assert_eq!(life(None, today).0, "");
    }
}
