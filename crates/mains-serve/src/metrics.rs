//! Numbers for `/metrics`, in the text format of Prometheus. No user, no key, no content is a label.

use crate::outlet::Outlet;
use mains_relay::Lamp;
use mains_store::db::RequestRow;
use mains_units::Timestamp;
use mains_wire::error::Refusal;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most label sets of one family; what is beyond is counted under `other`, so that a caller who invents model names
/// cannot fill the memory.
const SERIES_MAX: usize = 1_000;

/// Upper bounds of the time buckets, seconds.
const BUCKETS_S: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

#[derive(Debug, Default, Clone)]
struct Histogram {
    buckets: [u64; BUCKETS_S.len()],
    count: u64,
    sum_s: f64,
}

impl Histogram {
    fn add(&mut self, seconds: f64) {
        self.count += 1;
        self.sum_s += seconds;
        for (bucket, bound) in self.buckets.iter_mut().zip(BUCKETS_S) {
            *bucket += u64::from(seconds <= bound);
        }
    }

    fn write(&self, name: &str, out: &mut String) {
        for (bucket, bound) in self.buckets.iter().zip(BUCKETS_S) {
            let _ = writeln!(out, "{name}_bucket{{le=\"{bound}\"}} {bucket}");
        }
        let _ = writeln!(out, "{name}_bucket{{le=\"+Inf\"}} {}", self.count);
        let _ = writeln!(out, "{name}_sum {}", self.sum_s);
        let _ = writeln!(out, "{name}_count {}", self.count);
    }
}

#[derive(Debug, Default)]
struct Inner {
    requests: BTreeMap<[String; 4], u64>,
    rejected: BTreeMap<&'static str, u64>,
    tokens: BTreeMap<[&'static str; 2], u64>,
    cost_nano_usd: u128,
    energy_j: [f64; 3],
    carbon_g: [f64; 3],
    water_l: [f64; 3],
    unpriced: u64,
    unmetered: u64,
    duration: Histogram,
    first_token: Histogram,
}

/// Counters of this process.
#[derive(Debug, Default)]
pub struct Counts(Mutex<Inner>);

/// Requests that were turned away before they were identified, since the last taking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rejected {
    /// Not HTTP as it should be, or from a place that is not served.
    pub other: u64,
    /// Without a valid key.
    pub unauthorized: u64,
}

impl Counts {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Someone was turned away before he was known.
    pub fn rejected(&self, refusal: &Refusal) {
        *self.lock().rejected.entry(refusal.code()).or_default() += 1;
    }

    /// How many were turned away since the start.
    pub fn rejected_total(&self) -> Rejected {
        let inner = self.lock();
        let unauthorized = inner.rejected.get("invalid_api_key").copied().unwrap_or(0);
        Rejected { unauthorized, other: inner.rejected.values().sum::<u64>() - unauthorized }
    }

    /// A request has ended.
    pub fn ended(&self, row: &RequestRow) {
        let mut inner = self.lock();
        let other = || "other".to_owned();
        let route = row.route.clone().unwrap_or_else(|| "none".into());
        let target = row.target.clone().unwrap_or_else(|| "none".into());
        let mut key = [row.dialect.clone(), route, target, row.result.clone()];
        if inner.requests.len() >= SERIES_MAX && !inner.requests.contains_key(&key) {
            key = [row.dialect.clone(), other(), other(), row.result.clone()];
        }
        *inner.requests.entry(key).or_default() += 1;
        inner.duration.add(row.duration.as_s_f64());
        if let Some(first) = row.first_token {
            inner.first_token.add(first.as_s_f64());
        }
        if let Some(usage) = row.usage {
            for (key, tokens) in [
                (["input", "none"], usage.input),
                (["input", "read"], usage.cached_read),
                (["input", "write"], usage.cached_write),
                (["output", "none"], usage.output),
            ] {
                *inner.tokens.entry(key).or_default() += tokens;
            }
        }
        match row.cost {
            Some(cost) => inner.cost_nano_usd += u128::from(cost.0),
            None => inner.unpriced += 1,
        }
        match &row.footprint {
            Some(footprint) => {
                for (sum, range) in [(0, footprint.energy_j), (1, footprint.co2_g), (2, footprint.water_l)] {
                    let sums = match sum {
                        0 => &mut inner.energy_j,
                        1 => &mut inner.carbon_g,
                        _ => &mut inner.water_l,
                    };
                    sums[0] += range.low;
                    sums[1] += range.central;
                    sums[2] += range.high;
                }
            }
            None if row.target.is_some() => inner.unmetered += 1,
            None => {}
        }
    }

