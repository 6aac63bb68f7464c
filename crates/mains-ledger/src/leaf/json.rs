//! Canonical JSON (RFC 8785, "JCS") without floats: one text for one value, so that one leaf has one hash.

use std::borrow::Cow;

/// The largest integer that every JSON reader keeps exactly: 2^53.
pub const INTEGER_MAX: u64 = 1 << 53;

/// A JSON value without floats and without negative numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Integer(u64),
    Text(Cow<'a, str>),
    List(Vec<Value<'a>>),
    /// In the order of the keys. Keys of leaves are ASCII; for those, the order of bytes is the order that RFC 8785
    /// asks for.
    Map(Vec<(&'a str, Value<'a>)>),
}

impl<'a> Value<'a> {
    /// The canonical text; `None` where an integer is over 2^53 or a key is not ASCII.
    pub(super) fn to_canonical(&self) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(1024);
        self.write(&mut out)?;
        Some(out)
    }

    fn write(&self, out: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(true) => out.extend_from_slice(b"true"),
            Self::Bool(false) => out.extend_from_slice(b"false"),
            Self::Integer(number) if *number > INTEGER_MAX => return None,
            Self::Integer(number) => write_integer(*number, out),
            Self::Text(text) => write_text(text, out),
            Self::List(items) => {
                out.push(b'[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    item.write(out)?;
                }
                out.push(b']');
            }
            Self::Map(members) => {
                out.push(b'{');
                for (i, (key, value)) in members.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    if !key.is_ascii() {
                        return None;
                    }
                    write_text(key, out);
                    out.push(b':');
                    value.write(out)?;
                }
                out.push(b'}');
            }
        }
        Some(())
    }

    /// From a parsed document; `None` where it holds what canonical leaves never hold.
    pub(super) fn from_parsed(parsed: &'a serde_json::Value) -> Option<Self> {
        Some(match parsed {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(truth) => Self::Bool(*truth),
            serde_json::Value::Number(number) => Self::Integer(number.as_u64()?),
            serde_json::Value::String(text) => Self::Text(text.as_str().into()),
            serde_json::Value::Array(items) => {
                Self::List(items.iter().map(Self::from_parsed).collect::<Option<_>>()?)
            }
            serde_json::Value::Object(members) => {
                let read = |(key, value): (&'a String, _)| Some((key.as_str(), Self::from_parsed(value)?));
                sorted(members.iter().map(read).collect::<Option<_>>()?)
            }
        })
    }
}

/// A JSON string as RFC 8785 section 3.2.2.2 writes it: two-letter escapes where there are any, lower-case
/// `\u00xx` for other control characters, everything else as it is.
fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(text.as_bytes().get(plain..at).unwrap_or_default());
        plain = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            _ => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        }
    }
    out.extend_from_slice(text.as_bytes().get(plain..).unwrap_or_default());
    out.push(b'"');
}

fn write_integer(number: u64, out: &mut Vec<u8>) {
    if number < 10 {
        out.push(b'0' + u8::try_from(number).unwrap_or_default());
    } else {
        out.extend_from_slice(number.to_string().as_bytes());
    }
}

/// A map of the given members.
pub(super) fn map<'a, const N: usize>(members: [(&'a str, Value<'a>); N]) -> Value<'a> {
    sorted(members.into())
}

/// A map of these members, each key once.
pub(super) fn sorted<'a>(mut members: Vec<(&'a str, Value<'a>)>) -> Value<'a> {
    members.sort_unstable_by_key(|(key, _)| *key);
    Value::Map(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_as_the_rfc_asks() {
        let value = Value::Text("\u{20ac}$\u{f}\nA'B\"\\\\\"/\u{7f}\u{8}".into());
        // After the string of RFC 8785 section 3.2.4, in its own spelling.
        let expected = "\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\u{7f}\\b\"";
        assert_eq!(String::from_utf8(value.to_canonical().unwrap()).unwrap(), expected);
    }

    #[test]
    fn keys_are_sorted_and_large_integers_refused() {
        let value = map([
            ("b", Value::Integer(INTEGER_MAX)),
            ("a", Value::List(vec![Value::Null, Value::Bool(true)])),
        ]);
        assert_eq!(value.to_canonical().unwrap(), b"{\"a\":[null,true],\"b\":9007199254740992}");
        assert_eq!(Value::Integer(INTEGER_MAX + 1).to_canonical(), None);
    }
}
