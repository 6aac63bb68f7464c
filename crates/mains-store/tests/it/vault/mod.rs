//! The vault: filled, read, erased, damaged, killed, copied about, overrun.

mod crash;
mod damage;
mod erasure;
mod export;
mod keeper;
mod keys;
mod reading;

use mains_store::log::Disk;
use mains_store::log::double::DoubleDisk;
use mains_store::vault::{Body, Exchange, Fresh, Kek, Offer, Opened, Vault, VaultError, VaultOptions};
use mains_units::{RequestId, Span, Timestamp};
use std::path::Path;
use std::sync::Arc;

/// 2026-11-24T12:00:00Z.
const NOON: Timestamp = Timestamp(1_795_521_600_000);
const DAY_MS: i64 = 86_400_000;

fn kek() -> Kek {
    Kek::from_bytes([7; 32])
}

fn id(number: u32) -> RequestId {
    let mut bytes = [0; 12];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    RequestId::from_bytes(bytes)
}

/// One exchange a minute; every third of the project `search`, every second on the route `small`.
fn exchange(number: u32) -> Exchange {
    let asked = format!("{{\"model\": \"small\", \"prompt\": \"secret question {number}\"}}");
    let answer = format!("secret answer {number}{}", "!".repeat(number as usize % 7));
    Exchange {
        request: id(number),
        at: Timestamp(NOON.0 + i64::from(number) * 60_000),
        route: Some(if number.is_multiple_of(2) { "small" } else { "large" }.into()),
        project: (number.is_multiple_of(3)).then(|| "search".into()),
        target: Some("here/small".into()),
        model: Some("small".into()),
        dialect: "openai_chat".into(),
        status: 200,
        asked: Body { content_type: "application/json".into(), bytes: asked.into_bytes() },
        answer: Body { content_type: "text/plain".into(), bytes: answer.into_bytes() },
    }
}

/// Another data key and nonce for every number, as randomness would give.
fn fresh(number: u32) -> Fresh {
    Fresh::new(data_key(number), [number.to_le_bytes()[0] ^ 0x55; 32])
}

fn data_key(number: u32) -> [u8; 32] {
    let mut key = [0xD0; 32];
    key[..4].copy_from_slice(&number.to_le_bytes());
    key
}

fn offers(numbers: impl IntoIterator<Item = u32>) -> Vec<Offer> {
    numbers.into_iter().map(|number| Offer { exchange: exchange(number), fresh: fresh(number) }).collect()
}

fn options() -> VaultOptions {
    VaultOptions { busy: Span::from_ms(20), ..VaultOptions::default() }
}

fn open_with(
    disk: &(impl Disk + Clone + 'static),
    table: &Path,
    options: VaultOptions,
) -> Result<(Vault, Opened), VaultError> {
    Vault::open_on(&(Arc::new(disk.clone()) as Arc<dyn Disk>), Some(table), kek(), options)
}

fn open(disk: &DoubleDisk, table: &Path) -> Result<(Vault, Opened), VaultError> {
    open_with(disk, table, options())
}

/// Keeps these and expects all of them kept.
fn keep(vault: &mut Vault, numbers: impl IntoIterator<Item = u32>) {
    let offers = offers(numbers);
    let wanted = offers.len() as u64;
    let (count, failure) = vault.keep(offers);
    assert_eq!((count.kept, failure), (wanted, None));
}

fn all(vault: &Vault) -> Vec<Exchange> {
    vault.reader().exchanges(mains_store::vault::VaultFilter::default()).map(Result::unwrap).collect()
}
