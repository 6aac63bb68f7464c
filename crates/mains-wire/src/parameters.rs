//! Which parameters a model refuses, renames or ignores: facts, each with its source and the day it was read.
//!
//! They stand in `data/request_parameters.csv`, no field of which holds a comma. A model that is not there is one
//! of which nothing is known, not one that takes everything.

use serde_json::Value;
use std::sync::OnceLock;

const DATA: &str = include_str!("../data/request_parameters.csv");

/// What happens to a request that sets the parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It is refused, unless the value is the one named.
    Refused,
    /// It is refused under this name; the fact's value is the name that is taken.
    Renamed,
    /// It is taken and changes nothing.
    Ignored,
    /// It is refused above the fact's value.
    Most,
    /// It is refused without the parameter.
    Required,
}

impl Effect {
    const ALL: [Self; 5] = [Self::Refused, Self::Renamed, Self::Ignored, Self::Most, Self::Required];

    /// The word in the data.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Renamed => "renamed",
            Self::Ignored => "ignored",
            Self::Most => "most",
            Self::Required => "required",
        }
    }
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterFact {
    hosts: &'static str,
    models: &'static str,
    except: &'static str,
    /// The member of the request's body; `prefill` is a last message of the assistant, `messages[].name` a name in
    /// any message.
    pub parameter: &'static str,
    /// What happens.
    pub effect: Effect,
    /// The value or the name that is taken; empty where there is none.
    pub value: &'static str,
    with: &'static str,
    unless: &'static str,
    /// Where it is said.
    pub source: &'static str,
    /// The day it was read there, `YYYY-MM-DD`.
    pub read: &'static str,
}

/// All facts.
pub fn all() -> &'static [ParameterFact] {
    static FACTS: OnceLock<Vec<ParameterFact>> = OnceLock::new();
    FACTS.get_or_init(|| DATA.lines().skip(1).filter_map(fact).collect())
}

/// The facts of a model at a host, by the catalogue's ids of both.
pub fn of(host: &str, model: &str) -> impl Iterator<Item = &'static ParameterFact> {
    all().iter().filter(move |fact| fact.holds_for(host, model))
}

/// The names that a model takes in place of others: old name, new name. Only what holds for every request.
pub fn renames(host: &str, model: &str) -> Vec<(&'static str, &'static str)> {
    let always = |fact: &&ParameterFact| {
        fact.effect == Effect::Renamed && fact.with.is_empty() && fact.unless.is_empty()
    };
    of(host, model).filter(always).map(|fact| (fact.parameter, fact.value)).collect()
}

fn fact(line: &'static str) -> Option<ParameterFact> {
    let fields: Vec<&str> = line.split(',').collect();
    let [hosts, models, except, parameter, effect, value, with, unless, source, read] =
        fields.try_into().ok()?;
    let effect = Effect::ALL.into_iter().find(|known| known.name() == effect)?;
    Some(ParameterFact { hosts, models, except, parameter, effect, value, with, unless, source, read })
}

/// Whether one of the patterns fits; a star at the end stands for anything.
fn fits(patterns: &str, text: &str) -> bool {
    patterns.split('|').filter(|pattern| !pattern.is_empty()).any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => text.starts_with(start),
        None => text == pattern,
    })
}

impl ParameterFact {
    fn holds_for(&self, host: &str, model: &str) -> bool {
        let model = model.to_ascii_lowercase();
        fits(self.hosts, host) && fits(self.models, &model) && !fits(self.except, &model)
    }

    /// Whether a request with this body, in the dialect of the host, meets it.
    pub fn meets(&self, body: &Value) -> bool {
        let set = |name: &str| body.get(name).filter(|value| !value.is_null());
        if !self.with.is_empty() && set(self.with).is_none() {
            return false;
        }
        if let Some((name, value)) = self.unless.split_once('=')
            && set(name).is_some_and(|set| set == value)
        {
            return false;
        }
        let messages = || body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        match self.parameter {
            "prefill" => messages().last().is_some_and(|last| last["role"] == "assistant"),
            "messages[].name" => messages().iter().any(|message| message["name"].is_string()),
            name => match (self.effect, set(name)) {
                (Effect::Required, set) => set.is_none(),
                (_, None) => false,
                (Effect::Refused, Some(set)) => !self.is_allowed(set),
                (Effect::Most, Some(set)) => {
                    let most: f64 = self.value.parse().unwrap_or(f64::INFINITY);
                    set.as_f64().is_some_and(|set| set > most)
                }
                (Effect::Renamed | Effect::Ignored, Some(_)) => true,
            },
        }
    }

    /// Whether a set value is the one that is taken, or switches off what is refused.
    fn is_allowed(&self, set: &Value) -> bool {
        if *set == Value::Bool(false) {
            return true;
        }
        let allowed: Option<f64> = self.value.parse().ok();
        allowed.zip(set.as_f64()).is_some_and(|(allowed, set)| (allowed - set).abs() < f64::EPSILON)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_row_is_read_and_has_a_source_and_a_day() {
        assert_eq!(all().len(), DATA.lines().count() - 1);
        for fact in all() {
            assert!(!fact.source.is_empty() && fact.read.len() == 10, "{fact:?}");
            assert!(
                !fact.hosts.is_empty() && !fact.models.is_empty() && !fact.parameter.is_empty(),
                "{fact:?}"
            );
            let named = matches!(fact.effect, Effect::Renamed | Effect::Most);
            assert!(!named || !fact.value.is_empty(), "{fact:?}");
        }
    }

    fn met(host: &str, model: &str, body: &Value) -> Vec<&'static str> {
        of(host, model).filter(|fact| fact.meets(body)).map(|fact| fact.parameter).collect()
    }

    #[test]
    fn a_request_meets_the_facts_of_its_parameters() {
        let body = json!({"temperature": 0.2, "max_tokens": 9, "logprobs": false, "n": 1, "seed": 7, "messages": []});
        assert_eq!(met("openai", "gpt-5-mini", &body), ["temperature", "max_tokens"]);
        assert_eq!(
            met("openai", "gpt-5.1", &body),
            ["max_tokens"],
            "without an effort it takes a temperature"
        );
        assert_eq!(met("openai", "gpt-4o", &body), [""; 0]);
        assert_eq!(met("openai", "gpt-5-chat-latest", &body), [""; 0]);
        assert_eq!(met("mistral", "mistral-small-latest", &body), ["seed"]);
        assert_eq!(met("groq", "openai/gpt-oss-20b", &body), [""; 0]);
        let other = json!({"temperature": 1, "n": 2, "reasoning_effort": "low", "tools": [],
            "messages": [{"role": "user", "name": "a"}, {"role": "assistant", "content": "{"}]});
        assert_eq!(met("openai", "gpt-5-mini", &other), [""; 0]);
        assert_eq!(met("openai", "gpt-5.6-sol", &other), ["reasoning_effort"]);
        assert_eq!(met("groq", "openai/gpt-oss-20b", &other), ["n", "messages[].name"]);
        assert_eq!(met("anthropic", "claude-opus-4-6", &other), ["prefill", "max_tokens"]);
        let hot = json!({"temperature": 1.5, "max_tokens": 1});
        assert_eq!(met("anthropic", "claude-haiku-4-5", &hot), ["temperature"]);
        assert_eq!(met("deepseek", "deepseek-reasoner", &hot), ["temperature"]);
        assert!(of("deepseek", "deepseek-reasoner").any(|fact| fact.effect == Effect::Ignored));
    }
}
