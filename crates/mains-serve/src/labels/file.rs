//! A labeller's file: read, and checked before anything trusts it.

use mains_config::{Route, Target};
use mains_distill::certificate::Certificate;
use mains_distill::labeller::{Labeller, signed};
use mains_distill::serving::is_same_model;
use mains_distill::task::Served;
use mains_distill::training::Certificates;
use mains_ledger::{Hash, VerifierKey};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// No labeller is larger; the file is not read then.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// A labeller that may be asked.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Its name: the target is `label/NAME`.
    pub name: String,
    /// The route in which it stands.
    pub route: String,
    /// The target behind it, `upstream/model`.
    pub teacher: String,
    /// The local encoder that it needs, by its name in routes.
    pub encoder: Option<String>,
    /// What labels.
    pub labeller: Labeller,
    /// Its task.
    pub task: Served,
    /// The certificate whose threshold is in the file.
    pub certificate: Certificate,
    /// SHA-256 of the file.
    pub hash: Hash,
    /// SHA-256 of the certificates in it.
    pub certificate_hash: Hash,
    /// The requests of this outlet that it was trained or certified on.
    pub rows: HashSet<String>,
}

impl Loaded {
    /// The target's name.
    pub(crate) fn target(&self) -> String {
        format!("label/{}", self.name)
    }
}

/// The labeller that a route names and the target behind it; none where it names none.
pub(super) fn named(route: &Route) -> Option<(&str, &Target)> {
    let first = &route.targets.first()?.first()?.target.value;
    let Target::Label(name) = first else { return None };
    Some((name, &route.targets.get(1)?.first()?.target.value))
}

/// Where the file of a labeller lies.
pub(super) fn path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.labeller"))
}

/// Reads and checks the labeller of a route.
pub(super) fn load(
    folder: &Path,
    route: &Route,
    own: &VerifierKey,
    encoders: &HashMap<String, Hash>,
) -> Result<Option<Loaded>, String> {
    let Some((name, teacher)) = named(route) else { return Ok(None) };
    if !mains_distill::task::is_name(name) {
        return Err(format!(
            "`label/{name}` is no name of a labeller\nhint: names have 1 to 64 lower-case letters, digits and hyphens"
        ));
    }
    let path = path(folder, name);
    let at = |why: String, hint: &str| {
        format!(
            "the labeller `{name}` of the route `{}` cannot serve: {why}\nhint: {hint}",
            route.model.value
        )
    };
    let train = format!("`mains distill train {name}` makes it anew");
    let bytes = read(&path).map_err(|why| at(format!("`{}`: {why}", path.display()), &train))?;
    vouched(&bytes, route, own, &at, &train)?;
    let labeller = Labeller::parse(&bytes).map_err(|why| at(why.to_string(), &train))?;
    let task = labeller.task.clone().ok_or_else(|| at("its file says no task".into(), &train))?;
    if let Some(what) = task.fault() {
        return Err(at(format!("{what} of its task cannot be"), &train));
    }
    if task.name != name {
        let hint = "files are named after their labellers; do not rename them";
        return Err(at(format!("its file says that it is `{}`", task.name), hint));
    }
    if labeller.labels.len() != task.labels.labels.len()
        || !labeller.labels.iter().zip(&task.labels.labels).all(|(class, label)| *class == label.name)
    {
        return Err(at("its classes are not the labels of its task".into(), &train));
    }
    let certificate = certificate(&labeller.certificate).map_err(|why| at(why, &train))?;
    if certificate.threshold_micro().is_none() {
        let hint = "a refusal is served by nobody; take the target out, or train on more rows";
        return Err(at("its certificate refuses: nothing is promised".into(), hint));
    }
    let encoder = encoder(&labeller, encoders, &at)?;
    let Target::Model { model, .. } = teacher else {
        return Err(at("no model stands behind it".into(), "put its teacher next"));
    };
    if !is_same_model(&task.bound.teacher, model) && !is_same_model(model, &task.bound.teacher) {
        let why = format!("`{teacher}` stands behind it, and `{}` taught it", task.bound.teacher);
        return Err(at(why, "put the teacher next in `targets`, or train it on the answers of that model"));
    }
    Ok(Some(Loaded {
        name: name.to_owned(),
        route: route.model.value.clone(),
        teacher: teacher.to_string(),
        hash: Hash::of_bytes(&bytes),
        certificate_hash: Hash::of_bytes(&labeller.certificate),
        rows: rows(folder, name),
        encoder,
        labeller,
        task,
        certificate,
    }))
}

