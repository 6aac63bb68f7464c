//! Four meters: money, energy, carbon, water, each with its range, its limit and how sure it is.

use super::words::{self, CARBON, ENERGY, WATER};
use mains_relay::budget::{Reading, Scope};
use mains_store::db::Totals;
use mains_units::{Grade, Quantity, Range};
use std::fmt::Write as _;

/// One meter as the page shows it.
pub(super) struct MeterView {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) unit: String,
    pub(super) range: String,
    pub(super) bar: String,
    pub(super) badge: String,
}

/// The meters of a month.
pub(super) fn meters(totals: &Totals, readings: &[Reading]) -> Vec<MeterView> {
    vec![
        money(totals, readings),
        physical("energy", "Energy", totals.energy_j, ENERGY, totals, (Quantity::Energy, 1e-3), readings),
        physical("carbon", "Carbon", totals.co2_g, CARBON, totals, (Quantity::Carbon, 1e-6), readings),
        physical("water", "Water", totals.water_l, WATER, totals, (Quantity::Water, 1e-6), readings),
    ]
}

fn money(totals: &Totals, readings: &[Reading]) -> MeterView {
    let limit = limit(readings, Quantity::Money);
    let badge = match (totals.requests, totals.unpriced) {
        (0, _) => "no requests this month".into(),
        (_, 0) => format!("list prices, {} requests", totals.requests),
        (all, unpriced) => format!("a lower bound: {unpriced} of {all} requests have no known price"),
    };
    let range = limit.map_or_else(
        || "no cap".into(),
        |reading| format!("of ${} this {}", words::digits(reading.cap.limit as f64 / 1e9), reading.cap.per),
    );
    MeterView {
        id: "money",
        name: "Money",
        value: format!("${}", words::plain(totals.cost.as_usd())),
        unit: String::new(),
        range,
        bar: limit.map_or_else(String::new, bar),
        badge,
    }
}

fn physical(
    id: &'static str,
    name: &'static str,
    sum: Range,
    steps: &[(f64, &'static str)],
    totals: &Totals,
    (quantity, base): (Quantity, f64),
    readings: &[Reading],
) -> MeterView {
    let known = totals.requests > totals.unmetered;
    let (value, unit) = if known { words::scaled(sum.central, steps) } else { ("unknown".into(), "") };
    let mut range = if known { words::range(sum, steps) } else { "nothing metered yet".into() };
    let limit = limit(readings, quantity);
    if let Some(reading) = limit {
        let (cap, cap_unit) = words::scaled(reading.cap.limit as f64 * base, steps);
        let _ = write!(range, ", cap {cap} {cap_unit} this {}", reading.cap.per);
    }
    MeterView {
        id,
        name,
        value: if known { value } else { "unknown".into() },
        unit: unit.into(),
        range,
        bar: limit.map_or_else(String::new, bar),
        badge: badge(totals),
    }
}

fn badge(totals: &Totals) -> String {
    let grade = match totals.grade {
        Some(Grade::A) => "measured here (grade A)",
        Some(Grade::B) => "calibrated (grade B)",
        Some(Grade::C) => "model and accelerator known (grade C)",
        Some(Grade::D) => "estimated (grade D)",
        Some(Grade::E) => "a default of its class (grade E)",
        None => return "unknown is not 0".into(),
    };
    if totals.unmetered == 0 {
        grade.into()
    } else {
        format!("{grade}; {} requests unmetered", totals.unmetered)
    }
}

/// The widest cap of this quantity: the organisation's, else the first.
fn limit(readings: &[Reading], quantity: Quantity) -> Option<&Reading> {
    let of = |reading: &&Reading| reading.cap.quantity == quantity;
    let whole = readings.iter().filter(of).find(|reading| reading.cap.scope == Scope::Organisation);
    whole.or_else(|| readings.iter().find(of))
}

/// Used and held of a cap, as a bar.
fn bar(reading: &Reading) -> String {
    let share = |amount: u64| {
        let limit = reading.cap.limit.max(1) as f64;
        (amount as f64 / limit * 100.0).clamp(0.0, 100.0)
    };
    let (used, held) = (share(reading.used), share(reading.held));
    format!(
        "<svg viewBox=\"0 0 100 6\" preserveAspectRatio=\"none\" role=\"img\"><title>{used:.1} % used, {held:.1} % held</title><rect class=\"track\" width=\"100\" height=\"6\"/><rect class=\"used\" width=\"{used:.2}\" height=\"6\"/><rect class=\"held\" x=\"{used:.2}\" width=\"{:.2}\" height=\"6\"/></svg>",
        held.min(100.0 - used)
    )
}
