//! The outlet: everything that requests share.

use crate::drills::Drills;
use crate::keeping::Keeping;
use crate::labels::Labels;
use crate::live::{Live, TargetFacts};
use crate::local::Local;
use crate::metrics::Counts;
use crate::network::Network;
use crate::swaps::Swaps;
use mains_catalog::Catalog;
use mains_host::{Clock, Entropy};
use mains_ledger::Hash;
use mains_ledger::VerifierKey;
use mains_ledger::leaf::{Config, ConfigOrigin, Head, Label, Leaf};
use mains_meter::local::Processor;
use mains_relay::budget::Tree;
use mains_relay::route::TargetName;
use mains_relay::{Breakers, RetryBudget};
use mains_store::db::{Db, KeyRefusal};
use mains_store::log::{Appender, LogReader};
use mains_units::{Chance, Day, Span, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

/// What decides about attempts and is changed by every one of them; one lock, held for microseconds.
#[derive(Debug)]
pub struct Shared {
    /// Budgets of everyone.
    pub budgets: Tree,
    /// One breaker a target.
    pub breakers: Breakers,
    /// The breakers of targets that a drill keeps dead: what a drill trips leaves no mark on the real ones.
    pub drilled: Breakers,
    /// How many further attempts the outlet may make.
    pub retries: RetryBudget,
    /// Draws from pools and jitter.
    pub chance: Chance,
}

impl Shared {
    /// The breakers that a target has now.
    pub fn breakers_of(&mut self, drilled: bool) -> &mut Breakers {
        if drilled { &mut self.drilled } else { &mut self.breakers }
    }
}

/// Keys of clients.
#[derive(Clone)]
pub struct Keys(Db);

/// A key that was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its id, the pseudonym in records.
    pub id: Arc<str>,
    /// Who pays.
    pub project: Option<Arc<str>>,
}

impl Keys {
    /// Whether a key must be sent.
    pub fn required(&self) -> bool {
        self.0.has_keys()
    }

    /// Finds a key; the error is for the client.
    pub fn find(&self, presented: &str, now: Timestamp) -> Result<Found, String> {
        let row = self.0.verify_key(presented, now).map_err(|refusal| match refusal {
            KeyRefusal::Malformed => {
                "this is not a key of this outlet; keys begin with `sk-mains-`".to_owned()
            }
            KeyRefusal::Unknown => "this key is not known here".to_owned(),
            KeyRefusal::Revoked => "this key was revoked".to_owned(),
            KeyRefusal::Expired => "this key has expired".to_owned(),
        })?;
        let project = (!row.project.is_empty()).then(|| Arc::from(row.project.as_str()));
        Ok(Found { id: row.id.as_str().into(), project })
    }
}

/// The outlet.
pub struct Outlet {
    live: RwLock<Arc<Live>>,
    /// What is known of models.
    pub catalog: &'static Catalog,
    /// The catalogue's hash, as leaves name it.
    pub catalog_hash: Hash,
    /// The only clock.
    pub clock: Clock,
    /// The only source of keys.
    pub entropy: Entropy,
    /// This outlet's name in leaves.
    pub instance: Label,
    verifier: VerifierKey,
    shared: Mutex<Shared>,
    /// Keys of clients.
    pub keys: Keys,
    /// The store.
    pub db: Db,
    /// The ledger.
    pub ledger: Appender,
    /// Reads the ledger for pages and proofs.
    pub ledger_reader: LogReader,
    /// Dials out.
    pub network: Network,
    /// Runs local models, if any route asks for one.
    pub local: Option<Local>,
    /// Weights of local models by name, as hashes.
    pub weights: HashMap<String, Hash>,
    /// The processor that runs them.
    pub processor: Processor,
    /// Content, where it may be kept.
    pub keeping: Keeping,
    /// Targets that are dead on purpose.
    pub drills: Drills,
    /// Switches from one target to another.
    pub swaps: Swaps,
    /// Labellers before their teachers.
    pub labels: Labels,
    /// Numbers for `/metrics`.
    pub counts: Counts,
    /// Upstreams behind which a scripted stand-in answers; only `mains up` has any.
    pub stand_ins: Vec<String>,
    as_of: Option<Day>,
}

/// What an outlet is made of.
pub struct Parts {
    /// Settings in force.
    pub live: Live,
    /// What is known of models.
    pub catalog: &'static Catalog,
    /// The only clock.
    pub clock: Clock,
    /// The only source of keys.
    pub entropy: Entropy,
    /// Seed of jitter and of draws from pools.
    pub seed: u64,
    /// This outlet's name in leaves.
    pub instance: Label,
    /// Checks the ledger's signatures.
    pub verifier: VerifierKey,
    /// The store.
    pub db: Db,
    /// The ledger.
    pub ledger: Appender,
    /// Reads the ledger.
    pub ledger_reader: LogReader,
    /// Content, where it may be kept.
    pub keeping: Keeping,
    /// Labellers before their teachers.
    pub labels: Labels,
    /// Dials out.
    pub network: Network,
    /// Runs local models.
    pub local: Option<Local>,
    /// Weights of local models by name.
    pub weights: HashMap<String, Hash>,
    /// The processor that runs them.
    pub processor: Processor,
    /// Upstreams behind which a stand-in answers.
    pub stand_ins: Vec<String>,
    /// The day by which the lives of models are judged, instead of today.
    pub as_of: Option<Day>,
}

