//! Comments that silence a finding: `mains: ignore[MAINS-RETIRED] until=2027-01-14 reason`.

use mains_units::Day;
use serde::Serialize;

/// One comment that asks to ignore findings of its line, or of the next line if it stands alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ignore {
    /// The line of the comment, from 1.
    pub line: u32,
    /// Whether the comment stands alone, so that it means the line after it.
    pub next_line: bool,
    /// The rules; empty means all.
    pub rules: Vec<String>,
    /// The last day on which it holds.
    pub until: Option<Day>,
    /// The reason, as written.
    pub reason: String,
    /// What is wrong with it; a malformed one silences nothing.
    pub malformed: Option<String>,
}

impl Ignore {
    /// Whether it silences `rule` on `line` as of a day.
    pub fn silences(&self, rule: &str, line: u32, as_of: Day) -> bool {
        let here = self.line == line || (self.next_line && self.line + 1 == line);
        let named = self.rules.is_empty() || self.rules.iter().any(|name| name == rule);
        self.malformed.is_none() && here && named && self.until.is_none_or(|until| as_of <= until)
    }
}

const MARK: &[u8] = b"mains: ignore";

/// Every such comment of a file.
pub(crate) fn ignores(text: &[u8]) -> Vec<Ignore> {
    let mut found = Vec::new();
    let (mut counted, mut line) = (0, 1_u32);
    for at in memchr::memmem::find_iter(text, MARK) {
        let breaks = memchr::memchr_iter(b'\n', &text[counted..at]).count();
        line = line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
        counted = at;
        let from = memchr::memrchr(b'\n', &text[..at]).map_or(0, |newline| newline + 1);
        let to = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |newline| at + newline);
        let alone = text[from..at].iter().all(|b| b.is_ascii_whitespace() || b"#/*;-<!".contains(b));
        let rest = String::from_utf8_lossy(&text[at + MARK.len()..to]);
        found.push(parse(&rest, line, alone));
    }
    found
}

fn parse(rest: &str, line: u32, next_line: bool) -> Ignore {
    let mut ignore =
        Ignore { line, next_line, rules: Vec::new(), until: None, reason: String::new(), malformed: None };
    let mut rest = rest;
    if let Some(inside) = rest.strip_prefix('[') {
        let Some((names, after)) = inside.split_once(']') else {
            ignore.malformed = Some("the list of rules has no `]`".to_owned());
            return ignore;
        };
        ignore.rules =
            names.split(',').map(|name| name.trim().to_ascii_uppercase()).filter(|n| !n.is_empty()).collect();
        let strange = ignore.rules.iter().find(|name| crate::report::Rule::parse(name).is_none());
        ignore.malformed = strange.map(|name| format!("`{name}` is no rule"));
        rest = after;
    }
    let rest = rest.trim().trim_end_matches("*/").trim_end_matches("-->").trim();
    rest.clone_into(&mut ignore.reason);
    if let Some(after) = rest.strip_prefix("until=") {
        let (day, reason) = after.split_once(char::is_whitespace).unwrap_or((after, ""));
        ignore.until = Day::parse(day);
        reason.trim().clone_into(&mut ignore.reason);
        if ignore.until.is_none() {
            ignore.malformed = Some(format!("`{day}` is no day; write YYYY-MM-DD"));
        }
    }
    ignore
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ignore_holds_until_its_day_and_only_for_its_rule() {
        let text = b"x\nm = 'gpt-4' # mains: ignore[MAINS-RETIRED] until=2026-12-01 moving in sprint 9\n";
        let found = ignores(text);
        let day = |text| Day::parse(text).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].line, found[0].next_line), (2, false));
        assert_eq!(found[0].reason, "moving in sprint 9");
        assert!(found[0].silences("MAINS-RETIRED", 2, day("2026-12-01")));
        assert!(!found[0].silences("MAINS-RETIRED", 2, day("2026-12-02")));
        assert!(!found[0].silences("MAINS-UNKNOWN", 2, day("2026-11-24")));
        assert!(!found[0].silences("MAINS-RETIRED", 3, day("2026-11-24")));
    }

    #[test]
    fn a_malformed_ignore_silences_nothing() {
        for text in
            ["# mains: ignore[NO-RULE] x", "# mains: ignore[MAINS-RETIRED x", "# mains: ignore until=soon"]
        {
            let found = ignores(text.as_bytes());
            assert!(found[0].malformed.is_some(), "{text}");
            assert!(!found[0].silences("MAINS-RETIRED", 2, Day::parse("2026-11-24").unwrap()));
        }
    }
}
