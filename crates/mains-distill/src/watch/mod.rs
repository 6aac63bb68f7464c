//! A certificate is tested for ever, and withdrawn when its promise is gone.
//!
//! Read `wealth` (bets against the promise), `reason` (why a certificate is withdrawn, and what it is bound to),
//! then `need` (how many audited calls it takes until a change is noticed).
//!
//! A fixed random share of the requests is answered by labeller and teacher both, for ever. A sceptic who bets
//! against "at most eps of the answers differ" multiplies a capital by 1 / alpha with chance alpha at most while the
//! promise holds, however often anybody looks (Ville 1939). When the capital gets there, the certificate is
//! withdrawn.

mod need;
mod reason;
mod wealth;

pub use need::calls_until_noticed;
pub use reason::{Bound, Reason, Withdrawn, changed};

use crate::certificate::{Certificate, Promise, Ruling, Terms};
use mains_units::Timestamp;
use serde::{Deserialize, Serialize};
use wealth::Wealth;

/// The version of the watch's form; another one is not read.
pub const SCHEMA: &str = "mains.distill.watch/1";

/// An audited call: labeller and teacher were both asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audited {
    /// Whether the labeller's answer was, or would have been, given.
    pub local: bool,
    /// Whether its answer is another than the teacher's.
    pub differs: bool,
}

/// The state of a watch; it can be written down and taken up again at any call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// [`SCHEMA`].
    pub schema: String,
    /// Of which answers the promise speaks.
    pub promise: Promise,
    /// The share that may differ, in millionths.
    pub eps_ppm: u64,
    /// The chance that a promise that holds is ever withdrawn, in millionths.
    pub alpha_ppm: u64,
    /// The share of requests that is audited, in millionths.
    pub share_ppm: u64,
    /// Audited calls so far.
    pub calls: u64,
    /// Those of them that were local.
    pub local: u64,
    /// Those of the local ones that differ.
    pub differs: u64,
    /// The sceptic's capital.
    wealth: Wealth,
    /// Whether, when and why the certificate was withdrawn. Nothing gives it back: a new one is made.
    pub withdrawn: Option<Withdrawn>,
}

/// Why a watch cannot be taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoWatch {
    /// There is nothing to watch: the certificate refuses.
    Refused,
    /// A share does not lie between 0 and 1.
    Share,
}

impl std::fmt::Display for NoWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Refused => "a certificate that refuses promises nothing that could be watched",
            Self::Share => "the audited share and the chance of a false withdrawal must lie between 0 and 1",
        })
    }
}

impl std::error::Error for NoWatch {}

impl Watch {
    /// A watch over a certificate: one request in a hundred, and one chance in a hundred that a promise that holds
    /// is ever withdrawn.
    pub fn over(certificate: &Certificate) -> Result<Self, NoWatch> {
        match certificate.ruling {
            Ruling::Certified { .. } => Self::of(&certificate.terms, 10_000, 10_000),
            Ruling::Refused { .. } => Err(NoWatch::Refused),
        }
    }

    /// A watch over a promise on these terms.
    pub fn of(terms: &Terms, share_ppm: u64, alpha_ppm: u64) -> Result<Self, NoWatch> {
        let inside = |ppm: u64| (1..1_000_000).contains(&ppm);
        let audits = (1..=1_000_000).contains(&share_ppm);
        if !inside(alpha_ppm) || !inside(terms.eps_ppm) || !audits {
            return Err(NoWatch::Share);
        }
        Ok(Self {
            schema: SCHEMA.to_owned(),
            promise: terms.promise,
            eps_ppm: terms.eps_ppm,
            alpha_ppm,
            share_ppm,
            calls: 0,
            local: 0,
            differs: 0,
            wealth: Wealth::new(),
            withdrawn: None,
        })
    }

    /// Whether a request is audited, from 64 bits of chance. The caller must not be able to foresee them, or a
    /// request that is watched could be served better than the rest.
    pub fn audits(&self, chance: u64) -> bool {
        let drawn = (u128::from(chance) * 1_000_000) >> 64;
        drawn < u128::from(self.share_ppm)
    }

    /// Takes in one audited call; what withdrew the certificate, if anything has. After that nothing counts.
    ///
    /// Requests that the labeller passes on agree with the teacher by definition: over all traffic they are calls
    /// without a difference, of what is answered locally they are none.
    pub fn observe(&mut self, call: Audited, at: Timestamp) -> Option<&Withdrawn> {
        if self.withdrawn.is_none() {
            let differs = call.local && call.differs;
            self.calls = self.calls.saturating_add(1);
            self.local = self.local.saturating_add(call.local.into());
            self.differs = self.differs.saturating_add(differs.into());
            if call.local || self.promise == Promise::AllTraffic {
                self.wealth.bet(differs, self.eps_ppm);
            }
            if self.wealth.reaches(self.alpha_ppm) {
                let of = match self.promise {
                    Promise::AllTraffic => self.calls,
                    Promise::AnsweredLocally => self.local,
                };
                self.withdraw(Reason::PromiseGone { differs: self.differs, of }, at);
            }
        }
        self.withdrawn.as_ref()
    }

    /// Withdraws at once. The first reason stands.
    pub fn withdraw(&mut self, reason: Reason, at: Timestamp) -> &Withdrawn {
        let calls = self.calls;
        self.withdrawn.get_or_insert(Withdrawn { reason, at, calls })
    }

    /// How far the sceptic has come: the logarithm of the capital in thousandths; `ln(1 / alpha)` withdraws.
    pub fn log_wealth_milli(&self) -> i64 {
        self.wealth.total_nano() / 1_000_000
    }

    /// Whether this is a form that is known and whose figures can be.
    pub fn is_sound(&self) -> bool {
        self.schema == SCHEMA
            && (1..1_000_000).contains(&self.eps_ppm)
            && (1..1_000_000).contains(&self.alpha_ppm)
            && (1..=1_000_000).contains(&self.share_ppm)
            && self.differs <= self.local
            && self.local <= self.calls
            && self.wealth.bets()
                == match self.promise {
                    Promise::AllTraffic => self.calls,
                    Promise::AnsweredLocally => self.local,
                }
    }
}
