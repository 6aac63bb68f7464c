//! `mains drill`: kill a target on purpose inside the running outlet, and report who survived.
//!
//! `questions` is what is sent, `outcome` what became of it, `report` what is said about it.

mod outcome;
mod questions;
mod report;

use crate::cli::Drill;
use crate::client::Client;
use crate::print::{Ended, Trouble};
use crate::start;
use mains_host::Clock;
use mains_serve::control::{Answer, Command, say};
use mains_units::Span;
use outcome::Outcome;
use questions::Question;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// A drill ends by itself after this, should its caller be killed.
const LONGEST_MS: u64 = 300_000;

/// Requests of a kind that are sent while the target still lives, for comparison.
const BEFORE: u32 = 3;

/// Further attempts that a drill makes at full speed. The outlet allows ten a second on top of a burst; a drill that
/// went on faster would use up what real requests need.
const BURST: u64 = 10;
const PAUSE_PER_ATTEMPT: Duration = Duration::from_millis(100);

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
    let key = std::env::var("MAINS_KEY").ok().filter(|key| !key.is_empty());
    if keyed && key.is_none() {
        return Err(
            Trouble::new("the outlet requires a key").hint("set MAINS_KEY to one made with `mains key make`")
        );
    }
    let questions = match &arguments.requests {
        Some(path) => questions::read(path)?,
        None => questions::built_in(&arguments.target, &routes)?,
    };
    let mut sender =
        Sender { client: Client::new(format!("http://{listen}"), key), clock: Clock::start(), spent: 0 };
    let before = sender.ask(&questions, arguments.count.min(BEFORE)).await?;
    let from = sender.clock.now();
    let kill = Command::Kill { target: arguments.target.clone(), for_ms: LONGEST_MS };
    if let Answer::Refused(why) = say(folder, &kill).await.map_err(Trouble::rendered)? {
        return Err(Trouble::rendered(why));
    }
    let during = tokio::select! {
        during = sender.ask(&questions, arguments.count) => during,
        _ = tokio::signal::ctrl_c() => Err(Trouble::new("the drill was interrupted; the target lives again")),
    };
    let lasted = Span::from_ms(u64::try_from(sender.clock.now().0 - from.0).unwrap_or(0));
    // Whatever happened, the target lives again.
    let leaf = revive(folder, &arguments.target, from.0, during.as_deref().unwrap_or_default()).await?;
    let report = report::Report::of(&arguments.target, lasted, &before, &during?, leaf);
    report.show(arguments.json)?;
    Ok(if report.survived() { Ended::Clean } else { Ended::Findings })
}

async fn revive(folder: &Path, target: &str, from: i64, during: &[Outcome]) -> Result<Option<u64>, Trouble> {
    let mut answered_by = BTreeMap::new();
    for outcome in during.iter().filter(|outcome| outcome.answered) {
        *answered_by.entry(outcome.target.clone()).or_insert(0) += 1;
    }
    let revive = Command::Revive {
        target: target.to_owned(),
        from,
        requests: during.len() as u64,
        failed: during.iter().filter(|outcome| !outcome.answered).count() as u64,
        answered_by: answered_by.into_iter().collect(),
    };
    match say(folder, &revive).await.map_err(Trouble::rendered)? {
        Answer::Leaf(leaf) => Ok(leaf),
        other => Err(Trouble::new(format!("the outlet did not write the drill down: {other:?}"))),
    }
}

/// Sends questions one after another.
struct Sender {
    client: Client,
    clock: Clock,
    /// Further attempts so far.
    spent: u64,
}

impl Sender {
    async fn ask(&mut self, questions: &[Question], count: u32) -> Result<Vec<Outcome>, Trouble> {
        let mut outcomes = Vec::new();
        for question in questions {
            for _ in 0..count {
                let start = self.clock.monotonic();
                let reply = self.client.post(question.path, &question.body).await?;
                let took = self.clock.monotonic().since(start);
                let outcome = Outcome::of(&self.client, question, &reply, took).await?;
                let further = outcome.attempts.saturating_sub(1);
                self.spent += further;
                outcomes.push(outcome);
                if self.spent > BURST {
                    tokio::time::sleep(PAUSE_PER_ATTEMPT * u32::try_from(further).unwrap_or(1)).await;
                }
            }
        }
        Ok(outcomes)
    }
}
