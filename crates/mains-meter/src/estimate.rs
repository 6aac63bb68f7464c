//! All figures of one answer together, from the catalogue's facts, and the same explained step by step.
//!
//! The ladder of DESIGN section 4, as far as a provider's answer can climb it: parameter counts known and
//! site known is the EcoLogits method, grade D; site unknown, or parameters unknown, is grade E.

use crate::ecologits::text::{DEFAULT_BATCH, Model, Request, Steps, request};
use crate::ecologits::{Bounds, Impact, Mix, Site, video};
use crate::footprint::{Footprint, JOULES_PER_KWH};
use crate::money::Rates;
use mains_catalog::{Catalog, Parameters, Price, VideoModel};
use mains_units::{Grade, NanoUsd, Range, Usage};
use serde::Serialize;

/// What a whole service spends on one median text reply, watt-hours: Google's median Gemini Apps prompt,
/// August 2025 (0.24), and OpenAI's average ChatGPT query, June 2025 (0.34). Read 2026-11-24.
const TEXT_REPLY_WH: Bounds = Bounds { min: 0.24, max: 0.34 };

/// The reply that those figures are taken to stand for, output tokens (the sample size of EcoLogits).
const TEXT_REPLY_TOKENS: f64 = 400.0;

/// A building of which nothing is known: from Google's fleet (PUE 1.09) to the Uptime survey's mean (1.54, 2025);
/// water on site from AWS-like 0.13 to Google-like 0.999 L/kWh. Read 2026-11-24.
const ANY_SITE: Site = Site { pue: Bounds { min: 1.09, max: 1.54 }, wue_l: Bounds { min: 0.13, max: 0.999 } };

/// The zone used where none is known: the world's mean.
const ANY_ZONE: &str = "WOR";

/// One line of an explanation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// What is computed or looked up.
    pub what: String,
    /// How, with its numbers.
    pub formula: String,
    /// The result with its unit.
    pub result: String,
    /// Where it comes from.
    pub source: String,
}

/// Figures of one answer. `None` is unknown, never 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// Money by list prices.
    pub money: Option<NanoUsd>,
    /// Energy, carbon, water.
    pub footprint: Option<Footprint>,
    /// How they came about.
    pub steps: Vec<Step>,
}

/// One answer to be metered.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// The catalogue's host.
    pub host: &'a str,
    /// The model's id at that host.
    pub model: &'a str,
    /// Tokens.
    pub usage: Usage,
    /// Measured time of the whole answer, seconds.
    pub latency_s: Option<f64>,
    /// Grid zone, where the operator named one.
    pub zone: Option<&'a str>,
}

/// What the method was fed with, kept for the explanation.
struct Inputs {
    model: Model,
    request: Request,
    place: Place,
}

struct Place {
    site: Site,
    mix: Mix,
    zone: String,
    known: bool,
    source: String,
}

/// Meters answers by a catalogue's facts.
#[derive(Debug, Clone, Copy)]
pub struct Meter<'a> {
    catalog: &'a Catalog,
}

impl<'a> Meter<'a> {
    /// A meter that reads this catalogue.
    pub fn new(catalog: &'a Catalog) -> Self {
        Self { catalog }
    }

    /// List prices that hold for a request with so many input tokens; `None` where input or output price is
    /// not known.
    pub fn rates(self, host: &str, model: &str, input_tokens: u64) -> Option<Rates> {
        rates(self.catalog.price(host, model)?, input_tokens)
    }

    /// Money of an answer by list prices.
    pub fn money(self, answer: &Answer<'_>) -> Option<NanoUsd> {
        let rates = self.rates(answer.host, answer.model, answer.usage.input_total())?;
        Some(rates.cost(&answer.usage))
    }

    /// Energy, carbon and water of an answer. `None` for an answer without output tokens: neither the method
    /// nor the class default says anything of it.
    pub fn footprint(self, answer: &Answer<'_>) -> Option<Footprint> {
        if answer.usage.output == 0 {
            return None;
        }
        let place = self.place(answer.host, answer.zone)?;
        match self.catalog.parameters(answer.model) {
            Some(parameters) => {
                let (low, high, grade) = run(&inputs(answer, parameters, place));
                Some(Footprint::from_impacts(&low.impact, &high.impact, grade))
            }
            None => Some(class_default(answer.usage.output, &place)),
        }
    }

