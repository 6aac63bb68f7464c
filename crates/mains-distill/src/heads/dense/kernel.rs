//! Products of a tile of rows with a panel of columns.
//!
//! Columns come in panels of `LANES`, rows in tiles of `TILE`. Each sum goes over its terms in their order with a
//! fused multiply-add, so that its bits do not depend on how many lanes the processor has.

use pulp::Simd;

/// Columns of a panel.
pub(super) const LANES: usize = 16;
/// Rows of a tile: with `LANES`, as many sums as registers hold.
pub(super) const TILE: usize = 6;

/// Numbers below have the exponential zero.
const LEAST: f32 = -60.0;

/// One row of a panel.
pub(super) type Lanes = [f32; LANES];
/// One column of a tile.
pub(super) type Column = [f32; TILE];

/// Adds to each sum the products of `left[k][row]` and `right[k][lane]` over all k.
#[inline(always)]
#[expect(clippy::inline_always, reason = "only what is inlined uses the wide instructions")]
pub(super) fn product<'a, S: Simd>(
    simd: S,
    left: impl Iterator<Item = &'a Column>,
    right: &[Lanes],
    sums: &mut [Lanes; TILE],
) {
    match S::F32_LANES {
        16 => wide::<S, 1>(simd, left, right, sums),
        8 => wide::<S, 2>(simd, left, right, sums),
        4 => wide::<S, 4>(simd, left, right, sums),
        _ => narrow(left, right, sums),
    }
}

/// The product with `WORDS` registers to a row of the panel.
#[inline(always)]
#[expect(clippy::inline_always, reason = "only what is inlined uses the wide instructions")]
fn wide<'a, S: Simd, const WORDS: usize>(
    simd: S,
    left: impl Iterator<Item = &'a Column>,
    right: &[Lanes],
    sums: &mut [Lanes; TILE],
) {
    let right = S::as_simd_f32s(right.as_flattened()).0.as_chunks::<WORDS>().0;
    let sums = S::as_mut_simd_f32s(sums.as_flattened_mut()).0.as_chunks_mut::<WORDS>().0;
    let mut local = [[simd.splat_f32s(0.0); WORDS]; TILE];
    local.copy_from_slice(&sums[..TILE]);
    for (column, lanes) in left.zip(right) {
        for row in 0..TILE {
            let value = simd.splat_f32s(column[row]);
            for word in 0..WORDS {
                local[row][word] = simd.mul_add_f32s(value, lanes[word], local[row][word]);
            }
        }
    }
    sums[..TILE].copy_from_slice(&local);
}

/// The product where no wide instructions are.
fn narrow<'a>(left: impl Iterator<Item = &'a Column>, right: &[Lanes], sums: &mut [Lanes; TILE]) {
    for (column, lanes) in left.zip(right) {
        for row in 0..TILE {
            for lane in 0..LANES {
                sums[row][lane] = column[row].mul_add(lanes[lane], sums[row][lane]);
            }
        }
    }
}

/// Adds to each sum the products of a row's values with a panel, in the order of `product`.
///
/// A type and not a closure: `dispatch` does not inline closures, and only what is inlined uses the wide instructions.
pub(super) struct Row<'a> {
    pub(super) values: &'a [f32],
    pub(super) panel: &'a [Lanes],
    pub(super) sums: &'a mut Lanes,
}

impl pulp::WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "only what is inlined uses the wide instructions")]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let mut local = *self.sums;
        for (value, lanes) in self.values.iter().zip(self.panel) {
            for lane in 0..LANES {
                local[lane] = value.mul_add(lanes[lane], local[lane]);
            }
        }
        *self.sums = local;
    }
}

/// e to the power of each, for numbers from `LEAST` to 0, to about 2e-7 relative; zero for what is lower. Not a tiny
/// number: products with those fall below the smallest normal one, and a processor takes a hundred times as long.
#[inline(always)]
pub(super) fn exp(lanes: &mut Lanes) {
    /// Added to a small number it leaves the nearest whole number in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    for x in lanes {
        let y = x.max(LEAST);
        let shifted = y.mul_add(std::f32::consts::LOG2_E, ROUND);
        let whole = shifted - ROUND;
        let rest = whole.mul_add(-0.693_145_75, y);
        let rest = whole.mul_add(-1.428_606_8e-6, rest);
        let mut series = 1.0 / 720.0;
        for term in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
            series = rest.mul_add(series, term);
        }
        let power = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
        *x = if *x < LEAST { 0.0 } else { series * f32::from_bits(power) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_that_of_the_standard_library() {
        for k in 0..6000u16 {
            let x = -f32::from(k) / 100.0;
            let mut lanes = [x; LANES];
            exp(&mut lanes);
            let truth = f64::from(x).exp();
            assert!((f64::from(lanes[3]) - truth).abs() <= 4e-7 * truth, "{x}: {} {truth}", lanes[3]);
        }
        let mut lanes = [-60.1; LANES];
        exp(&mut lanes);
        assert_eq!(lanes.map(f32::to_bits), [0; LANES]);
    }

    struct Both<'a>(&'a [Column], &'a [Lanes], &'a mut [Lanes; TILE]);

    impl pulp::WithSimd for Both<'_> {
        type Output = ();

        #[inline(always)]
        #[expect(clippy::inline_always, reason = "only what is inlined uses the wide instructions")]
        fn with_simd<S: Simd>(self, simd: S) {
            product(simd, self.0.iter(), self.1, self.2);
        }
    }

    #[test]
    fn wide_and_narrow_instructions_give_the_same_bits() {
        let values: Vec<f32> = (0..50u8).map(|k| f32::from(k) / 7.0).collect();
        let left: Vec<Column> = values.iter().map(|value| [*value; TILE]).collect();
        let right: Vec<Lanes> = (0..50u8).map(|k| [1.0 / (f32::from(k) + 3.0); LANES]).collect();
        let (mut wide, mut plain, mut row) = ([[0.1; LANES]; TILE], [[0.1; LANES]; TILE], [0.1; LANES]);
        pulp::Arch::new().dispatch(Both(&left, &right, &mut wide));
        narrow(left.iter(), &right, &mut plain);
        pulp::Arch::new().dispatch(Row { values: &values, panel: &right, sums: &mut row });
        for tile in 0..TILE {
            assert_eq!(wide[tile].map(f32::to_bits), plain[tile].map(f32::to_bits));
            assert_eq!(row.map(f32::to_bits), plain[tile].map(f32::to_bits));
        }
    }
}
