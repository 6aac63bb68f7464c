//! The stand-in for the server: does what the relay's actions say, as a server would, and lets the checkers
//! see each effect. Planted bugs live here and nowhere else.

mod books;
mod digest;
mod pair;

use self::digest::mix;
use crate::check::{Checker, Eye, Limits, Recount, Seen, Violations, Watch};
use crate::ledger::Ledger;
use crate::plant::Plant;
use crate::provider::{Step, script};
use crate::spec::{RequestSpec, Spec};
use crate::world::{Queue, What};
use mains_relay::breaker::BreakerSettings;
use mains_relay::budget::{Hold, Tree};
use mains_relay::relay::{Action, AttemptNumber, Durability, Event, Outcome, Relay, Settings};
use mains_relay::route::{Allowed, Asked, Candidate, Facts, Why, agree_first, choose};
use mains_relay::{Ask, Breakers, Fault, Pass, RetryBudget, Verdict, admit};
use mains_units::{Chance, Instant, Span, Timestamp};
use std::collections::{BTreeMap, VecDeque};

/// One request under way.
#[derive(Debug)]
pub struct Running {
    /// What was asked.
    pub spec: RequestSpec,
    /// Its machine, once it has one.
    pub relay: Option<Relay>,
    /// What it holds.
    pub hold: Option<Hold>,
    /// What the checkers see.
    pub watch: Watch,
    limits: Limits,
    /// Bytes kept before the commit point, with the attempt that they came from.
    kept: Vec<(AttemptNumber, u64)>,
    /// The same of whole answers that were put aside.
    aside: Vec<(AttemptNumber, u64)>,
    /// The piece that was just fed.
    piece: Option<(AttemptNumber, u64)>,
    /// The latest wake.
    token: u64,
}

/// A provider's wish to be left alone, as the breakers were told of it.
#[derive(Debug, Clone, Copy, Default)]
struct Wish {
    said: Instant,
    until: Instant,
}

/// The outlet and everything around it.
pub struct Outlet {
    /// The world.
    pub spec: Spec,
    /// The requests.
    pub running: Vec<Running>,
    /// The breakers.
    pub breakers: Breakers,
    /// The budgets.
    pub tree: Tree,
    /// Broken laws.
    pub violations: Violations,
    /// The monotonic clock.
    pub now: Instant,
    /// By how many milliseconds the calendar is off.
    pub calendar_offset: i64,
    /// How often each fault was reported.
    pub faults: BTreeMap<Fault, u64>,
    /// How often each outcome ended a request.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// A digest of every action.
    pub digest: u64,
    /// Every action, where asked for.
    pub trace: Vec<String>,
    /// The log, in worlds whose outlet dies.
    pub ledger: Option<Ledger>,
    pub(crate) queue: Queue,
    traced: bool,
    plant: Option<Plant>,
    chance: Chance,
    retries: RetryBudget,
    recount: Recount,
    wishes: Vec<Wish>,
}

impl Outlet {
    pub(crate) fn new(
        spec: Spec,
        plant: Option<Plant>,
        queue: Queue,
        mut chance: Chance,
        traced: bool,
    ) -> Self {
        let running = spec.requests.iter().map(|request| pair::running(request, &spec)).collect();
        Self {
            running,
            breakers: Breakers::new(BreakerSettings::default(), chance.split()),
            tree: Tree::new(spec.caps.clone(), spec.calendar),
            violations: Violations::default(),
            now: Instant(0),
            calendar_offset: 0,
            faults: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            digest: 0,
            trace: Vec::new(),
            ledger: None,
            queue,
            traced,
            plant,
            chance,
            retries: RetryBudget::default(),
            recount: Recount::default(),
            wishes: vec![Wish::default(); spec.targets.len()],
            spec,
        }
    }

    fn has(&self, plant: Plant) -> bool {
        self.plant == Some(plant)
    }

    /// What the calendar says now.
    pub fn calendar(&self) -> Timestamp {
        let elapsed = i64::try_from(self.now.0 / 1_000_000).unwrap_or(0);
        Timestamp(self.spec.calendar.0 + elapsed + self.calendar_offset)
    }

    /// Stops 4 to 8 of a request, as far as the relay is concerned.
    pub(crate) fn arrive(&mut self, request: usize) {
        let asked = self.running[request].spec.clone();
        if let Some(patience) = asked.patience {
            self.queue.put(self.now.after(patience), What::Leave(request));
        }
        let candidates = self.choose(&asked);
        if candidates.is_empty() {
            return self.turn_away(request);
        }
        let worst = self.worst_of(&asked, &candidates);
        let calendar = self.calendar();
        let Ok(hold) = self.tree.reserve(asked.path.clone(), &worst, calendar) else {
            self.running[request].watch.refused = true;
            return self.turn_away(request);
        };
        self.running[request].hold = Some(hold);
        self.retries.deposit(self.now);
        self.recount.request(self.now);
        let mut settings = Settings { mode: asked.mode, ..self.spec.settings };
        if self.has(Plant::ManyAttempts) {
            settings.retry.attempts_max += 3;
            settings.retry.tries_per_target += 3;
        }
        let relay = Relay::new(settings, candidates, self.chance.split(), self.now);
        self.running[request].relay = Some(relay);
        self.feed(request, Event::Start);
    }

