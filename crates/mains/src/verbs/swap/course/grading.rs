//! The grader: the one that the user asks for, else the one that the old model's answers ask for.

use crate::cli::SwapGrader;
use crate::print::Trouble;
use mains_swap::grade::{
    Case, FieldRule, Fields, Grader, Kind, LabelRule, NumberAt, NumberRule, Order, PatternRule, Recognised,
    Said, recognise,
};
use regex::Regex;

/// A grader and its rules in words.
pub(in super::super) struct Chosen {
    pub(in super::super) grader: Grader,
    pub(in super::super) words: String,
}

/// The grader that the user asks for; `None` where the answers shall tell.
pub(in super::super) fn asked_for(flags: &SwapGrader) -> Result<Option<Chosen>, Trouble> {
    let case = case(flags);
    let number = flags.number_tolerance.is_some() || flags.last_number;
    let kinds =
        [!flags.labels.is_empty(), number, flags.pattern.is_some(), flags.check.is_some(), is_json(flags)];
    if kinds.iter().filter(|kind| **kind).count() > 1 {
        return Err(Trouble::new("answers are graded in one way").hint(
            "give one of `--labels`, `--number-tolerance` (with `--last-number`), `--pattern`, `--check` and `--json-…`",
        ));
    }
    if let Some(text) = &flags.check {
        let check = Grader::Pattern(PatternRule::Check(regex("--check", text)?));
        return Ok(Some(chosen(check, format!("an answer passes if it matches `{text}`"))));
    }
    if let Some(text) = &flags.pattern {
        let rule = LabelRule { case, labels: Vec::new() };
        let extract = Grader::Pattern(PatternRule::Extract(regex("--pattern", text)?, rule));
        return Ok(Some(chosen(extract, format!("what `{text}` finds last is compared{}", of(case)))));
    }
    if !flags.labels.is_empty() {
        let words = format!("labels: one of {}{}", flags.labels.join(", "), of(case));
        return Ok(Some(chosen(Grader::Label(LabelRule { case, labels: flags.labels.clone() }), words)));
    }
    if number {
        let share = flags.number_tolerance.unwrap_or(0.0);
        if !(share.is_finite() && (0.0..1.0).contains(&share)) {
            return Err(Trouble::new("`--number-tolerance` is a share of the number, from 0 to 1")
                .hint("`--number-tolerance 0.01` allows one per cent"));
        }
        let (at, place) = if flags.last_number {
            (NumberAt::Last, "last number")
        } else {
            (NumberAt::Whole, "whole answer as number")
        };
        let rule = NumberRule { absolute: 0.0, relative: share };
        return Ok(Some(chosen(
            Grader::Number(at, rule),
            format!("{place}, within {share} of the recorded one"),
        )));
    }
    Ok(None)
}

/// The grader that these answers of the old model ask for; `Err` says why there is none.
pub(in super::super) fn recognised(flags: &SwapGrader, answers: &[Said]) -> Result<Chosen, String> {
    let Recognised { kind, because, labels } = recognise(answers);
    let case = case(flags);
    let grader = match kind {
        Kind::Tools => Grader::Tools(Order::Kept, fields(flags)),
        Kind::Json => Grader::Json(fields(flags)),
        // Asked for: what is no JSON is left out, and told.
        _ if is_json(flags) => Grader::Json(fields(flags)),
        Kind::Label => Grader::Label(LabelRule { case, labels }),
        Kind::Number => Grader::Number(NumberAt::Whole, NumberRule::EXACT),
        Kind::FreeText => return Err(because),
    };
    let name = match &grader {
        Grader::Tools(..) => "tool calls",
        Grader::Json(_) => "JSON",
        Grader::Number(..) => "numbers",
        _ => "labels",
    };
    let mut words = format!("{name}: {because}");
    for (paths, rule) in [(&flags.json_ignore, "ignored"), (&flags.json_any_order, "in any order")] {
        if !paths.is_empty() {
            words = format!("{words}; {} {rule}", paths.join(", "));
        }
    }
    if kind == Kind::Label {
        words.push_str(of(case));
    }
    Ok(chosen(grader, words))
}

fn chosen(grader: Grader, words: String) -> Chosen {
    Chosen { grader, words }
}

fn case(flags: &SwapGrader) -> Case {
    if flags.case_insensitive { Case::Ignored } else { Case::Kept }
}

fn of(case: Case) -> &'static str {
    if case == Case::Ignored { ", upper and lower case alike" } else { "" }
}

fn is_json(flags: &SwapGrader) -> bool {
    !flags.json_ignore.is_empty() || !flags.json_any_order.is_empty()
}

fn fields(flags: &SwapGrader) -> Fields {
    let ignored = flags.json_ignore.iter().map(|path| (path.clone(), FieldRule::Ignored));
    let any_order = flags.json_any_order.iter().map(|path| (path.clone(), FieldRule::AnyOrder));
    Fields { rules: ignored.chain(any_order).collect(), ..Fields::default() }
}

fn regex(flag: &str, text: &str) -> Result<Regex, Trouble> {
    Regex::new(text).map_err(|error| Trouble::new(format!("`{flag}` is no regular expression: {error}")))
}
