//! Handing an answer or an error to the client, with the headers that say what it was.

use super::Left;
use super::settle::Settled;
use crate::http::ReplyBody;
use crate::outlet::Outlet;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use mains_units::RequestId;
use mains_wire::Dialect;
use mains_wire::error::{ErrorBody, Refusal, Rendered};
use tokio::sync::{mpsc, oneshot};

/// The media type of a stream.
pub(crate) const STREAM_TYPE: &str = "text/event-stream; charset=utf-8";

/// The client's end of a request.
#[derive(Debug)]
pub(crate) struct Reply {
    head: Option<oneshot::Sender<Response<ReplyBody>>>,
    body: Option<mpsc::Sender<Bytes>>,
}

impl Reply {
    /// From the sender that the connection waits on.
    pub(crate) fn new(head: oneshot::Sender<Response<ReplyBody>>) -> Self {
        Self { head: Some(head), body: None }
    }

    /// Waits until the client has left; for ever when nothing is open any more.
    pub(crate) async fn gone(&mut self) {
        match (&mut self.head, &self.body) {
            (Some(head), _) => head.closed().await,
            (None, Some(body)) => body.closed().await,
            (None, None) => std::future::pending().await,
        }
    }

    /// Whether the head has left.
    pub(crate) fn has_begun(&self) -> bool {
        self.head.is_none()
    }

    /// Sends a whole response.
    pub(crate) fn send(mut self, response: Response<ReplyBody>) {
        if let Some(head) = self.head.take() {
            // A client that left needs no answer.
            let _ = head.send(response);
        }
    }

    /// Sends the head of a stream; pieces follow by [`Self::piece`].
    pub(crate) fn begin(&mut self, mut response: Response<ReplyBody>) {
        let (sender, body) = ReplyBody::pieces();
        *response.body_mut() = body;
        if let Some(head) = self.head.take() {
            let _ = head.send(response);
            self.body = Some(sender);
        }
    }

    /// Sends one piece of a stream; waits while the client is slow. False when it has left.
    pub(crate) async fn piece(&self, bytes: Bytes) -> bool {
        match &self.body {
            Some(body) if !bytes.is_empty() => body.send(bytes).await.is_ok(),
            Some(_) => true,
            None => false,
        }
    }
}

/// A response with the headers that every answer of a request carries.
pub(crate) fn head(
    outlet: &Outlet,
    id: RequestId,
    dialect: Dialect,
    status: u16,
    content_type: &str,
) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::empty());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let id_header = if dialect.is_anthropic() { "request-id" } else { "x-request-id" };
    set(&mut response, CONTENT_TYPE.as_str(), content_type);
    set(&mut response, id_header, &id.to_string());
    set(&mut response, "x-mains-checkpoint", &outlet.checkpoint_header());
    response
}

/// Sets a header; a value that cannot be one is left out rather than breaking the answer.
pub(crate) fn set(response: &mut Response<ReplyBody>, name: &str, value: &str) {
    let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
    else {
        return;
    };
    response.headers_mut().insert(name, value);
}

/// The head of a stream.
pub(crate) fn stream_head(outlet: &Outlet, id: RequestId, dialect: Dialect) -> Response<ReplyBody> {
    let mut response = head(outlet, id, dialect, 200, STREAM_TYPE);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// An error as a whole answer.
pub(crate) fn rendered(
    outlet: &Outlet,
    id: RequestId,
    dialect: Dialect,
    rendered: Rendered,
) -> Response<ReplyBody> {
    let mut response = head(outlet, id, dialect, rendered.status, "application/json");
    for (name, value) in &rendered.headers {
        set(&mut response, name, value);
    }
    *response.body_mut() = ReplyBody::whole(rendered.body);
    response
}

/// Tells a stranger that he is not known.
pub(crate) fn stranger(outlet: &Outlet, reply: Reply, id: RequestId, dialect: Dialect, refusal: &Refusal) {
    outlet.counts.rejected(refusal);
    reply.send(rendered(outlet, id, dialect, refusal.body().render(dialect, id)));
}

/// Tells the caller why the request went no further.
pub(crate) fn refusal(outlet: &Outlet, reply: Reply, left: &Left) {
    let (id, dialect) = (left.who.id, left.who.dialect);
    reply.send(rendered(outlet, id, dialect, left.refusal.body().render(dialect, id)));
}

/// Hands over what has not been handed over yet: a whole answer, or an error before the commit point. The rest of a
/// stream has left already, and dropping the reply ends it.
pub(crate) async fn answer(outlet: &Outlet, reply: Reply, settled: Settled) {
    let (id, dialect) = (settled.who().id, settled.who().dialect);
    let headers = settled.headers();
    if settled.relayed.held.routed.route.stream_footer && reply.has_begun() {
        // A comment, which every reader of event streams skips.
        let line: Vec<String> = headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let _ = reply.piece(Bytes::from(format!(": {}\n\n", line.join(" ")))).await;
    }
    let mut response = match settled.relayed.unsent() {
        None => return,
        Some(Unsent::Answer(bytes)) => {
            let mut response = head(outlet, id, dialect, 200, "application/json");
            *response.body_mut() = ReplyBody::whole(bytes);
            response
        }
        Some(Unsent::Error(body)) => rendered(outlet, id, dialect, body.render(dialect, id)),
    };
    for (name, value) in &headers {
        set(&mut response, name, value);
    }
    reply.send(response);
}

/// What is still to be sent when a request has been settled.
#[derive(Debug)]
pub(crate) enum Unsent {
    /// A whole answer in the caller's dialect.
    Answer(Bytes),
    /// An error, before anything was sent.
    Error(Box<ErrorBody>),
}
