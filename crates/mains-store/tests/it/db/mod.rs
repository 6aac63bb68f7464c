//! The database as the outlet uses it, on real SQLite.

mod files;
mod keys;
mod records;
mod swaps;
mod threads;

use mains_store::db::{Db, DbOptions, Footprint, RequestRow};
use mains_units::{Grade, NanoUsd, Range, RequestId, Span, Timestamp, Usage};

/// 2026-11-24T12:00:00Z.
const NOON: Timestamp = Timestamp(1_795_521_600_000);
const PEPPER: [u8; 32] = [7; 32];

fn memory() -> Db {
    Db::open(&DbOptions::in_memory(PEPPER)).unwrap()
}

fn id(number: u32) -> RequestId {
    let mut bytes = [0; 12];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    RequestId::from_bytes(bytes)
}

fn later(ms: i64) -> Timestamp {
    Timestamp(NOON.0 + ms)
}

/// A request that ended well, with everything known.
fn request(number: u32) -> RequestRow {
    let range = |central: f64| Range::around(central, Grade::D);
    RequestRow {
        id: id(number),
        at: later(i64::from(number)),
        key_id: Some("key_0123456789abcdef".into()),
        project: Some("search".into()),
        dialect: "openai_chat".into(),
        streamed: true,
        asked: "gpt-4o-mini".into(),
        route: Some("gpt-4o-mini".into()),
        target: Some("openai/gpt-4o-mini".into()),
        provider: Some("openai".into()),
        model: Some("gpt-4o-mini-2024-07-18".into()),
        result: "complete".into(),
        succeeded: true,
        status: 200,
        attempts: serde_json::json!([{"target": "openai/gpt-4o-mini", "fault": null, "ms": 812}]),
        usage: Some(Usage { input: 10, cached_read: 5, cached_write: 1, output: 7, reasoning: 3 }),
        cost: Some(NanoUsd(6_450)),
        footprint: Some(Footprint {
            energy_j: range(30.0),
            co2_g: range(0.004),
            water_l: range(0.000_1),
            grade: Grade::D,
        }),
        duration: Span::from_ms(812),
        first_token: Some(Span::from_ms(140)),
        intents: vec![4, 6],
        outcome: Some(7),
        losses: vec!["`logit_bias` was dropped".into()],
        degraded: false,
        stand_in: false,
        canary: None,
    }
}

/// A request that was refused before anything was known.
fn refused(number: u32) -> RequestRow {
    RequestRow {
        key_id: None,
        project: None,
        route: None,
        target: None,
        provider: None,
        model: None,
        result: "refused".into(),
        succeeded: false,
        status: 404,
        attempts: serde_json::json!([]),
        usage: None,
        cost: None,
        footprint: None,
        first_token: None,
        intents: Vec::new(),
        outcome: None,
        losses: Vec::new(),
        ..request(number)
    }
}
