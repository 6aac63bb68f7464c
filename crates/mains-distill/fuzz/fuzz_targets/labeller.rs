//! Any bytes as a labeller file, as they are and with their hashes made right: refused or used, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mains_distill::labeller::{Labeller, rehash, signed};

fuzz_target!(|bytes: &[u8]| {
    let _ = signed(bytes);
    let mut forged = bytes.to_vec();
    rehash(&mut forged);
    for file in [bytes, forged.as_slice()] {
        if let Ok(labeller) = Labeller::parse(file) {
            let dim = labeller.dense.as_ref().map_or(1, |dense| dense.head.dim());
            let _ = labeller.label("where is my card?", Some(&vec![0.5; dim]));
        }
    }
});
