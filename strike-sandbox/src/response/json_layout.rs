//! Writes JSON in the layout of the recorded responses.
//!
//! * Objects are indented by two spaces.
//! * A key is followed by ` : `.
//! * A list starts with `[ {` and ends with `} ]`.
//! * There is no newline at the end.

use data_encoding::HEXLOWER;
use serde_json::Value;

/// The length that most charges stay below, in bytes. Their text is not reallocated.
const USUAL_LENGTH: usize = 800;

/// Builds a JSON object at the end of a text. Keys are written in the order in which they are added.
#[derive(Default)]
pub(crate) struct Object {
    text: String,
    /// Where the object begins.
    start: usize,
}

impl Object {
    /// Begins an object after this text.
    fn after(text: String) -> Self {
        Self { start: text.len(), text }
    }

    pub(crate) fn text(self, key: &str, value: &str) -> Self {
        // Copying is faster than escaping, and most texts need no escaping.
        if value.bytes().fold(true, |unescaped, byte| unescaped & needs_no_escape(byte)) {
            self.plain(key, value)
        } else {
            self.raw(key, &Value::from(value).to_string())
        }
    }

    /// Adds a text that needs no escaping, such as an id or an invoice.
    #[inline]
    pub(crate) fn plain(mut self, key: &str, value: &str) -> Self {
        self.key(key);
        self.text.push('"');
        self.text.push_str(value);
        self.text.push('"');
        self
    }

    /// Adds bytes in hex.
    #[inline]
    pub(crate) fn hex(mut self, key: &str, bytes: &[u8]) -> Self {
        self.key(key);
        self.verbatim("\"").hex_digits(bytes).verbatim("\"")
    }

    #[inline]
    pub(crate) fn number(self, key: &str, value: u64) -> Self {
        self.raw(key, itoa::Buffer::new().format(value))
    }

    #[inline]
    pub(crate) fn flag(self, key: &str, value: bool) -> Self {
        self.raw(key, if value { "true" } else { "false" })
    }

    /// Adds a value that is JSON already. Its lines are indented by two more spaces. Strings within
    /// it do not change, because JSON strings contain no line breaks.
    pub(crate) fn json(self, key: &str, value: &str) -> Self {
        self.raw(key, &value.replace('\n', "\n  "))
    }

    /// Adds text as it is: keys and values that are written out already.
    #[inline]
    pub(crate) fn verbatim(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Adds the digits of a number, without a key.
    #[inline]
    pub(crate) fn digits(self, value: u64) -> Self {
        self.verbatim(itoa::Buffer::new().format(value))
    }

    /// Adds the digits of bytes in hex, without a key and without quotes.
    #[inline]
    pub(crate) fn hex_digits(mut self, bytes: &[u8]) -> Self {
        HEXLOWER.encode_append(bytes, &mut self.text);
        self
    }

    #[inline]
    fn raw(mut self, key: &str, value: &str) -> Self {
        self.key(key);
        self.text.push_str(value);
        self
    }

    #[inline]
    fn key(&mut self, key: &str) {
        if self.text.len() == self.start {
            self.text.reserve(USUAL_LENGTH);
            self.text.push_str("{\n  \"");
        } else {
            self.text.push_str(",\n  \"");
        }
        self.text.push_str(key);
        self.text.push_str("\" : ");
    }

    /// Adds keys that clients do not expect, with values of several JSON types.
    pub(crate) fn extra_keys(self) -> Self {
        self.json("extra_null", "null")
            .json("extra_list", "[ true, -1.5, { } ]")
            .json("extra_object", r#"{ "id" : "of nothing", "paid" : "maybe" }"#)
    }

    /// Closes the object and returns the text.
    pub(crate) fn end(mut self) -> String {
        self.text.push_str("\n}");
        self.text
    }
}

/// Returns true if JSON strings contain this byte without an escape.
const fn needs_no_escape(byte: u8) -> bool {
    byte >= b' ' && byte != b'"' && byte != b'\\'
}

/// Writes a JSON array of objects. `write` adds the keys of an item to its object.
pub(crate) fn list<T>(items: impl Iterator<Item = T>, write: impl Fn(Object, T) -> Object) -> String {
    let mut list = String::with_capacity(items.size_hint().0.saturating_mul(USUAL_LENGTH).saturating_add(8));
    list.push_str("[ ");
    for item in items {
        if list.len() > 2 {
            list.push_str(", ");
        }
        list = write(Object::after(list), item).end();
    }
    list.push_str(if list.len() > 2 { " ]" } else { "]" });
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_and_lists_match_the_recorded_layout() {
        let write =
            |object: Object, ()| object.text("id", "a\"\n\u{7}é").number("code", 404).flag("paid", false);
        let text = "{\n  \"id\" : \"a\\\"\\n\\u0007é\",\n  \"code\" : 404,\n  \"paid\" : false\n}";
        assert_eq!(write(Object::default(), ()).end(), text);
        assert_eq!(list([(), ()].into_iter(), write), format!("[ {text}, {text} ]"));
        assert_eq!(list(std::iter::empty(), write), "[ ]");
        let inner = list([1].into_iter(), |object, b| object.text("a", "\n").hex("b", &[b, 0xff]));
        let outer = Object::default().json("inner", &inner).plain("c", "d").end();
        let expected =
            "{\n  \"inner\" : [ {\n    \"a\" : \"\\n\",\n    \"b\" : \"01ff\"\n  } ],\n  \"c\" : \"d\"\n}";
        assert_eq!(outer, expected);
    }
}
