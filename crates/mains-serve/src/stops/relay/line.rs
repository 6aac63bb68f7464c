//! The line to one upstream during one attempt: from dialling to the last byte.
//!
//! [`Line::next`] may be dropped at any await and called again: all state is in the line.

use crate::live::Way;
use crate::local::{Local, LocalEvent};
use crate::network::{Network, Unsent};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use mains_wire::neutral::Event;
use std::future::Future;
use std::pin::Pin;
use tokio::sync::mpsc;

/// Most bytes of a provider's error that are read.
const ERROR_BYTES_MAX: usize = 64 << 10;

/// What came over the line.
#[derive(Debug)]
pub(super) enum Piece {
    /// The head of a good reply.
    Head,
    /// Bytes of its body, in the upstream's dialect.
    Bytes(Bytes),
    /// A neutral event of a local model.
    Local(LocalEvent),
    /// The body ended.
    End,
    /// The body broke off.
    Broken,
    /// The reply is an error.
    Refused {
        /// HTTP status.
        status: u16,
        /// Headers of the reply.
        headers: HeaderMap,
        /// Its first bytes.
        body: Bytes,
    },
    /// Nothing could be sent.
    Unsent(Unsent),
    /// A drill keeps this target dead.
    Drilled,
    /// The local model cannot take the question.
    LocalFault(String),
}

type Sending = Pin<Box<dyn Future<Output = Result<Response<Incoming>, Unsent>> + Send>>;

/// The line.
pub(super) enum Line {
    /// No attempt is under way.
    Idle,
    /// A drill answers.
    Drilled,
    /// The question is on its way.
    Sending(Sending),
    /// An error is being read.
    Refusing {
        /// HTTP status.
        status: u16,
        /// Headers of the reply.
        headers: HeaderMap,
        /// What is left of the body.
        body: Incoming,
        /// What was read of it.
        read: BytesMut,
    },
    /// A good body is being read.
    Receiving(Incoming),
    /// A local model answers.
    Local {
        /// Whether the head was told.
        begun: bool,
        /// What it says.
        events: mpsc::Receiver<LocalEvent>,
    },
}

impl Line {
    /// Sends a question over the network.
    pub(super) fn send(network: &Network, way: &Way, request: Request<Full<Bytes>>) -> Self {
        let (network, way) = (network.clone(), way.clone());
        Self::Sending(Box::pin(async move { network.send(&way, request).await }))
    }

    /// Asks the local worker.
    pub(super) fn ask(local: &Local, question: crate::local::LocalQuestion) -> Self {
        Self::Local { begun: false, events: local.ask(question) }
    }

    /// A labeller has answered already.
    pub(super) fn labelled() -> Self {
        let (events, receiver) = mpsc::channel(3);
        let said = LocalEvent::Said(Event::Usage(crate::labels::NO_TOKENS));
        for event in [LocalEvent::Begun, said, LocalEvent::Done] {
            // The channel is new and has room for all.
            let _ = events.try_send(event);
        }
        Self::Local { begun: false, events: receiver }
    }

    /// The next piece; waits for ever on an idle line.
    pub(super) async fn next(&mut self) -> Piece {
        loop {
            match self {
                Self::Idle => std::future::pending::<()>().await,
                Self::Drilled => {
                    *self = Self::Idle;
                    return Piece::Drilled;
                }
                Self::Sending(sending) => match sending.await {
                    Err(unsent) => {
                        *self = Self::Idle;
                        return Piece::Unsent(unsent);
                    }
                    Ok(reply) => {
                        let (head, body) = reply.into_parts();
                        if head.status.is_success() {
                            *self = Self::Receiving(body);
                            return Piece::Head;
                        }
                        let (status, headers) = (head.status.as_u16(), head.headers);
                        *self = Self::Refusing { status, headers, body, read: BytesMut::new() };
                    }
                },
                Self::Refusing { status, headers, body, read } => {
                    if read.len() < ERROR_BYTES_MAX
                        && let Some(Ok(frame)) = body.frame().await
                    {
                        if let Some(data) = frame.data_ref() {
                            let room = ERROR_BYTES_MAX - read.len();
                            read.extend_from_slice(&data[..data.len().min(room)]);
                        }
                        continue;
                    }
                    let (status, headers) = (*status, std::mem::take(headers));
                    let body = std::mem::take(read).freeze();
                    *self = Self::Idle;
                    return Piece::Refused { status, headers, body };
                }
                Self::Receiving(body) => match body.frame().await {
                    None => {
                        *self = Self::Idle;
                        return Piece::End;
                    }
                    Some(Err(_)) => {
                        *self = Self::Idle;
                        return Piece::Broken;
                    }
                    Some(Ok(frame)) => {
                        if let Ok(data) = frame.into_data()
                            && !data.is_empty()
                        {
                            return Piece::Bytes(data);
                        }
                    }
                },
                Self::Local { begun, events } => return Self::next_local(begun, events.recv().await),
            }
        }
    }

    fn next_local(begun: &mut bool, event: Option<LocalEvent>) -> Piece {
        match event {
            Some(LocalEvent::Begun) if !*begun => {
                *begun = true;
                Piece::Head
            }
            Some(LocalEvent::Begun) => Piece::Head,
            Some(LocalEvent::Failed(why)) => Piece::LocalFault(why),
            Some(LocalEvent::Refused { why, code }) => {
                // In the words of a provider, so that it is told apart like theirs.
                let error =
                    serde_json::json!({"message": why, "type": "invalid_request_error", "code": code});
                let body = serde_json::json!({"error": error}).to_string().into();
                Piece::Refused { status: 400, headers: HeaderMap::new(), body }
            }
            Some(LocalEvent::Done) => Piece::End,
            Some(event) => Piece::Local(event),
            None => Piece::Broken,
        }
    }
}
