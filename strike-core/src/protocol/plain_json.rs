//! Reads JSON as servers usually write it, without copying: strings without escapes, and numbers of a few
//! digits. Anything else is left to serde.

use serde_json::value::RawValue;

/// A cursor in a JSON text. Each method skips white space, and returns `None` if something else
/// follows.
#[derive(Clone, Copy)]
pub(super) struct PlainJson<'a> {
    text: &'a str,
    /// How many bytes were read.
    at: usize,
}

impl<'a> PlainJson<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Returns the text from this cursor to a later one.
    pub(super) fn up_to(self, later: Self) -> Option<&'a str> {
        self.text.get(self.at..later.at)
    }

    /// Reads a punctuation character.
    #[inline]
    pub(super) fn punctuation(&mut self, character: u8) -> Option<()> {
        self.skip_space();
        self.byte(character)
    }

    /// Reads the character before a field, the field's name and the colon. If something else follows,
    /// nothing is read.
    pub(super) fn field(&mut self, before: &str, name: &str) -> Option<()> {
        let mut next = *self;
        next.word(before)?;
        next.punctuation(b'"')?;
        next.literal(name)?;
        next.byte(b'"')?;
        next.punctuation(b':')?;
        *self = next;
        Some(())
    }

    /// Reads exactly this text, and skips no white space. Inlined, a constant text needs no call to
    /// compare it.
    #[inline(always)]
    pub(super) fn literal(&mut self, text: &str) -> Option<()> {
        let rest = self.text.as_bytes().get(self.at..)?;
        rest.starts_with(text.as_bytes()).then(|| self.at += text.len())
    }

    /// Reads a string without escapes.
    pub(super) fn string(&mut self) -> Option<&'a str> {
        self.punctuation(b'"')?;
        let start = self.at;
        self.at += length_without_escapes(self.text.as_bytes().get(start..)?);
        let string = self.text.get(start..self.at)?;
        self.byte(b'"')?;
        Some(string)
    }

    /// Reads a string or null.
    pub(super) fn nullable_string(&mut self) -> Option<Option<&'a str>> {
        match self.word("null") {
            Some(()) => Some(None),
            None => self.string().map(Some),
        }
    }

    /// Reads a whole number of up to 18 digits.
    pub(super) fn number(&mut self) -> Option<u64> {
        self.skip_space();
        let rest = self.text.as_bytes().get(self.at..)?;
        let (mut length, mut number) = (0, 0_u64);
        for byte in rest {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
            length += 1;
        }
        self.at += length;
        let has_leading_zero = length > 1 && rest.first() == Some(&b'0');
        ((1..=18).contains(&length) && !has_leading_zero).then_some(number)
    }

    pub(super) fn boolean(&mut self) -> Option<bool> {
        self.word("true").map(|()| true).or_else(|| self.word("false").map(|()| false))
    }

    /// Reads any JSON value with serde, and returns its text.
    pub(super) fn any(&mut self) -> Option<&'a str> {
        let mut values =
            serde_json::Deserializer::from_str(self.text.get(self.at..)?).into_iter::<&RawValue>();
        let value = values.next()?.ok()?;
        self.at += values.byte_offset();
        Some(value.get())
    }

    /// Requires that only white space is left.
    pub(super) fn end(mut self) -> Option<()> {
        self.skip_space();
        self.next().is_none().then_some(())
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.skip_space();
        self.literal(word)
    }

    #[inline]
    fn byte(&mut self, byte: u8) -> Option<()> {
        (self.next() == Some(byte)).then(|| self.at += 1)
    }

    #[inline]
    pub(super) fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.next() {
            self.at += 1;
        }
    }

    /// Returns the next byte without reading it.
    #[inline]
    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

/// Returns the number of bytes before the first quote, backslash or control character. It compares
/// 16 bytes at a time.
fn length_without_escapes(text: &[u8]) -> usize {
    let (pairs, rest) = text.as_chunks::<16>();
    for (index, pair) in pairs.iter().enumerate() {
        let &[first, second] = pair.as_chunks().0 else { break };
        let (first, second) = (u64::from_le_bytes(first), u64::from_le_bytes(second));
        if !may_end(first) && !may_end(second) {
            continue;
        }
        match (ends(first), ends(second)) {
            (0, 0) => {}
            (0, second) => return index * 16 + 8 + second.trailing_zeros() as usize / 8,
            (first, _) => return index * 16 + first.trailing_zeros() as usize / 8,
        }
    }
    let is_plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | 0..b' ');
    text.len() - rest.len() + rest.iter().take_while(is_plain).count()
}

const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Returns true if one of eight bytes ends a string, or is a space or an exclamation mark. Ids, hashes
/// and invoices have neither.
const fn may_end(bytes: u64) -> bool {
    // A subtraction sets the highest bit of a byte that is smaller, or that had it set.
    let up_to_quote = bytes.wrapping_sub(each(b'"' + 1));
    let backslash = (bytes ^ each(b'\\')).wrapping_sub(each(1));
    (up_to_quote | backslash) & !bytes & each(0x80) != 0
}

/// Sets the highest bit of the first of eight bytes that ends a string, and perhaps of later bytes.
/// The first byte is the lowest.
const fn ends(bytes: u64) -> u64 {
    let quote = (bytes ^ each(b'"')).wrapping_sub(each(1));
    let backslash = (bytes ^ each(b'\\')).wrapping_sub(each(1));
    let control = bytes.wrapping_sub(each(b' '));
    (quote | backslash | control) & !bytes & each(0x80)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_string_ends_at_the_first_special_byte(text in proptest::collection::vec(prop_oneof![
            8 => any::<u8>(),
            1 => Just(b'"'),
            1 => Just(b'\\'),
        ], 0..40)) {
            let special = |byte: &u8| *byte == b'"' || *byte == b'\\' || *byte < b' ';
            let expected = text.iter().position(special).unwrap_or(text.len());
            prop_assert_eq!(length_without_escapes(&text), expected);
        }

        #[test]
        fn plain_values_are_those_that_serde_reads(
            text in "[ \n]{0,2}([0-9]{1,20}|[-+0-9.eE]{1,6}|\"\\PC{0,9}\"|true|false|null|\\[\\])[ \n]{0,2}",
        ) {
            let expected: Option<Value> = serde_json::from_str(&text).ok();
            let readers: [fn(&mut PlainJson<'_>) -> Option<Value>; 4] = [
                |json| json.number().map(Value::from),
                |json| json.nullable_string().map(Value::from),
                |json| json.boolean().map(Value::from),
                |json| json.any().and_then(|value| serde_json::from_str(value).ok()),
            ];
            let values = readers.map(|read| {
                let mut json = PlainJson::new(&text);
                let value = read(&mut json)?;
                json.end().map(|()| value)
            });
            for value in values.iter().flatten() {
                prop_assert_eq!(Some(value), expected.as_ref());
            }
            prop_assert_eq!(&values[3], &expected);
        }
    }
}
