//! The engine from outside, on small models made here from random weights; and, where the weights of a
//! known model are at hand, on those.
#![cfg(test)]

mod engine;
mod hostile;
mod small;
mod weights;
mod worker;
