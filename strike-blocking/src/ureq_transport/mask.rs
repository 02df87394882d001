//! Keeps ureq's optional features from acting on a response.
//!
//! Any crate of the program can switch on ureq's features `cookies`, `gzip` and `brotli`. ureq then keeps and sends
//! cookies and decompresses bodies, and it has no option against either. All of them start from a response header, so
//! the names of those headers are masked before ureq parses the head, and restored in the response that is handed over.

use strike_core::http::HeaderMap;
use strike_core::http::header::{CONTENT_ENCODING, HeaderName, SET_COOKIE};

/// The headers that ureq must not see.
const MASKED: [HeaderName; 2] = [CONTENT_ENCODING, SET_COOKIE];

/// The most bytes of a line that must be known to tell which header it is, the colon included.
pub(super) const LONGEST: usize = "content-encoding:".len();

/// Takes the place of a name's first letter. It is allowed in a name, so that a head stays well-formed.
const MARK: u8 = b'!';

/// The response as far as it came: masks its head, and passes its body on untouched.
#[derive(Debug, Default)]
pub(super) struct Mask {
    part: Part,
    /// The beginning of a line of the head, held back until it is known which header it is.
    held: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The status line comes next, or an empty line before it.
    #[default]
    Status,
    /// A line of a head. After an interim response (1xx), another head follows.
    Line {
        interim: bool,
    },
    /// The rest of a line that was recognised.
    Rest {
        interim: bool,
    },
    Body,
}

impl Mask {
    /// A request is being sent: a head comes next.
    pub(super) fn expect_head(&mut self) {
        self.part = Part::Status;
    }

    /// Appends the bytes to `out`, masked where they belong to a head.
    pub(super) fn apply(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for (index, &byte) in bytes.iter().enumerate() {
            match self.part {
                Part::Body => {
                    out.extend_from_slice(bytes.get(index..).unwrap_or_default());
                    return;
                }
                Part::Rest { interim } => {
                    out.push(byte);
                    if byte == b'\n' {
                        self.part = Part::Line { interim };
                    }
                }
                Part::Status | Part::Line { .. } => {
                    self.held.push(byte);
                    if byte == b'\n' || self.held.len() == LONGEST {
                        self.settle(byte == b'\n');
                        out.append(&mut self.held);
                    }
                }
            }
        }
    }

    /// What was held back when the connection ended.
    pub(super) fn end(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// Decides about the line that is held, which is complete or long enough.
    fn settle(&mut self, complete: bool) {
        let empty = self.held.trim_ascii().is_empty();
        let interim = match self.part {
            Part::Status if empty && complete => return,
            Part::Status => self.held.get(9) == Some(&b'1'),
            Part::Line { interim } if empty && complete => {
                self.part = if interim { Part::Status } else { Part::Body };
                return;
            }
            Part::Line { interim } | Part::Rest { interim } => {
                if MASKED.iter().any(|name| is_header(&self.held, name))
                    && let Some(first) = self.held.first_mut()
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

/// Gives the masked headers their names back.
pub(super) fn restore(headers: &mut HeaderMap) {
    for name in MASKED {
        let mut masked = name.as_str().as_bytes().to_vec();
        if let Some(first) = masked.first_mut() {
            *first = MARK;
        }
        let Ok(masked) = HeaderName::from_bytes(&masked) else { continue };
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

    /// Through the mask in pieces of that size.
    fn masked(response: &str, size: usize) -> String {
        let (mut mask, mut out) = (Mask::default(), Vec::new());
        for piece in response.as_bytes().chunks(size) {
            mask.apply(piece, &mut out);
        }
        out.extend(mask.end());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn head_is_masked_and_body_is_not_in_pieces_of_any_size() {
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
    fn what_ends_inside_a_line_is_passed_on() {
        assert_eq!(masked("HTTP/1.1 200 OK\r\nset-coo", 5), "HTTP/1.1 200 OK\r\nset-coo");
    }

    #[test]
    fn restore_gives_each_value_its_name_back() {
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
