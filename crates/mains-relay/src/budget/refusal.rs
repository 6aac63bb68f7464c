//! What a caller reads when a cap does not hold a request, and what an operator reads when a cap would
//! not have held it but its figure is too weak to bind.

use super::tree::Scope;
use super::window::Per;
use mains_units::{NanoUsd, Quantity, Timestamp};
use std::fmt;

/// A cap that refuses a request. Amounts are in the unit of [`Quantity::unit`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is capped.
    pub quantity: Quantity,
    /// Whose cap it is.
    pub scope: Scope,
    /// The cap's window.
    pub per: Per,
    /// When the cap renews.
    pub renews_at: Timestamp,
    /// The cap.
    pub limit: u64,
    /// Settled in this window.
    pub used: u64,
    /// Held by requests under way.
    pub held: u64,
    /// What this request asked for; `None` when nobody knows and the budget refuses unknowns.
    pub asked: Option<u64>,
}

/// How a refusal is to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// 429: a rate; the client may wait and try again.
    Rate,
    /// 402 with `x-should-retry: false`: a budget; clients retry a 429 and would hammer it.
    Budget,
}

impl Refusal {
    /// Requests and tokens per window of an hour or less are rates; everything else is a budget. What
    /// can never fit is no rate either: waiting does not help.
    pub fn class(&self) -> Class {
        let countable = matches!(self.quantity, Quantity::Requests | Quantity::Tokens);
        if countable && self.per.is_rate() && self.can_ever_fit() { Class::Rate } else { Class::Budget }
    }

    /// Whether the same request would fit into the empty cap.
    pub fn can_ever_fit(&self) -> bool {
        self.asked.is_some_and(|asked| asked <= self.limit)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { quantity, scope, per, renews_at, limit, used, held, asked } = self;
        let show = |amount: &u64| amount_of(*quantity, *amount);
        write!(f, "the budget of `{scope}` allows {} per {per}: ", show(limit))?;
        match asked {
            Some(asked) => write!(
                f,
                "{} used, {} held, this request needs up to {}; it renews at {renews_at}",
                show(used),
                show(held),
                show(asked)
            )?,
            None => f.write_str("and what this request needs is unknown")?,
        }
        f.write_str(match asked {
            None => "\nhint: route to a target with a price, or say `unknown = \"allow\"` in the budget",
            Some(_) if !self.can_ever_fit() => {
                "\nhint: it can never fit; lower `max_tokens` or raise the budget"
            }
            Some(_) if *held > 0 => "\nhint: held amounts come back when the requests under way end",
            Some(_) => "\nhint: wait for the renewal, lower `max_tokens`, or raise the budget",
        })
    }
}

/// A cap that would have refused the request, had its figure been of a grade that binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What is capped.
    pub quantity: Quantity,
    /// Whose cap it is.
    pub scope: Scope,
    /// The cap's window.
    pub per: Per,
    /// When the cap renews.
    pub renews_at: Timestamp,
    /// The cap.
    pub limit: u64,
    /// What this window would reach with this request.
    pub reached: u64,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { quantity, scope, per, limit, reached, .. } = self;
        write!(
            f,
            "the budget of `{scope}` allows {} per {per} and {} are reached by estimates too weak to bind",
            amount_of(*quantity, *limit),
            amount_of(*quantity, *reached)
        )
    }
}

/// An amount with its unit, money in dollars.
fn amount_of(quantity: Quantity, amount: u64) -> String {
    match quantity {
        Quantity::Money => NanoUsd(amount).to_string(),
        _ => format!("{amount} {}", quantity.unit()),
    }
}
