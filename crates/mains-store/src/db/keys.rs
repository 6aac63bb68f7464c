//! Keys that clients present: how they look, how they are kept, and how one is verified without waiting.

use super::error::DbError;
use super::worker::{Care, Job, Session};
use super::{Db, Pending};
use hmac::Hmac;
use hmac::digest::{KeyInit, Mac};
use mains_units::{Secret, Timestamp};
use rusqlite::{Connection, Row, params};
use sha2::Sha256;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What every key begins with; secret scanners look for it.
const PREFIX: &str = "sk-mains-";
/// 256 bits in base 62: 62^43 is the first power above 2^256.
const BODY_CHARS: usize = 43;
/// 32 bits in base 62.
const CHECK_CHARS: usize = 6;
/// How much of a key is shown afterwards, prefix included: three characters of it, 17.9 of 256 bits.
const SHOWN_CHARS: usize = 12;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// 32 secret bytes: a pepper, or the body of a key. Not shown by `Debug`, overwritten when dropped.
#[derive(Clone)]
pub struct KeySecret(Zeroizing<[u8; 32]>);

impl KeySecret {
    /// Takes 32 bytes that the operating system drew.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySecret(…)")
    }
}

/// What is known of a key; the key itself is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Its name in records and in the ledger: `key_` and 16 hexadecimal digits.
    pub id: String,
    /// Its first twelve characters, so that people can tell which one it is.
    pub shown: String,
    /// What its owner calls it; budgets name it by this.
    pub name: String,
    /// The project it belongs to.
    pub project: String,
    /// What it may do beyond asking; words that the caller gives meaning to.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is refused.
    pub expires: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

/// A key to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// What its owner calls it.
    pub name: String,
    /// The project it belongs to.
    pub project: String,
    /// What it may do beyond asking.
    pub scopes: Vec<String>,
    /// From when on it is refused; never without it.
    pub expires: Option<Timestamp>,
}

/// Why a key does not open the door. Callers are told less than this: only that the key is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyRefusal {
    /// It does not look like a key of ours, or a character is wrong.
    Malformed,
    /// It looks right, and nobody made it.
    Unknown,
    /// It was revoked.
    Revoked,
    /// Its time is over.
    Expired,
}

/// Whether a text has the form of a key, checksum included. Says nothing about whether it was ever made.
pub fn has_key_form(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(PREFIX) else { return false };
    if rest.len() != BODY_CHARS + CHECK_CHARS || !rest.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return false;
    }
    let (body, check) = text.split_at(PREFIX.len() + BODY_CHARS);
    checksum(body).as_bytes().ct_eq(check.as_bytes()).into()
}

/// The key that these bytes make.
fn key_text(secret: &KeySecret) -> Secret {
    let mut text = String::with_capacity(PREFIX.len() + BODY_CHARS + CHECK_CHARS);
    text.push_str(PREFIX);
    push_base62(&mut text, Zeroizing::new(*secret.0), BODY_CHARS);
    let check = checksum(&text);
    text.push_str(&check);
    Secret::new(text)
}

/// CRC-32 (ISO-HDLC, the one of zip) of prefix and body in base 62, as GitHub's tokens do it since 2021:
/// a scanner can tell a key from a look-alike without asking us.
fn checksum(text: &str) -> String {
    let mut crc = u32::MAX;
    for byte in text.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    let mut check = String::with_capacity(CHECK_CHARS);
    push_base62(&mut check, Zeroizing::new((!crc).to_be_bytes()), CHECK_CHARS);
    check
}

/// Appends a big-endian number in base 62, with leading zeros up to `digits`.
fn push_base62<const N: usize>(text: &mut String, mut number: Zeroizing<[u8; N]>, digits: usize) {
    let mut reversed = Zeroizing::new(Vec::with_capacity(digits));
    for _ in 0..digits {
        let mut remainder = 0_u16;
        for byte in number.iter_mut() {
            let value = remainder << 8 | u16::from(*byte);
            // The quotient of at most 62 * 256 by 62 fits a byte.
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            remainder = value % 62;
        }
        reversed.push(ALPHABET[usize::from(remainder)]);
    }
    text.extend(reversed.iter().rev().map(|digit| char::from(*digit)));
}

