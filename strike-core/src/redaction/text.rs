//! Prepares text from a server for errors and logs: shortens it, and removes control characters and
//! secrets.

/// Replaces a secret.
#[cfg(feature = "fixtures")]
pub(crate) const REDACTED: &str = "[redacted]";

/// Replaces a text that contains the API key.
pub(crate) const REPEATS_THE_KEY: &str = "[withheld: it repeats the key]";

/// Replaces a text that contains the word `preimage`.
pub(crate) const HOLDS_A_PREIMAGE: &str = "[withheld: it may contain a preimage]";

/// Replaces a text with so many nested encodings that it cannot be checked.
pub(crate) const UNREADABLE: &str = "[withheld: it has too many nested encodings to be checked for the key]";

/// The end of the names of fields with preimages.
pub(crate) const PREIMAGE: &str = "preimage";

/// Marks the end of a truncated text.
pub(crate) const ELLIPSIS: &str = "…";

/// Removes a byte order mark from the beginning of a body.
pub(crate) fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// Truncates a text to 200 characters and replaces control characters with spaces.
pub(crate) fn shorten(text: &str) -> String {
    const MOST: usize = 200;
    let tidy = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = tidy.take(MOST + 1).collect();
    if let Some((cut, _)) = short.char_indices().nth(MOST) {
        short.truncate(cut);
        short.push_str(ELLIPSIS);
    }
    short
}

/// Returns the message of a JSON error without the part of the input that it quotes.
pub(crate) fn complaint(error: &serde_json::Error) -> String {
    let message = format!("{error}");
    let quote = if message.starts_with("unknown variant") {
        message.find('`').zip(message.rfind("`, expected"))
    } else {
        message.find('"').zip(message.rfind('"'))
    };
    let Some((first, last)) = quote.filter(|(first, last)| first < last) else { return message };
    let (before, after) =
        (message.get(..first).unwrap_or_default(), message.get(last + 1..).unwrap_or_default());
    format!("{}{after}", before.trim_end())
}

/// Returns true if a text has 16 hex digits in a row. They may be the start of a preimage.
pub(crate) fn has_long_hex_number(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_hexdigit()).any(|digits| digits.len() >= 16)
}

/// Returns true if `bytes` contains `wanted`.
pub(crate) fn contains_bytes(bytes: &[u8], wanted: &[u8]) -> bool {
    wanted.is_empty() || bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// Escapes a text for a JSON string, without the quotes.
#[cfg(feature = "fixtures")]
pub(crate) fn in_json(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default().into()
}

/// Returns the position of `wanted` in `bytes`.
#[cfg(feature = "fixtures")]
pub(crate) fn find_bytes(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    if wanted.is_empty() {
        return Some(0);
    }
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// Replaces every occurrence of `wanted`. Returns `None` if there is none.
#[cfg(feature = "fixtures")]
pub(crate) fn replace_bytes(bytes: &[u8], wanted: &[u8], with: &[u8]) -> Option<Vec<u8>> {
    if wanted.is_empty() {
        return None;
    }
    let mut position = find_bytes(bytes, wanted)?;
    let mut replaced = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        let (before, found) = rest.split_at(position);
        replaced.extend_from_slice(before);
        replaced.extend_from_slice(with);
        rest = found.get(wanted.len()..).unwrap_or_default();
        match find_bytes(rest, wanted) {
            Some(next) => position = next,
            None => break,
        }
    }
    replaced.extend_from_slice(rest);
    Some(replaced)
}
