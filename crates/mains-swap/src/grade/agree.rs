//! Whether two answers say the same, when nothing is known of their kind.

use super::{Case, Fields, Grader, LabelRule, Order, Said};

/// Whether two answers are one: the same tool calls with the same arguments, else the same JSON, else the same text when
/// case and the space around it are left aside. Answers that decline, are empty, or hold anything else agree with nothing.
pub fn agree(first: &Said, second: &Said) -> bool {
    if [first, second].iter().any(|said| said.refused || said.other) {
        return false;
    }
    if !first.calls.is_empty() || !second.calls.is_empty() {
        return same(&Grader::Tools(Order::Kept, Fields::default()), first, second);
    }
    // JSON agrees with nothing but JSON; two texts that are none are compared as they are.
    same(&Grader::Json(Fields::default()), first, second)
        || same(&Grader::Label(LabelRule { case: Case::Ignored, labels: Vec::new() }), first, second)
}

fn same(grader: &Grader, first: &Said, second: &Said) -> bool {
    grader.grade(first, second).is_ok_and(|grade| grade.same)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grade::Call;

    #[test]
    fn answers_agree_by_what_they_are() {
        let text = |text: &str| Said::text(text);
        assert!(agree(&text("Yes"), &text(" yes\n")));
        assert!(!agree(&text("Yes"), &text("Yes.")));
        assert!(agree(&text("{\"a\": 1, \"b\": [2]}"), &text("```json\n{\"b\":[2],\"a\":1}\n```")));
        assert!(!agree(&text("{\"a\": 1}"), &text("{\"a\": 1, \"b\": 2}")));
        assert!(!agree(&text("{\"a\": 1}"), &text("1")));
        assert!(!agree(&text(""), &text("")), "nothing was said");
    }

    #[test]
    fn calls_agree_by_name_and_arguments_and_a_refusal_never() {
        let call = |name: &str, arguments: &str| Said {
            calls: vec![Call { name: name.into(), arguments: arguments.into() }],
            ..Said::default()
        };
        assert!(agree(&call("look", "{\"a\":1,\"b\":2}"), &call("look", "{\"b\": 2, \"a\": 1}")));
        assert!(!agree(&call("look", "{\"a\":1}"), &call("look", "{\"a\":2}")));
        assert!(!agree(&call("look", "{}"), &call("find", "{}")));
        assert!(!agree(&call("look", "{}"), &Said::text("look")));
        let refused = Said { refused: true, ..Said::text("no") };
        assert!(!agree(&refused, &refused));
    }
}
