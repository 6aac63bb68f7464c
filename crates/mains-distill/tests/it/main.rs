//! Labellers, their certificates, the watch, grouping and discovery, through the public face.

#![cfg(test)]

mod certificate;
mod group;
mod labeller;
mod recorded;
mod routing;
mod split;
mod tails;
mod task;
mod trained;
mod training;
mod watch;
mod wire;
