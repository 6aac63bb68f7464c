//! Graders by kind of answer.

use mains_swap::grade::{
    Call, Case, Extra, FieldRule, Fields, Kind, LabelRule, Mark, NumberAt, NumberRule, Order, PatternRule,
    Vote, blind, recognise,
};
use mains_swap::{Grader, NotGradable, Said};
use mains_wire::neutral::{Block, CallKind, Choice, Content, StopReason, ToolCall};
use regex::Regex;
use serde_json::json;

fn same(grader: &Grader, reference: &str, answer: &str) -> Result<bool, NotGradable> {
    grader.grade(&Said::text(reference), &Said::text(answer)).map(|grade| grade.same)
}

#[test]
fn labels_are_trimmed_and_nothing_else() {
    let any = Grader::Label(LabelRule::default());
    assert_eq!(same(&any, "Yes", " Yes\n"), Ok(true));
    assert_eq!(same(&any, "Yes", "yes"), Ok(false));
    assert_eq!(same(&any, "", "yes"), Err(NotGradable::NotALabel));
    let closed = Grader::Label(LabelRule { case: Case::Ignored, labels: vec!["Yes".into(), "No".into()] });
    assert_eq!(same(&closed, "YES", "yes"), Ok(true));
    assert_eq!(same(&closed, "Cannot tell", "yes"), Err(NotGradable::NotALabel));
    // An answer that leaves the set is a failure, not a reason to leave the item out.
    let grade = closed.grade(&Said::text("yes"), &Said::text("Yes, because")).unwrap();
    assert_eq!((grade.same, grade.note), (false, Some("none of the labels")));
}

#[test]
fn json_is_compared_field_by_field() {
    let schema = json!({"type": "object", "properties": {
        "name": {"type": "string"}, "total": {"type": "number"}, "made": {"type": "string"},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}},
        "tags": {"type": "array", "items": {"type": "string"}}}});
    let mut fields = Fields::of_schema(&schema);
    fields.rules.insert("total".into(), FieldRule::Number(NumberRule { absolute: 0.01, relative: 0.0 }));
    fields.rules.insert("made".into(), FieldRule::Ignored);
    fields.rules.insert("name".into(), FieldRule::Text(Case::Ignored));
    fields.rules.insert("tags".into(), FieldRule::AnyOrder);
    let grader = Grader::Json(fields);
    let old =
        r#"{"name":"Ann","total":12.5,"made":"today","lines":[{"sku":"a"},{"sku":"b"}],"tags":["x","y"]}"#;
    let new = "```json\n{\"name\":\" ANN\",\"total\":12.505,\"lines\":[{\"sku\":\"a\"},{\"sku\":\"b\"}],\"tags\":[\"y\",\"x\"]}\n```";
    assert_eq!(same(&grader, old, new), Ok(true));
    let new = r#"{"name":"Bob","total":12.6,"lines":[{"sku":"a"}],"tags":["x"],"note":1}"#;
    let grade = grader.grade(&Said::text(old), &Said::text(new)).unwrap();
    let marks: Vec<_> = grade.fields.iter().map(|mark| (mark.path.as_str(), mark.mark)).collect();
    let expected = [
        ("lines[].sku", Mark::Same),
        ("lines[]", Mark::Missing),
        ("name", Mark::Differs),
        ("tags", Mark::Differs),
        ("total", Mark::Differs),
        ("note", Mark::Extra),
    ];
    assert!(!grade.same);
    assert_eq!(marks.len(), expected.len(), "{marks:?}");
    assert!(expected.iter().all(|mark| marks.contains(mark)), "{marks:?}");
    assert_eq!(same(&grader, "no json", old), Err(NotGradable::NotJson));
    assert_eq!(same(&grader, old, "Sure! Here it is:"), Ok(false));
}

