//! The tree itself.

use super::draw::{Draw, Figure};
use super::hold::{Hold, Part, Settlement};
use super::refusal::{Notice, Refusal};
use super::window::Per;
use mains_units::{Grade, Quantity, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// A node of the tree. Writes and reads as `organisation`, `project:NAME`, `key:NAME`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Scope {
    /// Everything that passes this outlet.
    Organisation,
    /// One project.
    Project(Arc<str>),
    /// One key.
    Key(Arc<str>),
}

impl Scope {
    /// Reads the form that [`fmt::Display`] writes; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None if text == "organisation" => Some(Self::Organisation),
            Some(("project", name)) if !name.is_empty() => Some(Self::Project(name.into())),
            Some(("key", name)) if !name.is_empty() => Some(Self::Key(name.into())),
            _ => None,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organisation => f.write_str("organisation"),
            Self::Project(name) => write!(f, "project:{name}"),
            Self::Key(name) => write!(f, "key:{name}"),
        }
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

impl TryFrom<String> for Scope {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| {
            format!("`{text}` is no scope\nhint: write `organisation`, `project:NAME` or `key:NAME`")
        })
    }
}

/// The nodes that a request draws from: always the organisation, and its project and key if it has them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path {
    /// The project's name.
    pub project: Option<Arc<str>>,
    /// The key's name.
    pub key: Option<Arc<str>>,
}

impl Path {
    fn scopes(&self) -> impl Iterator<Item = Scope> {
        let project = self.project.clone().map(Scope::Project);
        let key = self.key.clone().map(Scope::Key);
        std::iter::once(Scope::Organisation).chain(project).chain(key)
    }
}

/// What a money cap does with a target whose price is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownPrice {
    /// The target is not eligible.
    #[default]
    Refuse,
    /// It is, and its use counts once it is known.
    Allow,
}

/// One cap of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// Whose.
    pub scope: Scope,
    /// Over which window.
    pub per: Per,
    /// Of what.
    pub quantity: Quantity,
    /// How much, in the unit of [`Quantity::unit`].
    pub limit: u64,
    /// For money: what happens without a price.
    pub unknown: UnknownPrice,
    /// For energy, carbon and water: the weakest grade whose figures bind; weaker ones are reported.
    /// Money, tokens and requests bind always.
    pub binds_from: Grade,
}

impl Cap {
    /// A cap that refuses unknown prices and binds on figures of grade B or better.
    pub fn new(scope: Scope, per: Per, quantity: Quantity, limit: u64) -> Self {
        Self { scope, per, quantity, limit, unknown: UnknownPrice::default(), binds_from: Grade::B }
    }

    fn binds_on(&self, grade: Grade) -> bool {
        match self.quantity {
            Quantity::Energy | Quantity::Carbon | Quantity::Water => grade <= self.binds_from,
            Quantity::Money | Quantity::Tokens | Quantity::Requests => true,
        }
    }
}

/// Sums of one meter in one window. Wide, so that no sum of `u64` amounts can overflow.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    used: u128,
    held: u128,
}

impl Sums {
    fn reached(self) -> u128 {
        self.used + self.held
    }
}

/// Everything that ever went through one meter: held = settled + released + what is held now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Ever held.
    pub held: u128,
    /// Of it, settled.
    pub settled: u128,
    /// Of it, released.
    pub released: u128,
    /// Used beyond what was held.
    pub overshoot: u128,
}

#[derive(Debug, Clone)]
struct Meter {
    cap: Cap,
    start: Timestamp,
    end: Timestamp,
    /// Counts the windows; a hold's part of an older turn no longer changes the sums.
    turn: u64,
    binding: Sums,
    reported: Sums,
    totals: Totals,
}

/// The state of one cap, for pages and metrics. Amounts beyond `u64` saturate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The cap.
    pub cap: Cap,
    /// Settled in this window, of figures that bind.
    pub used: u64,
    /// Held by requests under way, of figures that bind.
    pub held: u64,
    /// Settled in this window, of figures too weak to bind.
    pub reported: u64,
    /// Start of the window.
    pub since: Timestamp,
    /// When the cap renews.
    pub renews_at: Timestamp,
    /// Everything that ever went through this meter since the outlet started.
    pub totals: Totals,
}

/// What the store keeps of one cap, so that a restart does not renew it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Whose cap.
    pub scope: Scope,
    /// Its window.
    pub per: Per,
    /// What is capped.
    pub quantity: Quantity,
    /// Start of the window that the amounts belong to.
    pub since: Timestamp,
    /// Settled, of figures that bind.
    pub used: u64,
    /// Settled, of figures too weak to bind.
    pub reported: u64,
}

/// All budgets of one outlet.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// Never shortened: holds name meters by index.
    meters: Vec<Meter>,
    /// The meter of each cap that was ever configured.
    known: HashMap<(Scope, Per, Quantity), usize>,
    /// The meters in force of each node.
    active: HashMap<Scope, Vec<usize>>,
}

