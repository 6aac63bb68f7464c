//! The one text of a value: JSON by RFC 8785, for values that hold whole numbers up to 2^53 and plain keys.

use serde::Serialize;
use serde_json::Value;

/// Keys in order, no white space, the shortest escapes; empty for what cannot be written.
///
/// The forms of this crate hold no fraction and only ASCII keys, so the order of bytes is that of UTF-16 units.
pub(crate) fn json(value: &impl Serialize) -> String {
    let Ok(value) = serde_json::to_value(value) else { return String::new() };
    let mut text = String::new();
    write(&value, &mut text);
    text
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (place, (key, item)) in members.into_iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                out.push_str(&Value::String(key.clone()).to_string());
                out.push(':');
                write(item, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                write(item, out);
            }
            out.push(']');
        }
        // serde_json writes texts and whole numbers as RFC 8785 asks.
        plain => out.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_order_and_nothing_is_between() {
        let value = serde_json::json!({ "b": [1, { "z": null, "a": "\u{1f}\n" }], "a": true });
        assert_eq!(json(&value), r#"{"a":true,"b":[1,{"a":"\u001f\n","z":null}]}"#);
    }
}
