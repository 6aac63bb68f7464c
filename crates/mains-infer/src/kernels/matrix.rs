//! Weights in tiles of sixteen rows, and their product with activations.
//!
//! In the file a row's blocks follow each other, so sixteen rows need sixteen streams and a sum across a
//! register at the end of each. In a tile the sixteen rows stand side by side: one stream, and every
//! lane of a register is a row. A block of a tile is, for nibbles, four lines of 64 bytes (byte
//! `row * 4 + j` of line `g` holds column `4 g + j` low and column `16 + 4 g + j` high); for signed bytes
//! eight lines (column `4 g + j`); for floats, one line of sixteen per column.

use super::activations::Activations;
use super::lanes::Lanes;
use crate::gguf::TensorType;
use crate::{Error, half};

/// Rows in a tile.
pub(super) const TILE: usize = 16;
/// Columns in a block.
pub(super) const BLOCK: usize = 32;

/// How far ahead of its use a weight is asked for when one token goes through: the processor's own
/// prefetching stops at the end of each page of 4 KiB.
const AHEAD: usize = 4096;

/// Bytes that begin at a cache line, so that no load crosses two.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// A matrix of weights, packed into tiles.
pub(crate) struct Matrix {
    pub(super) rows: usize,
    pub(super) columns: usize,
    kind: TensorType,
    lines: Vec<Line>,
    /// Per block of a tile: sixteen scales, then for Q4_1 sixteen minima, as 16-bit floats.
    scales: Vec<u16>,
}

impl Matrix {
    /// Packs the bytes of a tensor. `source_row` says which row of the tensor becomes a row here.
    pub(crate) fn pack(
        kind: TensorType,
        bytes: &[u8],
        rows: usize,
        columns: usize,
        source_row: impl Fn(usize) -> usize,
    ) -> Result<Self, Error> {
        let block_bytes = usize::try_from(kind.block_bytes()).unwrap_or(usize::MAX);
        let block_numbers = usize::try_from(kind.block_numbers()).unwrap_or(usize::MAX);
        let row_bytes = columns / block_numbers * block_bytes;
        if !columns.is_multiple_of(BLOCK) || columns == 0 || rows == 0 || row_bytes * rows != bytes.len() {
            return Err(Error::unsupported(format!(
                "a matrix of {rows} rows and {columns} columns is not read here: columns go by {BLOCK}"
            )));
        }
        let mut packer = Packer::new(kind, rows.div_ceil(TILE), columns);
        for row in 0..rows {
            let start = source_row(row) * row_bytes;
            let source = bytes
                .get(start..start + row_bytes)
                .ok_or_else(|| Error::file("a row of weights lies outside its tensor"))?;
            packer.row(row, source);
        }
        Ok(Self { rows, columns, kind, lines: packer.lines, scales: packer.scales })
    }

    /// The number of rows: outputs of a product.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The length of a row: inputs of a product.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// The bytes that the packed weights take.
    pub(crate) fn bytes(&self) -> usize {
        self.lines.len() * 64 + self.scales.len() * 2
    }

    pub(super) fn tiles(&self) -> usize {
        self.rows.div_ceil(TILE)
    }

    /// Lines of a tile.
    fn tile_lines(&self) -> usize {
        tile_lines(self.kind, self.columns)
    }

    /// Scales of a tile.
    fn tile_scales(&self) -> usize {
        self.columns / BLOCK * scales_per_block(self.kind)
    }

