//! One value: its type, how it is read from TOML or from the text of a variable, and where it came from.

use crate::problem::{SourceSpan, closest};
use mains_units::{Grade, Span};
use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use toml::de::DeValue;

/// Where a value came from; the first that says something wins, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A command-line flag.
    Flag,
    /// This environment variable.
    Environment(String),
    /// The file.
    File {
        /// Line, from 1.
        line: usize,
        /// The value itself.
        span: SourceSpan,
    },
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Environment(name) => f.write_str(name),
            Self::File { line, .. } => write!(f, "line {line}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Who set it.
    pub origin: Origin,
}

impl<T> Setting<T> {
    /// Where in the file it stands, for later complaints; `None` when it comes from elsewhere.
    pub fn span(&self) -> Option<SourceSpan> {
        match self.origin {
            Origin::File { span, .. } => Some(span),
            _ => None,
        }
    }
}

/// What is wrong with one value, before its place is known.
#[derive(Debug)]
pub(crate) struct Complaint {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Complaint {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn wrong_type(wanted: &str, found: &DeValue<'_>) -> Self {
        let found = match found {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a decimal number",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        Self::new(format!("expected {wanted}, found {found}"))
    }
}

/// A value as found: in the file, or as the text of a flag or variable.
#[derive(Clone, Copy)]
pub(crate) enum Raw<'a> {
    Toml(&'a DeValue<'a>),
    Text(&'a str),
}

impl<'a> Raw<'a> {
    pub(crate) fn text(self) -> Result<Cow<'a, str>, Complaint> {
        match self {
            Self::Toml(DeValue::String(text)) => Ok(Cow::Borrowed(text)),
            Self::Toml(other) => Err(Complaint::wrong_type("a string", other)),
            Self::Text(text) => Ok(Cow::Borrowed(text)),
        }
    }

    pub(crate) fn integer(self) -> Result<u64, Complaint> {
        let parsed = match self {
            Self::Toml(DeValue::Integer(integer)) => {
                u64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok()
            }
            Self::Toml(other) => return Err(Complaint::wrong_type("a whole number", other)),
            Self::Text(text) => text.trim().parse().ok(),
        };
        parsed.ok_or_else(|| Complaint::new("expected a whole number from 0 to 2^64 - 1"))
    }

    pub(crate) fn number(self) -> Result<f64, Complaint> {
        let parsed: Option<f64> = match self {
            Self::Toml(DeValue::Integer(_)) => self.integer().ok().map(|integer| integer as f64),
            Self::Toml(DeValue::Float(float)) => float.as_str().replace('_', "").parse().ok(),
            Self::Toml(other) => return Err(Complaint::wrong_type("a number", other)),
            Self::Text(text) => text.trim().parse().ok(),
        };
        parsed
            .filter(|number| number.is_finite() && *number >= 0.0)
            .ok_or_else(|| Complaint::new("expected a number that is finite and not below 0"))
    }

    fn boolean(self) -> Result<bool, Complaint> {
        match self {
            Self::Toml(DeValue::Boolean(value)) => Ok(*value),
            Self::Toml(other) => Err(Complaint::wrong_type("`true` or `false`", other)),
            Self::Text(text) => match text.trim() {
                "true" | "1" => Ok(true),
                "false" | "0" => Ok(false),
                _ => Err(Complaint::new("expected `true` or `false`")),
            },
        }
    }
}

/// A type that one value can have.
pub(crate) trait Scalar: Sized {
    fn read(raw: Raw<'_>) -> Result<Self, Complaint>;
    /// As `mains config show` prints it and as the settings' hash sees it; one line.
    fn show(&self) -> String;
}

impl Scalar for String {
    fn read(raw: Raw<'_>) -> Result<Self, Complaint> {
        let text = raw.text()?;
        if text.is_empty() {
            return Err(Complaint::new("expected some text, found an empty string"));
        }
        if text.chars().any(char::is_control) {
            return Err(Complaint::new("this text holds a control character"));
        }
        Ok(text.into_owned())
    }

    fn show(&self) -> String {
        quoted(self)
    }
}

impl Scalar for u64 {
    fn read(raw: Raw<'_>) -> Result<Self, Complaint> {
        raw.integer()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Scalar for f64 {
    fn read(raw: Raw<'_>) -> Result<Self, Complaint> {
        raw.number()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Scalar for bool {
    fn read(raw: Raw<'_>) -> Result<Self, Complaint> {
        raw.boolean()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Scalar for Span {
    /// Written in seconds, with or without a decimal point.
    fn read(raw: Raw<'_>) -> Result<Self, Complaint> {
        let seconds = raw.number()?;
        if seconds > 604_800.0 {
            return Err(Complaint::new(format!("{seconds} seconds is more than a week")));
        }
        // In range: at most 604,800,000 milliseconds and never negative.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded just above")]
        let milliseconds = (seconds * 1e3).round() as u64;
        Ok(Self::from_ms(milliseconds))
    }

    fn show(&self) -> String {
        self.as_s_f64().to_string()
    }
}

impl Scalar for SocketAddr {
    fn read(raw: Raw<'_>) -> Result<Self, Complaint> {
        let text = raw.text()?;
        // The one name whose address needs no resolver.
        let local = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
        let address = match local {
            Some(port) => Some(Self::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)),
            None => text.parse().ok(),
        };
        address.ok_or_else(|| {
            Complaint::new(format!("{} is not an address with a port", quoted_code(&text)))
                .hint("write it like `127.0.0.1:2300` or `[::1]:2300`")
        })
    }

    fn show(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Scalar for Vec<String> {
    fn read(raw: Raw<'_>) -> Result<Self, Complaint> {
        match raw {
            Raw::Toml(DeValue::Array(items)) => {
                items.iter().map(|item| String::read(Raw::Toml(item.get_ref()))).collect()
            }
            Raw::Toml(other) => Err(Complaint::wrong_type("a list of strings", other)),
            Raw::Text(text) => {
                Ok(text.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect())
            }
        }
    }

    fn show(&self) -> String {
        let items: Vec<String> = self.iter().map(|item| quoted(item)).collect();
        format!("[{}]", items.join(", "))
    }
}

impl Scalar for Grade {
    fn read(raw: Raw<'_>) -> Result<Self, Complaint> {
        match raw.text()?.as_ref() {
            "A" => Ok(Self::A),
            "B" => Ok(Self::B),
            "C" => Ok(Self::C),
            "D" => Ok(Self::D),
            "E" => Ok(Self::E),
            other => Err(Complaint::new(format!("{} is not a grade", quoted_code(other)))
                .hint("write `A`, `B`, `C`, `D` or `E`")),
        }
    }

    fn show(&self) -> String {
        quoted(&self.to_string())
    }
}

/// A complaint about a word that is not in a list.
pub(crate) fn unknown_word(word: &str, words: &[&str]) -> Complaint {
    let list: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    let hint = match closest(word, words.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write one of {}", list.join(", ")),
    };
    Complaint::new(format!("{} is not known here", quoted_code(word))).hint(hint)
}

/// Backticks around a literal, cut where it is long.
pub(crate) fn quoted_code(text: &str) -> String {
    let short: String = text.chars().take(80).collect();
    if short.len() == text.len() { format!("`{text}`") } else { format!("`{short}…`") }
}

/// In double quotes, on one line whatever the text holds.
pub(crate) fn quoted(text: &str) -> String {
    let mut line = String::with_capacity(text.len() + 2);
    line.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => line.extend(['\\', c]),
            c if c.is_control() => line.extend(c.escape_unicode()),
            c => line.push(c),
        }
    }
    line.push('"');
    line
}
