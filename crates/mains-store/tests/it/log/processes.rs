//! A real process, really killed, on the real file system.

use super::{key, leaf, signer, ticking};
use mains_store::log::{FileDisk, Log, LogError, LogReader};
use mains_units::Chance;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;

const CHILD: &str = "MAINS_TEST_LOG_CHILD";

/// Does nothing unless the test below starts it as a process of its own: then it appends and tells each index,
/// until it is killed.
#[test]
fn child_appends_until_it_is_killed() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let disk = Arc::new(FileDisk::create(folder.as_ref()).unwrap());
    let (log, recovered) = Log::open(disk, Arc::new(signer()), &key()).unwrap();
    let appender = log.start(ticking()).unwrap();
    for index in recovered.leaves.. {
        let ticket = appender.append(&leaf(index)).unwrap();
        println!("\nappended {}", ticket.index());
        if index % 16 == 0 {
            ticket.wait().unwrap();
            println!("\ndurable {index}");
        }
    }
}

/// The next index that the child told of in a whole line; a line in which it died was not told.
fn next_told(output: &mut impl BufRead) -> Option<u64> {
    loop {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let line = line.strip_suffix('\n')?;
        if let Some(index) = line.strip_prefix("appended ") {
            return Some(index.parse().unwrap());
        }
    }
}

#[test]
fn killed_processes_lose_no_leaf_that_they_told_of() {
    const SEED: u64 = 0x6d61_696e_7305;
    // Each log lives through a few dozen kills at most: every round verifies all of it.
    const ROUNDS_MAX: u64 = 40;
    let mut chance = Chance::from_seed(SEED);
    let mut left = super::how_many("MAINS_SOAK_KILLS", 6);
    while left > 0 {
        let rounds = left.min(ROUNDS_MAX);
        kill_again_and_again(rounds, SEED, &mut chance);
        left -= rounds;
    }
}

fn kill_again_and_again(rounds: u64, seed: u64, chance: &mut Chance) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let mut most = 0;
    for round in 0..rounds {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "log::processes::child_appends_until_it_is_killed", "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut told = None;
        let enough = 100 + chance.below(900);
        let mut output = BufReader::new(child.stdout.take().unwrap());
        for _ in 0..enough {
            told = next_told(&mut output);
            assert!(told.is_some(), "seed {seed}, round {round}: the child ended by itself");
        }
        let second = Arc::new(FileDisk::existing(&path));
        assert!(matches!(Log::open(second, Arc::new(signer()), &key()), Err(LogError::Locked)));
        // SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
        // What it wrote into the pipe before it died was promised as well.
        while let Some(later) = next_told(&mut output) {
            told = Some(later);
        }
        let told = told.unwrap();
        let reader = LogReader::at(&path);
        let before =
            reader.verify(&key()).unwrap_or_else(|fault| panic!("seed {seed}, round {round}: {fault}"));
        assert!(before.leaves > told, "seed {seed}, round {round}: {} leaves, told of {told}", before.leaves);
        let disk = Arc::new(FileDisk::existing(&path));
        let (log, recovered) = Log::open(disk, Arc::new(signer()), &key()).unwrap();
        assert!(!recovered.clean && recovered.leaves == before.leaves && recovered.leaves > most);
        most = recovered.leaves;
        drop(log);
        assert_eq!(reader.verify(&key()).unwrap().signed, most);
    }
    let signed = LogReader::at(&path).checkpoint(&key()).unwrap();
    for index in 0..most {
        assert_eq!(LogReader::at(&path).leaf(index, &signed).unwrap(), leaf(index));
    }
}
