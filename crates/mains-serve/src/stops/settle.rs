//! Stop 9: what was used, and the hold given back.

use super::relay::{Learnt, Relayed, Told};
use super::{Routed, Who};
use crate::labels::Call;
use crate::live::TargetFacts;
use crate::outlet::Outlet;
use mains_meter::{Answer, Footprint, Meter, local};
use mains_relay::budget::{Draw, Settlement};
use mains_relay::relay::{AttemptNumber, AttemptSummary};
use mains_units::{Amounts, NanoUsd, Quantity, Span, Usage};
use std::sync::Arc;

/// After stop 9: the figures are known, as far as anyone can know them.
#[derive(Debug)]
pub(crate) struct Settled {
    /// The question and its answer.
    pub relayed: Relayed,
    /// Who answered.
    pub answered: Option<Answered>,
    /// Tokens of everybody who was asked and answered; `None` is unknown.
    pub usage: Option<Usage>,
    /// Money; `None` is unknown.
    pub cost: Option<NanoUsd>,
    /// Energy, carbon, water; `None` is unknown.
    pub footprint: Option<Footprint>,
    /// Whether a scripted stand-in answered for a provider.
    pub stand_in: bool,
    /// From the first byte of the question to the last of the answer.
    pub duration: Span,
    /// From the first byte of the question to the first content.
    pub first_content: Option<Span>,
}

/// The target that answered.
#[derive(Debug)]
pub(crate) struct Answered {
    /// What is known of it.
    pub facts: Arc<TargetFacts>,
    /// Its name.
    pub target: String,
    /// Whether it stood in for another model.
    pub degraded: bool,
}

/// Settles a request.
pub(crate) fn settle(outlet: &Outlet, mut relayed: Relayed) -> Settled {
    let answered = answered(&relayed);
    let paid = paid(outlet, &relayed);
    let someone = !paid.is_empty();
    let nothing = Spent { cost: Some(NanoUsd(0)), ..Spent::default() };
    let Spent { usage, cost, footprint } = paid.into_iter().reduce(Spent::plus).unwrap_or(nothing);
    let actual = actual(someone, usage, cost, footprint.as_ref());
    let hold = relayed.held.hold.take();
    let settlement =
        hold.map_or_else(Settlement::default, |hold| outlet.shared().budgets.settle(hold, &actual));
    if settlement.overshoots() {
        tracing::warn!(request = %relayed.held.asked().who.id, "the provider billed beyond what was held");
    }
    let started = relayed.held.asked().who.started;
    let first = relayed.summary.attempts.iter().rev().find_map(|attempt| attempt.first_content);
    let stand_in =
        answered.as_ref().is_some_and(|answered| outlet.is_stand_in(&answered.facts.upstream.name));
    Settled {
        answered,
        stand_in,
        usage,
        cost,
        footprint,
        duration: relayed.ended.since(started),
        first_content: first.map(|at| at.since(started)),
        relayed,
    }
}

fn answered(relayed: &Relayed) -> Option<Answered> {
    let number = relayed.summary.answered?;
    let attempt = relayed.summary.attempts.iter().find(|attempt| attempt.number == number)?;
    let candidate = relayed.held.routed.choice.candidates.get(attempt.candidate)?;
    let facts = relayed.held.asked().who.live.facts(&attempt.target, &relayed.held.routed.extra)?;
    Some(Answered { facts, target: attempt.target.to_string(), degraded: candidate.degraded })
}

fn cost(outlet: &Outlet, facts: &TargetFacts, usage: &Usage) -> Option<NanoUsd> {
    facts.rates(outlet.catalog, usage.input_total()).map(|rates| rates.cost(usage))
}

/// What one attempt used; unknown is `None`.
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    usage: Option<Usage>,
    cost: Option<NanoUsd>,
    footprint: Option<Footprint>,
}

impl Spent {
    /// Both together; what is unknown of one is unknown of both.
    fn plus(self, other: Self) -> Self {
        let usage = self.usage.zip(other.usage).map(|(one, more)| Usage {
            input: one.input.saturating_add(more.input),
            cached_read: one.cached_read.saturating_add(more.cached_read),
            cached_write: one.cached_write.saturating_add(more.cached_write),
            output: one.output.saturating_add(more.output),
            reasoning: one.reasoning.saturating_add(more.reasoning),
        });
        let cost = self.cost.zip(other.cost).map(|(one, more)| NanoUsd(one.0.saturating_add(more.0)));
        let footprint = self.footprint.zip(other.footprint).map(|(one, more)| one.plus(&more));
        Self { usage, cost, footprint }
    }
}

