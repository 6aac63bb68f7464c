//! The metadata of a file: names and values, kept about as small as they are in the file.

use crate::Error;

/// Many texts in one buffer: what the file spends eight bytes of length on costs four here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextArray {
    text: String,
    ends: Vec<u32>,
}

/// Growing by a fixed step, not by doubling, keeps the buffer within the size of the file.
const GROWTH_BYTES: usize = 1 << 20;

impl TextArray {
    pub(super) fn with_capacity(count: usize) -> Self {
        Self { text: String::new(), ends: Vec::with_capacity(count) }
    }

    pub(super) fn push(&mut self, text: &str) -> Result<(), Error> {
        if self.text.capacity() - self.text.len() < text.len() {
            self.text.reserve_exact(text.len() + GROWTH_BYTES);
        }
        self.text.push_str(text);
        let end = u32::try_from(self.text.len())
            .map_err(|_| Error::file("an array of texts in the metadata is larger than 4 GiB"))?;
        self.ends.push(end);
        Ok(())
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text at this place.
    pub fn get(&self, at: usize) -> Option<&str> {
        let start = if at == 0 { 0 } else { *self.ends.get(at - 1)? };
        self.text.get(start as usize..*self.ends.get(at)? as usize)
    }

    /// The texts in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).filter_map(|(start, &end)| self.text.get(start as usize..end as usize))
    }
}

/// One value of the metadata. Narrow integers and floats are widened; arrays stay compact.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Any unsigned integer.
    Unsigned(u64),
    /// Any signed integer.
    Signed(i64),
    /// Either float.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A text.
    Text(String),
    /// An array of texts.
    Texts(TextArray),
    /// An array of numbers whose width is four bytes or fewer and whose type is integer.
    Integers(Vec<i32>),
    /// Any other array of numbers, as the file holds it: the type's number and the bytes.
    Raw(u32, Vec<u8>),
}

/// Names and values in the order of the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    entries: Vec<(String, Value)>,
}

impl Metadata {
    pub(super) fn insert(&mut self, name: String, value: Value) -> Result<(), Error> {
        if self.get(&name).is_some() {
            return Err(Error::file(format!("the metadata names `{name}` twice")));
        }
        self.entries.push((name, value));
        Ok(())
    }

    /// The entries in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entries.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// A text of this name.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A non-negative integer of this name, whatever its width or sign in the file.
    pub fn unsigned(&self, name: &str) -> Option<u64> {
        match self.get(name) {
            Some(Value::Unsigned(value)) => Some(*value),
            Some(Value::Signed(value)) => u64::try_from(*value).ok(),
            _ => None,
        }
    }

    /// A float of this name.
    pub fn float(&self, name: &str) -> Option<f64> {
        match self.get(name) {
            Some(Value::Float(value)) => Some(*value),
            _ => None,
        }
    }

    /// A truth value of this name.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name) {
            Some(Value::Bool(value)) => Some(*value),
            _ => None,
        }
    }

    /// An array of texts of this name.
    pub fn texts(&self, name: &str) -> Option<&TextArray> {
        match self.get(name) {
            Some(Value::Texts(texts)) => Some(texts),
            _ => None,
        }
    }

    /// An array of integers of this name.
    pub fn integers(&self, name: &str) -> Option<&[i32]> {
        match self.get(name) {
            Some(Value::Integers(values)) => Some(values),
            _ => None,
        }
    }
}
