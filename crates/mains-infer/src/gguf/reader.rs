//! The parser of a header. It trusts no length: what is claimed must fit in what is left.

use std::io::{BufReader, Read};

use super::Gguf;
use super::metadata::{Metadata, TextArray, Value};
use super::tensor::Tensor;
use crate::Error;

/// More entries than any published model has; bounds the tables of a hostile file.
const METADATA_COUNT_MAX: u64 = 2_048;
/// As above: a model of 1,000 layers with 16 tensors each would fit.
const TENSOR_COUNT_MAX: u64 = 16_384;
/// Names of metadata entries and tensors; the specification allows 64 bytes for a tensor.
const NAME_BYTES_MAX: u64 = 256;
/// The specification allows four.
const DIMENSION_COUNT_MAX: u32 = 4;

/// Reads everything before the tensor data of a file of `size` bytes.
pub(super) fn read_header(source: impl Read, size: u64) -> Result<Gguf, Error> {
    let mut header = Header { source: BufReader::new(source), position: 0, size };
    if header.array::<4>()? != *b"GGUF" {
        return Err(Error::file("not a GGUF file: the first four bytes are not `GGUF`"));
    }
    let version = header.u32()?;
    if !(2..=3).contains(&version) {
        return Err(Error::unsupported(format!("GGUF version {version} is not read here"))
            .hint("convert the file to version 3"));
    }
    let tensor_count = header.count("tensors", TENSOR_COUNT_MAX, 24)?;
    let metadata_count = header.count("metadata entries", METADATA_COUNT_MAX, 13)?;
    let mut metadata = Metadata::default();
    for _ in 0..metadata_count {
        let name = header.text(NAME_BYTES_MAX)?;
        let kind = header.u32()?;
        let value = header.value(kind, &name)?;
        metadata.insert(name, value)?;
    }
    let mut tensors = Vec::new();
    for _ in 0..tensor_count {
        tensors.push(header.tensor()?);
    }
    let alignment = metadata.unsigned("general.alignment").unwrap_or(32);
    if !alignment.is_power_of_two() || alignment > 1 << 20 {
        return Err(Error::file(format!("the alignment {alignment} is not a sensible power of two")));
    }
    let data_start = header.position.next_multiple_of(alignment);
    check_places(&tensors, alignment, size.saturating_sub(data_start))?;
    Ok(Gguf { metadata, tensors, data_start })
}

/// Every tensor lies inside the file, aligned, and no two share a byte or a name: so loading all of
/// them cannot take more memory than the file is large.
fn check_places(tensors: &[Tensor], alignment: u64, available: u64) -> Result<(), Error> {
    let mut by_offset: Vec<&Tensor> = tensors.iter().collect();
    by_offset.sort_by_key(|tensor| tensor.offset);
    let mut free_from = 0;
    for tensor in &by_offset {
        let end = tensor.offset.checked_add(tensor.bytes);
        match end {
            Some(end) if end <= available => {
                if tensor.offset < free_from || tensor.offset % alignment != 0 {
                    return Err(Error::file(format!(
                        "tensor `{}` overlaps its neighbour or is not aligned to {alignment}",
                        tensor.name
                    )));
                }
                free_from = end;
            }
            _ => {
                return Err(Error::file(format!(
                    "tensor `{}` ends beyond the file: {} bytes at {} of {available}",
                    tensor.name, tensor.bytes, tensor.offset
                ))
                .hint("the file is cut short; fetch it again"));
            }
        }
    }
    let mut names: Vec<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Error::file(format!("two tensors are named `{}`", pair[0]))),
        None => Ok(()),
    }
}

struct Header<R> {
    source: BufReader<R>,
    position: u64,
    size: u64,
}

