//! A running outlet: listeners, upkeep, reload, drain.

use crate::front::{Face, Front};
use crate::http::listen::{self, Bounds};
use crate::keeping;
use crate::live::Live;
use crate::metrics::Rejected;
use crate::open::save_budgets;
use crate::outlet::Outlet;
use crate::tasks::Tracker;
use crate::{control, labels, live, swaps};
use mains_ledger::leaf::{Leaf, RejectCount};
use mains_store::db::KeepFor;
use mains_units::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How often rejected strangers are written down, budgets saved and old rows pruned.
const UPKEEP: Duration = Duration::from_mins(1);

/// Reads the settings again; the error is for the operator.
pub type Reread = Arc<dyn Fn() -> Result<Live, String> + Send + Sync>;

/// What an outlet runs with.
pub struct Run {
    /// The outlet.
    pub outlet: Arc<Outlet>,
    /// Where clients come in.
    pub data: TcpListener,
    /// Where the page stands, when it may not stand there.
    pub admin: Option<TcpListener>,
    /// The folder of the control socket.
    pub folder: PathBuf,
    /// Reads the settings again.
    pub reread: Reread,
}

/// Serves until `stop` turns true, then drains. The number of connections that had to be cut is returned.
pub async fn run(run: Run, stop: watch::Receiver<bool>) -> Result<usize, String> {
    let Run { outlet, data, admin, folder, reread } = run;
    let settings = outlet.live();
    let limits = &settings.settings.limits;
    let bounds = Bounds {
        connections_max: usize::try_from(limits.max_connections.value).unwrap_or(usize::MAX),
        head_timeout: limits.header.value.to_std(),
        drain: settings.settings.serve.drain.value.to_std(),
    };
    let tasks = Tracker::new(u32::try_from(limits.max_in_flight.value).unwrap_or(u32::MAX));
    let front =
        |face| Front { outlet: Arc::clone(&outlet), face, draining: stop.clone(), tasks: tasks.clone() };
    let control = control::listen(&folder, Arc::clone(&outlet), Arc::clone(&reread), stop.clone())?;
    let upkeep = tokio::spawn(upkeep(Arc::clone(&outlet), stop.clone()));
    let (data_front, admin_front) = (front(Face::Data), front(Face::Admin));
    let serving =
        listen::serve(data, bounds, stop.clone(), move |request, _| data_front.clone().answer(request));
    let admin = async {
        match admin {
            Some(admin) => {
                listen::serve(admin, bounds, stop.clone(), move |request, _| {
                    admin_front.clone().answer(request)
                })
                .await
            }
            None => 0,
        }
    };
    let (cut, _) = tokio::join!(serving, admin);
    // Connections are gone; what they asked may still be writing its record.
    if tokio::time::timeout(bounds.drain, tasks.all_ended()).await.is_err() {
        tracing::warn!(in_flight = tasks.in_flight(), "the drain ended before every request was recorded");
    }
    upkeep.abort();
    control.abort();
    finish(&outlet).await;
    Ok(cut)
}

/// Leaves everything in order: budgets saved, the vault closed, the ledger signed to its last leaf.
async fn finish(outlet: &Arc<Outlet>) {
    write_rejected(outlet, outlet.clock.now(), Rejected::default());
    save_budgets(outlet).await;
    labels::save(outlet).await;
    let outlet = Arc::clone(outlet);
    let closed = tokio::task::spawn_blocking(move || {
        outlet.keeping.close();
        outlet.ledger.close()
    })
    .await;
    if let Ok(Err(error)) = closed {
        tracing::error!(%error, "the ledger could not be closed in order");
    }
}

async fn upkeep(outlet: Arc<Outlet>, mut stop: watch::Receiver<bool>) {
    let mut since = outlet.clock.now();
    let mut seen = Rejected::default();
    loop {
        tokio::select! {
            () = tokio::time::sleep(UPKEEP) => {}
            () = async { let _ = stop.wait_for(|stop| *stop).await; } => return,
        }
        seen = write_rejected(&outlet, since, seen);
        since = outlet.clock.now();
        save_budgets(&outlet).await;
        swaps::tick(&outlet).await;
        labels::save(&outlet).await;
        prune(&outlet).await;
        keeping::upkeep(&outlet).await;
    }
}

/// One leaf an interval for all strangers, so that they cannot fill the disk.
fn write_rejected(outlet: &Outlet, from: Timestamp, seen: Rejected) -> Rejected {
    let total = outlet.counts.rejected_total();
    let (unauthorized, other) = (total.unauthorized - seen.unauthorized, total.other - seen.other);
    if unauthorized + other > 0 {
        outlet.leaf(&Leaf::RejectCount(RejectCount {
            from,
            until: outlet.clock.now(),
            malformed: 0,
            too_large: 0,
            unauthorized,
            other,
        }));
    }
    total
}

async fn prune(outlet: &Outlet) {
    let settings = outlet.live();
    let retention = &settings.settings.retention;
    let keep = KeepFor {
        requests_days: retention.requests_days.value,
        usage_minute_days: retention.usage_minute_days.value,
        usage_hour_days: retention.usage_hour_days.value,
        usage_day_days: retention.usage_day_days.value,
    };
    if let Err(error) = outlet.db.prune(outlet.clock.now(), keep).await {
        tracing::error!(%error, "old rows could not be pruned");
    }
}

/// Puts newly read settings in force; a bad file changes nothing. Reads and writes files.
pub fn reload(outlet: &Outlet, reread: &Reread) -> Result<(), String> {
    let fresh: live::Live = reread()?;
    let now = outlet.live();
    if fresh.settings.serve.listen.value != now.settings.serve.listen.value {
        return Err("`listen` cannot be changed while the outlet runs\nhint: restart it".into());
    }
    if fresh.settings.serve.data.value != now.settings.serve.data.value {
        return Err("`data` cannot be changed while the outlet runs\nhint: restart it".into());
    }
    let (record, before) = (&fresh.settings.record, &now.settings.record);
    outlet.keeping.refuse_change(before, record)?;
    outlet.keeping.ready(record, &outlet.entropy)?;
    keeping::warn_of_unknown_projects(&fresh, &outlet.db);
    let labellers = labels::prepare(outlet, &fresh)?;
    swaps::enter(outlet, &fresh)?;
    labels::enter(outlet, labellers);
    tracing::info!("the configuration was read again");
    Ok(())
}
