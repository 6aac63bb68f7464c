//! What a tensor is: a name, a shape, a type of block, and a place in the file.

use crate::Error;

/// How the numbers of a tensor are stored. Sizes: ggml's block definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TensorType {
    /// 32-bit floats.
    F32,
    /// IEEE 16-bit floats.
    F16,
    /// 32 nibbles and a 16-bit scale: `d * (q - 8)`.
    Q4_0,
    /// 32 nibbles, a 16-bit scale and a 16-bit minimum: `d * q + m`.
    Q4_1,
    /// 32 signed bytes and a 16-bit scale: `d * q`.
    Q8_0,
    /// The upper half of 32-bit floats.
    BF16,
    /// 32 whole numbers of five bits and a 16-bit scale: `d * (q - 16)`.
    Q5_0,
    /// 32 whole numbers of five bits, a 16-bit scale and a 16-bit minimum: `d * q + m`.
    Q5_1,
    /// 256 nibbles; per 32 a scale and a minimum of six bits, over all a 16-bit scale for each:
    /// `d * s * q - e * m`.
    Q4K,
    /// The same with whole numbers of five bits.
    Q5K,
    /// 256 whole numbers of six bits; per 16 a scale of eight bits, over all a 16-bit scale: `d * s * (q - 32)`.
    Q6K,
}

/// The names of the types that exist but are not read here, by their number in the format.
const OTHER_TYPES: [(u32, &str); 19] = [
    (9, "Q8_1"),
    (10, "Q2_K"),
    (11, "Q3_K"),
    (15, "Q8_K"),
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (20, "IQ4_NL"),
    (21, "IQ3_S"),
    (22, "IQ2_S"),
    (23, "IQ4_XS"),
    (24, "I8"),
    (25, "I16"),
    (26, "I32"),
    (27, "I64"),
    (28, "F64"),
    (29, "IQ1_M"),
    (39, "MXFP4"),
];

impl TensorType {
    /// The type with this number in the format; other types are refused by name.
    pub(super) fn from_number(number: u32, tensor: &str) -> Result<Self, Error> {
        match number {
            0 => Ok(Self::F32),
            1 => Ok(Self::F16),
            2 => Ok(Self::Q4_0),
            3 => Ok(Self::Q4_1),
            6 => Ok(Self::Q5_0),
            7 => Ok(Self::Q5_1),
            8 => Ok(Self::Q8_0),
            12 => Ok(Self::Q4K),
            13 => Ok(Self::Q5K),
            14 => Ok(Self::Q6K),
            30 => Ok(Self::BF16),
            _ => Err(Self::refuse(number, tensor)),
        }
    }

    fn refuse(number: u32, tensor: &str) -> Error {
        match OTHER_TYPES.iter().find(|(other, _)| *other == number) {
            Some((_, name)) => {
                Error::unsupported(format!("tensor `{tensor}` is stored as {name}, which is not read here"))
                    .hint("use a file of F32, F16, BF16, Q8_0, Q4_0 to Q5_1 or Q4_K to Q6_K, or a llama.cpp server as an upstream")
            }
            None => Error::file(format!("tensor `{tensor}` has the unknown type number {number}")),
        }
    }

    /// How many numbers one block holds.
    pub fn block_numbers(self) -> u64 {
        match self {
            Self::F32 | Self::F16 | Self::BF16 => 1,
            Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Q8_0 => 32,
            Self::Q4K | Self::Q5K | Self::Q6K => 256,
        }
    }

    /// How many bytes one block takes.
    pub fn block_bytes(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::Q4_0 => 18,
            Self::Q4_1 => 20,
            Self::Q5_0 => 22,
            Self::Q5_1 => 24,
            Self::Q8_0 => 34,
            Self::Q4K => 144,
            Self::Q5K => 176,
            Self::Q6K => 210,
        }
    }

    /// The name as the format writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Q4_0 => "Q4_0",
            Self::Q4_1 => "Q4_1",
            Self::Q8_0 => "Q8_0",
            Self::BF16 => "BF16",
            Self::Q5_0 => "Q5_0",
            Self::Q5_1 => "Q5_1",
            Self::Q4K => "Q4_K",
            Self::Q5K => "Q5_K",
            Self::Q6K => "Q6_K",
        }
    }
}

/// One tensor: `columns` numbers in a row, `rows` rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// The name in the file, for example `blk.0.attn_q.weight`.
    pub name: String,
    /// How it is stored.
    pub kind: TensorType,
    /// The length of a row: the first dimension of the format.
    pub columns: u64,
    /// The number of rows: the product of the other dimensions.
    pub rows: u64,
    /// Where it starts, in bytes after the start of the tensor data.
    pub offset: u64,
    /// How many bytes it takes.
    pub bytes: u64,
}

impl Tensor {
    /// Checks a description and computes its size.
    pub(super) fn new(name: String, dimensions: &[u64], kind: u32, offset: u64) -> Result<Self, Error> {
        let kind = TensorType::from_number(kind, &name)?;
        let Some((&columns, others)) = dimensions.split_first() else {
            return Err(Error::file(format!("tensor `{name}` has no dimensions")));
        };
        if columns == 0 || columns % kind.block_numbers() != 0 {
            return Err(Error::file(format!(
                "tensor `{name}` has rows of {columns} numbers, not a multiple of {} as {} needs",
                kind.block_numbers(),
                kind.name()
            )));
        }
        let rows = others.iter().try_fold(1u64, |product, &side| product.checked_mul(side));
        let bytes = rows.and_then(|rows| {
            (columns / kind.block_numbers()).checked_mul(kind.block_bytes())?.checked_mul(rows)
        });
        match (rows, bytes) {
            (Some(rows), Some(bytes)) if rows > 0 => Ok(Self { name, kind, columns, rows, offset, bytes }),
            _ => Err(Error::file(format!("tensor `{name}` has an impossible shape {dimensions:?}"))),
        }
    }
}
