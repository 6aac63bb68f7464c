//! Control over a Unix socket of mode 0600 in the data folder: keys, drills, reload, erasure. One JSON object a line, each way.

mod words;

pub use words::{Answer, Command, KeyLine, LabelLine, ReadingLine, SwapLine};

use crate::outlet::Outlet;
use crate::run::{Reread, reload};
use crate::{labels, swaps};
use mains_ledger::leaf::{Drill, Erase, Key, KeyAction, Label, Leaf, Survivor};
use mains_store::db::{KeySecret, NewKey, SwapTest};
use mains_store::vault::Erased;
use mains_units::{RequestId, Span, Timestamp};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The socket's name in the data folder.
pub const SOCKET: &str = "control.sock";

/// Most bytes of one command.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// Listens in the data folder. A socket left over by a killed process is replaced; the ledger's lock has already made
/// sure that no other outlet runs here.
pub(crate) fn listen(
    folder: &Path,
    outlet: Arc<Outlet>,
    reread: Reread,
    stop: watch::Receiver<bool>,
) -> Result<JoinHandle<()>, String> {
    let path = folder.join(SOCKET);
    let say = |what: &str, error: &std::io::Error| format!("cannot {what} `{}`: {error}", path.display());
    match std::fs::remove_file(&path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(say("replace", &error)),
    }
    let listener = UnixListener::bind(&path).map_err(|error| say("listen on", &error))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
        .map_err(|error| say("protect", &error))?;
    Ok(tokio::spawn(async move {
        let mut stop = stop;
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = async { let _ = stop.wait_for(|stop| *stop).await; } => break,
            };
            if let Ok((stream, _)) = accepted {
                // Operators come one at a time; a slow one does not block the outlet, only the next operator.
                let talk = talk(stream, &outlet, &reread);
                let _ = tokio::time::timeout(std::time::Duration::from_secs(30), talk).await;
            }
        }
        let _ = std::fs::remove_file(&path);
    }))
}

async fn talk(stream: UnixStream, outlet: &Arc<Outlet>, reread: &Reread) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    BufReader::new(reader.take(LINE_BYTES_MAX)).read_line(&mut line).await?;
    let answer = match serde_json::from_str::<Command>(&line) {
        Ok(command) => obey(command, outlet, reread).await,
        Err(error) => Answer::Refused(format!("this is no command: {error}")),
    };
    let mut text = serde_json::to_string(&answer)?;
    text.push('\n');
    writer.write_all(text.as_bytes()).await?;
    writer.shutdown().await
}

async fn obey(command: Command, outlet: &Arc<Outlet>, reread: &Reread) -> Answer {
    let now = outlet.clock.now();
    match command {
        Command::Reload => {
            // It reads files, and may open the vault.
            let (outlet, reread) = (Arc::clone(outlet), Arc::clone(reread));
            match tokio::task::spawn_blocking(move || reload(&outlet, &reread)).await {
                Ok(Ok(())) => Answer::Done,
                Ok(Err(why)) => Answer::Refused(why),
                Err(error) => Answer::Refused(error.to_string()),
            }
        }
        Command::Status => status(outlet),
        Command::MakeKey { name, project } => make_key(outlet, name, project, now).await,
        Command::ListKeys => Answer::Keys(outlet.db.keys().into_iter().map(KeyLine::from).collect()),
        Command::RevokeKey { id } => match outlet.db.revoke_key(&id, now).await {
            Ok(true) => {
                key_leaf(outlet, &id, None, KeyAction::Revoked);
                Answer::Done
            }
            Ok(false) => Answer::Refused(format!(
                "there is no key `{id}` that could be revoked\nhint: `mains key list` prints the ids"
            )),
            Err(error) => Answer::Refused(error.to_string()),
        },
        Command::Kill { target, for_ms } => {
            if !is_target(outlet, &target) {
                return Answer::Refused(format!(
                    "no route has a target `{target}`\nhint: name a whole target (`openai/gpt-4o`) or an upstream (`openai`)"
                ));
            }
            outlet.begin_drill(&target, Span::from_ms(for_ms));
            Answer::Done
        }
        Command::Revive { target, from, requests, failed, answered_by } => {
            outlet.drills.end(&target);
            let survivors = answered_by
                .into_iter()
                .map(|(target, answered)| Survivor { target: label(&target), answered });
            let leaf = Leaf::Drill(Drill {
                target: label(&target),
                from: Timestamp(from),
                until: now,
                requests,
                failed,
                answered_by: survivors.collect(),
            });
            Answer::Leaf(outlet.leaf(&leaf))
        }
        Command::SwapTested { report, from, to, route, verdict, figures } => {
            let route = Some(route).filter(|route| !route.is_empty());
            let test = SwapTest { report, at: now, from, to, route, verdict, figures: figures.to_string() };
            swaps::tested(outlet, test).await.map_or_else(Answer::Refused, Answer::Leaf)
        }
        Command::Labels => Answer::Labels(labels::lines::all(outlet)),
        Command::WithdrawLabel { route } => {
            match labels::withdraw(outlet, &route, mains_distill::watch::Reason::ByHand).await {
                Ok(true) => Answer::Done,
                Ok(false) => Answer::Refused(format!("the labeller of `{route}` was withdrawn already")),
                Err(why) => Answer::Refused(why),
            }
        }
        Command::Swaps => Answer::Swaps(swaps::lines::all(outlet)),
        Command::RollBackSwap { route } => match swaps::roll_back(outlet, &route).await {
            Ok(()) => Answer::Done,
            Err(why) => Answer::Refused(why),
        },
        Command::Erase { request } => erase(outlet, &request, now).await.unwrap_or_else(Answer::Refused),
    }
}

