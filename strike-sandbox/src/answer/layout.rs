//! JSON in the service's layout: two spaces, ` : `, lists as `[ {` to `} ]`, no newline at the end.

use std::fmt::{Display, Write};

use serde_json::Value;

/// In bytes: as much as most charges take, so that their text is not moved while it grows.
const ROOM: usize = 1024;

/// An object in the making; keys stand in the order in which they are given.
#[derive(Default)]
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn text(mut self, key: &str, value: &str) -> Self {
        // Most texts have nothing to escape, and a list has hundreds: these are copied as they are.
        if value.bytes().fold(true, |plain, byte| plain & is_plain(byte)) {
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

    /// A value that is JSON already; its lines move two spaces in, which no text within it notices.
    pub(crate) fn json(self, key: &str, value: &str) -> Self {
        self.value(key, &value.replace('\n', "\n  "))
    }

    fn value(mut self, key: &str, value: &impl Display) -> Self {
        self.key(key);
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{value}");
        self
    }

    fn key(&mut self, key: &str) {
        if self.0.is_empty() {
            self.0.reserve(ROOM);
        }
        self.0.extend([if self.0.is_empty() { "{\n  \"" } else { ",\n  \"" }, key, "\" : "]);
    }

    pub(crate) fn end(mut self) -> String {
        self.0.push_str("\n}");
        self.0
    }
}

/// Whether a byte of text stands in JSON for itself.
const fn is_plain(byte: u8) -> bool {
    byte >= b' ' && byte != b'"' && byte != b'\\'
}

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
