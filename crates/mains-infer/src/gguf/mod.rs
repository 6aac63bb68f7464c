//! GGUF files: a header of metadata and tensor descriptions, then the tensors' bytes.
//!
//! Every length is checked against the bytes that are left before anything is allocated, so a hostile
//! file costs at most its own size and a fixed margin of [`MARGIN_BYTES`]. Format: the GGUF
//! specification of the ggml project, versions 2 and 3, little-endian.
//!
//! Read `tensor` (types of blocks), `metadata` (values), `reader` (the parser), `blocks` and `dequantise`.

mod blocks;
mod dequantise;
mod metadata;
mod reader;
mod tensor;

pub(crate) use blocks::Block;
pub use dequantise::dequantise;
pub use metadata::{Metadata, TextArray, Value};
pub use tensor::{Tensor, TensorType};

use std::io::{Read, Seek, SeekFrom};

use crate::Error;

/// What reading a header may allocate beyond the size of the file: the tables of at most 2,048 metadata
/// entries and 16,384 tensors.
pub const MARGIN_BYTES: u64 = 4 << 20;

/// The header of a GGUF file: what it says of itself and where its tensors lie.
#[derive(Debug, Clone)]
pub struct Gguf {
    metadata: Metadata,
    tensors: Vec<Tensor>,
    data_start: u64,
}

impl Gguf {
    /// Reads and checks the header. Tensors are described but not loaded.
    pub fn read(source: &mut (impl Read + Seek)) -> Result<Self, Error> {
        let size = source.seek(SeekFrom::End(0)).map_err(|e| Error::io("cannot size the model file", &e))?;
        source.rewind().map_err(|e| Error::io("cannot rewind the model file", &e))?;
        reader::read_header(source, size)
    }

    /// The metadata of the file.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// All tensors, in the order of the file.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// The tensor of this name, if the file has it.
    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }

    /// The raw bytes of a tensor. The size was checked against the file when the header was read.
    pub fn load(&self, source: &mut (impl Read + Seek), tensor: &Tensor) -> Result<Vec<u8>, Error> {
        let start = self.data_start + tensor.offset;
        source.seek(SeekFrom::Start(start)).map_err(|e| Error::io("cannot seek in the model file", &e))?;
        let length = usize::try_from(tensor.bytes).map_err(|_| {
            Error::file(format!("tensor `{}` does not fit this machine's memory", tensor.name))
        })?;
        let mut bytes = vec![0; length];
        source
            .read_exact(&mut bytes)
            .map_err(|e| Error::io(&format!("cannot read tensor `{}`", tensor.name), &e))?;
        Ok(bytes)
    }
}
