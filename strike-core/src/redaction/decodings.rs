//! Decodes a text in every possible way, layer by layer, to find secrets in it.
//!
//! The decoded text is only searched, never used. Where a text is ambiguous, all decodings are
//! tried.

use std::collections::BTreeSet;

/// The text has more decodings than the budget allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany;

/// The minimum length of a text decoded from base64, hex or a list of numbers.
const SHORTEST: usize = 4;

/// Calls `look` with every decoding of the text and returns the first thing that it finds.
///
/// The work is linear in the length of the text: all decodings together have at most 32 times its
/// length plus 1024 bytes.
pub(crate) fn find<T>(text: &[u8], mut look: impl FnMut(&[u8]) -> Option<T>) -> Result<Option<T>, TooMany> {
    let mut budget = text.len().saturating_mul(32).saturating_add(1024);
    let mut seen = BTreeSet::new();
    let mut left = vec![text.to_vec()];
    while let Some(text) = left.pop() {
        if text.is_empty() || seen.contains(&text) {
            continue;
        }
        budget = budget.checked_sub(text.len()).ok_or(TooMany)?;
        if let Some(found) = look(&text) {
            return Ok(Some(found));
        }
        left.extend(encoded(&text));
        left.push(untagged(&text));
        // Forms encode a space as `+`.
        left.push(text.iter().copied().filter(|byte| *byte != b'+').collect());
        left.push(visible_ascii(&text));
        left.push(unescaped(&text));
        seen.insert(text);
    }
    Ok(None)
}

/// Keeps only visible ASCII characters. Converts full-width characters to ASCII.
pub(crate) fn visible_ascii(text: &[u8]) -> Vec<u8> {
    let visible = |c: char| {
        let plain = match u32::from(c) {
            wide @ 0xFF01..=0xFF5E => char::from_u32(wide - 0xFEE0)?,
            _ => c,
        };
        u8::try_from(plain).ok().filter(u8::is_ascii_graphic)
    };
    String::from_utf8_lossy(text).chars().filter_map(visible).collect()
}

/// Keeps only ASCII letters and digits, in lower case.
pub(crate) fn alphanumeric(text: &[u8]) -> Vec<u8> {
    let mut kept = visible_ascii(text);
    kept.retain(u8::is_ascii_alphanumeric);
    kept.make_ascii_lowercase();
    kept
}

/// Removes HTML and XML tags, which can split a secret.
fn untagged(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.iter().position(|byte| *byte == b'<') {
        let (before, tag) = rest.split_at(start);
        let Some(end) = tag.iter().position(|byte| *byte == b'>') else { break };
        plain.extend_from_slice(before);
        rest = tag.get(end + 1..).unwrap_or_default();
    }
    plain.extend_from_slice(rest);
    plain
}

/// Decodes one layer of escapes: those of JSON, programming languages, URLs, HTML and
/// quoted-printable.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let escape = match first {
            b'\\' => backslash(after),
            b'%' => percent(after),
            b'&' => entity(after),
            b'=' => quoted(after),
            _ => None,
        };
        rest = if let Some((bytes, after)) = escape {
            plain.extend(bytes);
            after
        } else {
            plain.push(*first);
            after
        };
    }
    plain
}

/// The decoded bytes of an escape, and the text after it.
type Escape<'a> = Option<(Vec<u8>, &'a [u8])>;

fn backslash(after: &[u8]) -> Escape<'_> {
    let (kind, rest) = after.split_first()?;
    let named = match kind {
        b'u' => unit(rest).or_else(|| braced(rest)),
        b'U' => number(rest, 16, 8..=8).map(utf8),
        b'x' => number(rest, 16, 2..=2).map(byte).or_else(|| braced(rest)),
        b'0'..=b'7' => number(after, 8, 1..=3).map(byte),
        b'n' | b'r' | b't' | b'b' | b'f' | b'v' | b'a' => Some((vec![b' '], rest)),
        _ => None,
    };
    named.or_else(|| Some((vec![*kind], rest)))
}

/// Decodes a UTF-16 unit of four hex digits, or a surrogate pair. Java allows more than one `u`
/// before the digits.
fn unit(after: &[u8]) -> Escape<'_> {
    let more = after.iter().take_while(|byte| **byte == b'u').count();
    let after = after.get(more..).unwrap_or_default();
    let (high, rest) = number(after, 16, 4..=4)?;
    let low = rest.strip_prefix(b"\\u").and_then(|rest| number(rest, 16, 4..=4));
    match (high, low) {
        (0xD800..=0xDBFF, Some((low @ 0xDC00..=0xDFFF, rest))) => {
            Some(utf8((0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00), rest)))
        }
        _ => Some(utf8((high, rest))),
    }
}

