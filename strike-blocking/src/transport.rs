//! The transport: sends one HTTP request and returns its response. `strike-core` decides what to
//! send.

use std::fmt;
use std::sync::Arc;

use strike_core::{Exchange, Reply};

/// Makes HTTP exchanges, and blocks until each one ends.
///
/// An implementation must follow these rules:
///
/// * Send exactly the given request. Add only headers that HTTP needs for framing.
/// * Do not follow redirects, do not retry, and do not decompress bodies.
/// * Return a response for every status, including errors.
/// * Limit the whole exchange to [`timeout`](Exchange::timeout).
/// * Stop reading one byte after [`max_body`](Exchange::max_body).
/// * Use a new connection if [`connection`](Exchange::connection) requires one.
/// * Report in each error whether the request may have been sent. If in doubt, use
///   [`Delivery::MaybeSent`](strike_core::Delivery::MaybeSent).
/// * Do not include the URL or the API key in an error.
///
/// `strike_conformance::check` tests an implementation against these rules.
pub trait Transport: Send + Sync {
    /// Sends the request and returns the response.
    ///
    /// # Errors
    /// Returns an error if no complete response arrived: the reason, and whether the request may
    /// have been sent.
    fn exchange(&self, exchange: Exchange) -> Reply;
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn exchange(&self, exchange: Exchange) -> Reply {
        (**self).exchange(exchange)
    }
}

/// A transport that calls a closure.
///
/// Use it in tests, for a sandbox without a socket, or to connect another HTTP library.
///
/// ```
/// use std::time::Duration;
/// use strike_blocking::strike_core::{Exchange, http};
/// use strike_blocking::{FnTransport, Transport};
///
/// let empty = FnTransport::new(|_: Exchange| Ok(http::Response::new(b"[]".to_vec())));
/// let request = http::Request::get("http://localhost/charges").body(Vec::new()).unwrap();
/// let exchange = Exchange::new(request, Duration::from_secs(1), 1024);
/// assert_eq!(empty.exchange(exchange).unwrap().body(), b"[]");
/// ```
#[derive(Clone)]
pub struct FnTransport<F>(F);

impl<F: Fn(Exchange) -> Reply + Send + Sync> FnTransport<F> {
    /// Creates a transport that calls `respond` for every exchange.
    pub const fn new(respond: F) -> Self {
        Self(respond)
    }
}

impl<F: Fn(Exchange) -> Reply + Send + Sync> Transport for FnTransport<F> {
    fn exchange(&self, exchange: Exchange) -> Reply {
        (self.0)(exchange)
    }
}

impl<F> fmt::Debug for FnTransport<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FnTransport")
    }
}
