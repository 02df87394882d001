//! The transport: sends one HTTP request and returns its response. `strike-core` decides what to
//! send.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use strike_core::{Exchange, Reply};

/// A boxed future, as a trait object can return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Makes HTTP exchanges asynchronously.
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
/// A closure that returns a future is a transport, too. Name the type of its argument:
///
/// ```
/// use std::time::Duration;
/// use strike_async::{AsyncTransport, Exchange, http};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let empty = |_: Exchange| async { Ok(http::Response::new(b"[]".to_vec())) };
/// let request = http::Request::get("http://localhost/charges").body(Vec::new()).unwrap();
/// let exchange = Exchange::new(request, Duration::from_secs(1), 1024);
/// assert_eq!(empty.exchange(exchange).await.unwrap().body(), b"[]");
/// # }
/// ```
///
/// Dropping the future cancels the exchange. The request may already have been sent.
pub trait AsyncTransport: Send + Sync {
    /// Sends the request and returns the response.
    ///
    /// # Errors
    /// Returns an error if no complete response arrived: the reason, and whether the request may
    /// have been sent.
    fn exchange(&self, exchange: Exchange) -> BoxFuture<'_, Reply>;
}

impl<T: AsyncTransport + ?Sized> AsyncTransport for Arc<T> {
    fn exchange(&self, exchange: Exchange) -> BoxFuture<'_, Reply> {
        (**self).exchange(exchange)
    }
}

/// Closures are transports: in tests, for a sandbox without a socket, and for another HTTP library.
impl<F, Fut> AsyncTransport for F
where
    F: Fn(Exchange) -> Fut + Send + Sync,
    Fut: Future<Output = Reply> + Send + 'static,
{
    fn exchange(&self, exchange: Exchange) -> BoxFuture<'_, Reply> {
        Box::pin(self(exchange))
    }
}
