//! Turns a fault into server behavior: what to write to the connection, when to wait, when to
//! close.

use std::time::Duration;

use strike_core::http::{HeaderValue, StatusCode, header};
use strike_core::{HttpRequest, HttpResponse, UnixMillis};

use super::active_rules::{ActiveRules, SelectedFault};
use super::fault::{After, Kind};
use super::fixed_response::remove_forbidden_body;
use crate::phoenixd;
use crate::response::{self, Audience, ErrorResponse};

/// The longest time for which a fault keeps a connection open.
pub(crate) const MAX_FAULT_DURATION: Duration = Duration::from_secs(300);

/// How the server treats a request that it has read.
pub(crate) enum Behavior {
    /// Sends the response of the service. No fault applies.
    Respond(HttpResponse),
    /// Sends a response after a delay. The connection stays open.
    RespondAfter { delay: Duration, response: HttpResponse },
    /// Performs the actions. The last one ends the connection.
    Disconnect { actions: Vec<SocketAction>, response: HttpResponse },
}

/// One action on a connection.
#[derive(Debug, PartialEq)]
pub(crate) enum SocketAction {
    /// Sends the bytes at once.
    Write(Vec<u8>),
    /// Sends the bytes one by one and waits this long after each.
    Drip(Vec<u8>, Duration),
    /// Sends nothing for this long.
    Pause(Duration),
    /// Closes the connection.
    Close,
    /// Resets the connection (TCP RST).
    Reset,
}

impl ActiveRules {
    /// Applies a fault to a request. `response` is the response without the fault.
    pub(crate) fn apply(
        &mut self,
        fault: SelectedFault,
        request: &HttpRequest,
        response: HttpResponse,
        now: UnixMillis,
    ) -> Behavior {
        match fault.kind {
            Kind::Status(status) => Behavior::RespondAfter {
                delay: Duration::ZERO,
                response: error_response(status, request, now),
            },
            Kind::Answer(fixed) => {
                Behavior::RespondAfter { delay: Duration::ZERO, response: fixed.into_response() }
            }
            Kind::Latency { time, jitter } => {
                let delay = time.saturating_add(self.jitter(jitter)).min(MAX_FAULT_DURATION);
                Behavior::RespondAfter { delay, response }
            }
            kind => disconnect(&kind, response, || self.garbage()),
        }
    }
}

/// Returns an error response in the format of the API that the request is for.
fn error_response(status: StatusCode, request: &HttpRequest, now: UnixMillis) -> HttpResponse {
    let root = request.uri().path().split('/').find(|segment| !segment.is_empty());
    if root.is_some_and(phoenixd::has_root) {
        return remove_forbidden_body(phoenixd::error_response(status, request));
    }
    let reason = status.canonical_reason().unwrap_or("no reason given").to_ascii_lowercase();
    let outcome = Err(ErrorResponse::new(status, reason));
    remove_forbidden_body(response::build(request, outcome, Audience::AnyOrigin, now))
}

/// Returns the behavior of a fault that ends the connection.
fn disconnect(kind: &Kind, mut response: HttpResponse, garbage: impl FnOnce() -> Vec<u8>) -> Behavior {
    if let Kind::WrongLength(difference) = kind {
        // The response to HEAD has a length but no body.
        let declared = response
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok());
        let right = declared.unwrap_or_else(|| u64::try_from(response.body().len()).unwrap_or(u64::MAX));
        let length = right.saturating_add_signed(*difference);
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    // A client may have received a complete response. It must not reuse the connection.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    let mut bytes = head(&response);
    let head_length = bytes.len();
    bytes.extend_from_slice(response.body());
    let write_until = |after: After, mut bytes: Vec<u8>| {
        bytes.truncate(match after {
            After::Bytes(count) => count,
            After::BodyBytes(count) => head_length.saturating_add(count),
        });
        SocketAction::Write(bytes)
    };
    let actions = match kind {
        Kind::Refuse => vec![SocketAction::Reset],
        Kind::Cut(after) => vec![write_until(*after, bytes), SocketAction::Close],
        Kind::Stall(after) => {
            vec![write_until(*after, bytes), SocketAction::Pause(MAX_FAULT_DURATION), SocketAction::Close]
        }
        Kind::Drip { every } => vec![SocketAction::Drip(bytes, *every), SocketAction::Close],
        Kind::WrongLength(_) => vec![SocketAction::Write(bytes), SocketAction::Close],
        Kind::Garbage => vec![SocketAction::Write(garbage()), SocketAction::Close],
        // `apply` handles the last three.
        Kind::Close | Kind::Status(_) | Kind::Answer(_) | Kind::Latency { .. } => vec![SocketAction::Close],
    };
    Behavior::Disconnect { actions, response }
}

/// Returns the head of a response as the server writes it.
pub(crate) fn head(response: &HttpResponse) -> Vec<u8> {
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

    fn actions(kind: Kind) -> Vec<SocketAction> {
        match disconnect(&kind, list_response(), || vec![0xff]) {
            Behavior::Disconnect { actions, .. } => actions,
            Behavior::Respond(_) | Behavior::RespondAfter { .. } => panic!("{kind:?} must disconnect"),
        }
    }

    fn text(text: &str) -> SocketAction {
        SocketAction::Write(text.as_bytes().to_vec())
    }

    #[test]
    fn each_fault_kind_produces_the_expected_actions() {
        assert_eq!(actions(Kind::Refuse), [SocketAction::Reset]);
        assert_eq!(actions(Kind::Close), [SocketAction::Close]);
        assert_eq!(actions(Kind::Cut(After::Bytes(4))), [text("HTTP"), SocketAction::Close]);
        assert_eq!(
            actions(Kind::Cut(After::BodyBytes(2))),
            [text(&format!("{HEAD}[ ")), SocketAction::Close]
        );
        assert_eq!(
            actions(Kind::Cut(After::BodyBytes(usize::MAX))),
            [text(&format!("{HEAD}[ ]")), SocketAction::Close]
        );
        assert_eq!(
            actions(Kind::Stall(After::Bytes(0))),
            [text(""), SocketAction::Pause(MAX_FAULT_DURATION), SocketAction::Close]
        );
        let every = Duration::from_millis(5);
        let dripped = SocketAction::Drip(format!("{HEAD}[ ]").into_bytes(), every);
        assert_eq!(actions(Kind::Drip { every }), [dripped, SocketAction::Close]);
        assert_eq!(actions(Kind::Garbage), [SocketAction::Write(vec![0xff]), SocketAction::Close]);
        for (difference, length) in [(7, "10"), (-1, "2"), (-4, "0"), (i64::MIN, "0")] {
            let wrong = format!("{HEAD}[ ]").replace("h: 3", &format!("h: {length}"));
            assert_eq!(actions(Kind::WrongLength(difference)), [text(&wrong), SocketAction::Close]);
        }
    }
}
