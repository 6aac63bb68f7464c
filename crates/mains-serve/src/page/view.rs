//! What the pages show.

use super::meters::{MeterView, meters};
use super::words;
use crate::api;
use crate::live::Live;
use crate::outlet::Outlet;
use crate::swaps::lines;
use askama::Template;
use mains_relay::Lamp;
use mains_relay::route::Target;
use mains_store::db::{Group, Period, RequestFilter, RequestRow, Totals, UsageFilter};
use mains_units::{Day, RequestId, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

/// The first screen.
#[derive(Template)]
#[template(path = "board.html")]
pub(super) struct Board {
    all_on: bool,
    headline: String,
    seal: String,
    content: String,
    open: Vec<String>,
    stand_ins: Vec<String>,
    meters: Vec<MeterView>,
    routes: Vec<RouteView>,
    rows: Vec<Line>,
    empty: bool,
    snippet: String,
}

/// The part of it that changes.
#[derive(Template)]
#[template(path = "live.html")]
pub(super) struct LivePart {
    all_on: bool,
    headline: String,
    seal: String,
    content: String,
    open: Vec<String>,
    stand_ins: Vec<String>,
    meters: Vec<MeterView>,
    routes: Vec<RouteView>,
    rows: Vec<Line>,
}

/// A list of requests.
#[derive(Template)]
#[template(path = "requests.html")]
pub(super) struct Requests {
    model: String,
    rows: Vec<Line>,
    older: String,
}

/// One request with its proof.
#[derive(Template)]
#[template(path = "request.html")]
pub(super) struct One {
    id: String,
    facts: Vec<(&'static str, String)>,
    attempts: Vec<(String, String, String, String)>,
    proof_words: String,
    leaves: Vec<(u64, String, String)>,
    proof: String,
}

struct RouteView {
    model: String,
    swap: String,
    label: String,
    link: String,
    targets: Vec<TargetView>,
    requests: String,
    failed: String,
    p50: String,
}

struct TargetView {
    name: String,
    lamp: &'static str,
    state: String,
    life: String,
    life_class: &'static str,
    /// Who takes its place on its day, where a test was passed.
    heir: String,
}

struct Line {
    id: String,
    at: String,
    model: String,
    target: String,
    result: String,
    attempts: usize,
    tokens: String,
    cost: String,
    energy: String,
    time: String,
    good: bool,
    stand_in: bool,
    degraded: bool,
}

pub(super) async fn board(outlet: &Arc<Outlet>, address: &str) -> Result<Board, String> {
    let LivePart { all_on, headline, seal, content, open, stand_ins, meters, routes, rows } =
        live(outlet).await?;
    let model = routes.first().map_or("MODEL", |route| route.model.as_str());
    let snippet = format!(
        "curl {address}/v1/chat/completions -H 'content-type: application/json' \\\n  -d '{{\"model\":\"{model}\",\"messages\":[{{\"role\":\"user\",\"content\":\"hello\"}}]}}'\n\nOPENAI_BASE_URL={address}/v1\nANTHROPIC_BASE_URL={address}"
    );
    let empty = rows.is_empty();
    Ok(Board { all_on, headline, seal, content, open, stand_ins, meters, routes, rows, empty, snippet })
}

pub(super) async fn live(outlet: &Arc<Outlet>) -> Result<LivePart, String> {
    let now = outlet.clock.now();
    let month = month_start(now);
    let say = |error: mains_store::db::DbError| error.to_string();
    let totals = outlet
        .db
        .totals(Period::Day, month, Timestamp(i64::MAX), UsageFilter::default())
        .await
        .map_err(say)?;
    let by_route = outlet
        .db
        .totals_by(Group::Route, Period::Day, month, Timestamp(i64::MAX), UsageFilter::default())
        .await
        .map_err(say)?;
    let page = outlet.db.requests(RequestFilter::default(), None, 200).await.map_err(say)?;
    let settings = outlet.live();
    let (lamps, readings) = lamps(outlet, &settings);
    let routes = routes(&settings, &lamps, &by_route, &page.rows, outlet.today(), outlet);
    let open = open(&settings, &lamps, outlet);
    let all_on = open.is_empty();
    let headline = if all_on {
        "All circuits on".to_owned()
    } else {
        format!("{} of {} circuits open", open.len(), lamps.len())
    };
    let stand_ins = outlet.stand_ins.iter().map(|name| {
        format!("A scripted stand-in answers for `{name}`: no key was found, so nothing leaves this machine and no answer is real.")
    });
    Ok(LivePart {
        all_on,
        headline,
        seal: seal(outlet),
        content: outlet.keeping.line(&settings.settings.record),
        open,
        stand_ins: stand_ins.collect(),
        meters: meters(&totals, &readings),
        routes,
        rows: page.rows.iter().take(20).map(line).collect(),
    })
}

fn month_start(now: Timestamp) -> Timestamp {
    let day = now.day();
    let first = Day::parse(&format!("{}-01", &day.to_string()[..7])).unwrap_or(day);
    let epoch = Day::parse("1970-01-01").unwrap_or(day);
    Timestamp(epoch.days_until(first).saturating_mul(86_400_000))
}

fn seal(outlet: &Outlet) -> String {
    let signed = outlet.ledger.checkpoint();
    let (sealed, all) = (signed.checkpoint.size, outlet.ledger.size());
    let root: String = signed.checkpoint.root.to_base64().chars().take(12).collect();
    format!(
        "Ledger: {sealed} of {all} leaves sealed under root {root}… · check it with `mains ledger verify`"
    )
}

type Lamps = HashMap<String, Lamp>;

fn lamps(outlet: &Outlet, settings: &Live) -> (Lamps, Vec<mains_relay::budget::Reading>) {
    let (now, at) = (outlet.clock.monotonic(), outlet.clock.now());
    let mut shared = outlet.shared();
    let lamps = settings.targets.keys().map(|target| (target.to_string(), shared.breakers.lamp(target, now)));
    let lamps = lamps.collect();
    (lamps, shared.budgets.readings(at))
}

fn open(settings: &Live, lamps: &Lamps, outlet: &Outlet) -> Vec<String> {
    let now = outlet.clock.monotonic();
    let mut lines: Vec<String> = settings
        .targets
        .keys()
        .filter_map(|target| match lamps.get(target.as_str())? {
            Lamp::Open { until, because } => Some(format!(
                "{target} rests for another {} s: {}",
                until.since(now).as_ms().div_ceil(1_000),
                because.name().replace('_', " ")
            )),
            Lamp::Probing => Some(format!("{target} is being probed")),
            Lamp::Dead => Some(format!("{target} is dead: its provider says that the model is retired")),
            Lamp::Closed | Lamp::HalfOpen => None,
        })
        .collect();
    lines.extend(outlet.drills.under_way(now).into_iter().map(|name| format!("a drill keeps {name} dead")));
    lines.sort();
    lines
}

fn routes(
    settings: &Live,
    lamps: &Lamps,
    totals: &[(String, Totals)],
    rows: &[RequestRow],
    today: Day,
    outlet: &Outlet,
) -> Vec<RouteView> {
    let described =
        settings.settings.routes.iter().filter_map(|described| settings.routes.get(&described.model.value));
    described
        .map(|live| {
            let model = live.route.model.to_string();
            let totals = totals.iter().find(|(route, _)| *route == model).map(|(_, totals)| totals);
            RouteView {
                link: encoded(&model),
                targets: live
                    .route
                    .targets()
                    .map(|target| target_view(settings, lamps, target, today, outlet))
                    .collect(),
                requests: totals.map_or(0, |totals| totals.requests).to_string(),
                failed: totals.map_or(0, |totals| totals.failed).to_string(),
                p50: p50(rows, &model),
                swap: lines::of_route(outlet, &model).unwrap_or_default(),
                label: crate::labels::lines::of_route(outlet, &model).unwrap_or_default(),
                model,
            }
        })
        .collect()
}

/// The median of the last requests of a route; words where there are none.
fn p50(rows: &[RequestRow], model: &str) -> String {
    let mut times: Vec<_> = rows
        .iter()
        .filter(|row| row.route.as_deref() == Some(model) && row.succeeded)
        .map(|row| row.first_token.unwrap_or(row.duration))
        .collect();
    times.sort_unstable();
    times.get(times.len() / 2).map_or_else(|| "–".into(), |span| words::time(*span))
}

fn target_view(settings: &Live, lamps: &Lamps, target: &Target, today: Day, outlet: &Outlet) -> TargetView {
    let facts = settings.targets.get(&target.name);
    let (life, life_class) = words::life(facts.and_then(|facts| facts.ends_on), today);
    let now = outlet.clock.monotonic();
    let drilled = facts.is_some_and(|facts| outlet.drills.is_dead(facts, now));
    let (lamp, state) = match lamps.get(target.name.as_str()) {
        _ if drilled => ("open", "dead by drill"),
        Some(Lamp::Open { .. }) => ("open", "open"),
        Some(Lamp::HalfOpen | Lamp::Probing) => ("half", "half open"),
        Some(Lamp::Dead) => ("dead", "dead"),
        _ if life_class == "gone" => ("dead", ""),
        _ => ("closed", "on"),
    };
    // Whoever lives on needs no heir on the page.
    let heir = if life_class.is_empty() { None } else { lines::replacement(outlet, &target.name) };
    let heir = heir.unwrap_or_default();
    TargetView { name: target.name.to_string(), lamp, state: state.into(), life, life_class, heir }
}

fn line(row: &RequestRow) -> Line {
    Line {
        id: row.id.to_string(),
        at: row.at.to_string().get(11..19).unwrap_or_default().to_owned(),
        model: row.asked.clone(),
        target: row.target.clone().unwrap_or_else(|| "nobody".into()),
        result: row.result.replace('_', " "),
        attempts: row.attempts.as_array().map_or(0, Vec::len),
        tokens: row
            .usage
            .map_or_else(|| "–".into(), |usage| format!("{} → {}", usage.input_total(), usage.output)),
        cost: words::money(row.cost),
        energy: row.footprint.map_or_else(
            || "unknown".into(),
            |footprint| {
                let (value, unit) = words::scaled(footprint.energy_j.central, words::ENERGY);
                format!("{value} {unit} ({})", footprint.grade)
            },
        ),
        time: words::time(row.duration),
        good: row.succeeded,
        stand_in: row.stand_in,
        degraded: row.degraded,
    }
}

pub(super) async fn requests(outlet: &Arc<Outlet>, query: &str, rows: usize) -> Result<Requests, String> {
    let value = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| decoded(value)).filter(|value| !value.is_empty())
    };
    let model = value("model");
    let before = value("before").and_then(|text| text.parse().ok());
    let filter = RequestFilter { route: model.clone(), ..RequestFilter::default() };
    let page = outlet.db.requests(filter, before, rows).await.map_err(|error| error.to_string())?;
    let older = page.next.map_or_else(String::new, |next| {
        let model = model.as_deref().map_or_else(String::new, |model| format!("&model={}", encoded(model)));
        format!("/requests?before={next}{model}")
    });
    Ok(Requests { model: model.unwrap_or_default(), rows: page.rows.iter().map(line).collect(), older })
}

