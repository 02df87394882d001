//! Drives a machine with replies and clocks that a tape decides, and holds it to the contract and to the laws.
//!
//! When the tape has ended, the host is well and the payer pays: from there, a machine must come to its end.

use std::time::Duration;

use strike_core::http::{HeaderValue, Method, Response};
use strike_core::{
    Delivery, Error, ErrorKind, Exchange, Machine, Now, OrderKey, Reply, Step, TransportError,
    TransportErrorKind, UnixMillis,
};

use crate::secret::{assert_fit_for_a_log, planted};
use crate::tape::Tape;

/// Where the clocks start: a second after the charges were made.
pub(crate) const START: UnixMillis = UnixMillis::from_millis(1_700_000_001_000);

const FAILURES: [TransportErrorKind; 9] = [
    TransportErrorKind::Refused,
    TransportErrorKind::Dns,
    TransportErrorKind::Tls,
    TransportErrorKind::Timeout,
    TransportErrorKind::Closed,
    TransportErrorKind::Cut,
    TransportErrorKind::Protocol,
    TransportErrorKind::Setup,
    TransportErrorKind::Other,
];

pub(crate) struct Play<'a> {
    tape: Tape<'a>,
    now: Now,
    /// Polls that are left until it counts as endless.
    left: usize,
    /// How far a single reading of the clocks may be off.
    pub(crate) wild: bool,
    /// Whether a create may be repeated once, after two looks.
    pub(crate) repost: bool,
    /// Whether anything that arrived can have said so.
    pub(crate) said_paid: bool,
    /// How many creates may have arrived.
    doubtful: u32,
    looks: u32,
    posted_again: bool,
}

/// The key of the order that is created.
pub(crate) fn key() -> OrderKey {
    OrderKey::named("order-17")
}

/// A charge in the form of the wire.
pub(crate) fn row(id: &str, paid: bool) -> String {
    written(id, 4200, "tea", Some(&key().customer_id("")), paid)
}

fn written(id: &str, amount: u64, description: &str, customer_id: Option<&str>, paid: bool) -> String {
    serde_json::json!({
        "id": id, "object": "charge", "amount": amount, "currency": "btc", "amount_satoshi": amount,
        "payment_hash": "ab".repeat(32), "payment_request": "invented", "description": description,
        "customer_id": customer_id, "paid": paid, "created": 1_700_000_000_000_u64, "updated": 1_700_000_000_000_u64,
    })
    .to_string()
}

fn answer(status: u16, body: impl Into<Vec<u8>>) -> Response<Vec<u8>> {
    Response::builder().status(status).body(body.into()).unwrap()
}

/// Whether an answer says that nothing was made: its status does, or, below a status that all is well, its code.
fn is_refusal(response: &Response<Vec<u8>>) -> bool {
    let body = || serde_json::from_slice::<serde_json::Value>(response.body()).ok();
    let status = match response.status().as_u16() {
        200..300 => body().and_then(|body| body.get("code")?.as_u64()),
        status => Some(status.into()),
    };
    status.is_some_and(|status| (400..500).contains(&status) && status != 408 && status != 425)
}

