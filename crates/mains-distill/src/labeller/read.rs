//! Bytes that nobody vouches for as a labeller, or the reason why not.
//!
//! No length is believed before it is compared with what is there, no memory is taken before its bytes are there,
//! and every number is looked at.

use super::bytes::Reader;
use super::write::{self, MAGIC, Seal, VERSION, kind};
use super::{Dense, Labeller, Origin, Thresholds};
use crate::canonical;
use crate::features::{BUCKETS, Terms};
use crate::heads::average::{Heads, Mapping};
use crate::heads::dense::{Centres, DenseHead};
use crate::heads::ngram::NgramHead;
use crate::task::Served;
use sha2::{Digest, Sha256};
use std::fmt;

const SECTIONS_MAX: usize = 8;
const CLASSES_MAX: usize = 4096;
const LABEL_BYTES_MAX: usize = 1024;
const DIM_MAX: usize = 8192;
const ORIGINS_MAX: usize = 64;
/// A flag, the key and the signature.
const SEAL_BYTES: usize = 1 + 32 + 64;
const HASH_BYTES: usize = 32;
/// Kind, length, hash.
const ENTRY_BYTES: usize = 4 + 8 + HASH_BYTES;
/// No weight, bias or factor is larger.
const LARGEST: f32 = 1e9;

/// Why bytes are no labeller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damaged {
    /// They do not begin as a labeller file does.
    NotALabeller,
    /// A version that this program does not read.
    Version(u32),
    /// The bytes end inside this part.
    Short(&'static str),
    /// The hash of this part is not what the file says: it was changed.
    Hash(&'static str),
    /// A section is missing, stands twice or in the wrong place.
    Sections,
    /// A value that cannot be.
    Value {
        /// The part.
        section: &'static str,
        /// What is wrong in it.
        what: &'static str,
    },
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotALabeller => f.write_str("not a labeller file"),
            Self::Version(version) => {
                write!(f, "labeller file of version {version}; this program reads version {VERSION}")
            }
            Self::Short(section) => write!(f, "labeller file ends inside its {section}"),
            Self::Hash(section) => write!(f, "labeller file was changed: the hash of its {section} differs"),
            Self::Sections => f.write_str("labeller file lacks a section, or has one twice or out of order"),
            Self::Value { section, what } => write!(f, "labeller file: {what} in its {section} cannot be"),
        }
    }
}

impl std::error::Error for Damaged {}

/// What a signature covers, and the signature if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The bytes that are signed.
    pub to_sign: Vec<u8>,
    /// Key and signature, not verified here.
    pub seal: Option<Seal>,
}

/// A file taken apart, its hashes checked.
struct Parts<'a> {
    header: &'a [u8],
    sections: Vec<(u32, &'a [u8])>,
    seal: Option<Seal>,
}

/// Checks all hashes and gives what the caller verifies with the key that it trusts.
pub fn signed(file: &[u8]) -> Result<Signed, Damaged> {
    let parts = parts(file)?;
    Ok(Signed { to_sign: write::to_sign(parts.header), seal: parts.seal })
}

fn parts(file: &[u8]) -> Result<Parts<'_>, Damaged> {
    let mut reader = Reader::new(file, "header");
    if reader.take(MAGIC.len()).map_err(|_| Damaged::NotALabeller)? != MAGIC {
        return Err(Damaged::NotALabeller);
    }
    let version = reader.u32()?;
    if version != VERSION {
        return Err(Damaged::Version(version));
    }
    let count = reader.count(SECTIONS_MAX)?;
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        entries.push((reader.u32()?, reader.u64()?, reader.array::<HASH_BYTES>()?));
    }
    let header = &file[..MAGIC.len() + 8 + count * ENTRY_BYTES];
    let mut sections = Vec::with_capacity(count);
    let mut hashes = Vec::with_capacity(count);
    for (kind, length, hash) in entries {
        let length = usize::try_from(length).map_err(|_| Damaged::Short("sections"))?;
        let bytes = reader.take(length).map_err(|_| Damaged::Short("sections"))?;
        sections.push((kind, bytes));
        hashes.push(hash);
    }
    let sealed = reader.take(SEAL_BYTES).map_err(|_| Damaged::Short("seal"))?;
    let hash = reader.array::<HASH_BYTES>().map_err(|_| Damaged::Short("seal"))?;
    reader.end()?;
    if Sha256::new().chain_update(header).chain_update(sealed).finalize()[..] != hash {
        return Err(Damaged::Hash("header"));
    }
    if sections.iter().zip(&hashes).any(|((_, bytes), hash)| Sha256::digest(bytes)[..] != *hash) {
        return Err(Damaged::Hash("sections"));
    }
    Ok(Parts { header, sections, seal: seal(sealed)? })
}

