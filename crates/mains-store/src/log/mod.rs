//! The files of the log on disk: one journal that is synced, everything else derived from it.
//!
//! Read `disk` (what a disk can do), `files` (the real one) and `double` (the one that loses what was not
//! synced), then `core` (journal, tree and signature as one value, without threads: what simulations drive),
//! `boot` (from what lies there to that value), `appender` (the same value behind two threads: what the
//! outlet uses), `read` (proofs and files for others), `key`.
//!
//! Never: a rule about what stands in a leaf; a signature under a tree that the last one does not begin.

mod appender;
mod boot;
mod core;
mod disk;
pub mod double;
mod files;
pub mod key;
mod read;
mod ticket;

pub use appender::{Appender, Clock, SyncTimes};
pub use core::{CHECKPOINT_LEAVES, Log, Recovered, SignedCheckpoint};
pub use disk::{Disk, Keep, LockGuard, LogError};
pub use files::FileDisk;
pub use read::LogReader;
pub use ticket::{Durable, Ticket};
