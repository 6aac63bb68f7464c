//! Grades a replacement model against recorded answers and decides, with an interval.
//!
//! Read `grade` (is this answer the same as that one, by kind of answer), `sample` (which records are asked,
//! how many are needed and what that costs, before anything is sent), `stats` (what the outcomes prove, at
//! any moment), `verdict` (the question, and the answer to it), then `report` (all of it as one value that a
//! stranger can compute again). After the test comes `canary`: a switch in steps that rolls itself back.
//!
//! Never: sending a request, a score without an interval. No clock, file, network or randomness either:
//! answers, prices and seeds are passed in.

pub mod canary;
pub mod grade;
pub mod report;
pub mod sample;
pub mod stats;
pub mod verdict;

pub use grade::{Grade, Grader, NotGradable, Said};
pub use report::Report;
pub use verdict::{Course, Evidence, Ppm, Question, Ruling, Verdict};
