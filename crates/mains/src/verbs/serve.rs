//! `mains serve`: the outlet.

use crate::cli::Serve;
use crate::print::{self, Ended, Trouble};
use crate::settings;
use crate::start::{self, Start};
use std::sync::Arc;
use tokio::sync::watch;

/// Serves until it is told to end.
pub(crate) fn run(arguments: &Serve) -> Result<Ended, Trouble> {
    start::log("info");
    let mut flags = Vec::new();
    if let Some(listen) = &arguments.listen {
        flags.push(("serve.listen".to_owned(), listen.clone()));
    }
    if let Some(data) = &arguments.data {
        flags.push(("serve.data".to_owned(), data.display().to_string()));
    }
    let loaded = settings::load(arguments.config.as_deref(), flags.clone())?;
    let path = loaded.path.clone();
    let reread = move || {
        settings::load(Some(&path), flags.clone())
            .map(|loaded| loaded.settings)
            .map_err(|trouble| trouble.text())
    };
    let as_of = match &arguments.as_of {
        Some(day) => Some(super::as_of(Some(day))?),
        None => None,
    };
    if let Some(day) = as_of {
        print::say(&format!("a rehearsal: models live and end as of {day}; times in the records are true"));
    }
    let routes = loaded.settings.routes.len();
    let start = Start {
        settings: loaded.settings,
        base: loaded.base_folder,
        stand_ins: Vec::new(),
        as_of,
        reread: Arc::new(reread),
    };
    start::runtime()?.block_on(async move {
        let (stop, stopped) = watch::channel(false);
        let signals = start::Signals::listen()?;
        let started = start::start(start, stopped).await?;
        print::say(&format!(
            "mains serves {} at http://{} (page, /metrics and API); configuration `{}`; stop with Ctrl-C",
            print::plural(routes as u64, "route"),
            started.address,
            loaded.path.display()
        ));
        signals.until_told(Some(&started.folder)).await;
        print::say("draining: no new connections, open ones may end; a second signal ends at once");
        let _ = stop.send(true);
        let cut = started.task.await?.map_err(Trouble::rendered)?;
        if cut > 0 {
            print::say(&format!("{cut} connections were cut at the end of the drain"));
        }
        Ok(Ended::Clean)
    })
}
