//! Jupyter notebooks: the text of the code cells, with the place of every byte in the raw file.

/// The code cells of a notebook as one text.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    /// Decoded source of all code cells, one after another.
    pub(crate) text: Vec<u8>,
    /// For every byte of `text`, where it stands in the raw file.
    pub(crate) raw: Vec<usize>,
}

impl Cells {
    fn push(&mut self, byte: u8, at: usize) {
        self.text.push(byte);
        self.raw.push(at);
    }

    /// Where a byte of `text` stands in the raw file.
    pub(crate) fn place(&self, at: usize) -> usize {
        self.raw.get(at).or(self.raw.last()).copied().unwrap_or(0)
    }
}

/// The code cells of `raw`; `None` when it is no notebook that can be read.
///
/// A cell's `source` may stand before its `cell_type`, so each cell is first read, then judged.
pub(crate) fn cells(raw: &[u8]) -> Option<Cells> {
    let mut reader = Reader { raw, at: 0, cells: Cells::default() };
    reader.blank();
    reader.value(&[], 0)?;
    Some(reader.cells)
}

struct Reader<'r> {
    raw: &'r [u8],
    at: usize,
    cells: Cells,
}

/// Deeper than any notebook; a hostile file must not overflow the stack.
const DEPTH_MAX: usize = 64;

impl Reader<'_> {
    fn blank(&mut self) {
        while self.raw.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.blank();
        let eaten = self.raw.get(self.at) == Some(&byte);
        self.at += usize::from(eaten);
        eaten
    }

    /// Skips or reads one value; `path` is the keys that lead to it.
    fn value(&mut self, path: &[&[u8]], depth: usize) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.blank();
        match *self.raw.get(self.at)? {
            b'{' if path == [b"cells".as_slice()] => self.cell(),
            b'{' => self.object(path, depth),
            b'[' => {
                self.at += 1;
                if self.eat(b']') {
                    return Some(());
                }
                loop {
                    self.value(path, depth + 1)?;
                    if !self.eat(b',') {
                        return self.eat(b']').then_some(());
                    }
                }
            }
            b'"' => self.string(None),
            _ => {
                let rest = &self.raw[self.at..];
                let length = rest.iter().take_while(|b| !b",]} \t\r\n".contains(b)).count();
                self.at += length;
                (length > 0).then_some(())
            }
        }
    }

    fn object(&mut self, path: &[&[u8]], depth: usize) -> Option<()> {
        let raw = self.raw;
        self.at += 1;
        if self.eat(b'}') {
            return Some(());
        }
        loop {
            let (from, to) = self.key()?;
            if depth == 0 && path.is_empty() {
                self.value(&[&raw[from..to]], depth + 1)?;
            } else {
                self.value(&[b"", b""], depth + 1)?;
            }
            if !self.eat(b',') {
                return self.eat(b'}').then_some(());
            }
        }
    }

    fn key(&mut self) -> Option<(usize, usize)> {
        self.blank();
        let from = self.at + 1;
        self.string(None)?;
        let to = self.at - 1;
        self.eat(b':').then_some((from, to))
    }

    /// One cell: its source goes into the text if it is code.
    fn cell(&mut self) -> Option<()> {
        self.at += 1;
        let (mut is_code, mut source) = (false, None);
        if self.eat(b'}') {
            return Some(());
        }
        loop {
            let (from, to) = self.key()?;
            self.blank();
            let begin = self.at;
            match &self.raw[from..to] {
                b"cell_type" => is_code = self.raw[self.at..].starts_with(b"\"code\""),
                b"source" => source = Some(begin),
                _ => {}
            }
            self.value(&[b"", b""], 1)?;
            if !self.eat(b',') {
                break;
            }
        }
        let end = self.eat(b'}').then_some(self.at)?;
        if let (true, Some(source)) = (is_code, source) {
            self.at = source;
            self.source()?;
        }
        self.at = end;
        Some(())
    }

    /// A cell's source: one string, or a list of lines.
    fn source(&mut self) -> Option<()> {
        let mut cells = std::mem::take(&mut self.cells);
        let read = if self.eat(b'[') {
            loop {
                self.blank();
                if self.raw.get(self.at) != Some(&b'"') {
                    break Some(());
                }
                if self.string(Some(&mut cells)).is_none() {
                    break None;
                }
                if !self.eat(b',') {
                    break Some(());
                }
            }
        } else {
            self.string(Some(&mut cells))
        };
        cells.push(b'\n', self.at.saturating_sub(1));
        self.cells = cells;
        read
    }

    /// A JSON string; its content goes, decoded, into `into`.
    fn string(&mut self, mut into: Option<&mut Cells>) -> Option<()> {
        if self.raw.get(self.at) != Some(&b'"') {
            return None;
        }
        self.at += 1;
        loop {
            let at = self.at;
            let byte = *self.raw.get(at)?;
            self.at += 1;
            let decoded = match byte {
                b'"' => return Some(()),
                b'\\' => self.escape()?,
                other => other,
            };
            if let Some(cells) = into.as_deref_mut() {
                cells.push(decoded, at);
            }
        }
    }

    /// What an escape stands for. A `\u` escape beyond ASCII becomes a byte that ends every name.
    fn escape(&mut self) -> Option<u8> {
        let byte = *self.raw.get(self.at)?;
        self.at += 1;
        Some(match byte {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' | b'b' | b'f' => b' ',
            b'u' => {
                let hex = std::str::from_utf8(self.raw.get(self.at..self.at + 4)?).ok()?;
                self.at += 4;
                let code = u32::from_str_radix(hex, 16).ok()?;
                u8::try_from(code).ok().filter(u8::is_ascii).unwrap_or(b'?')
            }
            other => other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_cells_are_read_and_each_byte_knows_its_place() {
        let raw = br#"{"cells":[{"cell_type":"markdown","source":["gpt-4"]},
 {"source":["m = \"gpt-4o\"\n","x"],"outputs":[{"text":"gpt-3"}],"cell_type":"code"}],"nbformat":4}"#;
        let cells = cells(raw).unwrap();
        assert_eq!(String::from_utf8_lossy(&cells.text), "m = \"gpt-4o\"\nx\n");
        let at = cells.text.iter().position(|b| *b == b'g').unwrap();
        assert!(raw[cells.place(at)..].starts_with(b"gpt-4o"));
    }

    #[test]
    fn what_is_no_notebook_is_none() {
        for text in ["", "[", "{\"cells\":[{\"source\":", "{\"cells\" 3}", &"[".repeat(500)] {
            assert!(cells(text.as_bytes()).is_none(), "{text}");
        }
    }
}
