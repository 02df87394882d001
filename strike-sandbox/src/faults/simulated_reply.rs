//! Computes what a client would receive from a faulty server, without a socket and without waiting.

use std::time::Duration;

use strike_core::http::{HeaderValue, Method, header};
use strike_core::{Delivery, Exchange, HttpResponse, Reply, TransportError, TransportErrorKind as Kind};

use super::behavior::{Behavior, SocketAction, head};

/// Returns the reply of a transport over a socket to a server that behaves like this.
pub(crate) fn simulate_reply(behavior: Behavior, exchange: &Exchange) -> Reply {
    match behavior {
        Behavior::Respond(response) => Ok(Client::new(exchange, &response).cut_to_size(response)),
        Behavior::RespondAfter { delay, response } => {
            let mut client = Client::new(exchange, &response);
            client.wait(delay).map_err(failed)?;
            Ok(client.cut_to_size(response))
        }
        Behavior::Disconnect { actions, response } => {
            let mut client = Client::new(exchange, &response);
            actions.into_iter().find_map(|action| client.observe(action)).map_or_else(
                || Err(failed(Kind::Closed)),
                |outcome| outcome.map(|()| client.cut_to_size(response)).map_err(failed),
            )
        }
    }
}

fn failed(kind: Kind) -> TransportError {
    // The server applies faults after it has read the request.
    TransportError::new(kind, Delivery::MaybeSent)
}

/// A simulated client that reads the response until its timeout.
struct Client {
    time_left: Duration,
    expected_head: Vec<u8>,
    received: Vec<u8>,
    /// The number of body bytes after which the client stops reading.
    expected_body: usize,
}

/// The end of the exchange: a complete response or an error.
type Outcome = Result<(), Kind>;

impl Client {
    fn new(exchange: &Exchange, response: &HttpResponse) -> Self {
        let declared = response.headers().get(header::CONTENT_LENGTH).and_then(length);
        let declared = if exchange.request.method() == Method::HEAD { None } else { declared };
        // A transport reads one byte beyond the limit, to detect that the body is too large.
        let expected_body = declared.unwrap_or_default().min(exchange.max_body.saturating_add(1));
        let (time_left, expected_head) = (exchange.timeout, head(response));
        Self { time_left, expected_head, received: Vec::new(), expected_body }
    }

    /// Processes one action of the server. Returns the outcome if it ends the exchange.
    fn observe(&mut self, action: SocketAction) -> Option<Outcome> {
        match action {
            SocketAction::Write(bytes) => self.receive(&bytes),
            SocketAction::Drip(bytes, every) => bytes
                .into_iter()
                .find_map(|byte| self.receive(&[byte]).or_else(|| self.wait(every).err().map(Err))),
            SocketAction::Pause(time) => self.wait(time).err().map(Err),
            SocketAction::Close | SocketAction::Reset => {
                let in_body = self.received.len() >= self.expected_head.len();
                Some(Err(if in_body { Kind::Cut } else { Kind::Closed }))
            }
        }
    }

    fn receive(&mut self, bytes: &[u8]) -> Option<Outcome> {
        self.received.extend_from_slice(bytes);
        if self.received.iter().zip(&self.expected_head).any(|(received, expected)| received != expected) {
            return Some(Err(Kind::Protocol));
        }
        let expected = self.expected_head.len().saturating_add(self.expected_body);
        (self.received.len() >= expected).then_some(Ok(()))
    }

    fn wait(&mut self, time: Duration) -> Outcome {
        self.time_left = self.time_left.saturating_sub(time);
        if self.time_left.is_zero() && !time.is_zero() { Err(Kind::Timeout) } else { Ok(()) }
    }

    /// Cuts the body to the bytes that a transport would read.
    fn cut_to_size(&self, mut response: HttpResponse) -> HttpResponse {
        response.body_mut().truncate(self.expected_body);
        response
    }
}

fn length(value: &HeaderValue) -> Option<usize> {
    value.to_str().ok()?.parse().ok()
}
