//! Rows out of a file: CSV with a head (comma, semicolon or tab between fields), or JSON lines.

use crate::print::Trouble;
use serde_json::Value;

/// A file's columns and records, and the lines that are none.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) head: Vec<String>,
    pub(super) records: Vec<Record>,
    pub(super) wrong: Vec<Wrong>,
}

/// One record; a field is absent where a JSON line lacks it or has `null`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) line: u64,
    pub(super) fields: Vec<Option<String>>,
}

/// A line that is not taken, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) line: u64,
    pub(super) why: String,
}

pub(super) fn read(bytes: &[u8], name: &str) -> Result<Table, Trouble> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let table = if bytes.trim_ascii_start().starts_with(b"{") { json_lines(bytes) } else { csv(bytes)? };
    if table.records.is_empty() {
        return Err(match table.wrong.first() {
            Some(Wrong { line, why }) => Trouble::new(format!("`{name}` has no row: line {line}: {why}")),
            None => Trouble::new(format!("`{name}` has no row")),
        }
        .hint("the file is CSV whose first line names the columns, or one JSON object a line"));
    }
    Ok(table)
}

fn csv(bytes: &[u8]) -> Result<Table, Trouble> {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |sign: u8| first.split(|byte| *byte == sign).count();
    // Of equals the comma.
    let delimiter = [b'\t', b';', b','].into_iter().max_by_key(|sign| count(*sign)).unwrap_or(b',');
    let mut reader = ::csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(bytes);
    let head: Vec<String> = reader.headers()?.iter().map(|name| name.trim().to_owned()).collect();
    let mut table = Table { head, ..Table::default() };
    let mut lines = Lines { bytes, upto: 0, line: 1 };
    for record in reader.byte_records() {
        let record = record?;
        let line = lines.of(record.position().map_or(0, ::csv::Position::byte));
        let wrong = |why: String| Wrong { line, why };
        if record.len() != table.head.len() {
            table.wrong.push(wrong(format!(
                "{} fields, and the head names {}",
                record.len(),
                table.head.len()
            )));
            continue;
        }
        match record.iter().map(|field| std::str::from_utf8(field).map(str::to_owned)).collect() {
            Ok(fields) => {
                let fields: Vec<String> = fields;
                table.records.push(Record { line, fields: fields.into_iter().map(Some).collect() });
            }
            Err(_) => table.wrong.push(wrong("not UTF-8 text".into())),
        }
    }
    Ok(table)
}

/// Which line a place is on. Places are asked in their order.
struct Lines<'b> {
    bytes: &'b [u8],
    upto: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the record that begins here. The parser leaves the end of the line before to the next record.
    fn of(&mut self, byte: u64) -> u64 {
        let place = usize::try_from(byte).unwrap_or(usize::MAX).min(self.bytes.len());
        let ends = self.bytes[place..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = &self.bytes[self.upto.min(place + ends)..place + ends];
        self.line += passed.split(|byte| *byte == b'\n').skip(1).count() as u64;
        self.upto = place + ends;
        self.line
    }
}

fn json_lines(bytes: &[u8]) -> Table {
    let mut table = Table::default();
    for (line, bytes) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let members = match serde_json::from_slice(bytes) {
            Ok(Value::Object(members)) => members,
            Ok(_) => {
                table.wrong.push(Wrong { line, why: "no JSON object".into() });
                continue;
            }
            Err(error) => {
                table.wrong.push(Wrong { line, why: format!("no JSON: {error}") });
                continue;
            }
        };
        let mut fields = vec![None; table.head.len()];
        for (name, value) in members {
            let field = match value {
                Value::Null => None,
                Value::String(text) => Some(text),
                other => Some(other.to_string()),
            };
            if let Some(place) = table.head.iter().position(|known| *known == name) {
                fields[place] = field;
            } else {
                table.head.push(name);
                fields.push(field);
            }
        }
        table.records.push(Record { line, fields });
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(u64, Vec<Option<String>>)> {
        read(text.as_bytes(), "x").unwrap().records.into_iter().map(|row| (row.line, row.fields)).collect()
    }

    fn some(fields: &[&str]) -> Vec<Option<String>> {
        fields.iter().map(|field| Some((*field).to_owned())).collect()
    }

    #[test]
    fn csv_is_read_as_programs_write_it() {
        let text = "\u{feff}text,label\r\n\"a, b\nc\",x\r\nd,y\r\n";
        assert_eq!(lines(text), [(2, some(&["a, b\nc", "x"])), (4, some(&["d", "y"]))]);
        assert_eq!(lines("text;label\na, b;x\n"), [(2, some(&["a, b", "x"]))]);
        assert_eq!(lines("text\tlabel\na\tx\n"), [(2, some(&["a", "x"]))]);
    }

    #[test]
    fn a_wrong_line_is_named_and_the_others_are_taken() {
        let table = read(b"text,label\na\nb,x\n\xff,y\n", "x").unwrap();
        assert_eq!(table.records.len(), 1);
        assert_eq!(table.wrong.iter().map(|wrong| wrong.line).collect::<Vec<_>>(), [2, 4]);
        let table = read(b"{\"text\":\"a\",\"label\":1}\n[]\n{\n{\"label\":null,\"n\":2}\n", "x").unwrap();
        assert_eq!(table.head, ["text", "label", "n"]);
        assert_eq!(table.records[1].fields, [None, None, Some("2".into())]);
        assert_eq!(table.wrong.iter().map(|wrong| wrong.line).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn a_file_without_rows_is_refused() {
        for empty in ["", "\n", "text,label\n", "{\n"] {
            assert!(read(empty.as_bytes(), "x").is_err(), "{empty}");
        }
    }
}
