//! The words of the file: closed lists, and the small grammars of references, scopes and targets.

use crate::value::{Complaint, Raw, Scalar, quoted, quoted_code, unknown_word};
use std::fmt;

/// A closed list of words, each written once.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_meta])* $variant,)+ }

        impl $name {
            /// Every one, in the order of the type.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// As the file spells it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Scalar for $name {
            fn read(raw: Raw<'_>) -> Result<Self, Complaint> {
                let text = raw.text()?;
                Self::ALL.iter().copied().find(|word| word.as_str() == text).ok_or_else(|| {
                    unknown_word(&text, &[$($word,)+])
                })
            }

            fn show(&self) -> String {
                quoted(self.as_str())
            }
        }
    };
}

words! {
    /// Whether a local generative model may stand in for the model that was asked for.
    Degraded {
        /// It may not: the request fails instead.
        Refuse = "refuse",
        /// It may, and the answer says so.
        Allow = "allow",
    }
}

words! {
    /// How far a labeller is on its way into service.
    LabelStage {
        /// By evidence: `shadow`, then `canary`, then `serve`.
        Auto = "auto",
        /// It answers nothing and is compared with its teacher.
        Shadow = "shadow",
        /// It answers a share.
        Canary = "canary",
        /// It answers all that it may, but the audited share.
        Serve = "serve",
    }
}

words! {
    /// What is shed last and first when a limit binds; the four classes of Google's SRE book, chapter 21.
    Criticality {
        /// Shed last.
        CriticalPlus = "critical-plus",
        /// The default.
        Critical = "critical",
        /// Partial unavailability is expected.
        SheddablePlus = "sheddable-plus",
        /// Shed first.
        Sheddable = "sheddable",
    }
}

words! {
    /// The window over which a budget renews.
    Window {
        /// A minute.
        Minute = "minute",
        /// An hour.
        Hour = "hour",
        /// A calendar day.
        Day = "day",
        /// A calendar week, from Monday.
        Week = "week",
        /// A calendar month.
        Month = "month",
    }
}

words! {
    /// Whether a target of unknown price may be used under a money cap.
    Unknown {
        /// It is not eligible.
        Refuse = "refuse",
        /// It is, and its cost stays unknown.
        Allow = "allow",
    }
}

words! {
    /// Whether requests and answers are kept.
    Content {
        /// Nothing is kept.
        None = "none",
        /// Sealed, for `retention_days`.
        Keep = "keep",
    }
}

words! {
    /// What an answer waits for.
    Durability {
        /// Nothing; a power cut loses at most the last few milliseconds of the ledger.
        Batched = "batched",
        /// The sync of its intent leaf.
        Strict = "strict",
    }
}

/// The status of an answer that a spent budget refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BudgetStatus {
    /// 402, which clients do not retry.
    PaymentRequired,
    /// 429, for clients that know nothing else.
    TooManyRequests,
}

impl BudgetStatus {
    /// The HTTP status.
    pub fn code(self) -> u16 {
        match self {
            Self::PaymentRequired => 402,
            Self::TooManyRequests => 429,
        }
    }
}

impl Scalar for BudgetStatus {
    fn read(raw: Raw<'_>) -> Result<Self, Complaint> {
        match raw.integer()? {
            402 => Ok(Self::PaymentRequired),
            429 => Ok(Self::TooManyRequests),
            other => Err(Complaint::new(format!("a spent budget cannot answer {other}"))
                .hint("write 402 (clients stop) or 429 (clients try again)")),
        }
    }

    fn show(&self) -> String {
        self.code().to_string()
    }
}

/// Where a provider's key lies; the key itself never stands in the file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KeyRef {
    /// `env:NAME`: in this environment variable.
    Environment(String),
    /// `file:PATH`: in this file.
    File(String),
    /// `sealed:NAME`: in the sealed store.
    Sealed(String),
}

impl fmt::Display for KeyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{path}"),
            Self::Sealed(name) => write!(f, "sealed:{name}"),
        }
    }
}

impl Scalar for KeyRef {
    fn read(raw: Raw<'_>) -> Result<Self, Complaint> {
        let text = raw.text()?;
        let (scheme, rest) = text.split_once(':').unwrap_or(("", ""));
        let reference = match scheme {
            "env" => Self::Environment(rest.to_owned()),
            "file" => Self::File(rest.to_owned()),
            "sealed" => Self::Sealed(rest.to_owned()),
            // The text is not repeated: it may be the key itself.
            _ => {
                return Err(Complaint::new("this is not a reference to a key").hint(
                    "write `env:NAME`, `file:PATH` or `sealed:NAME`; a key itself does not belong here",
                ));
            }
        };
        let name_is_sound = match &reference {
            Self::File(path) => !path.is_empty() && !path.chars().any(char::is_control),
            Self::Environment(name) | Self::Sealed(name) => {
                !name.is_empty()
                    && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
            }
        };
        if name_is_sound {
            Ok(reference)
        } else {
            Err(Complaint::new(format!("the name after `{scheme}:` is empty or holds a strange character")))
        }
    }

