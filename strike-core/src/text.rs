//! Makes a server's words fit for a log: short, tidy, and without secrets.

use alloc::string::String;
#[cfg(feature = "fixtures")]
use alloc::vec::Vec;

/// What stands where a secret stood.
pub(crate) const REDACTED: &str = "[redacted]";

/// A body without the byte order mark that may stand before JSON.
pub(crate) fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// The beginning of a text, without control characters.
pub(crate) fn shorten(text: &str) -> String {
    const MOST: usize = 200;
    let tidy = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = tidy.take(MOST + 1).collect();
    if let Some((cut, _)) = short.char_indices().nth(MOST) {
        short.truncate(cut);
        short.push('…');
    }
    short
}

/// A text as it stands inside a JSON string.
pub(crate) fn in_json(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default().into()
}

/// Where some bytes stand inside others.
#[cfg(feature = "fixtures")]
pub(crate) fn find_bytes(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    if wanted.is_empty() {
        return Some(0);
    }
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// The bytes with every occurrence replaced; `None` if there is none.
#[cfg(feature = "fixtures")]
pub(crate) fn replace_bytes(bytes: &[u8], wanted: &[u8], with: &[u8]) -> Option<Vec<u8>> {
    if wanted.is_empty() {
        return None;
    }
    let mut at = find_bytes(bytes, wanted)?;
    let mut replaced = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        let (before, found) = rest.split_at(at);
        replaced.extend_from_slice(before);
        replaced.extend_from_slice(with);
        rest = found.get(wanted.len()..).unwrap_or_default();
        match find_bytes(rest, wanted) {
            Some(next) => at = next,
            None => break,
        }
    }
    replaced.extend_from_slice(rest);
    Some(replaced)
}
