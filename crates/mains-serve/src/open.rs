//! From a configuration and a folder to a running outlet.
//!
//! The folder: `mains.db`, `ledger/`, `ledger.key` (mode 0600), `ledger.pub`, `pepper` (mode 0600), `control.sock`,
//! and `vault/` where content is kept.

use crate::keeping::{self, Keeping, Places};
use crate::labels::{self, Labels};
use crate::live::Live;
use crate::local::Local;
use crate::network::Network;
use crate::outlet::{Outlet, Parts};
use crate::swaps;
use mains_catalog::Catalog;
use mains_config::Settings;
use mains_host::{Clock, Entropy, files, secrets};
use mains_ledger::leaf::{ConfigOrigin, Label, Leaf, Recover};
use mains_ledger::{Hash, Signer};
use mains_meter::local::Processor;
use mains_relay::budget::{Per, Saved, Scope};
use mains_store::db::{BudgetRow, Db, DbOptions};
use mains_store::log::{FileDisk, Log, LogReader, key};
use mains_units::Day;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The ledger's folder in the data folder.
pub const LEDGER: &str = "ledger";
/// The verifier key as text, beside it, for whoever checks the ledger.
pub const LEDGER_PUBLIC: &str = "ledger.pub";
const LEDGER_KEY: &str = "ledger.key";
const DATABASE: &str = "mains.db";
const PEPPER: &str = "pepper";

/// What the outlet needs beside its configuration.
pub struct Surroundings {
    /// The data folder.
    pub data: PathBuf,
    /// Paths of keys begin here.
    pub base: PathBuf,
    /// The key of the vault, where the settings name no place for it.
    pub vault_key: Option<PathBuf>,
    /// The only clock.
    pub clock: Clock,
    /// The only source of keys.
    pub entropy: Entropy,
    /// Runs local models, if there are any.
    pub local: Option<Local>,
    /// Hashes of the weights of local models by name.
    pub weights: HashMap<String, Hash>,
    /// The processor that runs them.
    pub processor: Processor,
    /// Upstreams behind which a stand-in answers.
    pub stand_ins: Vec<String>,
    /// The day by which the lives of models are judged, instead of today.
    pub as_of: Option<Day>,
}

/// Reads the settings anew for a running outlet.
pub fn live(settings: Settings, base: &Path, today: Day) -> Result<Live, String> {
    let resolve = |reference: &mains_config::KeyRef| {
        secrets::resolve_key(reference, base).map_err(|error| error.to_string())
    };
    let live =
        Live::build(settings, Catalog::builtin(), &resolve, today).map_err(|errors| errors.to_string())?;
    refuse_unbuilt(&live)?;
    Ok(live)
}

/// What the configuration may say already and the outlet cannot do yet. Better refused at the start than silently
/// not done.
fn refuse_unbuilt(live: &Live) -> Result<(), String> {
    if live.settings.policy.set.value != "allow-all" {
        return Err("only the policy set `allow-all` is built so far\nhint: write `set = \"allow-all\"` under [policy]".into());
    }
    for budget in &live.settings.budgets {
        if let Some(zone) = budget.zone.as_ref().filter(|zone| zone.value != "UTC") {
            return Err(format!(
                "a budget asks for windows in the zone `{}`; they begin in UTC only so far\nhint: take `zone` out, or write `zone = \"UTC\"`",
                zone.value
            ));
        }
    }
    for route in &live.settings.routes {
        if route.recall.value {
            return Err(format!(
                "the route `{}` asks for `recall`, which is not built yet\nhint: take the line out",
                route.model.value
            ));
        }
    }
    Ok(())
}

