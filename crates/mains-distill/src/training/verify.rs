//! From a labeller file and its rows back to certainty.

use super::judge::by_labeller;
use super::lesson::{Embedded, Example};
use super::lineage::{AUDIT, CALIBRATION, hex, rows_hash};
use super::rule::{Certificates, thresholds};
use crate::certificate::{Calibration, recheck};
use crate::labeller::{Labeller, Lacking};
use std::fmt;

/// Rows that the user kept.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// The rows, in any order.
    pub examples: &'a [Example],
    /// Their embeddings, where the labeller needs them.
    pub embedded: Option<Embedded<'a>>,
}

/// What was found right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The certificates.
    pub certificates: Certificates,
    /// Calibration rows on which labels, counts and both bounds were computed again; 0 where none were given.
    pub calibration_rows: u64,
    /// Audit rows likewise.
    pub audit_rows: u64,
}

/// What is not right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotVerified {
    /// The file holds no certificates that can be read.
    NoCertificates,
    /// The thresholds in the file are not those of its certificate.
    Thresholds,
    /// The number of rows is another.
    Count {
        /// Which rows.
        which: &'static str,
        /// So many were certified on.
        need: u64,
        /// So many were given.
        have: u64,
    },
    /// As many rows, but others.
    Rows {
        /// Which rows.
        which: &'static str,
        /// The hash in the file, in hexadecimal.
        said: String,
        /// The hash of what was given.
        found: String,
    },
    /// Embeddings of another model, or as many as there are not.
    Embeddings,
    /// A row cannot be labelled.
    Lacking(Lacking),
    /// What the rows say is not what the certificates say.
    Certificate(Vec<String>),
}

impl fmt::Display for NotVerified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCertificates => f.write_str("the file holds no certificates of a form that is known"),
            Self::Thresholds => {
                f.write_str("the thresholds in the file are not those that its certificate shows")
            }
            Self::Count { which, need, have } => write!(
                f,
                "{have} {which} rows were given, and the certificate stands on {need}\nhint: give exactly the rows that the training named, one of each group of repeats"
            ),
            Self::Rows { which, said, found } => write!(
                f,
                "these are not the {which} rows of this labeller: their hash is {found}, and the file says {said}\nhint: a text, a label or a time differs, or they are the rows of another seed or training"
            ),
            Self::Embeddings => f.write_str(
                "the embeddings are not of the model whose hash the file holds, or not one for each row",
            ),
            Self::Lacking(lacking) => lacking.fmt(f),
            Self::Certificate(wrong) => {
                write!(f, "the certificate is not what the rows show: {}", wrong.join("; "))
            }
        }
    }
}

impl std::error::Error for NotVerified {}

/// Checks that a labeller's thresholds follow from its certificates; and, of the calibration rows (and audit rows) that
/// are given, computes labels, counts and both bounds again and compares. The signature is the caller's to check.
pub fn verify(
    labeller: &Labeller,
    calibration: Option<Given<'_>>,
    audit: Option<Given<'_>>,
) -> Result<Verified, NotVerified> {
    let certificates = Certificates::parse(&labeller.certificate).ok_or(NotVerified::NoCertificates)?;
    if thresholds(certificates.served(), labeller.labels.len()) != labeller.thresholds {
        return Err(NotVerified::Thresholds);
    }
    let calibration_rows = calibration
        .map(|given| judged(labeller, given, "calibration", CALIBRATION, Some(certificates.all.rows)))
        .transpose()?;
    let seen = certificates.all.audit.or(certificates.local.audit).map(|audit| audit.local.of);
    let audit_rows = audit.map(|given| judged(labeller, given, "audit", AUDIT, seen)).transpose()?;
    if let Some(rows) = &calibration_rows {
        let mut wrong = Vec::new();
        for (name, certificate) in [("all", &certificates.all), ("local", &certificates.local)] {
            if Some(certificate.about.rows.as_str()) != said(labeller, CALIBRATION).as_deref() {
                wrong.push(format!("{name}: it names other rows than the lineage"));
            }
            // Without a threshold nothing was realised, and there is nothing to compare.
            let audit = audit_rows.as_ref().filter(|rows| !rows.is_empty());
            wrong.extend(recheck(certificate, rows, audit).into_iter().map(|what| format!("{name}: {what}")));
        }
        if !wrong.is_empty() {
            return Err(NotVerified::Certificate(wrong));
        }
    }
    let count = |rows: Option<Calibration>| rows.map_or(0, |rows| rows.len() as u64);
    Ok(Verified { certificates, calibration_rows: count(calibration_rows), audit_rows: count(audit_rows) })
}

/// Rows that are those of the lineage, labelled again.
fn judged(
    labeller: &Labeller,
    given: Given<'_>,
    which: &'static str,
    origin: &str,
    need: Option<u64>,
) -> Result<Calibration, NotVerified> {
    let have = given.examples.len() as u64;
    if let Some(need) = need.filter(|need| *need != have) {
        return Err(NotVerified::Count { which, need, have });
    }
    let said = said(labeller, origin).unwrap_or_default();
    let found = hex(&rows_hash(given.examples));
    if said != found {
        return Err(NotVerified::Rows { which, said, found });
    }
    let embedded = given.embedded.filter(|_| labeller.needs_embedding());
    if let (Some(dense), Some(all)) = (&labeller.dense, embedded)
        && (dense.model_sha256 != all.model_sha256 || all.values.len() != given.examples.len() * all.dim)
    {
        return Err(NotVerified::Embeddings);
    }
    let places: Vec<usize> = (0..given.examples.len()).collect();
    by_labeller(labeller, given.examples, embedded, &places).map_err(NotVerified::Lacking)
}

/// A hash of the lineage, in hexadecimal.
fn said(labeller: &Labeller, name: &str) -> Option<String> {
    labeller.lineage.iter().find(|origin| origin.name == name).map(|origin| hex(&origin.sha256))
}
