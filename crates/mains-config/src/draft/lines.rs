//! What a change of a file looks like to its owner: the lines that went and the lines that came.

use std::fmt;

/// A line that differs between two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangedLine<'t> {
    /// It stood on this line, from 1, of the text before.
    Gone(usize, &'t str),
    /// It stands on this line, from 1, of the text after.
    Come(usize, &'t str),
}

impl fmt::Display for ChangedLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, line, text) = match self {
            Self::Gone(line, text) => ('-', line, text),
            Self::Come(line, text) => ('+', line, text),
        };
        write!(f, "{line:>5} {sign}")?;
        if text.is_empty() { Ok(()) } else { write!(f, " {text}") }
    }
}

/// Beyond this many pairs of lines the whole middle counts as changed; a hand-written file has far fewer.
const PAIRS_MAX: usize = 4_000_000;

/// The lines that differ, in the order of the file.
pub fn changed_lines<'t>(before: &'t str, after: &'t str) -> Vec<ChangedLine<'t>> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let start = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let end = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old_middle, new_middle) = (&old_rest[..old_rest.len() - end], &new_rest[..new_rest.len() - end]);
    middle(old_middle, new_middle, start)
}

/// By the longest common subsequence, from the first line on: what went stands before what came.
fn middle<'t>(old: &[&'t str], new: &[&'t str], start: usize) -> Vec<ChangedLine<'t>> {
    let columns = new.len() + 1;
    let comparable = old.len().saturating_mul(new.len()) <= PAIRS_MAX;
    // How many lines the rests from (row, column) on have in common.
    let mut common = vec![0_usize; if comparable { (old.len() + 1) * columns } else { 0 }];
    if comparable {
        for (row, old) in old.iter().enumerate().rev() {
            for (column, new) in new.iter().enumerate().rev() {
                let below = (row + 1) * columns + column;
                common[row * columns + column] = if old == new {
                    common[below + 1] + 1
                } else {
                    common[below].max(common[row * columns + column + 1])
                };
            }
        }
    }
    let (mut row, mut column, mut changed) = (0, 0, Vec::new());
    while row < old.len() || column < new.len() {
        let both = row < old.len() && column < new.len();
        if both && comparable && old[row] == new[column] {
            (row, column) = (row + 1, column + 1);
            continue;
        }
        let goes = column == new.len()
            || both
                && (!comparable
                    || common[(row + 1) * columns + column] >= common[row * columns + column + 1]);
        if goes {
            changed.push(ChangedLine::Gone(start + row + 1, old[row]));
            row += 1;
        } else {
            changed.push(ChangedLine::Come(start + column + 1, new[column]));
            column += 1;
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(before: &str, after: &str) -> Vec<String> {
        changed_lines(before, after).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_what_differs_is_shown_with_its_line() {
        assert_eq!(shown("a\nb\n", "a\nb\n"), Vec::<String>::new());
        assert_eq!(shown("a\nb\n", "a\nx\ny\nb\n"), ["    2 + x", "    3 + y"]);
        assert_eq!(shown("a\nx\nb", "a\nb"), ["    2 - x"]);
        assert_eq!(shown("a\nb\nc\nd\n", "a\nB\nc\n"), ["    2 - b", "    2 + B", "    4 - d"]);
        assert_eq!(shown("", "a"), ["    1 + a"]);
        assert_eq!(shown("a\na\n", "a\na\na\n"), ["    3 + a"]);
    }

    #[test]
    fn what_is_left_and_what_came_make_the_text_after() {
        let mut chance = mains_units::Chance::from_seed(7);
        for round in 0..200 {
            let mut text =
                || -> Vec<String> { (0..chance.below(12)).map(|_| chance.below(4).to_string()).collect() };
            let (before, after) = (text(), text());
            let (old, new) = (before.join("\n"), after.join("\n"));
            let changed = changed_lines(&old, &new);
            let mut left: Vec<(usize, &str)> =
                old.lines().enumerate().map(|(at, line)| (at + 1, line)).collect();
            left.retain(|(at, line)| !changed.contains(&ChangedLine::Gone(*at, line)));
            let mut built: Vec<&str> = left.into_iter().map(|(_, line)| line).collect();
            for change in &changed {
                if let ChangedLine::Come(at, line) = change {
                    built.insert(at - 1, line);
                }
            }
            assert_eq!(built, new.lines().collect::<Vec<_>>(), "round {round}: {before:?} {after:?}");
        }
    }
}