/// What each used who gave the answer, or a whole one that was put aside.
fn paid(outlet: &Outlet, relayed: &Relayed) -> Vec<Spent> {
    let answered = relayed.summary.answered.map(|number| (number, &relayed.learnt));
    let aside = relayed.aside.iter().map(|(number, learnt)| (*number, learnt));
    let spent = |(number, learnt): (AttemptNumber, &Learnt)| {
        let attempt = relayed.summary.attempts.iter().find(|attempt| attempt.number == number)?;
        let facts = relayed.held.asked().who.live.facts(&attempt.target, &relayed.held.routed.extra)?;
        let usage = learnt.usage;
        Some(Spent {
            usage,
            cost: usage.and_then(|usage| cost(outlet, &facts, &usage)),
            footprint: usage.and_then(|usage| footprint(outlet, &facts, &usage, relayed, learnt, attempt)),
        })
    };
    let mut all: Vec<Spent> =
        answered.into_iter().chain(aside).map(|one| spent(one).unwrap_or_default()).collect();
    if let Some(first) = all.first_mut() {
        first.footprint =
            first.footprint.map(|footprint| with_passed_on(outlet, &relayed.held.routed, footprint));
    }
    all
}

/// The footprint of an answer, and of the labeller that passed the request on to who gave it.
fn with_passed_on(outlet: &Outlet, routed: &Routed, footprint: Footprint) -> Footprint {
    let passed_on = routed.label.as_ref().filter(|call| call.decision.is_err());
    let Some(more) = passed_on.and_then(|call| labelling(outlet, call)) else { return footprint };
    let sum = footprint.plus(&more);
    // How well the answer's own figures are known is not changed by what cannot be seen beside them.
    let is_dust = more.energy_j.high * DUST < footprint.energy_j.low;
    if is_dust { Footprint { grade: footprint.grade, ..sum } } else { sum }
}

fn footprint(
    outlet: &Outlet,
    facts: &TargetFacts,
    usage: &Usage,
    relayed: &Relayed,
    learnt: &Learnt,
    attempt: &AttemptSummary,
) -> Option<Footprint> {
    if facts.upstream.is_labellers() {
        return labelling(outlet, relayed.held.routed.label.as_ref()?);
    }
    if facts.upstream.is_local() {
        return local_footprint(outlet, facts, learnt, attempt);
    }
    let answer = Answer {
        host: facts.upstream.host.as_deref()?,
        model: facts.catalog_id.as_deref()?,
        usage: *usage,
        latency_s: attempt_s(attempt),
        zone: facts.upstream.zone.as_deref(),
    };
    Meter::new(outlet.catalog).footprint(&answer)
}

/// A part that is so many times smaller than the rest does not change its grade.
const DUST: f64 = 100.0;

/// What a labeller took of this machine, whether it answered or not.
fn labelling(outlet: &Outlet, call: &Call) -> Option<Footprint> {
    let meter = Meter::new(outlet.catalog);
    // What labels runs on this thread and waits for nothing but the worker: its time is processor time.
    let took = call.took.as_s_f64();
    let measured =
        call.used.and_then(|used| local::from_sensor(used.packages_j?, used.cpu_s, used.all_cpu_s));
    let cpu_s = call.used.filter(|_| measured.is_none()).map_or(took, |used| used.cpu_s.max(took));
    let (joules, grade) = local::from_processor_time(outlet.processor, cpu_s, took);
    let own = meter.here(joules, grade, None)?;
    match measured {
        Some((joules, grade)) => Some(own.plus(&meter.here(joules, grade, None)?)),
        None => Some(own),
    }
}

fn attempt_s(attempt: &AttemptSummary) -> Option<f64> {
    Some(attempt.ended?.since(attempt.body_sent?).as_s_f64())
}

fn local_footprint(
    outlet: &Outlet,
    facts: &TargetFacts,
    learnt: &Learnt,
    attempt: &AttemptSummary,
) -> Option<Footprint> {
    let wall_s = attempt_s(attempt)?;
    let used = learnt.used;
    let measured = used.and_then(|used| local::from_sensor(used.packages_j?, used.cpu_s, used.all_cpu_s));
    // One thread at full load where the machine does not show processor time.
    let cpu_s = used.map_or(wall_s, |used| used.cpu_s);
    let modelled = || local::from_processor_time(outlet.processor, cpu_s, wall_s);
    let (joules, grade) = measured.unwrap_or_else(modelled);
    Meter::new(outlet.catalog).here(joules, grade, facts.upstream.zone.as_deref())
}

