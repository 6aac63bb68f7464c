//! Nodes over the original text. A node is parsed one level at a time, so nothing is built that nobody asks for.

use super::{Json, ReadError, check};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// One JSON value in the text that it came in.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a>(&'a str);

impl<'a> Node<'a> {
    /// A whole body, checked for UTF-8, depth, surrogates and syntax.
    pub(crate) fn whole(bytes: &'a [u8]) -> Result<Self, ReadError> {
        let text = check::check(bytes)?;
        match serde_json::from_str::<&'a RawValue>(text) {
            Ok(raw) => Ok(Self(raw.get())),
            Err(error) => Err(ReadError::new(format!("the body is not JSON: {error}"))
                .hint("send one JSON object with the content type `application/json`")),
        }
    }

    /// Text that was checked before.
    pub(crate) fn trusted(text: &'a str) -> Self {
        Self(text)
    }

    /// The original text.
    pub(crate) fn text(self) -> &'a str {
        self.0
    }

    /// The value's text, kept.
    pub(crate) fn json(self) -> Json {
        Json::of(self)
    }

    fn is(self, start: char) -> bool {
        self.0.starts_with(start)
    }

    pub(crate) fn is_null(self) -> bool {
        self.is('n')
    }

    pub(crate) fn is_string(self) -> bool {
        self.is('"')
    }

    pub(crate) fn is_array(self) -> bool {
        self.is('[')
    }

    pub(crate) fn is_object(self) -> bool {
        self.is('{')
    }

    pub(crate) fn is_number(self) -> bool {
        self.0.starts_with(|first: char| first == '-' || first.is_ascii_digit())
    }

    /// What the value is, in a word with its article.
    pub(crate) fn kind(self) -> &'static str {
        match self.0.as_bytes().first() {
            Some(b'{') => "an object",
            Some(b'[') => "an array",
            Some(b'"') => "a string",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            _ => "a number",
        }
    }

    /// The error that says what was expected here.
    pub(crate) fn expected(self, what: &str) -> ReadError {
        ReadError::new(format!("expected {what}, found {}", self.kind()))
    }

    fn parse<T: serde::Deserialize<'a>>(self, what: &str) -> Result<T, ReadError> {
        serde_json::from_str(self.0).map_err(|_| {
            if self.is_number() {
                ReadError::new(format!("expected {what}, found {}", shortened(self.0)))
            } else {
                self.expected(what)
            }
        })
    }

    pub(crate) fn string(self) -> Result<String, ReadError> {
        self.parse("a string")
    }

    pub(crate) fn u64(self) -> Result<u64, ReadError> {
        // Some clients write counts as `1024.0`; a whole number is a whole number.
        let plain = self.0.strip_suffix(".0").unwrap_or(self.0);
        Node(plain).parse("a whole number that is not negative").map_err(|_| {
            let found = if self.is_number() { shortened(self.0) } else { self.kind().into() };
            ReadError::new(format!("expected a whole number that is not negative, found {found}"))
        })
    }

    pub(crate) fn u32(self) -> Result<u32, ReadError> {
        let number = self.u64()?;
        u32::try_from(number).map_err(|_| ReadError::new(format!("{number} is beyond {}", u32::MAX)))
    }

    pub(crate) fn i64(self) -> Result<i64, ReadError> {
        self.parse("a whole number")
    }

    pub(crate) fn f64(self) -> Result<f64, ReadError> {
        self.parse("a number")
    }

    /// A vector of numbers in one go: embeddings have thousands.
    pub(crate) fn floats(self) -> Result<Vec<f32>, ReadError> {
        self.parse("an array of numbers")
    }

    pub(crate) fn bool(self) -> Result<bool, ReadError> {
        self.parse("true or false")
    }

    /// The elements of an array.
    pub(crate) fn items(self) -> Result<Vec<Node<'a>>, ReadError> {
        if !self.is_array() {
            return Err(self.expected("an array"));
        }
        let raw: Vec<&'a RawValue> = self.parse("an array")?;
        Ok(raw.into_iter().map(|raw| Node(raw.get())).collect())
    }

    /// Reads each element; an error says the index.
    pub(crate) fn each<T>(
        self,
        mut read: impl FnMut(usize, Node<'a>) -> Result<T, ReadError>,
    ) -> Result<Vec<T>, ReadError> {
        let read = |(index, node)| read(index, node).map_err(|error: ReadError| error.within_index(index));
        self.items()?.into_iter().enumerate().map(read).collect()
    }

    /// The members of an object. A key given twice is refused: two readers could each believe another one.
    pub(crate) fn object(self) -> Result<Object<'a>, ReadError> {
        if !self.is_object() {
            return Err(self.expected("an object"));
        }
        let mut deserializer = serde_json::Deserializer::from_str(self.0);
        let members =
            deserializer.deserialize_map(Members).map_err(|error| ReadError::new(error.to_string()))?;
        let mut keys: Vec<&str> = members.iter().map(|(key, _)| key.as_ref()).collect();
        keys.sort_unstable();
        if let Some(twice) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(ReadError::new("the key is given twice")
                .within(&shortened(twice[0]))
                .hint("give each key once; readers disagree which one counts"));
        }
        Ok(Object { members })
    }
}

