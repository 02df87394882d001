//! What a client sees of an exchange's course, in virtual time: what a transport over a socket would report.

use std::time::Duration;

use strike_core::http::{HeaderValue, Method, header};
use strike_core::{Delivery, Exchange, HttpResponse, Reply, TransportError, TransportErrorKind as Kind};

use super::course::{Act, Course, head};

/// The reply to an exchange that takes this course.
pub(crate) fn seen(course: Course, exchange: &Exchange) -> Reply {
    match course {
        Course::Whole { after, response } => {
            let mut client = Client::new(exchange, &response);
            client.wait(after).map_err(failed)?;
            Ok(client.cut_to_size(response))
        }
        Course::Broken { acts, response } => {
            let mut client = Client::new(exchange, &response);
            acts.into_iter().find_map(|act| client.witness(act)).map_or_else(
                || Err(failed(Kind::Closed)),
                |outcome| outcome.map(|()| client.cut_to_size(response)).map_err(failed),
            )
        }
    }
}

fn failed(kind: Kind) -> TransportError {
    // Whatever went wrong, the request was sent.
    TransportError::new(kind, Delivery::MaybeSent)
}

/// A client that reads, and looks at its watch.
struct Client {
    left: Duration,
    head: Vec<u8>,
    got: Vec<u8>,
    /// How many bytes of body it waits for.
    body: usize,
}

/// The end of the exchange: a whole answer, or what was wrong.
type Outcome = Result<(), Kind>;

impl Client {
    fn new(exchange: &Exchange, response: &HttpResponse) -> Self {
        let declared = response.headers().get(header::CONTENT_LENGTH).and_then(length);
        let declared = if exchange.request.method() == Method::HEAD { None } else { declared };
        // Nobody reads further than one byte beyond the limit.
        let body = declared.unwrap_or_default().min(exchange.max_body.saturating_add(1));
        Self { left: exchange.timeout, head: head(response), got: Vec::new(), body }
    }

    fn witness(&mut self, act: Act) -> Option<Outcome> {
        match act {
            Act::Write(bytes) => self.receive(&bytes),
            Act::Drip(bytes, every) => bytes
                .into_iter()
                .find_map(|byte| self.receive(&[byte]).or_else(|| self.wait(every).err().map(Err))),
            Act::Pause(time) => self.wait(time).err().map(Err),
            Act::Close | Act::Reset => {
                let in_body = self.got.len() >= self.head.len();
                Some(Err(if in_body { Kind::Cut } else { Kind::Closed }))
            }
        }
    }

    fn receive(&mut self, bytes: &[u8]) -> Option<Outcome> {
        self.got.extend_from_slice(bytes);
        if self.got.iter().zip(&self.head).any(|(got, wanted)| got != wanted) {
            return Some(Err(Kind::Protocol));
        }
        (self.got.len() >= self.head.len().saturating_add(self.body)).then_some(Ok(()))
    }

    fn wait(&mut self, time: Duration) -> Outcome {
        self.left = self.left.saturating_sub(time);
        if self.left.is_zero() && !time.is_zero() { Err(Kind::Timeout) } else { Ok(()) }
    }

    /// As much of the body as a transport hands over.
    fn cut_to_size(&self, mut response: HttpResponse) -> HttpResponse {
        response.body_mut().truncate(self.body);
        response
    }
}

fn length(value: &HeaderValue) -> Option<usize> {
    value.to_str().ok()?.parse().ok()
}
