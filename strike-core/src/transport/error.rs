//! Why an exchange brought no answer, and whether the request can have reached the server.
//!
//! A transport that cannot say for sure says [`Delivery::MaybeSent`]: the worst that follows is an error that
//! asks for a look, while a wrong [`Delivery::Unsent`] can make two charges for one order.

use std::error::Error as StdError;
use std::fmt;

/// Whether the request can have reached the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a caller must answer both")]
pub enum Delivery {
    /// Not one byte of the request left: it is safe to send it again, whatever it was.
    Unsent,
    /// Some or all of it may have arrived, and may have been acted upon.
    MaybeSent,
}

/// What went wrong on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The host's name did not resolve.
    Dns,
    /// The host refused the connection: nothing listens there, or not yet.
    ConnectionRefused,
    /// No connection for another reason: unreachable, or closed while connecting or shaking hands.
    Connect,
    /// The TLS handshake failed over a certificate or the protocol; asking again will not help.
    Tls,
    /// Time ran out, while connecting ([`Delivery::Unsent`]) or later.
    Timeout,
    /// The connection was closed or reset before the head of an answer was complete.
    Closed,
    /// The connection ended inside the answer.
    Cut,
    /// What came back is not HTTP.
    Protocol,
    /// The transport cannot send such a request at all: it is set up wrongly.
    Setup,
    /// The reply never reached the machine that waits for it.
    Lost,
    /// Anything else.
    Other,
}

impl TransportErrorKind {
    /// The kind in words, fit to follow "because".
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "the host's name did not resolve",
            Self::ConnectionRefused => "the host refused the connection",
            Self::Connect => "no connection could be made",
            Self::Tls => "the TLS handshake failed",
            Self::Timeout => "time ran out",
            Self::Closed => "the connection was closed before an answer",
            Self::Cut => "the connection ended inside the answer",
            Self::Protocol => "the answer is not HTTP",
            Self::Setup => "the transport cannot send this request",
            Self::Lost => "the reply was lost before it was handled",
            Self::Other => "the exchange failed",
        }
    }
}

/// An exchange without an answer: a kind, and what is known about delivery.
///
/// It holds neither URL nor key; whoever adds a [source](Self::with_source) sees to it that this one does not either.
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
    /// An error of that kind, with what is known about delivery; in doubt, [`Delivery::MaybeSent`].
    #[must_use]
    pub const fn new(kind: TransportErrorKind, delivery: Delivery) -> Self {
        Self { kind, delivery, source: None }
    }

    /// Adds the error below, which must name neither URL nor key.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What went wrong.
    #[must_use]
    pub const fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// Whether the request can have reached the server.
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
