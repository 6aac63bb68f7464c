//! Reads comma-separated text without copying it: a field is a piece of the text unless it holds a doubled
//! quote.

use std::borrow::Cow;

/// Text that lives either in this binary or in an overlay.
pub(crate) type Text = Cow<'static, str>;

/// The fields of a row without quotes; missing ones are empty, further ones are left out.
pub(crate) fn split<const N: usize>(line: &str) -> [&str; N] {
    let mut parts = line.split(',');
    std::array::from_fn(|_| parts.next().unwrap_or(""))
}

/// One row's fields, in order; a missing field reads as empty.
pub(crate) struct Fields<'a> {
    rest: Option<&'a str>,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(line: &'a str) -> Self {
        Self { rest: Some(line) }
    }

    /// The next field, or an empty one when the line has ended.
    pub(crate) fn text(&mut self) -> Cow<'a, str> {
        let Some(rest) = self.rest else { return Cow::Borrowed("") };
        if let Some(quoted) = rest.strip_prefix('"') {
            return self.quoted(quoted);
        }
        if let Some(comma) = rest.find(',') {
            self.rest = Some(&rest[comma + 1..]);
            Cow::Borrowed(&rest[..comma])
        } else {
            self.rest = None;
            Cow::Borrowed(rest)
        }
    }

    fn quoted(&mut self, text: &'a str) -> Cow<'a, str> {
        let bytes = text.as_bytes();
        let (mut end, mut doubled) = (0, false);
        while end < bytes.len() {
            if bytes[end] == b'"' {
                if bytes.get(end + 1) != Some(&b'"') {
                    break;
                }
                doubled = true;
                end += 1;
            }
            end += 1;
        }
        let field = &text[..end.min(text.len())];
        let after = text.get(end + 1..).unwrap_or("");
        self.rest = after.strip_prefix(',');
        if doubled { Cow::Owned(field.replace("\"\"", "\"")) } else { Cow::Borrowed(field) }
    }
}

/// The rows after the heading; our own files hold no line break inside a field.
pub(crate) fn rows(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').skip(1).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_split_at_commas_outside_quotes() {
        let mut fields = Fields::of(r#"a,"b, c","say ""no""",,e"#);
        let read: Vec<_> = std::iter::repeat_with(|| fields.text().into_owned()).take(7).collect();
        assert_eq!(read, ["a", "b, c", "say \"no\"", "", "e", "", ""]);
        assert_eq!(rows("h\na\n\nb\n").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(Fields::of("\"open").text(), "open");
    }
}
