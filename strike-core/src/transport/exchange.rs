//! One HTTP exchange: the request, its limits, and the reply.

use std::fmt;
use std::time::Duration;

use crate::transport::TransportError;

/// A request as core builds it: complete, with every header it needs but those of HTTP's own framing.
pub type HttpRequest = http::Request<Vec<u8>>;

/// A response as a transport hands it over, whatever its status.
pub type HttpResponse = http::Response<Vec<u8>>;

/// What came of an [`Exchange`]: an answer with any status, or none and why.
pub type Reply = Result<HttpResponse, TransportError>;

/// One HTTP exchange to be made: what to send, and within which limits.
///
/// A transport sends exactly `request`, adds only HTTP's own framing (`Host`, `Content-Length`, `Connection`),
/// follows no redirect, retries nothing, and treats every status as an answer.
#[non_exhaustive]
pub struct Exchange {
    /// What to send.
    pub request: HttpRequest,
    /// For the whole exchange, from looking up the name to the last byte of the answer.
    pub timeout: Duration,
    /// The most bytes of body that are wanted. A transport stops reading one byte later and hands over what
    /// it has: core sees from the length that the body was too large, and still learns the status.
    pub max_body: usize,
    /// Which connections the request may use.
    pub connection: ConnectionUse,
    /// The name of the operation, such as `create charge`; empty unless a machine of this crate made the exchange.
    pub operation: &'static str,
    /// The number of the attempt, counted from 1.
    pub attempt: u32,
}

impl Exchange {
    /// An exchange within these limits, on any connection; for a machine of one's own, or to test a transport.
    #[must_use]
    pub const fn new(request: HttpRequest, timeout: Duration, max_body: usize) -> Self {
        Self { request, timeout, max_body, connection: ConnectionUse::Any, operation: "", attempt: 1 }
    }
}

/// Which connections the request of an [`Exchange`] may use.
///
/// A server may close an idle connection at the moment a request is sent on it. A read is retried then. A create is not,
/// because nobody knows whether the server has processed it. So a create uses a new connection by default; see
/// [`RetryPolicy::reuse_connections_for_creates`](crate::RetryPolicy::reuse_connections_for_creates).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::exhaustive_enums, reason = "a transport must handle both")]
pub enum ConnectionUse {
    /// A kept connection or a new one.
    #[default]
    Any,
    /// Only a new connection: no other request was sent on it before. It may be kept for later exchanges.
    New,
}

impl fmt::Debug for Exchange {
    /// Shows method, path and limits; neither headers nor body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("method", self.request.method())
            .field("path", &self.request.uri().path())
            .field("timeout", &self.timeout)
            .field("max_body", &self.max_body)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}
