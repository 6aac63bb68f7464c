//! The front: which request goes where, and stop 1.

use crate::http::ReplyBody;
use crate::http::gate::{self, Barred};
use crate::outlet::{Found, Outlet};
use crate::stops::deliver::{self, Reply};
use crate::stops::{Arrived, identify};
use crate::tasks::Tracker;
use crate::{api, journey, page, swaps};
use http::header::{CONTENT_TYPE, LOCATION};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use mains_wire::Dialect;
use mains_wire::error::Refusal;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// What one listener hands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// Answers of models; the page too, while the outlet is a keyless loopback service.
    Data,
    /// The page and `/metrics` only, for operators.
    Admin,
}

/// How long a request may wait for a place before it is shed: the store writes the records of the requests before
/// it, and a client is better slowed down than refused.
const PATIENCE: Duration = Duration::from_secs(5);

/// Everything a request needs to find its way.
#[derive(Clone)]
pub struct Front {
    /// The outlet.
    pub outlet: Arc<Outlet>,
    /// What this listener hands out.
    pub face: Face,
    /// Turns true when the outlet drains.
    pub draining: watch::Receiver<bool>,
    /// Set by `journey` tasks so that a drain waits for their records.
    pub tasks: Tracker,
}

impl Front {
    /// Answers one request.
    pub async fn answer(self, request: Request<Incoming>) -> Response<ReplyBody> {
        let keyless = !self.outlet.keys.required();
        let path = request.uri().path().to_owned();
        // Probes carry no Origin and may come by address: they tell nothing.
        if let Some(response) = self.probe(&path, request.method()) {
            return response;
        }
        if keyless {
            let allowed = &self.outlet.live().settings.serve.allowed_hosts.value;
            if let Err(barred) = gate::check(request.method(), request.headers(), allowed) {
                return self.barred(&barred, &path);
            }
        }
        if self.face == Face::Data
            && request.method() == Method::POST
            && let Some(dialect) = Dialect::at_path(&path)
        {
            return self.ask(request, dialect).await;
        }
        self.look(request, &path, keyless).await
    }

    /// Stop 1: the bytes get a name and a time, and a task of their own.
    async fn ask(self, request: Request<Incoming>, dialect: Dialect) -> Response<ReplyBody> {
        let outlet = &self.outlet;
        let (head, body) = request.into_parts();
        let at = outlet.clock.now();
        let Ok(id) = outlet.entropy.request_id(at) else { return no_randomness() };
        let arrived =
            Arrived { id, at, started: outlet.clock.monotonic(), dialect, headers: head.headers, body };
        let Some(place) = self.tasks.enter(PATIENCE).await else {
            let refusal = Refusal::Shed {
                wall: "requests in flight".into(),
                retry_after: mains_units::Span::from_s(1),
            };
            outlet.counts.rejected(&refusal);
            return deliver::rendered(outlet, id, dialect, refusal.body().render(dialect, id));
        };
        let (sender, receiver) = oneshot::channel();
        let task = Arc::clone(outlet);
        tokio::spawn(journey::handle(task, arrived, place, Reply::new(sender)));
        receiver.await.unwrap_or_else(|_| {
            // The task ended without an answer: only a fault of ours can bring that about.
            let refusal = Refusal::Internal { request: id };
            deliver::rendered(outlet, id, dialect, refusal.body().render(dialect, id))
        })
    }

    /// Everything that is looked at rather than asked.
    async fn look(self, request: Request<Incoming>, path: &str, keyless: bool) -> Response<ReplyBody> {
        let outlet = Arc::clone(&self.outlet);
        let loopback = !outlet.live().settings.serve.listens_beyond_loopback();
        let page_here = self.face == Face::Admin || (keyless && loopback);
        let get = request.method() == Method::GET || request.method() == Method::HEAD;
        match path {
            "/v1/models" | "/models" if get => {
                return self.with_key(&request, |front| api::models(&front.outlet, &request));
            }
            _ => {}
        }
        if let Some(id) = path.strip_prefix("/v1/models/").or_else(|| path.strip_prefix("/models/"))
            && get
        {
            return self.with_key(&request, |front| api::model(&front.outlet, &request, id));
        }
        if request.method() == Method::POST
            && let Some(id) =
                path.strip_prefix("/mains/v1/requests/").and_then(|rest| rest.strip_suffix("/feedback"))
        {
            return match self.caller(&request) {
                Ok(caller) => swaps::feedback::take(&outlet, id, caller.as_ref(), request).await,
                Err(refusal) => self.refuse(&refusal, path),
            };
        }
        if let Some(rest) = path.strip_prefix("/mains/v1/")
            && get
        {
            if let Err(refusal) = self.caller(&request) {
                return self.refuse(&refusal, path);
            }
            return api::ours(&outlet, rest, &request).await;
        }
        if page_here && get {
            if path == "/metrics" {
                return text(
                    StatusCode::OK,
                    "text/plain; version=0.0.4; charset=utf-8",
                    outlet.counts.render(&outlet),
                );
            }
            if let Some(response) = page::answer(&outlet, &request, self.draining.clone()).await {
                return response;
            }
        }
        if path == "/" {
            return text(StatusCode::OK, "text/plain; charset=utf-8", "this is a Mains outlet\n".to_owned());
        }
        if request.method() == Method::POST && path.ends_with("/messages/count_tokens") {
            return api::count_tokens(&outlet, request).await;
        }
        self.refuse(&Refusal::PathUnknown { path: path.chars().take(100).collect() }, path)
    }

