//! The HTTP/1.1 server: reads a whole request, passes it to the sandbox and writes the response.

mod connection_limit;
mod perform_fault;
mod plain_http_on_https_port;
mod port;
mod running;
mod start;
mod stream;
mod takeover;
#[cfg(test)]
mod tests;
mod timed_stream;
#[cfg(feature = "tls")]
mod tls;
mod websocket;

use std::convert::identity;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use self::connection_limit::{ConnectionLimit, Slot, Stage};
use self::takeover::Takeover;
use self::timed_stream::{TimedStream, TrackedBody};
use crate::events::Events;
use crate::faults::Behavior;
use crate::guard::RemoteClient;
use crate::sandbox::Sandbox;
use crate::service::MAX_BODY;

pub(crate) use port::{Listen, Opening, Port, Protocol};
pub use running::RunningSandbox;
#[cfg(feature = "tls")]
pub(crate) use tls::Acceptor;

/// The server's limits that the builder can set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How long a connection may be idle after a response.
    pub(crate) idle: Duration,
    /// The maximum number of open connections, on all ports together.
    pub(crate) connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        // 75 seconds is nginx's default.
        Self { idle: Duration::from_secs(75), connections: 512 }
    }
}

/// How long the client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// How long the client may take to send a request's body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// How much of a body that is too large is read and discarded. Closing a socket with unread bytes resets it, and
/// the client may then lose the 413 response.
const MAX_DISCARDED: usize = 16 * MAX_BODY;
/// The largest request head.
const MAX_HEAD: usize = 64 * 1024;

/// Accepts connections until it is dropped.
async fn serve(
    listener: TcpListener,
    protocol: Protocol,
    sandbox: Sandbox,
    limit: Arc<ConnectionLimit>,
    idle: Duration,
) {
    loop {
        match listener.accept().await {
            Ok((tcp, _)) => {
                let slot = limit.acquire();
                let connection = connection(tcp, protocol.clone(), sandbox.clone(), Arc::clone(&slot), idle);
                // One task per connection, so that a panic ends only that connection.
                slot.set_task(tokio::spawn(connection).abort_handle());
            }
            // Usually there are no file descriptors left. Some become free when connections end.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn connection(tcp: TcpStream, protocol: Protocol, sandbox: Sandbox, slot: Arc<Slot>, idle: Duration) {
    // After a failed handshake the client already has a TLS alert.
    let Ok(stream) = protocol.open(tcp).await else { return };
    // Without this option small responses are only slower, so an error does not matter.
    let _ = stream.tcp().set_nodelay(true);
    let is_plain_on_https_port = protocol.differs_from(&stream);
    let scheme = stream.scheme();
    let is_remote = !stream.is_from_this_machine();
    let stream = TimedStream::new(stream, Arc::clone(&slot), idle);
    let (takeover_sender, mut takeovers) = mpsc::channel(1);
    let service = service_fn(move |mut request: Request<Incoming>| {
        // Only the sandbox's own routes look at these.
        if !request.uri().path().starts_with("/api/") {
            request.extensions_mut().insert(scheme.clone());
            if is_remote {
                request.extensions_mut().insert(RemoteClient);
            }
        }
        slot.set_stage(Stage::ReadingBody);
        respond(request, sandbox.clone(), is_plain_on_https_port, Arc::clone(&slot), takeover_sender.clone())
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // hyper's timer also runs between two requests, so it must not be shorter than the idle timeout.
        .header_read_timeout(HEAD_TIMEOUT.max(idle))
        .max_buf_size(MAX_HEAD)
        .title_case_headers(true)
        // Responses carry a date from the sandbox's own clock.
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    let takeover = tokio::select! {
        biased;
        Some(takeover) = takeovers.recv() => takeover,
        // A connection error needs no handling: the client sees it, and the sandbox does not depend on it.
        _ = &mut connection => return,
    };
    let parts = connection.into_parts();
    takeover.run(parts.io.into_inner().into_stream(), parts.read_buf).await;
}

/// The body of a response: a whole body, or an open stream of events.
type ResponseBody = TrackedBody<Either<Full<Bytes>, Events>>;

/// Responds to one request. A request in plain HTTP on the HTTPS port gets a 400.
async fn respond(
    request: Request<Incoming>,
    sandbox: Sandbox,
    is_plain_on_https_port: bool,
    slot: Arc<Slot>,
    takeover_sender: mpsc::Sender<Takeover>,
) -> io::Result<Response<ResponseBody>> {
    let (head, body) = request.into_parts();
    let body = if body.is_end_stream() {
        Vec::new()
    } else {
        timeout(BODY_TIMEOUT, read(body)).await.map_err(io::Error::from).and_then(identity)?
    };
    slot.set_stage(Stage::Responding);
    let behavior = if is_plain_on_https_port {
        Behavior::Respond(plain_http_on_https_port::bad_request(sandbox.now()))
    } else {
        sandbox.respond_in_turn(&Request::from_parts(head, body)).await
    };
    let (response, events) = match behavior {
        Behavior::Respond(mut response) => {
            let events = Events::after(&mut response, sandbox.changes());
            (response, events)
        }
        // A response that a fault supplied is never an event stream, whatever its content type.
        Behavior::RespondAfter { delay, response } => {
            if !delay.is_zero() {
                sleep(delay).await;
            }
            (response, None)
        }
        Behavior::Disconnect { actions, .. } => {
            return take_over(Takeover::Fault(actions), takeover_sender).await;
        }
    };
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let events = sandbox.payment_events();
        return take_over(Takeover::WebSocket { handshake: response, events }, takeover_sender).await;
    }
    Ok(response.map(|body| {
        let body = events.map_or_else(|| Either::Left(Full::new(Bytes::from(body))), Either::Right);
        TrackedBody::new(body, slot)
    }))
}

/// Passes the connection on. `connection` takes the stream away from hyper, which also drops this future.
async fn take_over<T>(takeover: Takeover, sender: mpsc::Sender<Takeover>) -> T {
    let _ = sender.send(takeover).await;
    std::future::pending().await
}

/// Reads the body. Of a body that is too large it keeps one byte more than [`MAX_BODY`], so that the sandbox
/// responds with 413.
async fn read(mut body: Incoming) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let mut received = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(io::Error::other)?;
        if let Some(data) = frame.data_ref() {
            received = received.saturating_add(data.len());
            let space = (MAX_BODY + 1).saturating_sub(kept.len());
            kept.extend_from_slice(data.get(..space).unwrap_or(data));
        }
        if received > MAX_DISCARDED {
            break;
        }
    }
    Ok(kept)
}
