//! Makes a small log and the files that a stranger needs to check it: what `docs/VERIFY.md` was tried on.
//! `cargo run -p mains-store --example log_sample -- FOLDER`

use mains_ledger::{Ed25519Signer, leaf};
use mains_store::log::{FileDisk, Log, LogReader};
use mains_units::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;

const LEAVES: u64 = 700;
const SHOWN: u64 = 300;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: log_sample FOLDER")?);
    // A sample needs no secret: everyone may know this key.
    let signer = Ed25519Signer::from_seed("mains.example/sample", &[7; 32])?;
    let key = signer.verifier().clone();
    let disk = Arc::new(FileDisk::create(&folder.join("ledger"))?);
    let (mut log, _) = Log::open(disk, Arc::new(signer), &key)?;
    for minute in 0..LEAVES {
        let at = Timestamp(1_795_550_400_000 + i64::try_from(minute)? * 60_000);
        let head = leaf::Head { at, instance: leaf::Label::new("sample")? };
        let counted = leaf::RejectCount {
            from: Timestamp(at.0 - 60_000),
            until: at,
            malformed: minute % 3,
            too_large: 0,
            unauthorized: minute,
            other: 0,
        };
        log.append(&[leaf::Leaf::RejectCount(counted).encode(&head)?])?;
    }
    log.close()?;
    let reader = LogReader::at(&folder.join("ledger"));
    let signed = reader.checkpoint(&key)?;
    let bytes = reader.leaf(SHOWN, &signed)?;
    std::fs::write(folder.join("leaf.tlog-proof"), reader.prove(SHOWN, &signed, &key)?.to_text())?;
    std::fs::write(folder.join("leaf.json"), bytes)?;
    std::fs::write(folder.join("ledger.vkey"), format!("{key}\n"))?;
    std::fs::write(folder.join("ledger.pem"), key.to_pem())?;
    Ok(())
}