impl<'a> Play<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self {
            tape: Tape::new(data),
            now: Now::new(Duration::ZERO, START),
            left: 4_000 + 4 * data.len(),
            wild: true,
            repost: false,
            said_paid: false,
            doubtful: 0,
            looks: 0,
            posted_again: false,
        }
    }

    pub(crate) const fn tape(&mut self) -> &mut Tape<'a> {
        &mut self.tape
    }

    fn pass(&mut self, time: Duration) {
        self.now.monotonic = self.now.monotonic.saturating_add(time);
        self.now.unix = self.now.unix.saturating_add(time);
    }

    /// A reading of the clocks: most are true.
    fn read(&mut self) -> Now {
        let far = Duration::from_secs(u64::from(self.tape.number() >> 8));
        match self.tape.byte().unwrap_or_default() {
            1 => Now::new(self.now.monotonic.saturating_add(far), self.now.unix),
            2 => Now::new(self.now.monotonic.saturating_sub(far), self.now.unix),
            3 => Now::new(self.now.monotonic, self.now.unix.saturating_add(far)),
            4 => Now::new(self.now.monotonic, self.now.unix.saturating_sub(far)),
            5 if self.wild => Now::new(Duration::MAX, UnixMillis::from_millis(u64::MAX)),
            6 if self.wild => Now::new(Duration::ZERO, UnixMillis::from_millis(0)),
            _ => self.now,
        }
    }

    /// Drives it to its end.
    pub(crate) fn run<M: Machine>(&mut self, machine: &mut M) -> Result<M::Output, Error> {
        let result = self.drive(machine);
        if let Err(error) = &result {
            assert_ne!(error.kind(), &ErrorKind::Finished);
            assert_fit_for_a_log(error);
        }
        for _ in 0..2 {
            let Step::Done(Err(error)) = machine.poll(self.now) else { panic!("it had ended") };
            assert_eq!(error.kind(), &ErrorKind::Finished);
            machine.handle(Ok(answer(200, row("ch_1", true))), self.now);
        }
        result
    }

    fn drive<M: Machine>(&mut self, machine: &mut M) -> Result<M::Output, Error> {
        loop {
            self.left =
                self.left.checked_sub(1).expect("no result although the input is used up and every response is valid");
            let now = self.read();
            match machine.poll(now) {
                Step::Send(exchange) => self.send(machine, &exchange),
                Step::Wait(wait) => {
                    assert!(!wait.is_zero(), "a wait of nothing is a busy loop");
                    match self.tape.below(4) {
                        1 => self.pass(wait / 2),
                        2 => {
                            // Nobody asked.
                            let now = self.read();
                            machine.handle(Ok(answer(200, row("ch_1", true))), now);
                        }
                        _ => self.pass(wait),
                    }
                }
                Step::Done(result) => return result,
            }
        }
    }

    fn send<M: Machine>(&mut self, machine: &mut M, exchange: &Exchange) {
        let is_post = exchange.request.method() == Method::POST;
        if is_post && self.doubtful > 0 {
            assert!(self.repost, "a create that may have arrived was sent again");
            assert!(
                self.doubtful == 1 && (self.posted_again || self.looks >= 2),
                "a third create, or a blind one"
            );
            self.posted_again = true;
        }
        self.pass(Duration::from_millis(100));
        let replies = self.replies(exchange);
        if is_post {
            let certainly_not = match replies.first() {
                Some(Err(error)) => error.delivery() == Delivery::Unsent,
                Some(Ok(response)) => is_refusal(response),
                None => false,
            };
            self.doubtful += u32::from(!certainly_not);
            self.looks = 0;
        } else if exchange.request.uri().query().is_some_and(|query| query.starts_with("page=0&")) {
            let readable =
                |reply: &Reply| reply.as_ref().is_ok_and(|response| response.status().is_success());
            self.looks += u32::from(replies.first().is_some_and(readable));
        }
        for reply in replies {
            if let Ok(response) = &reply {
                self.said_paid |= response.body().windows(4).any(|word| word == b"true");
            }
            let now = self.read();
            machine.handle(reply, now);
        }
    }

    /// What comes of an exchange: a reply as a rule; none if it is lost, or two.
    fn replies(&mut self, exchange: &Exchange) -> Vec<Reply> {
        let Some(letter) = self.tape.byte() else { return vec![Ok(self.good(exchange, true))] };
        match letter % 12 {
            0 => vec![Ok(self.good(exchange, true))],
            1 | 2 => vec![Ok(self.good(exchange, false))],
            3 => vec![Ok(answer(200, row("ch_9", true)))],
            4 | 5 => {
                let status = 100 + u16::try_from(self.tape.number() % 900).unwrap();
                vec![Ok(answer(status, planted(self.tape.bytes())))]
            }
            6 => {
                let mut response = answer(429, Vec::new());
                self.add_header(&mut response, "retry-after");
                vec![Ok(response)]
            }
            7 => {
                let mut response = self.good(exchange, false);
                self.add_header(&mut response, "date");
                vec![Ok(response)]
            }
            8 => {
                let delivery = [Delivery::Unsent, Delivery::MaybeSent][self.tape.below(2)];
                vec![Err(TransportError::new(FAILURES[self.tape.below(FAILURES.len())], delivery))]
            }
            9 => Vec::new(),
            10 => vec![Ok(self.good(exchange, false)), Ok(self.good(exchange, true))],
            _ => {
                // Good, but for some bytes.
                let mut response = self.good(exchange, false);
                let body = response.body_mut();
                let at = usize::try_from(self.tape.number()).unwrap() % body.len();
                let changed = self.tape.bytes();
                let end = (at + changed.len()).min(body.len());
                body.splice(at..end, planted(changed));
                vec![Ok(response)]
            }
        }
    }

    fn add_header(&mut self, response: &mut Response<Vec<u8>>, name: &'static str) {
        if let Ok(value) = HeaderValue::from_bytes(self.tape.bytes()) {
            response.headers_mut().insert(name, value);
        }
    }

    /// What the API promises.
    fn good(&mut self, exchange: &Exchange, paid: bool) -> Response<Vec<u8>> {
        let request = &exchange.request;
        let uri = request.uri();
        let id = uri.path().rsplit('/').next().unwrap();
        if request.method() == Method::POST {
            let field = |name: &str| {
                form_urlencoded::parse(request.body())
                    .find(|(key, _)| key == name)
                    .map(|(_, value)| value.into_owned())
            };
            let amount = field("amount").unwrap().parse().unwrap();
            let customer_id = field("customer_id");
            return answer(
                200,
                written("ch_1", amount, &field("description").unwrap(), customer_id.as_deref(), paid),
            );
        }
        let Some(query) = uri.query() else { return answer(200, row(id, paid)) };
        let rows: Vec<_> = match (query.starts_with("page=0&"), paid) {
            (true, true) => ["ch_3", "ch_2", "ch_1"].map(|id| row(id, true)).into(),
            (true, false) => {
                let chosen = self.tape.byte().unwrap_or_default();
                let rows = ["ch_8", "ch_3", "ch_2", "ch_1"].iter().enumerate();
                rows.filter(|(at, _)| chosen & (1 << at) != 0).map(|(_, id)| row(id, false)).collect()
            }
            (false, _) => Vec::new(),
        };
        answer(200, format!("[{}]", rows.join(",")))
    }
}