    /// The numbers that one row stands for: an embedding.
    pub(crate) fn row(&self, row: usize, out: &mut [f32]) {
        let lines = &self.lines[row / TILE * self.tile_lines()..][..self.tile_lines()];
        let scales = &self.scales[row / TILE * self.tile_scales()..][..self.tile_scales()];
        let lane = row % TILE;
        let byte = |line: usize, j: usize| lines[line].0[lane * 4 + j];
        for (column, out) in out.iter_mut().enumerate().take(self.columns) {
            let (block, within) = (column / BLOCK, column % BLOCK);
            let scale =
                |at: usize| half::to_f32(scales[block * scales_per_block(self.kind) + at * TILE + lane]);
            let nibble = || {
                let byte = byte(block * 4 + within % 16 / 4, within % 4);
                f32::from(if within < 16 { byte & 15 } else { byte >> 4 })
            };
            *out = match self.kind {
                TensorType::Q4_0 => scale(0) * (nibble() - 8.0),
                TensorType::Q4_1 => scale(0) * nibble() + scale(1),
                TensorType::Q8_0 => {
                    scale(0) * f32::from(byte(block * 8 + within / 4, within % 4).cast_signed())
                }
                TensorType::F16 => {
                    let at = column % 2 * 32 + lane * 2;
                    let bytes = &lines[column / 2].0;
                    half::to_f32(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
                }
                TensorType::F32 => {
                    let bytes = &lines[column].0[lane * 4..];
                    f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
                }
            };
        }
    }

    /// The products of one tile with all activations: sixteen outputs per token, written at
    /// `out[token * width + tile * 16 ..]`.
    ///
    /// # Safety
    /// `L` must be an instruction set that is enabled here; `out` must be valid for the tile's outputs of
    /// every token and written by nobody else; `tile` must exist and the activations must have this
    /// matrix's columns.
    #[inline(always)]
    pub(super) unsafe fn tile<L: Lanes>(&self, tile: usize, input: Input<'_>, out: *mut f32, width: usize) {
        let places = Places {
            lines: self.lines[tile * self.tile_lines()..][..self.tile_lines()].as_ptr().cast(),
            scales: self.scales[tile * self.tile_scales()..][..self.tile_scales()].as_ptr(),
            blocks: self.columns / BLOCK,
            stride: width,
            rows: (self.rows - tile * TILE).min(TILE),
        };
        let mut token = 0;
        let count = input.activations.count();
        // SAFETY: handed on; `token + T <= count` keeps every panel inside the activations and outputs.
        unsafe {
            let out = out.add(tile * TILE);
            while token < count {
                let left = count - token;
                let out = out.add(token * width);
                token += if left >= 8 && L::PANEL >= 8 {
                    self.panel::<L, 8>(&places, input, token, out)
                } else if left >= 4 {
                    self.panel::<L, 4>(&places, input, token, out)
                } else if left >= 2 {
                    self.panel::<L, 2>(&places, input, token, out)
                } else {
                    self.panel::<L, 1>(&places, input, token, out)
                };
            }
        }
    }

    #[inline(always)]
    unsafe fn panel<L: Lanes, const T: usize>(
        &self,
        places: &Places,
        input: Input<'_>,
        token: usize,
        out: *mut f32,
    ) -> usize {
        // SAFETY: handed on.
        unsafe {
            let total = match self.kind {
                TensorType::Q4_0 => nibbles::<L, T, false>(places, input.activations, token),
                TensorType::Q4_1 => nibbles::<L, T, true>(places, input.activations, token),
                TensorType::Q8_0 => wholes::<L, T>(places, input.activations, token),
                TensorType::F16 => floats::<L, T, true>(places, input.floats, token),
                TensorType::F32 => floats::<L, T, false>(places, input.floats, token),
            };
            for (t, &total) in total.iter().enumerate() {
                let out = out.add(t * places.stride);
                if places.rows == TILE {
                    L::store(out, total);
                } else {
                    let mut rows = [0.0; TILE];
                    L::store(rows.as_mut_ptr(), total);
                    out.copy_from_nonoverlapping(rows.as_ptr(), places.rows);
                }
            }
        }
        T
    }
}

/// What a product reads: floats, and the same numbers quantised.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a> {
    /// `count * columns` floats, token after token.
    pub(crate) floats: &'a [f32],
    /// The same, quantised.
    pub(crate) activations: &'a Activations,
}

/// Where a tile lies.
struct Places {
    lines: *const u8,
    scales: *const u16,
    blocks: usize,
    stride: usize,
    rows: usize,
}

#[inline(always)]
unsafe fn nibbles<L: Lanes, const T: usize, const MINIMA: bool>(
    places: &Places,
    activations: &Activations,
    token: usize,
) -> [L::Floats; T] {
    // SAFETY: the pointers cover `blocks` blocks of the tile and of each of the `T` tokens.
    unsafe {
        let mut total = [L::splat(0.0); T];
        let quants: [*const i8; T] = std::array::from_fn(|t| activations.quants(token + t));
        let factors: [*const [f32; 2]; T] = std::array::from_fn(|t| activations.factors(token + t));
        for block in 0..places.blocks {
            let lines = places.lines.add(block * 256);
            let mut sums = [L::nibbles_zero(); T];
            for group in 0..4 {
                if T == 1 {
                    L::prefetch(lines.wrapping_add(group * 64 + AHEAD));
                }
                let bytes = L::load_bytes(lines.add(group * 64));
                let (low, high) = (L::low_nibbles(bytes), L::high_nibbles(bytes));
                for t in 0..T {
                    let quads = quants[t].add(block * BLOCK + group * 4);
                    sums[t] = L::nibbles_step(sums[t], low, quads);
                    sums[t] = L::nibbles_step(sums[t], high, quads.add(16));
                }
            }
            let scales = places.scales.add(block * if MINIMA { 2 * TILE } else { TILE });
            let scale = L::load_half(scales);
            // Without minima every nibble stands eight too high.
            let minimum = if MINIMA { L::load_half(scales.add(TILE)) } else { L::mul(scale, L::splat(-8.0)) };
            for t in 0..T {
                let [factor, sum] = *factors[t].add(block);
                let dot = L::mul(L::nibbles_floats(sums[t]), L::splat(factor));
                total[t] = L::fma(dot, scale, total[t]);
                total[t] = L::fma(minimum, L::splat(sum), total[t]);
            }
        }
        total
    }
}

