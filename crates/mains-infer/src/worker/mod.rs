//! A model in a process of its own: the protocol over a pipe, and the loop of the child.
//!
//! The parent starts the same executable again and speaks frames with it: a length of four bytes,
//! little-endian, and as many bytes of JSON. Nothing else goes through: no keys, no sockets.
//!
//! Read `message` (what is said), `frame` (how it is cut), `line` (who waits for what), `serve` (what the child does).

mod frame;
mod line;
mod message;
mod serve;

pub use frame::{FRAME_BYTES_MAX, Frames, encode};
pub use line::LINE_MAX;
pub use message::{EncoderReady, FromWorker, Load, LoadEncoder, Ready, Spent, TEXTS_MAX, ToWorker, Trouble};
pub use serve::run;
