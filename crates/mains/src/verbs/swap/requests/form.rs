//! The forms in which requests come, told by what a record holds.

use super::value;
use serde_json::Value;

/// A form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::verbs::swap) enum Form {
    /// Kept records of this outlet, read where they lie.
    Vault,
    /// Our own: bodies, pairs, exported exchanges.
    Own,
    /// Rows of LiteLLM's spend logs.
    LiteLlm,
    /// Observations of Langfuse.
    Langfuse,
    /// Traces of Langfuse with their observations.
    LangfuseTraces,
    /// A batch input of OpenAI.
    Batch,
    /// A batch output of OpenAI, which holds no requests.
    BatchAnswers,
    /// Chat completions that OpenAI stored.
    Stored,
    /// Chat examples for fine-tuning.
    FineTuning,
}

/// For the hint: what is known.
pub(super) const KNOWN: &str = "known are: a request body with `messages`, `{\"request\": …, \"answer\": …}`, \
    `mains records export`, LiteLLM spend logs, Langfuse observations or traces, OpenAI batch files, stored chat \
    completions, chat fine-tuning files; as JSON lines or one JSON document";

impl Form {
    /// For a reader.
    pub(in crate::verbs::swap) fn words(self) -> &'static str {
        match self {
            Self::Vault => "kept records",
            Self::Own => "requests in our own form",
            Self::LiteLlm => "LiteLLM spend logs",
            Self::Langfuse => "Langfuse observations",
            Self::LangfuseTraces => "Langfuse traces",
            Self::Batch => "an OpenAI batch input",
            Self::BatchAnswers => "an OpenAI batch output",
            Self::Stored => "stored OpenAI chat completions",
            Self::FineTuning => "chat fine-tuning examples",
        }
    }

    /// For a machine.
    pub(in crate::verbs::swap) fn name(self) -> &'static str {
        match self {
            Self::Vault => "vault",
            Self::Own => "own",
            Self::LiteLlm => "litellm",
            Self::Langfuse => "langfuse",
            Self::LangfuseTraces => "langfuse_traces",
            Self::Batch => "openai_batch",
            Self::BatchAnswers => "openai_batch_answers",
            Self::Stored => "openai_stored",
            Self::FineTuning => "openai_fine_tuning",
        }
    }

    /// Whether a machine wrote it page by page, so that a name standing twice is no mistake of a person.
    pub(super) fn is_export(self) -> bool {
        matches!(self, Self::Vault | Self::LiteLlm | Self::Langfuse | Self::LangfuseTraces | Self::Stored)
    }

    /// What to do where it holds nothing to ask.
    pub(super) fn hint(self) -> Option<&'static str> {
        match self {
            Self::Vault => Some(
                "content is kept with `content = \"keep\"` under `[record]`; `mains records stats` counts it",
            ),
            Self::LiteLlm => Some(
                "LiteLLM keeps content only with `store_prompts_in_spend_logs: true` under `general_settings`, \
                 and whole only with a high `MAX_STRING_LENGTH_PROMPT_IN_DB`",
            ),
            Self::Langfuse | Self::LangfuseTraces => Some("export generations with `input` and `output`"),
            Self::Stored => Some(
                "the list of stored completions is without what was asked: fetch \
                 `GET /v1/chat/completions/{id}/messages` for each and put it into the object as `messages`",
            ),
            _ => None,
        }
    }
}

/// The form of a record, and of the file that begins with it.
pub(super) fn recognise(record: &Value) -> Option<Form> {
    let has = |name: &str| record.get(name).is_some();
    let last_is_answer = || {
        let last = record["messages"].as_array().and_then(|messages| messages.last());
        last.is_some_and(|message| message["role"] == "assistant")
    };
    if has("asked") || has("asked_text") || has("asked_base64") || record["request"].is_object() {
        Some(Form::Own)
    } else if has("custom_id") {
        if has("response") { Some(Form::BatchAnswers) } else { has("body").then_some(Form::Batch) }
    } else if has("request_id") && (has("call_type") || has("spend")) {
        Some(Form::LiteLlm)
    } else if record["observations"].is_array() {
        Some(Form::LangfuseTraces)
    } else if record["type"].is_string() && value::either(record, "startTime", "start_time").is_some() {
        Some(Form::Langfuse)
    } else if record["object"] == "chat.completion" {
        Some(Form::Stored)
    } else if has("messages") && !has("model") && last_is_answer() {
        Some(Form::FineTuning)
    } else {
        (has("messages") || has("model")).then_some(Form::Own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_record_tells_its_form() {
        let user = json!({"role": "user", "content": "hi"});
        let assistant = json!({"role": "assistant", "content": "hello"});
        for (record, form) in [
            (json!({"model": "m", "messages": [user]}), Some(Form::Own)),
            (json!({"request": {"model": "m", "messages": [user]}, "answer": "x"}), Some(Form::Own)),
            (json!({"v": 1, "request": "req_1", "asked": {}}), Some(Form::Own)),
            (json!({"request_id": "r", "call_type": "acompletion", "spend": 0.1}), Some(Form::LiteLlm)),
            (
                json!({"id": "o", "type": "GENERATION", "startTime": "2026-11-01T00:00:00Z"}),
                Some(Form::Langfuse),
            ),
            (json!({"id": "o", "type": "SPAN", "start_time": "2026-11-01 00:00:00"}), Some(Form::Langfuse)),
            (json!({"id": "t", "observations": []}), Some(Form::LangfuseTraces)),
            (
                json!({"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {}}),
                Some(Form::Batch),
            ),
            (json!({"id": "b", "custom_id": "a", "response": {}, "error": null}), Some(Form::BatchAnswers)),
            (json!({"object": "chat.completion", "choices": []}), Some(Form::Stored)),
            (json!({"messages": [user, assistant]}), Some(Form::FineTuning)),
            (json!({"model": "m", "messages": [user, assistant]}), Some(Form::Own)),
            (json!({"text": "hi"}), None),
            (json!([1]), None),
            (json!("x"), None),
            (json!({"custom_id": "a"}), None),
        ] {
            assert_eq!(recognise(&record), form, "{record}");
        }
    }
}