/// What is booked against the budgets. What nobody knows is not named, and stays booked as held.
fn actual(
    answered: bool,
    usage: Option<Usage>,
    cost: Option<NanoUsd>,
    footprint: Option<&Footprint>,
) -> Draw {
    let mut draw = Draw::one_request();
    if !answered {
        for quantity in
            [Quantity::Money, Quantity::Tokens, Quantity::Energy, Quantity::Carbon, Quantity::Water]
        {
            draw = draw.exactly(quantity, 0);
        }
        return draw;
    }
    if let Some(usage) = usage {
        draw = draw.exactly(Quantity::Tokens, usage.total());
    }
    if let Some(cost) = cost {
        draw = draw.exactly(Quantity::Money, cost.0);
    }
    if let Some(footprint) = footprint {
        let central = footprint.central(Amounts::ZERO);
        for quantity in [Quantity::Energy, Quantity::Carbon, Quantity::Water] {
            draw = draw.estimated(quantity, central.get(quantity), footprint.grade);
        }
    }
    draw
}

impl Settled {
    /// What the record names.
    pub(crate) fn who(&self) -> &Who {
        &self.relayed.held.asked().who
    }

    /// The headers that say what answered and what it cost.
    pub(crate) fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![("x-mains-attempts", self.relayed.summary.attempts.len().to_string())];
        if let Some(agreement) = self.relayed.agreement() {
            headers.push(("x-mains-agree", agreement.name().to_owned()));
        }
        if let Some(answered) = &self.answered {
            headers.push(("x-mains-target", answered.target.clone()));
            if answered.degraded {
                headers.push(("x-mains-degraded", answered.facts.model.clone()));
            }
        }
        headers.extend(label_headers(&self.relayed.held.routed));
        if !matches!(self.relayed.told, Told::Answer(_) | Told::Streamed) {
            return headers;
        }
        if let Some(answered) = &self.answered
            && self.stand_in
        {
            headers.push(("x-mains-stand-in", answered.facts.upstream.name.clone()));
        }
        if let Some(cost) = self.cost {
            headers.push(("x-mains-cost-usd", cost.to_string().trim_start_matches('$').to_owned()));
        }
        if let Some(footprint) = &self.footprint {
            let span = |range: mains_units::Range| format!("{}..{}", short(range.low), short(range.high));
            headers.push(("x-mains-energy-j", span(footprint.energy_j)));
            headers.push(("x-mains-co2-g", span(footprint.co2_g)));
            headers.push(("x-mains-water-ml", span(footprint.water_l.scaled(1_000.0))));
            headers.push(("x-mains-grade", footprint.grade.to_string()));
        }
        if !self.relayed.losses.is_empty() {
            headers.push(("x-mains-losses", losses_header(&self.relayed.losses)));
        }
        headers
    }
}

/// What the labeller of the route did: the confidence of its answer, or why the request went on and what that took.
pub(crate) fn label_headers(routed: &Routed) -> Vec<(&'static str, String)> {
    let call = routed.label.as_ref();
    let confidence = call.and_then(Call::confidence);
    let escalated = call.and_then(Call::escalated);
    let confidence = confidence.map(|text| ("x-mains-label-confidence", text));
    confidence.into_iter().chain(escalated.map(|text| ("x-mains-label", text))).collect()
}

/// Losses in one header line; a long list is cut and counted.
pub(crate) fn losses_header(losses: &[String]) -> String {
    let shown: Vec<String> = losses
        .iter()
        .take(8)
        .map(|loss| loss.chars().filter(|c| c.is_ascii() && !c.is_ascii_control()).take(120).collect())
        .collect();
    let rest = losses.len().saturating_sub(shown.len());
    let more = if rest > 0 { format!("; and {rest} more") } else { String::new() };
    shown.join("; ") + &more
}

/// Three significant digits, without an exponent.
pub(crate) fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    rounded.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_in_headers_are_short_and_plain() {
        assert_eq!(short(1234.5), "1230");
        assert_eq!(short(0.000_012_345), "0.0000123");
        assert_eq!(losses_header(&vec!["a\nb".into(); 10]), "ab; ab; ab; ab; ab; ab; ab; ab; and 2 more");
    }
}
