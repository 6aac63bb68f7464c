//! One pass over a body before it is read: nesting and surrogates, with the byte where the trouble is.

use super::{DEPTH_LIMIT, ReadError};

/// Refuses bytes that are no UTF-8, are nested too deeply, or hold half a surrogate pair.
pub(super) fn check(bytes: &[u8]) -> Result<&str, ReadError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        ReadError::new(format!("the body is not UTF-8 at byte {}", error.valid_up_to()))
            .hint("send JSON encoded as UTF-8")
    })?;
    let mut depth = 0_usize;
    let mut position = 0;
    while let Some(&byte) = bytes.get(position) {
        position += 1;
        match byte {
            b'"' => position = string_end(bytes, position)?,
            b'{' | b'[' => {
                depth += 1;
                if depth > DEPTH_LIMIT {
                    return Err(ReadError::new(format!(
                        "nested deeper than {DEPTH_LIMIT} levels at byte {}",
                        position - 1
                    ))
                    .hint("flatten the value, or send it as text"));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(text)
}

/// The position behind the closing quote; the end of the bytes if there is none, which the parser reports.
fn string_end(bytes: &[u8], mut position: usize) -> Result<usize, ReadError> {
    loop {
        let Some(found) = memchr::memchr2(b'"', b'\\', bytes.get(position..).unwrap_or_default()) else {
            return Ok(bytes.len());
        };
        position += found;
        if bytes[position] == b'"' {
            return Ok(position + 1);
        }
        position = match unit(bytes, position) {
            Some(0xD800..=0xDBFF) if matches!(unit(bytes, position + 6), Some(0xDC00..=0xDFFF)) => {
                position + 12
            }
            Some(0xD800..=0xDFFF) => {
                return Err(ReadError::new(format!("a lone surrogate in a string at byte {position}"))
                    .hint("text must be Unicode: send both halves of the pair, or U+FFFD"));
            }
            _ => position + 2,
        };
    }
}

/// The UTF-16 unit of the escape `\uXXXX` that starts at `position`, if one does.
fn unit(bytes: &[u8], position: usize) -> Option<u16> {
    let escape = bytes.get(position..position + 6)?;
    let digits = escape.strip_prefix(b"\\u").and_then(|digits| std::str::from_utf8(digits).ok())?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_outside_strings_only() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(check(deep(DEPTH_LIMIT).as_bytes()).is_ok());
        let error = check(deep(DEPTH_LIMIT + 1).as_bytes()).unwrap_err();
        assert_eq!(error.what(), "nested deeper than 128 levels at byte 128");
        assert!(check(format!("\"{}\"", "[".repeat(500)).as_bytes()).is_ok());
        assert!(check(br#""\"[[[[""#).is_ok());
    }

    #[test]
    fn half_a_surrogate_pair_is_refused_with_its_place() {
        assert!(check(br#""\ud83d\ude00""#).is_ok());
        for lone in [&br#""ab\ud83d""#[..], br#""ab\ud83d\u0041""#, br#""ab\ude00\ud83d""#] {
            assert_eq!(check(lone).unwrap_err().what(), "a lone surrogate in a string at byte 3");
        }
        assert!(check(br#""\\ud83d""#).is_ok());
    }
}
