//! `mains records`: kept requests and answers, read beside the running outlet with the key, erased through it.

use crate::cli::{Data, Records, Vault};
use crate::print::{self, Ended, Trouble};
use crate::{settings, start};
use mains_config::Settings;
use mains_serve::control::{Answer, Command, say};
use mains_serve::keeping::{Places, VAULT};
use mains_store::vault::{Kek, VaultFilter, VaultReader, export};
use mains_units::Span;
use serde_json::json;
use std::path::{Path, PathBuf};

/// How long the outlet may hold the vault's table before a call fails.
const BUSY: Span = Span::from_s(5);

pub(crate) fn run(verb: Records) -> Result<Ended, Trouble> {
    match verb {
        Records::Stats { vault, json } => stats(&vault, json),
        Records::Export { route, project, since, until, limit, vault } => {
            let filter = VaultFilter { route, project, since, until, limit };
            print_all(&vault, filter)
        }
        Records::Erase { request, data } => erase(&request, &data),
    }
}

/// Opens the vault for reading; neither the vault nor its key is made.
pub(super) fn open(vault: &Vault) -> Result<(VaultReader, Kek), Trouble> {
    let folder = vault.data.join(VAULT);
    if !folder.is_dir() {
        return Err(Trouble::new(format!("nothing is kept in `{}`", vault.data.display())).hint(
            "`--data` names the outlet's data folder; content is kept with `content = \"keep\"` under `[record]`",
        ));
    }
    let (loaded, base) = match settings::find(vault.config.as_deref())? {
        Some(path) => {
            let loaded = settings::load(Some(&path), Vec::new())?;
            (loaded.settings, loaded.base_folder)
        }
        None => (settings::defaults(Vec::new())?, ".".into()),
    };
    unlock(&vault.data, base, &loaded)
}

/// Opens the vault of a data folder, which is there, by these settings.
pub(super) fn unlock(data: &Path, base: PathBuf, settings: &Settings) -> Result<(VaultReader, Kek), Trouble> {
    let places = Places { data: data.to_owned(), base, default_key: settings::vault_key() };
    let key = places.key(&settings.record).map_err(Trouble::rendered)?;
    let kek = Kek::load(&key, data)?;
    Ok((VaultReader::at(&data.join(VAULT), kek.clone(), BUSY)?, kek))
}

fn stats(vault: &Vault, as_json: bool) -> Result<Ended, Trouble> {
    let (reader, kek) = open(vault)?;
    let stats = reader.stats()?;
    if as_json {
        print::json(&json!({
            "schema": "mains.records-stats/1",
            "exchanges": stats.exchanges,
            "bytes": stats.bytes,
            "segments": stats.segments,
            "oldest": stats.oldest.map(|at| at.to_string()),
            "key": kek.id().to_string(),
        }))?;
        return Ok(Ended::Clean);
    }
    let line = |name: &str, value: String| print::data(&format!("{name:<12}{value}"));
    line("exchanges", print::thousands(stats.exchanges));
    line(
        "sealed",
        format!("{:.1} MB in {}", stats.bytes as f64 / 1e6, print::plural(stats.segments, "segment")),
    );
    line("oldest", stats.oldest.map_or_else(|| "-".to_owned(), |at| at.to_string()));
    line("key", kek.id().to_string());
    Ok(Ended::Clean)
}

fn print_all(vault: &Vault, filter: VaultFilter) -> Result<Ended, Trouble> {
    let (reader, _) = open(vault)?;
    let mut exchanges = 0;
    for exchange in reader.exchanges(filter) {
        if !print::piece(&export::line(&exchange?)) {
            // Nobody reads any more.
            return Ok(Ended::Clean);
        }
        exchanges += 1;
    }
    print::say(&format!(
        "{}; what was printed is no longer sealed, and no erasure reaches it",
        print::plural(exchanges, "exchange")
    ));
    Ok(Ended::Clean)
}

fn erase(request: &str, data: &Data) -> Result<Ended, Trouble> {
    let command = Command::Erase { request: request.to_owned() };
    let answer = start::runtime()?.block_on(say(&data.data, &command)).map_err(Trouble::rendered)?;
    let (content, before, commitment, leaf) = match answer {
        Answer::Erased { content, before, commitment, leaf } => (content, before, commitment, leaf),
        Answer::Refused(why) => return Err(Trouble::rendered(why)),
        other => return Err(Trouble::new(format!("the outlet answered something else: {other:?}"))),
    };
    if data.json {
        print::json(&json!({
            "schema": "mains.records-erase/1",
            "request": request,
            "content": content,
            "before": before,
            "commitment": commitment,
            "leaf": leaf,
        }))?;
        return Ok(Ended::Clean);
    }
    print::say(&match (content, before) {
        (true, _) => format!("erased the content of {request}: nobody can read it any more"),
        (false, Some(at)) => format!("the content of {request} was erased before, at {at}"),
        (false, None) => format!("no content of {request} was kept"),
    });
    if commitment {
        print::say("erased the key of its commitments: its leaves can be tied to no content any more");
    }
    if let Some(leaf) = leaf {
        print::say(&format!("leaf {leaf} of the ledger says so"));
    }
    print::say("exports and copies of `keys.db` made before are yours to delete");
    Ok(Ended::Clean)
}
