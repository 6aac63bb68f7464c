//! Dialling out: one pool of connections for all upstreams.
//!
//! Addresses come from the configuration only. Redirects are not followed, environment proxies are used where the
//! operator set them.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use mains_units::Span;
use std::error::Error as _;
use std::time::Duration;

/// A connection that is not used for so long is closed.
const IDLE: Duration = Duration::from_mins(1);

/// Idle connections kept for one upstream.
const IDLE_PER_HOST: usize = 256;

/// Why a request could not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsent {
    /// No connection within the deadline.
    ConnectTimeout,
    /// No connection, or it broke before the head of a reply came.
    Unreachable,
}

/// The pool.
#[derive(Debug, Clone)]
pub struct Network {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Network {
    /// A pool whose connections must be made within `connect`.
    pub fn new(connect: Span) -> Self {
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        http.enforce_http(false);
        http.set_connect_timeout(Some(connect.to_std()));
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .build(https);
        Self { client }
    }

    /// Sends a request and waits for the head of its reply.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Unsent> {
        self.client.request(request).await.map_err(|error| why(&error))
    }
}

fn why(error: &Error) -> Unsent {
    let mut cause = error.source();
    while let Some(error) = cause {
        let timed_out = error.downcast_ref::<std::io::Error>();
        if timed_out.is_some_and(|error| error.kind() == std::io::ErrorKind::TimedOut) {
            return Unsent::ConnectTimeout;
        }
        cause = error.source();
    }
    Unsent::Unreachable
}

/// Passes a question about tokens on to a provider. `None` when it did not answer.
pub async fn forward_count(
    outlet: &crate::outlet::Outlet,
    facts: &crate::live::TargetFacts,
    headers: &http::HeaderMap,
    body: &[u8],
) -> Option<(http::StatusCode, Bytes)> {
    let upstream = &facts.upstream;
    let target = upstream.provider.count_tokens(upstream.base_url.as_deref(), upstream.key.as_ref()).ok()?;
    let edits = mains_wire::edit::Edits { model: Some(&facts.model), include_usage: false };
    let body = mains_wire::edit::apply(body, &edits).ok()?;
    let mut request = Request::post(&target.url);
    for (name, value) in &target.headers {
        request = request.header(*name, value);
    }
    if let Some((name, secret)) = &target.auth {
        request = request.header(*name, secret.expose());
    }
    for name in ["anthropic-version", "anthropic-beta"] {
        if let Some(value) = headers.get(name) {
            request.headers_mut()?.insert(name, value.clone());
        }
    }
    let reply = outlet.network.send(request.body(Full::new(body.into())).ok()?).await.ok()?;
    let status = reply.status();
    let limited = http_body_util::Limited::new(reply.into_body(), 1 << 20);
    Some((status, limited.collect().await.ok()?.to_bytes()))
}
