//! Labellers before their teachers, while the outlet runs.
//!
//! `mains_distill::serving` decides from requests and counts. Here the files are read and checked (`file`), a request is
//! labelled (`consider`) and answered in its dialect (`said`), what the teacher says is compared (`watch`), and every
//! step is saved and a leaf (`begin`, `step`). `lines` says how each stands.
//!
//! Never: an answer from a file whose signature, certificate or teacher is not as it must be; a way back from a
//! withdrawal for the same file.

mod begin;
mod consider;
mod file;
pub(crate) mod lines;
mod said;
mod step;
pub(crate) mod watch;

pub(crate) use begin::{enter, prepare, start};
pub(crate) use consider::{Call, consider};
pub(crate) use said::{NO_TOKENS, Reply};
pub(crate) use step::{row_erased, save, withdraw};

use file::Loaded;
use mains_distill::serving::{State, Terms};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The folder of labellers in the data folder.
pub const FOLDER: &str = "labellers";

/// All labellers of this outlet.
pub struct Labels {
    folder: PathBuf,
    /// By the model of the route.
    inner: Mutex<BTreeMap<String, Running>>,
}

/// A labeller that stands in a route.
pub(crate) struct Running {
    loaded: Arc<Loaded>,
    terms: Terms,
    state: State,
    /// Whether the store has less than this.
    unsaved: bool,
    tallies: Tallies,
}

/// What happened since the outlet started.
#[derive(Debug, Clone, Copy, Default)]
struct Tallies {
    /// Requests of the route.
    requests: u64,
    /// Those in scope.
    in_scope: u64,
    /// Those that the labeller answered.
    answered: u64,
    /// The last so many in a row were out of scope.
    out_of_scope_in_a_row: u64,
}

/// So many requests in a row without one in scope say that the prompt has changed.
const OUT_OF_SCOPE_TOLD: u64 = 200;

impl Labels {
    /// None yet; their files lie in this folder.
    pub fn new(data: &Path) -> Self {
        Self { folder: data.join(FOLDER), inner: Mutex::default() }
    }

    fn inner(&self) -> MutexGuard<'_, BTreeMap<String, Running>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    fn share_percent(&self) -> u64 {
        self.state.share_percent(self.terms)
    }
}
