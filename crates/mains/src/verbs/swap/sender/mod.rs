//! Asks the running outlet for a target by its name, at no more than the asked rate.
//!
//! What an answer took is read from the outlet's own record of the request, which knows the time to the first token and
//! the energy with its grade; `streamed` makes one body of an answer that came in pieces.

mod streamed;

use super::state::Answered;
use crate::cli::SwapTest;
use crate::client::{Client, Reply};
use crate::print::Trouble;
use mains_host::Clock;
use mains_serve::control::{Answer, Command, say};
use mains_units::{Instant, Span};
use mains_wire::Dialect;
use serde_json::Value;
use std::cell::Cell;

pub(super) struct Sender {
    client: Client,
    clock: Clock,
    pause: Span,
    /// When the next request may leave.
    next: Cell<Option<Instant>>,
}

/// What came of one question.
pub(super) enum Asked {
    Answer(Box<Answered>),
    /// The outlet or the provider failed; the item may be asked again.
    Failed(u16),
    /// The outlet refuses this item as it would refuse every further one; nothing was paid.
    Refused(u16, Trouble),
}

impl Sender {
    pub(super) async fn connect(arguments: &SwapTest) -> Result<Self, Trouble> {
        let status = say(&arguments.data, &Command::Status).await.map_err(Trouble::rendered)?;
        let Answer::Status { listen, keyed, .. } = status else {
            return Err(Trouble::new("the outlet did not tell its state"));
        };
        let key = std::env::var("MAINS_KEY").ok().filter(|key| !key.is_empty());
        if keyed && key.is_none() {
            return Err(Trouble::new("the outlet requires a key")
                .hint("set MAINS_KEY to one made with `mains key make`"));
        }
        let client = Client::new(format!("http://{listen}"), key);
        let pause = Span(1_000_000_000 / u64::from(arguments.per_second));
        Ok(Self { client, clock: Clock::start(), pause, next: Cell::new(None) })
    }

    /// Waits for the moment when one more request may leave.
    pub(super) async fn turn(&self) {
        let now = self.clock.monotonic();
        let at = self.next.get().filter(|next| *next > now).unwrap_or(now);
        self.next.set(Some(at.after(self.pause)));
        tokio::time::sleep(at.since(now).to_std()).await;
    }

    /// Asks a target this body. Trouble here leaves open whether the request was paid.
    pub(super) async fn ask(&self, dialect: Dialect, body: &Value, target: &str) -> Result<Asked, Trouble> {
        let mut body = body.clone();
        body["model"] = target.into();
        let start = self.clock.monotonic();
        let reply = self.client.post(&format!("/v1{}", dialect.path()), &body).await?;
        let took = self.clock.monotonic().since(start);
        let answer = match reply.status {
            200 if reply.header("content-type").starts_with("text/event-stream") => {
                match streamed::whole(dialect, &reply.body) {
                    Some(body) => body,
                    // A stream that broke has no answer in it, and its status says nothing.
                    None => return Ok(Asked::Failed(502)),
                }
            }
            // 400 and 422: the candidate does not take this request, which is an answer too.
            200 | 400 | 422 => reply.json(),
            500.. => return Ok(Asked::Failed(reply.status)),
            _ => return Ok(Asked::Refused(reply.status, refused(target, &reply))),
        };
        let row = self.row(&reply, dialect).await;
        Ok(Asked::Answer(Box::new(answered(&reply, &row, answer, took.as_ms()))))
    }

    /// The outlet's record of a request; `null` where it cannot be read.
    async fn row(&self, reply: &Reply, dialect: Dialect) -> Value {
        let id = reply.header(if dialect.is_anthropic() { "request-id" } else { "x-request-id" });
        let row = self.client.get(&format!("/mains/v1/requests/{id}")).await;
        row.ok().filter(|row| row.status == 200).map_or(Value::Null, |row| row.json())
    }
}

fn answered(reply: &Reply, row: &Value, body: Value, took_ms: u64) -> Answered {
    let said = |value: &Value| value.as_str().map(str::to_owned);
    let target = said(&row["target"]).unwrap_or_else(|| reply.header("x-mains-target").to_owned());
    let cost = said(&row["cost_usd"]).unwrap_or_else(|| reply.header("x-mains-cost-usd").to_owned());
    let usage = |names: &[&str]| names.iter().map(|name| row["usage"][name].as_u64()).sum::<Option<u64>>();
    let energy = ["low", "central", "high"].map(|end| row["energy_j"][end].as_f64());
    let streamed = row["streamed"] == true;
    Answered {
        status: reply.status,
        target,
        body,
        nano_usd: nano_usd(&cost),
        input_tokens: usage(&["input", "cached_read", "cached_write"]),
        output_tokens: usage(&["output"]),
        first_ms: row["first_token_ms"].as_f64().filter(|_| streamed).map(rounded),
        took_ms,
        energy_mj: match energy {
            [Some(low), Some(central), Some(high)] => Some([low, central, high].map(|j| rounded(j * 1e3))),
            _ => None,
        },
        energy_grade: said(&row["grade"]),
    }
}

/// To the nearest whole number.
fn rounded(value: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the value is whole, and the cast saturates"
    )]
    (value.round() as u64)
}

fn refused(target: &str, reply: &Reply) -> Trouble {
    let said = reply.json();
    let why = [&said["error"]["message"], &said["error"]].into_iter().find_map(Value::as_str).unwrap_or("");
    let trouble = Trouble::new(format!(
        "the outlet refuses `{target}` with HTTP {}: {why}; what was answered so far is kept",
        reply.status
    ));
    match reply.status {
        404 => trouble.hint(
            "set `passthrough = true` under `[serve]`, or add a route whose `model` is this name; then `mains config reload`",
        ),
        401 | 403 => trouble.hint("set MAINS_KEY to a key of the outlet that may ask this target"),
        402 | 429 => trouble.hint("a budget or rate of the outlet is used up; the same command goes on later"),
        _ => trouble,
    }
}

/// Decimal USD in nano-USD, digits beyond rounded up.
fn nano_usd(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if !part.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let (nano, beyond) = part.split_at(part.len().min(9));
    let nano: u64 = format!("{nano:0<9}").parse().ok()?;
    let up = u64::from(beyond.bytes().any(|digit| digit != b'0'));
    whole.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(nano + up)
}

#[cfg(test)]
mod tests {
    use super::nano_usd;

    #[test]
    fn money_is_read_without_rounding_down() {
        assert_eq!(nano_usd("0.000012"), Some(12_000));
        assert_eq!(nano_usd("1"), Some(1_000_000_000));
        assert_eq!(nano_usd("0.0000000001"), Some(1));
        assert_eq!(nano_usd(""), None);
        assert_eq!(nano_usd("1.-5"), None);
    }
}
