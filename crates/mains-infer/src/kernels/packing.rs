//! How weights lie in a tile of sixteen rows.
//!
//! A block of 32 columns is, for nibbles, four lines of 64 bytes: byte `row * 4 + j` of line `g` holds column `4 g + j`
//! low and column `16 + 4 g + j` high. A fifth and a sixth bit are a line each: the same byte holds in bit `g` that of
//! column `4 g + j`, in bit `4 + g` that of column `16 + 4 g + j`. For signed bytes it is eight lines (column
//! `4 g + j`); for floats, one line of sixteen, or half a line, per column.
//!
//! Scales are 16-bit numbers, sixteen side by side. Per block: the scale, then the minimum if there is one. Where
//! eight blocks share floats: those first, then for each block pairs of bytes.

use super::matrix::{BLOCK, TILE};
use crate::gguf::{Block, TensorType};
use crate::half;

/// Scales of eight blocks of `Q4_K` and `Q5_K`: two floats, eight pairs, for sixteen rows.
pub(super) const GROUPED_SCALES: usize = 10 * TILE;
/// Scales of eight blocks of `Q6_K`: one float, eight pairs.
pub(super) const SIXES_SCALES: usize = 9 * TILE;

/// Bytes that begin at a cache line, so that no load crosses two.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [u8; 64]);

/// Lines of a tile.
pub(super) fn tile_lines(kind: TensorType, columns: usize) -> usize {
    match kind {
        TensorType::F16 | TensorType::BF16 => columns / 2,
        TensorType::F32 => columns,
        _ => columns / BLOCK * block_lines(kind),
    }
}

/// Lines of a block of whole numbers: half a line per bit, and whole ones for what is over a nibble.
fn block_lines(kind: TensorType) -> usize {
    match kind {
        TensorType::Q4_0 | TensorType::Q4_1 | TensorType::Q4K => 4,
        TensorType::Q5_0 | TensorType::Q5_1 | TensorType::Q5K => 5,
        TensorType::Q6K => 6,
        TensorType::Q8_0 => 8,
        TensorType::F32 | TensorType::F16 | TensorType::BF16 => 0,
    }
}

/// Scales of a tile.
pub(super) fn tile_scales(kind: TensorType, columns: usize) -> usize {
    match kind {
        TensorType::F32 | TensorType::F16 | TensorType::BF16 => 0,
        TensorType::Q4_0 | TensorType::Q5_0 | TensorType::Q8_0 => columns / BLOCK * TILE,
        TensorType::Q4_1 | TensorType::Q5_1 => columns / BLOCK * 2 * TILE,
        TensorType::Q4K | TensorType::Q5K => columns / BLOCK / 8 * GROUPED_SCALES,
        TensorType::Q6K => columns / BLOCK / 8 * SIXES_SCALES,
    }
}

/// One row of a tile.
pub(super) struct Lane<'a> {
    pub(super) kind: TensorType,
    pub(super) lines: &'a [Line],
    pub(super) scales: &'a [u16],
    pub(super) place: usize,
}

impl Lane<'_> {
    /// The number that a column stands for, rounded as `gguf::dequantise` does.
    pub(super) fn number(&self, column: usize) -> f32 {
        let block = column / BLOCK;
        match self.kind {
            TensorType::Q4_0 => self.half(block) * (self.whole(column) - 8.0),
            TensorType::Q5_0 => self.half(block) * (self.whole(column) - 16.0),
            TensorType::Q4_1 | TensorType::Q5_1 => {
                self.half(2 * block) * self.whole(column) + self.half(2 * block + 1)
            }
            TensorType::Q4K | TensorType::Q5K => {
                let over = block / 8 * (GROUPED_SCALES / TILE);
                let [scale, minimum] = self.pair(over + 2 + block % 8);
                self.half(over) * scale * self.whole(column) - self.half(over + 1) * minimum
            }
            TensorType::Q6K => {
                let over = block / 8 * (SIXES_SCALES / TILE);
                let part = self.pair(over + 1 + block % 8)[column % BLOCK / 16];
                self.half(over) * (part - 128.0) * (self.whole(column) - 32.0)
            }
            TensorType::Q8_0 => {
                let byte = self.byte(block * 8 + column % BLOCK / 4, column % 4);
                self.half(block) * f32::from(byte.cast_signed())
            }
            TensorType::F16 => half::to_f32(self.sixteen_bits(column)),
            TensorType::BF16 => f32::from_bits(u32::from(self.sixteen_bits(column)) << 16),
            TensorType::F32 => {
                let bytes = &self.lines[column].0[self.place * 4..];
                f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
            }
        }
    }

    fn byte(&self, line: usize, j: usize) -> u8 {
        self.lines[line].0[self.place * 4 + j]
    }

    fn scale(&self, at: usize) -> u16 {
        self.scales[at * TILE + self.place]
    }

    fn half(&self, at: usize) -> f32 {
        half::to_f32(self.scale(at))
    }

    fn pair(&self, at: usize) -> [f32; 2] {
        self.scale(at).to_le_bytes().map(f32::from)
    }

    fn sixteen_bits(&self, column: usize) -> u16 {
        let at = column % 2 * 32 + self.place * 2;
        let bytes = &self.lines[column / 2].0;
        u16::from_le_bytes([bytes[at], bytes[at + 1]])
    }

    /// The stored whole number of four to six bits.
    fn whole(&self, column: usize) -> f32 {
        let per_block = block_lines(self.kind);
        let first = column / BLOCK * per_block;
        let (group, j, upper) = (column % 16 / 4, column % 4, column % BLOCK / 16);
        let mut whole = self.byte(first + group, j) >> (4 * upper) & 15;
        for extra in 4..per_block {
            whole |= (self.byte(first + extra, j) >> (group + 4 * upper) & 1) << extra;
        }
        f32::from(whole)
    }
}

