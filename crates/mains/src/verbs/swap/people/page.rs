//! Grading on a page that this machine serves to itself: under a path that nobody can guess, with nothing from elsewhere.

use super::desk::{Desk, Said};
use crate::print::{self, Trouble};
use askama::Template;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use mains_host::Entropy;
use mains_serve::http::listen::{Bounds, serve as listen};
use mains_serve::http::{ReplyBody, gate, read};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Style, script and form are this page's own; nothing else is loaded, and no other page may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A verdict is a few bytes.
const BODY_BYTES_MAX: usize = 1_024;

const BOUNDS: Bounds =
    Bounds { connections_max: 32, head_timeout: Duration::from_secs(10), drain: Duration::from_secs(2) };

#[derive(Template)]
#[template(path = "grade.html")]
struct Page<'d> {
    graded: usize,
    all: usize,
    criteria: &'d str,
    shown: Option<super::desk::Shown<'d>>,
}

struct Served {
    desk: Mutex<Desk>,
    /// `/` and 64 hexadecimal digits.
    path: String,
    stop: watch::Sender<bool>,
}

/// Serves the page until all is graded or somebody interrupts.
pub(super) async fn serve(desk: Desk) -> Result<Desk, Trouble> {
    let mut path = "/".to_owned();
    for byte in Entropy::system()?.key()? {
        // Writing to a string cannot fail.
        let _ = write!(path, "{byte:02x}");
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    print::data(&format!("http://{address}{path}/"));
    print::say("grade there; the verdicts so far are kept when you end this with Ctrl-C");
    let served = Arc::new(Served { desk: Mutex::new(desk), path, stop });
    let answer = {
        let served = Arc::clone(&served);
        move |request, _| answer(Arc::clone(&served), request)
    };
    let interrupt = Arc::clone(&served);
    let watching = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            let _ = interrupt.stop.send(true);
        }
    });
    listen(listener, BOUNDS, stopped, answer).await;
    watching.abort();
    let _ = watching.await;
    let served = Arc::into_inner(served).ok_or_else(|| Trouble::new("the page is still being read"))?;
    Ok(served.desk.into_inner().unwrap_or_else(PoisonError::into_inner))
}

async fn answer(served: Arc<Served>, request: Request<Incoming>) -> Response<ReplyBody> {
    // The form is no JSON, so the gate is asked as for a page: `Host` and `Origin` must be ours.
    if let Err(barred) = gate::check(&Method::GET, request.headers(), &[]) {
        let status = StatusCode::from_u16(barred.status()).unwrap_or(StatusCode::FORBIDDEN);
        return text(status, "text/plain; charset=utf-8", barred.message());
    }
    let path = request.uri().path().to_owned();
    let (method, rest) = (request.method().clone(), path.strip_prefix(&served.path).map(str::to_owned));
    match (method, rest.as_deref()) {
        (Method::GET, Some("/")) => served.page(),
        (Method::GET, Some("/grade.css")) => text(
            StatusCode::OK,
            "text/css; charset=utf-8",
            include_str!("../../../../assets/grade.css").into(),
        ),
        (Method::GET, Some("/grade.js")) => text(
            StatusCode::OK,
            "text/javascript; charset=utf-8",
            include_str!("../../../../assets/grade.js").into(),
        ),
        (Method::POST, Some("/")) => {
            match read::whole(request.into_body(), BODY_BYTES_MAX, Duration::from_secs(10)).await {
                Ok(body) => served.post(&String::from_utf8_lossy(&body)),
                Err(_) => refused("the verdict could not be read"),
            }
        }
        _ => text(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "there is nothing here".into()),
    }
}

impl Served {
    fn page(&self) -> Response<ReplyBody> {
        let desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        let (graded, all) = desk.progress();
        match (Page { graded, all, criteria: desk.criteria(), shown: desk.next() }).render() {
            Ok(page) => text(StatusCode::OK, "text/html; charset=utf-8", page),
            Err(error) => failed(&error.to_string()),
        }
    }

    /// `number=3&said=1`.
    fn post(&self, form: &str) -> Response<ReplyBody> {
        let field = |name: &str| {
            form.split('&')
                .filter_map(|pair| pair.split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value)
        };
        let number = field("number").and_then(|text| text.parse().ok());
        let said = field("said").and_then(|text| text.chars().next()).and_then(Said::key);
        let (Some(number), Some(said)) = (number, said) else { return refused("this is no verdict") };
        let done = {
            let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(trouble) = desk.take(number, said) {
                return failed(&trouble.text());
            }
            desk.is_done()
        };
        if done {
            // The last page is in hand before the listener ends.
            let page = self.page();
            let _ = self.stop.send(true);
            return page;
        }
        let mut response = text(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", String::new());
        if let Ok(place) = HeaderValue::from_str(&format!("{}/", self.path)) {
            response.headers_mut().insert(LOCATION, place);
        }
        response
    }
}

fn refused(why: &str) -> Response<ReplyBody> {
    text(StatusCode::BAD_REQUEST, "text/plain; charset=utf-8", why.to_owned())
}

fn failed(why: &str) -> Response<ReplyBody> {
    text(StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", why.to_owned())
}

fn text(status: StatusCode, kind: &'static str, body: String) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::whole(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    // With `no-referrer` the browser would call the form's own origin `null`, and the gate would turn it away.
    headers.insert("referrer-policy", HeaderValue::from_static("same-origin"));
    response
}
