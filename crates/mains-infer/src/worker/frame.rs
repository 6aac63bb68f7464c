//! Frames: a length and JSON. Bytes in, messages out, with no reading or writing, so that blocking and
//! asynchronous code can both drive it.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;

/// The largest frame. A longer one is an error of the other side, and nothing is kept of it.
pub const FRAME_BYTES_MAX: usize = 32 << 20;

/// The bytes of a message.
pub fn encode<M: Serialize>(message: &M) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)
        .map_err(|e| Error::protocol(format!("a message cannot be written: {e}")))?;
    let length = bytes.len() - 4;
    match u32::try_from(length) {
        Ok(prefix) if length <= FRAME_BYTES_MAX => {
            bytes[..4].copy_from_slice(&prefix.to_le_bytes());
            Ok(bytes)
        }
        _ => Err(Error::protocol(format!("a message of {length} bytes is larger than {FRAME_BYTES_MAX}"))),
    }
}

/// Cuts arriving bytes into messages.
#[derive(Debug)]
pub struct Frames<M> {
    bytes: Vec<u8>,
    start: usize,
    message: PhantomData<fn() -> M>,
}

impl<M> Default for Frames<M> {
    fn default() -> Self {
        Self { bytes: Vec::new(), start: 0, message: PhantomData }
    }
}

impl<M: DeserializeOwned> Frames<M> {
    /// Adds bytes as they came.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message, if there is one. After an error about the length nothing further can be
    /// understood: end the conversation. After one about the content the next message may be.
    pub fn take(&mut self) -> Result<Option<M>, Error> {
        let left = &self.bytes[self.start..];
        let Some((prefix, rest)) = left.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_le_bytes(*prefix) as usize;
        if length > FRAME_BYTES_MAX {
            return Err(Error::new(
                crate::Fault::Io,
                format!("a frame of {length} bytes is larger than {FRAME_BYTES_MAX}"),
            ));
        }
        let Some(content) = rest.get(..length) else { return Ok(None) };
        let message = serde_json::from_slice(content)
            .map_err(|e| Error::protocol(format!("a frame of {length} bytes was not understood: {e}")));
        self.start += 4 + length;
        message.map(Some)
    }

    /// Whether bytes of an unfinished message are left.
    pub fn unfinished(&self) -> bool {
        self.start < self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::ToWorker;
    use proptest::prelude::*;

    #[test]
    fn messages_survive_any_cut() {
        let sent: Vec<ToWorker> = (0..5).map(|id| ToWorker::Cancel { id }).collect();
        let bytes: Vec<u8> = sent.iter().flat_map(|message| encode(message).unwrap()).collect();
        for cut in 1..bytes.len() {
            let mut frames = Frames::<ToWorker>::default();
            let mut got = Vec::new();
            for piece in bytes.chunks(cut) {
                frames.push(piece);
                while let Some(message) = frames.take().unwrap() {
                    got.push(message);
                }
            }
            assert_eq!(got, sent, "cut {cut}");
            assert!(!frames.unfinished());
        }
    }

    #[test]
    fn a_frame_that_is_too_long_or_not_json_is_an_error() {
        let mut frames = Frames::<ToWorker>::default();
        frames.push(&u32::MAX.to_le_bytes());
        assert!(frames.take().is_err());
        let mut frames = Frames::<ToWorker>::default();
        frames.push(&[2, 0, 0, 0, b'{', b'x']);
        frames.push(&encode(&ToWorker::Ping { nonce: 4 }).unwrap());
        assert!(frames.take().is_err());
        assert_eq!(frames.take().unwrap(), Some(ToWorker::Ping { nonce: 4 }));
    }

    proptest! {
        #[test]
        fn any_bytes_are_messages_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut frames = Frames::<ToWorker>::default();
            frames.push(&bytes);
            for _ in 0..60 {
                if !matches!(frames.take(), Ok(Some(_))) { break; }
            }
        }
    }
}