    fn show(&self) -> String {
        quoted(&self.to_string())
    }
}

/// How an upstream is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proxy {
    /// `none`: directly, whatever the environment says.
    None,
    /// Through this `http://` or `https://` proxy, which holds no password.
    Url(String),
    /// `env:NAME`: through the proxy whose address, perhaps with a password, this variable holds.
    Environment(String),
}

impl Scalar for Proxy {
    fn read(raw: Raw<'_>) -> Result<Self, Complaint> {
        let text = raw.text()?;
        if text == "none" {
            return Ok(Self::None);
        }
        if let Some(name) = text.strip_prefix("env:").filter(|name| !name.is_empty()) {
            return Ok(Self::Environment(name.to_owned()));
        }
        check_url(&text).map(|()| Self::Url(text.clone().into_owned())).map_err(|complaint| {
            complaint.hint("write `http://host:port`, `env:NAME` for one with a password, or `none`")
        })
    }

    fn show(&self) -> String {
        match self {
            Self::None => quoted("none"),
            Self::Url(url) => quoted(url),
            Self::Environment(name) => quoted(&format!("env:{name}")),
        }
    }
}

/// An absolute `http` or `https` address without credentials, query and fragment.
pub(crate) fn check_url(text: &str) -> Result<(), Complaint> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else {
        return Err(Complaint::new("this address does not begin with `https://` or `http://`"));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // Not repeated: what stands before the @ may be a password.
    if authority.contains('@') {
        return Err(Complaint::new("this address holds a user name or a password"));
    }
    if authority.is_empty() {
        return Err(Complaint::new("this address names no host"));
    }
    let strange = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#' | '\\' | '"');
    if rest.chars().any(strange) {
        return Err(Complaint::new("this address holds a space, a query or a strange character"));
    }
    Ok(())
}

/// Whose spending a budget caps.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Everybody's.
    Organisation,
    /// `project:NAME`.
    Project(String),
    /// `key:NAME`.
    Key(String),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organisation => f.write_str("organisation"),
            Self::Project(name) => write!(f, "project:{name}"),
            Self::Key(name) => write!(f, "key:{name}"),
        }
    }
}

impl Scalar for Scope {
    fn read(raw: Raw<'_>) -> Result<Self, Complaint> {
        let text = raw.text()?;
        let named = |name: &str| !name.is_empty() && !name.chars().any(char::is_control);
        match text.split_once(':') {
            None if text == "organisation" => Ok(Self::Organisation),
            Some(("project", name)) if named(name) => Ok(Self::Project(name.to_owned())),
            Some(("key", name)) if named(name) => Ok(Self::Key(name.to_owned())),
            _ => Err(Complaint::new(format!("{} is not a scope", quoted_code(&text)))
                .hint("write `organisation`, `project:NAME` or `key:NAME`")),
        }
    }

    fn show(&self) -> String {
        quoted(&self.to_string())
    }
}

/// What may answer: a model at an upstream, or a labeller of ours.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// `UPSTREAM/MODEL`; the model is all after the first slash.
    Model {
        /// The upstream's name.
        upstream: String,
        /// The model as that upstream spells it.
        model: String,
    },
    /// `label/NAME`.
    Label(String),
}

impl Target {
    /// Reads `UPSTREAM/MODEL` or `label/NAME`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (upstream, model) = text.split_once('/')?;
        if upstream.is_empty() || model.is_empty() || text.chars().any(char::is_control) {
            return None;
        }
        Some(match upstream {
            "label" => Self::Label(model.to_owned()),
            _ => Self::Model { upstream: upstream.to_owned(), model: model.to_owned() },
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model { upstream, model } => write!(f, "{upstream}/{model}"),
            Self::Label(name) => write!(f, "label/{name}"),
        }
    }
}

impl Scalar for Target {
    fn read(raw: Raw<'_>) -> Result<Self, Complaint> {
        let text = raw.text()?;
        Self::parse(&text).ok_or_else(|| {
            Complaint::new(format!("{} is not a target", quoted_code(&text)))
                .hint("write `UPSTREAM/MODEL` or `label/NAME`")
        })
    }

    fn show(&self) -> String {
        quoted(&self.to_string())
    }
}