/// Writes a refusal: why, and how to mend it.
type At<'a> = &'a dyn Fn(String, &str) -> String;

/// Whether a key that is trusted here signed the file.
fn vouched(bytes: &[u8], route: &Route, own: &VerifierKey, at: At<'_>, train: &str) -> Result<(), String> {
    let sealed = signed(bytes).map_err(|why| at(why.to_string(), train))?;
    let keys = trusted(route, own)?;
    let seal = sealed.seal.ok_or_else(|| at("its file is not signed".into(), train))?;
    let key = keys.iter().find(|key| key.public_bytes() == seal.key).ok_or_else(|| {
        at(
            "it is signed by a key that is not trusted here".into(),
            "train it in this data folder, or name the signer's public key as `key` under [route.label]",
        )
    })?;
    if key.verifies(&sealed.to_sign, &seal.signature) {
        Ok(())
    } else {
        Err(at("its signature is not that of its key: the file was changed".into(), train))
    }
}

/// The local encoder whose embeddings the labeller was taught with, where it needs any.
fn encoder(
    labeller: &Labeller,
    encoders: &HashMap<String, Hash>,
    at: At<'_>,
) -> Result<Option<String>, String> {
    let Some(dense) = labeller.dense.as_ref().filter(|_| labeller.needs_embedding()) else { return Ok(None) };
    let same = |(_, hash): &(&String, &Hash)| hash.0 == dense.model_sha256;
    let found = encoders.iter().find(same).map(|(name, _)| name.clone());
    found.map(Some).ok_or_else(|| {
        at(
            "it needs sentence embeddings of an encoder that this outlet does not run".into(),
            "add a route to the local encoder that it was trained with, or train it on n-grams alone",
        )
    })
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let length = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > FILE_BYTES_MAX {
        return Err(format!("{length} bytes are more than any labeller has"));
    }
    std::fs::read(path).map_err(|error| error.to_string())
}

/// Our own key, and the one that the route names.
fn trusted(route: &Route, own: &VerifierKey) -> Result<Vec<VerifierKey>, String> {
    let mut keys = vec![own.clone()];
    if let Some(key) = route.label.as_ref().and_then(|label| label.key.as_ref()) {
        let key = VerifierKey::parse(&key.value).map_err(|why| {
            format!(
                "`key` under [route.label] of `{}`: {why}\nhint: write it as `ledger.pub` has it",
                route.model.value
            )
        })?;
        keys.push(key);
    }
    Ok(keys)
}

fn certificate(bytes: &[u8]) -> Result<Certificate, String> {
    let both: Certificates =
        serde_json::from_slice(bytes).map_err(|error| format!("its certificate cannot be read: {error}"))?;
    let certificate = both.served();
    if certificate.schema == mains_distill::certificate::SCHEMA && certificate.terms.promise == both.serve {
        Ok(certificate.clone())
    } else {
        Err("its certificate is of another form or promise".into())
    }
}

/// The names of requests that stand in `NAME.rows.json`, wherever they stand there. Rows of imported files have other
/// names, and nobody erases them here.
pub(super) fn rows(folder: &Path, name: &str) -> HashSet<String> {
    let read = std::fs::read(folder.join(format!("{name}.rows.json"))).ok();
    let value: Option<serde_json::Value> = read.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let mut found = HashSet::new();
    let mut open: Vec<serde_json::Value> = value.into_iter().collect();
    while let Some(value) = open.pop() {
        match value {
            serde_json::Value::String(text) if text.starts_with("req_") => {
                found.insert(text);
            }
            serde_json::Value::Array(items) => open.extend(items),
            serde_json::Value::Object(members) => {
                for (key, value) in members {
                    open.extend([serde_json::Value::String(key), value]);
                }
            }
            _ => {}
        }
    }
    found
}
