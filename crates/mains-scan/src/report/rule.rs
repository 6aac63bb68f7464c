//! The rules: stable names of what can be wrong.

use serde::{Serialize, Serializer};

/// What a finding is about. The names are stable: configuration, comments and other tools hold them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A model that has ended.
    Retired,
    /// A path, header or call that has ended or ends within the horizon.
    Endpoint,
    /// A model that ends on a known day.
    Retiring,
    /// A model whose end is announced without a day.
    Deprecated,
    /// A model that may end any day: the time in which it was promised has passed.
    AnyDay,
    /// A name that moves: it stands for dated snapshots, and what it means changes.
    Alias,
    /// A name that no source knows.
    Unknown,
    /// A list of models, some of which have ended.
    List,
    /// A living model.
    Model,
    /// A dependency on a provider: library, address, key.
    Provider,
}

impl Rule {
    /// All rules, worst first.
    pub const ALL: [Self; 10] = [
        Self::Retired,
        Self::Endpoint,
        Self::Retiring,
        Self::Deprecated,
        Self::AnyDay,
        Self::Alias,
        Self::Unknown,
        Self::List,
        Self::Model,
        Self::Provider,
    ];

    /// Its stable name.
    pub fn id(self) -> &'static str {
        match self {
            Self::Retired => "MAINS-RETIRED",
            Self::Endpoint => "MAINS-ENDPOINT",
            Self::Retiring => "MAINS-RETIRING",
            Self::Deprecated => "MAINS-DEPRECATED",
            Self::AnyDay => "MAINS-ANY-DAY",
            Self::Alias => "MAINS-ALIAS",
            Self::Unknown => "MAINS-UNKNOWN",
            Self::List => "MAINS-LIST",
            Self::Model => "MAINS-MODEL",
            Self::Provider => "MAINS-PROVIDER",
        }
    }

    /// What it means, in one sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Retired => "The code asks for a model that has ended.",
            Self::Endpoint => "The code uses a path, header or call that has ended or will.",
            Self::Retiring => "The code asks for a model that ends on a known day.",
            Self::Deprecated => "The code asks for a model whose end is announced without a day.",
            Self::AnyDay => "The code asks for a model that may end any day: its promised time has passed.",
            Self::Alias => "The code asks for a name that stands for changing snapshots.",
            Self::Unknown => "The code asks for a model that no source of the catalogue knows.",
            Self::List => "The code holds a list of models, some of which have ended or will.",
            Self::Model => "The code asks for a living model.",
            Self::Provider => "The code depends on a provider of models.",
        }
    }

    /// The rule of that name.
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.id() == id)
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}
