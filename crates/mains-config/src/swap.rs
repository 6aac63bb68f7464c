//! `[route.swap]`: a switch of one target for another that was tested, step by step. `mains swap switch` writes it.

use crate::entries::known_upstream;
use crate::problem::{Problem, SourceSpan, closest};
use crate::reader::{Reader, Section};
use crate::settings::{Route, Upstream};
use crate::value::{Complaint, Raw, Scalar, Setting, quoted, quoted_code};
use crate::words::Target;
use mains_units::{Day, Span};
use toml::de::DeValue;

/// `[route.swap]`: one target in place of another, for a rising share of the route's requests.
#[derive(Debug, Clone)]
pub struct Swap {
    /// What is replaced; one of the route's targets.
    pub from: Setting<Target>,
    /// What comes in its place; its upstream exists, and it may be among the route's targets or not.
    pub to: Setting<Target>,
    /// SHA-256 of the signed report of the test, as 64 lower-case hexadecimal digits.
    pub report: Setting<String>,
    /// The shares of the replacement one after the other, in percent: strictly rising from 1, the last is 100. 5, 25,
    /// 50, 100 by default.
    pub steps: Setting<Vec<u8>>,
    /// The least time of a step; a day by default.
    pub hold: Setting<Span>,
    /// The fewest answers of the replacement in a step before the next one; 200 by default.
    pub requests_min: Setting<u64>,
    /// From the start of this day on, in UTC, the switch is whole.
    pub whole_by: Option<Setting<Day>>,
    /// By how many points errors, refusals, schema failures and bad verdicts may be more frequent; 2 by default.
    pub margin: Setting<u64>,
    /// By how many percent cost may exceed what the test measured; 25 by default.
    pub dearer: Setting<u64>,
    /// By how many percent the length of answers may exceed what the test measured; 50 by default.
    pub longer: Setting<u64>,
    /// Where its header stands.
    pub span: SourceSpan,
}

const STEPS: [u8; 4] = [5, 25, 50, 100];
const STEPS_HINT: &str = "write rising percents that end with 100: `[5, 25, 50, 100]`";
const HOLD_HINT: &str =
    "write a whole number and its unit: `\"90s\"`, `\"30m\"`, `\"12h\"`, `\"1d\"` or `\"2w\"`";
/// Longer, and nobody remembers that a switch is under way.
const HOLD_MAX: Span = Span::from_s(365 * 86_400);

/// Reads the table where it is there.
pub(crate) fn swap(section: &mut Section<'_, '_>) -> Option<Swap> {
    if !section.is_there() {
        return None;
    }
    let from = section.required("from", |_| Ok(()));
    let to = section.required("to", |_| Ok(()));
    let report = section.required("report", |report: &String| check_report(report));
    let steps = section.checked_or("steps", STEPS.to_vec(), check_steps);
    let hold = section.value_or("hold", Lasting(Span::from_s(86_400)));
    let requests_min = section.count_or("requests_min", 200, 1..=10_000_000);
    let whole_by = section.value("whole_by");
    let margin = section.count_or("margin", 2, 0..=50);
    let dearer = section.count_or("dearer", 25, 0..=1_000);
    let longer = section.count_or("longer", 50, 0..=1_000);
    section.finish();
    let hold = Setting { value: hold.value.0, origin: hold.origin };
    let (from, to, report, span) = (from?, to?, report?, section.span());
    Some(Swap { from, to, report, steps, hold, requests_min, whole_by, margin, dearer, longer, span })
}

/// What must hold between a switch and the rest of the file.
pub(crate) fn check(reader: &mut Reader<'_>, route: &Route, upstreams: &[Upstream]) {
    let Some(swap) = &route.swap else { return };
    known_upstream(reader, &swap.to, upstreams);
    let place = |setting: &Setting<Target>| setting.span().unwrap_or(swap.span);
    if swap.to.value == swap.from.value {
        let message = format!("{} is to replace itself", quoted_code(&swap.to.value.to_string()));
        let hint = "name the tested replacement in `to`, or take `[route.swap]` out";
        reader.report(Problem::at(place(&swap.to), message).hint(hint));
    }
    let targets: Vec<String> =
        route.targets.iter().flatten().map(|weighted| weighted.target.value.to_string()).collect();
    let from = swap.from.value.to_string();
    // A list without a sound target was complained about already.
    if targets.is_empty() || targets.contains(&from) {
        return;
    }
    let message = format!("{} is not among the `targets` of this route", quoted_code(&from));
    let near = closest(&from, targets.iter().map(String::as_str));
    let hint = near.map_or_else(
        || {
            let list: Vec<String> = targets.iter().take(12).map(|target| format!("`{target}`")).collect();
            format!("only what answers now can be replaced: {}", list.join(", "))
        },
        |near| format!("did you mean `{near}`?"),
    );
    reader.report(Problem::at(place(&swap.from), message).hint(hint));
}

