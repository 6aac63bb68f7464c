//! The method over the catalogue's own facts: all 1,053 rows of models, all 234 of video.
//!
//! The golden figures are the method's raw ends; the meter's ranges are those widened by the grade's factor.

use crate::rows::{number, read, same};
use mains_catalog::Catalog;
use mains_meter::ecologits::video::Clip;
use mains_meter::{Answer, Footprint, Meter};
use mains_units::Usage;

/// The catalogue's host for a provider of the golden table.
fn host(provider: &str) -> &str {
    match provider {
        "google_genai" => "google",
        "mistralai" => "mistral",
        "huggingface_hub" => "huggingface",
        other => other,
    }
}

fn check(row: &crate::rows::Row, footprint: &Footprint) {
    let f = footprint.grade.factor();
    same(row, "energy_kwh_min", footprint.energy_j.low * f / 3.6e6);
    same(row, "energy_kwh_max", footprint.energy_j.high / f / 3.6e6);
    same(row, "gwp_kg_min", footprint.co2_g.low * f / 1e3);
    same(row, "gwp_kg_max", footprint.co2_g.high / f / 1e3);
    same(row, "wcf_l_min", footprint.water_l.low * f);
    same(row, "wcf_l_max", footprint.water_l.high / f);
}

#[test]
fn every_model_agrees_at_every_setting() {
    let meter = Meter::new(Catalog::builtin());
    let rows = read(include_str!("../data/golden_llm_models.csv"));
    assert_eq!(rows.len(), 1053);
    for row in &rows {
        let output = number(row, "output_tokens").unwrap();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number")]
        let usage = Usage { output: output as u64, ..Usage::default() };
        let zone = (!row["zone"].is_empty()).then_some(row["zone"].as_str());
        let answer =
            Answer { host: host(&row["provider"]), model: &row["model"], usage, latency_s: None, zone };
        let footprint = meter.footprint(&answer).unwrap_or_else(|| panic!("no footprint for {row:?}"));
        check(row, &footprint);
    }
}

#[test]
fn every_clip_agrees() {
    let meter = Meter::new(Catalog::builtin());
    let rows = read(include_str!("../data/golden_video.csv"));
    assert_eq!(rows.len(), 234);
    for row in &rows {
        let (width, height) = row["resolution"].split_once('x').unwrap();
        let clip = Clip {
            width: width.parse().unwrap(),
            height: height.parse().unwrap(),
            seconds: number(row, "duration_s").unwrap(),
            sound: row["with_audio"] == "True",
        };
        check(row, &meter.video(&row["model"], &clip, Some(&row["zone"])).unwrap());
    }
}
