//! The body of a reply: bytes in hand, or bytes that are still coming through a bounded queue.

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// How many pieces may wait for a slow client. When the queue is full the outlet stops reading from the
/// provider, so a client that does not read cannot fill the memory.
const QUEUE_PIECES: usize = 16;

/// A reply's body.
#[derive(Debug)]
pub enum ReplyBody {
    /// All bytes are known.
    Whole(Option<Bytes>),
    /// Bytes come one piece at a time.
    Pieces(mpsc::Receiver<Bytes>),
}

impl ReplyBody {
    /// Nothing at all.
    pub fn empty() -> Self {
        Self::Whole(None)
    }

    /// These bytes.
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(Some(bytes.into()))
    }

    /// A body and the end to write into. Dropping the sender ends the body; a dropped body makes every
    /// further write fail, which is how a client that left is noticed.
    pub fn pieces() -> (mpsc::Sender<Bytes>, Self) {
        let (sender, receiver) = mpsc::channel(QUEUE_PIECES);
        (sender, Self::Pieces(receiver))
    }
}

impl http_body::Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Pieces(receiver) => {
                receiver.poll_recv(context).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Pieces(_) => SizeHint::default(),
        }
    }
}