#[inline(always)]
unsafe fn wholes<L: Lanes, const T: usize>(
    places: &Places,
    activations: &Activations,
    token: usize,
) -> [L::Floats; T] {
    // SAFETY: the pointers cover `blocks` blocks of the tile and of each of the `T` tokens.
    unsafe {
        let mut total = [L::splat(0.0); T];
        let quants: [*const i8; T] = std::array::from_fn(|t| activations.quants(token + t));
        let factors: [*const [f32; 2]; T] = std::array::from_fn(|t| activations.factors(token + t));
        for block in 0..places.blocks {
            let lines = places.lines.add(block * 512);
            let mut sums = [L::wholes_zero(0); T];
            for (t, sum) in sums.iter_mut().enumerate() {
                *sum = L::wholes_zero(activations.sum(token + t, block));
            }
            for group in 0..8 {
                if T == 1 {
                    L::prefetch(lines.wrapping_add(group * 64 + AHEAD));
                }
                let bytes = L::load_bytes(lines.add(group * 64));
                for t in 0..T {
                    sums[t] = L::wholes_step(sums[t], bytes, quants[t].add(block * BLOCK + group * 4));
                }
            }
            let scale = L::load_half(places.scales.add(block * TILE));
            for t in 0..T {
                let [factor, _] = *factors[t].add(block);
                let dot = L::mul(L::wholes_floats(sums[t]), L::splat(factor));
                total[t] = L::fma(dot, scale, total[t]);
            }
        }
        total
    }
}

#[inline(always)]
unsafe fn floats<L: Lanes, const T: usize, const HALF: bool>(
    places: &Places,
    input: &[f32],
    token: usize,
) -> [L::Floats; T] {
    let columns = places.blocks * BLOCK;
    let input: [&[f32]; T] = std::array::from_fn(|t| &input[(token + t) * columns..][..columns]);
    // SAFETY: the pointers cover `columns` lines of sixteen weights.
    unsafe {
        let mut total = [L::splat(0.0); T];
        for column in 0..columns {
            let weights = if HALF {
                L::load_half(places.lines.cast::<u16>().add(column * TILE))
            } else {
                L::load(places.lines.cast::<f32>().add(column * TILE))
            };
            for t in 0..T {
                total[t] = L::fma(L::splat(*input[t].get_unchecked(column)), weights, total[t]);
            }
        }
        total
    }
}

fn scales_per_block(kind: TensorType) -> usize {
    match kind {
        TensorType::Q4_0 | TensorType::Q8_0 => TILE,
        TensorType::Q4_1 => 2 * TILE,
        TensorType::F16 | TensorType::F32 => 0,
    }
}

fn tile_lines(kind: TensorType, columns: usize) -> usize {
    match kind {
        TensorType::Q4_0 | TensorType::Q4_1 => columns / BLOCK * 4,
        TensorType::Q8_0 => columns / BLOCK * 8,
        TensorType::F16 => columns / 2,
        TensorType::F32 => columns,
    }
}

/// Fills the tiles row by row.
struct Packer {
    kind: TensorType,
    columns: usize,
    lines: Vec<Line>,
    scales: Vec<u16>,
}

impl Packer {
    fn new(kind: TensorType, tiles: usize, columns: usize) -> Self {
        Self {
            kind,
            columns,
            lines: vec![Line([0; 64]); tiles * tile_lines(kind, columns)],
            scales: vec![0; tiles * (columns / BLOCK) * scales_per_block(kind)],
        }
    }

    fn row(&mut self, row: usize, source: &[u8]) {
        let (tile, lane) = (row / TILE, row % TILE);
        let tile_lines = tile_lines(self.kind, self.columns);
        let lines = &mut self.lines[tile * tile_lines..][..tile_lines];
        let per_block = scales_per_block(self.kind);
        let tile_scales = self.columns / BLOCK * per_block;
        let scales = &mut self.scales[tile * tile_scales..][..tile_scales];
        let block_bytes = usize::try_from(self.kind.block_bytes()).unwrap_or(usize::MAX);
        for (block, bytes) in source.chunks_exact(block_bytes).enumerate() {
            let half_at = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
            let (quants, lines_per_block) = match self.kind {
                TensorType::F32 => {
                    lines[block].0[lane * 4..][..4].copy_from_slice(bytes);
                    continue;
                }
                TensorType::F16 => {
                    lines[block / 2].0[block % 2 * 32 + lane * 2..][..2].copy_from_slice(bytes);
                    continue;
                }
                TensorType::Q4_0 => (&bytes[2..], 4),
                TensorType::Q4_1 => {
                    scales[block * per_block + TILE + lane] = half_at(2);
                    (&bytes[4..], 4)
                }
                TensorType::Q8_0 => (&bytes[2..], 8),
            };
            scales[block * per_block + lane] = half_at(0);
            for (group, quad) in quants.chunks_exact(4).enumerate() {
                lines[block * lines_per_block + group].0[lane * 4..][..4].copy_from_slice(quad);
            }
        }
    }
}
