//! Where labeller and teacher differ, a person says who is right, without knowing who said what.

use super::crew::cores;
use super::found;
use super::judged;
use super::report::percent;
use super::shelf::{self, Shelf};
use crate::cli::DistillGrade;
use crate::print::{self, Ended, Trouble};
use crate::verbs::now;
use console::Term;
use mains_distill::certificate::Share;
use mains_distill::training::Part;
use mains_units::{Chance, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Read};
use std::path::Path;

/// Fewer verdicts say little.
const ENOUGH: usize = 50;

/// Who is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Right {
    Labeller,
    Teacher,
    Both,
    Neither,
}

/// A line of `grades/NAME.jsonl`: no content, labels by number.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Verdict {
    row: String,
    labeller: u32,
    teacher: u32,
    right: Right,
    at: Timestamp,
}

/// A row where both differ.
struct Differing {
    row: String,
    text: String,
    labeller: u32,
    teacher: u32,
}

pub(super) fn run(arguments: &DistillGrade) -> Result<Ended, Trouble> {
    shelf::check_name(&arguments.name)?;
    let shelf = Shelf::at(&arguments.vault.data);
    let (_, labeller) = shelf::labeller(&shelf.file(&arguments.name, "labeller"))?;
    let rows = shelf.rows_of(&arguments.name)?;
    let parts: BTreeMap<&str, Part> = rows.rows.iter().map(|(name, part)| (name.as_str(), *part)).collect();
    let task = found::one(&arguments.vault, &rows.task)?;
    // What it learned from it says right too often.
    let unseen: Vec<_> = task
        .rows
        .iter()
        .filter(|row| matches!(parts.get(row.name.as_str()), Some(Part::Calibrate | Part::Audit)))
        .collect();
    let texts: Vec<&str> = unseen.iter().map(|row| row.text.as_str()).collect();
    let said = judged::labels(&labeller, &texts, cores())?;
    let differ = unseen.iter().zip(&said).filter(|(row, said)| row.label != said.label);
    let mut differ: Vec<Differing> = differ
        .map(|(row, said)| Differing {
            row: row.name.clone(),
            text: row.text.clone(),
            labeller: said.label,
            teacher: row.label,
        })
        .collect();
    let mut chance = Chance::from_seed(arguments.seed);
    for last in (1..differ.len()).rev() {
        let other = usize::try_from(chance.below(last as u64 + 1)).unwrap_or(0);
        differ.swap(last, other);
    }
    differ.truncate(arguments.count.into());
    let path = shelf.grades(&arguments.name);
    let mut verdicts = read(&path)?;
    // Verdicts on an earlier labeller's answers count where both still say the same.
    verdicts.retain(|verdict| differ.iter().any(|row| is_of(verdict, row)));
    let name = |number: u32| {
        let label = task.labels.labels.get(number as usize);
        label.map_or_else(|| number.to_string(), |label| label.written.clone())
    };
    ask(&differ, &mut verdicts, &name, &mut chance, &shelf, &path)?;
    summary(arguments, &verdicts, differ.len(), unseen.len())
}

fn is_of(verdict: &Verdict, row: &Differing) -> bool {
    (verdict.row.as_str(), verdict.labeller, verdict.teacher) == (row.row.as_str(), row.labeller, row.teacher)
}

