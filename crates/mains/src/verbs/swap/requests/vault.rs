//! Kept records of a route, read beside the running outlet; what each took stands in the outlet's database.

use super::{Form, Gathered, Recorded, own, records::Place};
use crate::cli::{SwapRequests, Vault};
use crate::print::{self, Trouble};
use crate::verbs::records::open;
use mains_store::db::{Db, DbOptions};
use mains_store::vault::{VaultFilter, export};
use mains_units::RequestId;
use std::path::Path;

const DATABASE: &str = "mains.db";

/// The kept records of a route in the asked time, with what their answers took.
pub(super) fn read(route: &str, from: &SwapRequests, data: &Path) -> Result<Gathered, Trouble> {
    let vault = Vault { data: data.to_owned(), config: from.config.clone() };
    let (reader, _) = open(&vault)?;
    let filter = VaultFilter {
        route: Some(route.to_owned()),
        since: from.since,
        until: from.until,
        ..VaultFilter::default()
    };
    let mut gathered = Gathered::new(Form::Vault, format!("the route `{route}`"));
    for (index, exchange) in reader.exchanges(filter).enumerate() {
        // One form for what is kept and what was exported, and one place that reads it.
        let record = serde_json::from_str(&export::line(&exchange?))?;
        let place = Place::Nth(index + 1);
        gathered.take(own::item(&record, place), place).map_err(Trouble::new)?;
    }
    let path = data.join(DATABASE);
    if path.is_file()
        && let Err(error) = took(&path, &mut gathered)
    {
        print::say(&format!("what the recorded answers took is not known: {error}"));
    }
    Ok(gathered)
}

/// Fills in what each answer took. The database is opened under a pepper that checks no key: none is verified here.
fn took(path: &Path, gathered: &mut Gathered) -> Result<(), mains_store::db::DbError> {
    let db = Db::open(&DbOptions::file(path, [0; 32]))?;
    for item in &mut gathered.items {
        let Some(id) = RequestId::parse(&item.id) else { continue };
        let Some(row) = db.request(id).wait()? else { continue };
        item.recorded = Recorded {
            nano_usd: row.cost.map(|cost| cost.0),
            first_ms: row.first_token.map(mains_units::Span::as_ms),
            took_ms: Some(row.duration.as_ms()),
            input_tokens: row.usage.map(|usage| usage.input_total()),
            output_tokens: row.usage.map(|usage| usage.output),
        };
    }
    Ok(())
}
