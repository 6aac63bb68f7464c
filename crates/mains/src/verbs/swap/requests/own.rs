//! Our own forms: a body alone, `{"request": …, "answer": …}`, an exchange as `mains records export` prints it.

use super::item::{Item, dialect_of};
use super::records::Place;
use super::{Made, answer, value};
use mains_swap::grade::Said;
use mains_wire::Dialect;
use serde_json::Value;

const HINT: &str =
    "a line is a request body with `messages`, or `{\"request\": …, \"answer\": …}`, or an exported exchange";

/// The item of a record.
pub(super) fn item(record: &Value, place: Place) -> Made {
    let exchange = ["asked", "asked_text", "asked_base64"].iter().any(|name| record.get(name).is_some());
    let made = if exchange { of_exchange(record) } else { of_pair(record, place) };
    made.unwrap_or_else(|why| {
        if why.contains('\n') { Made::Wrong(why) } else { Made::Wrong(format!("{why}\n{HINT}")) }
    })
}

/// An exported exchange: the answer of a failed one is an error, and no reference.
fn of_exchange(record: &Value) -> Result<Made, String> {
    let id = record["request"].as_str().ok_or("the exchange has no name")?.to_owned();
    let dialect = match record["dialect"].as_str() {
        Some(name) => Some(Dialect::parse(name).ok_or_else(|| format!("no dialect is called `{name}`"))?),
        None => dialect_of(&record["asked"]),
    };
    let dialect = dialect.ok_or("it has no `messages`")?;
    if !dialect.is_conversation() {
        return Ok(Made::Left(format!("were asked at another endpoint (`{dialect}`)")));
    }
    let Some(body) = record.get("asked") else { return Ok(Made::Left("have a body that is no JSON".into())) };
    let mut item = match Item::new(id, dialect, body.clone()) {
        Ok(item) => Box::new(item),
        Err(why) if record["status"] == 200 => return Err(why),
        // What the outlet refused is no request to ask again.
        Err(_) => return Ok(Made::Left("were refused as wrong".into())),
    };
    item.at = value::moment(&record["at"]);
    if record["status"] != 200 {
        return Ok(Made::Unanswered(item, "failed when they were asked first".into()));
    }
    let read = match (record.get("answer"), record["answer_text"].as_str()) {
        (Some(answer), _) => item.answered(answer),
        (None, Some(events)) => {
            answer::said_of_stream(dialect, events).map(|said| item.reference = Some(said))
        }
        (None, None) => return Ok(Made::Item(item)),
    };
    Ok(match read {
        Ok(()) => Made::Item(item),
        Err(_) if item.reference.is_none() => {
            Made::Unanswered(item, "have an answer that cannot be read whole".into())
        }
        Err(why) => Made::Wrong(why),
    })
}

/// A body, or a body and what was answered: text, or an answer of the same dialect.
fn of_pair(record: &Value, place: Place) -> Result<Made, String> {
    let pair = record["request"].is_object();
    let body = if pair { &record["request"] } else { record };
    let named = record["dialect"].as_str().filter(|_| pair);
    let dialect = match named {
        Some(name) => Dialect::parse(name).ok_or_else(|| format!("no dialect is called `{name}`"))?,
        None => dialect_of(body).ok_or("it has no `messages`")?,
    };
    let mut item = Box::new(Item::new(place.to_string(), dialect, body.clone())?);
    if pair {
        item.at = value::moment(&record["at"]);
        match record.get("answer") {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => item.reference = Some(Said::text(text.clone())),
            Some(answer) => item.answered(answer)?,
        }
    }
    Ok(Made::Item(item))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mains_units::Timestamp;
    use serde_json::json;

    fn read(record: &Value) -> Item {
        match item(record, Place::Line(4)) {
            Made::Item(item) | Made::Unanswered(item, _) => *item,
            Made::Left(why) | Made::Wrong(why) => panic!("{why}"),
        }
    }

    fn chat() -> Value {
        json!({"model": "m", "messages": [{"role": "user", "content": "hello"}]})
    }

    #[test]
    fn three_forms_and_two_dialects_are_read() {
        let bare = read(&chat());
        assert_eq!((bare.id.as_str(), bare.dialect), ("line 4", Dialect::OpenaiChat));
        assert!(bare.reference.is_none());
        let pair = read(&json!({"request": chat(), "answer": "yes"}));
        assert_eq!(pair.reference, Some(Said::text("yes")));
        let messages =
            json!({"model": "m", "max_tokens": 7, "messages": [{"role": "user", "content": "hello"}]});
        let answer = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
            "content": [{"type": "text", "text": "ham"}], "stop_reason": "end_turn",
            "usage": {"input_tokens": 3, "output_tokens": 1}});
        let mut exchange = json!({"v": 1, "request": "req_1", "dialect": "anthropic_messages", "status": 200,
            "at": "2026-11-01T10:00:00.000Z", "asked": messages, "answer": answer});
        let kept = read(&exchange);
        assert_eq!((kept.id.as_str(), kept.dialect), ("req_1", Dialect::AnthropicMessages));
        assert_eq!((kept.reference, kept.output_max), (Some(Said::text("ham")), Some(7)));
        assert_eq!((kept.recorded.input_tokens, kept.recorded.output_tokens), (Some(3), Some(1)));
        assert_eq!(kept.at, Some(Timestamp(1_793_527_200_000)));
        exchange["status"] = 500.into();
        assert!(read(&exchange).reference.is_none(), "an error is no answer");
    }

    #[test]
    fn other_endpoints_are_left_out_and_wrong_lines_are_said() {
        let embedding = json!({"request": "req_1", "dialect": "openai_embeddings", "status": 200,
            "asked": {"model": "m", "input": "x"}, "answer": {}});
        assert!(
            matches!(item(&embedding, Place::Line(1)), Made::Left(why) if why.contains("openai_embeddings"))
        );
        for wrong in [
            json!({"model": "m"}),
            json!({"model": "m", "messages": 5}),
            json!({"model": 7, "messages": []}),
            json!({"request": {"model": "m", "messages": [{"role": "user", "content": "x"}]}, "answer": {"a": 1}}),
            json!({"request": {"messages": [{}]}, "dialect": "klingon"}),
            json!({"asked": {}, "status": 200}),
        ] {
            assert!(matches!(item(&wrong, Place::Line(1)), Made::Wrong(_)), "{wrong}");
        }
    }
}
