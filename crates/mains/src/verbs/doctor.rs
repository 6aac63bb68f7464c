//! `mains doctor`: port, clock, randomness, folder, store, ledger, keys, models and sensors, each looked at.

use super::{config, ledger, model, records};
use crate::cli::Doctor;
use crate::print::{self, Ended, Trouble};
use crate::settings::{self, Loaded};
use mains_catalog::Catalog;
use mains_config::Settings;
use mains_store::db::{Db, DbOptions};
use mains_units::Timestamp;
use serde::Serialize;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The database, below the data folder.
const DATABASE: &str = "mains.db";
/// The secret under which keys are stored, below the data folder.
const PEPPER: &str = "pepper";

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Good,
    /// Not there yet, or not needed.
    Aside,
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
struct Check {
    name: &'static str,
    state: State,
    found: String,
    hint: Option<String>,
}

impl Check {
    fn good(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, state: State::Good, found: found.into(), hint: None }
    }

    fn aside(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, state: State::Aside, found: found.into(), hint: None }
    }

    /// A failure, whose text may carry its own hint.
    fn bad(name: &'static str, found: impl std::fmt::Display) -> Self {
        let found = found.to_string();
        let (found, hint) = match found.split_once("\nhint: ") {
            Some((found, hint)) => (found.to_owned(), Some(hint.trim().to_owned())),
            None => (found, None),
        };
        Self { name, state: State::Bad, found, hint }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

pub(crate) fn run(arguments: &Doctor) -> Result<Ended, Trouble> {
    let mut checks = vec![clock(super::now(), Catalog::builtin()), entropy()];
    let (settings, base) = if let Some(path) = settings::find(arguments.config.as_deref())? {
        match settings::load(Some(&path), Vec::new()) {
            Ok(Loaded { settings, base_folder, .. }) => {
                checks.push(built(&settings, &path));
                (Some(settings), base_folder)
            }
            Err(trouble) => {
                checks.push(Check::bad("configuration", trouble.text()));
                (None, ".".into())
            }
        }
    } else {
        checks.push(
            Check::aside("configuration", "none here, above, in your settings or in /etc/mains")
                .hint("`mains scan --write mains.toml` writes one for your code"),
        );
        (Some(settings::defaults(Vec::new())?), ".".into())
    };
    if let Some(settings) = &settings {
        // As `serve` does: below the folder of the file.
        let data = match base.as_os_str() {
            here if here == "." => PathBuf::from(&settings.serve.data.value),
            _ => base.join(&settings.serve.data.value),
        };
        let data = data.as_path();
        checks.push(port(settings, data));
        checks.extend(keys(settings, &base));
        checks.push(folder(data));
        checks.push(database(data));
        checks.push(log(data));
        checks.push(vault(settings, &base, data));
    }
    checks.push(models());
    checks.push(sensors());
    if arguments.json {
        print::json(&serde_json::json!({ "schema": "mains.doctor/1", "checks": checks }))?;
    } else {
        print::data(&page(&checks));
    }
    let bad = checks.iter().filter(|check| check.state == State::Bad).count();
    print::say(&match bad {
        0 => "nothing is wrong".to_owned(),
        bad => print::plural(bad as u64, "thing") + " to mend",
    });
    Ok(if bad == 0 { Ended::Clean } else { Ended::Findings })
}

fn page(checks: &[Check]) -> String {
    let mut page = String::new();
    for check in checks {
        let (word, style) = match check.state {
            State::Good => ("good", anstyle::AnsiColor::Green.on_default()),
            State::Aside => ("-", anstyle::Style::new()),
            State::Bad => ("BAD", anstyle::AnsiColor::Red.on_default().bold()),
        };
        let mut lines = check.found.trim_end().lines();
        let first = lines.next().unwrap_or_default();
        let _ = writeln!(page, "{style}{word:<5}{style:#} {:<14} {first}", check.name);
        let hint = check.hint.iter().map(|hint| format!("hint: {hint}"));
        for line in lines.map(str::to_owned).chain(hint) {
            let _ = writeln!(page, "{:20} {line}", "");
        }
    }
    page
}

/// Whether kept content can be read: its key is there and fits.
fn vault(settings: &Settings, base: &Path, data: &Path) -> Check {
    if !data.join(mains_serve::keeping::VAULT).is_dir() {
        let kept = settings.record.keeps_any();
        let found =
            if kept { "none yet; the vault and its key are made at the first start" } else { "none is kept" };
        return Check::aside("kept content", found);
    }
    let stats = records::unlock(data, base.to_path_buf(), settings).and_then(|(reader, kek)| {
        let stats = reader.stats()?;
        Ok((stats.exchanges, kek.id()))
    });
    match stats {
        Ok((exchanges, key)) => {
            Check::good("kept content", format!("{} exchanges, key {key}", print::thousands(exchanges)))
        }
        Err(trouble) => Check::bad("kept content", trouble.text()),
    }
}

/// A clock before the newest fact of the catalogue is wrong; certificates and dates would be judged by it.
fn clock(now: Timestamp, catalog: &Catalog) -> Check {
    let (today, read) = (now.day(), catalog.as_read_on());
    let age = read.days_until(today);
    if age < 0 {
        return Check::bad(
            "clock",
            format!("today is {today} by this machine's clock, before the catalogue of {read}"),
        )
        .hint("set the clock; certificates and dates of death are judged by it");
    }
    Check::good("clock", format!("{now}, {age} days after the catalogue's newest source"))
}

fn entropy() -> Check {
    match mains_host::Entropy::system() {
        Ok(_) => Check::good("randomness", "the operating system gives it"),
        Err(error) => Check::bad("randomness", error),
    }
}

fn built(settings: &Settings, path: &Path) -> Check {
    match config::cross_check(settings, Catalog::builtin()) {
        Ok(()) => Check::good(
            "configuration",
            format!(
                "{}: {}, {}",
                path.display(),
                print::plural(settings.upstreams.len() as u64, "upstream"),
                print::plural(settings.routes.len() as u64, "route")
            ),
        ),
        Err(errors) => Check::bad("configuration", errors),
    }
}

/// Whether the port is free, or ours already.
fn port(settings: &Settings, data: &Path) -> Check {
    let address = settings.serve.listen.value;
    match TcpListener::bind(address) {
        Ok(_) => Check::good("port", format!("{address} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            if std::os::unix::net::UnixStream::connect(data.join("control.sock")).is_ok() {
                return Check::good("port", format!("the outlet is running at {address}"));
            }
            Check::bad("port", format!("another program listens at {address}"))
                .hint("set `[serve] listen` or `MAINS_SERVE_LISTEN` to another port")
        }
        Err(error) => Check::bad("port", format!("cannot listen at {address}: {}", print::lowered(&error))),
    }
}

/// Whether every key that the file refers to is where it says. Keys themselves are never shown.
fn keys(settings: &Settings, base: &Path) -> Vec<Check> {
    let mut checks = Vec::new();
    for upstream in &settings.upstreams {
        let Some(reference) = &upstream.key else { continue };
        let name = &upstream.name.value;
        checks.push(match mains_host::secrets::resolve_key(&reference.value, base) {
            Ok(_) => Check::good("key", format!("{name}: {} is there", reference.value)),
            Err(error) => Check::bad("key", format!("{name}: {error}")),
        });
    }
    checks
}

fn folder(data: &Path) -> Check {
    let shown = data.display();
    let metadata = match std::fs::symlink_metadata(data) {
        Ok(_) => std::fs::metadata(data),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Check::aside(
                "data folder",
                format!("`{shown}` is not there yet; `mains serve` makes it"),
            );
        }
        Err(error) => Err(error),
    };
    match metadata {
        Err(error) => Check::bad("data folder", format!("`{shown}`: {}", print::lowered(&error))),
        Ok(metadata) if !metadata.is_dir() => Check::bad("data folder", format!("`{shown}` is not a folder")),
        Ok(metadata) if metadata.mode() & 0o077 != 0 => Check::bad(
            "data folder",
            format!("others may look into `{shown}` (mode {:o})", metadata.mode() & 0o777),
        )
        .hint(format!("run `chmod 700 {shown}`")),
        Ok(_) => Check::good("data folder", format!("`{shown}` is yours alone")),
    }
}

