//! What a drill showed, route by route.

use super::outcome::Outcome;
use crate::print::{self, Trouble};
use mains_units::Span;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The whole drill.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    schema: &'static str,
    target: String,
    lasted_ms: f64,
    survived: bool,
    routes: Vec<Route>,
    /// Where in the ledger it is written down.
    leaf: Option<u64>,
}

/// One route.
#[derive(Debug, Serialize)]
struct Route {
    model: String,
    requests: u64,
    answered: u64,
    answered_by: BTreeMap<String, u64>,
    alive: Figures,
    dead: Figures,
    /// What the first request that was not answered was told.
    first_failure: Option<String>,
}

/// Time, money and energy of the answers; what is unknown is absent, never zero.
#[derive(Debug, Default, Serialize)]
struct Figures {
    answers: u64,
    median_ms: Option<f64>,
    mean_cost_usd: Option<f64>,
    /// Means of the lowest and of the highest figures.
    mean_energy_j: Option<(f64, f64)>,
}

impl Report {
    pub(super) fn of(
        target: &str,
        lasted: Span,
        before: &[Outcome],
        during: &[Outcome],
        leaf: Option<u64>,
    ) -> Self {
        let mut models: Vec<&str> = Vec::new();
        for outcome in during {
            if !models.contains(&outcome.model.as_str()) {
                models.push(&outcome.model);
            }
        }
        let routes: Vec<Route> = models.into_iter().map(|model| Route::of(model, before, during)).collect();
        Self {
            schema: "mains.drill/1",
            target: target.to_owned(),
            lasted_ms: lasted.as_s_f64() * 1e3,
            survived: !routes.is_empty() && routes.iter().all(Route::survived),
            routes,
            leaf,
        }
    }

    /// Whether every request was answered.
    pub(super) fn survived(&self) -> bool {
        self.survived
    }

    pub(super) fn show(&self, json: bool) -> Result<(), Trouble> {
        if json {
            return print::json(self);
        }
        print::data(&self.text());
        Ok(())
    }

    fn text(&self) -> String {
        let requests: u64 = self.routes.iter().map(|route| route.requests).sum();
        let lost = self.routes.iter().filter(|route| !route.survived()).count();
        let verdict = match lost {
            0 => "every request was answered".to_owned(),
            lost => format!("{lost} of {} did not survive", print::plural(self.routes.len() as u64, "route")),
        };
        let mut page = format!("{}\n", print::bold(&format!("{} was dead: {verdict}", self.target)));
        let seconds = self.lasted_ms / 1e3;
        let _ = writeln!(page, "{} in {seconds:.2} s", print::plural(requests, "request"));
        for route in &self.routes {
            page.push('\n');
            page.push_str(&route.text());
        }
        match self.leaf {
            Some(leaf) => {
                let _ = writeln!(page, "\nleaf {leaf} of the ledger says so");
            }
            None => page.push_str("\nthe ledger could not take the drill's leaf\n"),
        }
        page
    }
}