pub(super) async fn request(outlet: &Arc<Outlet>, id: &str) -> Option<Result<One, String>> {
    let id = RequestId::parse(id)?;
    let row = match outlet.db.request(id).await {
        Ok(row) => row?,
        Err(error) => return Some(Err(error.to_string())),
    };
    let (shared, leaves) =
        (Arc::clone(outlet), row.intents.iter().copied().chain(row.outcome).collect::<Vec<u64>>());
    let closing = row.outcome;
    let read = tokio::task::spawn_blocking(move || {
        let texts = leaves.iter().filter_map(|index| Some((*index, leaf_text(&shared, *index)?)));
        let texts: Vec<(u64, String)> = texts.collect();
        (texts, closing.map(|leaf| api::prove(&shared, leaf)))
    });
    let (texts, proof) = read.await.unwrap_or_default();
    let (proof_words, proof) = match proof {
        Some(Ok(proof)) => ("The closing leaf is in the log: this proof can be checked with the checkpoint's key and any tlog-proof verifier.".to_owned(), proof),
        Some(Err(why)) => (why, String::new()),
        None => ("This request has no leaf: the ledger could not be written.".to_owned(), String::new()),
    };
    let leaves = texts.into_iter().map(|(index, text)| (index, kind(&text), text)).collect();
    Some(Ok(One {
        id: id.to_string(),
        facts: facts(&row),
        attempts: attempts(&row),
        proof_words,
        leaves,
        proof,
    }))
}