/// Whether the store opens. It is opened under a pepper that checks no key: a doctor verifies none.
fn database(data: &Path) -> Check {
    let path = data.join(DATABASE);
    if !path.is_file() {
        return Check::aside("store", "no database yet");
    }
    let pepper = data.join(PEPPER);
    if pepper.is_file()
        && let Err(error) = mains_host::secrets::read_secret(&pepper)
    {
        return Check::bad("store", error);
    }
    let opened = Db::open(&DbOptions::file(&path, [0; 32]));
    match opened.and_then(|db| db.requests(mains_store::db::RequestFilter::default(), None, 1).wait()) {
        Ok(page) => {
            let last = page
                .rows
                .first()
                .map_or_else(|| "no request yet".to_owned(), |row| format!("last request {}", row.at));
            Check::good("store", format!("`{}` opens, {last}", path.display()))
        }
        Err(error) => Check::bad("store", error),
    }
}

fn log(data: &Path) -> Check {
    if !ledger::verifier_path(data).is_file() {
        return Check::aside("ledger", "none yet");
    }
    let log = match ledger::Log::open(data) {
        Ok(log) => log,
        Err(trouble) => return Check::bad("ledger", trouble.text()),
    };
    match log.verify() {
        Ok(report) => Check::good(
            "ledger",
            format!(
                "verifies: {} leaves, {} signed",
                print::thousands(report.leaves),
                print::thousands(report.signed)
            ),
        ),
        Err(fault) => {
            Check::bad("ledger", fault).hint("keep a copy of the folder before anything else is done")
        }
    }
}

fn models() -> Check {
    let folder = match model::folder() {
        Ok(folder) => folder,
        Err(trouble) => return Check::aside("models", trouble.text()),
    };
    let here = mains_infer::models::ALL.iter().filter(|known| model::is_here(known, &folder));
    let here: Vec<&str> = here.map(|known| known.name).collect();
    if here.is_empty() {
        return Check::aside("models", format!("none in `{}`", folder.display()))
            .hint("`mains model pull smollm2-135m-instruct` fetches a small one");
    }
    Check::good("models", format!("{} in `{}`", here.join(", "), folder.display()))
}

fn sensors() -> Check {
    let boards = mains_host::sensors::accelerators();
    let boards = boards.iter().map(|board| match board.watts {
        Some(watts) => format!("{} ({watts} W)", board.name),
        None => board.name.clone(),
    });
    let rapl = mains_host::sensors::Rapl::find()
        .map(|rapl| format!("RAPL of {}", print::plural(rapl.packages() as u64, "package")));
    let found: Vec<String> = rapl.into_iter().chain(boards).collect();
    if found.is_empty() {
        return Check::aside(
            "sensors",
            "none that may be read: energy of local models follows from processor time, grade D",
        );
    }
    Check::good("sensors", found.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_before_the_catalogue_is_wrong() {
        assert_eq!(clock(Timestamp(0), Catalog::builtin()).state, State::Bad);
    }

    #[test]
    fn an_error_brings_its_own_hint() {
        let check = Check::bad("key", "it is not set\nhint: set it");
        assert_eq!((check.found.as_str(), check.hint.as_deref()), ("it is not set", Some("set it")));
    }
}
