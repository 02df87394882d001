//! What moves the bytes: one exchange in, one reply out. What to send and what a reply means is core's.

use std::fmt;
use std::sync::Arc;

use strike_core::{Exchange, Reply};

/// Makes one HTTP exchange, and blocks until it has an answer or knows why there is none.
///
/// Whoever implements it sends exactly the request, adds only HTTP's own framing, follows no redirect, sends
/// nothing twice, treats every status as an answer, decompresses nothing, keeps to
/// [`timeout`](Exchange::timeout) for the whole exchange, and stops reading one byte beyond
/// [`max_body`](Exchange::max_body). It uses a new connection where [`connection`](Exchange::connection) demands one. An error says whether the request can have left:
/// [`Delivery::MaybeSent`](strike_core::Delivery::MaybeSent) in doubt. It names neither URL nor key.
/// Whether one keeps to this, `strike_conformance::check` finds out.
pub trait Transport: Send + Sync {
    /// Makes the exchange.
    ///
    /// # Errors
    /// If there was no whole answer: why not, and what is known about delivery.
    fn exchange(&self, exchange: Exchange) -> Reply;
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn exchange(&self, exchange: Exchange) -> Reply {
        (**self).exchange(exchange)
    }
}

/// A transport made of a closure, for tests, for the sandbox without a socket, and for another HTTP library.
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
    /// Has that closure answer every exchange.
    pub const fn new(answer: F) -> Self {
        Self(answer)
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
