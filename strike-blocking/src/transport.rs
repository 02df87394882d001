//! The transport: sends one HTTP request and returns its response. `strike-core` decides what to
//! send.

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
///
/// A closure is a transport, too. Name the type of its argument:
///
/// ```
/// use std::time::Duration;
/// use strike_blocking::{Exchange, Transport, http};
///
/// let empty = |_: Exchange| Ok(http::Response::new(b"[]".to_vec()));
/// let request = http::Request::get("http://localhost/charges").body(Vec::new()).unwrap();
/// let exchange = Exchange::new(request, Duration::from_secs(1), 1024);
/// assert_eq!(empty.exchange(exchange).unwrap().body(), b"[]");
/// ```
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

/// Closures are transports: in tests, for a sandbox without a socket, and for another HTTP library.
impl<F: Fn(Exchange) -> Reply + Send + Sync> Transport for F {
    fn exchange(&self, exchange: Exchange) -> Reply {
        self(exchange)
    }
}