    fn choose(&mut self, asked: &RequestSpec) -> Vec<Candidate> {
        let everyone = Allowed::All;
        let allowed = if self.has(Plant::NoPolicy) { &everyone } else { &self.spec.allowed };
        let question = Asked { allowed, needs: asked.needs, priced_only: self.tree.priced_only(&asked.path) };
        let (targets, breakers, now) = (&self.spec.targets, &self.breakers, self.now);
        let facts = |target: &mains_relay::Target| {
            let known = targets.iter().find(|known| known.target.name == target.name);
            Facts {
                can: known.map_or_else(Default::default, |known| known.can),
                retired: known.is_some_and(|known| known.retired),
                priced: known.is_some_and(|known| known.price.is_some()),
                lamp: breakers.lamp(&target.name, now),
            }
        };
        let mut choice = choose(&self.spec.route, &question, facts, now, &mut self.chance);
        if self.has(Plant::EjectsTheLast) {
            choice.candidates.retain(|candidate| !matches!(candidate.why, Why::LeastBad { .. }));
        }
        agree_first(&self.spec.route, &question, facts, now, &mut choice);
        choice.candidates
    }

    /// An error without any attempt: 402, 429 or 503.
    fn turn_away(&mut self, request: usize) {
        self.digest = mix(self.digest, &Action::Finish(Outcome::Refused), self.now);
        let Running { watch, limits, .. } = &mut self.running[request];
        let mut eye = Eye { out: &mut self.violations, request, now: self.now };
        eye.error(watch, limits);
        eye.record(watch, 0);
    }

    pub(crate) fn leave(&mut self, request: usize) {
        let running = &mut self.running[request];
        if running.watch.replied() || running.relay.as_ref().is_none_or(Relay::is_done) {
            return;
        }
        running.watch.left = Some(self.now);
        if !self.has(Plant::DeafToLeaving) {
            self.feed(request, Event::ClientGone);
        }
    }

    pub(crate) fn wake(&mut self, request: usize, token: u64) {
        if self.running[request].token == token {
            self.feed(request, Event::Tick);
        }
    }

