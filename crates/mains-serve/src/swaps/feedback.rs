//! `POST /mains/v1/requests/{id}/feedback`: a caller's verdict on an answer.
//!
//! The body is `{"verdict": "good"}` or `{"verdict": "bad"}`, with nothing else: what people write about answers is
//! content, and content is kept in the vault alone. The last verdict on a request stands; a switch counts the first.

use super::{step, watch};
use crate::front::text;
use crate::http::ReplyBody;
use crate::outlet::{Found, Outlet};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use mains_relay::route::Drawn;
use mains_store::db::{Canary, Feedback, FeedbackKept};
use mains_units::RequestId;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

const BODY_BYTES_MAX: usize = 4 << 10;
const BODY_TIME: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    verdict: Verdict,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Good,
    Bad,
}

/// Takes a verdict. A caller with a key speaks for the requests of its own project only.
pub(crate) async fn take(
    outlet: &Outlet,
    id: &str,
    caller: Option<&Found>,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let Some(id) = RequestId::parse(id) else {
        return error(StatusCode::NOT_FOUND, "this is no request id");
    };
    let Ok(bytes) = crate::http::read::whole(request.into_body(), BODY_BYTES_MAX, BODY_TIME).await else {
        return error(StatusCode::BAD_REQUEST, "the body could not be read, or is over 4 KiB");
    };
    let body: Body = match serde_json::from_slice(&bytes) {
        Ok(body) => body,
        Err(why) => {
            let hint = "send {\"verdict\": \"good\"} or {\"verdict\": \"bad\"}";
            return error(StatusCode::BAD_REQUEST, &format!("this is no verdict: {why}; {hint}"));
        }
    };
    keep(outlet, id, caller, body.verdict).await.unwrap_or_else(|why| {
        tracing::error!(request = %id, %why, "a verdict could not be kept");
        error(StatusCode::SERVICE_UNAVAILABLE, "the store cannot be written; the log says why")
    })
}

async fn keep(
    outlet: &Outlet,
    id: RequestId,
    caller: Option<&Found>,
    verdict: Verdict,
) -> Result<Response<ReplyBody>, mains_store::db::DbError> {
    // Who judges an answer has just read it: its record is queued, and is waited for.
    outlet.settled().await?;
    let row = outlet.db.request(id).await?;
    let theirs = |row: &mains_store::db::RequestRow| {
        caller.is_none_or(|caller| caller.project.as_deref() == row.project.as_deref())
    };
    let Some(row) = row.filter(theirs) else {
        return Ok(error(StatusCode::NOT_FOUND, "no record of this request"));
    };
    if !row.succeeded {
        return Ok(error(
            StatusCode::CONFLICT,
            "this request was not answered, so there is nothing to judge",
        ));
    }
    let good = matches!(verdict, Verdict::Good);
    let feedback = Feedback {
        request: id,
        at: outlet.clock.now(),
        project: row.project.clone(),
        key_id: caller.map(|caller| caller.id.to_string()),
        good,
        note: None,
    };
    let kept = outlet.db.add_feedback(feedback).await?;
    let counted = match (&row.canary, kept) {
        (Some(canary), FeedbackKept::New) => count(outlet, row.route.as_deref(), canary, good).await,
        _ => false,
    };
    let kept = match kept {
        FeedbackKept::New => "new",
        FeedbackKept::Same => "same",
        FeedbackKept::Changed => "changed",
    };
    let said = json!({"schema": "mains.feedback/1", "request": id.to_string(),
        "verdict": if good { "good" } else { "bad" }, "kept": kept, "counted": counted});
    Ok(text(StatusCode::OK, "application/json", said.to_string()))
}

/// Counts a verdict in the switch under way that drew for its request; `false` where there is none.
async fn count(outlet: &Outlet, route: Option<&str>, canary: &Canary, good: bool) -> bool {
    let Some(route) = route else { return false };
    let arm = watch::arm(if canary.new { Drawn::New } else { Drawn::Old });
    let share = mains_swap::verdict::Ppm(i64::from(canary.share_ppm));
    let leaves = {
        let mut inner = outlet.swaps.inner();
        let running = inner.running.get_mut(route).filter(|running| *running.report == *canary.report);
        let Some(running) = running else { return false };
        running.canary.feedback(&running.plan, arm, share, good);
        running.unsaved = true;
        step::look(route, running, outlet.clock.now())
    };
    if !leaves.is_empty() {
        super::reshape(outlet);
        step::write(outlet, &leaves);
    }
    step::save(outlet).await;
    true
}

fn error(status: StatusCode, message: &str) -> Response<ReplyBody> {
    text(status, "application/json", json!({"error": {"message": message}}).to_string())
}
