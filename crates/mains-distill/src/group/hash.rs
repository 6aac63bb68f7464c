//! Hashes for grouping and for seeds: fast and the same everywhere. Never against somebody who means harm.

/// Scatters 64 bits (the finaliser of SplitMix64).
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The hash of some characters.
pub(super) fn characters(run: &[char]) -> u64 {
    run.iter().fold(0, |hash, character| mix(hash ^ u64::from(u32::from(*character))))
}
