//! A labeller as bytes: header with lengths and hashes, sections, seal, hash of header and seal.

use super::bytes::{put_count, put_floats, put_text};
use super::{Dense, Labeller};
use crate::canonical;
use crate::heads::average::Heads;
use crate::heads::ngram::NgramHead;
use sha2::{Digest, Sha256};

/// The first bytes of every labeller file.
pub(super) const MAGIC: [u8; 8] = *b"MAINSLAB";
/// The version that is written, and the only one that is read.
pub(super) const VERSION: u32 = 1;
/// What is signed begins with this, so that a signature of something else never fits.
const DOMAIN: &[u8] = b"mains labeller v1\n";

/// Kinds of sections, in the order in which they stand.
pub(super) mod kind {
    pub(in crate::labeller) const LABELS: u32 = 1;
    pub(in crate::labeller) const NGRAM: u32 = 2;
    pub(in crate::labeller) const DENSE: u32 = 3;
    pub(in crate::labeller) const MAPPING: u32 = 4;
    pub(in crate::labeller) const THRESHOLDS: u32 = 5;
    pub(in crate::labeller) const CERTIFICATE: u32 = 6;
    pub(in crate::labeller) const LINEAGE: u32 = 7;
    pub(in crate::labeller) const TASK: u32 = 8;
}

/// Who signed, and the signature. This crate neither signs nor verifies: it says what is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    /// Ed25519 public key.
    pub key: [u8; 32],
    /// Ed25519 signature of `to_sign`.
    pub signature: [u8; 64],
}

/// A file without its seal.
#[derive(Debug, Clone)]
pub struct Draft {
    header: Vec<u8>,
    payload: Vec<u8>,
}

impl Draft {
    /// The bytes of a labeller; the same labeller gives the same bytes.
    pub fn of(labeller: &Labeller) -> Self {
        let mut sections = vec![(kind::LABELS, labels(labeller))];
        sections.extend(labeller.ngram.as_ref().map(|head| (kind::NGRAM, ngram(head))));
        sections.extend(labeller.dense.as_ref().map(|head| (kind::DENSE, dense(head))));
        sections.push((kind::MAPPING, mapping(labeller)));
        sections.push((kind::THRESHOLDS, thresholds(labeller)));
        sections.push((kind::CERTIFICATE, labeller.certificate.clone()));
        sections.push((kind::LINEAGE, lineage(labeller)));
        let task = labeller.task.as_ref().map(|task| canonical::json(task).into_bytes());
        sections.extend(task.map(|bytes| (kind::TASK, bytes)));
        let mut header = MAGIC.to_vec();
        header.extend_from_slice(&VERSION.to_le_bytes());
        put_count(&mut header, sections.len());
        let mut payload = Vec::new();
        for (kind, bytes) in sections {
            header.extend_from_slice(&kind.to_le_bytes());
            header.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            header.extend_from_slice(&Sha256::digest(&bytes));
            payload.extend_from_slice(&bytes);
        }
        Self { header, payload }
    }

    /// What a signature must cover: the header holds the hash of every section.
    pub fn to_sign(&self) -> Vec<u8> {
        to_sign(&self.header)
    }

    /// The file.
    pub fn finish(self, seal: Option<&Seal>) -> Vec<u8> {
        let mut sealed = vec![u8::from(seal.is_some())];
        sealed.extend_from_slice(&seal.map_or([0; 32], |seal| seal.key));
        sealed.extend_from_slice(&seal.map_or([0; 64], |seal| seal.signature));
        let hash = Sha256::new().chain_update(&self.header).chain_update(&sealed).finalize();
        let mut file = self.header;
        file.extend_from_slice(&self.payload);
        file.extend_from_slice(&sealed);
        file.extend_from_slice(&hash);
        file
    }
}

pub(super) fn to_sign(header: &[u8]) -> Vec<u8> {
    let mut bytes = DOMAIN.to_vec();
    bytes.extend_from_slice(&Sha256::digest(header));
    bytes
}

fn labels(labeller: &Labeller) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_count(&mut bytes, labeller.labels.len());
    labeller.labels.iter().for_each(|label| put_text(&mut bytes, label));
    bytes
}

fn ngram(head: &NgramHead) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (known, weights) = head.terms.parts();
    put_count(&mut bytes, weights.len());
    for word in known {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    put_floats(&mut bytes, weights.iter().copied());
    put_count(&mut bytes, head.columns());
    put_floats(&mut bytes, head.scales.iter().copied());
    put_floats(&mut bytes, head.biases.iter().copied());
    for row in head.weights() {
        bytes.extend(row.iter().map(|weight| weight.to_le_bytes()[0]));
    }
    bytes
}

fn dense(dense: &Dense) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_count(&mut bytes, dense.head.dim());
    bytes.extend_from_slice(&dense.model_sha256);
    put_floats(&mut bytes, dense.head.weights());
    put_floats(&mut bytes, dense.centres.directions());
    bytes
}

fn mapping(labeller: &Labeller) -> Vec<u8> {
    let mapping = labeller.mapping;
    let heads = match mapping.heads {
        Heads::Ngram => 1,
        Heads::Dense => 2,
        Heads::Both => 3,
    };
    let mut bytes = vec![heads];
    put_floats(&mut bytes, [mapping.ngram, mapping.dense, mapping.shown]);
    bytes
}

fn thresholds(labeller: &Labeller) -> Vec<u8> {
    let thresholds = &labeller.thresholds;
    let mut bytes = Vec::new();
    put_floats(&mut bytes, [thresholds.confidence_min, thresholds.known_min]);
    bytes.extend(thresholds.escalates.iter().map(|escalates| u8::from(*escalates)));
    bytes
}

fn lineage(labeller: &Labeller) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_count(&mut bytes, labeller.lineage.len());
    for origin in &labeller.lineage {
        put_text(&mut bytes, &origin.name);
        bytes.extend_from_slice(&origin.sha256);
    }
    bytes
}
