//! How traffic is divided.

use super::language;
use mains_units::Timestamp;
use std::fmt;

/// The length of a request, in steps of four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Length {
    /// Under 256 characters.
    Tiny,
    /// Under 1,024.
    Short,
    /// Under 4,096.
    Middle,
    /// Under 16,384.
    Long,
    /// 16,384 and more.
    Huge,
}

impl Length {
    /// The bucket of a number of characters.
    pub fn of(characters: usize) -> Self {
        match characters {
            0..256 => Self::Tiny,
            256..1_024 => Self::Short,
            1_024..4_096 => Self::Middle,
            4_096..16_384 => Self::Long,
            _ => Self::Huge,
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tiny => "under 256 characters",
            Self::Short => "256 to 1,023 characters",
            Self::Middle => "1,024 to 4,095 characters",
            Self::Long => "4,096 to 16,383 characters",
            Self::Huge => "16,384 characters and more",
        })
    }
}

/// The part of the traffic that a request belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stratum {
    /// How long it is.
    pub length: Length,
    /// Which language it seems to be in.
    pub language: &'static str,
    /// Whether it offers tools.
    pub tools: bool,
    /// The week it came in, counted from 1970; weeks keep one busy day from filling the sample.
    pub week: i64,
}

impl Stratum {
    /// The stratum of a request by its text (what the user wrote), its tools and its time.
    pub fn of(text: &str, tools: bool, at: Timestamp) -> Self {
        let week = at.0.div_euclid(7 * 86_400_000);
        Self { length: Length::of(text.chars().count()), language: language(text), tools, week }
    }
}
