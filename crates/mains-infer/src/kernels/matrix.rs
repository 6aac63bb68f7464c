//! Weights in tiles of sixteen rows, and their product with activations.
//!
//! In the file a row's blocks follow each other, so sixteen rows need sixteen streams and a sum across a
//! register at the end of each. In a tile the sixteen rows stand side by side: one stream, and every
//! lane of a register is a row. `packing` says how a block of a tile lies, `products` reads it.

use super::activations::Activations;
use super::lanes::Lanes;
use super::packing::{Lane, Line, Packer, tile_lines, tile_scales};
use super::products::{self, Affine, Centred, Grouped, Places};
use crate::Error;
use crate::gguf::TensorType;

/// Rows in a tile.
pub(super) const TILE: usize = 16;
/// Columns in a block.
pub(super) const BLOCK: usize = 32;

/// A matrix of weights, packed into tiles.
pub(crate) struct Matrix {
    pub(super) rows: usize,
    pub(super) columns: usize,
    kind: TensorType,
    lines: Vec<Line>,
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
        tile_scales(self.kind, self.columns)
    }

    /// The numbers that one row stands for: an embedding.
    pub(crate) fn row(&self, row: usize, out: &mut [f32]) {
        let lines = &self.lines[row / TILE * self.tile_lines()..][..self.tile_lines()];
        let scales = &self.scales[row / TILE * self.tile_scales()..][..self.tile_scales()];
        let lane = Lane { kind: self.kind, lines, scales, place: row % TILE };
        for (column, out) in out.iter_mut().enumerate().take(self.columns) {
            *out = lane.number(column);
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
                TensorType::Q4_0 => products::fours::<L, T, Centred<8>>(places, input.activations, token),
                TensorType::Q4_1 => products::fours::<L, T, Affine>(places, input.activations, token),
                TensorType::Q4K => products::fours::<L, T, Grouped>(places, input.activations, token),
                TensorType::Q5_0 => products::fives::<L, T, Centred<16>>(places, input.activations, token),
                TensorType::Q5_1 => products::fives::<L, T, Affine>(places, input.activations, token),
                TensorType::Q5K => products::fives::<L, T, Grouped>(places, input.activations, token),
                TensorType::Q6K => products::sixes::<L, T>(places, input.activations, token),
                TensorType::Q8_0 => products::wholes::<L, T>(places, input.activations, token),
                TensorType::F16 => products::floats::<L, T, { products::HALF }>(places, input.floats, token),
                TensorType::BF16 => {
                    products::floats::<L, T, { products::UPPER }>(places, input.floats, token)
                }
                TensorType::F32 => products::floats::<L, T, { products::FULL }>(places, input.floats, token),
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
