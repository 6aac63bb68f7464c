//! The clock: the only place that asks what time it is.

use mains_units::{Instant, Timestamp};

/// Reads the system's clocks. Whoever needs the time is given it as a value; the loops at the edge hold
/// one of these. Copies share their start, so their moments compare.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: std::time::Instant,
}

impl Clock {
    /// A clock whose monotonic time begins now.
    #[expect(clippy::disallowed_methods, reason = "this is the place that the ban points to")]
    pub fn start() -> Self {
        Self { start: std::time::Instant::now() }
    }

    /// The moment of the calendar. It may jump when the system's clock is set; durations come from
    /// [`Clock::monotonic`].
    #[expect(clippy::disallowed_methods, reason = "this is the place that the ban points to")]
    pub fn now(&self) -> Timestamp {
        let (earlier, span) = match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
            Ok(span) => (false, span),
            Err(error) => (true, error.duration()),
        };
        let milliseconds = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Timestamp(if earlier { -milliseconds } else { milliseconds })
    }

    /// The moment since this clock began; never goes back.
    pub fn monotonic(&self) -> Instant {
        Instant(u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_is_past_this_code_and_the_monotonic_time_never_goes_back() {
        let clock = Clock::start();
        // November 2023; a machine whose clock is before that cannot check a certificate either.
        assert!(clock.now() > Timestamp(1_700_000_000_000));
        let moments: Vec<_> = (0..1_000).map(|_| clock.monotonic()).collect();
        assert!(moments.is_sorted());
        let copy = clock;
        assert!(copy.monotonic() >= moments[999]);
    }
}