    /// The same figures with every step.
    pub fn explain(self, answer: &Answer<'_>) -> Estimate {
        let mut steps = Vec::new();
        let money = self.money(answer);
        steps.push(self.explain_money(answer, money));
        let footprint = self.footprint(answer);
        match (self.place(answer.host, answer.zone), self.catalog.parameters(answer.model)) {
            (Some(place), Some(parameters)) if answer.usage.output > 0 => {
                explain_method(
                    &inputs(answer, parameters, place),
                    parameters,
                    footprint.as_ref(),
                    &mut steps,
                );
            }
            (Some(place), None) if answer.usage.output > 0 => explain_default(answer, &place, &mut steps),
            _ => steps.push(Step {
                what: "energy".into(),
                formula: "no output tokens: the method and the class default say nothing".into(),
                result: "unknown".into(),
                source: "EcoLogits 0.11.3".into(),
            }),
        }
        Estimate { money, footprint, steps }
    }

    /// Energy, carbon and water of one clip of video. `None` where no regression for the model is known, or
    /// its zone is not.
    pub fn video(self, model: &str, clip: &video::Clip, zone: Option<&str>) -> Option<Footprint> {
        let known = self.video_model(model)?;
        let hardware = self.catalog.hardware(&known.hardware)?;
        let host = known.id.split('/').next().unwrap_or_default();
        let place = self.place(host, zone)?;
        let embodied =
            |of: [f64; 3]| crate::ecologits::Embodied { gwp_kg: of[0], adpe_kg: of[1], primary_mj: of[2] };
        let machine = video::Machine {
            watts: Bounds { min: hardware.power_w.min, max: hardware.power_w.max },
            accelerators: f64::from(hardware.accelerators),
            server: embodied(hardware.server_embodied),
            accelerator: embodied(hardware.accelerator_embodied),
        };
        let [n, m, m1, m2, n1, n2, g] = known.regression;
        let regression = video::Regression { n, m, m1, m2, n1, n2, g, silent_weight: known.non_audio_weight };
        let (low, high) = video::request(&regression, &machine, clip, &place.site, &place.mix);
        Some(Footprint::from_impacts(&low, &high, if place.known { Grade::D } else { Grade::E }))
    }

    /// Carbon and water of energy that this machine used: no overhead of a building, no cooling water. Where the
    /// operator named no zone the world's mix stands in, and the figure is of grade E.
    pub fn here(self, joules: Range, grade: Grade, zone: Option<&str>) -> Option<Footprint> {
        let mix = self.catalog.grid(zone.unwrap_or(ANY_ZONE))?;
        let mix =
            Mix { gwp_kg: mix.gwp_kg, adpe_kg: mix.adpe_kg_sb, primary_mj: mix.pe_mj, water_l: mix.wue_l };
        let site = Site { pue: Bounds::exactly(1.0), wue_l: Bounds::exactly(0.0) };
        let mut footprint = Footprint::from_it_energy(joules, &site, &mix, grade);
        if zone.is_none() {
            let wider = Grade::E.factor() / grade.factor();
            let widen = |range: Range| Range { low: range.low / wider, high: range.high * wider, ..range };
            footprint.co2_g = widen(footprint.co2_g);
            footprint.water_l = widen(footprint.water_l);
            footprint.grade = Grade::E;
        }
        Some(footprint)
    }

