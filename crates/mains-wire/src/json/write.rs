//! JSON text written front to back, compact, keys in the order of the calls.

/// Writes one JSON value; commas are put where they belong.
pub(crate) struct Writer {
    out: Vec<u8>,
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self { out: Vec::with_capacity(256) }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.out
    }

    /// How many bytes are written; tells whether a callee wrote anything.
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    /// A comma, unless this is the first in its array or object or stands behind its key.
    fn comma(&mut self) {
        if !matches!(self.out.last(), None | Some(b'{' | b'[' | b':')) {
            self.out.push(b',');
        }
    }

    fn serialize(&mut self, value: &(impl serde::Serialize + ?Sized)) {
        self.comma();
        // Writing text and numbers into memory cannot fail.
        let _ = serde_json::to_writer(&mut self.out, value);
    }

    fn key(&mut self, key: &str) {
        self.serialize(key);
        self.out.push(b':');
    }

    pub(crate) fn object(&mut self, write: impl FnOnce(&mut Self)) {
        self.comma();
        self.out.push(b'{');
        write(self);
        self.out.push(b'}');
    }

    pub(crate) fn array(&mut self, write: impl FnOnce(&mut Self)) {
        self.comma();
        self.out.push(b'[');
        write(self);
        self.out.push(b']');
    }

    /// JSON text that is known to be valid.
    pub(crate) fn raw(&mut self, json: &str) {
        self.comma();
        self.out.extend_from_slice(json.as_bytes());
    }

    /// A member: text, a number, a boolean; `None` is null.
    pub(crate) fn field(&mut self, key: &str, value: &(impl serde::Serialize + ?Sized)) {
        self.key(key);
        self.serialize(value);
    }

    /// The member, if there is a value.
    pub(crate) fn optional<T: serde::Serialize>(&mut self, key: &str, value: Option<T>) {
        if let Some(value) = value {
            self.field(key, &value);
        }
    }

    pub(crate) fn raw_field(&mut self, key: &str, json: &str) {
        self.key(key);
        self.raw(json);
    }

    pub(crate) fn object_field(&mut self, key: &str, write: impl FnOnce(&mut Self)) {
        self.key(key);
        self.object(write);
    }

    pub(crate) fn array_field(&mut self, key: &str, write: impl FnOnce(&mut Self)) {
        self.key(key);
        self.array(write);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_stand_between_and_nowhere_else() {
        let mut writer = Writer::new();
        writer.object(|w| {
            w.field("a", "x\"{");
            w.array_field("b", |w| {
                w.raw("1");
                w.object(|_| {});
                w.raw("[1]");
                w.raw("\"{\"");
                w.raw("0.5");
            });
            w.optional("c", None::<u8>);
            w.object_field("d", |w| w.raw_field("e", "1.50"));
        });
        let text = String::from_utf8(writer.finish()).unwrap();
        assert_eq!(text, r#"{"a":"x\"{","b":[1,{},[1],"{",0.5],"d":{"e":1.50}}"#);
    }
}
