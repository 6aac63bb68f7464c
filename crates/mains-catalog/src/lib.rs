//! What models exist, what they cost, when they end, how big they are: facts with source and date.
//!
//! Read `fact` (one lifecycle fact), `model` (one model at one host), `host` and `physics`, then `catalog`
//! (all of them together), then the questions asked of it: `spelling` (which model does this text mean),
//! `lifecycle` (is it alive on that day), `replace` (what instead), `describe` (all that is known, and what
//! differs). `overlay` adds a user's own facts.
//!
//! The data files under `data/` are made by `cargo xtask catalog`; `data/sources.csv` explains every source
//! code in them, with licence and the day it was read.
//!
//! Never: a number without source and date, a guess at what a name means, an effect.

mod catalog;
mod describe;
mod fact;
mod host;
mod index;
mod lifecycle;
mod model;
mod overlay;
mod physics;
mod replace;
mod spelling;
mod table;

pub use catalog::Catalog;
pub use describe::{Change, Description, HostDescription, Statement, diff};
pub use fact::{AfterShutdown, Confidence, DateKind, Endpoint, Fact, FactKind, LegacyCall, Source};
pub use host::{Dialect, Host};
pub use lifecycle::{After, Basis, Evidence, Lifecycle};
pub use model::{Alias, Capabilities, Modalities, Modality, Model, ModelKind, Price, PriceTier, UnitPrice};
pub use overlay::OverlayError;
pub use physics::{Bounds, GridMix, Hardware, Parameters, SiteDefaults, VideoModel};
pub use replace::{Replacements, Step, Substitute, SubstituteKind};
pub use spelling::{Lookup, Resolved, Spelling, SpellingStep};

/// The SHA-256, in hexadecimal digits, over named files: what the built-in catalogue is known by.
///
/// Each file enters as its name, a zero byte, its length in eight big-endian bytes, and its bytes.
pub fn hash_of_files<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> String {
    use sha2::{Digest, Sha256};
    let mut hasher = Sha256::new();
    for (name, bytes) in files {
        hasher.update(name.as_bytes());
        hasher.update([0]);
        hasher.update((bytes.len() as u64).to_be_bytes());
        hasher.update(bytes);
    }
    let mut hexadecimal = String::with_capacity(64);
    for byte in hasher.finalize() {
        for digit in [byte >> 4, byte & 15] {
            hexadecimal.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    hexadecimal
}
