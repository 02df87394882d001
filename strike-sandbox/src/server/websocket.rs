//! Runs an accepted websocket: sends events and pings until the client leaves.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use strike_core::HttpResponse;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::{Instant, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::faults::head;

/// phoenixd's interval. A client that has not responded to the last ping by then is disconnected.
const PING_PERIOD: Duration = Duration::from_secs(10);
/// How long a write may wait for the client to read.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest message of a client. Messages are read and discarded.
const MAX_MESSAGE: usize = 64 * 1024;

/// Completes the handshake and serves the websocket. `early` are bytes that the client has already
/// sent.
pub(super) async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    handshake: &HttpResponse,
    early: Bytes,
    events: Receiver<Arc<str>>,
) {
    if stream.write_all(&head(handshake)).await.is_err() {
        return;
    }
    let limits = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE));
    let socket =
        WebSocketStream::from_partially_read(stream, early.to_vec(), Role::Server, Some(limits)).await;
    // Any error means that the connection is gone, and there is nobody to tell.
    let _ = serve(socket, events).await;
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut socket: WebSocketStream<S>,
    mut events: Receiver<Arc<str>>,
) -> Result<(), Error> {
    let mut pings = interval_at(Instant::now() + PING_PERIOD, PING_PERIOD);
    let mut awaits_pong = false;
    loop {
        let message = tokio::select! {
            received = socket.next() => match received {
                Some(Ok(message)) => {
                    awaits_pong &= !message.is_pong();
                    continue;
                }
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
            event = events.recv() => match event {
                Ok(event) => Message::text(&*event),
                // A client that is too slow misses events.
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return Ok(()),
            },
            _ = pings.tick() => {
                if std::mem::replace(&mut awaits_pong, true) {
                    return Ok(());
                }
                Message::Ping(Bytes::new())
            }
        };
        match timeout(WRITE_TIMEOUT, socket.send(message)).await {
            Ok(sent) => sent?,
            Err(_) => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use strike_core::http::StatusCode;
    use tokio::io::{AsyncReadExt, DuplexStream, duplex};
    use tokio::sync::broadcast::{self, Sender};
    use tokio::task::JoinHandle;

    use super::*;

    /// Serves a websocket and returns the client's end of it after the handshake.
    async fn connect() -> (DuplexStream, Sender<Arc<str>>, JoinHandle<()>) {
        let (mut client, server) = duplex(1 << 16);
        let (sender, events) = broadcast::channel(8);
        let mut handshake = HttpResponse::new(Vec::new());
        *handshake.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let expected = head(&handshake);
        let served = tokio::spawn(async move { run(server, &handshake, Bytes::new(), events).await });
        let mut received = vec![0; expected.len()];
        client.read_exact(&mut received).await.expect("the handshake");
        assert_eq!(received, expected);
        (client, sender, served)
    }

    async fn client_of(stream: DuplexStream) -> WebSocketStream<DuplexStream> {
        WebSocketStream::from_raw_socket(stream, Role::Client, None).await
    }

    #[tokio::test(start_paused = true)]
    async fn websocket_is_pinged_every_ten_seconds() {
        let (stream, _sender, _served) = connect().await;
        let mut client = client_of(stream).await;
        let start = Instant::now();
        for seconds in [10, 20, 30] {
            let message = client.next().await.expect("a message").expect("a ping");
            assert!(message.is_ping());
            assert_eq!(start.elapsed().as_secs(), seconds);
            // The client's response is sent with its next read.
        }
    }

    #[tokio::test(start_paused = true)]
    async fn websocket_without_pongs_is_closed_after_twenty_seconds() {
        let (mut stream, _sender, served) = connect().await;
        let start = Instant::now();
        let mut received = Vec::new();
        let closed = timeout(Duration::from_secs(60), stream.read_to_end(&mut received)).await;
        closed.expect("the server closes").expect("the end of the connection");
        // An empty ping of a server.
        assert_eq!((received.as_slice(), start.elapsed().as_secs()), (&[0x89, 0][..], 20));
        served.await.expect("no panic");
    }

    #[tokio::test(start_paused = true)]
    async fn slow_websocket_misses_events_and_stays_open() {
        let (stream, sender, _served) = connect().await;
        for event in 0..20 {
            sender.send(event.to_string().into()).expect("a subscriber");
        }
        let mut client = client_of(stream).await;
        let first = client.next().await.expect("a message").expect("an event");
        assert_eq!(first.into_text().expect("text").as_str(), "12");
    }
}