    /// Everything, with the gauges of the moment.
    pub fn render(&self, outlet: &Outlet) -> String {
        let mut out = String::new();
        self.lock().write(&mut out);
        gauges(outlet, &mut out);
        out
    }
}

impl Inner {
    fn write(&self, out: &mut String) {
        family(out, "mains_requests_total", "counter", "Identified requests by how they ended.");
        for ([dialect, route, target, outcome], count) in &self.requests {
            let _ = writeln!(
                out,
                "mains_requests_total{{dialect=\"{}\",route=\"{}\",target=\"{}\",outcome=\"{}\"}} {count}",
                escaped(dialect),
                escaped(route),
                escaped(target),
                escaped(outcome)
            );
        }
        family(out, "mains_rejected_total", "counter", "Requests turned away before they were identified.");
        for (code, count) in &self.rejected {
            let _ = writeln!(out, "mains_rejected_total{{code=\"{code}\"}} {count}");
        }
        family(out, "mains_tokens_total", "counter", "Tokens by direction and prompt cache.");
        for ([direction, cache], count) in &self.tokens {
            let _ =
                writeln!(out, "mains_tokens_total{{direction=\"{direction}\",cache=\"{cache}\"}} {count}");
        }
        family(
            out,
            "mains_cost_usd_total",
            "counter",
            "Money by list prices; requests without a price are not in it.",
        );
        let _ = writeln!(out, "mains_cost_usd_total {}", self.cost_nano_usd as f64 / 1e9);
        family(out, "mains_unpriced_requests_total", "counter", "Answered requests whose price is unknown.");
        let _ = writeln!(out, "mains_unpriced_requests_total {}", self.unpriced);
        family(
            out,
            "mains_unmetered_requests_total",
            "counter",
            "Answered requests whose footprint is unknown.",
        );
        let _ = writeln!(out, "mains_unmetered_requests_total {}", self.unmetered);
        for (name, help, sums) in [
            ("mains_energy_joules_total", "Energy, estimated.", self.energy_j),
            ("mains_carbon_grams_total", "Greenhouse gases in CO2 equivalents, estimated.", self.carbon_g),
            ("mains_water_liters_total", "Water on and off site, estimated.", self.water_l),
        ] {
            family(out, name, "counter", help);
            for (bound, sum) in ["low", "best", "high"].iter().zip(sums) {
                let _ = writeln!(out, "{name}{{bound=\"{bound}\"}} {sum}");
            }
        }
        family(
            out,
            "mains_request_duration_seconds",
            "histogram",
            "From the first byte asked to the last answered.",
        );
        self.duration.write("mains_request_duration_seconds", out);
        family(
            out,
            "mains_time_to_first_token_seconds",
            "histogram",
            "From the first byte asked to the first content.",
        );
        self.first_token.write("mains_time_to_first_token_seconds", out);
    }
}

