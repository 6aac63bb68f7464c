//! A handful of requests as the application would send them, and what became of them.
//!
//! `asked` is what the tour visits, `proof` shows that the ledger holds.

mod asked;
mod proof;

use super::plan::Plan;
use crate::client::{Client, Reply};
use crate::print::{self, Trouble};
use asked::{Asked, Provider};
use mains_scan::report::Report;
use mains_serve::control::{Answer, Command, say};
use mains_serve::outlet::Outlet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// Models that the tour visits at most; the report has them all.
const VISITS: usize = 6;

/// The tour's own drill ends by itself after this.
const DRILL_MS: u64 = 30_000;

/// Everything that the tour looks at.
pub(super) struct Tour<'t> {
    pub(super) base: &'t str,
    pub(super) report: &'t Report,
    pub(super) plan: &'t Plan,
    pub(super) outlet: &'t Arc<Outlet>,
    pub(super) data: &'t Path,
}

impl Tour<'_> {
    /// Sends, shows, proves.
    pub(super) async fn show(&self) -> Result<(), Trouble> {
        print::data(&format!("\n{}", print::bold("3  A death, survived")));
        let client = Client::new(self.base, None);
        let all = asked::all(self.report, self.plan);
        let mut answered = Vec::new();
        for asked in all.iter().take(VISITS) {
            print::data(&format!("   {}{}", print::bold(&asked.model), asked.kind_in_brackets()));
            self.at_the_provider(asked).await;
            match asked.question() {
                None => not_relayed(asked),
                Some((path, body)) => {
                    let reply = client.post(path, &body).await?;
                    through_the_outlet(&reply);
                    if reply.status == 200 {
                        answered.push((asked, reply.header("x-mains-target").to_owned()));
                    }
                }
            }
        }
        if all.len() > VISITS {
            let rest = print::plural((all.len() - VISITS) as u64, "more model");
            print::data(&format!("   and {rest}, which the page lists"));
        }
        self.drill(&client, &answered).await?;
        if !answered.is_empty() {
            print::data(&print::dim(&self.legend()));
        }
        print::data(&format!("\n{}", print::bold("4  Proof")));
        self.outlet.settled().await?;
        let ledger = Arc::clone(self.outlet);
        let data = self.data.to_owned();
        tokio::task::spawn_blocking(move || {
            ledger.ledger.flush()?;
            proof::show(&data)
        })
        .await?
    }

    /// What the application meets today at a dead model's own provider. A request for a dead model costs nothing.
    async fn at_the_provider(&self, asked: &Asked<'_>) {
        if !asked.is_dead() || (asked.question().is_none() && asked.medium().is_none()) {
            return;
        }
        let Some(provider) = Provider::of(asked, &self.outlet.live()) else { return };
        match provider.ask(self.outlet, asked).await {
            Some((200, _)) => {
                print::data(&format!("      at {} itself: answered after all", provider.name()));
            }
            Some((status, message)) => {
                print::data(&format!(
                    "      at {} itself: {}",
                    provider.name(),
                    print::bad(&format!("HTTP {status}"))
                ));
                print::data(&format!("         \u{201c}{message}\u{201d}"));
            }
            None => print::data(&format!("      at {} itself: it could not be reached", provider.name())),
        }
    }

    /// Kills the target that has just answered, so that the one behind it is seen to answer.
    async fn drill(&self, client: &Client, answered: &[(&Asked<'_>, String)]) -> Result<(), Trouble> {
        let live = self.outlet.live();
        let has_another = |asked: &Asked<'_>| {
            live.routes.get(&asked.model).is_some_and(|route| route.route.targets().count() > 1)
        };
        let Some((asked, target)) = answered.iter().find(|(asked, _)| has_another(asked)) else {
            return Ok(());
        };
        let Some((path, body)) = asked.question() else { return Ok(()) };
        let from = mains_host::Clock::start().now();
        let kill = Command::Kill { target: target.clone(), for_ms: DRILL_MS };
        if let Answer::Refused(why) = say(self.data, &kill).await.map_err(Trouble::rendered)? {
            return Err(Trouble::rendered(why));
        }
        let reply = client.post(path, &body).await;
        let survivor = reply.as_ref().ok().filter(|reply| reply.status == 200);
        let revive = Command::Revive {
            target: target.clone(),
            from: from.0,
            requests: 1,
            failed: u64::from(survivor.is_none()),
            answered_by: survivor
                .map(|reply| (reply.header("x-mains-target").to_owned(), 1))
                .into_iter()
                .collect(),
        };
        let leaf = say(self.data, &revive).await.map_err(Trouble::rendered)?;
        print::data(&format!(
            "   {} again, while {target} is killed on purpose (a drill)",
            print::bold(&asked.model)
        ));
        through_the_outlet(&reply?);
        if let Answer::Leaf(Some(leaf)) = leaf {
            print::data(&print::dim(&format!(
                "         the drill is over, the target lives; leaf {leaf} of the ledger says so"
            )));
        }
        Ok(())
    }

    /// How far the figures above can be trusted.
    fn legend(&self) -> String {
        let mut text = "   grades: A measured here, B calibrated server, C known model and GPU, D a provider's closed model, E its class"
            .to_owned();
        if !self.plan.absent.is_empty() {
            text.push_str(
                "\n   a stand-in counts four letters as a token: its figures show the arithmetic, not a bill",
            );
        }
        text
    }

    /// How to go on from here. `data` is the folder as it was named.
    pub(super) fn ready_lines(&self, data: &Path) -> String {
        let base = self.base;
        let first = asked::all(self.report, self.plan).into_iter().find_map(|asked| {
            let (path, body) = asked.question()?;
            let target = self.outlet.routed_targets().into_iter().find(|(model, _)| *model == asked.model);
            Some((path, body, target.map_or_else(String::new, |(_, target)| target.to_string())))
        });
        let mut page = format!("\n{}\n", print::bold("5  Yours"));
        let mut line = |what: &str, text: &str| {
            let _ = writeln!(page, "   {what:13} {text}");
        };
        let folder =
            if data == Path::new(".mains") { String::new() } else { format!(" --data {}", data.display()) };
        if let Some((path, body, target)) = &first {
            line("curl", &format!("curl {base}{path} -H 'content-type: application/json' \\"));
            line("", &format!("  -d '{}'", in_order(body)));
            line("OpenAI SDK", &format!("OpenAI(base_url=\"{base}/v1\", api_key=\"unused\")"));
            line("Anthropic SDK", &format!("Anthropic(base_url=\"{base}\", api_key=\"unused\")"));
            line("a drill", &format!("mains drill --target {target}{folder}"));
        }
        line("the plan", &format!("mains serve --config {}", self.plan.path.display()));
        let known = mains_infer::models::ALL.first();
        if let Some(model) = known {
            let megabytes = model.bytes / 1_000_000;
            line(
                "a local model",
                &format!(
                    "mains model pull {}   ({megabytes} MB, {}; nothing was fetched so far)",
                    model.name, model.licence
                ),
            );
        }
        page
    }
}

