//! The script of a struck exchange: from the answer that there would have been to what is done with the connection.

use std::time::Duration;

use strike_core::http::{HeaderValue, StatusCode, header};
use strike_core::{HttpRequest, HttpResponse, UnixMillis};

use super::canned::without_body_where_none_may_be;
use super::fault::{After, Kind};
use super::live::{Due, Faults};
use crate::response::{self, Audience, ErrorResponse};

/// How long a fault can hold a connection.
pub(crate) const LONGEST: Duration = Duration::from_secs(300);

/// The course of an exchange once its request was read.
pub(crate) enum Course {
    /// The answer, as if there were no faults.
    Plain(HttpResponse),
    /// An answer after this long, and the connection goes on.
    Whole { after: Duration, response: HttpResponse },
    /// These acts, of which the last ends the connection.
    Broken { acts: Vec<Act>, response: HttpResponse },
}

/// What is done with a connection.
#[derive(Debug, PartialEq)]
pub(crate) enum Act {
    /// Bytes, at once.
    Write(Vec<u8>),
    /// Bytes, each with so much time after it.
    Drip(Vec<u8>, Duration),
    /// Silence.
    Pause(Duration),
    /// An orderly end.
    Close,
    /// A TCP reset.
    Reset,
}

impl Faults {
    /// What becomes of an exchange whose answer would have been this one.
    pub(crate) fn course(
        &mut self,
        due: Due,
        request: &HttpRequest,
        response: HttpResponse,
        now: UnixMillis,
    ) -> Course {
        match due.kind {
            Kind::Status(status) => {
                Course::Whole { after: Duration::ZERO, response: error(status, request, now) }
            }
            Kind::Answer(canned) => Course::Whole { after: Duration::ZERO, response: canned.into_response() },
            Kind::Latency { time, jitter } => {
                let after = time.saturating_add(self.jitter(jitter)).min(LONGEST);
                Course::Whole { after, response }
            }
            kind => broken(&kind, response, || self.noise()),
        }
    }
}

/// An error as the service dressed its own.
fn error(status: StatusCode, request: &HttpRequest, now: UnixMillis) -> HttpResponse {
    let reason = status.canonical_reason().unwrap_or("no reason given").to_ascii_lowercase();
    let outcome = Err(ErrorResponse::new(status, reason));
    without_body_where_none_may_be(response::build(request, outcome, Audience::AnyOrigin, now))
}

fn broken(kind: &Kind, mut response: HttpResponse, noise: impl FnOnce() -> Vec<u8>) -> Course {
    if let Kind::WrongLength(off_by) = kind {
        // The answer to HEAD says the length of a body that it does not have.
        let said = response
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok());
        let right = said.unwrap_or_else(|| u64::try_from(response.body().len()).unwrap_or(u64::MAX));
        let length = right.saturating_add_signed(*off_by);
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    // It ends, and a client that has all it wants must not keep it for its next request.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    let mut bytes = head(&response);
    let body_at = bytes.len();
    bytes.extend_from_slice(response.body());
    let beginning = |after: After, mut bytes: Vec<u8>| {
        bytes.truncate(match after {
            After::Bytes(count) => count,
            After::BodyBytes(count) => body_at.saturating_add(count),
        });
        Act::Write(bytes)
    };
    let acts = match kind {
        Kind::Refuse => vec![Act::Reset],
        Kind::Cut(after) => vec![beginning(*after, bytes), Act::Close],
        Kind::Stall(after) => vec![beginning(*after, bytes), Act::Pause(LONGEST), Act::Close],
        Kind::Drip { every } => vec![Act::Drip(bytes, *every), Act::Close],
        Kind::WrongLength(_) => vec![Act::Write(bytes), Act::Close],
        Kind::Garbage => vec![Act::Write(noise()), Act::Close],
        // Those with an answer of their own never come here.
        Kind::Close | Kind::Status(_) | Kind::Answer(_) | Kind::Latency { .. } => vec![Act::Close],
    };
    Course::Broken { acts, response }
}

/// The head of an answer, as the server writes it.
pub(super) fn head(response: &HttpResponse) -> Vec<u8> {
    let status = response.status();
    let reason = status.canonical_reason().unwrap_or("<none>");
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).into_bytes();
    for (name, value) in response.headers() {
        let mut starts_word = true;
        for byte in name.as_str().bytes() {
            head.push(if starts_word { byte.to_ascii_uppercase() } else { byte });
            starts_word = byte == b'-';
        }
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-A: b\r\nConnection: close\r\n\r\n";

    fn list_response() -> HttpResponse {
        let mut response = HttpResponse::new(b"[ ]".to_vec());
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("3"));
        response.headers_mut().insert("x-a", HeaderValue::from_static("b"));
        response
    }

    fn acts(kind: Kind) -> Vec<Act> {
        match broken(&kind, list_response(), || vec![0xff]) {
            Course::Broken { acts, .. } => acts,
            Course::Plain(_) | Course::Whole { .. } => panic!("{kind:?} breaks the connection"),
        }
    }

    fn text(text: &str) -> Act {
        Act::Write(text.as_bytes().to_vec())
    }

    #[test]
    fn each_fault_kind_produces_the_expected_actions() {
        assert_eq!(acts(Kind::Refuse), [Act::Reset]);
        assert_eq!(acts(Kind::Close), [Act::Close]);
        assert_eq!(acts(Kind::Cut(After::Bytes(4))), [text("HTTP"), Act::Close]);
        assert_eq!(acts(Kind::Cut(After::BodyBytes(2))), [text(&format!("{HEAD}[ ")), Act::Close]);
        assert_eq!(acts(Kind::Cut(After::BodyBytes(usize::MAX))), [text(&format!("{HEAD}[ ]")), Act::Close]);
        assert_eq!(acts(Kind::Stall(After::Bytes(0))), [text(""), Act::Pause(LONGEST), Act::Close]);
        let every = Duration::from_millis(5);
        let dripped = Act::Drip(format!("{HEAD}[ ]").into_bytes(), every);
        assert_eq!(acts(Kind::Drip { every }), [dripped, Act::Close]);
        assert_eq!(acts(Kind::Garbage), [Act::Write(vec![0xff]), Act::Close]);
        for (off_by, length) in [(7, "10"), (-1, "2"), (-4, "0"), (i64::MIN, "0")] {
            let wrong = format!("{HEAD}[ ]").replace("h: 3", &format!("h: {length}"));
            assert_eq!(acts(Kind::WrongLength(off_by)), [text(&wrong), Act::Close]);
        }
    }
}
