//! Bugs put into the driver on purpose, at least one for each checker.

use crate::check::Checker;

/// A bug in the driver. Each is one that a server could really have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// Tells the caller of an error twice.
    DoubleReply,
    /// Forgets the record when the caller has left.
    NoRecord,
    /// Records once more when a settlement says that something was released.
    DoubleRecord,
    /// Gives the relay a higher bound of attempts than the route has.
    ManyAttempts,
    /// Keeps what was kept of an attempt when it is cancelled.
    KeptAcrossAttempts,
    /// Takes late bytes of a cancelled attempt for those of the live one.
    LateBytes,
    /// Loses the timer.
    NoTimer,
    /// Meters what came from upstream, not what the caller received.
    MetersReceived,
    /// Drops the hold when the caller leaves.
    LostHold,
    /// Starts a further attempt although the hold could not be extended.
    UnheldAttempt,
    /// Takes a closed connection for a clean end.
    CleanEndOfBroken,
    /// Forgets the policy's verdict.
    NoPolicy,
    /// Gives up when the breakers of all targets are open.
    EjectsTheLast,
    /// Does not wait for the sync of an intent.
    BodyBeforeIntent,
    /// Tells the breakers nothing of attempts that said nothing.
    LostProbe,
    /// Asks the retry budget, and goes on whatever it says.
    RetryStorm,
    /// Does not notice that the caller has left.
    DeafToLeaving,
    /// Acknowledges an intent that was not synced.
    NoSync,
    /// Does not tell the breakers of faults.
    NoBreaker,
}

impl Plant {
    /// Every bug.
    pub const ALL: [Self; 19] = [
        Self::DoubleReply,
        Self::NoRecord,
        Self::DoubleRecord,
        Self::ManyAttempts,
        Self::KeptAcrossAttempts,
        Self::LateBytes,
        Self::NoTimer,
        Self::MetersReceived,
        Self::LostHold,
        Self::UnheldAttempt,
        Self::CleanEndOfBroken,
        Self::NoPolicy,
        Self::EjectsTheLast,
        Self::BodyBeforeIntent,
        Self::LostProbe,
        Self::RetryStorm,
        Self::DeafToLeaving,
        Self::NoSync,
        Self::NoBreaker,
    ];

    /// The bug of this name, as `Debug` writes it, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plant| format!("{plant:?}").eq_ignore_ascii_case(name))
    }

    /// The checker that must find it.
    pub fn checker(self) -> Checker {
        match self {
            Self::DoubleReply => Checker::OneReply,
            Self::NoRecord | Self::DoubleRecord => Checker::OneRecord,
            Self::ManyAttempts => Checker::AttemptsBounded,
            Self::KeptAcrossAttempts | Self::LateBytes => Checker::NothingAbandoned,
            Self::NoTimer => Checker::DeadlineKept,
            Self::MetersReceived => Checker::MeteredIsForwarded,
            Self::LostHold => Checker::HeldIsSettledAndReleased,
            Self::UnheldAttempt => Checker::NoOvershoot,
            Self::CleanEndOfBroken => Checker::NoCleanEndOfBroken,
            Self::NoPolicy => Checker::NothingForbidden,
            Self::EjectsTheLast => Checker::LastNotEjected,
            Self::BodyBeforeIntent => Checker::IntentFirst,
            Self::LostProbe => Checker::ProbesComeBack,
            Self::RetryStorm => Checker::RetriesBounded,
            Self::DeafToLeaving => Checker::NothingAfterLeaving,
            Self::NoSync => Checker::LogSurvives,
            Self::NoBreaker => Checker::RestIsKept,
        }
    }
}
