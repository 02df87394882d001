//! Makes a server's words fit for a log: short, tidy, and without secrets.

/// What stands where a secret stood.
#[cfg(feature = "fixtures")]
pub(crate) const REDACTED: &str = "[redacted]";

/// What stands for a text that repeats the key.
pub(crate) const REPEATS_THE_KEY: &str = "[withheld: it repeats the key]";

/// What stands for a text that names a preimage.
pub(crate) const HOLDS_A_PREIMAGE: &str = "[withheld: it may hold a preimage]";

/// What stands for a text with too many escapes in escapes.
pub(crate) const UNREADABLE: &str = "[withheld: it is escaped too often to be checked for the key]";

/// How the fields with preimages are called, whatever stands before it.
pub(crate) const PREIMAGE: &str = "preimage";

/// The end of a text that was cut.
pub(crate) const CUT: &str = "…";

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
        short.push_str(CUT);
    }
    short
}

/// What a parser of JSON says, without the text that it quotes.
pub(crate) fn complaint(error: &serde_json::Error) -> String {
    let words = format!("{error}");
    let quote = if words.starts_with("unknown variant") {
        words.find('`').zip(words.rfind("`, expected"))
    } else {
        words.find('"').zip(words.rfind('"'))
    };
    let Some((first, last)) = quote.filter(|(first, last)| first < last) else { return words };
    let (before, after) = (words.get(..first).unwrap_or_default(), words.get(last + 1..).unwrap_or_default());
    format!("{}{after}", before.trim_end())
}

/// Whether some bytes stand inside others.
pub(crate) fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    wanted.is_empty() || bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// A text as it stands inside a JSON string.
#[cfg(feature = "fixtures")]
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
