//! The transport that moves the bytes with reqwest: one exchange, from the request to the last byte that is wanted.
//!
//! How it is set up is in `builder.rs`, how it knows that a request never left in `letter.rs`, and what an error
//! says in `classify.rs`.

mod builder;
mod classify;
mod letter;

use std::fmt;

use strike_core::http::{HeaderValue, header};
use strike_core::{
    ConnectionUse, Delivery, Error, Exchange, HttpRequest, HttpResponse, Reply, TransportError,
    TransportErrorKind,
};

pub use self::builder::ReqwestTransportBuilder;
use self::letter::{Letter, Receipt};
use crate::background::Background;
use crate::transport::{AsyncTransport, BoxFuture};

/// Moves the bytes with reqwest over HTTP/1.1, and keeps connections for the next exchange.
///
/// It is cheap to share (in an [`Arc`](std::sync::Arc)) and meant to be. TLS is rustls with ring, whatever
/// other providers the program holds; the roots are Mozilla's unless the [builder](Self::builder) says otherwise.
/// The environment's proxy variables are never read.
///
/// Connections live on one background thread, which all transports of the process share. So a transport can be used
/// from any runtime and any executor, from several at a time, and from one after another.
///
/// An exchange that demands a [new connection](ConnectionUse::New) gets one, which is closed after the response. It
/// resumes the TLS session of an earlier connection if the server allows it.
///
/// The time limit of an exchange holds whatever a server sends, with one exception: a flood of interim answers (`100
/// Continue`) that never lets the socket run dry. hyper reads it without a limit of its own, and tokio has it pause only after
/// 128 reads, some 50 MB: until then, tenths of a second on a fast link, the flood has the background thread and the
/// time is not looked at.
///
/// Two things of reqwest's own cannot be switched off. A request without an `Accept` header is sent with
/// `accept: */*`; those of this SDK have one. And a URL that reqwest would rewrite, such as one with dot
/// segments, is refused, since a transport sends what it got or nothing.
///
/// ```
/// use strike_async::ReqwestTransport;
///
/// let transport = ReqwestTransport::new()?;
/// # let _ = transport;
/// # Ok::<(), strike_async::strike_core::Error>(())
/// ```
pub struct ReqwestTransport {
    /// Keeps connections.
    pooled: reqwest::Client,
    /// Keeps none.
    fresh: reqwest::Client,
    background: Background,
    proxied: bool,
}

impl ReqwestTransport {
    /// A transport with public roots, no proxy, and 10 seconds to connect.
    ///
    /// # Errors
    /// None in practice.
    pub fn new() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// A transport that can be set up first.
    pub fn builder() -> ReqwestTransportBuilder {
        ReqwestTransportBuilder::new()
    }

    async fn run(&self, exchange: Exchange) -> Reply {
        let Exchange { request, timeout, max_body, connection, .. } = exchange;
        if timeout.is_zero() {
            return Err(TransportError::new(TransportErrorKind::Timeout, Delivery::Unsent));
        }
        let (mut request, receipt) = translate(request)?;
        *request.timeout_mut() = Some(timeout);
        let client = match connection {
            ConnectionUse::Any => self.pooled.clone(),
            ConnectionUse::New => self.fresh.clone(),
        };
        let exchange = async move {
            let response = client.execute(request).await;
            let response = response.map_err(|error| classify::in_head(&error, receipt.withdraw()))?;
            let reply = read(response, max_body).await;
            // hyper puts the connection back from a task of its own: the next exchange should find it.
            tokio::task::yield_now().await;
            reply
        };
        let task = self.background.spawn(exchange).map_err(|error| setup().with_source(error))?;
        let lost = || TransportError::new(TransportErrorKind::Lost, Delivery::MaybeSent);
        task.await.unwrap_or_else(|| Err(lost()))
    }
}

fn setup() -> TransportError {
    TransportError::new(TransportErrorKind::Setup, Delivery::Unsent)
}

/// The same request as reqwest's, and the hold on its body.
fn translate(request: HttpRequest) -> Result<(reqwest::Request, Receipt), TransportError> {
    let (mut parts, body) = request.into_parts();
    if body.is_empty() && matches!(parts.method.as_str(), "POST" | "PUT" | "PATCH") {
        // hyper would say nothing of the length, and such a request is refused by some servers.
        parts.headers.entry(header::CONTENT_LENGTH).or_insert(HeaderValue::from_static("0"));
    }
    let target = parts.uri.path_and_query().map_or_else(|| "/".to_string(), ToString::to_string);
    let (letter, receipt) = Letter::new(body);
    let request = strike_core::http::Request::from_parts(parts, reqwest::Body::wrap(letter));
    let request = reqwest::Request::try_from(request).map_err(|_| setup())?;
    let url = request.url();
    let same = match (url.query(), target.split_once('?')) {
        (Some(query), Some(wanted)) => (url.path(), query) == wanted,
        (None, None) => url.path() == target,
        _ => false,
    };
    if same { Ok((request, receipt)) } else { Err(setup().with_source("the path would be sent differently")) }
}

/// Reads the body up to one byte beyond the limit: enough for core to see that there was more.
async fn read(mut response: reqwest::Response, max_body: usize) -> Reply {
    let limit = max_body.saturating_add(1);
    let mut bytes = Vec::new();
    while bytes.len() < limit {
        match response.chunk().await {
            Ok(Some(mut chunk)) => {
                chunk.truncate(limit - bytes.len());
                bytes.extend_from_slice(&chunk);
            }
            Ok(None) => break,
            Err(error) => return Err(classify::in_body(&error)),
        }
    }
    let mut answer = HttpResponse::new(bytes);
    *answer.status_mut() = response.status();
    *answer.version_mut() = response.version();
    std::mem::swap(answer.headers_mut(), response.headers_mut());
    Ok(answer)
}

impl AsyncTransport for ReqwestTransport {
    fn exchange(&self, exchange: Exchange) -> BoxFuture<'_, Reply> {
        Box::pin(self.run(exchange))
    }
}

impl fmt::Debug for ReqwestTransport {
    /// Says whether there is a proxy, not which: its URL may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransport").field("proxied", &self.proxied).finish_non_exhaustive()
    }
}
