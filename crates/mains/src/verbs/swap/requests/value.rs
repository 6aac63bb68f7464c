//! Values that exports write loosely: JSON inside text, moments with and without an offset, money as a number.

use mains_units::{Day, Timestamp};
use serde_json::Value;
use std::borrow::Cow;

/// A member under one of two names; `null` counts as absent.
pub(super) fn either<'v>(record: &'v Value, one: &str, other: &str) -> Option<&'v Value> {
    [one, other].into_iter().find_map(|name| record.get(name).filter(|value| !value.is_null()))
}

/// JSON that was exported as text is opened; anything else stays.
pub(super) fn opened(value: &Value) -> Cow<'_, Value> {
    let inner = value.as_str().map(str::trim_start).filter(|text| text.starts_with(['{', '[', '"']));
    match inner.and_then(|text| serde_json::from_str(text).ok()) {
        Some(inner) => Cow::Owned(inner),
        None => Cow::Borrowed(value),
    }
}

/// Whether it says nothing: `null`, `{}`, `[]`, empty text.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(members) => members.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A moment: RFC 3339, the same with a blank for the `T` or without an offset (then it is UTC), or seconds since 1970.
pub(in crate::verbs) fn moment(value: &Value) -> Option<Timestamp> {
    if let Some(seconds) = value.as_u64() {
        return i64::try_from(seconds).ok()?.checked_mul(1_000).map(Timestamp);
    }
    let text = value.as_str()?.trim();
    let (day, rest) = text.split_at_checked(10)?;
    let day = Timestamp(0).day().days_until(Day::parse(day)?).checked_mul(86_400_000)?;
    let clock = rest.strip_prefix(['T', ' '])?;
    let end = clock.find(['Z', 'z', '+', '-']).unwrap_or(clock.len());
    let (clock, offset) = clock.split_at(end);
    Some(Timestamp(day + of_day(clock)? - offset_ms(offset)?))
}

/// Milliseconds since midnight of `HH:MM:SS`, any digits of a second behind it.
fn of_day(clock: &str) -> Option<i64> {
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = whole.split(':').map(two_digits);
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let milliseconds: i64 = format!("{:0<3}", fraction.get(..3).unwrap_or(fraction)).parse().ok()?;
    Some(((hours * 60 + minutes) * 60 + seconds) * 1_000 + milliseconds)
}

/// Milliseconds of ``, `Z`, `+02:00`, `-0530`, `+00`.
fn offset_ms(text: &str) -> Option<i64> {
    if text.is_empty() || text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, digits) = text.split_at_checked(1)?;
    let digits = digits.replace(':', "");
    let hours = two_digits(digits.get(..2)?)?;
    let minutes = match digits.get(2..)? {
        "" => 0,
        rest => two_digits(rest)?,
    };
    let minutes = (hours <= 23 && minutes <= 59).then_some(hours * 60 + minutes)?;
    Some(minutes * 60_000 * if sign == "-" { -1 } else { 1 })
}

fn two_digits(text: &str) -> Option<i64> {
    (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Milliseconds between two moments; `None` where one is missing or they stand the wrong way round.
pub(super) fn between(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<u64> {
    u64::try_from(to?.0.checked_sub(from?.0)?).ok()
}

/// US dollars in nano-USD. 0 is what these exports write where they know no price, so it is unknown.
pub(in crate::verbs) fn nano_usd(value: &Value) -> Option<u64> {
    let usd = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    whole((usd * 1e9).round()).filter(|nano| *nano > 0)
}

/// A float as a count. Beyond 2^53 it counts no longer exactly, and is a mistake.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked before")]
fn whole(float: f64) -> Option<u64> {
    (0.0..9e15).contains(&float).then_some(float as u64)
}

/// A count that may be written as text.
pub(super) fn count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| whole(value.as_f64()?)).or_else(|| value.as_str()?.parse().ok())
}

/// A number that may be written as text.
pub(super) fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Number(_) => Some(value.clone()),
        Value::String(text) => serde_json::from_str::<serde_json::Number>(text).ok().map(Value::Number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn moments_are_read_as_exports_write_them() {
        let utc = Some(Timestamp(1_793_527_200_500));
        for text in [
            "2026-11-01T10:00:00.500Z",
            "2026-11-01T10:00:00.500000+00:00",
            "2026-11-01 10:00:00.500000",
            "2026-11-01T12:00:00.5+02:00",
            "2026-11-01T04:30:00.500-0530",
        ] {
            assert_eq!(moment(&json!(text)), utc, "{text}");
        }
        assert_eq!(moment(&json!(1_793_527_200)), Some(Timestamp(1_793_527_200_000)));
        let wrong = json!([
            "",
            "2026-11-01",
            "2026-13-01T10:00:00Z",
            "2026-11-01T25:00:00Z",
            "2026-11-01T10:00Z",
            "2026-11-01T10:00:00+2",
            "2026-11-01T10:00:00.x",
            "é026-11-01T10:00:00",
            null,
            true,
            -1,
            [],
            "2026-11-01T10:00:00+é"
        ]);
        for text in wrong.as_array().unwrap() {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn money_and_counts_are_read_and_zero_money_is_unknown() {
        assert_eq!(nano_usd(&json!(0.000_012)), Some(12_000));
        assert_eq!(nano_usd(&json!("0.5")), Some(500_000_000));
        for unknown in [json!(0), json!(0.0), json!(null), json!("x"), json!(-1), json!(1e30)] {
            assert_eq!(nano_usd(&unknown), None, "{unknown}");
        }
        assert_eq!((count(&json!("12")), count(&json!(12.0)), count(&json!(-1))), (Some(12), Some(12), None));
    }
}
