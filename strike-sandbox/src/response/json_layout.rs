//! Writes JSON in the layout of the recorded responses.
//!
//! * Objects are indented by two spaces.
//! * A key is followed by ` : `.
//! * A list starts with `[ {` and ends with `} ]`.
//! * There is no newline at the end.

use std::fmt::{Display, Write};

use serde_json::Value;

/// The initial capacity of an object, in bytes. Most charges fit, so their text is not reallocated.
const INITIAL_CAPACITY: usize = 1024;

/// Builds a JSON object. Keys are written in the order in which they are added.
#[derive(Default)]
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn text(mut self, key: &str, value: &str) -> Self {
        // Copying is faster than escaping, and most texts need no escaping.
        if value.bytes().fold(true, |unescaped, byte| unescaped & needs_no_escape(byte)) {
            self.key(key);
            self.0.extend(["\"", value, "\""]);
            self
        } else {
            self.value(key, &Value::from(value))
        }
    }

    pub(crate) fn number(self, key: &str, value: u64) -> Self {
        self.value(key, &value)
    }

    pub(crate) fn flag(self, key: &str, value: bool) -> Self {
        self.value(key, &value)
    }

    /// Adds a value that is JSON already. Its lines are indented by two more spaces. Strings within
    /// it do not change, because JSON strings contain no line breaks.
    pub(crate) fn json(self, key: &str, value: &str) -> Self {
        self.value(key, &value.replace('\n', "\n  "))
    }

    fn value(mut self, key: &str, value: &impl Display) -> Self {
        self.key(key);
        // Writing to a `String` cannot fail.
        let _ = write!(self.0, "{value}");
        self
    }

    fn key(&mut self, key: &str) {
        if self.0.is_empty() {
            self.0.reserve(INITIAL_CAPACITY);
        }
        self.0.extend([if self.0.is_empty() { "{\n  \"" } else { ",\n  \"" }, key, "\" : "]);
    }

    /// Adds keys that clients do not expect, with values of several JSON types.
    pub(crate) fn extra_keys(self) -> Self {
        self.json("extra_null", "null")
            .json("extra_list", "[ true, -1.5, { } ]")
            .json("extra_object", r#"{ "id" : "of nothing", "paid" : "maybe" }"#)
    }

    /// Closes the object and returns its text.
    pub(crate) fn end(mut self) -> String {
        self.0.push_str("\n}");
        self.0
    }
}

/// Returns true if JSON strings contain this byte without an escape.
const fn needs_no_escape(byte: u8) -> bool {
    byte >= b' ' && byte != b'"' && byte != b'\\'
}

/// Writes a JSON array of objects.
pub(crate) fn list(objects: impl Iterator<Item = String>) -> String {
    let mut list = String::from("[ ");
    for object in objects {
        if list.len() > 2 {
            list.push_str(", ");
        }
        list.push_str(&object);
    }
    list.push_str(if list.len() > 2 { " ]" } else { "]" });
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_and_lists_match_the_recorded_layout() {
        let object =
            || Object::default().text("id", "a\"\n\u{7}é").number("code", 404).flag("paid", false).end();
        let text = "{\n  \"id\" : \"a\\\"\\n\\u0007é\",\n  \"code\" : 404,\n  \"paid\" : false\n}";
        assert_eq!(object(), text);
        assert_eq!(list([object(), object()].into_iter()), format!("[ {text}, {text} ]"));
        assert_eq!(list(std::iter::empty()), "[ ]");
        let inner = Object::default().text("a", "\n").number("b", 1).end();
        let outer = Object::default().json("inner", &list([inner].into_iter())).end();
        assert_eq!(outer, "{\n  \"inner\" : [ {\n    \"a\" : \"\\n\",\n    \"b\" : 1\n  } ]\n}");
    }
}
