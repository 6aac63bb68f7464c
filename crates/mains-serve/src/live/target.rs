//! What is known of one target: prices, what it can do, when its model ends.

use super::Upstream;
use mains_catalog::{Catalog, Modality, Model};
use mains_infer::models::{self, Purpose};
use mains_meter::Rates;
use mains_relay::route::Capabilities;
use mains_units::{Day, PicoUsdPerToken};
use std::sync::Arc;

/// Where a target's prices come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Pricing {
    /// The configuration names them for this account.
    Own(Rates),
    /// The catalogue's list, less a discount in percent.
    List {
        /// What the account pays less, percent.
        discount_percent: f64,
    },
    /// It runs here: no money changes hands.
    Free,
}

/// What is known of one model at one upstream.
#[derive(Debug)]
pub struct TargetFacts {
    /// Its account.
    pub upstream: Arc<Upstream>,
    /// The model's name there.
    pub model: String,
    /// The catalogue's id of it, where the catalogue knows it at this host.
    pub catalog_id: Option<String>,
    /// What it can do; what no source denies counts as possible.
    pub can: Capabilities,
    /// The day of its end, past or to come.
    pub ends_on: Option<Day>,
    /// Its prices.
    pub pricing: Pricing,
    /// Members of OpenAI chat requests that it takes under another name only: old name, new name.
    pub renames: Vec<(&'static str, &'static str)>,
}

impl TargetFacts {
    /// Reads the catalogue and the account's overlay.
    pub fn new(upstream: &Arc<Upstream>, model: &str, catalog: &Catalog, today: Day) -> Self {
        let host = upstream.host.as_deref();
        let known =
            host.and_then(|host| catalog.lookup(Some(host), model).resolved()).map(|found| found.model);
        let ends_on = host.and_then(|host| catalog.lifecycle(Some(host), model, today).ends_on());
        Self {
            upstream: Arc::clone(upstream),
            model: model.to_owned(),
            catalog_id: known.map(|model| model.id.to_string()),
            can: if upstream.is_local() { local_capabilities(model) } else { capabilities(known) },
            ends_on,
            pricing: pricing(upstream, model),
            renames: host.map_or_else(Vec::new, |host| {
                let id = known.map_or(model, |known| known.id.as_ref());
                mains_wire::parameters::renames(host, id)
            }),
        }
    }

    /// Whether the model is gone on that day.
    pub fn retired(&self, today: Day) -> bool {
        self.ends_on.is_some_and(|end| end <= today)
    }

    /// The prices of a request with so many input tokens; `None` where they are unknown.
    pub fn rates(&self, catalog: &Catalog, input_tokens: u64) -> Option<Rates> {
        match &self.pricing {
            Pricing::Own(rates) => Some(*rates),
            Pricing::Free => Some(Rates {
                input: PicoUsdPerToken(0),
                output: PicoUsdPerToken(0),
                cached_read: None,
                cached_write: None,
            }),
            Pricing::List { discount_percent } => {
                let price = catalog.price(self.upstream.host.as_deref()?, self.catalog_id.as_deref()?)?;
                let list = mains_meter::estimate::rates(price, input_tokens)?;
                Some(discounted(&list, *discount_percent))
            }
        }
    }
}

fn pricing(upstream: &Upstream, model: &str) -> Pricing {
    if upstream.is_local() || upstream.is_labellers() {
        return Pricing::Free;
    }
    let own = upstream.prices.iter().find(|(named, _)| named == model).map(|(_, rates)| *rates);
    own.map_or(Pricing::List { discount_percent: upstream.discount_percent }, Pricing::Own)
}

/// Prices less a discount, rounded up, so that a hold is never too small.
fn discounted(list: &Rates, percent: f64) -> Rates {
    if percent <= 0.0 {
        return *list;
    }
    let factor = (1.0 - percent / 100.0).clamp(0.0, 1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "prices are small and positive"
    )]
    let less = |rate: PicoUsdPerToken| PicoUsdPerToken((rate.0 as f64 * factor).ceil() as u64);
    Rates {
        input: less(list.input),
        output: less(list.output),
        cached_read: list.cached_read.map(less),
        cached_write: list.cached_write.map(less),
    }
}

/// What the engine in this binary does: vectors of texts, or text in, text out, plain or streamed, in a form that
/// is enforced: a schema, or the arguments of one tool.
fn local_capabilities(model: &str) -> Capabilities {
    match models::find(model).map(|known| known.purpose) {
        Some(Purpose::Embeds(_)) => Capabilities::EMBEDDINGS,
        Some(Purpose::Generates) | None => Capabilities::STREAM
            .and(Capabilities::GENERATION)
            .and(Capabilities::SCHEMA)
            .and(Capabilities::TOOLS),
    }
}

fn capabilities(known: Option<&Model>) -> Capabilities {
    let Some(model) = known else { return Capabilities::ALL };
    let mut missing = Capabilities::NONE;
    let denied = |known: Option<bool>| known == Some(false);
    let lacks = |modality| !model.input.is_empty() && !model.input.contains(modality);
    for (lacking, what) in [
        (denied(model.capabilities.tools), Capabilities::TOOLS.and(Capabilities::OPEN_TOOLS)),
        (denied(model.capabilities.streaming), Capabilities::STREAM),
        (lacks(Modality::Image), Capabilities::IMAGES),
        (lacks(Modality::Audio), Capabilities::AUDIO),
        (model.kind == mains_catalog::ModelKind::Embedding, Capabilities::GENERATION),
        (
            matches!(model.kind, mains_catalog::ModelKind::Chat | mains_catalog::ModelKind::Completion),
            Capabilities::EMBEDDINGS,
        ),
    ] {
        if lacking {
            missing = missing.and(what);
        }
    }
    Capabilities::ALL.without(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_discount_never_rounds_a_price_down() {
        let list = Rates {
            input: PicoUsdPerToken(3),
            output: PicoUsdPerToken(10),
            cached_read: Some(PicoUsdPerToken(1)),
            cached_write: None,
        };
        let less = discounted(&list, 10.0);
        assert_eq!(
            (less.input, less.output, less.cached_read),
            (PicoUsdPerToken(3), PicoUsdPerToken(9), Some(PicoUsdPerToken(1)))
        );
        assert_eq!(discounted(&list, 0.0), list);
    }
}
