//! HTTP/1.1 on a socket: reads a request whole, hands it to the sandbox, writes the answer.

mod misdirected;
mod port;
mod running;
mod stream;
#[cfg(feature = "tls")]
mod tls;

use std::convert::identity;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::events::Events;
use crate::sandbox::Sandbox;
use crate::service::MAX_BODY;

pub(crate) use port::{Port, Protocol};
pub use running::RunningSandbox;
#[cfg(feature = "tls")]
pub(crate) use tls::Acceptor;

/// How long a connection may be idle, or take over a request's head: nginx's own default.
const IDLE: Duration = Duration::from_secs(75);
/// How long a request's body may take.
const BODY: Duration = Duration::from_secs(30);
/// How much of a body that is too large is read all the same, so that its sender gets to see the refusal: a
/// socket closed on unread bytes is reset.
const DRAIN: usize = 16 * MAX_BODY;
/// How much of a request's head is kept for a connection.
const MAX_HEAD: usize = 64 * 1024;
/// How many connections are open at once, on all ports together; more wait.
const MOST_CONNECTIONS: usize = 512;

/// Room for the connections of all ports.
fn room() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(MOST_CONNECTIONS))
}

/// Takes connections until it is dropped.
async fn serve(listener: TcpListener, protocol: Protocol, room: Arc<Semaphore>, sandbox: Sandbox) {
    loop {
        match listener.accept().await {
            Ok((tcp, _)) => {
                // Only now: a port that waits for connections must not keep a place from another port.
                // Nobody closes the semaphore, so there is always room in the end.
                let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
                let connection = connection(tcp, protocol.clone(), sandbox.clone());
                // A panic ends with its own task, and the server goes on.
                tokio::spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            // Out of file descriptors, most often: they come back when connections end.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn connection(tcp: TcpStream, protocol: Protocol, sandbox: Sandbox) {
    // A handshake that fails has told its client why.
    let Ok(stream) = protocol.open(tcp).await else { return };
    // Small answers must not wait for each other; without it they only come later.
    let _ = stream.tcp().set_nodelay(true);
    let missed = protocol.is_missed_by(&stream);
    let service = service_fn(move |request| answer(request, sandbox.clone(), missed));
    // How a connection ends is its client's affair: nothing here depends on it.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_buf_size(MAX_HEAD)
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// All of it at once, or events for as long as someone listens.
type Answer = Either<Full<Bytes>, Events>;

/// Answers one request, or says that it has `missed` the port that it was meant for.
async fn answer(request: Request<Incoming>, sandbox: Sandbox, missed: bool) -> io::Result<Response<Answer>> {
    let (head, body) = request.into_parts();
    let body = timeout(BODY, read(body)).await.map_err(io::Error::from).and_then(identity)?;
    let mut response = if missed {
        misdirected::refusal(sandbox.now())
    } else {
        sandbox.respond(&Request::from_parts(head, body))
    };
    let events = Events::after(&mut response, &sandbox.changes());
    Ok(response.map(|body| match events {
        Some(events) => Either::Right(events),
        None => Either::Left(Full::new(Bytes::from(body))),
    }))
}

/// The body, or one byte more than the sandbox takes.
async fn read(mut body: Incoming) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let mut seen = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(io::Error::other)?;
        if let Some(data) = frame.data_ref() {
            seen = seen.saturating_add(data.len());
            let room = (MAX_BODY + 1).saturating_sub(kept.len());
            kept.extend_from_slice(data.get(..room).unwrap_or(data));
        }
        if seen > DRAIN {
            break;
        }
    }
    Ok(kept)
}