impl Tree {
    /// A tree with these caps. Of two caps on the same quantity, node and window the lower one counts.
    pub fn new(caps: Vec<Cap>, now: Timestamp) -> Self {
        let mut tree = Self::default();
        tree.reconfigure(caps, now);
        tree
    }

    /// Replaces the caps. A meter that exists before and after keeps what was used and held.
    pub fn reconfigure(&mut self, caps: Vec<Cap>, now: Timestamp) {
        self.active.clear();
        for cap in caps {
            let name = (cap.scope.clone(), cap.per, cap.quantity);
            let index = *self.known.entry(name).or_insert(self.meters.len());
            let in_force = self.active.entry(cap.scope.clone()).or_default();
            match self.meters.get_mut(index) {
                None => self.meters.push(Meter::new(cap, now)),
                Some(meter) if in_force.contains(&index) && meter.cap.limit <= cap.limit => {}
                Some(meter) => meter.cap = cap,
            }
            if !in_force.contains(&index) {
                in_force.push(index);
            }
        }
    }

    /// Whether some money cap on this path refuses targets without a price.
    pub fn priced_only(&self, path: &Path) -> bool {
        self.meters_of(path).into_iter().any(|index| {
            let cap = &self.meters[index].cap;
            cap.quantity == Quantity::Money && cap.unknown == UnknownPrice::Refuse
        })
    }

    /// Holds a request's worst case in every node of its path, or in none.
    pub fn reserve(&mut self, path: Path, worst: &Draw, now: Timestamp) -> Result<Hold, Refusal> {
        let mut hold =
            Hold { path, parts: Vec::new(), held: mains_units::Amounts::ZERO, notices: Vec::new() };
        self.extend(&mut hold, worst, now)?;
        Ok(hold)
    }

    /// Holds more before a further attempt, in every node or in none. A hold refused keeps what it had.
    pub fn extend(&mut self, hold: &mut Hold, worst: &Draw, now: Timestamp) -> Result<(), Refusal> {
        let meters = self.meters_of(&hold.path);
        let mut refusal: Option<Refusal> = None;
        for &index in &meters {
            self.meters[index].turn_to(now);
            if let Some(next) = self.meters[index].refusal(worst) {
                // The cap that renews last is the one that tells when to come back.
                if refusal.as_ref().is_none_or(|worst| next.renews_at > worst.renews_at) {
                    refusal = Some(next);
                }
            }
        }
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        for index in meters {
            let (part, notice) = self.meters[index].take(index, worst);
            hold.add(part);
            hold.notices.extend(notice);
        }
        for quantity in Quantity::ALL {
            let more = worst.amount(quantity).unwrap_or(0);
            hold.held = hold.held.with(quantity, hold.held.get(quantity).saturating_add(more));
        }
        Ok(())
    }

    /// Ends a hold with what was really used. What is unknown even now stands as it was held: the worst
    /// case counts until someone knows better.
    pub fn settle(&mut self, hold: Hold, actual: &Draw) -> Settlement {
        let settlement = Settlement::of(&hold.held, |quantity| {
            actual.amount(quantity).unwrap_or_else(|| hold.held.get(quantity))
        });
        let mut parts = hold.parts;
        // Parts of one meter stand together, older windows first: the use fills them in that order, and
        // what is beyond the last one is overshoot.
        parts.sort_by_key(|part| (part.meter, part.turn));
        for parts in parts.chunk_by(|a, b| a.meter == b.meter) {
            let Some((last, earlier)) = parts.split_last() else { continue };
            let meter = &mut self.meters[last.meter];
            let quantity = meter.cap.quantity;
            let here: u128 = parts.iter().map(|part| u128::from(part.amount)).sum();
            // What was held before this cap came into force is used first, and not on its account.
            let elsewhere = u128::from(hold.held.get(quantity)).saturating_sub(here);
            let mut rest =
                actual.amount(quantity).map_or(here, |amount| u128::from(amount).saturating_sub(elsewhere));
            for part in earlier {
                let used = rest.min(part.amount.into());
                meter.give(part, used);
                rest -= used;
            }
            meter.give(last, rest);
        }
        settlement
    }

    /// Ends a hold of which nothing was used.
    pub fn release(&mut self, hold: Hold) -> Settlement {
        let nothing =
            Quantity::ALL.into_iter().fold(Draw::default(), |draw, quantity| draw.exactly(quantity, 0));
        self.settle(hold, &nothing)
    }

    /// The caps in force, in a stable order.
    pub fn readings(&mut self, now: Timestamp) -> Vec<Reading> {
        let mut indices: Vec<_> = self.active.values().flatten().copied().collect();
        indices.sort_unstable();
        indices
            .into_iter()
            .map(|index| {
                self.meters[index].turn_to(now);
                self.meters[index].reading()
            })
            .collect()
    }

    /// What the store keeps. Holds are not saved: who restores knows from its records which attempts
    /// were under way.
    pub fn snapshot(&mut self, now: Timestamp) -> Vec<Saved> {
        self.readings(now)
            .into_iter()
            .map(|reading| Saved {
                scope: reading.cap.scope,
                per: reading.cap.per,
                quantity: reading.cap.quantity,
                since: reading.since,
                used: reading.used,
                reported: reading.reported,
            })
            .collect()
    }

