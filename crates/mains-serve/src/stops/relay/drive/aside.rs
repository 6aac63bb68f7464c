//! Answers that are put aside, compared and released; and the head of a stream, which says how they stood.

use super::Drive;
use crate::stops::deliver;
use crate::stops::relay::line::Line;
use crate::stops::relay::pair::{self, Aside};
use mains_relay::relay::{AttemptNumber, Event};

impl Drive<'_> {
    pub(super) fn put_aside(&mut self, attempt: AttemptNumber) {
        self.line = Line::Idle;
        let mut losses = std::mem::take(&mut self.losses);
        let learnt = self.translate.take().map(|translate| {
            let learnt = translate.learnt();
            losses.extend(translate.stream_losses());
            learnt
        });
        let bytes = std::mem::take(&mut self.kept);
        self.aside.push(Aside { attempt, bytes, learnt: learnt.unwrap_or_default(), losses });
    }

    pub(super) fn compare(&mut self, attempts: [AttemptNumber; 2]) {
        let (dialect, stream) = (self.held.asked().who.dialect, self.held.asked().peek.stream);
        let agree = pair::same(&self.aside, attempts, dialect, stream);
        self.events.push_back(Event::Compared { agree });
    }

    /// What was put aside is the answer.
    pub(super) async fn release(&mut self, attempt: AttemptNumber) {
        let Some(place) = self.aside.iter().position(|aside| aside.attempt == attempt) else { return };
        let Aside { bytes, learnt, losses, .. } = self.aside.swap_remove(place);
        self.attempt = attempt;
        (self.learnt, self.losses) = (learnt, losses);
        self.hand_on(bytes, true).await;
    }

    pub(super) fn stream_head(&self) -> http::Response<crate::http::ReplyBody> {
        let who = &self.held.asked().who;
        let mut head = deliver::stream_head(self.outlet, who.id, who.dialect);
        let candidate = self.facts_and_candidate(self.attempt);
        if let Some((facts, degraded)) = candidate {
            deliver::set(&mut head, "x-mains-target", &format!("{}/{}", facts.upstream.name, facts.model));
            deliver::set(&mut head, "x-mains-attempts", &self.machine.summary().attempts.len().to_string());
            if degraded {
                deliver::set(&mut head, "x-mains-degraded", &facts.model);
            }
            if self.outlet.is_stand_in(&facts.upstream.name) {
                deliver::set(&mut head, "x-mains-stand-in", &facts.upstream.name);
            }
        }
        if let Some(agreement) = pair::agreement(&self.held, &self.machine.summary()) {
            deliver::set(&mut head, "x-mains-agree", agreement.name());
        }
        for (name, value) in crate::stops::settle::label_headers(&self.held.routed) {
            deliver::set(&mut head, name, &value);
        }
        if !self.losses.is_empty() {
            deliver::set(&mut head, "x-mains-losses", &crate::stops::settle::losses_header(&self.losses));
        }
        head
    }
}
