//! Starting an outlet in this process: what `serve` and `up` share.

use crate::print::Trouble;
use mains_config::Settings;
use mains_host::{Clock, Entropy};
use mains_infer::encoder::EncoderSource;
use mains_infer::models::{self, KnownModel};
use mains_ledger::Hash;
use mains_meter::local::Processor;
use mains_serve::live::{Live, wants_local};
use mains_serve::local::Local;
use mains_serve::open::{self, Surroundings};
use mains_serve::outlet::Outlet;
use mains_serve::run::{Reread, Run, run};
use mains_serve::worker::{self, ModelFile, WorkerSettings};
use mains_units::Day;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Context of local models in tokens, where the file does not force less.
const LOCAL_CONTEXT: usize = 2_048;

/// Questions that may wait for the local model.
const LOCAL_WAITING: usize = 16;

/// An outlet that runs.
pub(crate) struct Started {
    /// The outlet.
    pub(crate) outlet: Arc<Outlet>,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Its data folder.
    pub(crate) folder: PathBuf,
    /// Ends when the outlet has drained; the number of connections that were cut.
    pub(crate) task: JoinHandle<Result<usize, String>>,
}

/// What an outlet starts from.
pub(crate) struct Start {
    /// The settings.
    pub(crate) settings: Settings,
    /// Paths in them begin here.
    pub(crate) base: PathBuf,
    /// Upstreams behind which a stand-in answers.
    pub(crate) stand_ins: Vec<String>,
    /// The day by which the lives of models are judged, instead of today.
    pub(crate) as_of: Option<Day>,
    /// Reads the settings again.
    pub(crate) reread: Arc<dyn Fn() -> Result<Settings, String> + Send + Sync>,
}

/// Opens the folder, listens, and serves until `stop` turns true.
pub(crate) async fn start(mut start: Start, stop: watch::Receiver<bool>) -> Result<Started, Trouble> {
    let clock = Clock::start();
    let entropy = Entropy::system()?;
    let data = start.base.join(&start.settings.serve.data.value);
    let wanted = start.settings.serve.listen.value;
    let listener = listen(wanted).await?;
    let address = listener.local_addr()?;
    // Port 0 is any port: from here on everyone is told which one it became.
    start.settings.serve.listen.value = address;
    let admin = match &start.settings.serve.admin_listen {
        Some(setting) => Some(listen(setting.value).await?),
        None => None,
    };
    let as_of = start.as_of;
    let today = move || as_of.unwrap_or_else(|| clock.now().day());
    let live = open::live(start.settings, &start.base, today()).map_err(Trouble::rendered)?;
    let (local, weights) = if wants_local(&live) { local(&live)? } else { (None, HashMap::new()) };
    let around = Surroundings {
        data: data.clone(),
        base: start.base.clone(),
        vault_key: crate::settings::vault_key(),
        clock,
        entropy,
        local,
        weights,
        processor: Processor::unknown(cores() as f64),
        stand_ins: start.stand_ins,
        as_of,
    };
    let outlet = tokio::task::spawn_blocking(move || open::open(live, around)).await?;
    let outlet = Arc::new(outlet.map_err(Trouble::rendered)?);
    let (read, base) = (start.reread, start.base);
    let reread: Reread = Arc::new(move || {
        let mut settings = read()?;
        if settings.serve.listen.value == wanted {
            settings.serve.listen.value = address;
        }
        open::live(settings, &base, today())
    });
    let task = tokio::spawn(run(
        Run { outlet: Arc::clone(&outlet), data: listener, admin, folder: data.clone(), reread },
        stop,
    ));
    Ok(Started { outlet, address, folder: data, task })
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Trouble> {
    TcpListener::bind(address).await.map_err(|error| {
        let what = Trouble::new(format!("cannot listen on {address}: {}", crate::print::lowered(&error)));
        match error.kind() {
            std::io::ErrorKind::AddrInUse => what.hint(
                "another program listens there, perhaps another outlet; choose another port with `--listen`",
            ),
            _ => what,
        }
    })
}

/// The worker of local models, started with the first question; the weights are checked then. It holds one model
/// that answers and one that makes vectors.
fn local(live: &Live) -> Result<(Option<Local>, HashMap<String, Hash>), Trouble> {
    let mut names: Vec<&str> = live
        .targets
        .values()
        .filter(|facts| facts.upstream.is_local())
        .map(|facts| facts.model.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    let folder = crate::verbs::model::folder()?;
    let mut settings = WorkerSettings {
        command: (std::env::current_exe()?, "worker".into()),
        model: None,
        encoder: None,
        threads: cores(),
    };
    let mut weights = HashMap::new();
    for name in &names {
        let known = known_here(name, &folder)?;
        let taken = match EncoderSource::known(known, &folder) {
            Some(source) => settings.encoder.replace((known.name.into(), source)).is_some(),
            None => settings.model.replace(model_file(known, &folder)).is_some(),
        };
        if taken {
            return Err(Trouble::new(format!(
                "routes ask for {} local models: {}",
                names.len(),
                names.join(", ")
            ))
            .hint("one that answers and one that makes vectors can be served at a time"));
        }
        weights.insert(known.name.to_owned(), hash(known));
    }
    let (local, questions) = Local::new(LOCAL_WAITING);
    tokio::spawn(worker::serve(settings, questions));
    Ok((Some(local), weights))
}

/// The known model of this name, all of whose files are here.
fn known_here(name: &str, folder: &Path) -> Result<&'static KnownModel, Trouble> {
    let known = models::find(name).ok_or_else(|| {
        Trouble::new(format!("no local model is called `{name}`"))
            .hint("`mains model list` prints those that are known")
    })?;
    let missing = known.files().map(|file| file.path(known, folder)).find(|path| !path.is_file());
    match missing {
        Some(path) => Err(Trouble::new(format!(
            "the local model `{name}` is not here: `{}` is missing",
            path.display()
        ))
        .hint(format!("fetch it with `mains model pull {name}`"))),
        None => Ok(known),
    }
}

fn model_file(known: &KnownModel, folder: &Path) -> ModelFile {
    ModelFile {
        name: known.name.into(),
        path: known.path(folder),
        sha256: Some(known.sha256.into()),
        context: LOCAL_CONTEXT,
    }
}

fn hash(known: &KnownModel) -> Hash {
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(known.sha256.as_bytes().chunks_exact(2)) {
        *byte =
            std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()).unwrap_or(0);
    }
    Hash(bytes)
}