    fn video_model(self, model: &str) -> Option<&'a VideoModel> {
        let tail = |id: &str| id.rsplit('/').next().is_some_and(|tail| tail.eq_ignore_ascii_case(model));
        self.catalog.videos().find(|known| known.id.eq_ignore_ascii_case(model) || tail(&known.id))
    }

    /// Where the answer was made: the operator's zone first, then the provider's, then the world's.
    fn place(self, host: &str, zone: Option<&str>) -> Option<Place> {
        let defaults = self.catalog.site(host);
        let zone = zone.or_else(|| defaults.map(|site| site.zone.as_ref())).unwrap_or(ANY_ZONE);
        let mix = self.catalog.grid(zone)?;
        let bounds = |b: mains_catalog::Bounds| Bounds { min: b.min, max: b.max };
        Some(Place {
            site: defaults.map_or(ANY_SITE, |site| Site { pue: bounds(site.pue), wue_l: bounds(site.wue_l) }),
            mix: Mix {
                gwp_kg: mix.gwp_kg,
                adpe_kg: mix.adpe_kg_sb,
                primary_mj: mix.pe_mj,
                water_l: mix.wue_l,
            },
            zone: mix.zone.to_string(),
            known: defaults.is_some(),
            source: mix.source.to_string(),
        })
    }

    fn explain_money(self, answer: &Answer<'_>, money: Option<NanoUsd>) -> Step {
        let usage = &answer.usage;
        let Some(rates) = self.rates(answer.host, answer.model, usage.input_total()) else {
            return Step {
                what: "money".into(),
                formula: format!(
                    "no source names input and output price of `{}` at `{}`",
                    answer.model, answer.host
                ),
                result: "unknown".into(),
                source: "catalogue".into(),
            };
        };
        let part = |tokens: u64, rate: mains_units::PicoUsdPerToken| {
            format!("{tokens} × ${}/M", rate.as_usd_per_million())
        };
        let mut parts = vec![part(usage.input, rates.input)];
        if usage.cached_read > 0 {
            parts.push(part(usage.cached_read, rates.cached_read.unwrap_or(rates.input)));
        }
        if usage.cached_write > 0 {
            parts.push(part(usage.cached_write, rates.cached_write.unwrap_or(rates.input)));
        }
        parts.push(part(usage.output, rates.output));
        let code = self.catalog.price(answer.host, answer.model).map_or("", |price| price.source.as_ref());
        Step {
            what: "money".into(),
            formula: parts.join(" + "),
            result: money.map_or_else(|| "unknown".into(), |money| money.to_string()),
            source: self.source(code),
        }
    }

    fn source(self, code: &str) -> String {
        let known = self.catalog.source(code);
        known.map_or_else(|| code.to_owned(), |source| format!("{}, read {}", source.name, source.read))
    }
}

/// The rates of a price for a request with so many input tokens.
pub fn rates(price: &Price, input_tokens: u64) -> Option<Rates> {
    let tier = price.at(input_tokens);
    Some(Rates {
        input: tier.input?,
        output: tier.output?,
        cached_read: tier.cached_read,
        cached_write: tier.cached_write,
    })
}

fn inputs(answer: &Answer<'_>, parameters: &Parameters, place: Place) -> Inputs {
    let bounds = |b: mains_catalog::Bounds| Bounds { min: b.min, max: b.max };
    Inputs {
        model: Model {
            active_b: bounds(parameters.active),
            total_b: bounds(parameters.total),
            tokens_per_s: parameters.tokens_per_second,
            first_token_s: parameters.time_to_first_token_s,
        },
        request: Request {
            output_tokens: answer.usage.output as f64,
            latency_s: answer.latency_s.unwrap_or(f64::INFINITY),
            batch: DEFAULT_BATCH,
        },
        place,
    }
}

fn run(inputs: &Inputs) -> (Steps, Steps, Grade) {
    let (low, high) = request(&inputs.model, &inputs.request, &inputs.place.site, &inputs.place.mix);
    (low, high, if inputs.place.known { Grade::D } else { Grade::E })
}

fn class_default(output_tokens: u64, place: &Place) -> Footprint {
    let share = output_tokens as f64 / TEXT_REPLY_TOKENS;
    let range = Range::between(TEXT_REPLY_WH.min * share, TEXT_REPLY_WH.max * share, Grade::E);
    // The figures are of whole services: facility energy, so the site's overhead is taken out again.
    let pue = (place.site.pue.min * place.site.pue.max).sqrt();
    let it_joules = range.scaled(JOULES_PER_KWH / 1_000.0 / pue);
    Footprint::from_it_energy(it_joules, &place.site, &place.mix, Grade::E)
}

/// One line of an explanation whose source is the method itself.
fn step(what: &str, formula: String, result: String, source: &str) -> Step {
    Step { what: what.into(), formula, result, source: source.into() }
}

const METHOD: &str = "EcoLogits 0.11.3";

fn explain_method(
    inputs: &Inputs,
    parameters: &Parameters,
    result: Option<&Footprint>,
    steps: &mut Vec<Step>,
) {
    let (low, high, grade) = run(inputs);
    steps.extend(explain_machines(inputs, parameters, &low, &high));
    steps.extend(explain_site(&inputs.place, &low.impact, &high.impact));
    let Some(result) = result else { return };
    let energy = result.energy_j;
    steps.push(step(
        "range",
        format!("grade {grade}: low ÷ {f}, high × {f}, central their geometric mean", f = grade.factor()),
        format!("{:.3} to {:.3} J, central {:.3} J", energy.low, energy.high, energy.central),
        "the method ignores input tokens (prefill is free) and assumes H100, FP16, a batch of 64",
    ));
}

