//! [`Fault`]: a failure that is applied to a request.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use strike_core::HttpResponse;
use strike_core::http::StatusCode;

use super::canned::{self, Canned};
use super::shape;

/// A failure that is applied to a request.
///
/// The sandbox always reads the whole request first. A *processed* request takes effect, so a create
/// stores its charge. Otherwise the response is the same, but nothing is stored. Each fault has a
/// default, which [`processed`](Self::processed) overrides.
///
/// | fault | processed | what the client receives |
/// | --- | --- | --- |
/// | [`refuse`](Self::refuse) | no | nothing; the connection is reset |
/// | [`close`](Self::close) | yes | nothing; the connection is closed |
/// | [`cut`](Self::cut) | yes | the beginning of the response, then the connection is closed |
/// | [`stall`](Self::stall) | yes | nothing, or the beginning of the response, then silence |
/// | [`drip`](Self::drip) | yes | the response, byte by byte, then the connection is closed |
/// | [`wrong_length`](Self::wrong_length) | yes | the response with a wrong `Content-Length`, then the connection is closed |
/// | [`garbage`](Self::garbage) | yes | 256 bytes that are not HTTP, then the connection is closed |
/// | [`status`](Self::status) | no | an error with this status; the connection stays open |
/// | [`answer`](Self::answer) | no | the given response; the connection stays open |
/// | [`latency`](Self::latency) | yes | the response, later; the connection stays open |
///
/// If a fault closes the connection, the response has the header `Connection: close`. A fault keeps a
/// connection open for at most five minutes.
///
/// ```
/// use std::time::Duration;
/// use strike_core::http::{Response, StatusCode};
/// use strike_sandbox::faults::{After, Fault};
///
/// let in_mid_body = Fault::cut(After::BodyBytes(40));
/// let stored_but_500 = Fault::status(StatusCode::INTERNAL_SERVER_ERROR).processed(true);
/// let busy = Response::builder().status(429).header("Retry-After", "2").body(b"busy".to_vec())?;
/// let slow = Fault::latency(Duration::from_millis(200), Duration::from_millis(100));
/// # let _ = (in_mid_body, stored_but_500, Fault::answer(busy), slow);
/// # Ok::<(), strike_core::http::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Fault {
    pub(super) kind: Kind,
    pub(super) processed: Option<bool>,
}

/// A position in a response, as a number of bytes. Positions beyond the end mean the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "an answer has a head and a body")]
pub enum After {
    /// This many bytes of the response, counted from the status line.
    Bytes(#[serde(deserialize_with = "shape::bytes")] usize),
    /// The whole head and this many bytes of the body.
    BodyBytes(#[serde(deserialize_with = "shape::bytes")] usize),
}

/// The kinds of faults, as written in JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Kind {
    Refuse,
    Close,
    Cut(After),
    Stall(After),
    Drip {
        #[serde(
            rename = "every_ms",
            serialize_with = "shape::write_millis",
            deserialize_with = "shape::millis"
        )]
        every: Duration,
    },
    WrongLength(#[serde(deserialize_with = "shape::off_by")] i64),
    Garbage,
    Status(#[serde(serialize_with = "shape::write_status", deserialize_with = "shape::status")] StatusCode),
    Answer(Canned),
    Latency {
        #[serde(rename = "ms", serialize_with = "shape::write_millis", deserialize_with = "shape::millis")]
        time: Duration,
        #[serde(
            rename = "jitter_ms",
            default,
            serialize_with = "shape::write_millis",
            deserialize_with = "shape::millis"
        )]
        jitter: Duration,
    },
}

impl Fault {
    const fn of(kind: Kind) -> Self {
        Self { kind, processed: None }
    }

    /// Resets the connection (a TCP reset, by closing with a linger of zero) without a response.
    ///
    /// A server whose port is open cannot refuse a connection, so this is as near as it comes: the client gets a
    /// reset instead of an answer, after it was connected and has sent its request.
    pub const fn refuse() -> Self {
        Self::of(Kind::Refuse)
    }

    /// Closes the connection without a response.
    pub const fn close() -> Self {
        Self::of(Kind::Close)
    }

    /// Closes the connection within the response.
    pub const fn cut(after: After) -> Self {
        Self::of(Kind::Cut(after))
    }

    /// Stops sending before the response (`After::Bytes(0)`) or within it. The connection is closed
    /// after five minutes.
    pub const fn stall(after: After) -> Self {
        Self::of(Kind::Stall(after))
    }

    /// Sends the response byte by byte, with this delay after each byte. After five minutes the rest is
    /// discarded.
    pub const fn drip(every: Duration) -> Self {
        Self::of(Kind::Drip { every })
    }

    /// Adds to the `Content-Length`, or takes from it down to 0, and sends the body as it is: a length that is too
    /// long looks like an answer that was cut, one that is too short like a body that ends too early.
    pub const fn wrong_length(off_by: i64) -> Self {
        Self::of(Kind::WrongLength(off_by))
    }

    /// Sends 256 bytes from 0x80 to 0xff, drawn from the sandbox's seed, instead of HTTP.
    pub const fn garbage() -> Self {
        Self::of(Kind::Garbage)
    }

    /// Responds with this status and an error body in the service's format. A status below 200 is
    /// replaced by 500.
    pub fn status(status: StatusCode) -> Self {
        Self::of(Kind::Status(canned::last_word(status)))
    }

    /// Answers with this status, these headers and this body, and nothing else but a `Content-Length` that is right.
    /// A status below 200 would be no answer: 500 is sent instead. Headers that frame a body (`Content-Length`,
    /// `Transfer-Encoding`, `Connection`) are left out; a body that 204 and 304 cannot have is, too.
    pub fn answer(response: HttpResponse) -> Self {
        Self::of(Kind::Answer(Canned::from(response)))
    }

    /// Answers as usual, but so much later, and up to `jitter` later than that, drawn from the sandbox's seed. The
    /// state changes when the request arrives.
    pub const fn latency(time: Duration, jitter: Duration) -> Self {
        Self::of(Kind::Latency { time, jitter })
    }

    /// Sets whether the request takes effect. If not, a create stores no charge, whatever the response
    /// says.
    pub const fn processed(mut self, processed: bool) -> Self {
        self.processed = Some(processed);
        self
    }
}

impl Kind {
    /// Returns whether the request takes effect by default.
    pub(super) const fn is_processed(&self) -> bool {
        !matches!(self, Self::Refuse | Self::Status(_) | Self::Answer(_))
    }
}
