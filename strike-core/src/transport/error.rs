//! The `TransportError` type: why there is no response, and whether the request may have reached
//! the server.
//!
//! A transport that is not sure must report [`Delivery::MaybeSent`]. At worst, the caller then has
//! to check whether a charge exists. A wrong [`Delivery::Unsent`] can create two charges for one
//! order.

use std::error::Error as StdError;
use std::fmt;

/// Whether a request may have reached the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a caller must handle both")]
pub enum Delivery {
    /// No byte of the request was sent. It is safe to send any request again.
    Unsent,
    /// The request may have arrived, and the server may have processed it.
    MaybeSent,
}

/// Why an exchange failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The host name could not be resolved.
    Dns,
    /// The host refused the connection. Usually no server is listening on the port.
    ConnectionRefused,
    /// The connection could not be established for another reason. For example, the host is
    /// unreachable, or it closed the connection during the TLS handshake.
    Connect,
    /// The TLS handshake failed because of a certificate or the protocol version. A retry does not
    /// help.
    Tls,
    /// The exchange timed out, while connecting ([`Delivery::Unsent`]) or later.
    Timeout,
    /// The connection was closed or reset before the response headers were complete.
    Closed,
    /// The connection ended in the middle of the response body.
    Cut,
    /// The response is not valid HTTP.
    Protocol,
    /// The transport cannot send this request, because of its configuration.
    Setup,
    /// The reply did not reach the operation. For example, the future that received it was dropped.
    Lost,
    /// Any other failure.
    Other,
}

impl TransportErrorKind {
    /// Returns the kind in words that can follow "because".
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "the host name could not be resolved",
            Self::ConnectionRefused => "the host refused the connection",
            Self::Connect => "the connection could not be established",
            Self::Tls => "the TLS handshake failed",
            Self::Timeout => "the request timed out",
            Self::Closed => "the connection was closed before the response",
            Self::Cut => "the response was truncated",
            Self::Protocol => "the response is not valid HTTP",
            Self::Setup => "the transport cannot send this request",
            Self::Lost => "the reply was lost before it was processed",
            Self::Other => "the exchange failed",
        }
    }
}

/// The error of an exchange that got no response.
///
/// It contains neither the URL nor the API key. A [source](Self::with_source) must not contain them
/// either.
///
/// ```
/// use strike_core::{Delivery, TransportError, TransportErrorKind};
///
/// let error = TransportError::new(TransportErrorKind::ConnectionRefused, Delivery::Unsent);
/// assert_eq!(error.to_string(), "the host refused the connection (nothing was sent)");
/// ```
pub struct TransportError {
    kind: TransportErrorKind,
    delivery: Delivery,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl TransportError {
    /// Creates an error. If you are not sure about the delivery, use [`Delivery::MaybeSent`].
    #[must_use]
    pub const fn new(kind: TransportErrorKind, delivery: Delivery) -> Self {
        Self { kind, delivery, source: None }
    }

    /// Adds the underlying error. It must contain neither the URL nor the API key.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns why the exchange failed.
    #[must_use]
    pub const fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// Returns whether the request may have reached the server.
    #[must_use]
    pub const fn delivery(&self) -> Delivery {
        self.delivery
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let delivery = match self.delivery {
            Delivery::Unsent => "nothing was sent",
            Delivery::MaybeSent => "the request may have arrived",
        };
        write!(f, "{} ({delivery})", self.kind.as_str())
    }
}

impl fmt::Debug for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportError")
            .field("kind", &self.kind)
            .field("delivery", &self.delivery)
            .field("source", &self.source)
            .finish()
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