fn mac(pepper: &KeySecret, purpose: &str, text: &str) -> [u8; 32] {
    // HMAC fills a short key up with zeros to its block of 64 bytes, so this is the key of 32 bytes.
    let mut block = Zeroizing::new([0_u8; 64]);
    block[..32].copy_from_slice(&*pepper.0);
    let mut mac = <Hmac<Sha256> as KeyInit>::new((&*block).into());
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

/// The id under which a key is found: a mac of its own, so that it tells nothing about the stored one.
fn id_of(pepper: &KeySecret, text: &str) -> String {
    mac(pepper, "id", text)[..8].iter().fold("key_".to_owned(), |id, byte| id + &format!("{byte:02x}"))
}

struct Known {
    row: Arc<KeyRow>,
    mac: [u8; 32],
}

/// All keys in memory.
pub(crate) struct KeyTable {
    pepper: KeySecret,
    known: RwLock<HashMap<String, Known>>,
}

impl KeyTable {
    pub(crate) fn load(connection: &Connection, pepper: KeySecret) -> Result<Self, DbError> {
        let known = RwLock::new(read_all(connection)?);
        Ok(Self { pepper, known })
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<String, Known>)) {
        change(&mut self.known.write().unwrap_or_else(PoisonError::into_inner));
    }

    fn verify(&self, presented: &str, now: Timestamp) -> Result<Arc<KeyRow>, KeyRefusal> {
        if !has_key_form(presented) {
            return Err(KeyRefusal::Malformed);
        }
        let id = id_of(&self.pepper, presented);
        let presented_mac = mac(&self.pepper, "key", presented);
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let key = known.get(&id).ok_or(KeyRefusal::Unknown)?;
        if !bool::from(key.mac.ct_eq(&presented_mac)) {
            return Err(KeyRefusal::Unknown);
        }
        if key.row.revoked.is_some() {
            return Err(KeyRefusal::Revoked);
        }
        if key.row.expires.is_some_and(|expires| now >= expires) {
            return Err(KeyRefusal::Expired);
        }
        Ok(Arc::clone(&key.row))
    }
}

fn read_all(connection: &Connection) -> Result<HashMap<String, Known>, DbError> {
    let mut statement = connection.prepare(
        "SELECT id, mac, shown, name, project, scopes, created, expires, revoked FROM keys ORDER BY created, id",
    )?;
    let keys = statement.query_map([], |row| {
        let known = Known { row: Arc::new(key_row(row)?), mac: row.get("mac")? };
        Ok((known.row.id.clone(), known))
    })?;
    Ok(keys.collect::<Result<_, _>>()?)
}

fn key_row(row: &Row<'_>) -> Result<KeyRow, rusqlite::Error> {
    let scopes: String = row.get("scopes")?;
    Ok(KeyRow {
        id: row.get("id")?,
        shown: row.get("shown")?,
        name: row.get("name")?,
        project: row.get("project")?,
        // A scope that cannot be read gives no right.
        scopes: serde_json::from_str(&scopes).unwrap_or_default(),
        created: Timestamp(row.get("created")?),
        expires: row.get::<_, Option<i64>>("expires")?.map(Timestamp),
        revoked: row.get::<_, Option<i64>>("revoked")?.map(Timestamp),
    })
}

impl Db {
    /// Makes a key out of 32 bytes that the operating system drew. The text is given once and kept
    /// nowhere. When this answers, the key is on the disk and opens the door.
    pub fn make_key(&self, new: NewKey, secret: &KeySecret, now: Timestamp) -> Pending<(KeyRow, Secret)> {
        let table = Arc::clone(&self.inner.keys);
        let text = key_text(secret);
        let known_mac = mac(&table.pepper, "key", text.expose());
        let row = KeyRow {
            id: id_of(&table.pepper, text.expose()),
            shown: text.expose().chars().take(SHOWN_CHARS).collect(),
            name: new.name,
            project: new.project,
            scopes: new.scopes,
            created: now,
            expires: new.expires,
            revoked: None,
        };
        let work = move |connection: &Session| {
            insert(connection, &row, &known_mac)?;
            Ok((row, text))
        };
        let committed = move |(row, _): &(KeyRow, Secret)| {
            let known = Known { row: Arc::new(row.clone()), mac: known_mac };
            table.change(|keys| drop(keys.insert(row.id.clone(), known)));
        };
        Pending::queue(&self.inner.writes, |sender| Job::then(Care::Synced, sender, work, committed))
    }

