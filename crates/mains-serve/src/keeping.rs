//! Content of requests and answers, where the settings allow it to be kept: the vault of this outlet.
//!
//! The vault lies in `vault/` of the data folder. It is opened when the settings keep anything, at the start or at a
//! reload, and where there is one from before: what was kept ends in its time also when nothing more is kept.
//!
//! Never: a wait of a request; content outside the vault.

use crate::live::Live;
use crate::outlet::Outlet;
use mains_config::{Record, Settings};
use mains_host::Entropy;
use mains_store::db::Db;
use mains_store::vault::{
    BODY_BYTES_MAX, Erased, Exchange, Fresh, Keeper, KeeperOptions, Kek, RetainFor, Tallies, Vault,
    VaultError, VaultOptions, VaultPruned,
};
use mains_units::{RequestId, Timestamp};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// The vault's folder in the data folder.
pub const VAULT: &str = "vault";

/// Where the parts of the vault lie.
#[derive(Debug, Clone)]
pub struct Places {
    /// The data folder.
    pub data: PathBuf,
    /// Where a relative `key_file` begins: the folder of `mains.toml`.
    pub base: PathBuf,
    /// The key's place where the settings name none.
    pub default_key: Option<PathBuf>,
}

impl Places {
    /// The file of the key-encryption key.
    pub fn key(&self, record: &Record) -> Result<PathBuf, String> {
        match (&record.key_file, &self.default_key) {
            (Some(named), _) => Ok(self.base.join(&named.value)),
            (None, Some(default)) => Ok(default.clone()),
            (None, None) => Err("there is no folder for the key of the vault: neither `XDG_STATE_HOME` nor `HOME` is set\nhint: set `key_file` in `[record]` to a file outside the data folder".into()),
        }
    }
}

/// What is kept of requests and answers, or nothing.
pub struct Keeping {
    places: Places,
    keeper: RwLock<Option<Arc<Keeper>>>,
    /// Exchanges that this outlet did not offer, because a body is over `max_body_bytes`.
    too_large: AtomicU64,
    /// Exchanges that this outlet could not offer, because there was no randomness.
    unsealed: AtomicU64,
    /// What was complained about last.
    told: Mutex<Tallies>,
}

impl Keeping {
    /// Nothing is open yet.
    pub fn new(places: Places) -> Self {
        Self {
            places,
            keeper: RwLock::default(),
            too_large: AtomicU64::default(),
            unsealed: AtomicU64::default(),
            told: Mutex::default(),
        }
    }

