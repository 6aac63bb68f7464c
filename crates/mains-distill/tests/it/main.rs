//! The labeller through its public face.

mod labeller;
mod training;
