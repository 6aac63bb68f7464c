//! What became of one request of a drill.

use super::questions::Question;
use crate::client::{Client, Reply};
use crate::print::Trouble;
use mains_units::Span;
use serde_json::Value;
use std::time::Duration;

/// The record of a stream is written right after its last byte; so often it is looked for.
const LOOKS: u32 = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// One request and its answer.
pub(super) struct Outcome {
    pub(super) model: String,
    /// Whether the whole answer came.
    pub(super) answered: bool,
    /// Who answered; empty when nobody did.
    pub(super) target: String,
    pub(super) attempts: u64,
    pub(super) took: Span,
    pub(super) cost_usd: Option<f64>,
    /// Lowest and highest.
    pub(super) energy_j: Option<(f64, f64)>,
    /// What was said instead of an answer.
    pub(super) why: Option<String>,
}

impl Outcome {
    pub(super) async fn of(
        client: &Client,
        question: &Question,
        reply: &Reply,
        took: Span,
    ) -> Result<Self, Trouble> {
        let answered = reply.is_whole();
        let mut outcome = Self {
            model: question.model.clone(),
            answered,
            target: reply.header("x-mains-target").to_owned(),
            attempts: reply.header("x-mains-attempts").parse().unwrap_or(1),
            took,
            cost_usd: reply.header("x-mains-cost-usd").parse().ok(),
            energy_j: reply.header("x-mains-energy-j").split_once("..").and_then(range),
            why: (!answered).then(|| reason(reply)),
        };
        if answered && question.body["stream"] == true {
            outcome.read_record(client, reply).await?;
        }
        Ok(outcome)
    }

    /// What a stream cost is not known when its headers leave; the record has it.
    async fn read_record(&mut self, client: &Client, reply: &Reply) -> Result<(), Trouble> {
        let id = [reply.header("x-request-id"), reply.header("request-id")].concat();
        for _ in 0..LOOKS {
            let found = client.get(&format!("/mains/v1/requests/{id}")).await?;
            if found.status == 200 {
                let record = found.json();
                self.cost_usd = record["cost_usd"].as_str().and_then(|cost| cost.parse().ok());
                let energy = &record["energy_j"];
                self.energy_j = energy["low"].as_f64().zip(energy["high"].as_f64());
                return Ok(());
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Ok(())
    }
}

fn range((low, high): (&str, &str)) -> Option<(f64, f64)> {
    Some((low.parse().ok()?, high.parse().ok()?))
}

fn reason(reply: &Reply) -> String {
    let said = |value: &Value| value["error"]["message"].as_str().map(str::to_owned);
    let text = String::from_utf8_lossy(&reply.body);
    let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let in_stream = || events.into_iter().rev().find_map(|data| said(&serde_json::from_str(data).ok()?));
    let words = said(&reply.json()).or_else(in_stream).unwrap_or_else(|| "no reason was given".into());
    format!("HTTP {}: {words}", reply.status)
}
