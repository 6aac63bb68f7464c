//! What an answer of the teacher says of the teacher.

use crate::task::{Answer, Shape};
use serde_json::Value;

/// What one answer of the teacher told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heard {
    /// The model that it names.
    pub model: Option<String>,
    /// Its fingerprint, where it gives one.
    pub fingerprint: Option<String>,
    /// The answer as tasks compare it, where it could be read.
    pub answer: Option<Answer>,
}

/// Whether a provider that was asked for `asked` and names `said` can have answered with the same model: providers
/// name the dated version (`gpt-4o-mini-2024-07-18`) or put the maker before the name (`openai/gpt-4o-mini`).
pub fn is_same_model(asked: &str, said: &str) -> bool {
    let last = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
    let (asked, said) = (last(asked), last(said));
    let version = said.strip_prefix(asked.as_str());
    version.is_some_and(|rest| {
        let dated = rest
            .strip_prefix(['-', '@', ':'])
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        rest.is_empty() || dated || rest == "-latest" || rest == ":latest"
    })
}

/// Whether an answer that carries none of the known labels carries another one: it has the task's shape and a short
/// text where the label stands. Anything else (a refusal, a sentence) is an answer without a label.
pub fn other_label(shape: &Shape, answer: &Answer) -> bool {
    const LABEL_BYTES_MAX: usize = 64;
    const LABEL_WORDS_MAX: usize = 4;
    let short = |text: &str| {
        let text = text.trim();
        !text.is_empty()
            && text.len() <= LABEL_BYTES_MAX
            && !text.contains('\n')
            && text.split_whitespace().count() <= LABEL_WORDS_MAX
    };
    let field = |text: &str, key: &str| {
        let Ok(Value::Object(members)) = serde_json::from_str(text) else { return false };
        members.len() == 1 && members.get(key).and_then(Value::as_str).is_some_and(short)
    };
    match (shape, answer.calls.as_slice()) {
        (Shape::Word, []) => !answer.text.trim_start().starts_with('{') && short(&answer.text),
        (Shape::Field { key, .. }, []) => field(&answer.text, key),
        (Shape::Tool { name, argument, .. }, [call]) => {
            call.name == *name && field(&call.arguments, argument)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dated_version_is_the_same_model_and_a_sister_is_not() {
        for (said, same) in [
            ("gpt-4o-mini", true),
            ("gpt-4o-mini-2024-07-18", true),
            ("openai/gpt-4o-mini", true),
            ("gpt-4o-mini-audio", false),
            ("gpt-4o", false),
            ("gpt-4o-minimal", false),
        ] {
            assert_eq!(is_same_model("gpt-4o-mini", said), same, "{said}");
        }
    }

    #[test]
    fn a_new_label_is_told_from_a_sentence() {
        let word = |text: &str| other_label(&Shape::Word, &Answer { text: text.into(), calls: Vec::new() });
        assert!(word("billing_dispute"));
        assert!(!word("I am sorry, but I cannot classify this text."));
        assert!(!word("{\"label\": \"x\"}"));
        let field = Shape::Field { key: "label".into(), before: String::new(), after: String::new() };
        assert!(other_label(&field, &Answer { text: "{\"label\": \"new\"}".into(), calls: Vec::new() }));
        assert!(!other_label(&field, &Answer { text: "{\"kind\": \"new\"}".into(), calls: Vec::new() }));
    }
}
