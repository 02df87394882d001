//! The default transport, which uses reqwest.
//!
//! - `builder.rs`: its settings
//! - `target.rs`: converts URLs
//! - `tls.rs`: the certificates to trust
//! - `tracked_body.rs`: records whether a request may have been sent
//! - `classify.rs`: converts reqwest's errors

mod builder;
mod classify;
mod target;
mod tls;
mod tracked_body;

use std::fmt;

use strike_core::http::{HeaderValue, header};
use strike_core::{
    ConnectionUse, Delivery, Error, Exchange, HttpRequest, HttpResponse, Reply, TransportError,
    TransportErrorKind,
};

pub use self::builder::ReqwestTransportBuilder;
use self::target::Targets;
use self::tracked_body::{SendGuard, TrackedBody};
use crate::background::{Background, run_ready_tasks};
use crate::transport::{AsyncTransport, BoxFuture};

/// How much memory is reserved for a body before it arrives. A server may announce any length.
const TRUSTED_LENGTH: usize = 64 << 10;

/// The default transport: HTTP/1.1 with reqwest and a connection pool. HTTP/2 is an option.
///
/// Share one transport between clients with an [`Arc`](std::sync::Arc).
///
/// - **TLS**: rustls with ring. It trusts Mozilla's roots, unless the [builder](Self::builder)
///   changes that.
/// - **Proxy**: none by default. The proxy variables of the environment are not read.
/// - **Runtime**: connections run on one background thread, which all transports of the process
///   share. So you can use a transport from any runtime and executor, and from several at the same
///   time. [`runtime`](ReqwestTransportBuilder::runtime) replaces that thread.
/// - **Connections**: an exchange that requires a [new connection](ConnectionUse::New) gets one,
///   which is closed after the response. It resumes an earlier TLS session if the server permits
///   it.
///
/// # Limitations
///
/// - A flood of interim responses (`100 Continue`) can delay a timeout by some tenths of a second
///   on a fast link. hyper reads interim responses without a limit. tokio interrupts it only after
///   128 reads, about 50 MB. The flood occupies the background thread until then.
/// - reqwest adds `accept: */*` to a request without an `Accept` header. The requests of this SDK
///   have that header.
/// - reqwest rewrites some URLs, such as those with `.` and `..` segments. The transport rejects
///   such a request with [`TransportErrorKind::Setup`].
///
/// ```
/// use strike_async::ReqwestTransport;
///
/// let transport = ReqwestTransport::new()?;
/// # let _ = transport;
/// # Ok::<(), strike_async::strike_core::Error>(())
/// ```
pub struct ReqwestTransport {
    /// The client with the connection pool.
    pooled: reqwest::Client,
    /// The client that opens a new connection for each request.
    unpooled: reqwest::Client,
    targets: Targets,
    background: Background,
    proxied: bool,
}

impl ReqwestTransport {
    /// Creates a transport with Mozilla's roots, no proxy, and a connect timeout of 10 s.
    ///
    /// # Errors
    /// It never fails in practice.
    pub fn new() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// Starts building a transport with settings of your own.
    pub fn builder() -> ReqwestTransportBuilder {
        ReqwestTransportBuilder::new()
    }

    async fn run(&self, exchange: Exchange) -> Reply {
        let Exchange { request, timeout, max_body, connection, .. } = exchange;
        if timeout.is_zero() {
            return Err(TransportError::new(TransportErrorKind::Timeout, Delivery::Unsent));
        }
        let (request, guard) = self.convert(request)?;
        let client = match connection {
            ConnectionUse::Any => self.pooled.clone(),
            ConnectionUse::New => self.unpooled.clone(),
        };
        let exchange = async move {
            // One timer for the whole exchange. reqwest's own would need several allocations.
            let reply = tokio::time::timeout(timeout, receive(&client, request, max_body, &guard)).await;
            let reply = reply.unwrap_or_else(|_| Err(classify::timeout(guard.cancel())));
            // hyper returns the connection to the pool in another task. Let it run, so that the
            // next exchange can use the connection.
            run_ready_tasks().await;
            reply
        };
        if self.background.is_current() {
            // In a box, so that this future is small where the exchange runs on another thread.
            return Box::pin(exchange).await;
        }
        let task = self.background.spawn(exchange).map_err(|error| setup().with_source(error))?;
        let lost = || TransportError::new(TransportErrorKind::Lost, Delivery::MaybeSent);
        task.await.unwrap_or_else(|| Err(lost()))
    }

    /// Converts a request to reqwest's type. Rejects a URL that reqwest would change.
    fn convert(&self, request: HttpRequest) -> Result<(reqwest::Request, SendGuard), TransportError> {
        let (mut parts, body) = request.into_parts();
        if body.is_empty() && matches!(parts.method.as_str(), "POST" | "PUT" | "PATCH") {
            // hyper omits the header for an empty body, and some servers reject such a request.
            parts.headers.entry(header::CONTENT_LENGTH).or_insert(HeaderValue::from_static("0"));
        }
        let changed = || setup().with_source("reqwest would change the path of the URL");
        let mut converted =
            reqwest::Request::new(parts.method, self.targets.convert(&parts.uri).ok_or_else(changed)?);
        let (body, guard) = TrackedBody::new(body);
        *converted.headers_mut() = parts.headers;
        *converted.version_mut() = parts.version;
        *converted.body_mut() = Some(reqwest::Body::wrap(body));
        Ok((converted, guard))
    }
}

fn setup() -> TransportError {
    TransportError::new(TransportErrorKind::Setup, Delivery::Unsent)
}

/// Sends a request and receives the response.
async fn receive(
    client: &reqwest::Client,
    request: reqwest::Request,
    max_body: usize,
    guard: &SendGuard,
) -> Reply {
    let response = client.execute(request).await;
    let response = response.map_err(|error| classify::in_head(&error, guard.cancel()))?;
    read(response, max_body).await
}

/// Reads the body, but at most one byte more than the limit. The extra byte shows that the body was
/// too large.
async fn read(mut incoming: reqwest::Response, max_body: usize) -> Reply {
    let limit = max_body.saturating_add(1);
    let expected = incoming.content_length().and_then(|length| usize::try_from(length).ok());
    let mut bytes = Vec::with_capacity(expected.unwrap_or_default().min(limit).min(TRUSTED_LENGTH));
    while bytes.len() < limit {
        match incoming.chunk().await {
            Ok(Some(mut chunk)) => {
                chunk.truncate(limit - bytes.len());
                bytes.extend_from_slice(&chunk);
            }
            Ok(None) => break,
            Err(error) => return Err(classify::in_body(&error)),
        }
    }
    let mut response = HttpResponse::new(bytes);
    *response.status_mut() = incoming.status();
    *response.version_mut() = incoming.version();
    std::mem::swap(response.headers_mut(), incoming.headers_mut());
    Ok(response)
}

impl AsyncTransport for ReqwestTransport {
    fn exchange(&self, exchange: Exchange) -> BoxFuture<'_, Reply> {
        Box::pin(self.run(exchange))
    }
}

impl fmt::Debug for ReqwestTransport {
    /// Shows whether there is a proxy, but not its URL, which may contain a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransport").field("proxied", &self.proxied).finish_non_exhaustive()
    }
}
