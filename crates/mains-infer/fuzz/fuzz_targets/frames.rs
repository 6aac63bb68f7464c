//! Any bytes as frames of the worker protocol, from either side.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mains_infer::worker::{Frames, FromWorker, ToWorker};

fuzz_target!(|bytes: &[u8]| {
    let mut frames = Frames::<ToWorker>::default();
    for piece in bytes.chunks(7) {
        frames.push(piece);
        while let Ok(Some(_)) = frames.take() {}
    }
    let mut frames = Frames::<FromWorker>::default();
    frames.push(bytes);
    while let Ok(Some(_)) = frames.take() {}
});
