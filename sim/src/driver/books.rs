//! The money side of the driver: what a request may use at worst, what it used, how it is settled and
//! recorded, and who was eligible for it.

use super::Outlet;
use crate::check::{Checker, Eye};
use crate::plant::Plant;
use crate::spec::{RequestSpec, Spec};
use mains_relay::Relay;
use mains_relay::budget::{Cap, Draw, Figure, Path, Scope, UnknownPrice};
use mains_relay::relay::Outcome;
use mains_relay::route::{Allowed, Degraded};
use mains_units::{Grade, Quantity};

impl Outlet {
    /// Whether this request may be answered by this target, found out apart from `choose`.
    pub fn eligible(&self, request: usize, target: usize) -> bool {
        let (asked, target) = (&self.running[request].spec, &self.spec.targets[target]);
        let allowed = match &self.spec.allowed {
            Allowed::All => true,
            Allowed::Only(names) => names.contains(&target.target.name),
        };
        let substitute = target.target.substitute && self.spec.route.degraded == Degraded::Refuse;
        let priced = target.price.is_some() || !money_cap_refuses(&self.spec, &asked.path);
        allowed && !substitute && priced && asked.needs.without(target.can).is_empty()
    }

    /// Stops 9 and 10: settle and record.
    pub(super) fn finish(&mut self, request: usize, outcome: Outcome) {
        *self.outcomes.entry(outcome).or_default() += 1;
        let used = self.used(request);
        if outcome == Outcome::Cancelled && self.has(Plant::LostHold) {
            self.running[request].hold = None;
        }
        let mut released_some = false;
        if let Some(hold) = self.running[request].hold.take() {
            let settlement = self.tree.settle(hold, &used);
            released_some = settlement.released != mains_units::Amounts::ZERO;
            let balanced = settlement.held == settlement.settled.plus(&settlement.released);
            let (now, check) = (self.now, &mut self.violations);
            check.check(balanced, Checker::HeldIsSettledAndReleased, Some(request), now, || {
                format!("{settlement:?}")
            });
            let within = self.spec.overbilling || !settlement.overshoots();
            check.check(within, Checker::NoOvershoot, Some(request), now, || format!("{settlement:?}"));
        }
        let (calendar, now) = (self.calendar(), self.now);
        for reading in self.tree.readings(calendar) {
            let reached = u128::from(reading.used) + u128::from(reading.held);
            let within = reached <= u128::from(reading.cap.limit) + reading.totals.overshoot;
            self.violations.check(within, Checker::NoOvershoot, None, now, || format!("{reading:?}"));
        }
        let times = match outcome {
            Outcome::Cancelled if self.has(Plant::NoRecord) => 0,
            _ if released_some && self.has(Plant::DoubleRecord) => 2,
            _ => 1,
        };
        if let Some(ledger) = &mut self.ledger {
            ledger.append(format!("outcome {request} {}", outcome.name()));
        }
        let metered = self.metered(request);
        let watch = &mut self.running[request].watch;
        for _ in 0..times {
            Eye { out: &mut self.violations, request, now }.record(watch, metered);
        }
    }

    fn metered(&self, request: usize) -> u64 {
        let Some(summary) = self.running[request].relay.as_ref().map(Relay::summary) else { return 0 };
        if self.has(Plant::MetersReceived) {
            return summary.attempts.iter().map(|attempt| attempt.bytes_received).sum();
        }
        summary.bytes_forwarded
    }

    /// What a target may use for a request at worst.
    pub(super) fn worst(&self, asked: &RequestSpec, target: usize, first: bool) -> Draw {
        draw(asked.input + asked.tokens_max, self.spec.targets[target].price, u64::from(first))
    }

    /// What all attempts of a request have used.
    fn used(&self, request: usize) -> Draw {
        let running = &self.running[request];
        let nothing = draw(0, Some(0), 1);
        running.watch.attempts.iter().filter(|seen| seen.body.is_some()).fold(nothing, |sum, seen| {
            let tokens = running.spec.input + seen.tokens;
            let billed = if self.spec.overbilling { tokens * 2 + 9 } else { tokens };
            sum.plus(&draw(billed, self.spec.targets[seen.target].price, 0))
        })
    }
}

/// Whether some money cap on this path refuses unknown prices, found out apart from the tree. Of two caps on
/// one quantity, node and window the lower one counts, the earlier of equal ones.
fn money_cap_refuses(spec: &Spec, path: &Path) -> bool {
    let binds = |scope: &Scope| match scope {
        Scope::Organisation => true,
        Scope::Project(name) => path.project.as_ref() == Some(name),
        Scope::Key(name) => path.key.as_ref() == Some(name),
    };
    spec.caps.iter().any(|cap| {
        let same =
            |other: &&Cap| (&other.scope, other.per, other.quantity) == (&cap.scope, cap.per, cap.quantity);
        let counts = spec.caps.iter().filter(same).min_by_key(|other| other.limit);
        cap.quantity == Quantity::Money
            && binds(&cap.scope)
            && counts.is_some_and(|cap| cap.unknown == UnknownPrice::Refuse)
    })
}

fn draw(tokens: u64, price: Option<u64>, requests: u64) -> Draw {
    let money =
        price.map_or(Figure::Unknown, |price| Figure::Known { amount: price * tokens, grade: Grade::A });
    Draw::default()
        .with(Quantity::Money, money)
        .exactly(Quantity::Tokens, tokens)
        .exactly(Quantity::Requests, requests)
        .estimated(Quantity::Energy, tokens * 3, Grade::D)
}