/// Hardware threads of this machine.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The runtime of an outlet: one thread per core, or as many as `MAINS_THREADS` says.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Trouble> {
    let threads =
        std::env::var("MAINS_THREADS").ok().and_then(|text| text.parse().ok()).unwrap_or_else(cores);
    let mut builder = match threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    Ok(builder.worker_threads(threads.max(1)).enable_all().build()?)
}

/// The log: to stderr, as much as `MAINS_LOG` says (`usual` without it), as JSON with `MAINS_LOG_FORMAT=json`.
pub(crate) fn log(usual: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("MAINS_LOG").unwrap_or_else(|_| usual.into());
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // A second log in one process is no trouble: the first one stays.
    let _ = if std::env::var("MAINS_LOG_FORMAT").is_ok_and(|format| format == "json") {
        subscriber.json().try_init()
    } else {
        subscriber.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init()
    };
}

/// The signals that an outlet obeys. Made before the first word is printed, so that none is missed.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Listens from now on.
    pub(crate) fn listen() -> Result<Self, Trouble> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the signal to end; a second one ends at once. `SIGHUP` makes the outlet in `folder` read its file
    /// again.
    pub(crate) async fn until_told(mut self, folder: Option<&Path>) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => break,
                _ = self.interrupt.recv() => break,
                _ = self.hang_up.recv() => {
                    if let Some(folder) = folder {
                        tokio::spawn(reload(folder.to_owned()));
                    }
                }
            }
        }
        tokio::spawn(async move {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
            std::process::exit(130);
        });
    }
}

/// A bad file changes nothing; the log says why.
async fn reload(folder: PathBuf) {
    use mains_serve::control::{Answer, Command, say};
    if let Ok(Answer::Refused(why)) | Err(why) = say(&folder, &Command::Reload).await {
        tracing::error!("the configuration was not reloaded: {why}");
    }
}
