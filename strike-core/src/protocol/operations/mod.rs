//! The operations of the API. Each is one short file: the request it makes, and what its answer means.
//!
//! Whoever has a transport of their own needs nothing else:
//! build the [request](Operation::request), send it, [parse](Operation::parse) the answer.
//!
//! ```
//! use std::time::Duration;
//! use strike_core::machine::Operation;
//! use strike_core::{ApiKey, Endpoint, Get, Network, Now, UnixMillis};
//!
//! # fn main() -> Result<(), strike_core::Error> {
//! let endpoint = Endpoint::new("http://127.0.0.1:8420/api/v1/", ApiKey::new("sk_demo")?, Network::Testnet)?;
//! let get = Get::new("ch_1".parse()?);
//! let request = get.request(&endpoint)?;
//! assert_eq!(request.uri(), "http://127.0.0.1:8420/api/v1/charges/ch_1");
//!
//! // ... send it with whatever is at hand; here the server says no ...
//! let answer = http::Response::builder().status(404).body(br#"{"code":404,"message":"not found"}"#.to_vec()).unwrap();
//! let now = Now::new(Duration::ZERO, UnixMillis::from_secs(1_700_000_000));
//! let error = get.parse(&endpoint, &answer, now).unwrap_err();
//! assert_eq!(error.kind(), &strike_core::ErrorKind::NotFound);
//! # Ok(()) }
//! ```

mod create;
mod get;
mod list;

pub use create::Create;
pub use get::Get;
pub use list::List;

use crate::errors::Error;
use crate::protocol::Endpoint;
use crate::transport::{HttpRequest, HttpResponse};
use crate::values::Now;

/// When a request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a caller must answer both")]
pub enum RetrySafety {
    /// At any time: it only reads.
    Safe,
    /// Only if not a byte of it left: it makes something, and the API has no idempotency keys.
    OnlyIfUnsent,
}

/// One HTTP exchange: how it is asked, and what the answer means.
///
/// Sealed, and not dyn-safe, on purpose: an operation is known by its type.
pub trait Operation: sealed::Sealed {
    /// What a good answer holds.
    type Output;

    /// The operation's name, for errors and measurements.
    const NAME: &'static str;

    /// When its request may be sent again.
    const REPLAY: RetrySafety;

    /// The request, complete but for HTTP's own framing.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if the input breaks a limit; then there is nothing to send.
    fn request(&self, endpoint: &Endpoint) -> Result<HttpRequest, Error>;

    /// Reads the answer, and holds it against what was asked.
    ///
    /// `now` is the moment at which the answer came. A create needs it to see whether the invoice has expired, if the answer
    /// has no `Date`; see [`CLOCK_MARGIN`](crate::CLOCK_MARGIN).
    ///
    /// # Errors
    /// Whatever is not a good answer: every status but 2xx, a body that is not the API's, and a charge that is
    /// another than was asked for.
    fn parse(&self, endpoint: &Endpoint, response: &HttpResponse, now: Now) -> Result<Self::Output, Error>;

    /// What was asked, in words for an error.
    fn describe(&self) -> String;
}

mod sealed {
    /// Keeps the set of operations in this crate's hands.
    pub trait Sealed {}
}
