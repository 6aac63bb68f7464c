//! One body of an answer that came in pieces.

use mains_wire::Dialect;
use serde_json::Value;

/// The answer as its dialect would have said it in one piece; `None` of a stream that broke.
pub(super) fn whole(dialect: Dialect, bytes: &[u8]) -> Option<Value> {
    let answer = dialect.write_answer(&dialect.read_streamed_answer(bytes).ok()?).ok()?;
    serde_json::from_slice(&answer.bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_stream_reads_as_its_whole_answer_and_a_broken_one_as_none() {
        let piece = |delta: Value, finish: Value| {
            let chunk = json!({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m",
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]});
            format!("data: {chunk}\n\n")
        };
        let text = piece(json!({"role": "assistant", "content": "yes, "}), Value::Null)
            + &piece(json!({"content": "so"}), Value::Null);
        assert!(whole(Dialect::OpenaiChat, text.as_bytes()).is_none());
        let text = text + &piece(json!({}), "stop".into()) + "data: [DONE]\n\n";
        let body = whole(Dialect::OpenaiChat, text.as_bytes()).unwrap();
        assert_eq!(body["choices"][0]["message"]["content"], "yes, so");
        assert_eq!(body["choices"][0]["finish_reason"], "stop");
    }
}
