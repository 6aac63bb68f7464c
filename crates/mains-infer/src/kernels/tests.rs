//! Every kernel on every instruction set that this processor has, against plain sums in 64 bits.

use mains_units::Chance;

use super::plain::Plain;
use super::*;
use crate::gguf::{TensorType, dequantise};
use crate::half;

const KINDS: [TensorType; 11] = [
    TensorType::F32,
    TensorType::F16,
    TensorType::BF16,
    TensorType::Q4_0,
    TensorType::Q4_1,
    TensorType::Q5_0,
    TensorType::Q5_1,
    TensorType::Q8_0,
    TensorType::Q4K,
    TensorType::Q5K,
    TensorType::Q6K,
];

pub(super) fn noise(count: usize, size: f32, chance: &mut Chance) -> Vec<f32> {
    (0..count).map(|_| (chance.unit() as f32 * 2.0 - 1.0) * size).collect()
}

/// Blocks with random contents and sensible scales; all 256 bytes occur, -128 among them.
fn blocks(kind: TensorType, numbers: usize, chance: &mut Chance) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..numbers / usize::try_from(kind.block_numbers()).unwrap() {
        let end = bytes.len() + usize::try_from(kind.block_bytes()).unwrap();
        let float = chance.unit() as f32 * 0.1 - 0.05;
        match kind {
            TensorType::F32 => bytes.extend(float.to_le_bytes()),
            TensorType::Q4_1 | TensorType::Q5_1 => {
                bytes.extend(half::from_f32(float).to_le_bytes());
                bytes.extend(half::from_f32(float * -7.3).to_le_bytes());
            }
            TensorType::Q4K | TensorType::Q5K => {
                bytes.extend(half::from_f32(float).to_le_bytes());
                bytes.extend(half::from_f32(float * 5.3).to_le_bytes());
            }
            // The scale stands at the end.
            TensorType::Q6K => {
                bytes.extend((0..208).map(|_| chance.next_u64() as u8));
                bytes.extend(half::from_f32(float).to_le_bytes());
            }
            TensorType::BF16 => bytes.extend(&float.to_le_bytes()[2..]),
            _ => bytes.extend(half::from_f32(float).to_le_bytes()),
        }
        while bytes.len() < end {
            bytes.push(chance.next_u64() as u8);
        }
    }
    bytes
}

pub(super) fn kernels(threads: usize) -> impl Iterator<Item = Kernels> {
    let sets = InstructionSet::available();
    if !sets.contains(&InstructionSet::Avx512) {
        println!("not on this processor: the AVX-512 kernels");
    }
    sets.into_iter().map(move |set| Kernels::new(threads, Some(set)).unwrap())
}

/// The numbers that quantised activations stand for.
fn restored(activations: &mut Activations, count: usize, columns: usize) -> Vec<f32> {
    let mut numbers = Vec::new();
    for token in 0..count {
        // SAFETY: the activations hold `columns` bytes and a factor per block for each token.
        let (quants, factors) = unsafe {
            (
                std::slice::from_raw_parts(activations.quants(token), columns),
                std::slice::from_raw_parts(activations.factors(token), columns / 32),
            )
        };
        numbers.extend(quants.iter().enumerate().map(|(at, q)| f32::from(*q) * factors[at / 32][0]));
        for (block, [scale, sum]) in factors.iter().enumerate() {
            let exact: i32 = quants[block * 32..][..32].iter().map(|q| i32::from(*q)).sum();
            assert_eq!(activations.sum(token, block), exact);
            assert!((sum - scale * exact as f32).abs() <= 1e-6 * sum.abs().max(1e-20));
        }
    }
    numbers
}

#[test]
fn quantised_activations_are_within_half_a_step() {
    let mut chance = Chance::from_seed(1);
    let mut x = noise(5 * 96, 3.0, &mut chance);
    x[..32].fill(0.0);
    x[40] = 1e-35;
    x[96..128].fill(-1e20);
    for mut kernels in kernels(1) {
        let mut quantised = Activations::default();
        kernels.quantise(&x, 96, &mut quantised);
        let back = restored(&mut quantised, 5, 96);
        for (block, (x, back)) in x.chunks(32).zip(back.chunks(32)).enumerate() {
            let largest = x.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
            for (x, back) in x.iter().zip(back) {
                assert!((x - back).abs() <= largest / 253.0, "{:?} block {block}: {x} {back}", kernels.set());
            }
        }
    }
}

