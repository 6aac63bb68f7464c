//! What a labeller must know of its task to stand in for the model: part of the labeller file.

use super::labels::LabelSet;
use super::template::Template;
use crate::watch::Bound;
use serde::{Deserialize, Serialize};

/// The version of the form; another one is not read.
pub const SCHEMA: &str = "mains.distill.task/1";

/// The longest name of a labeller.
const NAME_BYTES_MAX: usize = 64;

/// A task as it is served: which requests are in its scope, and how an answer looks.
///
/// A request is in scope where `template.extract` gives its text; the answer is `labels.write` of the label's number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Served {
    /// [`SCHEMA`].
    pub schema: String,
    /// The labeller's name, `[a-z0-9-]{1,64}`: the target `label/NAME`.
    pub name: String,
    /// The constant part of the requests.
    pub template: Template,
    /// The labels by number, and the shape of the answers.
    pub labels: LabelSet,
    /// What the certificate is bound to.
    pub bound: Bound,
}

impl Served {
    /// A task with the hashes of its template and labels put into `bound`.
    pub fn new(name: &str, template: Template, labels: LabelSet, bound: Bound) -> Self {
        let bound = Bound { template: template.hash(), labels: labels.hash(), ..bound };
        Self { schema: SCHEMA.to_owned(), name: name.to_owned(), template, labels, bound }
    }

    /// What cannot be in it, if anything: form, name, labels out of order, hashes of other things.
    pub fn fault(&self) -> Option<&'static str> {
        let labels = &self.labels.labels;
        if self.schema != SCHEMA {
            Some("the form")
        } else if !is_name(&self.name) {
            Some("the name")
        } else if labels.len() < 2 || !labels.is_sorted_by(|a, b| a.name < b.name) {
            Some("the labels")
        } else if self.bound.template != self.template.hash() {
            Some("the hash of the template")
        } else if self.bound.labels != self.labels.hash() {
            Some("the hash of the labels")
        } else {
            None
        }
    }
}

/// Whether a labeller may have this name.
pub fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(fits)
}
