//! A small client for the outlet's own port, as an application would use it.

use crate::print::Trouble;
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// An HTTP client for one base address, `http://127.0.0.1:2300`.
pub(crate) struct Client {
    base: String,
    key: Option<String>,
    pool: Pool<HttpConnector, Full<Bytes>>,
}

/// A reply.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Client {
    /// A client; `key` is sent along where the outlet requires one.
    pub(crate) fn new(base: impl Into<String>, key: Option<String>) -> Self {
        Self { base: base.into(), key, pool: Pool::builder(TokioExecutor::new()).build(HttpConnector::new()) }
    }

    /// Posts JSON.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Reply, Trouble> {
        let request =
            Request::post(format!("{}{path}", self.base)).header("content-type", "application/json");
        self.send(request, Full::from(body.to_string())).await
    }

    /// Reads.
    pub(crate) async fn get(&self, path: &str) -> Result<Reply, Trouble> {
        self.send(Request::get(format!("{}{path}", self.base)), Full::default()).await
    }

    async fn send(&self, mut request: http::request::Builder, body: Full<Bytes>) -> Result<Reply, Trouble> {
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let reply = self.pool.request(request.body(body)?).await?;
        let (head, body) = reply.into_parts();
        Ok(Reply {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body.collect().await?.to_bytes(),
        })
    }
}

impl Reply {
    /// A header as text; empty where it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON; `null` where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Whether the whole answer came: a stream that broke carries an error instead of an end.
    pub(crate) fn is_whole(&self) -> bool {
        let text = String::from_utf8_lossy(&self.body);
        self.status == 200 && !text.contains("\"error\":{")
    }
}