fn braced(after: &[u8]) -> Escape<'_> {
    let (value, rest) = number(after.strip_prefix(b"{")?, 16, 1..=8)?;
    Some(utf8((value, rest.strip_prefix(b"}")?)))
}

fn percent(after: &[u8]) -> Escape<'_> {
    let unicode = after.strip_prefix(b"u").or_else(|| after.strip_prefix(b"U"));
    number(after, 16, 2..=2).map(byte).or_else(|| number(unicode?, 16, 4..=4).map(utf8))
}

fn quoted(after: &[u8]) -> Escape<'_> {
    // Other code may have replaced the line break with one or two spaces.
    let (end, rest) =
        after.split_at(after.iter().take(2).take_while(|byte| byte.is_ascii_whitespace()).count());
    let line_break = || (!end.is_empty()).then_some(rest);
    number(after, 16, 2..=2).map(byte).or_else(|| line_break().map(|rest| (Vec::new(), rest)))
}

fn entity(after: &[u8]) -> Escape<'_> {
    const NAMES: [(&[u8], u8); 42] = [
        (b"amp", b'&'),
        (b"lt", b'<'),
        (b"gt", b'>'),
        (b"quot", b'"'),
        (b"apos", b'\''),
        (b"nbsp", b' '),
        (b"shy", b' '),
        (b"sol", b'/'),
        (b"bsol", b'\\'),
        (b"plus", b'+'),
        (b"equals", b'='),
        (b"num", b'#'),
        (b"percnt", b'%'),
        (b"dollar", b'$'),
        (b"ast", b'*'),
        (b"midast", b'*'),
        (b"lpar", b'('),
        (b"rpar", b')'),
        (b"comma", b','),
        (b"period", b'.'),
        (b"colon", b':'),
        (b"semi", b';'),
        (b"quest", b'?'),
        (b"commat", b'@'),
        (b"lsqb", b'['),
        (b"lbrack", b'['),
        (b"rsqb", b']'),
        (b"rbrack", b']'),
        (b"lcub", b'{'),
        (b"lbrace", b'{'),
        (b"rcub", b'}'),
        (b"rbrace", b'}'),
        (b"lowbar", b'_'),
        (b"underbar", b'_'),
        (b"grave", b'`'),
        (b"verbar", b'|'),
        (b"vert", b'|'),
        (b"excl", b'!'),
        (b"hyphen", b'-'),
        (b"hat", b'^'),
        (b"tab", b' '),
        (b"newline", b' '),
    ];
    let closed = |rest| <[u8]>::strip_prefix(rest, b";").unwrap_or(rest);
    if let Some(digits) = after.strip_prefix(b"#") {
        let hex = digits.strip_prefix(b"x").or_else(|| digits.strip_prefix(b"X"));
        let (value, rest) = hex.map_or_else(|| number(digits, 10, 1..=16), |hex| number(hex, 16, 1..=16))?;
        return Some(utf8((value, closed(rest))));
    }
    let length = after.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let (name, rest) = after.split_at(length);
    if rest.starts_with(b";") {
        // Treat an unknown entity as a character that is neither a letter nor a digit.
        let known = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        return (length > 0).then(|| (vec![known.map_or(b' ', |(_, plain)| *plain)], closed(rest)));
    }
    // HTML allows a few entities without a semicolon.
    let old = |(known, _): &&(&[u8], u8)| {
        name.len() >= known.len() && name.split_at(known.len()).0.eq_ignore_ascii_case(known)
    };
    let (known, plain) = NAMES.iter().take(7).find(old)?;
    Some((vec![*plain], after.split_at(known.len()).1))
}

/// Parses a number. Takes as many digits as possible within the range `digits`.
fn number(text: &[u8], radix: u32, digits: std::ops::RangeInclusive<usize>) -> Option<(u32, &[u8])> {
    let is_digit = |byte: &&u8| char::from(**byte).is_digit(radix);
    let length = text.iter().take(*digits.end()).take_while(is_digit).count();
    let (number, rest) = text.split_at(length);
    let number = u32::from_str_radix(std::str::from_utf8(number).ok()?, radix).ok()?;
    digits.contains(&length).then_some((number, rest))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "an octal escape above 377 is not a byte in any language"
)]
fn byte((value, rest): (u32, &[u8])) -> (Vec<u8>, &[u8]) {
    (vec![value as u8], rest)
}

