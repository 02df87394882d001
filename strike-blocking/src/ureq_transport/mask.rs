//! Hides response headers from ureq, so that its optional features do not act on them.
//!
//! Any crate of a program can enable ureq's features `cookies`, `gzip` and `brotli`. ureq then
//! stores and sends cookies, and decompresses bodies. It has no option to disable that. These
//! features depend on response headers. So the names of these headers are masked before ureq parses
//! them, and restored in the returned response.

use strike_core::http::HeaderMap;
use strike_core::http::header::{CONTENT_ENCODING, HeaderName, SET_COOKIE};

/// The headers to hide from ureq.
const MASKED: [HeaderName; 2] = [CONTENT_ENCODING, SET_COOKIE];

/// Their names with [`MARK`].
const MASKED_NAMES: [HeaderName; 2] =
    [HeaderName::from_static("!ontent-encoding"), HeaderName::from_static("!et-cookie")];

/// The number of bytes of a line that are needed to recognize a masked header, including the colon.
pub(super) const LONGEST: usize = "content-encoding:".len();

/// Replaces the first letter of a masked name. It is a valid character of header names.
const MARK: u8 = b'!';

/// Masks the headers of a response that arrives in pieces. Its body is not changed.
#[derive(Debug, Default)]
pub(super) struct Mask {
    part: Part,
    /// The start of a header line, held back until the name of the header is known.
    pending: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Expects the status line, or an empty line before it.
    #[default]
    Status,
    /// At the start of a header line. After an interim response (1xx), another status line follows.
    Line { interim: bool },
    /// Inside a header line, after its name.
    Rest { interim: bool },
    /// In the body.
    Body,
}

impl Mask {
    /// Prepares for the next response. Call it when a request is sent.
    pub(super) fn expect_head(&mut self) {
        self.part = Part::Status;
    }

    /// Appends the bytes to `out`, with masked header names.
    pub(super) fn apply(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while !bytes.is_empty() {
            let line = bytes.iter().position(|&byte| byte == b'\n').map(|end| end.saturating_add(1));
            let length = match self.part {
                Part::Body => bytes.len(),
                Part::Rest { .. } => line.unwrap_or(bytes.len()),
                Part::Status | Part::Line { .. } => {
                    line.unwrap_or(bytes.len()).min(LONGEST.saturating_sub(self.pending.len()))
                }
            };
            let (piece, rest) = bytes.split_at(length);
            bytes = rest;
            match self.part {
                Part::Body => out.extend_from_slice(piece),
                Part::Rest { interim } => {
                    out.extend_from_slice(piece);
                    if piece.ends_with(b"\n") {
                        self.part = Part::Line { interim };
                    }
                }
                Part::Status | Part::Line { .. } => {
                    self.pending.extend_from_slice(piece);
                    let complete = piece.ends_with(b"\n");
                    if complete || self.pending.len() == LONGEST {
                        self.mask_pending(complete);
                        out.append(&mut self.pending);
                    }
                }
            }
        }
    }

    /// Appends the bytes that are still held back. Call it when the connection ends.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.pending);
    }

    /// Masks the pending line if needed. It must be complete, or long enough to contain the header
    /// name.
    fn mask_pending(&mut self, complete: bool) {
        let empty = self.pending.trim_ascii().is_empty();
        let interim = match self.part {
            Part::Status if empty && complete => return,
            Part::Status => self.pending.get(9) == Some(&b'1'),
            Part::Line { interim } if empty && complete => {
                self.part = if interim { Part::Status } else { Part::Body };
                return;
            }
            Part::Line { interim } | Part::Rest { interim } => {
                if MASKED.iter().any(|name| is_header(&self.pending, name))
                    && let Some(first) = self.pending.first_mut()
                {
                    *first = MARK;
                }
                interim
            }
            Part::Body => return,
        };
        self.part = if complete { Part::Line { interim } } else { Part::Rest { interim } };
    }
}

fn is_header(line: &[u8], name: &HeaderName) -> bool {
    let length = name.as_str().len();
    line.get(length) == Some(&b':')
        && line.get(..length).is_some_and(|start| start.eq_ignore_ascii_case(name.as_str().as_bytes()))
}

/// Restores the names of the masked headers.
pub(super) fn restore(headers: &mut HeaderMap) {
    for (masked, name) in MASKED_NAMES.into_iter().zip(MASKED) {
        if !headers.contains_key(&masked) {
            continue;
        }
        let values: Vec<_> = headers.get_all(&masked).iter().cloned().collect();
        headers.remove(&masked);
        for value in values {
            headers.append(name.clone(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the masked response, processed in pieces of this size.
    fn masked(response: &str, size: usize) -> String {
        let (mut mask, mut out) = (Mask::default(), Vec::new());
        for piece in response.as_bytes().chunks(size) {
            mask.apply(piece, &mut out);
        }
        mask.end(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn headers_but_not_body_are_masked_for_every_piece_size() {
        let body = "x\r\nSet-Cookie: a=b\r\n\r\nContent-Encoding: gzip\r\n";
        let interim = "\r\nHTTP/1.1 103 Early Hints\r\nSet-Cookie: a=b\r\n\r\n";
        let head = "HTTP/1.1 200 OK\r\nSET-COOKIE: a=b\r\nx: Set-Cookie: c\r\nset-cookies: d\r\n\
             content-encoding:gzip\r\nContent-Encodings: e\r\nset-cookie:\r\n\r\n";
        let expected = "\r\nHTTP/1.1 103 Early Hints\r\n!et-Cookie: a=b\r\n\r\nHTTP/1.1 200 OK\r\n!ET-COOKIE: a=b\r\n\
             x: Set-Cookie: c\r\nset-cookies: d\r\n!ontent-encoding:gzip\r\nContent-Encodings: e\r\n!et-cookie:\r\n\r\n";
        let response = format!("{interim}{head}{body}");
        for size in 1..response.len() {
            assert_eq!(masked(&response, size), format!("{expected}{body}"), "{size}");
        }
    }

    #[test]
    fn incomplete_last_line_is_output_unchanged() {
        assert_eq!(masked("HTTP/1.1 200 OK\r\nset-coo", 5), "HTTP/1.1 200 OK\r\nset-coo");
    }

    #[test]
    fn restore_renames_every_masked_header() {
        let mut headers = HeaderMap::new();
        headers.append("!et-cookie", "a=b".parse().unwrap());
        headers.append("!et-cookie", "c=d".parse().unwrap());
        headers.append("!ontent-encoding", "gzip".parse().unwrap());
        restore(&mut headers);
        assert_eq!(headers.get_all(SET_COOKIE).iter().collect::<Vec<_>>(), ["a=b", "c=d"]);
        assert_eq!(headers[CONTENT_ENCODING], "gzip");
        assert_eq!(headers.len(), 3);
    }
}