    /// Who asks; nobody while the outlet has no keys.
    fn caller(&self, request: &Request<Incoming>) -> Result<Option<Found>, Refusal> {
        if !self.outlet.keys.required() {
            return Ok(None);
        }
        let presented = identify::presented(request.headers())
            .ok_or_else(|| Refusal::KeyUnknown { detail: "no key was sent".into() })?;
        self.outlet
            .keys
            .find(presented, self.outlet.clock.now())
            .map(Some)
            .map_err(|detail| Refusal::KeyUnknown { detail })
    }

    fn with_key(
        &self,
        request: &Request<Incoming>,
        answer: impl FnOnce(&Self) -> Response<ReplyBody>,
    ) -> Response<ReplyBody> {
        match self.caller(request) {
            Ok(_) => answer(self),
            Err(refusal) => self.refuse(&refusal, request.uri().path()),
        }
    }

    fn refuse(&self, refusal: &Refusal, path: &str) -> Response<ReplyBody> {
        self.outlet.counts.rejected(refusal);
        let dialect = Dialect::at_path(path).unwrap_or(Dialect::OpenaiChat);
        let Ok(id) = self.outlet.entropy.request_id(self.outlet.clock.now()) else { return no_randomness() };
        deliver::rendered(&self.outlet, id, dialect, refusal.body().render(dialect, id))
    }

    fn barred(&self, barred: &Barred, path: &str) -> Response<ReplyBody> {
        let refusal = Refusal::PlaceForbidden { detail: barred.message() };
        self.outlet.counts.rejected(&refusal);
        let dialect = Dialect::at_path(path).unwrap_or(Dialect::OpenaiChat);
        let Ok(id) = self.outlet.entropy.request_id(self.outlet.clock.now()) else { return no_randomness() };
        let mut rendered = refusal.body().render(dialect, id);
        rendered.status = barred.status();
        deliver::rendered(&self.outlet, id, dialect, rendered)
    }

    fn probe(&self, path: &str, method: &Method) -> Option<Response<ReplyBody>> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return None;
        }
        let plain = |status, body: &str| Some(text(status, "text/plain; charset=utf-8", body.to_owned()));
        match path {
            "/livez" | "/health" | "/health/liveliness" if *self.draining.borrow() => {
                plain(StatusCode::SERVICE_UNAVAILABLE, "draining\n")
            }
            "/livez" | "/health" | "/health/liveliness" => plain(StatusCode::OK, "ok\n"),
            "/readyz" | "/health/readiness" => match self.ready() {
                Ok(()) => plain(StatusCode::OK, "ok\n"),
                Err(why) => plain(StatusCode::SERVICE_UNAVAILABLE, &format!("{why}\n")),
            },
            "/" if *method == Method::HEAD => plain(StatusCode::OK, ""),
            _ => None,
        }
    }

    /// Whether a request could be served and recorded now.
    fn ready(&self) -> Result<(), String> {
        if *self.draining.borrow() {
            return Err("draining".into());
        }
        match self.outlet.ledger.trouble() {
            Some(trouble) => Err(format!("the ledger cannot be written: {trouble}")),
            None => Ok(()),
        }
    }
}

fn no_randomness() -> Response<ReplyBody> {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    text(status, "text/plain; charset=utf-8", "the operating system gives no random numbers\n".to_owned())
}

/// A response of text.
pub fn text(status: StatusCode, kind: &'static str, body: String) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::whole(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(kind));
    response
}

/// A response that sends the reader elsewhere on this outlet.
pub fn elsewhere(path: &'static str) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(LOCATION, http::HeaderValue::from_static(path));
    response
}