/// Opens the folder and puts the outlet together.
pub fn open(live: Live, around: Surroundings) -> Result<Outlet, String> {
    let data = &around.data;
    let say = |error: mains_host::HostError| error.to_string();
    files::private_folder(data).map_err(say)?;
    let pepper = secrets::secret_file(&data.join(PEPPER), &around.entropy).map_err(say)?;
    let db = Db::open(&DbOptions::file(data.join(DATABASE), pepper)).map_err(|error| error.to_string())?;
    refuse_open_door(&live, &db)?;
    keeping::warn_of_unknown_projects(&live, &db);
    let places = Places { data: data.clone(), base: around.base, default_key: around.vault_key };
    let keeping = Keeping::new(places);
    keeping.ready(&live.settings.record, &around.entropy)?;
    let signer = signer(data, &around.entropy)?;
    let verifier = signer.verifier().clone();
    files::write_atomic(&data.join(LEDGER_PUBLIC), format!("{verifier}\n").as_bytes(), files::Access::Usual)
        .map_err(say)?;
    let instance = Label::new(signer.name()).map_err(|error| error.to_string())?;
    let disk = Arc::new(
        FileDisk::create(&data.join(LEDGER))
            .map_err(|error| format!("cannot open `{}`: {error}", data.join(LEDGER).display()))?,
    );
    let (log, recovered) =
        Log::open(disk.clone(), Arc::new(signer), &verifier).map_err(|error| error.to_string())?;
    let clock = around.clock;
    let ledger = log.start(Arc::new(move || clock.monotonic())).map_err(|error| error.to_string())?;
    let origin = live.hash;
    let roots = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let network = Network::new(live.settings.serve.deadlines.connect.value, roots.as_deref())?;
    let outlet = Outlet::new(Parts {
        live,
        catalog: Catalog::builtin(),
        clock,
        seed: around.entropy.seed().map_err(say)?,
        entropy: around.entropy,
        instance,
        verifier,
        db,
        ledger,
        ledger_reader: LogReader::new(disk),
        keeping,
        labels: Labels::new(data),
        network,
        local: around.local,
        weights: around.weights,
        processor: around.processor,
        stand_ins: around.stand_ins,
        as_of: around.as_of,
    });
    if !recovered.clean {
        outlet.leaf(&Leaf::Recover(Recover {
            leaves: recovered.leaves,
            torn_bytes: recovered.torn_bytes,
            signed: recovered.signed,
            rebuilt: recovered.rebuilt,
            loss_possible: true,
        }));
    }
    outlet.config_leaf(origin, None, ConfigOrigin::Start);
    restore_budgets(&outlet)?;
    swaps::load(&outlet)?;
    labels::start(&outlet)?;
    Ok(outlet)
}

/// A listener that strangers can reach needs keys.
fn refuse_open_door(live: &Live, db: &Db) -> Result<(), String> {
    let serve = &live.settings.serve;
    if serve.listens_beyond_loopback() && !db.has_keys() {
        return Err(format!(
            "`{}` can be reached from other machines and no key has been made\nhint: make one with `mains key make NAME`, or listen on 127.0.0.1",
            serve.listen.value
        ));
    }
    if serve.admin_beyond_loopback() {
        return Err("the admin listener may only be on loopback until it has a login\nhint: set `admin_listen` to 127.0.0.1:PORT".into());
    }
    Ok(())
}

fn signer(data: &Path, entropy: &Entropy) -> Result<mains_ledger::Ed25519Signer, String> {
    let path = data.join(LEDGER_KEY);
    if path.exists() {
        return key::load(&path).map_err(|error| error.to_string());
    }
    let seed = entropy.key().map_err(|error| error.to_string())?;
    let id = entropy.seed().map_err(|error| error.to_string())?;
    let name = format!("mains.local/{:012x}", id >> 16);
    key::create(&path, &name, &seed).map_err(|error| error.to_string())
}

fn restore_budgets(outlet: &Outlet) -> Result<(), String> {
    let rows = outlet.db.budgets().wait().map_err(|error| error.to_string())?;
    let saved: Vec<Saved> = rows.into_iter().filter_map(|row| saved(&row)).collect();
    let now = outlet.clock.now();
    outlet.shared().budgets.restore(&saved, now);
    Ok(())
}

fn saved(row: &BudgetRow) -> Option<Saved> {
    let per = [Per::Minute, Per::Hour, Per::Day, Per::Week, Per::Month]
        .into_iter()
        .find(|per| per.to_string() == row.per)?;
    Some(Saved {
        scope: Scope::parse(&row.scope)?,
        per,
        quantity: row.quantity,
        since: row.since,
        used: row.used,
        reported: row.reported,
    })
}

/// Keeps what the budgets have used, so that a restart does not renew them.
pub async fn save_budgets(outlet: &Outlet) {
    let now = outlet.clock.now();
    let snapshot = outlet.shared().budgets.snapshot(now);
    let rows = snapshot
        .into_iter()
        .map(|saved| BudgetRow {
            scope: saved.scope.to_string(),
            per: saved.per.to_string(),
            quantity: saved.quantity,
            since: saved.since,
            used: saved.used,
            reported: saved.reported,
        })
        .collect();
    if let Err(error) = outlet.db.save_budgets(rows).await {
        tracing::error!(%error, "the budgets could not be saved");
    }
}
