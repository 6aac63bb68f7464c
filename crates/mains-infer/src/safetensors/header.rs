//! The header: it trusts no length and no place that a file claims.

use std::fmt;
use std::io::Read;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::Error;

/// The longest header that is read. A model of 2,000 tensors has one of 300 KB.
const HEADER_BYTES_MAX: u64 = 4 << 20;
/// As for GGUF: a model of 1,000 layers with 16 tensors each would fit.
const TENSOR_COUNT_MAX: usize = 16_384;
/// The most dimensions of a tensor.
const DIMENSION_COUNT_MAX: usize = 8;

/// How the numbers of a tensor are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberType {
    /// 32-bit floats.
    F32,
    /// IEEE 16-bit floats.
    F16,
    /// The upper halves of 32-bit floats.
    BF16,
    /// A type of the format whose numbers are not read here: its name, and the bytes of a number.
    Other(&'static str, usize),
}

/// The types of the format that no weight of ours has; known so that a file may carry them.
const OTHERS: [(&str, usize); 13] = [
    ("BOOL", 1),
    ("U8", 1),
    ("I8", 1),
    ("F8_E4M3", 1),
    ("F8_E5M2", 1),
    ("F8_E8M0", 1),
    ("I16", 2),
    ("U16", 2),
    ("I32", 4),
    ("U32", 4),
    ("I64", 8),
    ("U64", 8),
    ("F64", 8),
];

impl NumberType {
    fn find(name: &str, tensor: &str) -> Result<Self, Error> {
        match name {
            "F32" => Ok(Self::F32),
            "F16" => Ok(Self::F16),
            "BF16" => Ok(Self::BF16),
            _ => match OTHERS.iter().find(|(other, _)| *other == name) {
                Some(&(name, bytes)) => Ok(Self::Other(name, bytes)),
                None => Err(Error::unsupported(format!("tensor `{tensor}` is stored as `{name}`"))
                    .hint("use a file of F32, F16 or BF16")),
            },
        }
    }

    /// The bytes of one number.
    pub fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::Other(_, bytes) => bytes,
        }
    }
}

/// A tensor: its name, type, shape and place behind the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorPlace {
    /// The name.
    pub name: String,
    /// How its numbers are stored.
    pub kind: NumberType,
    /// Its sides, the slowest first.
    pub shape: Vec<usize>,
    /// Its first byte, counted from the end of the header.
    pub(super) start: u64,
    /// The byte after its last.
    pub(super) end: u64,
}

impl TensorPlace {
    /// Its size in the file.
    pub fn bytes(&self) -> u64 {
        self.end - self.start
    }
}

/// One entry as it stands in the JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [u64; 2],
}

/// All entries in their order, so that a name that comes twice can be seen.
struct Entries(Vec<(String, Entry)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Entries;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object of tensors")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Entries, M::Error> {
                let mut entries = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<IgnoredAny>()?;
                    } else if entries.len() == TENSOR_COUNT_MAX {
                        return Err(serde::de::Error::custom("too many tensors"));
                    } else {
                        entries.push((name, map.next_value()?));
                    }
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

/// The tensors of a file of `size` bytes, by their place, and where their bytes begin.
pub(super) fn read(source: &mut impl Read, size: u64) -> Result<(Vec<TensorPlace>, u64), Error> {
    let mut prefix = [0; 8];
    if size < 8 {
        return Err(Error::file(format!("a file of {size} bytes is no safetensors file")));
    }
    let trouble = |e: std::io::Error| Error::io("cannot read the header", &e);
    source.read_exact(&mut prefix).map_err(trouble)?;
    let length = u64::from_le_bytes(prefix);
    if length > HEADER_BYTES_MAX || length > size - 8 {
        return Err(Error::file(format!(
            "the file claims a header of {length} bytes; {} are left, and at most {HEADER_BYTES_MAX} are read",
            size - 8
        ))
        .hint("the file is cut short, or no safetensors file; fetch it again"));
    }
    let mut header = vec![0; usize::try_from(length).unwrap_or(0)];
    source.read_exact(&mut header).map_err(trouble)?;
    let Entries(entries) = serde_json::from_slice(&header)
        .map_err(|e| Error::file(format!("the header is not understood: {e}")))?;
    let mut tensors =
        entries.into_iter().map(|(name, entry)| place(name, &entry)).collect::<Result<Vec<_>, _>>()?;
    tensors.sort_by_key(|tensor| (tensor.start, tensor.end));
    check(&tensors, size - 8 - length)?;
    Ok((tensors, 8 + length))
}

fn place(name: String, entry: &Entry) -> Result<TensorPlace, Error> {
    let kind = NumberType::find(&entry.dtype, &name)?;
    let [start, end] = entry.data_offsets;
    let numbers = entry.shape.iter().try_fold(1_u64, |numbers, &side| numbers.checked_mul(side));
    let bytes = numbers.and_then(|numbers| numbers.checked_mul(kind.bytes() as u64));
    let shape: Result<Vec<usize>, _> = entry.shape.iter().map(|&side| usize::try_from(side)).collect();
    match (shape, end.checked_sub(start)) {
        (Ok(shape), Some(length)) if bytes == Some(length) && shape.len() <= DIMENSION_COUNT_MAX => {
            Ok(TensorPlace { name, kind, shape, start, end })
        }
        _ => Err(Error::file(format!(
            "tensor `{name}` of {} in the shape {:?} does not take the bytes {start} to {end}",
            entry.dtype, entry.shape
        ))),
    }
}

/// The tensors follow each other without a gap from the first byte to the last, as the format demands: so
/// none lies outside and no two share a byte. No two share a name.
fn check(tensors: &[TensorPlace], available: u64) -> Result<(), Error> {
    let mut free_from = 0;
    for tensor in tensors {
        if tensor.start != free_from {
            return Err(Error::file(format!(
                "tensor `{}` begins at {}, its neighbour ends at {free_from}",
                tensor.name, tensor.start
            )));
        }
        free_from = tensor.end;
    }
    if free_from != available {
        return Err(Error::file(format!(
            "the tensors end at {free_from}, the file at {available} behind its header"
        ))
        .hint("the file is cut short or damaged; fetch it again"));
    }
    let mut names: Vec<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Error::file(format!("two tensors are named `{}`", pair[0]))),
        None => Ok(()),
    }
}
