//! Grading in the terminal: one key a verdict.

use super::desk::{Desk, Said, Shown};
use crate::print::{self, Trouble};
use crate::verbs::swap::outcome::harmless;
use console::Term;
use std::io::{IsTerminal, Read};

/// Where keys come from: a terminal, or a pipe with one letter after the other.
enum Keys {
    Terminal(Term),
    Pipe,
}

impl Keys {
    /// The next key; `None` at the end.
    fn next(&self) -> Result<Option<char>, Trouble> {
        match self {
            Self::Terminal(terminal) => Ok(Some(terminal.read_char()?)),
            Self::Pipe => {
                let mut byte = [0];
                loop {
                    if std::io::stdin().lock().read(&mut byte)? == 0 {
                        return Ok(None);
                    }
                    if !byte[0].is_ascii_whitespace() {
                        return Ok(Some(char::from(byte[0])));
                    }
                }
            }
        }
    }
}

pub(super) fn grade(mut desk: Desk) -> Result<Desk, Trouble> {
    let person = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let keys = if person { Keys::Terminal(Term::stdout()) } else { Keys::Pipe };
    while let Some(shown) = desk.next() {
        if let Keys::Terminal(terminal) = &keys {
            terminal.clear_screen()?;
        }
        print::data(&screen(&desk, &shown));
        let number = shown.number;
        let said = loop {
            match keys.next()? {
                None | Some('q' | 'Q') => return Ok(desk),
                Some(key) => match Said::key(key) {
                    Some(said) => break said,
                    None => print::say("1, 2, 0, s or q"),
                },
            }
        };
        desk.take(number, said)?;
    }
    Ok(desk)
}

fn screen(desk: &Desk, shown: &Shown<'_>) -> String {
    let (graded, all) = desk.progress();
    let part = |name: &str, text: &str| format!("{}\n{}\n\n", print::bold(name), harmless(text).trim_end());
    let head = format!("{graded} of {all} graded. {}\n\n", harmless(desk.criteria()));
    let parts = part("THE REQUEST", shown.prompt) + &part("LEFT", shown.left) + &part("RIGHT", shown.right);
    let keys = print::dim("1 left is better · 2 right is better · 0 neither · s later · q quit");
    format!("{head}{parts}{keys}\n")
}
