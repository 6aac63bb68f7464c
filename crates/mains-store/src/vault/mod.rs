//! The vault: what was asked and answered, where the configuration says that it may be kept. Sealed,
//! and erasable one by one.
//!
//! Read `exchange` (what is kept), `seal` and `kek` (under which keys), `segment` (the files), `table` (where
//! each exchange lies, with its wrapped key), then `reader` (reading, listing, checking), `core` (the writer as
//! one value, without threads), `boot` (from what lies there to that value), `keeper` (the same value behind a
//! bounded queue and a thread: what the outlet uses) and `export` (lines of JSON).
//!
//! Never: a plain text on the disk; a data key that is used twice; a wait of a request for the vault; randomness
//! or a clock of its own.
//!
//! # Keys
//!
//! Every exchange is sealed by XChaCha20-Poly1305 under a **data key** of its own, 256 fresh bits. The data key
//! is sealed (wrapped) in the same way under the **key-encryption key**, which lies in a file outside the data
//! folder ([`Kek`]). The wrapped data key stands in `keys.db` beside the segments and nowhere else: erasing an
//! exchange overwrites it there, and what lies in the segment is then noise to everybody. `keys.db` is a
//! database of its own, so that no copy of `mains.db`, made before a migration or as a backup, brings an erased
//! key back; whoever copies `keys.db` undoes later erasures of what stands in the copy.
//!
//! # Files
//!
//! `segment-NNNNNNNNNN` (ten decimal digits, counted up from 1), `keys.db` (SQLite), `lock`. Numbers are
//! little-endian. A segment is a header, then frames without gaps:
//!
//! | header | bytes | |
//! |---|---|---|
//! | magic | 8 | `mainsvlt` |
//! | version | 4 | 1; another one is refused |
//! | segment | 8 | the number in the file's name |
//! | check | 12 | of the 20 bytes before |
//!
//! | frame | bytes | |
//! |---|---|---|
//! | length | 4 | of `sealed`, 16 to 33,619,992 |
//! | request | 28 | its name as text, `req_` and 24 hexadecimal digits |
//! | nonce | 24 | of the sealing |
//! | head check | 8 | of the 56 bytes before |
//! | sealed | length | the exchange, then the 16 bytes of the Poly1305 tag |
//! | check | 16 | of all bytes of the frame before |
//!
//! A check is the first bytes of SHA-256 over a label (`mains-vault-segment`, `mains-vault-head`,
//! `mains-vault-frame`), the segment's number (8), the frame's offset in the file (8, 0 for the header) and the
//! bytes that it covers. It needs no key, so that damage is found in erased exchanges too; who wants to forge must
//! get past the tag. The associated data of a sealing is `mains-vault-exchange` or `mains-vault-key`, the version
//! (4), the segment (8), the offset (8), the request's name (28) and, for a wrapped key, the name of the
//! key-encryption key (8): nothing can be moved to another place or another request.
//!
//! What is sealed: length of the facts (4), the facts as JSON, length of the request's body (4), that body, and
//! the answer's body to the end.
//!
//! Nothing is compressed. A compressed length tells about the text even under a seal, no compressor is in the
//! tree, and retention bounds the size.
//!
//! # What survives what
//!
//! A frame is synced before its key is written. So what the table names must lie whole in its segment: anything
//! shorter is refused at the start, with file and offset. Behind the last frame that the table names, an
//! incomplete frame (or zeros, where a file system made a file longer before it wrote) is what an interrupted
//! write leaves, and is cut off. A frame without a key cannot be read and goes with its segment. A power cut
//! loses at most the last exchanges, each of them whole.

mod boot;
mod core;
mod error;
mod exchange;
pub mod export;
mod keeper;
mod kek;
mod queue;
mod reader;
mod seal;
mod segment;
mod table;

pub use boot::Opened;
pub use core::{Erased, KeptCount, Offer, RetainFor, Vault, VaultOptions, VaultPruned};
pub use error::VaultError;
pub use exchange::{BODY_BYTES_MAX, Body, Exchange, FACTS_BYTES_MAX};
pub use keeper::{Keeper, KeeperOptions, NotKept, Tallies};
pub use kek::{Kek, KekId};
pub use reader::{Exchanges, Found, VaultFilter, VaultReader, VaultReport, VaultStats};
pub use seal::Fresh;
