//! The operations of the API. Each one builds a request and parses the response.
//!
//! You can use them without a client: build the [request](Operation::request), send it, and
//! [parse](Operation::parse) the response.
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
//! // Send the request with your own HTTP library. Here, the server returns an error.
//! let response = http::Response::builder().status(404).body(br#"{"code":404,"message":"not found"}"#.to_vec()).unwrap();
//! let now = Now::new(Duration::ZERO, UnixMillis::from_secs(1_700_000_000));
//! let error = get.parse(&endpoint, &response, now).unwrap_err();
//! assert_eq!(error.kind(), &strike_core::ErrorKind::NotFound);
//! # Ok(()) }
//! ```

mod create;
mod find;
mod get;
mod list;
mod probe;
mod scan;

pub use create::Create;
pub(crate) use find::{Find, Found};
pub use get::Get;
pub use list::List;
pub(crate) use probe::Probe;
pub(crate) use scan::ScanPage;

use crate::errors::Error;
use crate::protocol::Endpoint;
use crate::transport::{HttpRequest, HttpResponse};
use crate::values::Now;

/// Whether a request may be sent again after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a caller must handle both")]
pub enum RetrySafety {
    /// It may always be sent again, because it only reads.
    Safe,
    /// It may be sent again only if nothing was sent before. It creates a charge, and the API has
    /// no idempotency keys.
    OnlyIfUnsent,
}

/// An operation of the API: builds one HTTP request and parses its response.
///
/// This trait is sealed and not dyn-compatible.
pub trait Operation: sealed::Sealed {
    /// The result of a successful response.
    type Output;

    /// The name of the operation, for errors and metrics.
    const NAME: &'static str;

    /// Whether the request may be sent again after a failure.
    const REPLAY: RetrySafety;

    /// Returns the request. It is complete except for `Host`, `Content-Length` and `Connection`.
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if the input breaks a
    /// limit.
    fn request(&self, endpoint: &Endpoint) -> Result<HttpRequest, Error>;

    /// Parses the response, and checks that it matches the request.
    ///
    /// `now` is the time at which the response arrived. If the response to a create has no `Date`,
    /// `now` decides whether the invoice has expired; see [`CLOCK_MARGIN`](crate::CLOCK_MARGIN).
    ///
    /// # Errors
    /// Returns an error for every status except 2xx, for a body that is not the API's, and for a
    /// charge that does not match the request.
    fn parse(&self, endpoint: &Endpoint, response: &HttpResponse, now: Now) -> Result<Self::Output, Error>;

    /// Parses a response that nobody else needs, so that the result can keep its body.
    #[doc(hidden)]
    fn parse_owned(
        &self,
        endpoint: &Endpoint,
        response: HttpResponse,
        now: Now,
    ) -> Result<Self::Output, Error> {
        self.parse(endpoint, &response, now)
    }

    /// Returns the operation to run instead, if the response describes another record than the
    /// requested one. It ends after one such step.
    ///
    /// A wallet that paid its own invoice can have two records with the same payment hash.
    fn follow_up(&self, _endpoint: &Endpoint, _response: &HttpResponse) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }

    /// Returns a description of the operation for errors, such as `get charge ch_1`.
    fn describe(&self) -> String;
}

mod sealed {
    /// Prevents implementations in other crates.
    pub trait Sealed {}
}
