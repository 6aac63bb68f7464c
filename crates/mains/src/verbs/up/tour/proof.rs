//! The ledger verifies, and a copy with one bit turned does not.

use crate::print::{self, Trouble};
use crate::verbs::ledger::Log;
use mains_serve::open::{LEDGER, LEDGER_PUBLIC};
use std::path::{Path, PathBuf};

/// Verifies the ledger of a data folder, then a copy that somebody has changed.
pub(super) fn show(data: &Path) -> Result<(), Trouble> {
    let report = Log::open(data)?
        .verify()
        .map_err(|fault| Trouble::new(format!("the ledger does not verify: {fault}")))?;
    print::data(&format!(
        "   the ledger {}: {}, every tile, bundle and signature recomputed",
        print::good("verifies"),
        print::plural(report.leaves, "leaf").replace("leafs", "leaves")
    ));
    let copy = Copy::of(data)?;
    let (place, was, is) = turn_one_bit(&copy.0.join(LEDGER).join("journal"))?;
    match Log::open(&copy.0)?.verify() {
        Err(fault) => {
            print::data(&format!(
                "   a copy with one bit turned {}: byte {place} of `journal`, {was:#04x} to {is:#04x}",
                print::bad("does not")
            ));
            print::data(&format!("      {fault}"));
            Ok(())
        }
        Ok(_) => Err(Trouble::new("a tampered copy of the ledger was not noticed; please report this")),
    }
}

/// A copy of a ledger in the folder for temporary files; it goes away with this.
struct Copy(PathBuf);

impl Copy {
    fn of(data: &Path) -> Result<Self, Trouble> {
        let copy = Self(std::env::temp_dir().join(format!("mains-tampered-{}", std::process::id())));
        mains_host::files::private_folder(&copy.0)?;
        std::fs::copy(data.join(LEDGER_PUBLIC), copy.0.join(LEDGER_PUBLIC))?;
        let mut folders = vec![PathBuf::from(LEDGER)];
        while let Some(folder) = folders.pop() {
            std::fs::create_dir_all(copy.0.join(&folder))?;
            for entry in std::fs::read_dir(data.join(&folder))? {
                let entry = entry?;
                let path = folder.join(entry.file_name());
                if entry.file_type()?.is_dir() {
                    folders.push(path);
                } else {
                    // A tile that has just been replaced by a fuller one is no loss.
                    let _ = std::fs::copy(entry.path(), copy.0.join(&path));
                }
            }
        }
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Turns the lowest bit in the middle of a file: where it stands, what was there, and what is there now.
fn turn_one_bit(path: &Path) -> Result<(usize, u8, u8), Trouble> {
    let mut bytes = std::fs::read(path)?;
    let middle = bytes.len() / 2;
    let byte = bytes.get_mut(middle).ok_or_else(|| Trouble::new("the ledger is empty"))?;
    let was = *byte;
    *byte ^= 1;
    let is = *byte;
    std::fs::write(path, bytes)?;
    Ok((middle, was, is))
}
