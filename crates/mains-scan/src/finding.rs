//! What a scan of one file hands out: sightings, undated. Dates come later, in `report`, because a date
//! belongs to a host and a day, and neither is in the file.

use crate::ignore::Ignore;
use crate::language::Language;
use serde::Serialize;

/// How a file means what it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The program asks for it.
    Use,
    /// One entry of a list of many, such as a price table or a selector.
    List,
    /// Only spoken of: a comment, documentation, a message.
    Mention,
}

/// In what part of a code base a file stands, by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Code that ships.
    Product,
    /// Examples, samples, cookbooks.
    Example,
    /// Tests, fixtures, snapshots.
    Test,
}

/// How sure the scan is that this is what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// A known id where ids stand, beside an import or address of its provider.
    High,
    /// One of the two.
    Medium,
    /// Neither, but the shape fits.
    Low,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case", tag = "signal")]
pub enum Signal {
    /// A model id, known or not.
    Model {
        /// Whether the catalogue knows it under any spelling.
        known: bool,
    },
    /// An address of a provider's API.
    Host,
    /// A path or header of a provider's API that has ended or will.
    Endpoint {
        /// As the catalogue writes it.
        path: String,
    },
    /// An environment variable in which a provider's key or address is kept.
    KeyVariable,
    /// An import of a client library.
    Import {
        /// The module or package.
        package: String,
    },
    /// A dependency on a client library.
    Manifest {
        /// The package.
        package: String,
    },
    /// The name of a cloud service for models.
    Service,
    /// A call shape of an old client library.
    LegacyCall {
        /// As the catalogue writes it.
        shape: String,
    },
}

/// Where in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// Line, from 1, of the raw file.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// What tells which provider a sighting belongs to, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttributedBy {
    /// The id's own prefix or spelling: `azure/…`, `us.anthropic.…-v1:0`.
    Prefix,
    /// The call it stands in: `AzureOpenAI(…)`, `openai("…")`.
    Call,
    /// A provider key beside it in the same configuration: `provider: openai`.
    Neighbour,
    /// An address in the same file.
    Host,
    /// An import in the same file.
    Import,
    /// A key variable in the same file.
    KeyVariable,
    /// A dependency of the package around the file.
    Manifest,
    /// Nothing but the id: who makes the model.
    Owner,
}

/// A hint at a provider.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Attribution {
    /// The catalogue's name of the host.
    pub host: String,
    /// What says so.
    pub by: AttributedBy,
}

/// One thing seen at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sighting {
    /// What.
    pub signal: Signal,
    /// Where.
    pub place: Place,
    /// The text as it stands in the file.
    pub text: String,
    /// How it is meant.
    pub class: Class,
    /// How sure.
    pub confidence: Confidence,
    /// The key, argument or variable that it fills.
    pub slot: Option<String>,
    /// The provider that the place itself names.
    pub attribution: Option<Attribution>,
    /// Why it has this class, for people.
    pub why: String,
    /// A hash of its line without blanks, so that a finding keeps its identity when lines move.
    #[serde(skip)]
    pub line_hash: u64,
}

/// All that one file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileFindings {
    /// The path as given, with forward slashes.
    pub path: String,
    /// Its language.
    pub language: Language,
    /// Its part of the code base.
    pub scope: Scope,
    /// How many bytes it has.
    pub bytes: u64,
    /// What was seen, in order of place.
    pub sightings: Vec<Sighting>,
    /// Comments that ask to ignore findings.
    pub ignores: Vec<Ignore>,
    /// Model names that are read from the environment without a default, which no scan can follow.
    pub unresolved: Vec<String>,
}

impl FileFindings {
    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.sightings.is_empty() && self.unresolved.is_empty()
    }
}

/// In what part of a code base `path` stands.
pub fn scope_of(path: &str) -> Scope {
    let lower = path.to_ascii_lowercase();
    let (folders, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
    let tests = [
        "test",
        "tests",
        "spec",
        "specs",
        "__tests__",
        "fixtures",
        "fixture",
        "testdata",
        "e2e",
        "cypress",
        "snapshots",
        "__snapshots__",
        "__mocks__",
        "mocks",
        "cassettes",
    ];
    let examples =
        ["example", "examples", "sample", "samples", "demo", "demos", "docs", "doc", "cookbook", "tutorials"];
    let within = |set: &[&str]| folders.split('/').any(|folder| set.contains(&folder));
    let stem = name.split('.').next().unwrap_or(name);
    let named_test = stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_spec")
        || stem == "conftest"
        || name.contains(".test.")
        || name.contains(".spec.");
    if named_test || within(&tests) {
        Scope::Test
    } else if within(&examples) {
        Scope::Example
    } else {
        Scope::Product
    }
}