fn leaf_text(outlet: &Outlet, index: u64) -> Option<String> {
    let signed = outlet.ledger_reader.checkpoint(outlet.verifier()).ok()?;
    let bytes = outlet.ledger_reader.leaf(index, &signed).ok()?;
    let value: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    serde_json::to_string_pretty(&value).ok()
}

fn kind(text: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    value["type"].as_str().unwrap_or("leaf").to_owned()
}

fn facts(row: &RequestRow) -> Vec<(&'static str, String)> {
    let unknown = || "unknown".to_owned();
    let footprint = row.footprint.as_ref();
    let mut facts = vec![
        ("Asked", format!("{} for {}", row.at, row.asked)),
        ("Answered by", row.target.clone().unwrap_or_else(|| "nobody".into())),
        ("Result", format!("{} (HTTP {})", row.result.replace('_', " "), row.status)),
        ("Dialect", format!("{}{}", row.dialect, if row.streamed { ", streamed" } else { "" })),
        (
            "Tokens",
            row.usage.map_or_else(unknown, |usage| {
                format!(
                    "{} in ({} from cache, {} to cache), {} out ({} reasoning)",
                    usage.input_total(),
                    usage.cached_read,
                    usage.cached_write,
                    usage.output,
                    usage.reasoning
                )
            }),
        ),
        ("Money", words::money(row.cost)),
        (
            "Energy",
            footprint.map_or_else(unknown, |f| {
                format!("{}, grade {}", words::range(f.energy_j, words::ENERGY), f.grade)
            }),
        ),
        ("Carbon", footprint.map_or_else(unknown, |f| words::range(f.co2_g, words::CARBON))),
        ("Water", footprint.map_or_else(unknown, |f| words::range(f.water_l, words::WATER))),
        (
            "Time",
            format!(
                "{} in all, {} to the first content",
                words::time(row.duration),
                row.first_token.map_or_else(unknown, words::time)
            ),
        ),
    ];
    if !row.losses.is_empty() {
        facts.push(("Not carried over", row.losses.join("; ")));
    }
    if row.stand_in {
        facts.push(("Stand-in", "a scripted server answered; nothing left this machine".into()));
    }
    if let Some(canary) = &row.canary {
        let arm = if canary.new { "the replacement" } else { "the old target" };
        let share = f64::from(canary.share_ppm) / 1e4;
        facts.push((
            "Switch",
            format!("drawn for {arm}; the replacement had {share} % (report {:.12}…)", canary.report),
        ));
    }
    if row.degraded {
        facts.push(("Degraded", "a local model answered in place of the one that was asked for".into()));
    }
    facts
}

fn attempts(row: &RequestRow) -> Vec<(String, String, String, String)> {
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let all = row.attempts.as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter()
        .map(|attempt| {
            (
                attempt["number"].to_string(),
                text(&attempt["target"]).unwrap_or_default(),
                text(&attempt["fault"]).map_or_else(|| "answered".into(), |fault| fault.replace('_', " ")),
                attempt["duration_ms"].as_u64().map_or_else(|| "–".into(), |ms| format!("{ms} ms")),
            )
        })
        .collect()
}

fn encoded(text: &str) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes()
        .map(|byte| if safe(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn decoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let pair: Vec<u8> = bytes.by_ref().take(2).collect();
                let pair = std::str::from_utf8(&pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
                out.push(pair.unwrap_or(b'?'));
            }
            byte => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
