//! What happens on a connection that was taken away from hyper: a fault or a websocket.

use std::sync::Arc;

use bytes::Bytes;
use strike_core::HttpResponse;
use tokio::sync::broadcast::Receiver;

use super::stream::Stream;
use super::{perform_fault, websocket};
use crate::faults::SocketAction;

pub(super) enum Takeover {
    /// hyper writes only valid responses, so a fault is played on the raw stream.
    Fault(Vec<SocketAction>),
    WebSocket {
        handshake: HttpResponse,
        events: Receiver<Arc<str>>,
    },
}

impl Takeover {
    /// Uses the stream until the connection ends. `early` are bytes after the request.
    pub(super) async fn run(self, stream: Stream, early: Bytes) {
        match self {
            Self::Fault(actions) => perform_fault::perform(stream, actions).await,
            Self::WebSocket { handshake, events } => {
                websocket::run(stream, &handshake, early, events).await;
            }
        }
    }
}
