//! The rules of a transport, one by one, with their names.

use std::fmt;

/// One thing that whoever moves the bytes owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// The request arrives as it was given: method, path and query byte for byte, headers, body; and each one arrives,
    /// whatever an earlier answer said about caching.
    ExactRequest,
    /// Nothing comes to it but HTTP's own framing.
    NothingAdded,
    /// No redirect is followed: its status is the answer.
    NoRedirect,
    /// What may have left is not sent again.
    NoRetry,
    /// Every status is an answer, with its headers and its body.
    EveryStatus,
    /// An answer that does not come whole is an error, and so is one that is not HTTP.
    WholeAnswer,
    /// What is handed over is the answer to this request, and nothing that an earlier one left on the connection.
    OwnAnswer,
    /// An exchange that demands a new connection gets one: no other request was sent on it before.
    NewConnection,
    /// Compressed bytes are handed over as they came.
    NoInflation,
    /// The timeout is for the whole exchange, and no shorter than it says.
    Timeout,
    /// A body is read up to one byte beyond the limit, and no less.
    BodyLimit,
    /// [`Unsent`](strike_core::Delivery::Unsent) is said only if not one byte of the request left.
    TrueUnsent,
    /// Of a port where nobody listens it is known that nothing was sent, and said.
    KnownUnsent,
    /// No error shows the key, the host or the path.
    Secrecy,
    /// A reply is given, whatever happens: no panic.
    NoPanic,
}

impl Rule {
    /// All of them, in the order in which they are reported.
    pub const ALL: &'static [Self] = &[
        Self::ExactRequest,
        Self::NothingAdded,
        Self::NoRedirect,
        Self::NoRetry,
        Self::EveryStatus,
        Self::WholeAnswer,
        Self::OwnAnswer,
        Self::NewConnection,
        Self::NoInflation,
        Self::Timeout,
        Self::BodyLimit,
        Self::TrueUnsent,
        Self::KnownUnsent,
        Self::Secrecy,
        Self::NoPanic,
    ];

    /// The rule as a sentence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExactRequest => "every request is sent, exactly as it was given",
            Self::NothingAdded => "nothing is added to a request but framing",
            Self::NoRedirect => "no redirect is followed",
            Self::NoRetry => "nothing that may have left is sent again",
            Self::EveryStatus => "every status is an answer, with headers and body",
            Self::WholeAnswer => "an answer that is not whole is an error",
            Self::OwnAnswer => "an answer is the one to its own request",
            Self::NewConnection => "a new connection is used where one is demanded",
            Self::NoInflation => "nothing is decompressed",
            Self::Timeout => "the timeout holds for the whole exchange",
            Self::BodyLimit => "a body is read up to one byte beyond the limit",
            Self::TrueUnsent => "unsent is said only if not one byte left",
            Self::KnownUnsent => "a refused connection is known to be unsent",
            Self::Secrecy => "no error shows key, host or path",
            Self::NoPanic => "there is a reply, and no panic",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
