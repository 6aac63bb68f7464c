//! Integration tests of grading, statistics and reports.

#![cfg(test)]

mod canary;
mod golden;
mod grade;
mod judge;
mod recorded;
mod report;
mod sample;
mod schema;
mod stats;
mod verdict;