    /// Puts saved amounts back; what belongs to a window that has passed, or to no cap, is left out.
    /// Saved amounts of a window that has not begun count in this one: the clock was set back.
    pub fn restore(&mut self, saved: &[Saved], now: Timestamp) {
        for saved in saved {
            let name = (saved.scope.clone(), saved.per, saved.quantity);
            let Some(&index) = self.known.get(&name) else { continue };
            let meter = &mut self.meters[index];
            meter.turn_to(now);
            if saved.since >= meter.start {
                meter.binding.used = saved.used.into();
                meter.reported.used = saved.reported.into();
            }
        }
    }

    fn meters_of(&self, path: &Path) -> Vec<usize> {
        if self.active.is_empty() {
            return Vec::new();
        }
        path.scopes().filter_map(|scope| self.active.get(&scope)).flatten().copied().collect()
    }
}

impl Hold {
    fn add(&mut self, part: Part) {
        let same = self
            .parts
            .iter_mut()
            .find(|other| (other.meter, other.turn, other.binds) == (part.meter, part.turn, part.binds));
        match same {
            // Beyond `u64` the second part stands alone.
            Some(other) if other.amount.checked_add(part.amount).is_some() => other.amount += part.amount,
            _ => self.parts.push(part),
        }
    }
}

impl Meter {
    fn new(cap: Cap, now: Timestamp) -> Self {
        let (start, end) = cap.per.window(now);
        let (binding, reported) = (Sums::default(), Sums::default());
        Self { cap, start, end, turn: 0, binding, reported, totals: Totals::default() }
    }

    /// Opens the next window when it is time. A calendar that steps back renews nothing: within one
    /// window's length it is ignored, beyond it the window moves back with all that was used and held.
    fn turn_to(&mut self, now: Timestamp) {
        if now >= self.end {
            (self.start, self.end) = self.cap.per.window(now);
            self.turn += 1;
            self.binding = Sums::default();
            self.reported = Sums::default();
        } else if now.0 < self.start.0.saturating_sub(self.end.0 - self.start.0) {
            (self.start, self.end) = self.cap.per.window(now);
        }
    }

    fn refusal(&self, worst: &Draw) -> Option<Refusal> {
        let asked = match worst.get(self.cap.quantity) {
            Figure::Known { amount, grade } => {
                let fits = self.binding.reached() + u128::from(amount) <= u128::from(self.cap.limit);
                if fits || !self.cap.binds_on(grade) {
                    return None;
                }
                Some(amount)
            }
            Figure::Unknown => {
                let refuses =
                    self.cap.quantity == Quantity::Money && self.cap.unknown == UnknownPrice::Refuse;
                if !refuses {
                    return None;
                }
                None
            }
        };
        Some(Refusal {
            quantity: self.cap.quantity,
            scope: self.cap.scope.clone(),
            per: self.cap.per,
            renews_at: self.end,
            limit: self.cap.limit,
            used: narrow(self.binding.used),
            held: narrow(self.binding.held),
            asked,
        })
    }

    /// Holds the draw's figure. Unknown ones hold nothing but leave a part, so that the use counts once
    /// it is known.
    fn take(&mut self, index: usize, worst: &Draw) -> (Part, Option<Notice>) {
        let (amount, binds) = match worst.get(self.cap.quantity) {
            Figure::Known { amount, grade } => (amount, self.cap.binds_on(grade)),
            Figure::Unknown => (0, self.cap.binds_on(Grade::E)),
        };
        let sums = if binds { &mut self.binding } else { &mut self.reported };
        sums.held += u128::from(amount);
        self.totals.held += u128::from(amount);
        let reached = self.binding.reached() + self.reported.reached();
        let notice = (!binds && reached > u128::from(self.cap.limit)).then(|| Notice {
            quantity: self.cap.quantity,
            scope: self.cap.scope.clone(),
            per: self.cap.per,
            renews_at: self.end,
            limit: self.cap.limit,
            reached: narrow(reached),
        });
        (Part { meter: index, turn: self.turn, binds, amount }, notice)
    }

    /// Ends one part of a hold: `used` of it was used, perhaps more than it.
    fn give(&mut self, part: &Part, used: u128) {
        let held = u128::from(part.amount);
        self.totals.settled += used.min(held);
        self.totals.released += held.saturating_sub(used);
        self.totals.overshoot += used.saturating_sub(held);
        if part.turn == self.turn {
            let sums = if part.binds { &mut self.binding } else { &mut self.reported };
            sums.held = sums.held.saturating_sub(held);
            sums.used += used;
        }
    }

    fn reading(&self) -> Reading {
        Reading {
            cap: self.cap.clone(),
            used: narrow(self.binding.used),
            held: narrow(self.binding.held),
            reported: narrow(self.reported.used),
            since: self.start,
            renews_at: self.end,
            totals: self.totals,
        }
    }
}

fn narrow(sum: u128) -> u64 {
    u64::try_from(sum).unwrap_or(u64::MAX)
}
