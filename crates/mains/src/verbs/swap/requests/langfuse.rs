//! Langfuse: observations as the API lists them, as the page exports them (JSON) and as the scheduled export writes
//! them (JSON, JSONL); traces with their `observations`.
//!
//! Members: `Observation` and `ObservationsView` of js.reference.langfuse.com (camel case) and
//! langfuse.com/docs/api-and-data-platform/features/blob-storage-export-fields (snake case, JSON inside text,
//! `YYYY-MM-DD HH:MM:SS.ffffff` in UTC), both read 2026-11-28. `input` is whatever the application logged: here a
//! list of messages, or an object with `messages` and perhaps `tools`. Times in `latency` are not used: their unit
//! differs between versions, while the moments are plain.

use super::item::Item;
use super::{Made, Recorded, answer, litellm::one_line, value};
use serde_json::{Value, json};

/// Members of `modelParameters` that are members of a request.
const PARAMETERS: [&str; 8] = [
    "temperature",
    "top_p",
    "max_tokens",
    "max_completion_tokens",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "n",
];

/// The items of a trace.
pub(super) fn trace(mut trace: Value) -> Vec<Made> {
    let Some(observations) = trace["observations"].as_array_mut().map(std::mem::take) else {
        return vec![Made::Left("are traces without `observations`".into())];
    };
    if observations.iter().any(Value::is_string) {
        return vec![Made::Left("are traces that only name their observations (export them whole)".into())];
    }
    if observations.is_empty() {
        return vec![Made::Left("are traces without an observation".into())];
    }
    observations.iter().map(item).collect()
}

/// The item of an observation.
pub(super) fn item(observation: &Value) -> Made {
    match observation["type"].as_str() {
        Some("GENERATION") => {}
        Some("EMBEDDING") => return Made::Left("were asked at another endpoint (embeddings)".into()),
        Some(other) => return Made::Left(format!("are no generations (`{}`)", one_line(other))),
        None => return Made::Left("have no `type`".into()),
    }
    let Some(id) = observation["id"].as_str().filter(|id| !id.is_empty()) else {
        return Made::Left("have no `id`".into());
    };
    let input = observation.get("input").map(value::opened);
    let Some(input) = input.filter(|input| !value::is_empty(input)) else {
        return Made::Left("hold no content".into());
    };
    let Some(body) = body(observation, &input) else {
        return Made::Left("have an `input` that is neither messages nor an object with `messages`".into());
    };
    let mut item = match Item::guessed(id.to_owned(), body) {
        Ok(item) => Box::new(item),
        Err(why) => return Made::Left(format!("hold a request that cannot be read: {}", one_line(&why))),
    };
    item.at = value::either(observation, "startTime", "start_time").and_then(value::moment);
    item.recorded = recorded(observation);
    if observation["level"] == "ERROR" {
        return Made::Unanswered(item, "failed when they were asked first".into());
    }
    let output = observation.get("output").map(value::opened).filter(|output| !value::is_empty(output));
    let Some(output) = output else { return Made::Unanswered(item, "were kept without their answer".into()) };
    match answer::said_loosely(as_logged(&observation["output"], &output)) {
        Ok(said) => {
            item.reference = Some(said);
            Made::Item(item)
        }
        Err(_) => Made::Unanswered(item, "have an answer that cannot be read".into()),
    }
}

/// An answer that is itself JSON text must not be opened: only what opens to an answer is one.
fn as_logged<'v>(logged: &'v Value, opened: &'v Value) -> &'v Value {
    let is_answer = ["choices", "content", "tool_calls"].iter().any(|name| opened.get(name).is_some());
    if logged.is_string() && !opened.is_string() && !is_answer { logged } else { opened }
}

/// A request body of the input, with the parameters that stand beside it.
fn body(observation: &Value, input: &Value) -> Option<Value> {
    let mut body = match input {
        Value::Array(messages) => json!({ "messages": messages }),
        Value::Object(members) if members.get("messages").is_some_and(Value::is_array) => input.clone(),
        _ => return None,
    };
    let of_messages =
        body["messages"].as_array().is_some_and(|all| all.iter().all(|one| one["role"].is_string()));
    if !of_messages {
        return None;
    }
    if body["model"].as_str().is_none() {
        let model = value::either(observation, "model", "provided_model_name");
        body["model"] = model.and_then(Value::as_str).unwrap_or("unnamed").into();
    }
    let parameters = value::either(observation, "modelParameters", "model_parameters").map(value::opened);
    for name in PARAMETERS {
        let number = parameters.as_ref().and_then(|all| value::number(all.get(name)?));
        if let Some(number) = number.filter(|_| body.get(name).is_none()) {
            body[name] = number;
        }
    }
    Some(body)
}

fn recorded(observation: &Value) -> Recorded {
    let at = |one: &str, other: &str| value::either(observation, one, other).and_then(value::moment);
    let start = at("startTime", "start_time");
    let (first, end) = (at("completionStartTime", "completion_start_time"), at("endTime", "end_time"));
    let details = value::either(observation, "usageDetails", "usage_details").map(value::opened);
    let usage = value::either(observation, "usage", "usage").map(value::opened);
    // Langfuse sums every kind of use whose name holds `input`, and likewise `output`.
    let summed = |part: &str| {
        let members = details.as_ref()?.as_object()?.iter().filter(|(name, _)| name.contains(part));
        let counts: Vec<u64> = members.filter_map(|(_, count)| value::count(count)).collect();
        (!counts.is_empty()).then(|| counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count)))
    };
    let old = |one: &str, other: &str| value::count(value::either(usage.as_ref()?, one, other)?);
    let costs = value::either(observation, "costDetails", "cost_details").map(value::opened);
    let total = costs.as_ref().and_then(|costs| value::nano_usd(costs.get("total")?));
    let cost = |one: &str, other: &str| value::either(observation, one, other).and_then(value::nano_usd);
    Recorded {
        nano_usd: total
            .or_else(|| cost("calculatedTotalCost", "totalCost"))
            .or_else(|| cost("total_cost", "totalCost")),
        first_ms: value::between(start, first),
        took_ms: value::between(start, end),
        input_tokens: summed("input").or_else(|| old("input", "promptTokens")).filter(|count| *count > 0),
        output_tokens: summed("output")
            .or_else(|| old("output", "completionTokens"))
            .filter(|count| *count > 0),
    }
}