    /// Opens the vault if these settings keep anything or there is one from before. Reads and writes files.
    pub fn ready(&self, record: &Record, entropy: &Entropy) -> Result<(), String> {
        let folder = self.places.data.join(VAULT);
        if self.keeper().is_some() || !(record.keeps_any() || folder.exists()) {
            return Ok(());
        }
        let say = |error: VaultError| error.to_string();
        let key = self.places.key(record)?;
        let kek = if folder.exists() {
            // A new key could read nothing of what lies there, and would only hide that the old one is missing.
            Kek::load(&key, &self.places.data)
        } else {
            let fresh = entropy.key().map_err(|error| error.to_string())?;
            Kek::load_or_create(&key, &self.places.data, fresh)
        };
        let kek = kek.map_err(say)?;
        // A reload may let larger bodies in, so the bound of the moment is held here and not in the vault.
        let options = VaultOptions { body_bytes_max: BODY_BYTES_MAX, ..VaultOptions::default() };
        let (vault, opened) = Vault::open(&folder, kek, options).map_err(say)?;
        if opened.torn_bytes > 0 {
            tracing::warn!(bytes = opened.torn_bytes, "an interrupted write was cut off the vault");
        }
        let keeper = vault.start(KeeperOptions::default()).map_err(say)?;
        *self.keeper.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(keeper));
        Ok(())
    }

    /// Why these settings cannot take the place of those in force.
    pub fn refuse_change(&self, now: &Record, fresh: &Record) -> Result<(), String> {
        if self.keeper().is_some() && self.places.key(now)? != self.places.key(fresh)? {
            return Err("`key_file` cannot be changed while the vault is open\nhint: restart it".into());
        }
        Ok(())
    }

    /// The vault at work, if one is open.
    pub fn keeper(&self) -> Option<Arc<Keeper>> {
        self.keeper.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts an exchange that has a body over the bound.
    pub(crate) fn too_large(&self) {
        self.too_large.fetch_add(1, Ordering::Relaxed);
    }

    /// Hands an exchange to the vault; never waits.
    pub(crate) fn keep(&self, exchange: Exchange, entropy: &Entropy) {
        let Some(keeper) = self.keeper() else { return };
        let (Ok(key), Ok(salt)) = (entropy.key(), entropy.key()) else {
            self.unsealed.fetch_add(1, Ordering::Relaxed);
            return;
        };
        // Whatever it refuses, it counts.
        let _ = keeper.keep(exchange, Fresh::new(key, salt));
    }

    /// What became of what could have been kept; `None` where no vault is open.
    pub fn tallies(&self) -> Option<Tallies> {
        let mut tallies = self.keeper()?.tallies();
        tallies.too_large += self.too_large.load(Ordering::Relaxed);
        tallies.failed += self.unsealed.load(Ordering::Relaxed);
        Some(tallies)
    }

    /// Destroys the data key of a request; see [`Keeper::erase`]. Waits for the disk.
    pub fn erase(&self, request: RequestId, now: Timestamp) -> Result<Erased, VaultError> {
        self.keeper().map_or(Ok(Erased::Absent), |keeper| keeper.erase(request, now))
    }

    /// Takes away what is older than these settings allow, all of it. Waits for the disk.
    pub fn prune(&self, now: Timestamp, record: &Record) -> Result<VaultPruned, VaultError> {
        let mut all = VaultPruned::default();
        let Some(keeper) = self.keeper() else { return Ok(all) };
        let (days, projects) = record.retention();
        let projects = projects.into_iter().map(|(project, days)| (project.to_owned(), days)).collect();
        let retain = RetainFor { days, projects };
        loop {
            let pruned = keeper.prune(now, retain.clone())?;
            all.exchanges += pruned.exchanges;
            all.segments += pruned.segments;
            all.more = pruned.more;
            // With a reader in the way the rest waits for the next time.
            if !pruned.more || pruned.exchanges == 0 {
                return Ok(all);
            }
        }
    }

    /// Tells the operator once of what was lost since the last time.
    fn complain(&self) {
        let Some(tallies) = self.tallies() else { return };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if tallies.failed > told.failed {
            let why = tallies.last_failure.as_ref().map_or_else(String::new, ToString::to_string);
            let exchanges = tallies.failed - told.failed;
            tracing::error!(exchanges, %why, "exchanges could not be kept");
        }
        if tallies.full > told.full {
            let exchanges = tallies.full - told.full;
            tracing::warn!(exchanges, "exchanges were not kept: the disk of the vault does not keep up");
        }
        *told = tallies;
    }

    /// Writes what waits and closes the vault. Waits for the disk.
    pub fn close(&self) {
        let keeper = self.keeper.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(keeper) = keeper
            && let Err(error) = keeper.flush()
        {
            tracing::error!(%error, "the vault could not be closed in order");
        }
    }

    /// One line for the page.
    pub(crate) fn line(&self, record: &Record) -> String {
        let count = |count: u64| format!("{count} exchange{}", if count == 1 { "" } else { "s" });
        match self.tallies() {
            Some(tallies) if record.keeps_any() => {
                let lost = tallies.too_large + tallies.full + tallies.repeated + tallies.failed;
                let lost = if lost > 0 { format!(", {lost} not kept") } else { String::new() };
                let whose =
                    if record.keep_days(None).is_some() { "Content" } else { "Content of some projects" };
                format!("{whose} is kept, sealed: {} since the start{lost}", count(tallies.kept))
            }
            Some(_) => "Content is not kept any more; what was kept before ends in its time".into(),
            None => "Content of requests and answers is not kept".into(),
        }
    }
}

/// Prunes the vault and says what it lost, away from the threads that serve.
pub(crate) async fn upkeep(outlet: &Arc<Outlet>) {
    if outlet.keeping.keeper().is_none() {
        return;
    }
    let outlet = Arc::clone(outlet);
    let done = tokio::task::spawn_blocking(move || {
        outlet.keeping.complain();
        outlet.keeping.prune(outlet.clock.now(), &outlet.live().settings.record)
    });
    if let Ok(Err(error)) = done.await {
        tracing::error!(%error, "the vault could not be pruned");
    }
}

/// Says which `[[record.project]]` belong to nobody that is known.
pub(crate) fn warn_of_unknown_projects(live: &Live, db: &Db) {
    let keys = db.keys();
    let of_keys = keys.iter().map(|key| key.project.as_str());
    let known: Vec<&str> = of_keys.chain(of_budgets(&live.settings)).collect();
    for problem in live.settings.record.unknown_projects(&known) {
        let problem = problem.render(live.settings.source());
        tracing::warn!("{}", problem.strip_prefix("error: ").unwrap_or(&problem).trim_end());
    }
}

fn of_budgets(settings: &Settings) -> impl Iterator<Item = &str> {
    settings.budgets.iter().filter_map(|budget| match &budget.scope.value {
        mains_config::Scope::Project(name) => Some(name.as_str()),
        _ => None,
    })
}