fn label(text: &str) -> Label {
    Label::new(text).unwrap_or_else(|_| Label::digest_of(text))
}

fn status(outlet: &Outlet) -> Answer {
    let live = outlet.live();
    let routes =
        outlet.routed_targets().into_iter().map(|(model, target)| (model, target.to_string())).collect();
    Answer::Status {
        listen: live.settings.serve.listen.value.to_string(),
        routes,
        keyed: outlet.keys.required(),
    }
}

fn is_target(outlet: &Outlet, name: &str) -> bool {
    let live = outlet.live();
    live.targets.values().any(|facts| crate::drills::matches(name, &facts.upstream.name, &facts.model))
}

async fn make_key(outlet: &Outlet, name: String, project: String, now: Timestamp) -> Answer {
    let secret = match outlet.entropy.key() {
        Ok(bytes) => KeySecret::new(bytes),
        Err(error) => return Answer::Refused(error.to_string()),
    };
    let new = NewKey { name, project, scopes: Vec::new(), expires: None };
    match outlet.db.make_key(new, &secret, now).await {
        Ok((row, text)) => {
            key_leaf(outlet, &row.id, Some(&row.project), KeyAction::Created);
            Answer::Key { id: row.id, secret: text.expose().to_owned() }
        }
        Err(error) => Answer::Refused(error.to_string()),
    }
}

/// Destroys the data key of a request's content and the key of its commitments, and says so in the ledger. Should one
/// step fail, the same command once more does the rest.
async fn erase(outlet: &Arc<Outlet>, request: &str, now: Timestamp) -> Result<Answer, String> {
    let id = RequestId::parse(request).ok_or_else(|| {
        format!("`{request}` is not the name of a request\nhint: it is `req_…`, as the header `x-request-id` has it")
    })?;
    let keeper = Arc::clone(outlet);
    let erased = tokio::task::spawn_blocking(move || keeper.keeping.erase(id, now)).await;
    let erased = erased.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    let commitment = outlet.db.erase_commitment_key(id, now).await.map_err(|error| error.to_string())?;
    let keeper = Arc::clone(outlet);
    let _ = tokio::task::spawn_blocking(move || labels::row_erased(&keeper, &id.to_string())).await;
    let content = erased == Erased::Now;
    let before = match erased {
        Erased::Before(at) => Some(at.to_string()),
        Erased::Now | Erased::Absent => None,
    };
    if !content && !commitment && before.is_none() {
        return Err(format!(
            "nothing is kept of `{id}`\nhint: it may never have been kept, or its time is over; `mains records stats` says what is there"
        ));
    }
    let destroyed = content || commitment;
    let leaf =
        destroyed.then(|| outlet.leaf(&Leaf::Erase(Erase { request: id, content, commitment }))).flatten();
    Ok(Answer::Erased { content, before, commitment, leaf })
}

fn key_leaf(outlet: &Outlet, id: &str, project: Option<&str>, action: KeyAction) {
    let project = project.filter(|project| !project.is_empty()).map(label);
    outlet.leaf(&Leaf::Key(Key { key: label(id), project, action, expires: None }));
}

/// Says one command to the outlet that runs in a data folder, and waits for its answer.
pub async fn say(folder: &Path, command: &Command) -> Result<Answer, String> {
    let path = folder.join(SOCKET);
    let failed = |error: std::io::Error| {
        format!(
            "no outlet answers at `{}`: {error}\nhint: start one with `mains serve` or `mains up`",
            path.display()
        )
    };
    let stream = UnixStream::connect(&path).await.map_err(failed)?;
    let (reader, mut writer) = stream.into_split();
    let mut text = serde_json::to_string(command).map_err(|error| error.to_string())?;
    text.push('\n');
    writer.write_all(text.as_bytes()).await.map_err(failed)?;
    let mut line = String::new();
    BufReader::new(reader).read_line(&mut line).await.map_err(failed)?;
    serde_json::from_str(&line).map_err(|error| format!("the outlet's answer could not be read: {error}"))
}
