//! LiteLLM's spend logs: rows of the table `LiteLLM_SpendLogs`, as `/spend/logs` answers them or as exported.
//!
//! Columns: `litellm/proxy/schema.prisma` of github.com/BerriAI/litellm at 0010143f (read 2026-11-28). Content is
//! there only with `store_prompts_in_spend_logs` (docs.litellm.ai/docs/proxy/ui_logs, updated 2026-10-10): the
//! request in `proxy_server_request`, bare or under `body`; `messages` is filled for realtime calls only (older
//! versions filled it for all). Long texts are cut, with the mark `litellm_truncated`, at
//! `MAX_STRING_LENGTH_PROMPT_IN_DB` characters, 2,048 by default: such a row is not what was asked.

use super::item::Item;
use super::{Made, Recorded, answer, value};
use mains_wire::Dialect;
use serde_json::{Value, json};

const CUT: &str = "litellm_truncated";

/// The item of a row.
pub(super) fn item(row: &Value) -> Made {
    let Some(id) = row["request_id"].as_str().filter(|id| !id.is_empty()) else {
        return Made::Left("have no `request_id`".into());
    };
    let dialect = match row["call_type"].as_str().unwrap_or_default() {
        "" | "completion" | "acompletion" => Dialect::OpenaiChat,
        "anthropic_messages" => Dialect::AnthropicMessages,
        other => return Made::Left(format!("were asked at another endpoint (`{other}`)")),
    };
    let Some(body) = body(row) else {
        return Made::Left("hold no content (`store_prompts_in_spend_logs` was off)".into());
    };
    if body.to_string().contains(CUT) {
        return Made::Left("hold a request that LiteLLM cut".into());
    }
    let mut item = match Item::new(id.to_owned(), dialect, body) {
        Ok(item) => Box::new(item),
        Err(why) => return Made::Left(format!("hold a request that cannot be read: {}", one_line(&why))),
    };
    item.at = row.get("startTime").and_then(value::moment);
    item.recorded = recorded(row);
    if row["status"] == "failure" {
        return Made::Unanswered(item, "failed when they were asked first".into());
    }
    let response = value::opened(&row["response"]);
    if value::is_empty(&response) {
        return Made::Unanswered(item, "were kept without their answer".into());
    }
    if response.to_string().contains(CUT) {
        return Made::Unanswered(item, "have an answer that LiteLLM cut".into());
    }
    match answer::said_loosely(&response) {
        Ok(said) => {
            item.reference = Some(said);
            Made::Item(item)
        }
        Err(_) => Made::Unanswered(item, "have an answer that cannot be read".into()),
    }
}

/// The request as it was sent to the proxy.
fn body(row: &Value) -> Option<Value> {
    let request = value::opened(&row["proxy_server_request"]);
    let request = value::opened(request.get("body").unwrap_or(&request)).into_owned();
    if request["messages"].is_array() {
        let mut request = request;
        if request.get("model").is_none() {
            request["model"] = model(row);
        }
        return Some(request);
    }
    let messages = value::opened(&row["messages"]);
    let filled = messages.as_array().is_some_and(|messages| !messages.is_empty());
    filled.then(|| json!({"model": model(row), "messages": messages}))
}

/// The name that the application asked for, else that of the model.
fn model(row: &Value) -> Value {
    let named = |name: &str| row[name].as_str().filter(|text| !text.is_empty());
    named("model_group").or_else(|| named("model")).unwrap_or("unnamed").into()
}

/// What the row says that the answer took. An answer from LiteLLM's cache says nothing of the model.
fn recorded(row: &Value) -> Recorded {
    let tokens = |name: &str| value::count(&row[name]).filter(|count| *count > 0);
    let mut recorded = Recorded {
        input_tokens: tokens("prompt_tokens"),
        output_tokens: tokens("completion_tokens"),
        ..Recorded::default()
    };
    let cached = row["cache_hit"] == true
        || row["cache_hit"].as_str().is_some_and(|hit| hit.eq_ignore_ascii_case("true"));
    if !cached {
        let at = |name: &str| row.get(name).and_then(value::moment);
        let (start, first, end) = (at("startTime"), at("completionStartTime"), at("endTime"));
        recorded.nano_usd = value::nano_usd(&row["spend"]);
        recorded.took_ms = value::between(start, end);
        // Answers that were not streamed have the end here.
        recorded.first_ms = value::between(start, first.filter(|first| Some(*first) != end));
    }
    recorded
}

pub(super) fn one_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
