//! The engine from outside, on small models made here from random weights; and, where the weights of a
//! known model are at hand, on those.
#![cfg(test)]

mod architectures;
mod batch;
mod encoder;
mod engine;
mod hostile;
mod safetensors;
mod small;
mod small_encoder;
mod weights;
mod worker;