    /// All keys ever made, the oldest first.
    pub fn keys(&self) -> Vec<KeyRow> {
        let known = self.inner.keys.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut rows: Vec<KeyRow> = known.values().map(|known| (*known.row).clone()).collect();
        rows.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        rows
    }

    /// Whether a key was ever made. From then on keys are required, even if all are revoked.
    pub fn has_keys(&self) -> bool {
        !self.inner.keys.known.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Revokes the key of this id; `false` when there is none or it was revoked before. When this
    /// answers, the key is refused and the disk knows it.
    pub fn revoke_key(&self, id: &str, now: Timestamp) -> Pending<bool> {
        let (id, table) = (id.to_owned(), Arc::clone(&self.inner.keys));
        let revoked = id.clone();
        let work = move |connection: &Session| {
            let sql = "UPDATE keys SET revoked = ?2 WHERE id = ?1 AND revoked IS NULL";
            Ok(connection.prepare_cached(sql)?.execute(params![id, now.0])? == 1)
        };
        let committed = move |changed: &bool| {
            if *changed {
                table.change(|keys| {
                    if let Some(known) = keys.get_mut(&revoked) {
                        known.row = Arc::new(KeyRow { revoked: Some(now), ..(*known.row).clone() });
                    }
                });
            }
        };
        Pending::queue(&self.inner.writes, |sender| Job::then(Care::Synced, sender, work, committed))
    }

    /// Verifies a presented key from memory; the comparison takes the same time for every wrong one.
    pub fn verify_key(&self, presented: &str, now: Timestamp) -> Result<Arc<KeyRow>, KeyRefusal> {
        self.inner.keys.verify(presented, now)
    }

    /// Reads the keys again, after another process changed the file.
    pub fn reload_keys(&self) -> Pending<()> {
        let table = Arc::clone(&self.inner.keys);
        self.write(Care::Usual, move |connection| {
            let fresh = read_all(connection)?;
            table.change(|keys| *keys = fresh);
            Ok(())
        })
    }
}

fn insert(connection: &Connection, row: &KeyRow, mac: &[u8; 32]) -> Result<(), DbError> {
    let scopes = serde_json::Value::from(row.scopes.clone()).to_string();
    let sql = "INSERT INTO keys (id, mac, shown, name, project, scopes, created, expires, revoked)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL)";
    connection.prepare_cached(sql)?.execute(params![
        row.id,
        mac.as_slice(),
        row.shown,
        row.name,
        row.project,
        scopes,
        row.created.0,
        row.expires.map(|expires| expires.0),
    ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_form_and_every_slip_shows() {
        let zero = key_text(&KeySecret::new([0; 32]));
        let full = key_text(&KeySecret::new([255; 32]));
        for key in [zero.expose(), full.expose()] {
            assert_eq!(key.len(), 58);
            assert!(has_key_form(key));
            for at in PREFIX.len()..key.len() {
                let mut wrong = key.to_owned().into_bytes();
                wrong[at] = if wrong[at] == b'7' { b'8' } else { b'7' };
                assert!(!has_key_form(&String::from_utf8(wrong).unwrap()), "{at}");
            }
        }
        assert!(zero.expose().starts_with("sk-mains-0000000"));
        // 2^256 - 1 in base 62 and its CRC-32, from Python's integers and zlib.
        assert_eq!(full.expose(), "sk-mains-yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp10OrrKH");
        assert!(!has_key_form("") && !has_key_form("sk-mains-") && !has_key_form("sk-mains-ä"));
    }

    #[test]
    fn the_mac_is_the_one_of_the_standard() {
        // RFC 4231 has no key of 32 bytes, so this value is OpenSSL's:
        // printf 'key\0abc' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707…07
        let got = mac(&KeySecret::new([7; 32]), "key", "abc");
        let hex = got.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        assert_eq!(hex, "bdad787c6d21ce702f47e77e61c1e2fcc28d2905aa784e695cb8bb7b8a0a7858");
    }
}