fn seal(bytes: &[u8]) -> Result<Option<Seal>, Damaged> {
    let mut reader = Reader::new(bytes, "seal");
    match reader.u8()? {
        0 if bytes.iter().all(|byte| *byte == 0) => Ok(None),
        1 => Ok(Some(Seal { key: reader.array()?, signature: reader.array()? })),
        _ => Err(reader.wrong("the flag")),
    }
}

impl Labeller {
    /// Reads a file. Any changed bit is refused by a hash; whoever made the hashes right again meets the checks of
    /// every value, and `signed` shows whose they are.
    pub fn parse(file: &[u8]) -> Result<Self, Damaged> {
        let parts = parts(file)?;
        let mut left = parts.sections.as_slice();
        let mut section = |wanted: u32| match left.split_first() {
            Some(((kind, bytes), rest)) if *kind == wanted => {
                left = rest;
                Some(*bytes)
            }
            _ => None,
        };
        let labels = labels(section(kind::LABELS).ok_or(Damaged::Sections)?)?;
        let classes = labels.len();
        let ngram = section(kind::NGRAM).map(|bytes| ngram(bytes, classes)).transpose()?;
        let dense = section(kind::DENSE).map(|bytes| dense(bytes, classes)).transpose()?;
        let mapping = mapping(section(kind::MAPPING).ok_or(Damaged::Sections)?)?;
        let thresholds = thresholds(section(kind::THRESHOLDS).ok_or(Damaged::Sections)?, classes)?;
        let certificate = section(kind::CERTIFICATE).ok_or(Damaged::Sections)?.to_vec();
        let lineage = lineage(section(kind::LINEAGE).ok_or(Damaged::Sections)?)?;
        let task = section(kind::TASK).map(|bytes| task(bytes, &labels)).transpose()?;
        let speaks = match mapping.heads {
            Heads::Ngram => ngram.is_some(),
            Heads::Dense => dense.is_some(),
            Heads::Both => ngram.is_some() && dense.is_some(),
        };
        if !left.is_empty() || !speaks {
            return Err(Damaged::Sections);
        }
        Ok(Self { labels, ngram, dense, mapping, thresholds, certificate, lineage, task })
    }
}

fn labels(bytes: &[u8]) -> Result<Vec<String>, Damaged> {
    let mut reader = Reader::new(bytes, "labels");
    let count = reader.count(CLASSES_MAX)?;
    let labels =
        (0..count).map(|_| reader.text(LABEL_BYTES_MAX)).collect::<Result<Vec<String>, Damaged>>()?;
    let mut sorted: Vec<&String> = labels.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    if count < 2 || sorted.len() != count {
        return Err(reader.wrong("the set"));
    }
    reader.end()?;
    Ok(labels)
}

fn ngram(bytes: &[u8], classes: usize) -> Result<NgramHead, Damaged> {
    let mut reader = Reader::new(bytes, "n-grams");
    let count = reader.count(BUCKETS as usize)?;
    let known = reader.take(BUCKETS as usize / 8)?;
    let known: Vec<u64> = known.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
    let weights = reader.floats(count, 1.0, 64.0)?;
    let terms = Terms::of_parts(known, weights).ok_or(reader.wrong("the number of known buckets"))?;
    let columns = reader.count(CLASSES_MAX)?;
    if columns != if classes == 2 { 1 } else { classes } {
        return Err(reader.wrong("the number of separators"));
    }
    let scales = reader.floats(columns, 0.0, LARGEST)?;
    let biases = reader.floats(columns, -LARGEST, LARGEST)?;
    let weights = reader.take(count.checked_mul(columns).ok_or(Damaged::Short("n-grams"))?)?;
    reader.end()?;
    let weights: Vec<i8> = weights.iter().map(|weight| i8::from_le_bytes([*weight])).collect();
    if weights.contains(&i8::MIN) {
        return Err(reader.wrong("a weight"));
    }
    Ok(NgramHead::of_parts(terms, classes, &weights, scales, biases))
}

