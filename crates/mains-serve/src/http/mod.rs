//! HTTP as the outlet speaks it: bodies, listeners, the gate in front of the stops.

pub mod body;
pub mod gate;
pub mod listen;
pub mod read;

pub use body::ReplyBody;
