//! The engine from outside, on small models made here from random weights; and, where the weights of a
//! known model are at hand, on those.

mod engine;
mod hostile;
mod small;
mod weights;
mod worker;
