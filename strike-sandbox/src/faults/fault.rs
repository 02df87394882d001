//! The kinds of fault, and what each one does to a request.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use strike_core::HttpResponse;
use strike_core::http::StatusCode;

use super::fixed_response::{self, FixedResponse};
use super::json;

/// A fault: what the sandbox does instead of responding normally.
///
/// The sandbox always reads the whole request first. If the fault has *processed*, the request
/// takes effect: a create stores its charge. Otherwise the sandbox computes the response but stores
/// nothing. Each fault has a default, which [`processed`](Self::processed) overrides.
///
/// | fault | processed | what the client receives | connection |
/// | --- | --- | --- | --- |
/// | [`refuse`](Self::refuse) | no | nothing | reset |
/// | [`close`](Self::close) | yes | nothing | closed |
/// | [`cut`](Self::cut) | yes | the beginning of the response | closed |
/// | [`stall`](Self::stall) | yes | nothing, or the beginning of the response, then silence | closed after 5 minutes |
/// | [`drip`](Self::drip) | yes | the response, byte by byte | closed |
/// | [`wrong_length`](Self::wrong_length) | yes | the response with a wrong `Content-Length` | closed |
/// | [`garbage`](Self::garbage) | yes | 256 bytes that are not HTTP | closed |
/// | [`status`](Self::status) | no | an error response with that status | stays open |
/// | [`answer`](Self::answer) | no | the given response | stays open |
/// | [`latency`](Self::latency) | yes | the response, later | stays open |
///
/// If the connection is closed after the response, the response contains `Connection: close`. It is
/// otherwise the response without the fault.
///
/// No fault takes longer than five minutes. It ends earlier if the client disconnects or the server
/// stops.
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

/// A position in a response. A position beyond the end means the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a response consists of a head and a body")]
pub enum After {
    /// After this many bytes of the response, including its head.
    Bytes(#[serde(deserialize_with = "json::bytes")] usize),
    /// After the head and this many bytes of the body.
    BodyBytes(#[serde(deserialize_with = "json::bytes")] usize),
}

/// The kinds of fault, with their JSON representation.
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
            serialize_with = "json::write_millis",
            deserialize_with = "json::millis"
        )]
        every: Duration,
    },
    WrongLength(#[serde(deserialize_with = "json::length_error")] i64),
    Garbage,
    Status(#[serde(serialize_with = "json::write_status", deserialize_with = "json::status")] StatusCode),
    Answer(FixedResponse),
    Latency {
        #[serde(rename = "ms", serialize_with = "json::write_millis", deserialize_with = "json::millis")]
        time: Duration,
        #[serde(
            rename = "jitter_ms",
            default,
            serialize_with = "json::write_millis",
            deserialize_with = "json::millis"
        )]
        jitter: Duration,
    },
}

impl Fault {
    const fn of(kind: Kind) -> Self {
        Self { kind, processed: None }
    }

    /// Resets the connection (TCP RST) instead of responding.
    ///
    /// The client has already connected and sent its request. A sandbox with an open port cannot
    /// refuse the connection itself.
    pub const fn refuse() -> Self {
        Self::of(Kind::Refuse)
    }

    /// Closes the connection instead of responding.
    pub const fn close() -> Self {
        Self::of(Kind::Close)
    }

    /// Closes the connection in the middle of the response.
    pub const fn cut(after: After) -> Self {
        Self::of(Kind::Cut(after))
    }

    /// Stops sending at this position and keeps the connection open for five minutes.
    ///
    /// With `After::Bytes(0)` the client receives nothing.
    pub const fn stall(after: After) -> Self {
        Self::of(Kind::Stall(after))
    }

    /// Sends the response byte by byte, and waits this long after each byte.
    ///
    /// After five minutes the connection is closed, even if bytes are left.
    pub const fn drip(every: Duration) -> Self {
        Self::of(Kind::Drip { every })
    }

    /// Changes the `Content-Length` by this number, down to 0 at least. The body stays the same.
    ///
    /// If the length is too large, the response looks truncated. If it is too small, the body seems
    /// to end early.
    pub const fn wrong_length(difference: i64) -> Self {
        Self::of(Kind::WrongLength(difference))
    }

    /// Sends 256 bytes from 0x80 to 0xff instead of HTTP. They depend on the sandbox's seed.
    pub const fn garbage() -> Self {
        Self::of(Kind::Garbage)
    }

    /// Responds with this status and an error body in the format of the API: JSON, or phoenixd's
    /// plain text.
    ///
    /// phoenixd has two texts for a 404. For one payment it is `Not found`, otherwise `Unknown
    /// endpoint (check api doc)`.
    ///
    /// An interim status (1xx) is replaced with 500.
    pub fn status(status: StatusCode) -> Self {
        Self::of(Kind::Status(fixed_response::final_status(status)))
    }

    /// Responds with this response.
    ///
    /// The sandbox sets the right `Content-Length` and adds nothing else. It makes these changes:
    ///
    /// * An interim status (1xx) is replaced with 500.
    /// * `Content-Length`, `Transfer-Encoding` and `Connection` of the given response are removed.
    /// * The body of a 204 or 304 is removed.
    pub fn answer(response: HttpResponse) -> Self {
        Self::of(Kind::Answer(FixedResponse::from(response)))
    }

    /// Delays the response by `time` and a random part of `jitter`.
    ///
    /// The random part depends on the sandbox's seed. The request takes effect when it arrives.
    pub const fn latency(time: Duration, jitter: Duration) -> Self {
        Self::of(Kind::Latency { time, jitter })
    }

    /// Sets whether the request takes effect.
    ///
    /// With `false`, a create stores no charge, whatever the response contains.
    pub const fn processed(mut self, processed: bool) -> Self {
        self.processed = Some(processed);
        self
    }
}

impl Kind {
    /// Returns the default of [`Fault::processed`].
    pub(super) const fn is_processed(&self) -> bool {
        !matches!(self, Self::Refuse | Self::Status(_) | Self::Answer(_))
    }
}