impl Outlet {
    /// Puts the parts together. Breakers start closed, budgets with what the store remembers.
    pub fn new(parts: Parts) -> Self {
        let now = parts.clock.now();
        let mut chance = Chance::from_seed(parts.seed);
        let shared = Shared {
            budgets: Tree::new(parts.live.caps(), now),
            breakers: Breakers::new(mains_relay::breaker::BreakerSettings::default(), chance.split()),
            drilled: Breakers::new(mains_relay::breaker::BreakerSettings::default(), chance.split()),
            retries: RetryBudget::default(),
            chance,
        };
        Self {
            network: parts.network,
            live: RwLock::new(Arc::new(parts.live)),
            catalog: parts.catalog,
            catalog_hash: hash_of(parts.catalog),
            clock: parts.clock,
            entropy: parts.entropy,
            instance: parts.instance,
            verifier: parts.verifier,
            shared: Mutex::new(shared),
            keys: Keys(parts.db.clone()),
            db: parts.db,
            ledger: parts.ledger,
            ledger_reader: parts.ledger_reader,
            local: parts.local,
            weights: parts.weights,
            processor: parts.processor,
            keeping: parts.keeping,
            drills: Drills::default(),
            swaps: Swaps::default(),
            labels: parts.labels,
            counts: Counts::default(),
            stand_ins: parts.stand_ins,
            as_of: parts.as_of,
        }
    }

    /// The day by which the lives of models are judged: today, unless this outlet rehearses another. Times in records
    /// and leaves are true all the same.
    pub fn today(&self) -> Day {
        self.as_of.unwrap_or_else(|| self.clock.now().day())
    }

    /// Whether models are judged by another day than today.
    pub fn rehearses(&self) -> bool {
        self.as_of.is_some()
    }

    /// Settings in force now. A request keeps those with which it came.
    pub fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets budgets and breakers follow new settings.
    pub(crate) fn reconfigure(&self, live: &Live) {
        let now = self.clock.now();
        let mut shared = self.shared();
        shared.budgets.reconfigure(live.caps(), now);
        shared.breakers.retain(|target| live.targets.contains_key(target));
    }

    /// Puts settings in force, with the routes that switches want.
    pub(crate) fn put(&self, live: Arc<Live>) {
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = live;
    }

    /// Writes which settings are in force.
    pub fn config_leaf(&self, config: Hash, previous: Option<Hash>, origin: ConfigOrigin) {
        let leaf = Leaf::Config(Config { config, previous, catalogue: self.catalog_hash, origin });
        self.leaf(&leaf);
    }

    /// Writes a leaf that belongs to no request. A ledger that cannot be written is an alarm.
    pub fn leaf(&self, leaf: &Leaf) -> Option<u64> {
        let head = Head { at: self.clock.now(), instance: self.instance.clone() };
        let written = leaf.encode(&head).map_err(|error| error.to_string()).and_then(|bytes| {
            self.ledger.append(&bytes).map(|ticket| ticket.index()).map_err(|error| error.to_string())
        });
        match written {
            Ok(index) => Some(index),
            Err(error) => {
                tracing::error!(%error, kind = leaf.kind(), "the ledger cannot be written");
                None
            }
        }
    }

    /// What decides about attempts.
    pub fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a target (`upstream/model`) or a whole upstream dead for so long. It starts with fresh breakers, so that
    /// every drill shows how they trip.
    pub fn begin_drill(&self, name: &str, span: Span) {
        let live = self.live();
        let concerns = |target: &TargetName| {
            let facts = live.targets.get(target);
            facts.is_some_and(|facts| crate::drills::matches(name, &facts.upstream.name, &facts.model))
        };
        self.shared().drilled.retain(|target| !concerns(target));
        self.drills.kill(name, self.clock.monotonic().after(span));
    }

    /// Checks the ledger's signatures.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// How large a body may be, and how long it may take.
    pub fn body_limits(&self) -> (usize, Duration) {
        let live = self.live();
        let most = usize::try_from(live.settings.serve.max_body_bytes.value).unwrap_or(usize::MAX);
        (most, live.settings.limits.body.value.to_std())
    }

    /// Waits until every record that was queued before this call can be read.
    pub async fn settled(&self) -> Result<(), mains_store::db::DbError> {
        // One writer works in order: when it has done this, it has done all before it.
        self.db.reload_keys().await
    }

    /// The newest signed checkpoint on one line: size and root.
    pub fn checkpoint_header(&self) -> String {
        let signed = self.ledger.checkpoint();
        format!("{} {}", signed.checkpoint.size, signed.checkpoint.root.to_base64())
    }

    /// Whether a stand-in answers behind this upstream.
    pub fn is_stand_in(&self, upstream: &str) -> bool {
        self.stand_ins.iter().any(|name| name == upstream)
    }

    /// The hash of a local model's weights.
    pub fn weights(&self, facts: &TargetFacts) -> Option<Hash> {
        if facts.upstream.is_local() { self.weights.get(&facts.model).copied() } else { None }
    }

    /// All targets that routes name, with the name of the route, in the order of the file.
    pub fn routed_targets(&self) -> Vec<(String, TargetName)> {
        let live = self.live();
        let routes =
            live.settings.routes.iter().filter_map(|described| live.routes.get(&described.model.value));
        routes
            .flat_map(|route| {
                route.route.targets().map(|target| (route.route.model.to_string(), target.name.clone()))
            })
            .collect()
    }
}

fn hash_of(catalog: &Catalog) -> Hash {
    let mut bytes = [0; 32];
    let hex = catalog.hash().as_bytes();
    for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).unwrap_or("00");
        *byte = u8::from_str_radix(pair, 16).unwrap_or(0);
    }
    Hash(bytes)
}
