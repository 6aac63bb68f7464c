//! The path of one request. Read this as a list of stops; each stands in `stops/`.

use crate::labels;
use crate::outlet::Outlet;
use crate::stops::{Arrived, Held, Known, Left};
use crate::stops::{choose, deliver, identify, judge, keep, read, record, relay, reserve, settle};
use crate::swaps;
use crate::tasks::Place;
use std::sync::Arc;

/// Carries one request from its first byte to its record. It runs in a task of its own: a client that leaves
/// cannot stop it before the record is written.
pub(crate) async fn handle(outlet: Arc<Outlet>, arrived: Arrived, place: Place, mut reply: deliver::Reply) {
    // 1. Accept happened in `front`: the bytes have a name and a time.

    // 2. Identify before anything costs: a stranger is counted, not recorded, so that he cannot fill the disk.
    let (id, dialect) = (arrived.id, arrived.dialect);
    let known = match identify::identify(&outlet, arrived) {
        Ok(known) => known,
        Err(refusal) => return deliver::stranger(&outlet, reply, id, dialect, &refusal),
    };

    match approach(&outlet, known, &mut reply).await {
        Ok(held) => {
            // 8. Relay while bytes flow; every attempt is decided by the machine in `mains-relay`.
            let relayed = relay::relay(&outlet, held, &mut reply).await;
            // 9. Settle before the answer's head leaves, so that it can say what it cost.
            let mut settled = settle::settle(&outlet, relayed);
            // 10. Record, count for a switch and for a labeller, keep the content where that is allowed, then hand over what is not handed over yet.
            let written = record::outcome(&outlet, &settled);
            swaps::watch::observe(&outlet, &settled).await;
            labels::watch::observe(&outlet, &settled).await;
            keep::keep(&outlet, &mut settled);
            deliver::answer(&outlet, reply, settled).await;
            written.release(place).await;
        }
        Err(left) => {
            let written = record::deny(&outlet, &left);
            deliver::refusal(&outlet, reply, &left);
            written.release(place).await;
        }
    }
}

/// Stops 3 to 7. Who leaves here still goes to the record.
async fn approach(outlet: &Outlet, known: Known, reply: &mut deliver::Reply) -> Result<Held, Box<Left>> {
    // 3. Read the whole body within bounds, and the question in it.
    let asked = read::read(outlet, known, reply).await?;
    // 4. Judge before routing: failover can never reach a forbidden target.
    let judged = judge::judge(asked)?;
    // 5. Recall is off: no route may ask for it yet (`live` refuses it at start).
    // 6. Choose the targets and their order; a labeller is one of them where it answers this request by itself.
    let label = labels::consider(outlet, &judged.asked);
    let routed = choose::choose(outlet, judged, label)?;
    // 7. Reserve the worst case, so that no budget can be overrun by requests in flight.
    reserve::reserve(outlet, routed)
}