/// Shows what has no verdict yet, until all have one or the person stops. Each verdict is kept at once.
fn ask(
    differ: &[Differing],
    verdicts: &mut Vec<Verdict>,
    name: &dyn Fn(u32) -> String,
    chance: &mut Chance,
    shelf: &Shelf,
    path: &Path,
) -> Result<(), Trouble> {
    let terminal = (std::io::stdin().is_terminal() && std::io::stdout().is_terminal()).then(Term::stdout);
    shelf.make()?;
    for row in differ {
        // Drawn for all rows, so that a side does not hang on what was graded before.
        let labeller_first = chance.hits(0.5);
        if verdicts.iter().any(|verdict| is_of(verdict, row)) {
            continue;
        }
        let (one, two) =
            if labeller_first { (row.labeller, row.teacher) } else { (row.teacher, row.labeller) };
        if let Some(terminal) = &terminal {
            terminal.clear_screen()?;
        }
        print::say(&format!(
            "{} of {}\n\n{}\n\n1  {}\n2  {}\n\n{}",
            verdicts.len() + 1,
            differ.len(),
            harmless(&row.text),
            harmless(&name(one)),
            harmless(&name(two)),
            print::dim("1 or 2 is right · b both · 0 neither · s later · q quit")
        ));
        let right = loop {
            match key(terminal.as_ref())? {
                None | Some('q' | 'Q') => return Ok(()),
                Some('s' | 'S') => break None,
                Some('b' | 'B') => break Some(Right::Both),
                Some('0') => break Some(Right::Neither),
                Some('1') => break Some(if labeller_first { Right::Labeller } else { Right::Teacher }),
                Some('2') => break Some(if labeller_first { Right::Teacher } else { Right::Labeller }),
                Some(_) => print::say("1, 2, b, 0, s or q"),
            }
        };
        if let Some(right) = right {
            let (labeller, teacher) = (row.labeller, row.teacher);
            verdicts.push(Verdict { row: row.row.clone(), labeller, teacher, right, at: now() });
            write(path, verdicts)?;
        }
    }
    Ok(())
}

/// The next key; `None` at the end of a pipe.
fn key(terminal: Option<&Term>) -> Result<Option<char>, Trouble> {
    if let Some(terminal) = terminal {
        return Ok(Some(terminal.read_char()?));
    }
    let mut byte = [0];
    while std::io::stdin().lock().read(&mut byte)? > 0 {
        if !byte[0].is_ascii_whitespace() {
            return Ok(Some(char::from(byte[0])));
        }
    }
    Ok(None)
}

fn read(path: &Path) -> Result<Vec<Verdict>, Trouble> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let bytes = shelf::bytes(path)?;
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let verdicts: Result<Vec<Verdict>, _> = lines.map(serde_json::from_slice).collect();
    verdicts.map_err(|error| Trouble::new(format!("`{}` cannot be read: {error}", path.display())))
}

fn write(path: &Path, verdicts: &[Verdict]) -> Result<(), Trouble> {
    let mut bytes = Vec::new();
    for verdict in verdicts {
        serde_json::to_writer(&mut bytes, verdict)?;
        bytes.push(b'\n');
    }
    shelf::write(path, &bytes)
}

fn summary(
    arguments: &DistillGrade,
    verdicts: &[Verdict],
    shown: usize,
    of: usize,
) -> Result<Ended, Trouble> {
    let count = |right: Right| verdicts.iter().filter(|verdict| verdict.right == right).count() as u64;
    let (labeller, teacher) = (count(Right::Labeller), count(Right::Teacher));
    // Of the rows where exactly one is right.
    let share = Share::of(labeller, labeller + teacher);
    if arguments.json {
        print::json(&json!({
            "schema": "mains.distill.grade/1", "labeller": arguments.name, "rows": of, "disagreements": shown,
            "graded": verdicts.len(), "labeller_right": labeller, "teacher_right": teacher,
            "both_right": count(Right::Both), "neither_right": count(Right::Neither),
            "labeller_right_of_decided": share,
        }))?;
        return Ok(Ended::Clean);
    }
    print::data(&format!(
        "graded       {} of {} disagreements shown, on {} rows that it did not learn from",
        verdicts.len(),
        shown,
        print::thousands(of as u64)
    ));
    let line = |name: &str, count: u64| print::data(&format!("{name:<13}{count}"));
    line("labeller", labeller);
    line("teacher", teacher);
    line("both", count(Right::Both));
    line("neither", count(Right::Neither));
    if share.of > 0 {
        print::data(&format!(
            "where one is right, it is the labeller in {} (95 %: {} to {})",
            percent(share.ppm),
            percent(share.low_ppm),
            percent(share.high_ppm)
        ));
    }
    if verdicts.len() < ENOUGH.min(shown) {
        print::say(&format!("{ENOUGH} verdicts or more say something; run this again to go on"));
    }
    Ok(Ended::Clean)
}

/// Text of strangers for a terminal: without the characters that steer one.
fn harmless(text: &str) -> String {
    text.chars().filter(|letter| matches!(letter, '\n' | '\t') || !letter.is_control()).collect()
}