#[test]
fn a_surplus_field_counts_unless_forgiven_and_big_numbers_are_not_blurred() {
    let mut fields = Fields::default();
    let strict = Grader::Json(fields.clone());
    assert_eq!(same(&strict, r#"{"a":1.0}"#, r#"{"a":1}"#), Ok(true));
    assert_eq!(same(&strict, r#"{"a":1}"#, r#"{"a":1,"b":2}"#), Ok(false));
    assert_eq!(same(&strict, r#"{"a":9007199254740993}"#, r#"{"a":9007199254740992}"#), Ok(false));
    fields.extra = Extra::Forgiven;
    assert_eq!(same(&Grader::Json(fields), r#"{"a":1}"#, r#"{"a":1,"b":2}"#), Ok(true));
}

fn calls(calls: &[(&str, &str)]) -> Said {
    let call =
        |(name, arguments): &(&str, &str)| Call { name: (*name).into(), arguments: (*arguments).into() };
    Said { calls: calls.iter().map(call).collect(), ..Said::default() }
}

#[test]
fn tool_calls_are_names_arguments_and_perhaps_order() {
    let grader = |order| Grader::Tools(order, Fields::default());
    let two = calls(&[("find", r#"{"q":"a"}"#), ("open", r#"{"id":7}"#)]);
    let turned = calls(&[("open", r#"{ "id": 7 }"#), ("find", r#"{"q":"a"}"#)]);
    let grade = |order, answer: &Said| grader(order).grade(&two, answer).unwrap().same;
    assert!(grade(Order::Kept, &two) && grade(Order::Any, &turned));
    assert!(!grade(Order::Kept, &turned));
    assert!(!grade(Order::Any, &calls(&[("find", r#"{"q":"a"}"#)])), "one call lacks");
    let wrong = calls(&[("find", r#"{"q":"b"}"#), ("open", r#"{"id":7}"#)]);
    let graded = grader(Order::Kept).grade(&two, &wrong).unwrap();
    assert_eq!(
        (graded.same, graded.fields[0].path.as_str(), graded.fields[0].mark),
        (false, "find(q)", Mark::Differs)
    );
    assert!(!grade(Order::Kept, &Said::text("I would call find.")));
    assert_eq!(grader(Order::Kept).grade(&Said::text("hi"), &two), Err(NotGradable::NoCall));
    // Tools of free text.
    let shell = |text| calls(&[("shell", text)]);
    assert!(grader(Order::Kept).grade(&shell("ls -l"), &shell("ls -l\n")).unwrap().same);
    assert!(!grader(Order::Kept).grade(&shell("ls -l"), &shell("ls")).unwrap().same);
}

#[test]
fn numbers_have_tolerances() {
    let grader = |at, absolute, relative| Grader::Number(at, NumberRule { absolute, relative });
    let whole = grader(NumberAt::Whole, 0.0, 0.01);
    assert_eq!(same(&whole, "1,000", "1009.5"), Ok(true));
    assert_eq!(same(&whole, "1000", "1010.5"), Ok(false));
    assert_eq!(same(&whole, "-5", "5"), Ok(false));
    assert_eq!(same(&whole, "12 %", "12%"), Ok(true));
    assert_eq!(same(&whole, "about 12", "12"), Err(NotGradable::NotANumber));
    assert_eq!(same(&whole, "12", "inf"), Ok(false));
    let last = grader(NumberAt::Last, 0.5, 0.0);
    assert_eq!(same(&last, "17 + 25 is 42.", "So we get 42.4, which is it"), Ok(true));
    assert_eq!(same(&last, "1,5,7", "7"), Err(NotGradable::NotANumber), "a list is no number");
}

#[test]
fn patterns_check_or_extract() {
    let check = Grader::Pattern(PatternRule::Check(Regex::new(r"^SELECT\b").unwrap()));
    assert_eq!(same(&check, "anything", "SELECT 1"), Ok(true));
    assert_eq!(same(&check, "SELECT 1", "DROP TABLE a"), Ok(false));
    let rule = LabelRule { case: Case::Ignored, labels: Vec::new() };
    let extract = Grader::Pattern(PatternRule::Extract(Regex::new(r"\[(\w+)\]").unwrap(), rule));
    assert_eq!(same(&extract, "[no] ... so [Yes]", "[yes]"), Ok(true), "the last match counts");
    assert_eq!(same(&extract, "[yes]", "yes"), Ok(false));
    assert_eq!(same(&extract, "yes", "[yes]"), Err(NotGradable::NoMatch));
}

#[test]
fn declining_is_an_answer() {
    let grader = Grader::Label(LabelRule::default());
    let declined = Said { refused: true, ..Said::default() };
    let grade = |old: &Said, new: &Said| grader.grade(old, new).map(|grade| grade.same);
    assert_eq!(grade(&declined, &declined), Ok(true));
    assert_eq!(grade(&declined, &Said::text("yes")), Ok(false));
    assert_eq!(grade(&Said::text("yes"), &declined), Ok(false));
    let told = Said { refused: true, ..Said::text("yes") };
    assert_eq!(grader.grade(&Said::text("yes"), &told).unwrap().note, Some("declined"));
}

#[test]
fn free_text_needs_a_judge_and_turning_verdicts_are_ties() {
    assert_eq!(same(&Grader::FreeText, "a", "a"), Err(NotGradable::NeedsJudge));
    assert_eq!(blind(Vote::Second, Vote::First), 2);
    assert_eq!(blind(Vote::First, Vote::Second), 0);
    assert_eq!(blind(Vote::First, Vote::First), 1, "the judge likes the first place");
    assert_eq!(blind(Vote::Tie, Vote::First), 1);
}

#[test]
fn the_neutral_form_is_read() {
    let call =
        ToolCall { id: "c1".into(), name: "find".into(), arguments: "{}".into(), kind: CallKind::Function };
    let thought = Content::Reasoning { text: "hm".into(), signature: None };
    let choice = Choice {
        blocks: vec![
            Block::new(thought),
            Block::text("a"),
            Block::text("b"),
            Block::new(Content::ToolCall(call)),
        ],
        stop: Some(StopReason::ToolUse),
        ..Choice::default()
    };
    let said = Said::of(&choice);
    assert_eq!((said.text.as_str(), said.calls.len(), said.refused, said.other), ("ab", 1, false, false));
    let refused = Choice { stop: Some(StopReason::Refusal { category: None, explanation: None }), ..choice };
    assert!(Said::of(&refused).refused);
}

#[test]
fn the_kind_of_answers_is_told_with_its_reason() {
    let texts = |make: &dyn Fn(usize) -> String| (0..100).map(|i| Said::text(make(i))).collect::<Vec<_>>();
    let kind = |answers: &[Said]| recognise(answers).kind;
    let labels = recognise(&texts(&|i| ["billing", "refund", "other"][i % 3].into()));
    assert_eq!((labels.kind, labels.labels.len()), (Kind::Label, 3));
    assert_eq!(labels.because, "100 of 100 answers are 3 short texts, 0 of them seen once");
    assert_eq!(labels.labels[0], "billing");
    assert_eq!(kind(&texts(&|i| format!("{{\"n\":{i}}}"))), Kind::Json);
    assert_eq!(kind(&texts(&|i| format!("{}.5", i * 7))), Kind::Number);
    assert_eq!(
        kind(&texts(&|i| format!("well, {i} is a fine number"))),
        Kind::FreeText,
        "short, but never twice"
    );
    assert_eq!(kind(&vec![calls(&[("find", "{}")]); 5]), Kind::Tools);
    assert_eq!(kind(&texts(&|i| ["1", "2", "3", "4", "5"][i % 5].into())), Kind::Label, "ratings are labels");
    assert_eq!(kind(&[Said::text("yes")]), Kind::FreeText, "one answer shows no closed set");
    assert_eq!(kind(&[]), Kind::FreeText);
}