impl Route {
    fn of(model: &str, before: &[Outcome], during: &[Outcome]) -> Self {
        let of = |outcomes: &'_ [Outcome]| -> Figures {
            Figures::of(&outcomes.iter().filter(|o| o.model == model && o.answered).collect::<Vec<_>>())
        };
        let here: Vec<&Outcome> = during.iter().filter(|outcome| outcome.model == model).collect();
        let mut answered_by = BTreeMap::new();
        for outcome in here.iter().filter(|outcome| outcome.answered) {
            *answered_by.entry(outcome.target.clone()).or_insert(0) += 1;
        }
        Self {
            model: model.to_owned(),
            requests: here.len() as u64,
            answered: here.iter().filter(|outcome| outcome.answered).count() as u64,
            answered_by,
            alive: of(before),
            dead: of(during),
            first_failure: here.iter().find_map(|outcome| outcome.why.clone()),
        }
    }

    fn survived(&self) -> bool {
        self.answered == self.requests
    }

    fn text(&self) -> String {
        let mark = if self.survived() { print::good("survived") } else { print::bad("did not survive") };
        let by: Vec<String> =
            self.answered_by.iter().map(|(target, count)| format!("{target} ({count})")).collect();
        let by = if by.is_empty() { String::new() } else { format!(", by {}", by.join(", ")) };
        let mut page = format!(
            "  {}  {mark}: {} of {} answered{by}\n",
            print::bold(&self.model),
            self.answered,
            self.requests
        );
        if let Some(why) = &self.first_failure {
            let _ = writeln!(page, "    not answered: {why}");
        }
        let ms = |figures: &Figures| figures.median_ms.map(|ms| format!("{ms:.1} ms"));
        let usd = |figures: &Figures| figures.mean_cost_usd.map(|cost| format!("${}", plain(cost)));
        let joules = |figures: &Figures| {
            figures
                .mean_energy_j
                .map(|(low, high)| format!("{}..{} J", print::short(low), print::short(high)))
        };
        for (what, of) in
            [("time", &ms as &dyn Fn(&Figures) -> Option<String>), ("money", &usd), ("energy", &joules)]
        {
            let shown = |figures: &Figures| of(figures).unwrap_or_else(|| "unknown".to_owned());
            let _ = writeln!(page, "    {what:7}{} alive, {} dead", shown(&self.alive), shown(&self.dead));
        }
        page
    }
}

impl Figures {
    fn of(answers: &[&Outcome]) -> Self {
        let energies: Vec<(f64, f64)> = answers.iter().filter_map(|outcome| outcome.energy_j).collect();
        let low = mean(energies.iter().map(|(low, _)| *low));
        Self {
            answers: answers.len() as u64,
            median_ms: median(answers.iter().map(|outcome| outcome.took.as_s_f64() * 1e3).collect()),
            mean_cost_usd: mean(answers.iter().filter_map(|outcome| outcome.cost_usd)),
            mean_energy_j: low.zip(mean(energies.iter().map(|(_, high)| *high))),
        }
    }
}

/// Three significant digits without an exponent: `0.000454`, `0.00000008`.
fn plain(value: f64) -> String {
    let zeros = if value > 0.0 { (-value.log10().floor()).max(0.0) } else { 0.0 };
    let decimals = (zeros + 2.0).min(12.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 2 and 12")]
    let text = format!("{value:.*}", decimals as usize);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The middle value; of two middle values, the mean.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = if values.len().is_multiple_of(2) { *values.get(values.len() / 2 - 1)? } else { upper };
    Some(f64::midpoint(lower, upper))
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0_u32, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(model: &str, answered: bool, ms: u64, cost: Option<f64>) -> Outcome {
        Outcome {
            model: model.into(),
            answered,
            target: "b/y".into(),
            attempts: 2,
            took: Span::from_ms(ms),
            cost_usd: cost,
            energy_j: None,
            why: (!answered).then(|| "HTTP 503: nobody".into()),
        }
    }

    #[test]
    fn small_money_is_shown_without_an_exponent() {
        let cases =
            [(8e-8, "0.00000008"), (0.000_212, "0.000212"), (0.0, "0"), (1.5, "1.5"), (12.346, "12.35")];
        for (value, text) in cases {
            assert_eq!(plain(value), text);
        }
    }

    #[test]
    fn what_is_unknown_is_not_zero_and_one_lost_request_is_a_lost_route() {
        let before = [outcome("m", true, 2, None), outcome("m", true, 4, Some(0.5))];
        let during = [outcome("m", true, 9, None), outcome("m", false, 1, None)];
        let report = Report::of("a/x", Span::from_ms(10), &before, &during, Some(7));
        assert!(!report.survived());
        let route = &report.routes[0];
        assert_eq!((route.requests, route.answered), (2, 1));
        assert_eq!((route.alive.median_ms, route.dead.median_ms), (Some(3.0), Some(9.0)));
        assert_eq!((route.alive.mean_cost_usd, route.dead.mean_cost_usd), (Some(0.5), None));
        let page = report.text();
        assert!(page.contains("unknown alive, unknown dead") && page.contains("HTTP 503: nobody"), "{page}");
        assert!(!Report::of("a/x", Span::from_ms(0), &[], &[], None).survived());
    }
}
