//! Accepting connections, with bounds: how many at once, how long a head may take, how long a drain lasts.

use super::body::ReplyBody;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Bounds of one listener.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections at once; one more is closed at once.
    pub connections_max: usize,
    /// Time for the head of a request to arrive whole.
    pub head_timeout: Duration,
    /// Time for open connections to end after the listener was told to stop.
    pub drain: Duration,
}

/// Serves `listener` until `stop` turns true, then waits for open connections up to `bounds.drain`.
/// The number of connections that were cut is returned.
pub async fn serve<S, F>(
    listener: TcpListener,
    bounds: Bounds,
    mut stop: watch::Receiver<bool>,
    answer: S,
) -> usize
where
    S: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<ReplyBody>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(bounds.connections_max));
    let mut open = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
        };
        while open.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer)) => {
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                    // No place: closing at once is cheaper for both than a queue without end.
                    tracing::warn!(most = bounds.connections_max, "too many connections; one was closed");
                    continue;
                };
                let (answer, stop) = (answer.clone(), stop.clone());
                open.spawn(async move {
                    connection(stream, peer, bounds, stop, answer).await;
                    drop(place);
                });
            }
            Err(error) => {
                // Out of file descriptors and its like: pause, or this loop would spin.
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    let drained = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(bounds.drain, drained).await.is_err() {
        let cut = open.len();
        open.abort_all();
        return cut;
    }
    0
}

async fn connection<S, F>(
    stream: TcpStream,
    peer: SocketAddr,
    bounds: Bounds,
    mut stop: watch::Receiver<bool>,
    answer: S,
) where
    S: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<ReplyBody>> + Send + 'static,
{
    // Small pieces of a stream must not wait for each other.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let answer = answer(request, peer);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head_timeout)
        .max_headers(128)
        .pipeline_flush(true)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => {}
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// Waits until the listener is told to stop, or whoever could tell it is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