/// Rows and columns that a type can have: whole tiles and a part of one, several blocks.
fn shapes(kind: TensorType) -> [(TensorType, usize, usize); 2] {
    let columns = if kind.block_numbers() == 256 { [256, 768] } else { [96, 576] };
    [(kind, 37, columns[0]), (kind, 16, columns[1])]
}

#[test]
fn products_agree_with_the_dequantised_weights() {
    for (kind, rows, columns) in KINDS.into_iter().flat_map(shapes) {
        let mut chance = Chance::from_seed(rows as u64);
        let bytes = blocks(kind, rows * columns, &mut chance);
        let matrix = Matrix::pack(kind, &bytes, rows, columns, |row| row).unwrap();
        let weights = dequantise(kind, &bytes);
        for row in 0..rows {
            let mut out = vec![0.0; columns];
            matrix.row(row, &mut out);
            assert_eq!(out, weights[row * columns..][..columns], "{kind:?} row {row}");
        }
        for (count, threads) in [(1, 1), (2, 1), (3, 2), (4, 1), (8, 3), (15, 2)] {
            let x = noise(count * columns, 2.0, &mut chance);
            for mut kernels in kernels(threads) {
                let mut quantised = Activations::default();
                kernels.quantise(&x, columns, &mut quantised);
                let exact = matches!(kind, TensorType::F16 | TensorType::BF16 | TensorType::F32);
                let read = if exact { x.clone() } else { restored(&mut quantised, count, columns) };
                let mut out = vec![f32::NAN; count * rows * 2];
                let input = Input { floats: &x, activations: &quantised };
                kernels.multiply(input, &[&matrix, &matrix], &mut out);
                for (at, out) in out.iter().enumerate() {
                    let (token, row) = (at / (2 * rows), at % rows);
                    let pairs = weights[row * columns..][..columns].iter().zip(&read[token * columns..]);
                    let products = pairs.map(|(w, x)| f64::from(*w) * f64::from(*x));
                    let (sum, size) = products.fold((0.0, 0.0), |(s, a), p| (s + p, a + p.abs()));
                    assert!(
                        (f64::from(*out) - sum).abs() <= 2e-6 * size,
                        "{kind:?} {:?} {count} tokens, token {token} row {row}: {out} {sum}",
                        kernels.set()
                    );
                }
            }
        }
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let pack = |rows, columns, bytes: usize| {
        Matrix::pack(TensorType::Q8_0, &vec![0; bytes], rows, columns, |row| row).is_ok()
    };
    assert!(pack(2, 32, 68));
    assert!(!pack(2, 32, 67) && !pack(2, 48, 102) && !pack(0, 32, 0) && !pack(2, 0, 0));
    let outside = Matrix::pack(TensorType::Q8_0, &[0; 68], 2, 32, |row| row + 1);
    assert!(outside.is_err());
}

#[test]
fn norms_and_gates_agree_with_plain_sums() {
    let mut chance = Chance::from_seed(4);
    let (x, weight) = (noise(3 * 64, 4.0, &mut chance), noise(64, 2.0, &mut chance));
    let mut both = noise(3 * 128, 12.0, &mut chance);
    both[0] = 200.0;
    both[1] = -200.0;
    for mut kernels in kernels(2) {
        let (mut out, mut quantised) = (vec![0.0; x.len()], Activations::default());
        kernels.norm(&x, &weight, 1e-5, &mut out, &mut quantised);
        for (x, out) in x.chunks(64).zip(out.chunks(64)) {
            let mean = x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / 64.0;
            for ((x, weight), out) in x.iter().zip(&weight).zip(out) {
                let expected = f64::from(*x) / (mean + 1e-5).sqrt() * f64::from(*weight);
                assert!((f64::from(*out) - expected).abs() <= 1e-6 * expected.abs().max(0.1));
            }
        }
        kernels.gate(&both, 64, &mut out, &mut quantised);
        for (both, out) in both.chunks(128).zip(out.chunks(64)) {
            for ((gate, up), out) in both[..64].iter().zip(&both[64..]).zip(out) {
                let gate = f64::from(*gate);
                let expected = gate / (1.0 + (-gate).exp()) * f64::from(*up);
                let error = (f64::from(*out) - expected).abs();
                assert!(error <= 2e-6 * expected.abs().max(1e-3), "{:?} {gate}: {out}", kernels.set());
            }
        }
    }
}

#[test]
fn attention_agrees_with_plain_sums() {
    // Four heads over two: groups of two, and positions on both sides of a strip of sixteen.
    let shape = Shape { layers: 2, heads: 4, kv_heads: 2, head: 32, context: 60, window: usize::MAX };
    let width = (shape.heads + 2 * shape.kv_heads) * shape.head;
    let mut chance = Chance::from_seed(6);
    let rows = noise(53 * width, 1.5, &mut chance);
    let halved = |x: f32| f64::from(half::to_f32(half::from_f32(x)));
    for (mut kernels, cuts) in
        kernels(2).flat_map(|k| [(k, vec![53])]).chain(kernels(1).map(|k| (k, vec![1, 16, 20, 15, 1])))
    {
        let mut cache = Cache::new(shape).unwrap();
        let mut first = 0;
        for count in cuts {
            let part = &rows[first * width..][..count * width];
            kernels.store(&mut cache, 1, first, part, width);
            let mut out = vec![f32::NAN; count * shape.heads * shape.head];
            let count = part.len() / width;
            kernels.attend(1, &[Part { cache: &cache, first, count }], part, width, &mut out);
            for (at, out) in out.iter().enumerate() {
                let (token, head, place) = (first + at / 128, at / 32 % 4, at % 32);
                let query = &rows[token * width + head * 32..][..32];
                let key = |position: usize| &rows[position * width + 128 + head / 2 * 32..][..32];
                let value = |position: usize| halved(rows[position * width + 192 + head / 2 * 32 + place]);
                let score = |position: usize| {
                    let pairs = query.iter().zip(key(position));
                    pairs.map(|(q, k)| f64::from(*q) * halved(*k)).sum::<f64>() / 32.0_f64.sqrt()
                };
                let weights: Vec<f64> = (0..=token).map(|position| score(position).exp()).collect();
                let sum: f64 = weights.iter().enumerate().map(|(p, weight)| weight * value(p)).sum();
                let expected = sum / weights.iter().sum::<f64>();
                assert!((f64::from(*out) - expected).abs() < 3e-6, "{:?} {token} {head}", kernels.set());
            }
            first += count;
        }
    }
}

#[test]
fn exponentials_are_near_over_the_whole_range() {
    for at in -8700..8800i16 {
        let x = f32::from(at) / 100.0 + 0.003;
        // SAFETY: plain arrays need no instruction set.
        let got = unsafe { lanes::exp::<Plain>([x; 16]) }[0];
        let expected = f64::from(x.clamp(-87.0, 88.0)).exp();
        assert!((f64::from(got) / expected - 1.0).abs() < 3e-7, "{x}: {got} {expected}");
    }
}

#[test]
fn a_failing_piece_of_work_is_heard_and_the_pool_goes_on() {
    let mut pool = Pool::new(3).unwrap();
    let count = std::sync::atomic::AtomicUsize::new(0);
    for round in 1..=200 {
        pool.run(10, &|_, _| {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        });
        assert_eq!(count.load(std::sync::atomic::Ordering::Relaxed), round * 10);
    }
    let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        pool.run(10, &|_, index| assert!(index != 7, "as planned"));
    }));
    assert!(failed.is_err());
    pool.run(10, &|_, _| {
        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(count.load(std::sync::atomic::Ordering::Relaxed), 2010);
}