impl<R: Read> Header<R> {
    /// Refuses a claim of `bytes` more bytes that the file does not have.
    fn claim(&self, bytes: u64) -> Result<usize, Error> {
        let left = self.size.saturating_sub(self.position);
        match usize::try_from(bytes) {
            Ok(length) if bytes <= left => Ok(length),
            _ => Err(Error::file(format!(
                "the header claims {bytes} bytes at {}, but {left} are left",
                self.position
            ))
            .hint("the file is cut short or damaged; fetch it again")),
        }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Error> {
        self.claim(buffer.len() as u64)?;
        self.source.read_exact(buffer).map_err(|e| Error::io("cannot read the header", &e))?;
        self.position += buffer.len() as u64;
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn bytes(&mut self, length: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; self.claim(length)?];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, Error> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number of things that each take at least `bytes_min`, at most `limit`.
    fn count(&mut self, what: &str, limit: u64, bytes_min: u64) -> Result<u64, Error> {
        let count = self.u64()?;
        if count > limit {
            return Err(Error::file(format!("the header claims {count} {what}; at most {limit} are read")));
        }
        self.claim(count * bytes_min)?;
        Ok(count)
    }

    fn text(&mut self, limit: u64) -> Result<String, Error> {
        let length = self.u64()?;
        if length > limit {
            return Err(Error::file(format!("a text of {length} bytes where at most {limit} may stand")));
        }
        let bytes = self.bytes(length)?;
        String::from_utf8(bytes)
            .map_err(|_| Error::file(format!("a text before byte {} is not UTF-8", self.position)))
    }

    fn value(&mut self, kind: u32, name: &str) -> Result<Value, Error> {
        Ok(match kind {
            0 => Value::Unsigned(u64::from(u8::from_le_bytes(self.array()?))),
            1 => Value::Signed(i64::from(i8::from_le_bytes(self.array()?))),
            2 => Value::Unsigned(u64::from(u16::from_le_bytes(self.array()?))),
            3 => Value::Signed(i64::from(i16::from_le_bytes(self.array()?))),
            4 => Value::Unsigned(u64::from(self.u32()?)),
            5 => Value::Signed(i64::from(i32::from_le_bytes(self.array()?))),
            6 => Value::Float(f64::from(f32::from_le_bytes(self.array()?))),
            7 => Value::Bool(self.array::<1>()?[0] != 0),
            8 => Value::Text(self.text(u64::MAX)?),
            9 => self.list(name)?,
            10 => Value::Unsigned(self.u64()?),
            11 => Value::Signed(i64::from_le_bytes(self.array()?)),
            12 => Value::Float(f64::from_le_bytes(self.array()?)),
            _ => return Err(Error::file(format!("metadata `{name}` has the unknown type number {kind}"))),
        })
    }

    fn list(&mut self, name: &str) -> Result<Value, Error> {
        let kind = self.u32()?;
        let count = self.u64()?;
        let width: u64 = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            8 => return self.texts(count),
            10..=12 => 8,
            _ => {
                return Err(Error::file(format!("metadata `{name}` is a list of the unread type {kind}")));
            }
        };
        let length = count
            .checked_mul(width)
            .ok_or_else(|| Error::file(format!("metadata `{name}` is a list of {count} entries")))?;
        if !matches!(kind, 4 | 5) {
            return Ok(Value::Raw(kind, self.bytes(length)?));
        }
        let mut numbers = Vec::with_capacity(self.claim(length)? / 4);
        for _ in 0..count {
            numbers.push(i32::from_le_bytes(self.array()?));
        }
        Ok(Value::Integers(numbers))
    }

    fn texts(&mut self, count: u64) -> Result<Value, Error> {
        self.claim(count.saturating_mul(8))?;
        let mut texts = TextArray::with_capacity(self.claim(count)?);
        let mut buffer = Vec::new();
        for _ in 0..count {
            let length = self.u64()?;
            buffer.resize(self.claim(length)?, 0);
            self.fill(&mut buffer)?;
            let text = std::str::from_utf8(&buffer)
                .map_err(|_| Error::file(format!("a text before byte {} is not UTF-8", self.position)))?;
            texts.push(text)?;
        }
        Ok(Value::Texts(texts))
    }

    fn tensor(&mut self) -> Result<Tensor, Error> {
        let name = self.text(NAME_BYTES_MAX)?;
        let dimension_count = self.u32()?;
        if dimension_count > DIMENSION_COUNT_MAX {
            return Err(Error::file(format!("tensor `{name}` has {dimension_count} dimensions")));
        }
        let mut dimensions = Vec::new();
        for _ in 0..dimension_count {
            dimensions.push(self.u64()?);
        }
        let kind = self.u32()?;
        let offset = self.u64()?;
        Tensor::new(name, &dimensions, kind, offset)
    }
}
