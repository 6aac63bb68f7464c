//! What concerns the two models that are asked first: what both hold, what is put aside of them; and a request before all
//! that.

use super::{Outlet, Running};
use crate::check::{Eye, Limits, Watch};
use crate::spec::{RequestSpec, Spec};
use mains_relay::budget::Draw;
use mains_relay::relay::{AttemptNumber, Mode};
use mains_relay::route::{Candidate, Why};
use mains_units::Quantity;

impl Outlet {
    /// What a request holds at first: the dearest attempt, or both of a pair.
    pub(super) fn worst_of(&self, asked: &RequestSpec, candidates: &[Candidate]) -> Draw {
        let pair = candidates.iter().any(|candidate| candidate.why == Why::Agree);
        let first = candidates.iter().filter(|candidate| !pair || candidate.why == Why::Agree);
        first.enumerate().fold(Draw::default(), |worst, (place, candidate)| {
            let draw = self.worst(asked, self.target_of(candidate), true);
            match place {
                0 => draw,
                _ if pair => worst.plus(&draw).exactly(Quantity::Requests, 1),
                _ => worst.dearest(&draw),
            }
        })
    }

    /// What was put aside of this attempt is the answer. It was whole before, so that no deadline of a stream is its.
    pub(super) fn release(&mut self, request: usize, attempt: AttemptNumber) {
        let Running { watch, limits, aside, .. } = &mut self.running[request];
        let mut eye = Eye { out: &mut self.violations, request, now: self.now };
        eye.head(watch, &Limits { first_content: None, ..*limits }, attempt);
        // An answer without a byte has an origin too.
        watch.from = Some(attempt);
        for (origin, bytes) in aside.drain(..).filter(|(origin, _)| *origin == attempt) {
            eye.bytes(watch, limits, origin, bytes);
        }
    }
}

pub(super) fn running(request: &RequestSpec, spec: &Spec) -> Running {
    let stream = request.mode == Mode::Stream;
    let deadlines = &spec.settings.deadlines;
    Running {
        spec: request.clone(),
        relay: None,
        hold: None,
        watch: Watch::default(),
        limits: Limits {
            total_by: request.arrives.after(deadlines.total),
            first_content: stream.then_some(deadlines.first_content),
            idle: stream.then_some(deadlines.idle),
        },
        kept: Vec::new(),
        aside: Vec::new(),
        piece: None,
        token: 0,
    }
}
