//! What a labeller can do exactly as asked, and what it leaves to the teacher.

use super::Pass;
use crate::task::Answer;
use mains_wire::neutral::{Question, Thinking};

/// Fields beyond the neutral form that say nothing about the answer: whose request it is, how it is billed and cached.
const HARMLESS: [&str; 9] = [
    "metadata",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "stream_options",
    "truncation",
    "user",
    "inference_geo",
];

/// What of a request no labeller can do, whatever its text; none where it can.
pub fn declines(question: &Question) -> Option<Pass> {
    let sampling = &question.sampling;
    if sampling.n.is_some_and(|n| n != 1) {
        return Some(Pass::Several);
    }
    if sampling.logprobs == Some(true) || sampling.top_logprobs.is_some_and(|count| count > 0) {
        return Some(Pass::Logprobs);
    }
    if question.thinking.is_some_and(|thinking| thinking != Thinking::Disabled) {
        return Some(Pass::Thinking);
    }
    let asks = |extra: &mains_wire::neutral::Extra| {
        let value = extra.value.as_ref().map(mains_wire::neutral::Json::as_str);
        // What is not wanted need not be done: `store` is the provider's memory of an answer that it did not give.
        let unwanted = matches!(value, Some("false" | "null"));
        !unwanted && !HARMLESS.contains(&extra.path.as_str())
    };
    question.extras.iter().any(asks).then_some(Pass::Field)
}

/// Whether the teacher could have written this answer under the request's limits; if not, which one is in the way.
pub fn fits(question: &Question, answer: &Answer) -> Option<Pass> {
    let calls = answer.calls.iter().map(|call| call.arguments.as_str());
    let mut parts = std::iter::once(answer.text.as_str()).chain(calls);
    if question
        .stop
        .iter()
        .any(|stop| !stop.is_empty() && parts.clone().any(|part| part.contains(stop.as_str())))
    {
        return Some(Pass::Stop);
    }
    // A call's frame takes tokens too; a dozen is more than it does.
    let frame = 12 * answer.calls.len() as u64;
    let tokens = parts.try_fold(frame, |sum: u64, part| sum.checked_add(tokens_at_most(part)));
    let most = question.max_output_tokens.unwrap_or(u64::MAX);
    tokens.is_none_or(|tokens| tokens > most).then_some(Pass::MaxTokens)
}

/// More tokens than a tokenizer of today makes of a label, without knowing which: three letters of a word, or one other
/// character, each make a token. A word of English takes about a token for four letters, so this errs towards asking
/// the teacher.
fn tokens_at_most(text: &str) -> u64 {
    let (mut tokens, mut run) = (0u64, 0u64);
    for character in text.chars() {
        if character.is_ascii_alphabetic() {
            tokens += u64::from(run.is_multiple_of(3));
            run += 1;
        } else {
            run = 0;
            // A blank belongs to the word behind it; a character beyond ASCII may be as many tokens as bytes.
            tokens += if character == ' ' { 0 } else { character.len_utf8() as u64 };
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;
    use mains_wire::Dialect;
    use serde_json::{Value, json};

    fn question(more: &Value) -> Question {
        let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "a"}]});
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        Dialect::OpenaiChat.read_question(body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn what_no_labeller_can_do_is_named() {
        for (more, expected) in [
            (json!({}), None),
            (json!({"temperature": 0, "user": "u", "metadata": {"a": "b"}, "store": false, "n": 1}), None),
            (json!({"n": 2}), Some(Pass::Several)),
            (json!({"logprobs": true}), Some(Pass::Logprobs)),
            (json!({"store": true}), Some(Pass::Field)),
            (json!({"modalities": ["text", "audio"]}), Some(Pass::Field)),
            (json!({"a_field_of_tomorrow": 1}), Some(Pass::Field)),
        ] {
            assert_eq!(declines(&question(&more)), expected, "{more}");
        }
    }

    #[test]
    fn an_answer_must_fit_under_the_limits_that_the_teacher_would_have_had() {
        let word = |text: &str| Answer { text: text.into(), calls: Vec::new() };
        let refund = word("refund_request");
        for (more, expected) in [
            (json!({}), None),
            (json!({"max_tokens": 6}), None),
            (json!({"max_tokens": 5}), Some(Pass::MaxTokens)),
            (json!({"stop": ["\n"]}), None),
            (json!({"stop": ["_"]}), Some(Pass::Stop)),
        ] {
            assert_eq!(fits(&question(&more), &refund), expected, "{more}");
        }
        assert_eq!(fits(&question(&json!({"max_tokens": 1})), &word("spam")), Some(Pass::MaxTokens));
        assert_eq!(fits(&question(&json!({"max_tokens": 1})), &word("yes")), None);
    }
}
