<<<<<<< HEAD
//! Integration tests of the certificate, the watch, grouping and discovery.

#![cfg(test)]

mod certificate;
mod group;
mod split;
mod tails;
mod task;
mod watch;
=======
//! The labeller through its public face.

mod labeller;
mod training;
>>>>>>> heads
