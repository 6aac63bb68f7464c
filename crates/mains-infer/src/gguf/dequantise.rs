//! Blocks to floats in plain code, independent of the kernels, which are tested against it.

use super::{Block, TensorType};

/// The numbers that these bytes of whole blocks stand for. A trailing part of a block is ignored.
pub fn dequantise(kind: TensorType, bytes: &[u8]) -> Vec<f32> {
    let block_bytes = usize::try_from(kind.block_bytes()).unwrap_or(usize::MAX);
    let mut numbers = Vec::with_capacity(bytes.len() / block_bytes * 32);
    for block in bytes.chunks_exact(block_bytes) {
        match kind {
            TensorType::F32 => numbers.push(f32::from_le_bytes([block[0], block[1], block[2], block[3]])),
            TensorType::F16 => numbers.push(half_at(block, 0)),
            TensorType::BF16 => {
                numbers.push(f32::from_bits(u32::from(u16::from_le_bytes([block[0], block[1]])) << 16));
            }
            TensorType::Q5_0 | TensorType::Q5_1 | TensorType::Q4K | TensorType::Q5K | TensorType::Q6K => {
                compressed(kind, block, &mut numbers);
            }
            TensorType::Q4_0 => {
                let scale = half_at(block, 0);
                nibbles(&block[2..], &mut numbers, |q| scale * (q - 8.0));
            }
            TensorType::Q4_1 => {
                let (scale, minimum) = (half_at(block, 0), half_at(block, 2));
                nibbles(&block[4..], &mut numbers, |q| scale * q + minimum);
            }
            TensorType::Q8_0 => {
                let scale = half_at(block, 0);
                numbers.extend(block[2..].iter().map(|&q| scale * f32::from(q.cast_signed())));
            }
        }
    }
    numbers
}

/// The numbers of a block of the other types. All products are exact, so each number is rounded once at most.
fn compressed(kind: TensorType, bytes: &[u8], numbers: &mut Vec<f32>) {
    let block = Block::read(kind, bytes);
    let [scale, minimum] = block.halves.map(crate::half::to_f32);
    let count = usize::try_from(kind.block_numbers()).unwrap_or(0);
    numbers.extend(block.wholes.iter().enumerate().take(count).map(|(at, &whole)| {
        let (whole, part) = (f32::from(whole), block.parts[at / 32].map(f32::from));
        match kind {
            TensorType::Q5_0 => scale * (whole - 16.0),
            TensorType::Q5_1 => scale * whole + minimum,
            TensorType::Q6K => scale * (part[at % 32 / 16] - 128.0) * (whole - 32.0),
            _ => scale * part[0] * whole - minimum * part[1],
        }
    }));
}

/// The low nibbles are the first sixteen numbers of a block, the high ones the last sixteen.
fn nibbles(bytes: &[u8], numbers: &mut Vec<f32>, value: impl Fn(f32) -> f32) {
    numbers.extend(bytes.iter().map(|byte| value(f32::from(byte & 15))));
    numbers.extend(bytes.iter().map(|byte| value(f32::from(byte >> 4))));
}

fn half_at(bytes: &[u8], at: usize) -> f32 {
    crate::half::to_f32(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}
