//! The page: HTML and SVG made here, one small script for live updates, nothing from outside.
//!
//! `view` gathers what a page shows, `meters` draws the four meters, `words` puts figures into words. No content and
//! no key is ever on it.

mod meters;
mod view;
mod words;

use crate::http::ReplyBody;
use crate::outlet::Outlet;
use askama::Template;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Nothing is loaded from anywhere else, and no other page may frame this one.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Rows on a page of requests.
const ROWS: usize = 50;

/// Answers a request for a page; `None` where there is none at this path.
pub(crate) async fn answer(
    outlet: &Arc<Outlet>,
    request: &Request<Incoming>,
    draining: watch::Receiver<bool>,
) -> Option<Response<ReplyBody>> {
    let query = request.uri().query().unwrap_or_default();
    Some(match request.uri().path() {
        "/" => html(view::board(outlet, &address(request)).await),
        "/requests" => html(view::requests(outlet, query, ROWS).await),
        "/ui/mains.css" => asset("text/css; charset=utf-8", include_bytes!("../../assets/mains.css")),
        "/ui/mains.js" => asset("text/javascript; charset=utf-8", include_bytes!("../../assets/mains.js")),
        "/ui/icon.svg" => asset("image/svg+xml", include_bytes!("../../assets/icon.svg")),
        "/ui/events" => events(outlet, draining),
        path => html(view::request(outlet, path.strip_prefix("/requests/")?).await?),
    })
}

fn address(request: &Request<Incoming>) -> String {
    let host = request.headers().get(http::header::HOST).and_then(|host| host.to_str().ok());
    format!("http://{}", host.unwrap_or("127.0.0.1:2300"))
}

fn html<T: Template>(template: Result<T, String>) -> Response<ReplyBody> {
    let (status, body) = match template
        .and_then(|template| template.render().map_err(|error| error.to_string()))
    {
        Ok(body) => (StatusCode::OK, body),
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            (StatusCode::INTERNAL_SERVER_ERROR, "this page could not be made; the log says why".to_owned())
        }
    };
    let mut response = crate::front::text(status, "text/html; charset=utf-8", body);
    guard(&mut response);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn guard(response: &mut Response<ReplyBody>) {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
}

fn asset(kind: &'static str, bytes: &'static [u8]) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::whole(Bytes::from_static(bytes)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("max-age=300"));
    guard(&mut response);
    response
}

async fn drained(draining: &mut watch::Receiver<bool>) {
    let _ = draining.wait_for(|draining| *draining).await;
}

/// The board again and again, at most once a second and only when it changed.
fn events(outlet: &Arc<Outlet>, mut draining: watch::Receiver<bool>) -> Response<ReplyBody> {
    let (pieces, body) = ReplyBody::pieces();
    let outlet = Arc::clone(outlet);
    tokio::spawn(async move {
        let mut last = String::new();
        let mut quiet = 0_u32;
        loop {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
                () = drained(&mut draining) => return,
            }
            let Ok(fragment) =
                view::live(&outlet).await.and_then(|view| view.render().map_err(|error| error.to_string()))
            else {
                return;
            };
            quiet += 1;
            let piece = if fragment != last {
                quiet = 0;
                let mut event = "event: live\n".to_owned();
                for line in fragment.lines() {
                    event.extend(["data: ", line, "\n"]);
                }
                last = fragment;
                event + "\n"
            } else if quiet.is_multiple_of(15) {
                ": still here\n\n".to_owned()
            } else {
                continue;
            };
            if pieces.send(piece.into()).await.is_err() {
                return;
            }
        }
    });
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    guard(&mut response);
    response
}