fn utf8((value, rest): (u32, &[u8])) -> (Vec<u8>, &[u8]) {
    let c = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
    (c.encode_utf8(&mut [0; 4]).as_bytes().to_vec(), rest)
}

/// Returns all texts decoded from base64 and base32 at any alignment, from hex with any separators,
/// and from lists of decimal byte values.
fn encoded(text: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for alphabet in [&BASE64, &BASE32] {
        let runs = text.split(|byte| (alphabet.digit)(*byte).is_none());
        for run in runs.filter(|run| run.len() > SHORTEST) {
            for start in 0..alphabet.group {
                keep_text(&alphabet.decode(run.get(start..).unwrap_or_default()), &mut all);
            }
        }
    }
    let mut hex: Vec<u8> = Vec::with_capacity(text.len());
    for byte in alphanumeric(text) {
        if byte == b'x' && hex.last() == Some(&b'0') { hex.truncate(hex.len() - 1) } else { hex.push(byte) }
    }
    for run in hex.split(|byte| !byte.is_ascii_hexdigit()).filter(|run| run.len() >= 2 * SHORTEST) {
        for start in 0..2 {
            let pairs = run.get(start..).unwrap_or_default().chunks_exact(2);
            let bytes: Vec<u8> =
                pairs.filter_map(|pair| number(pair, 16, 2..=2)).flat_map(|it| byte(it).0).collect();
            keep_text(&bytes, &mut all);
        }
    }
    let mut bytes = Vec::new();
    for word in text.split(|byte| !byte.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let value = number(word, 10, 1..=3).filter(|(_, rest)| rest.is_empty());
        bytes.push(value.and_then(|(value, _)| u8::try_from(value).ok()).unwrap_or(u8::MAX));
    }
    keep_text(&bytes, &mut all);
    all
}

/// Adds every piece of UTF-8 of at least `SHORTEST` bytes to `all`. Drops zero bytes, so that
/// UTF-16 is found too.
fn keep_text(bytes: &[u8], all: &mut Vec<Vec<u8>>) {
    let bytes: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    let is_end = |c: char| c.is_control() && !c.is_ascii_whitespace();
    let pieces = bytes.utf8_chunks().flat_map(|chunk| chunk.valid().split(is_end));
    all.extend(pieces.filter(|piece| piece.len() >= SHORTEST).map(|piece| piece.as_bytes().to_vec()));
}

/// An alphabet whose digits encode a fixed number of bits.
struct Alphabet {
    digit: fn(u8) -> Option<u8>,
    bits: u32,
    /// The number of digits after which byte and digit boundaries coincide.
    group: usize,
}

const BASE64: Alphabet = Alphabet { digit: sextet, bits: 6, group: 4 };
const BASE32: Alphabet = Alphabet { digit: quintet, bits: 5, group: 8 };

impl Alphabet {
    fn decode(&self, run: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(run.len());
        let (mut bits, mut count) = (0_u32, 0);
        for digit in run.iter().filter_map(|byte| (self.digit)(*byte)) {
            bits = (bits << self.bits) | u32::from(digit);
            count += self.bits;
            if count >= 8 {
                count -= 8;
                bytes.extend((bits >> count).to_be_bytes().last());
                bits &= (1 << count) - 1;
            }
        }
        bytes
    }
}

const fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

const fn quintet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a'),
        b'2'..=b'7' => Some(byte - b'2' + 26),
        _ => None,
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    /// Counts decoded bytes instead of measuring time.
    #[test]
    fn total_length_of_all_decodings_is_bounded() {
        for unit in [
            "%25", "\\", "&amp;", "<", "<>", "0x", "QUFB", "=3D", "\\u005c", "a=", "&#38;", "12 ", "UVVGQg",
            "4141", "%u0025",
        ] {
            for repeats in [1, 100, 20_000] {
                let text = unit.repeat(repeats);
                let mut decoded_bytes = 0;
                let outcome = find(text.as_bytes(), |reading| {
                    decoded_bytes += reading.len();
                    None::<()>
                });
                assert!(
                    decoded_bytes <= 32 * text.len() + 1024,
                    "{unit} {repeats}: {decoded_bytes} {outcome:?}"
                );
            }
        }
    }

    #[test]
    fn nested_escapes_are_decoded_or_rejected() {
        let nested = |layers: usize| format!("%{}41", "25".repeat(layers));
        let reads = |text: &str| find(text.as_bytes(), |reading| (reading == b"A").then_some(()));
        assert_eq!(reads(&nested(10)), Ok(Some(())));
        assert_eq!(reads(&nested(2000)), Err(TooMany));
        assert_eq!(reads("B"), Ok(None));
    }
}
