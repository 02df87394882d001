//! The `Exchange` type: an HTTP request with its limits. A transport turns it into a `Reply`.

use std::fmt;
use std::time::Duration;

use crate::transport::TransportError;

/// A request. It is complete except for the headers that a transport adds: `Host`, `Content-Length`
/// and `Connection`.
pub type HttpRequest = http::Request<Vec<u8>>;

/// A response with any status.
pub type HttpResponse = http::Response<Vec<u8>>;

/// The result of an [`Exchange`]: a response with any status, or the reason why there is none.
pub type Reply = Result<HttpResponse, TransportError>;

/// One HTTP exchange for a transport: the request to send, and its limits.
///
/// A transport follows these rules:
///
/// - It sends exactly `request`, and adds only `Host`, `Content-Length` and `Connection`.
/// - It follows no redirects and retries nothing.
/// - It returns every response, whatever its status.
///
/// ```
/// use std::time::Duration;
/// use strike_core::http::Request;
/// use strike_core::{ConnectionUse, Exchange};
///
/// let request = Request::get("http://127.0.0.1:8420/api/v1/charges").body(Vec::new())?;
/// let exchange = Exchange::new(request, Duration::from_secs(30), 1 << 20);
/// assert_eq!(exchange.connection, ConnectionUse::Any);
/// # Ok::<(), strike_core::http::Error>(())
/// ```
#[non_exhaustive]
pub struct Exchange {
    /// The request to send.
    pub request: HttpRequest,
    /// The limit for the whole exchange, from resolving the host name to the last byte of the
    /// response.
    pub timeout: Duration,
    /// The largest response body, in bytes.
    ///
    /// A transport reads at most one byte more, and then returns the response with what it has
    /// read. The extra byte shows that the body was too large, and the status is still known.
    pub max_body: usize,
    /// The connections that the request may use.
    pub connection: ConnectionUse,
    /// The name of the operation, such as `create charge`. It is empty after [`new`](Self::new).
    pub operation: &'static str,
    /// The number of the attempt, counted from 1.
    pub attempt: u32,
}

impl Exchange {
    /// Creates an exchange with these limits, on any connection. Use it to test a transport.
    #[must_use]
    pub const fn new(request: HttpRequest, timeout: Duration, max_body: usize) -> Self {
        Self { request, timeout, max_body, connection: ConnectionUse::Any, operation: "", attempt: 1 }
    }
}

/// The connections that the request of an [`Exchange`] may use.
///
/// A server may close an idle connection just when a request is sent on it. The client retries a
/// read then. It does not retry a create, because the server may have processed it. So creates use
/// a new connection by default. See
/// [`RetryPolicy::reuse_connections_for_creates`](crate::RetryPolicy::reuse_connections_for_creates).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::exhaustive_enums, reason = "a transport must handle both")]
pub enum ConnectionUse {
    /// A connection from the pool, or a new one.
    #[default]
    Any,
    /// Only a new connection, on which no request was sent before. It may be put into the pool
    /// afterwards.
    New,
}

impl fmt::Debug for Exchange {
    /// Shows the method, the path and the limits, but neither headers nor body.
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