fn gauges(outlet: &Outlet, out: &mut String) {
    let now = outlet.clock.monotonic();
    let at = outlet.clock.now();
    family(out, "mains_breaker_state", "gauge", "0 closed, 1 half-open, 2 open, 3 dead.");
    let mut seen = std::collections::BTreeSet::new();
    let targets = outlet.routed_targets();
    let readings = {
        let mut shared = outlet.shared();
        for (_, target) in targets {
            if seen.insert(target.clone()) {
                let state = match shared.breakers.lamp(&target, now) {
                    Lamp::Closed => 0,
                    Lamp::HalfOpen | Lamp::Probing => 1,
                    Lamp::Open { .. } => 2,
                    Lamp::Dead => 3,
                };
                let _ =
                    writeln!(out, "mains_breaker_state{{target=\"{}\"}} {state}", escaped(target.as_str()));
            }
        }
        shared.budgets.readings(at)
    };
    for (name, help, value) in [
        ("mains_budget_limit", "Cap of a budget.", 0),
        ("mains_budget_used", "Used of a budget in its window.", 1),
        ("mains_budget_held", "Held of a budget by requests in flight.", 2),
    ] {
        family(out, name, "gauge", help);
        for reading in &readings {
            let amount = [reading.cap.limit, reading.used, reading.held][value];
            let _ = writeln!(
                out,
                "{name}{{budget=\"{}\",window=\"{}\",unit=\"{}\"}} {amount}",
                escaped(&reading.cap.scope.to_string()),
                reading.cap.per,
                reading.cap.quantity.unit()
            );
        }
    }
    family(out, "mains_ledger_leaves", "gauge", "Leaves in the ledger.");
    let _ = writeln!(out, "mains_ledger_leaves {}", outlet.ledger.size());
    family(out, "mains_ledger_checkpoint_leaves", "gauge", "Leaves under the last signed checkpoint.");
    let _ = writeln!(out, "mains_ledger_checkpoint_leaves {}", outlet.ledger.checkpoint().checkpoint.size);
    if let Some(mean) = outlet.ledger.sync_times().mean() {
        family(out, "mains_ledger_sync_seconds", "gauge", "Mean time of a sync of the journal.");
        let _ = writeln!(out, "mains_ledger_sync_seconds {}", mean.as_s_f64());
    }
    kept(outlet, out);
    switched(outlet, out);
    labelled(outlet, out);
    family(out, "mains_build_info", "gauge", "Always 1.");
    let _ = writeln!(out, "mains_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
}

/// Where routes are in a switch: how far.
fn switched(outlet: &Outlet, out: &mut String) {
    let lines = crate::swaps::lines::all(outlet);
    if lines.is_empty() {
        return;
    }
    family(
        out,
        "mains_swap_share_percent",
        "gauge",
        "The replacement's share of a route; 0 when rolled back.",
    );
    for line in lines {
        let _ = writeln!(
            out,
            "mains_swap_share_percent{{route=\"{}\",from=\"{}\",to=\"{}\",stage=\"{}\"}} {}",
            escaped(&line.route),
            escaped(&line.from),
            escaped(&line.to),
            line.stage,
            line.share_percent
        );
    }
}

/// Where labellers stand before their teachers: what each answered and how it compares.
fn labelled(outlet: &Outlet, out: &mut String) {
    type Figure = fn(&crate::control::LabelLine) -> u64;
    let lines = crate::labels::lines::all(outlet);
    if lines.is_empty() {
        return;
    }
    let all: [(&str, &str, &str, Figure); 7] = [
        ("share_percent", "gauge", "What a labeller answers of what it may; 0 when withdrawn.", |line| {
            line.share_percent
        }),
        ("withdrawn", "gauge", "Whether its certificate is withdrawn.", |line| {
            u64::from(line.withdrawn.is_some())
        }),
        ("requests_in_scope_total", "counter", "Requests of the route in its scope.", |line| line.in_scope),
        ("answers_total", "counter", "Requests that it answered.", |line| line.answered),
        ("compared_calls", "gauge", "Calls compared with the teacher since the file was loaded.", |line| {
            line.calls
        }),
        ("compared_local_calls", "gauge", "Those that it would have answered.", |line| line.local),
        ("compared_calls_that_differ", "gauge", "Those of the local ones that differ.", |line| line.differs),
    ];
    for (name, kind, help, figure) in all {
        family(out, &format!("mains_label_{name}"), kind, help);
        for line in &lines {
            let _ = writeln!(
                out,
                "mains_label_{name}{{labeller=\"{}\",route=\"{}\",stage=\"{}\"}} {}",
                escaped(&line.labeller),
                escaped(&line.route),
                line.stage,
                figure(line)
            );
        }
    }
}

/// Where a vault is open: what became of what could have been kept.
fn kept(outlet: &Outlet, out: &mut String) {
    let Some(tallies) = outlet.keeping.tallies() else { return };
    family(out, "mains_exchanges_kept_total", "counter", "Exchanges that lie in the vault, sealed.");
    let _ = writeln!(out, "mains_exchanges_kept_total {}", tallies.kept);
    let name = "mains_exchanges_not_kept_total";
    family(out, name, "counter", "Answered requests whose content was to be kept and is not.");
    for (reason, count) in [
        ("too_large", tallies.too_large),
        ("full", tallies.full),
        ("repeated", tallies.repeated),
        ("failed", tallies.failed),
    ] {
        let _ = writeln!(out, "{name}{{reason=\"{reason}\"}} {count}");
    }
    family(out, "mains_exchanges_waiting", "gauge", "Exchanges on their way into the vault.");
    let _ = writeln!(out, "mains_exchanges_waiting {}", tallies.waiting);
}

fn family(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// A day for figures that are kept by the day.
pub fn day(at: Timestamp) -> String {
    at.day().to_string()
}