fn dense(bytes: &[u8], classes: usize) -> Result<Dense, Damaged> {
    let mut reader = Reader::new(bytes, "embeddings");
    let dim = reader.count(DIM_MAX)?;
    if dim == 0 {
        return Err(reader.wrong("the length of an embedding"));
    }
    let model_sha256 = reader.array()?;
    let weights = reader.floats(classes * (dim + 1), -LARGEST, LARGEST)?;
    let directions = reader.floats(classes * dim, -1.0, 1.0)?;
    reader.end()?;
    let head = DenseHead::of_parts(classes, dim, &weights);
    Ok(Dense { model_sha256, head, centres: Centres::of_parts(classes, dim, &directions) })
}

fn mapping(bytes: &[u8]) -> Result<Mapping, Damaged> {
    let mut reader = Reader::new(bytes, "mapping");
    let heads = match reader.u8()? {
        1 => Heads::Ngram,
        2 => Heads::Dense,
        3 => Heads::Both,
        _ => return Err(reader.wrong("the choice of heads")),
    };
    let factors = reader.floats(3, 0.0, LARGEST)?;
    reader.end()?;
    Ok(Mapping { heads, ngram: factors[0], dense: factors[1], shown: factors[2] })
}

fn thresholds(bytes: &[u8], classes: usize) -> Result<Thresholds, Damaged> {
    let mut reader = Reader::new(bytes, "thresholds");
    // More than one is a threshold that no text reaches: all is escalated.
    let limits = reader.floats(2, 0.0, 2.0)?;
    let flags = reader.take(classes)?;
    if flags.iter().any(|flag| *flag > 1) {
        return Err(reader.wrong("a flag"));
    }
    reader.end()?;
    let escalates = flags.iter().map(|flag| *flag == 1).collect();
    Ok(Thresholds { confidence_min: limits[0], known_min: limits[1], escalates })
}

fn lineage(bytes: &[u8]) -> Result<Vec<Origin>, Damaged> {
    let mut reader = Reader::new(bytes, "lineage");
    let count = reader.count(ORIGINS_MAX)?;
    let origins = (0..count)
        .map(|_| Ok(Origin { name: reader.text(LABEL_BYTES_MAX)?, sha256: reader.array()? }))
        .collect::<Result<Vec<Origin>, Damaged>>()?;
    reader.end()?;
    Ok(origins)
}

fn task(bytes: &[u8], labels: &[String]) -> Result<Served, Damaged> {
    let wrong = |what| Damaged::Value { section: "task", what };
    let task: Served = serde_json::from_slice(bytes).map_err(|_| wrong("the JSON"))?;
    if canonical::json(&task).as_bytes() != bytes {
        return Err(wrong("a spelling other than the canonical one"));
    }
    if let Some(what) = task.fault() {
        return Err(wrong(what));
    }
    let named = task.labels.labels.iter().map(|label| &label.name);
    if named.eq(labels) { Ok(task) } else { Err(wrong("a set of labels other than the labeller's")) }
}

/// Makes the hashes of a changed file right again, as far as its header can be read: what a forger would do. Tests
/// and the fuzz target use it to reach the checks behind the hashes.
pub fn rehash(file: &mut [u8]) {
    let Some(count) = file.get(12..16).and_then(|four| four.try_into().ok()).map(u32::from_le_bytes) else {
        return;
    };
    let header_end = 16 + ENTRY_BYTES * SECTIONS_MAX.min(count as usize);
    let mut from = header_end;
    for entry in (16..header_end).step_by(ENTRY_BYTES) {
        let Some(length) = file.get(entry + 4..entry + 12).and_then(|eight| eight.try_into().ok()) else {
            return;
        };
        let Ok(length) = usize::try_from(u64::from_le_bytes(length)) else { return };
        let Some(section) = from.checked_add(length).and_then(|end| file.get(from..end)) else { return };
        let hash = Sha256::digest(section);
        file[entry + 12..entry + ENTRY_BYTES].copy_from_slice(&hash);
        from += length;
    }
    let seal = from..from + SEAL_BYTES;
    let Some(sealed) = file.get(seal.clone()) else { return };
    let hash = Sha256::new().chain_update(&file[..header_end]).chain_update(sealed).finalize();
    if let Some(place) = file.get_mut(seal.end..seal.end + HASH_BYTES) {
        place.copy_from_slice(&hash);
    }
}