    /// Feeds an event, and those that follow from its actions at the same moment.
    pub(crate) fn feed(&mut self, request: usize, event: Event) {
        let Some(event) = self.on_the_wire(request, event) else { return };
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let Some(relay) = &mut self.running[request].relay else { return };
            for action in relay.step(event, self.now) {
                self.digest = mix(self.digest, &action, self.now);
                if self.traced {
                    self.trace.push(format!("{:16}request {request}: {action:?}", ""));
                }
                self.act(request, &action, &mut events);
            }
        }
    }

    /// What really arrives: bytes of a cancelled attempt are lost half the time, the others come late.
    fn on_the_wire(&mut self, request: usize, mut event: Event) -> Option<Event> {
        let Some(number) = event.attempt() else { return Some(event) };
        let late_bytes = self.has(Plant::LateBytes);
        let watch = &mut self.running[request].watch;
        let live = watch.attempts.last().map(|seen| seen.number);
        let cancelled = watch.attempt(number).is_some_and(|seen| seen.cancelled);
        if cancelled && self.chance.hits(0.5) {
            return None;
        }
        match &mut event {
            Event::Preamble { attempt, bytes } | Event::Content { attempt, bytes } => {
                self.running[request].piece = Some((number, *bytes));
                if late_bytes && let Some(live) = live {
                    *attempt = live;
                }
            }
            _ => self.running[request].piece = None,
        }
        if let (Event::Content { .. }, Some(seen)) = (&event, self.running[request].watch.attempt(number)) {
            seen.tokens += u64::from(!cancelled);
        }
        match event {
            Event::EndedBroken { attempt } if self.has(Plant::CleanEndOfBroken) => {
                Some(Event::EndedClean { attempt })
            }
            Event::IntentDurable { attempt } => {
                let synced = self.sync();
                if let Some(seen) = self.running[request].watch.attempt(attempt) {
                    seen.durable = synced;
                }
                synced.then_some(event)
            }
            event => Some(event),
        }
    }

    /// Syncs the log; whether what was appended may be acknowledged.
    fn sync(&mut self) -> bool {
        let pretends = self.has(Plant::NoSync);
        let signs = self.chance.hits(0.2);
        let Some(ledger) = &mut self.ledger else { return true };
        if pretends {
            ledger.pretend();
            return true;
        }
        let synced = ledger.sync();
        if synced && signs {
            ledger.checkpoint();
        }
        synced
    }

    fn act(&mut self, request: usize, action: &Action, events: &mut VecDeque<Event>) {
        let now = self.now;
        match *action {
            Action::Ask { attempt, candidate, ask } => self.ask(request, attempt, candidate, ask, events),
            Action::WriteIntent { attempt, candidate } => self.write_intent(request, attempt, candidate),
            Action::Dial { attempt, .. } => self.dial(request, attempt, events),
            Action::SendBody { attempt } => self.send_body(request, attempt),
            Action::Report { candidate, pass, started, verdict, .. } => {
                self.report(request, candidate, pass, started, verdict);
            }
            Action::Finish(outcome) => self.finish(request, outcome),
            Action::Wake(at) => {
                let running = &mut self.running[request];
                running.token += 1;
                let token = running.token;
                if !self.has(Plant::NoTimer) {
                    self.queue.put(at, What::Wake(request, token));
                }
            }
            Action::DeliverError(_) => {
                let twice = self.has(Plant::DoubleReply);
                let Running { watch, limits, .. } = &mut self.running[request];
                let mut eye = Eye { out: &mut self.violations, request, now };
                for _ in 0..=u32::from(twice) {
                    eye.error(watch, limits);
                }
            }
            Action::Cancel { attempt } => {
                let keeps = self.has(Plant::KeptAcrossAttempts);
                let running = &mut self.running[request];
                if let Some(seen) = running.watch.attempt(attempt) {
                    seen.cancelled = true;
                }
                if !keeps {
                    running.kept.clear();
                }
            }
            Action::Hold { .. } => {
                let running = &mut self.running[request];
                running.aside.append(&mut running.kept);
            }
            // Half of all pairs agree.
            Action::Compare { .. } => events.push_back(Event::Compared { agree: request.is_multiple_of(2) }),
            Action::Release { attempt } => self.release(request, attempt),
            Action::Keep { .. } | Action::Commit { .. } | Action::Forward { .. } | Action::Close { .. } => {
                self.deliver(request, action);
            }
        }
    }

    /// What the caller receives.
    fn deliver(&mut self, request: usize, action: &Action) {
        let Running { watch, limits, kept, piece, .. } = &mut self.running[request];
        let mut eye = Eye { out: &mut self.violations, request, now: self.now };
        match action {
            Action::Keep { .. } => kept.extend(piece.take()),
            Action::Commit { attempt } => {
                eye.head(watch, limits, *attempt);
                for (origin, bytes) in kept.drain(..).chain(piece.take()) {
                    eye.bytes(watch, limits, origin, bytes);
                }
            }
            Action::Forward { .. } => {
                if let Some((origin, bytes)) = piece.take() {
                    eye.bytes(watch, limits, origin, bytes);
                }
            }
            _ => eye.close(watch, limits),
        }
    }

    fn ask(
        &mut self,
        request: usize,
        attempt: AttemptNumber,
        candidate: usize,
        mut ask: Ask,
        events: &mut VecDeque<Event>,
    ) {
        let Some(target) = self.target_at(request, candidate) else { return };
        ask.last_resort &= !self.has(Plant::EjectsTheLast);
        let worst = self.worst(&self.running[request].spec, target, false);
        let calendar = self.calendar();
        let unheld = self.has(Plant::UnheldAttempt);
        let mut boundless = RetryBudget::default();
        let storm = self.has(Plant::RetryStorm);
        let retries = if storm { &mut boundless } else { &mut self.retries };
        let (tree, hold) = (&mut self.tree, &mut self.running[request].hold);
        let extend = || match hold {
            Some(hold) => {
                tree.extend(hold, &worst, calendar).or_else(|no| if unheld { Ok(()) } else { Err(no) })
            }
            None => Ok(()),
        };
        let name = &self.spec.targets[target].target.name;
        let answer = admit(&mut self.breakers, retries, name, ask, extend, self.now);
        if answer.is_ok() {
            let rested = ask.last_resort || self.now >= self.wishes[target].until;
            let check = &mut self.violations;
            check.check(rested, Checker::RestIsKept, Some(request), self.now, || format!("{name} is asked"));
            let within = !ask.further || ask.planned || self.recount.further(self.now);
            check.check(within, Checker::RetriesBounded, Some(request), self.now, || "one too many".into());
        }
        let event = Event::Permit { attempt, answer };
        if self.spec.slow_permits {
            let at = self.now.after(Span(self.chance.below(5_000_000)));
            self.queue.put(at, What::Feed(request, event));
        } else {
            events.push_back(event);
        }
    }

    fn write_intent(&mut self, request: usize, attempt: AttemptNumber, candidate: usize) {
        let Some(target) = self.target_at(request, candidate) else { return };
        let tokens_max = self.running[request].spec.tokens_max;
        let mood = self.spec.targets[target].mood(self.now);
        let script = script(mood, &self.spec.route.deadlines, tokens_max, &mut self.chance);
        let watch = &mut self.running[request].watch;
        let seen = Seen {
            number: attempt,
            target,
            script,
            intent: true,
            durable: false,
            body: None,
            cancelled: false,
            tokens: 0,
        };
        watch.attempts.push(seen);
        let written =
            self.ledger.as_mut().is_none_or(|ledger| ledger.append(format!("intent {request} {attempt}")));
        let sync = self.now.after(Span(self.chance.below(5_000_000)));
        let event = if !written || self.chance.hits(self.spec.intent_fails) {
            watch.intent_failed = true;
            Event::IntentFailed { attempt }
        } else {
            Event::IntentDurable { attempt }
        };
        self.queue.put(sync, What::Feed(request, event));
    }

    fn dial(&mut self, request: usize, attempt: AttemptNumber, events: &mut VecDeque<Event>) {
        if self.has(Plant::BodyBeforeIntent) {
            events.push_back(Event::IntentDurable { attempt });
        }
        let Some(seen) = self.running[request].watch.attempt(attempt).cloned() else { return };
        let eligible = self.eligible(request, seen.target);
        // Two that are asked first are no attempts in place of others.
        let pair = if self.spec.route.agree.is_some() { 2 } else { 0 };
        let most = self.spec.settings.retry.attempts_max + pair;
        let mut eye = Eye { out: &mut self.violations, request, now: self.now };
        eye.dial(&self.running[request].watch, most, eligible);
        if let Some((after, connected)) = seen.script.connect {
            let event = match connected {
                Ok(()) => Event::Connected { attempt },
                Err(fault) => Event::Failed { attempt, fault, retry_after: None },
            };
            self.queue.put(self.now.after(after), What::Feed(request, event));
        }
    }

    fn send_body(&mut self, request: usize, attempt: AttemptNumber) {
        let strict = self.spec.settings.durability == Durability::Strict;
        let Some(seen) = self.running[request].watch.attempt(attempt) else { return };
        Eye { out: &mut self.violations, request, now: self.now }.body(seen, strict);
        let mut at = self.now;
        for (after, step) in &seen.script.steps {
            at = at.after(*after);
            let event = match *step {
                Step::Head => Event::Head { attempt },
                Step::Fail(fault, retry_after) => Event::Failed { attempt, fault, retry_after },
                Step::Preamble(bytes) => Event::Preamble { attempt, bytes },
                Step::Content(bytes) => Event::Content { attempt, bytes },
                Step::Clean => Event::EndedClean { attempt },
                Step::Broken => Event::EndedBroken { attempt },
            };
            self.queue.put(at, What::Feed(request, event));
        }
    }

    fn report(&mut self, request: usize, candidate: usize, pass: Pass, started: Instant, verdict: Verdict) {
        let Some(target) = self.target_at(request, candidate) else { return };
        if let Verdict::Faulted { fault, .. } = verdict {
            *self.faults.entry(fault).or_default() += 1;
        }
        let wish = &mut self.wishes[target];
        match verdict {
            Verdict::Faulted { fault: Fault::Retired, .. } => *wish = Wish::default(),
            Verdict::Faulted { retry_after: Some(span), fault } => {
                let until = self.now.after(span);
                let counts = !matches!(fault, Fault::Caller | Fault::ContextLength);
                if counts && until > wish.until {
                    *wish = Wish { said: self.now, until };
                }
            }
            Verdict::Answering if pass.probe => *wish = Wish::default(),
            Verdict::Healthy if pass.probe || started >= wish.said => *wish = Wish::default(),
            _ => {}
        }
        let lost = match verdict {
            Verdict::Nothing => self.has(Plant::LostProbe),
            Verdict::Faulted { .. } => self.has(Plant::NoBreaker),
            _ => false,
        };
        if !lost {
            let name = &self.spec.targets[target].target.name;
            self.breakers.report(name, pass, started, verdict, self.now);
        }
    }

    fn target_of(&self, candidate: &Candidate) -> usize {
        let name = &candidate.target.name;
        self.spec.targets.iter().position(|target| target.target.name == *name).unwrap_or(0)
    }

    fn target_at(&self, request: usize, candidate: usize) -> Option<usize> {
        let relay = self.running[request].relay.as_ref()?;
        relay.candidates().get(candidate).map(|candidate| self.target_of(candidate))
    }
}
