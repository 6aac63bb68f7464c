//! What a block of the compressed types holds: whole numbers, and what they are scaled by. Layouts: `block_q5_0` to
//! `block_q6_K` of ggml's `ggml-common.h`, and `dequantize_row_*` of its `ggml-quants.c`.

use super::TensorType;

/// Numbers in the largest block.
pub(crate) const NUMBERS_MAX: usize = 256;

/// One block, before its numbers are scaled.
pub(crate) struct Block {
    /// The stored whole numbers in the order of the columns; none is negative.
    pub(crate) wholes: [u8; NUMBERS_MAX],
    /// The scale and the minimum of the block as 16-bit floats; zero where the type has none.
    pub(crate) halves: [u16; 2],
    /// Per 32 numbers: for `Q4_K` and `Q5_K` the scale and the minimum, for `Q6_K` the scales of the first and the
    /// last sixteen, 128 too large.
    pub(crate) parts: [[u8; 2]; 8],
}

impl Block {
    /// Reads the bytes of one block of `Q5_0`, `Q5_1`, `Q4_K`, `Q5_K` or `Q6_K`; of the other types nothing but the
    /// first half is read.
    pub(crate) fn read(kind: TensorType, bytes: &[u8]) -> Self {
        let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let mut block = Self { wholes: [0; NUMBERS_MAX], halves: [half(0), 0], parts: [[0; 2]; 8] };
        match kind {
            TensorType::Q5_0 => block.fives(&bytes[2..]),
            TensorType::Q5_1 => {
                block.halves[1] = half(2);
                block.fives(&bytes[4..]);
            }
            TensorType::Q4K | TensorType::Q5K => {
                block.halves[1] = half(2);
                block.six_bit_scales(&bytes[4..16]);
                let (high, low) = bytes[16..].split_at(if kind == TensorType::Q5K { 32 } else { 0 });
                block.nibbles_by_64(low);
                for (at, whole) in block.wholes.iter_mut().enumerate() {
                    let bits = high.get(at % 32).copied().unwrap_or(0);
                    *whole |= (bits >> (at / 32) & 1) << 4;
                }
            }
            TensorType::Q6K => {
                block.halves[0] = half(208);
                block.sixes(&bytes[..192]);
                for (part, scales) in block.parts.iter_mut().zip(bytes[192..208].chunks_exact(2)) {
                    *part = [scales[0] ^ 128, scales[1] ^ 128];
                }
            }
            _ => {}
        }
        block
    }

    /// 32 fifth bits, then nibbles: the low ones are the first sixteen numbers.
    fn fives(&mut self, bytes: &[u8]) {
        let (high, low) = bytes.split_at(4);
        let bit = |at: usize| (high[at / 8] >> (at % 8) & 1) << 4;
        for (at, &byte) in low.iter().enumerate() {
            self.wholes[at] = byte & 15 | bit(at);
            self.wholes[at + 16] = byte >> 4 | bit(at + 16);
        }
    }

    /// Eight scales and eight minima of six bits in twelve bytes.
    fn six_bit_scales(&mut self, bytes: &[u8]) {
        for (at, part) in self.parts.iter_mut().enumerate() {
            *part = if at < 4 {
                [bytes[at] & 63, bytes[at + 4] & 63]
            } else {
                let low = bytes[at + 4];
                [low & 15 | bytes[at - 4] >> 6 << 4, low >> 4 | bytes[at] >> 6 << 4]
            };
        }
    }

    /// Of every 64 numbers the first 32 are the low nibbles of 32 bytes, the others the high ones.
    fn nibbles_by_64(&mut self, bytes: &[u8]) {
        for (numbers, bytes) in self.wholes.chunks_exact_mut(64).zip(bytes.chunks_exact(32)) {
            let (first, last) = numbers.split_at_mut(32);
            for ((first, last), &byte) in first.iter_mut().zip(last).zip(bytes) {
                (*first, *last) = (byte & 15, byte >> 4);
            }
        }
    }

    /// Of every 128 numbers, 64 bytes of nibbles; behind all nibbles, of every 128 numbers 32 bytes of upper pairs.
    fn sixes(&mut self, bytes: &[u8]) {
        let (low, high) = bytes.split_at(128);
        for (at, whole) in self.wholes.iter_mut().enumerate() {
            let (half, quarter, place) = (at / 128, at % 128 / 32, at % 32);
            let byte = low[half * 64 + quarter % 2 * 32 + place];
            let nibble = if quarter < 2 { byte & 15 } else { byte >> 4 };
            *whole = nibble | (high[half * 32 + place] >> (2 * quarter) & 3) << 4;
        }
    }
}