/// Fills the tiles row by row.
pub(super) struct Packer {
    kind: TensorType,
    columns: usize,
    pub(super) lines: Vec<Line>,
    pub(super) scales: Vec<u16>,
}

impl Packer {
    pub(super) fn new(kind: TensorType, tiles: usize, columns: usize) -> Self {
        Self {
            kind,
            columns,
            lines: vec![Line([0; 64]); tiles * tile_lines(kind, columns)],
            scales: vec![0; tiles * tile_scales(kind, columns)],
        }
    }

    pub(super) fn row(&mut self, row: usize, source: &[u8]) {
        let (tile, lane) = (row / TILE, row % TILE);
        let tile_lines = tile_lines(self.kind, self.columns);
        let lines = &mut self.lines[tile * tile_lines..][..tile_lines];
        let tile_scales = tile_scales(self.kind, self.columns);
        let scales = &mut self.scales[tile * tile_scales..][..tile_scales];
        let block_bytes = usize::try_from(self.kind.block_bytes()).unwrap_or(usize::MAX);
        for (block, bytes) in source.chunks_exact(block_bytes).enumerate() {
            let half_at = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
            match self.kind {
                TensorType::F32 => lines[block].0[lane * 4..][..4].copy_from_slice(bytes),
                TensorType::F16 | TensorType::BF16 => {
                    lines[block / 2].0[block % 2 * 32 + lane * 2..][..2].copy_from_slice(bytes);
                }
                TensorType::Q4_0 => {
                    scales[block * TILE + lane] = half_at(0);
                    quads(&mut lines[block * 4..], lane, &bytes[2..]);
                }
                TensorType::Q4_1 => {
                    scales[block * 2 * TILE + lane] = half_at(0);
                    scales[(block * 2 + 1) * TILE + lane] = half_at(2);
                    quads(&mut lines[block * 4..], lane, &bytes[4..]);
                }
                TensorType::Q8_0 => {
                    scales[block * TILE + lane] = half_at(0);
                    quads(&mut lines[block * 8..], lane, &bytes[2..]);
                }
                _ => compressed(self.kind, block, lane, bytes, lines, scales),
            }
        }
    }
}

/// Bytes whose order is already that of a tile.
fn quads(lines: &mut [Line], lane: usize, bytes: &[u8]) {
    for (line, quad) in lines.iter_mut().zip(bytes.chunks_exact(4)) {
        line.0[lane * 4..][..4].copy_from_slice(quad);
    }
}

/// A block of the types that are taken apart first. `block` counts blocks of the type.
fn compressed(
    kind: TensorType,
    block: usize,
    lane: usize,
    bytes: &[u8],
    lines: &mut [Line],
    scales: &mut [u16],
) {
    let read = Block::read(kind, bytes);
    let numbers = usize::try_from(kind.block_numbers()).unwrap_or(0);
    let mut next = block * (tile_scales(kind, numbers) / TILE);
    let mut put = |value: u16| {
        scales[next * TILE + lane] = value;
        next += 1;
    };
    put(read.halves[0]);
    if !matches!(kind, TensorType::Q5_0 | TensorType::Q6K) {
        put(read.halves[1]);
    }
    if matches!(kind, TensorType::Q4K | TensorType::Q5K | TensorType::Q6K) {
        read.parts.iter().for_each(|&part| put(u16::from_le_bytes(part)));
    }
    let per_block = block_lines(kind);
    let lines = &mut lines[block * (numbers / BLOCK) * per_block..];
    for (lines, wholes) in lines.chunks_exact_mut(per_block).zip(read.wholes[..numbers].chunks_exact(BLOCK)) {
        for (column, &whole) in wholes.iter().enumerate() {
            let (group, at, upper) = (column % 16 / 4, lane * 4 + column % 4, column / 16);
            lines[group].0[at] |= (whole & 15) << (4 * upper);
            for (line, extra) in lines[4..].iter_mut().zip(4..) {
                line.0[at] |= (whole >> extra & 1) << (group + 4 * upper);
            }
        }
    }
}
