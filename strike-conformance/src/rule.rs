//! The rules of a transport, and the sentence that a report prints for each.

use std::fmt;

/// A rule that every transport has to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Every request arrives as it was given: method, path and query byte for byte, headers, body. A transport does not
    /// answer from a cache.
    ExactRequest,
    /// A request has no headers besides the given ones and HTTP's own framing.
    NoAddedHeaders,
    /// No redirect is followed. Its response is returned like any other.
    NoRedirect,
    /// A request that may have been sent is not sent again.
    NoRetry,
    /// Every status is returned as a response, with its headers and its body.
    EveryStatus,
    /// A truncated response is an error, and so are bytes that are not HTTP.
    CompleteResponse,
    /// The response belongs to this request. It is not what an earlier exchange left on the connection.
    MatchingResponse,
    /// An exchange that asks for a new connection is the first one on its connection.
    NewConnection,
    /// A compressed body is returned as it came.
    NoDecompression,
    /// The timeout covers the whole exchange, and does not end it early.
    Timeout,
    /// A body is read up to the limit plus one byte.
    BodyLimit,
    /// An error says [`Unsent`](strike_core::Delivery::Unsent) only if no byte of the request was sent.
    NoFalseUnsent,
    /// The error for a refused connection says [`Unsent`](strike_core::Delivery::Unsent).
    RefusedIsUnsent,
    /// No error contains the key, the host or the path.
    NoSecretsInErrors,
    /// The transport always returns, and does not panic.
    NoPanic,
}

impl Rule {
    /// All rules, in the order of a report.
    pub const ALL: &'static [Self] = &[
        Self::ExactRequest,
        Self::NoAddedHeaders,
        Self::NoRedirect,
        Self::NoRetry,
        Self::EveryStatus,
        Self::CompleteResponse,
        Self::MatchingResponse,
        Self::NewConnection,
        Self::NoDecompression,
        Self::Timeout,
        Self::BodyLimit,
        Self::NoFalseUnsent,
        Self::RefusedIsUnsent,
        Self::NoSecretsInErrors,
        Self::NoPanic,
    ];

    /// Returns the rule as a sentence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExactRequest => "every request is sent exactly as it was given",
            Self::NoAddedHeaders => "no header is added to a request, except for framing",
            Self::NoRedirect => "no redirect is followed",
            Self::NoRetry => "a request that may have been sent is not sent again",
            Self::EveryStatus => "every status is returned as a response, with headers and body",
            Self::CompleteResponse => "a truncated or malformed response is an error",
            Self::MatchingResponse => "the response belongs to its own request",
            Self::NewConnection => "a new connection is used when the exchange asks for one",
            Self::NoDecompression => "a compressed body is returned as it came",
            Self::Timeout => "the timeout covers the whole exchange",
            Self::BodyLimit => "a body is read up to the limit plus one byte",
            Self::NoFalseUnsent => "an error says Unsent only if no byte was sent",
            Self::RefusedIsUnsent => "the error for a refused connection says Unsent",
            Self::NoSecretsInErrors => "no error contains the key, the host or the path",
            Self::NoPanic => "the transport returns and does not panic",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