fn check_report(report: &str) -> Result<(), Complaint> {
    let digits = report.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if digits && report.len() == 64 {
        return Ok(());
    }
    let complaint = Complaint::new("expected the hash of a report, 64 lower-case hexadecimal digits");
    Err(complaint.hint("`mains swap switch REPORT` writes it; `mains swap test` prints it"))
}

/// Rising percents from 1 up to 100.
#[expect(clippy::ptr_arg, reason = "every check takes its value by reference, whatever its type")]
fn check_steps(steps: &Vec<u8>) -> Result<(), Complaint> {
    let complain = |message: String| Err(Complaint::new(message).hint(STEPS_HINT));
    if steps.first() == Some(&0) {
        return complain("a step of 0 percent is none".into());
    }
    if let Some((before, after)) =
        steps.iter().zip(steps.iter().skip(1)).find(|(before, after)| before >= after)
    {
        return complain(format!("{after} after {before} does not rise"));
    }
    match steps.last() {
        None => complain("there is no step".into()),
        Some(100) => Ok(()),
        Some(last) => complain(format!("the last step is {last}, not 100")),
    }
}

impl Scalar for Vec<u8> {
    fn read(raw: Raw<'_>) -> Result<Self, Complaint> {
        let percent = |raw: Raw<'_>| {
            let number = raw.integer().map_err(|complaint| complaint.hint(STEPS_HINT))?;
            let percent = u8::try_from(number).ok().filter(|percent| *percent <= 100);
            percent.ok_or_else(|| Complaint::new(format!("{number} is over 100 percent")).hint(STEPS_HINT))
        };
        match raw {
            Raw::Toml(DeValue::Array(items)) => {
                items.iter().map(|item| percent(Raw::Toml(item.get_ref()))).collect()
            }
            Raw::Toml(other) => Err(Complaint::wrong_type("a list of percents", other).hint(STEPS_HINT)),
            Raw::Text(text) => text.split(',').map(|part| percent(Raw::Text(part))).collect(),
        }
    }

    fn show(&self) -> String {
        let items: Vec<String> = self.iter().map(u8::to_string).collect();
        format!("[{}]", items.join(", "))
    }
}

/// A span written as people say it, `1d`, where seconds would have too many zeros.
struct Lasting(Span);

/// The units, the largest first, in seconds.
const UNITS: [(&str, u64); 5] = [("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

/// A span of whole seconds as `[route.swap]` writes it, in the largest unit that divides it; weeks as days.
pub(crate) fn lasting_text(span: Span) -> String {
    let seconds = span.as_ms() / 1_000;
    let whole = UNITS[1..].iter().find(|(_, unit)| seconds > 0 && seconds.is_multiple_of(*unit));
    whole.map_or_else(|| format!("{seconds}s"), |(name, unit)| format!("{}{name}", seconds / unit))
}

/// Reads a span as `[route.swap]` writes it: a whole number and one of `s`, `m`, `h`, `d`, `w`, at most a year.
/// `None` for anything else.
pub fn parse_lasting(text: &str) -> Option<Span> {
    let (number, unit) = UNITS.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = number.parse::<u64>().ok()?.checked_mul(*unit)?;
    (seconds <= HOLD_MAX.as_ms() / 1_000).then(|| Span::from_s(seconds))
}

impl Scalar for Lasting {
    fn read(raw: Raw<'_>) -> Result<Self, Complaint> {
        let text = raw.text().map_err(|complaint| complaint.hint(HOLD_HINT))?;
        parse_lasting(&text).map(Self).ok_or_else(|| {
            Complaint::new(format!("{} is not a span of time up to a year", quoted_code(&text)))
                .hint(HOLD_HINT)
        })
    }

    fn show(&self) -> String {
        quoted(&lasting_text(self.0))
    }
}

impl Scalar for Day {
    /// Written as text or as a date of TOML.
    fn read(raw: Raw<'_>) -> Result<Self, Complaint> {
        let hint = "write the day as `\"2026-12-10\"`";
        let text = match raw {
            Raw::Toml(DeValue::Datetime(date)) => date.to_string(),
            other => other.text().map_err(|complaint| complaint.hint(hint))?.into_owned(),
        };
        Self::parse(&text)
            .ok_or_else(|| Complaint::new(format!("{} is not a day", quoted_code(&text))).hint(hint))
    }

    fn show(&self) -> String {
        quoted(&self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_reads_back_as_it_is_written() {
        for (text, seconds, again) in [
            ("0s", 0, "0s"),
            ("90s", 90, "90s"),
            ("120s", 120, "2m"),
            ("36h", 129_600, "36h"),
            ("1d", 86_400, "1d"),
            ("2w", 1_209_600, "14d"),
        ] {
            let span = parse_lasting(text).unwrap();
            assert_eq!((span, lasting_text(span).as_str()), (Span::from_s(seconds), again));
            assert_eq!(parse_lasting(again), Some(span));
        }
        for wrong in ["", "d", "1", "1 d", "-1d", "1.5d", "+1d", "366d", "99999999999999999999w", "1y", "ä"]
        {
            assert_eq!(parse_lasting(wrong), None, "{wrong:?}");
        }
    }
}