/// Text for an error message, cut so that no message grows with its input.
pub(crate) fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The members of an object in their order; readers take what they know, the rest is left over.
pub(crate) struct Object<'a> {
    members: Vec<(Cow<'a, str>, Node<'a>)>,
}

impl<'a> Object<'a> {
    /// Takes a member out. `null` counts as absent: both APIs treat it so.
    pub(crate) fn take(&mut self, key: &str) -> Option<Node<'a>> {
        let at = self.members.iter().position(|(name, _)| name == key)?;
        let (_, node) = self.members.remove(at);
        (!node.is_null()).then_some(node)
    }

    /// Takes a member out and reads it; an error says the key.
    pub(crate) fn read<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(Node<'a>) -> Result<T, ReadError>,
    ) -> Result<Option<T>, ReadError> {
        self.take(key).map(read).transpose().map_err(|error| error.within(key))
    }

    /// Takes a member that must be there.
    pub(crate) fn require<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(Node<'a>) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        self.read(key, read)?.ok_or_else(|| ReadError::new("missing").within(key))
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        self.members.iter().any(|(name, _)| name == key)
    }

    pub(crate) fn string(&mut self, key: &str) -> Result<Option<String>, ReadError> {
        self.read(key, Node::string)
    }

    pub(crate) fn require_string(&mut self, key: &str) -> Result<String, ReadError> {
        self.require(key, Node::string)
    }

    /// What nobody took, `null` members excepted.
    pub(crate) fn leftover(self) -> impl Iterator<Item = (Cow<'a, str>, Node<'a>)> {
        self.members.into_iter().filter(|(_, node)| !node.is_null())
    }
}

struct Key<'a>(Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowing;
        impl<'de> Visitor<'de> for Borrowing {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(key)))
            }
            fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(Borrowing)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(Cow<'de, str>, Node<'de>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((key, value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
            members.push((key.0, Node(value.get())));
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_its_place_and_what_stood_there() {
        let read = |text: &'static str| -> Result<u64, ReadError> {
            let mut body = Node::whole(text.as_bytes())?.object()?;
            body.require("a", |a| a.each(|_, item| item.object()?.require("n", Node::u64)).map(|all| all[0]))
        };
        assert_eq!(read(r#"{"a":[{"n":7.0}]}"#).unwrap(), 7);
        assert_eq!(
            read(r#"{"a":[{"n":1},{"n":"x"}]}"#).unwrap_err().to_string(),
            "`a[1].n`: expected a whole number that is not negative, found a string"
        );
        assert_eq!(read(r#"{"b":1}"#).unwrap_err().to_string(), "`a`: missing");
        assert_eq!(read(r#"{"a":null}"#).unwrap_err().to_string(), "`a`: missing");
        assert_eq!(read(r#"{"a":[],"\u0061":1}"#).unwrap_err().path(), "a");
        assert!(read("{").unwrap_err().what().starts_with("the body is not JSON: "));
    }

    #[test]
    fn order_and_number_text_are_kept() {
        let json = Json::parse(" {\"z\": 1.50, \"a\":1e2}\n").unwrap();
        assert_eq!(json.as_str(), "{\"z\": 1.50, \"a\":1e2}");
        assert!(Json::parse("{\"z\":}").is_none() && Json::parse("").is_none());
    }
}
