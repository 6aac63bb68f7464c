//! Reading a request's body whole, within bounds.

use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::time::Duration;

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// Longer than this many bytes.
    TooLarge(usize),
    /// It did not arrive whole within the time given.
    TooSlow,
    /// The client left in the middle.
    Gone,
}

/// Reads the whole body: at most `most` bytes, within `within`. Memory grows with what arrives, not with
/// what the client announces.
pub async fn whole(body: Incoming, most: usize, within: Duration) -> Result<Bytes, Unreadable> {
    if body.size_hint().lower() > most as u64 {
        return Err(Unreadable::TooLarge(most));
    }
    tokio::time::timeout(within, collect(body, most)).await.unwrap_or(Err(Unreadable::TooSlow))
}

async fn collect(mut body: Incoming, most: usize) -> Result<Bytes, Unreadable> {
    let mut first: Option<Bytes> = None;
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Unreadable::Gone)?.into_data() else { continue };
        let have = all.len() + first.as_ref().map_or(0, Bytes::len);
        if have + data.len() > most {
            return Err(Unreadable::TooLarge(most));
        }
        match (first.take(), all.is_empty()) {
            // Nearly every body comes in one piece, which is then not copied.
            (None, true) => first = Some(data),
            (held, _) => {
                if let Some(held) = held {
                    all.extend_from_slice(&held);
                }
                all.extend_from_slice(&data);
            }
        }
    }
    Ok(first.unwrap_or_else(|| all.freeze()))
}