/// A body with the model first, as people write it.
fn in_order(body: &serde_json::Value) -> String {
    let model = &body["model"];
    match &body["messages"][0]["content"] {
        serde_json::Value::Null => format!("{{\"model\":{model},\"input\":{}}}", body["input"]),
        words => {
            format!(
                "{{\"model\":{model},\"max_tokens\":60,\"messages\":[{{\"role\":\"user\",\"content\":{words}}}]}}"
            )
        }
    }
}

/// The cost in four units, each with range and grade, as the headers say it.
fn cost(reply: &Reply) -> String {
    let money = match reply.header("x-mains-cost-usd") {
        "" => "money unknown".to_owned(),
        cost => format!("${cost}"),
    };
    if reply.header("x-mains-energy-j").is_empty() {
        return format!("{money} · energy, carbon and water unknown");
    }
    let range = |name: &str, unit: &str| match reply.header(name).split_once("..") {
        Some((low, high)) => scaled(low, high, unit),
        None => format!("unknown {unit}"),
    };
    format!(
        "{money} · {} · {}CO2e · {} water · grade {}",
        range("x-mains-energy-j", "J"),
        range("x-mains-co2-g", "g "),
        range("x-mains-water-ml", "mL"),
        reply.header("x-mains-grade")
    )
}

/// `5.86..100 mg` rather than `0.00586..0.1 g`: thousandths where even the high end is small.
fn scaled(low: &str, high: &str, unit: &str) -> String {
    match (low.parse::<f64>(), high.parse::<f64>()) {
        (Ok(low), Ok(high)) if high < 0.5 && unit.starts_with('g') => {
            format!("{}..{} m{unit}", print::short(low * 1e3), print::short(high * 1e3))
        }
        _ => format!("{low}..{high} {unit}"),
    }
}

fn through_the_outlet(reply: &Reply) {
    if reply.status != 200 {
        let why = reply.json()["error"]["message"].as_str().unwrap_or("no reason").to_owned();
        print::data(&format!("      through the outlet: {}", print::bad(&format!("HTTP {}", reply.status))));
        print::data(&format!("         \u{201c}{why}\u{201d}"));
        return;
    }
    let attempts = match reply.header("x-mains-attempts") {
        "1" => String::new(),
        attempts => format!(", attempt {attempts}"),
    };
    let stand_in = if reply.header("x-mains-stand-in").is_empty() { "" } else { "  (stand-in)" };
    print::data(&format!(
        "      through the outlet: {} by {}{attempts}{stand_in}",
        print::good("answered"),
        print::bold(reply.header("x-mains-target")),
    ));
    print::data(&format!("         {}", cost(reply)));
}

/// What breaks, and what is left, where no request can show it.
fn not_relayed(asked: &Asked<'_>) {
    print::data("      through the outlet: not asked, as it relays conversations and embeddings only");
    if let Some(place) = asked.place() {
        print::data(&format!("      what breaks: {place}"));
    }
    let substitutes = asked.substitutes();
    if substitutes.is_empty() {
        print::data("      substitutes: none that the catalogue knows");
    }
    for substitute in substitutes {
        print::data(&format!("      substitute: {substitute}"));
    }
}
