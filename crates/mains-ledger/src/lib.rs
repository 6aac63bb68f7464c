//! Appends to and proves a Merkle log over bytes, in the formats of C2SP `tlog-tiles`, `tlog-checkpoint`,
//! `signed-note` and `tlog-proof`, with the hashing of RFC 6962.
//!
//! Read `hash` and `tree` (what is summed up), then `proof` (how a part is shown to belong to the whole),
//! `tile` (how the tree lies in files), `note` and `checkpoint` (what is signed), `journal` (what is synced
//! first), `builder` (journal to files), `verify` (files back to certainty), and apart from all of them
//! `leaf` and `commitment` (what Mains puts into its log).
//!
//! Never: knowing what the bytes mean. Only `leaf` knows Mains' own leaves, and nothing else here uses it.
//! No clock, file, socket, environment or randomness either: bytes and names go in and out.

pub mod builder;
pub mod checkpoint;
pub mod commitment;
pub mod hash;
pub mod journal;
pub mod leaf;
pub mod note;
pub mod proof;
pub mod tile;
pub mod tree;
pub mod verify;

pub use checkpoint::{Checkpoint, LeafProof};
pub use hash::Hash;
pub use note::{Ed25519Signer, Signer, VerifierKey};
pub use tree::Frontier;
pub use verify::{Fault, Files, Report, Scope, verify};

/// The longest leaf in bytes: an entry bundle writes its length in 16 bits.
pub const LEAF_BYTES_MAX: usize = 65_535;
