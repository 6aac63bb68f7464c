//! The store as the outlet uses it.

#![cfg(test)]

mod db;
mod log;
mod vault;
