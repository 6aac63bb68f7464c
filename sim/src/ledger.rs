//! The ledger of a world: the real log on a disk that dies at a moment of the seed's choice, with what was
//! not synced lost where the power is cut. Afterwards the log must open, verify, and hold what was promised.

use mains_ledger::{Ed25519Signer, VerifierKey};
use mains_store::log::double::DoubleDisk;
use mains_store::log::{Disk, Log, LogReader};
use mains_units::Chance;
use std::sync::Arc;

/// How a world's outlet dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// `kill -9`: what was written stays.
    Kill,
    /// A power cut: what was not synced may be lost.
    PowerCut,
}

/// The log, and what it promised.
pub struct Ledger {
    disk: DoubleDisk,
    signer: Arc<Ed25519Signer>,
    key: VerifierKey,
    log: Log,
    /// Every leaf whose append was tried, in order; only the last may have failed.
    tried: Vec<String>,
    /// So many appends succeeded.
    appended: usize,
    /// So many leaves were acknowledged as synced.
    acknowledged: usize,
}

impl Ledger {
    /// A new log on a new disk that dies after so many steps.
    pub fn new(steps: u64) -> Result<Self, String> {
        let signer = Ed25519Signer::from_seed("sim.example/log", &[7; 32]).map_err(|error| error.0)?;
        let (disk, signer) = (DoubleDisk::new(), Arc::new(signer));
        let key = signer.verifier().clone();
        let (log, _) = open(&disk, &signer, &key)?;
        disk.die_after(steps);
        Ok(Self { disk, signer, key, log, tried: Vec::new(), appended: 0, acknowledged: 0 })
    }

    /// Appends a leaf; whether it was written.
    pub fn append(&mut self, leaf: String) -> bool {
        let written = self.log.append(&[&leaf]).is_ok();
        self.tried.push(leaf);
        self.appended += usize::from(written);
        written
    }

    /// Syncs everything that was appended; whether that may be acknowledged.
    pub fn sync(&mut self) -> bool {
        let synced = self.log.sync().is_ok();
        if synced {
            self.acknowledged = self.appended;
        }
        synced
    }

    /// Signs what is synced; an error shows later, as a dead disk.
    pub fn checkpoint(&mut self) {
        let _signed = self.log.checkpoint();
    }

    /// Acknowledges without syncing: a bug for the checker to find.
    pub fn pretend(&mut self) {
        self.acknowledged = self.appended;
    }

    /// The process is dead.
    pub fn is_dead(&self) -> bool {
        self.disk.is_dead()
    }

    /// Lets the process die, opens the log again, and says which promise was broken.
    pub fn die(self, death: Death, chance: &mut Chance) -> Result<(), String> {
        let Self { disk, signer, key, log, tried, appended, acknowledged } = self;
        let signed = log.signed().checkpoint.size;
        drop(log);
        let promised = match death {
            Death::Kill => {
                disk.kill();
                appended
            }
            Death::PowerCut => {
                disk.cut_power(chance);
                acknowledged
            }
        };
        let (mut log, recovered) = open(&disk, &signer, &key)?;
        let survived = usize::try_from(recovered.leaves).unwrap_or(usize::MAX);
        if survived < promised || survived > tried.len() {
            return Err(format!("{survived} of {} leaves survive, {promised} were promised", tried.len()));
        }
        if recovered.signed < signed {
            return Err(format!("a checkpoint of {signed} was signed, {} are left", recovered.signed));
        }
        log.append(&["recover"]).map_err(|error| error.to_string())?;
        log.sync().map_err(|error| error.to_string())?;
        let signed = log.checkpoint().map_err(|error| error.to_string())?.clone();
        let reader = LogReader::new(Arc::new(disk));
        reader.verify(&key).map_err(|error| format!("the log does not verify: {error}"))?;
        for (index, leaf) in tried[..survived].iter().enumerate() {
            let found = reader.leaf(index as u64, &signed).map_err(|error| error.0)?;
            if found != leaf.as_bytes() {
                return Err(format!("leaf {index} is another one"));
            }
        }
        Ok(())
    }
}

type Opened = (Log, mains_store::log::Recovered);

fn open(disk: &DoubleDisk, signer: &Arc<Ed25519Signer>, key: &VerifierKey) -> Result<Opened, String> {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let signer: Arc<dyn mains_ledger::Signer> = Arc::<Ed25519Signer>::clone(signer);
    Log::open(disk, signer, key).map_err(|error| format!("the log does not open: {error}"))
}
