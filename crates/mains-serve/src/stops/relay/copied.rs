//! What the caller of a stream received, where it may be kept or a switch looks at it; bounded, so that a long answer cannot fill the memory.

use crate::stops::Held;
use mains_config::Record;

/// The most bytes of a body that these settings keep.
pub(crate) fn bytes_max(record: &Record) -> usize {
    usize::try_from(record.max_body_bytes.value).unwrap_or(usize::MAX)
}

/// The most bytes of a stream that are looked at for a switch.
const LOOKED_AT_BYTES_MAX: usize = 1 << 20;

/// The bytes of a stream as they went out.
#[derive(Debug, Default)]
pub(crate) enum Copied {
    /// None are collected: nothing of this request may be kept and no switch looks at it, or it is no stream.
    #[default]
    Off,
    /// Those so far, and the most that are kept.
    Bytes(Vec<u8>, usize),
    /// There were more than are kept.
    TooLarge,
}

impl Copied {
    /// Whether the answer to this question is to be collected.
    pub(crate) fn of(held: &Held) -> Self {
        let asked = held.asked();
        let record = &asked.who.live.settings.record;
        let kept = record.keep_days(asked.who.caller.project.as_deref()).is_some();
        let compared = held.routed.label.as_ref().is_some_and(|call| call.verdict.is_some());
        if !asked.peek.stream || !(kept || held.routed.coin.is_some() || compared) {
            Self::Off
        } else if !kept {
            Self::Bytes(Vec::new(), LOOKED_AT_BYTES_MAX)
        } else if asked.bytes.len() > bytes_max(record) {
            Self::TooLarge
        } else {
            Self::Bytes(Vec::new(), bytes_max(record))
        }
    }

    /// More bytes went out.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        if let Self::Bytes(all, most) = self {
            if all.len().saturating_add(bytes.len()) > *most {
                *self = Self::TooLarge;
            } else {
                all.extend_from_slice(bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_collected_up_to_the_bound_and_let_go_beyond_it() {
        let mut copied = Copied::Bytes(Vec::new(), 4);
        copied.add(b"ab");
        copied.add(b"cd");
        assert!(matches!(&copied, Copied::Bytes(all, 4) if all == b"abcd"));
        copied.add(b"e");
        assert!(matches!(copied, Copied::TooLarge));
        let mut off = Copied::Off;
        off.add(b"ab");
        assert!(matches!(off, Copied::Off));
    }
}
