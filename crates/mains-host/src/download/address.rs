//! From an address, in pieces that can be asked for again.

use super::{Part, Progress};
use std::time::Duration;

/// A connection that takes longer to come about is given up.
const CONNECT: Duration = Duration::from_secs(10);
/// An answer must begin by then.
const ANSWER: Duration = Duration::from_secs(30);
/// A body that takes longer is cut and asked for again from where it stands: a connection that stalls holds
/// the fetch no longer than this, and a slow one still arrives.
const PIECE: Duration = Duration::from_mins(2);
/// Rounds without a new byte before this place is given up.
const EMPTY_ROUNDS_MAX: u32 = 2;

pub(super) fn fill(part: &mut Part<'_>, url: &str, progress: &mut dyn FnMut(Progress)) -> Result<(), String> {
    let https = !url.starts_with("http://127.0.0.1:");
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .https_only(https)
        .max_redirects(8)
        .http_status_as_error(false)
        .timeout_connect(Some(CONNECT))
        .timeout_resolve(Some(CONNECT))
        .timeout_recv_response(Some(ANSWER))
        .timeout_recv_body(Some(PIECE))
        .user_agent(concat!("mains/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let mut empty_rounds = 0;
    loop {
        let before = part.length()?;
        if before >= part.wanted.bytes {
            return Ok(());
        }
        let outcome = round(&agent, part, url, before, progress);
        let after = part.length()?;
        if after >= part.wanted.bytes {
            return Ok(());
        }
        empty_rounds = if after > before { 0 } else { empty_rounds + 1 };
        match outcome {
            Err(Refused::ForGood(why)) => return Err(why),
            Err(Refused::Perhaps(why)) if empty_rounds >= EMPTY_ROUNDS_MAX => return Err(why),
            Ok(()) if empty_rounds >= EMPTY_ROUNDS_MAX => {
                return Err(format!("the answer ends after {after} of {} bytes", part.wanted.bytes));
            }
            _ => {}
        }
    }
}

/// Why a round brought not everything.
enum Refused {
    /// Asking again is of no use.
    ForGood(String),
    /// Asking again may help.
    Perhaps(String),
}

/// One request for the rest of the file.
fn round(
    agent: &ureq::Agent,
    part: &mut Part<'_>,
    url: &str,
    have: u64,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), Refused> {
    let mut request = agent.get(url).header("accept-encoding", "identity");
    if have > 0 {
        request = request.header("range", format!("bytes={have}-"));
    }
    let mut response = request.call().map_err(|error| match error {
        ureq::Error::ConnectionFailed | ureq::Error::HostNotFound => Refused::ForGood(error.to_string()),
        ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
            Refused::ForGood(error.to_string())
        }
        ureq::Error::Io(error) => Refused::Perhaps(error.to_string().to_lowercase()),
        other => Refused::Perhaps(other.to_string()),
    })?;
    match response.status().as_u16() {
        // The whole file, whatever was asked for.
        200 => part.clear().map_err(Refused::ForGood)?,
        206 if begins_at(&response, have) => {}
        // The server has another file than the one that this part began with.
        206 | 416 => {
            part.clear().map_err(Refused::ForGood)?;
            return Err(Refused::Perhaps("the server cannot go on where the part ends".to_owned()));
        }
        status @ (408 | 429 | 500..=599) => {
            return Err(Refused::Perhaps(format!("the server answers {status}")));
        }
        status => return Err(Refused::ForGood(format!("the server answers {status}"))),
    }
    part.append(&mut response.body_mut().as_reader(), progress).map_err(Refused::Perhaps)
}

/// Whether the piece begins where the part ends.
fn begins_at(response: &ureq::http::Response<ureq::Body>, have: u64) -> bool {
    let range = response.headers().get("content-range").and_then(|value| value.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {have}-")))
}