/// From parameters to the energy of the machines.
fn explain_machines(inputs: &Inputs, parameters: &Parameters, low: &Steps, high: &Steps) -> [Step; 4] {
    let (model, asked) = (&inputs.model, &inputs.request);
    let known = if parameters.published { "published by the maker" } else { "estimated, not published" };
    let time = model.tokens_per_s.map_or_else(
        || {
            format!(
                "{} tokens × (6.785e-4 × active + 3.119e-4 × {} + 0.01947) s",
                asked.output_tokens, asked.batch
            )
        },
        |rate| {
            format!(
                "{} tokens / {rate} per s + {} s",
                asked.output_tokens,
                model.first_token_s.unwrap_or(0.0)
            )
        },
    );
    let energy = format!(
        "time × 1.2 kW × accelerators/8 / {batch} + accelerators × {tokens} × (1.1665e-6 × e^(-0.011206 × {batch}) × active + 4.0529e-5)/1000",
        batch = asked.batch,
        tokens = asked.output_tokens,
    );
    let it = |steps: &Steps| steps.impact.it_energy_kwh * 1e3;
    [
        step(
            "parameters",
            known.into(),
            format!("active {}, total {} billion", span(model.active_b), span(model.total_b)),
            METHOD,
        ),
        step(
            "time of generation",
            time,
            format!("{} s", between(low.generation_s, high.generation_s)),
            METHOD,
        ),
        step(
            "accelerators",
            "2^ceil(log2(ceil(1.2 × total × 16 bit / 8 / 80 GB)))".into(),
            between(low.accelerators, high.accelerators),
            METHOD,
        ),
        step("energy of the machines", energy, format!("{} Wh", between(it(low), it(high))), METHOD),
    ]
}

/// From the energy of the machines to the plug, the air and the river.
fn explain_site(place: &Place, low: &Impact, high: &Impact) -> [Step; 3] {
    let site = if place.known { "provider default, EcoLogits 0.11.3" } else { "no site known: 1.09 to 1.54" };
    [
        step(
            "energy at the plug",
            format!("PUE {} × energy of the machines", span(place.site.pue)),
            format!("{} Wh", between(low.energy_kwh * 1e3, high.energy_kwh * 1e3)),
            site,
        ),
        step(
            "carbon",
            format!(
                "energy × {} gCO2e/kWh ({}) + making of the hardware",
                grams(place.mix.gwp_kg),
                place.zone
            ),
            format!("{} g", between(low.gwp_kg() * 1e3, high.gwp_kg() * 1e3)),
            &place.source,
        ),
        step(
            "water",
            format!(
                "energy of the machines × ({} on site + PUE × {} off site) L/kWh",
                span(place.site.wue_l),
                place.mix.water_l
            ),
            format!("{} mL", between(low.water_l * 1e3, high.water_l * 1e3)),
            &place.source,
        ),
    ]
}

fn explain_default(answer: &Answer<'_>, place: &Place, steps: &mut Vec<Step>) {
    let footprint = class_default(answer.usage.output, place);
    steps.push(Step {
        what: "energy at the plug".into(),
        formula: format!(
            "no parameter count is known: {} to {} Wh for a reply of {TEXT_REPLY_TOKENS} tokens × {}/{TEXT_REPLY_TOKENS}, grade E: ÷ 10, × 10",
            TEXT_REPLY_WH.min, TEXT_REPLY_WH.max, answer.usage.output
        ),
        result: format!("{:.3} to {:.3} J, central {:.3} J", footprint.energy_j.low, footprint.energy_j.high, footprint.energy_j.central),
        source: "Google, August 2025 (0.24 Wh, median prompt); OpenAI, June 2025 (0.34 Wh, average query)".into(),
    });
    steps.push(Step {
        what: "carbon and water".into(),
        formula: format!(
            "energy × {} gCO2e/kWh; energy of the machines × ({} + PUE × {}) L/kWh ({})",
            grams(place.mix.gwp_kg),
            span(place.site.wue_l),
            place.mix.water_l,
            place.zone
        ),
        result: format!(
            "{:.4} g, {:.4} mL (central)",
            footprint.co2_g.central,
            footprint.water_l.central * 1e3
        ),
        source: place.source.clone(),
    });
}

fn span(bounds: Bounds) -> String {
    between(bounds.min, bounds.max)
}

fn between(low: f64, high: f64) -> String {
    let (low, high) = (short(low), short(high));
    if low == high { low } else { format!("{low} to {high}") }
}

/// Kilograms in grams, as the data writes them: floating point knows a factor of a thousand not quite.
fn grams(kg: f64) -> f64 {
    (kg * 1e9).round() / 1e6
}

/// Four significant digits.
fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    rounded.to_string()
}
