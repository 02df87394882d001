//! HTTP/1.1 on a socket: reads a request whole, hands it to the sandbox, writes the answer.

mod line;
mod misdirected;
mod perform;
mod port;
mod room;
mod running;
mod start;
mod stream;
#[cfg(test)]
mod tests;
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
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use self::line::{Line, Told};
use self::perform::perform;
use self::room::{Place, Room, Stage};
use crate::events::Events;
use crate::faults::{Act, Course};
use crate::sandbox::Sandbox;
use crate::service::MAX_BODY;

pub(crate) use port::{Listen, Port, Protocol};
pub use running::RunningSandbox;
#[cfg(feature = "tls")]
pub(crate) use tls::Acceptor;

/// What the builder can set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How long a connection may be idle after an answer.
    pub(crate) idle: Duration,
    /// How many connections are open at once, on all ports together; one more takes the place of another.
    pub(crate) connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        // The time is nginx's own default.
        Self { idle: Duration::from_secs(75), connections: 512 }
    }
}

/// How long a request's head may take.
const HEAD: Duration = Duration::from_secs(75);
/// How long a request's body may take.
const BODY: Duration = Duration::from_secs(30);
/// How much of a body that is too large is read all the same, so that its sender gets to see the refusal: a
/// socket closed on unread bytes is reset.
const DRAIN: usize = 16 * MAX_BODY;
/// How much of a request's head is kept for a connection.
const MAX_HEAD: usize = 64 * 1024;

/// Takes connections until it is dropped.
async fn serve(listener: TcpListener, protocol: Protocol, sandbox: Sandbox, room: Arc<Room>, idle: Duration) {
    loop {
        match listener.accept().await {
            Ok((tcp, _)) => {
                let place = room.enter();
                let connection = connection(tcp, protocol.clone(), sandbox.clone(), Arc::clone(&place), idle);
                // A panic ends with its own task, and the server goes on.
                place.belongs_to(tokio::spawn(connection).abort_handle());
            }
            // Out of file descriptors, most often: they come back when connections end.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn connection(tcp: TcpStream, protocol: Protocol, sandbox: Sandbox, place: Arc<Place>, idle: Duration) {
    // A handshake that fails has told its client why.
    let Ok(stream) = protocol.open(tcp).await else { return };
    // Small answers must not wait for each other; without it they only come later.
    let _ = stream.tcp().set_nodelay(true);
    let missed = protocol.is_missed_by(&stream);
    let scheme = stream.scheme();
    let line = Line::new(stream, Arc::clone(&place), idle);
    let (struck, mut strikes) = mpsc::channel(1);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(scheme.clone());
        place.comes_to(Stage::Telling);
        answer(request, sandbox.clone(), missed, Arc::clone(&place), struck.clone())
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // hyper's timer runs between two requests, too.
        .header_read_timeout(HEAD.max(idle))
        .max_buf_size(MAX_HEAD)
        .title_case_headers(true)
        // The answers have the sandbox's own date.
        .auto_date_header(false)
        .serve_connection(TokioIo::new(line), service);
    let acts = tokio::select! {
        biased;
        Some(acts) = strikes.recv() => acts,
        // How a connection ends is its client's affair: nothing here depends on it.
        _ = &mut connection => return,
    };
    // From here on the exchange is none that hyper would make.
    perform(connection.into_parts().io.into_inner().into_stream(), acts).await;
}

/// All of it at once, or events for as long as someone listens.
type Answer = Told<Either<Full<Bytes>, Events>>;

/// Answers one request, or says that it has `missed` the port that it was meant for.
async fn answer(
    request: Request<Incoming>,
    sandbox: Sandbox,
    missed: bool,
    place: Arc<Place>,
    struck: mpsc::Sender<Vec<Act>>,
) -> io::Result<Response<Answer>> {
    let (head, body) = request.into_parts();
    let body = timeout(BODY, read(body)).await.map_err(io::Error::from).and_then(identity)?;
    place.comes_to(Stage::Answering);
    let course = if missed {
        Course::Plain(misdirected::refusal(sandbox.now()))
    } else {
        sandbox.course(&Request::from_parts(head, body))
    };
    let (response, events) = match course {
        Course::Plain(mut response) => {
            let events = Events::after(&mut response, &sandbox.changes());
            (response, events)
        }
        // Whatever it says it is, nothing goes on after it.
        Course::Whole { after, response } => {
            if !after.is_zero() {
                sleep(after).await;
            }
            (response, None)
        }
        Course::Broken { acts, .. } => {
            // Whoever holds the connection takes it from here.
            let _ = struck.send(acts).await;
            return std::future::pending().await;
        }
    };
    Ok(response.map(|body| {
        let body = events.map_or_else(|| Either::Left(Full::new(Bytes::from(body))), Either::Right);
        Told::new(body, place)
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
