//! `mains drill`: kill a target on purpose inside the running outlet, and report who survived.

use crate::cli::Drill;
use crate::client::{Client, Reply};
use crate::print::{self, Ended, Trouble};
use crate::start;
use mains_host::Clock;
use mains_serve::control::{Answer, Command, say};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A drill ends by itself after this, should its caller be killed.
const LONGEST_MS: u64 = 300_000;

/// What became of one route.
#[derive(Debug, Default, Serialize)]
struct RouteReport {
    model: String,
    requests: u64,
    answered: u64,
    answered_by: BTreeMap<String, u64>,
    median_ms_before: Option<f64>,
    median_ms_during: Option<f64>,
    cost_usd_before: Option<f64>,
    cost_usd_during: Option<f64>,
    energy_j_during: Option<String>,
}

/// Drills one target.
pub(crate) fn run(arguments: &Drill) -> Result<Ended, Trouble> {
    start::runtime()?.block_on(drill(arguments))
}

async fn drill(arguments: &Drill) -> Result<Ended, Trouble> {
    let folder = &arguments.data;
    let status = say(folder, &Command::Status).await.map_err(Trouble::rendered)?;
    let Answer::Status { listen, routes, keyed } = status else {
        return Err(Trouble::new("the outlet did not tell its state"));
    };
    let key = std::env::var("MAINS_KEY").ok();
    if keyed && key.is_none() {
        return Err(
            Trouble::new("the outlet requires a key").hint("set MAINS_KEY to one made with `mains key make`")
        );
    }
    let client = Client::new(format!("http://{listen}"), key);
    let bodies = bodies(arguments, &routes)?;
    let clock = Clock::start();
    let before = ask_all(&client, &bodies, arguments.count.min(3), clock).await?;
    let from = clock.now();
    let kill = Command::Kill { target: arguments.target.clone(), for_ms: LONGEST_MS };
    if let Answer::Refused(why) = say(folder, &kill).await.map_err(Trouble::rendered)? {
        return Err(Trouble::rendered(why));
    }
    let during = ask_all(&client, &bodies, arguments.count, clock).await;
    // Whatever happened, the target lives again.
    let answers = during.as_deref().unwrap_or_default();
    let mut answered_by = BTreeMap::new();
    for (_, reply, _) in answers.iter().filter(|(_, reply, _)| reply.is_whole()) {
        *answered_by.entry(reply.header("x-mains-target").to_owned()).or_insert(0) += 1;
    }
    let failed = answers.iter().filter(|(_, reply, _)| !reply.is_whole()).count() as u64;
    let revive = Command::Revive {
        target: arguments.target.clone(),
        from: from.0,
        requests: answers.len() as u64,
        failed,
        answered_by: answered_by.into_iter().collect(),
    };
    let leaf = say(folder, &revive).await.map_err(Trouble::rendered)?;
    let reports = reports(&before, &during?);
    show(arguments, &reports, &leaf)?;
    Ok(if failed > 0 { Ended::Findings } else { Ended::Clean })
}

type Asked = (String, Reply, f64);

async fn ask_all(client: &Client, bodies: &[Value], count: u32, clock: Clock) -> Result<Vec<Asked>, Trouble> {
    let mut replies = Vec::new();
    for body in bodies {
        for _ in 0..count {
            let start = clock.monotonic();
            let reply = client.post("/v1/chat/completions", body).await?;
            let took = clock.monotonic().since(start).as_s_f64() * 1e3;
            replies.push((body["model"].as_str().unwrap_or_default().to_owned(), reply, took));
        }
    }
    Ok(replies)
}

