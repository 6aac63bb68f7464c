//! Asks the running outlet for a target by its name, at no more than the asked rate.

use super::requests::Item;
use super::state::Answered;
use crate::cli::SwapTest;
use crate::client::{Client, Reply};
use crate::print::Trouble;
use mains_host::Clock;
use mains_serve::control::{Answer, Command, say};
use serde_json::Value;
use std::time::Duration;

pub(super) struct Sender {
    client: Client,
    clock: Clock,
    pause: Duration,
}

/// What came of one question.
pub(super) enum Asked {
    Answer(Answered),
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
        let pause = Duration::from_secs(1) / u32::from(arguments.per_second);
        Ok(Self { client, clock: Clock::start(), pause })
    }

    /// Asks a target one item. Trouble here leaves open whether the request was paid.
    pub(super) async fn ask(&self, item: &Item, target: &str) -> Result<Asked, Trouble> {
        let mut body = item.body.clone();
        body["model"] = target.into();
        if let Some(members) = body.as_object_mut() {
            members.remove("stream");
            members.remove("stream_options");
        }
        let start = self.clock.monotonic();
        let reply = self.client.post(&format!("/v1{}", item.dialect.path()), &body).await?;
        let took = self.clock.monotonic().since(start);
        tokio::time::sleep(self.pause).await;
        match reply.status {
            // 400 and 422: the candidate does not take this request, which is an answer too.
            200 | 400 | 422 => Ok(Asked::Answer(Answered {
                status: reply.status,
                target: reply.header("x-mains-target").to_owned(),
                body: reply.json(),
                nano_usd: nano_usd(reply.header("x-mains-cost-usd")),
                energy_j: reply.header("x-mains-energy-j").to_owned(),
                took_ms: took.as_ms(),
            })),
            500.. => Ok(Asked::Failed(reply.status)),
            _ => Ok(Asked::Refused(reply.status, refused(target, &reply))),
        }
    }
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
