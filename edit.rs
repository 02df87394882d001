//! Cuts parts out of JSON and forms, and leaves every other byte as it is.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::text;

/// What is to be cut out.
pub(super) trait Cuts {
    /// Whether the value of a field with this name is cut out, whatever it is.
    fn hides(&self, name: &str) -> bool;

    /// What stands for a text; `None` if it may stay.
    fn instead(&self, text: &str) -> Option<String>;
}

/// How deep JSON may be nested.
const DEEPEST: usize = 128;

/// What stands in which place.
type Edits = Vec<(Range<usize>, String)>;

/// JSON without what is to be cut out; `None` if it is not one whole value that can be read to its last name.
pub(super) fn json(body: &[u8], cuts: &impl Cuts) -> Option<Vec<u8>> {
    let text = core::str::from_utf8(body).ok()?;
    // Readers may ignore it.
    let value = serde_json::from_str(text.strip_prefix('\u{FEFF}').unwrap_or(text)).ok()?;
    let mut json = Json { text, cuts, edits: Edits::new() };
    json.value(value, 0)?;
    Some(apply(body, json.edits))
}

struct Json<'a, C> {
    text: &'a str,
    cuts: &'a C,
    edits: Edits,
}

impl<'a, C: Cuts> Json<'a, C> {
    fn value(&mut self, value: &'a RawValue, depth: usize) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        match value.get().as_bytes().first()? {
            b'{' => {
                let Fields(fields) = serde_json::from_str(value.get()).ok()?;
                for (name, value) in fields {
                    let hidden = self.cuts.hides(&unquoted(name)?);
                    self.string(name)?;
                    if hidden {
                        self.replace(value, text::REDACTED);
                    } else {
                        self.value(value, depth + 1)?;
                    }
                }
            }
            b'[' => {
                let values: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
                values.into_iter().try_for_each(|value| self.value(value, depth + 1))?;
            }
            b'"' => self.string(value)?,
            _ => {}
        }
        Some(())
    }

    fn string(&mut self, string: &RawValue) -> Option<()> {
        if let Some(instead) = self.cuts.instead(&unquoted(string)?) {
            self.replace(string, &instead);
        }
        Some(())
    }

    fn replace(&mut self, value: &RawValue, with: &str) {
        let start = value.get().as_ptr().addr() - self.text.as_ptr().addr();
        let quoted = serde_json::Value::from(with);
        self.edits.push((start..start + value.get().len(), alloc::format!("{quoted}")));
    }
}

fn unquoted(string: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str(string.get()).ok().map(|Text(text)| text)
}

/// The fields of an object as they stand there, doubled names included.
struct Fields<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;

        impl<'de> Visitor<'de> for Each {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Each)
    }
}

/// A form without what is to be cut out; `None` if it is none, as far as one can tell.
pub(super) fn form(body: &[u8], cuts: &impl Cuts) -> Option<Vec<u8>> {
    let plain = |byte: &u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(byte);
    if !(body.iter().all(plain) && body.contains(&b'=')) {
        return None;
    }
    let mut edits = Edits::new();
    let mut start = 0;
    for pair in body.split(|byte| *byte == b'&') {
        let end = start + pair.len();
        let middle = pair.iter().position(|byte| *byte == b'=').map_or(end, |at| start + at);
        if let Some((name, value)) = form_urlencoded::parse(pair).next() {
            let value_at = (middle + 1).min(end)..end;
            // A name such as `customer[email]` names its parts, too.
            let mut parts = name.split(['[', ']', '.']);
            if cuts.hides(&name) || parts.any(|part| cuts.hides(part)) {
                edits.push((value_at, escaped(text::REDACTED)));
            } else {
                edits.extend(cuts.instead(&name).map(|instead| (start..middle, escaped(&instead))));
                edits.extend(cuts.instead(&value).map(|instead| (value_at, escaped(&instead))));
            }
        }
        start = end + 1;
    }
    Some(apply(body, edits))
}

fn escaped(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn apply(body: &[u8], edits: Edits) -> Vec<u8> {
    let mut edited = Vec::with_capacity(body.len());
    let mut at = 0;
    for (place, with) in edits {
        edited.extend_from_slice(body.get(at..place.start).unwrap_or_default());
        edited.extend_from_slice(with.as_bytes());
        at = place.end;
    }
    edited.extend_from_slice(body.get(at..).unwrap_or_default());
    edited
}
