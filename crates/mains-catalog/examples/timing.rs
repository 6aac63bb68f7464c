//! How long the catalogue takes to be ready, and how long a look-up takes: prints figures, judges nothing.
//!
//! `cargo run --release -p mains-catalog --example timing [ready]`; with `ready` it stops once the catalogue is
//! ready, so that a shell can count processor time over many starts.

use mains_catalog::Catalog;
use mains_units::Day;
use std::hint::black_box;

#[expect(clippy::disallowed_methods, reason = "a measurement needs a clock; this is no part of the crate")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

#[expect(clippy::print_stdout, reason = "an example prints")]
fn main() {
    let start = now();
    let catalog = Catalog::builtin();
    println!("ready                         {:>10.3} ms", start.elapsed().as_secs_f64() * 1e3);
    if std::env::args().nth(1).as_deref() == Some("ready") {
        return;
    }
    println!(
        "{} pairs, {} names, {} hosts",
        catalog.models().count(),
        catalog.names().count(),
        catalog.hosts().count()
    );
    let Some(today) = Day::parse("2026-11-24") else { return };
    let timed = |what: &str, times: u32, work: &dyn Fn()| {
        work();
        let start = now();
        (0..times).for_each(|_| work());
        println!("{what:<30}{:>10.3} µs", start.elapsed().as_secs_f64() * 1e6 / f64::from(times));
    };
    for (host, text) in [
        (Some("openai"), "gpt-4o"),
        (Some("openai"), "GPT-4o-2024-05-13"),
        (None, "groq/openai/gpt-oss-20b"),
        (None, "claude-3-opus-20240229"),
        (None, "bedrock/us.anthropic.claude-3-opus-20240229-v1:0"),
        (Some("aws-bedrock"), "apac.anthropic.claude-3-opus-20240229-v1:0"),
        (None, "gpt-4o"),
        (None, "gpt-4o-2031-01-01"),
        (None, "nothing-known-by-this-name"),
    ] {
        timed(text, 2_000, &|| {
            black_box(catalog.lookup(black_box(host), black_box(text)));
        });
    }
    let ids: Vec<(String, String)> =
        catalog.models().map(|model| (model.host.to_string(), model.id.to_string())).collect();
    let all = |work: &dyn Fn(&str, &str)| {
        let start = now();
        for (host, id) in &ids {
            work(host, id);
        }
        start.elapsed().as_secs_f64() * 1e6 / ids.len() as f64
    };
    let every = all(&|host, id| drop(black_box(catalog.lookup(Some(host), id))));
    println!("every pair, host known        {every:>10.3} µs each");
    let every = all(&|_, id| drop(black_box(catalog.lookup(None, id))));
    println!("every pair, host not known    {every:>10.3} µs each");
    let every = all(&|host, id| drop(black_box(catalog.lifecycle(Some(host), id, today))));
    println!("lifecycle of every pair       {every:>10.3} µs each");
    timed("substitutes of gpt-4o", 20, &|| drop(black_box(catalog.substitutes("openai", "gpt-4o", today))));
    timed("describe gpt-4o", 20, &|| drop(black_box(catalog.describe("gpt-4o", today))));
}
