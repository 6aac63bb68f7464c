//! Dialling out: one pool of connections for each way out.
//!
//! Addresses come from the configuration only. Redirects are not followed. The standard variables for proxies
//! (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`) and for own roots (`SSL_CERT_FILE`, added to the roots
//! that are compiled in) are obeyed; an upstream's `proxy` goes before them.

use crate::live::{Upstream, Way};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use mains_units::Span;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::collections::HashMap;
use std::error::Error as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
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

type Direct = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;
type Proxied = Client<HttpsConnector<Tunnel<HttpConnector>>, Full<Bytes>>;

/// The ways out.
#[derive(Clone)]
pub struct Network {
    direct: Direct,
    proxied: Arc<Mutex<HashMap<Uri, Proxied>>>,
    environment: Arc<Matcher>,
    tls: ClientConfig,
    connect: Span,
}

impl Network {
    /// Connections must be made within `connect`; `roots` is a PEM file with further certificate authorities.
    pub fn new(connect: Span, roots: Option<&Path>) -> Result<Self, String> {
        let tls = tls(roots)?;
        let direct = pool().build(https(tls.clone(), dialler(connect)));
        Ok(Self { direct, proxied: Arc::default(), environment: Arc::new(Matcher::from_env()), tls, connect })
    }

    /// Sends a request and waits for the head of its reply.
    pub async fn send(&self, way: &Way, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Unsent> {
        let (proxy, login) = match way {
            Way::Direct => (None, None),
            Way::Proxy(proxy) => (Some(proxy.clone()), None),
            Way::Environment => match self.environment.intercept(request.uri()) {
                Some(proxy) => (Some(proxy.uri().clone()), proxy.basic_auth().cloned()),
                None => (None, None),
            },
        };
        let sent = match proxy {
            None => self.direct.request(request).await,
            Some(proxy) => self.through(proxy, login).request(request).await,
        };
        sent.map_err(|error| why(&error))
    }

    fn through(&self, proxy: Uri, login: Option<http::HeaderValue>) -> Proxied {
        let mut all = self.proxied.lock().unwrap_or_else(PoisonError::into_inner);
        let made = all.entry(proxy.clone()).or_insert_with(|| {
            let tunnel = Tunnel::new(proxy, dialler(self.connect));
            let tunnel = match login {
                Some(login) => tunnel.with_auth(login),
                None => tunnel,
            };
            pool().build(https(self.tls.clone(), tunnel))
        });
        made.clone()
    }
}

fn dialler(connect: Span) -> HttpConnector {
    let mut http = HttpConnector::new();
    http.set_nodelay(true);
    http.enforce_http(false);
    http.set_connect_timeout(Some(connect.to_std()));
    http
}

fn pool() -> hyper_util::client::legacy::Builder {
    let mut pool = Client::builder(TokioExecutor::new());
    pool.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).pool_max_idle_per_host(IDLE_PER_HOST);
    pool
}

fn https<C>(tls: ClientConfig, connector: C) -> HttpsConnector<C> {
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
    builder.enable_http1().enable_http2().wrap_connector(connector)
}

fn tls(roots: Option<&Path>) -> Result<ClientConfig, String> {
    let mut store = RootCertStore::empty();
    store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(path) = roots {
        let failed = |error: String| {
            format!(
                "cannot read the certificate authorities in `{}`: {error}\nhint: point SSL_CERT_FILE at a PEM file, or unset it",
                path.display()
            )
        };
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| failed(error.to_string()))? {
            let certificate = certificate.map_err(|error| failed(error.to_string()))?;
            // A bundle of a system holds certificates that are no authorities; they are passed over.
            let _ = store.add(certificate);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(store).with_no_client_auth())
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
    let upstream: &Upstream = &facts.upstream;
    let target = upstream.provider.count_tokens(upstream.base_url.as_deref(), upstream.key.as_ref()).ok()?;
    let edits = mains_wire::edit::Edits { model: Some(&facts.model), ..Default::default() };
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
    let reply = outlet.network.send(&upstream.way, request.body(Full::new(body.into())).ok()?).await.ok()?;
    let status = reply.status();
    let limited = http_body_util::Limited::new(reply.into_body(), 1 << 20);
    Some((status, limited.collect().await.ok()?.to_bytes()))
}