/// The requests of the file, or one plain and one streamed for every route that has the target.
fn bodies(arguments: &Drill, routes: &[(String, String)]) -> Result<Vec<Value>, Trouble> {
    if let Some(path) = &arguments.requests {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Trouble::new(format!("failed to read `{}`: {}", path.display(), print::lowered(&error)))
        })?;
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        return lines
            .map(|(number, line)| {
                serde_json::from_str(line).map_err(|error| {
                    Trouble::new(format!("`{}` line {}: {error}", path.display(), number + 1))
                        .hint("write one request body a line, as JSON")
                })
            })
            .collect();
    }
    let concerned = |target: &str| {
        target == arguments.target || target.split('/').next() == Some(arguments.target.as_str())
    };
    let mut models: Vec<&String> =
        routes.iter().filter(|(_, target)| concerned(target)).map(|(model, _)| model).collect();
    models.dedup();
    if models.is_empty() {
        return Err(Trouble::new(format!("no route has a target `{}`", arguments.target))
            .hint("name a whole target (`openai/gpt-4o`) or an upstream (`openai`)"));
    }
    let body = |model: &str, stream: bool| json!({"model": model, "stream": stream, "max_tokens": 16, "messages": [{"role": "user", "content": "This is a drill. Answer with one word."}]});
    Ok(models.into_iter().flat_map(|model| [body(model, false), body(model, true)]).collect())
}

fn reports(before: &[Asked], during: &[Asked]) -> Vec<RouteReport> {
    let mut models: Vec<&str> = during.iter().map(|(model, _, _)| model.as_str()).collect();
    models.dedup();
    models.sort_unstable();
    models.dedup();
    let of = |asked: &'_ [Asked], model: &str| -> Vec<usize> {
        (0..asked.len()).filter(|index| asked[*index].0 == model && asked[*index].1.is_whole()).collect()
    };
    models
        .into_iter()
        .map(|model| {
            let (calm, dead) = (of(before, model), of(during, model));
            let mut report = RouteReport { model: model.to_owned(), ..RouteReport::default() };
            report.requests = during.iter().filter(|(asked, _, _)| asked == model).count() as u64;
            report.answered = dead.len() as u64;
            for index in &dead {
                *report
                    .answered_by
                    .entry(during[*index].1.header("x-mains-target").to_owned())
                    .or_insert(0) += 1;
            }
            report.median_ms_before = median(calm.iter().map(|index| before[*index].2).collect());
            report.median_ms_during = median(dead.iter().map(|index| during[*index].2).collect());
            report.cost_usd_before = mean(
                calm.iter().filter_map(|index| before[*index].1.header("x-mains-cost-usd").parse().ok()),
            );
            report.cost_usd_during = mean(
                dead.iter().filter_map(|index| during[*index].1.header("x-mains-cost-usd").parse().ok()),
            );
            let energy = dead
                .iter()
                .map(|index| during[*index].1.header("x-mains-energy-j"))
                .find(|energy| !energy.is_empty());
            report.energy_j_during = energy.map(str::to_owned);
            report
        })
        .collect()
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn show(arguments: &Drill, reports: &[RouteReport], leaf: &Answer) -> Result<(), Trouble> {
    let leaf = if let Answer::Leaf(leaf) = leaf { *leaf } else { None };
    if arguments.json {
        return print::json(
            &json!({"schema": "mains.drill/1", "target": arguments.target, "routes": reports, "leaf": leaf}),
        );
    }
    print::data(&format!("drill: {} was dead", arguments.target));
    let unknown = |value: Option<f64>, unit: &str| {
        value.map_or_else(|| "unknown".to_owned(), |value| format!("{value:.3}{unit}"))
    };
    for report in reports {
        let verdict = if report.answered == report.requests { "survived" } else { "DID NOT SURVIVE" };
        let by: Vec<String> =
            report.answered_by.iter().map(|(target, count)| format!("{target} ({count})")).collect();
        print::data(&format!(
            "  {}  {verdict}: {} of {} answered{}",
            report.model,
            report.answered,
            report.requests,
            if by.is_empty() { String::new() } else { format!(", by {}", by.join(", ")) }
        ));
        print::data(&format!(
            "    time {} → {}   money {} → {} USD   energy {}",
            unknown(report.median_ms_before, " ms"),
            unknown(report.median_ms_during, " ms"),
            report.cost_usd_before.map_or_else(|| "unknown".into(), |cost| format!("{cost:.9}")),
            report.cost_usd_during.map_or_else(|| "unknown".into(), |cost| format!("{cost:.9}")),
            report
                .energy_j_during
                .as_deref()
                .map_or_else(|| "unknown".to_owned(), |energy| format!("{energy} J")),
        ));
    }
    match leaf {
        Some(leaf) => print::data(&format!("written down as leaf {leaf} of the ledger")),
        None => print::data("the ledger could not take the drill's leaf"),
    }
    Ok(())
}
