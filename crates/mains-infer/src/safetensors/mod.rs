//! Safetensors files: a length, a header of JSON that names every tensor with its type, shape and place, and
//! then the bytes (<https://github.com/huggingface/safetensors>, the format's own description, read 2026-11-28).
//!
//! Read `header` (what a file claims, checked). The reader is our own: a tensor at a time comes from the file,
//! as for GGUF, so a load peaks at the packed weights and one tensor, without a mapping and its `unsafe`.

mod header;

use std::io::{Read, Seek, SeekFrom};

use crate::{Error, half};
pub use header::{NumberType, TensorPlace};

/// The header of a file whose claims have been checked: every tensor lies inside, none shares a byte.
#[derive(Debug)]
pub struct Safetensors {
    tensors: Vec<TensorPlace>,
    data_start: u64,
}

impl Safetensors {
    /// Reads and checks the header.
    pub fn read(source: &mut (impl Read + Seek)) -> Result<Self, Error> {
        let trouble = |e: std::io::Error| Error::io("cannot read the safetensors file", &e);
        let size = source.seek(SeekFrom::End(0)).map_err(trouble)?;
        source.rewind().map_err(trouble)?;
        let (tensors, data_start) = header::read(source, size)?;
        Ok(Self { tensors, data_start })
    }

    /// All tensors, by their place in the file.
    pub fn tensors(&self) -> &[TensorPlace] {
        &self.tensors
    }

    /// The tensor of this name.
    pub fn tensor(&self, name: &str) -> Option<&TensorPlace> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }

    /// The bytes of a tensor of this shape, which must be of floats, as 32-bit floats in little-endian order.
    pub fn floats(
        &self,
        source: &mut (impl Read + Seek),
        name: &str,
        shape: &[usize],
    ) -> Result<Vec<f32>, Error> {
        let tensor =
            self.tensor(name).ok_or_else(|| Error::file(format!("the file has no tensor `{name}`")))?;
        if tensor.shape != shape {
            return Err(Error::file(format!(
                "tensor `{name}` has the shape {:?}, the model asks for {shape:?}",
                tensor.shape
            )));
        }
        let read: fn(&[u8]) -> f32 = match tensor.kind {
            NumberType::F32 => |b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]),
            NumberType::F16 => |b| half::to_f32(u16::from_le_bytes([b[0], b[1]])),
            NumberType::BF16 => |b| f32::from_bits(u32::from(u16::from_le_bytes([b[0], b[1]])) << 16),
            NumberType::Other(kind, _) => {
                return Err(Error::unsupported(format!(
                    "tensor `{name}` is stored as {kind}, which is not read here"
                ))
                .hint("use a file of F32, F16 or BF16"));
            }
        };
        let length = usize::try_from(tensor.bytes()).map_err(|_| Error::file("a tensor beyond memory"))?;
        let mut bytes = vec![0; length];
        source
            .seek(SeekFrom::Start(self.data_start + tensor.start))
            .and_then(|_| source.read_exact(&mut bytes))
            .map_err(|e| Error::io(&format!("cannot read tensor `{name}`"), &e))?;
        Ok(bytes.chunks_exact(tensor.kind.bytes()).map(read).collect())
    }
}
