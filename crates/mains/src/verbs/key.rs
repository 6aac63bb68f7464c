//! `mains key`: keys for clients, through the running outlet, else in the store itself.

use crate::cli::Key;
use crate::print::{self, Ended, Trouble};
use crate::start;
use mains_host::{Clock, Entropy, secrets};
use mains_serve::control::{Answer, Command, KeyLine, SOCKET, say};
use mains_store::db::{Db, DbOptions, KeySecret, NewKey};
use std::path::Path;

/// Makes, lists or revokes keys.
pub(crate) fn run(verb: &Key) -> Result<Ended, Trouble> {
    match verb {
        Key::Make { name, project, data } => {
            let command = Command::MakeKey { name: name.clone(), project: project.clone() };
            made(&ask(&data.data, &command)?, data.json)
        }
        Key::List(data) => listed(&ask(&data.data, &Command::ListKeys)?, data.json),
        Key::Revoke { id, data } => {
            if let Answer::Refused(why) = ask(&data.data, &Command::RevokeKey { id: id.clone() })? {
                Err(Trouble::rendered(why))
            } else {
                print::say(&format!("revoked {id}; it fails from now on"));
                Ok(Ended::Clean)
            }
        }
    }
}

/// The outlet answers if one runs in the folder; else the store is opened here.
fn ask(folder: &Path, command: &Command) -> Result<Answer, Trouble> {
    if folder.join(SOCKET).exists()
        && let Ok(answer) = start::runtime()?.block_on(say(folder, command))
    {
        return Ok(answer);
    }
    let (clock, entropy) = (Clock::start(), Entropy::system()?);
    mains_host::files::private_folder(folder)?;
    let pepper = secrets::secret_file(&folder.join("pepper"), &entropy)?;
    let db = Db::open(&DbOptions::file(folder.join("mains.db"), pepper))?;
    Ok(match command {
        Command::MakeKey { name, project } => {
            let new =
                NewKey { name: name.clone(), project: project.clone(), scopes: Vec::new(), expires: None };
            let (row, text) = db.make_key(new, &KeySecret::new(entropy.key()?), clock.now()).wait()?;
            Answer::Key { id: row.id, secret: text.expose().to_owned() }
        }
        Command::RevokeKey { id } => {
            if db.revoke_key(id, clock.now()).wait()? {
                Answer::Done
            } else {
                Answer::Refused(format!(
                    "there is no key `{id}` that could be revoked\nhint: `mains key list` prints the ids"
                ))
            }
        }
        _ => Answer::Keys(db.keys().into_iter().map(KeyLine::from).collect()),
    })
}

fn made(answer: &Answer, json: bool) -> Result<Ended, Trouble> {
    let Answer::Key { id, secret } = answer else { return Err(refused(answer)) };
    if json {
        print::json(&serde_json::json!({"schema": "mains.key/1", "id": id, "secret": secret}))?;
    } else {
        print::data(secret);
        print::say(&format!(
            "this is key {id}; it is shown this once. From now on the outlet requires a key."
        ));
    }
    Ok(Ended::Clean)
}

fn listed(answer: &Answer, json: bool) -> Result<Ended, Trouble> {
    let Answer::Keys(keys) = answer else { return Err(refused(answer)) };
    if json {
        print::json(&serde_json::json!({"schema": "mains.keys/1", "keys": keys}))?;
        return Ok(Ended::Clean);
    }
    if keys.is_empty() {
        print::say("no keys: the outlet serves this machine only");
    }
    for key in keys {
        let state = key.revoked.as_ref().map_or_else(|| "valid".to_owned(), |at| format!("revoked {at}"));
        print::data(&format!(
            "{}\t{}…\t{}\t{}\t{}\t{state}",
            key.id, key.shown, key.name, key.project, key.created
        ));
    }
    Ok(Ended::Clean)
}

fn refused(answer: &Answer) -> Trouble {
    match answer {
        Answer::Refused(why) => Trouble::rendered(why),
        other => Trouble::new(format!("the outlet answered something else: {other:?}")),
    }
}
