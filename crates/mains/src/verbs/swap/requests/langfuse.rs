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

#[cfg(test)]
mod tests {
    use super::*;
    use mains_swap::grade::Said;

    fn observation() -> Value {
        json!({"id": "o", "type": "GENERATION", "startTime": "2026-11-01T10:00:00Z", "endTime": "2026-11-01T10:00:02Z",
            "completionStartTime": "2026-11-01T10:00:00.600Z", "model": "gpt-4o",
            "modelParameters": {"temperature": "0.2", "max_tokens": "inf", "user": "u"},
            "input": [{"role": "user", "content": "x"}], "output": "y",
            "usageDetails": {"input": 40, "input_cached_tokens": 10, "output": 2, "total": 52},
            "costDetails": {"input": 0.0004, "total": 0.00046}})
    }

    fn read(observation: &Value) -> Item {
        match item(observation) {
            Made::Item(item) | Made::Unanswered(item, _) => *item,
            Made::Left(why) | Made::Wrong(why) => panic!("{why}"),
        }
    }

    #[test]
    fn an_observation_tells_its_parameters_and_what_its_answer_took() {
        let item = read(&observation());
        assert_eq!(item.body["temperature"], 0.2);
        assert_eq!((item.body.get("max_tokens"), item.body.get("user")), (None, None));
        let recorded = Recorded {
            nano_usd: Some(460_000),
            first_ms: Some(600),
            took_ms: Some(2_000),
            input_tokens: Some(50),
            output_tokens: Some(2),
        };
        assert_eq!((item.recorded, item.reference), (recorded, Some(Said::text("y"))));
        let mut old = observation();
        let members = old.as_object_mut().unwrap();
        members.remove("usageDetails");
        members.remove("costDetails");
        old["usage"] = json!({"promptTokens": 9, "completionTokens": 3});
        old["calculatedTotalCost"] = json!(0.5);
        let recorded = read(&old).recorded;
        assert_eq!(
            (recorded.nano_usd, recorded.input_tokens, recorded.output_tokens),
            (Some(500_000_000), Some(9), Some(3))
        );
    }

    #[test]
    fn an_answer_that_is_json_stays_text() {
        let mut json_text = observation();
        json_text["output"] = "{\"label\": \"spam\"}".into();
        assert_eq!(read(&json_text).reference, Some(Said::text("{\"label\": \"spam\"}")));
        json_text["output"] = "{\"role\": \"assistant\", \"content\": \"ham\"}".into();
        assert_eq!(read(&json_text).reference, Some(Said::text("ham")));
    }

    #[test]
    fn observations_of_wrong_types_are_left_out() {
        for (name, value) in [
            ("type", json!(5)),
            ("id", json!(null)),
            ("input", json!({"messages": 5})),
            ("input", json!([1, 2])),
            ("input", json!([{"role": "user", "content": {"a": 1}}])),
        ] {
            let mut wrong = observation();
            wrong[name] = value;
            assert!(matches!(item(&wrong), Made::Left(_)), "{wrong}");
        }
    }
}
