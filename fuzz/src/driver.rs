//! Runs a state machine with replies and clock readings from the fuzz input, and checks invariants.
//!
//! After the end of the input, every response is valid and every charge is paid. From then on, the
//! machine must finish.

use std::time::Duration;

use strike_core::http::{HeaderValue, Method, Response};
use strike_core::machine::{Machine, Step};
use strike_core::{
    Delivery, Error, ErrorKind, Exchange, Now, OrderKey, Reply, TransportError, TransportErrorKind,
    UnixMillis,
};

use crate::input::Input;
use crate::secret::{assert_loggable, insert_key};

/// The start time, one second after the charges were created.
pub(crate) const START: UnixMillis = UnixMillis::from_millis(1_700_000_001_000);

const FAILURES: [TransportErrorKind; 9] = [
    TransportErrorKind::ConnectionRefused,
    TransportErrorKind::Dns,
    TransportErrorKind::Tls,
    TransportErrorKind::Timeout,
    TransportErrorKind::Closed,
    TransportErrorKind::Cut,
    TransportErrorKind::Protocol,
    TransportErrorKind::Setup,
    TransportErrorKind::Other,
];

/// Runs machines with replies from the fuzz input.
pub(crate) struct Driver<'a> {
    input: Input<'a>,
    now: Now,
    /// The number of polls after which the machine counts as endless.
    polls_left: usize,
    /// Whether the clocks may also return their minimum and maximum.
    pub(crate) extreme_clocks: bool,
    /// Whether a create may be repeated once, after two list reads.
    pub(crate) allow_repost: bool,
    /// Whether any received body may have reported a payment.
    pub(crate) paid_received: bool,
    /// The number of creates that the server may have processed.
    possible_creates: u32,
    /// Successful reads of the first list page since the last create.
    list_reads: u32,
    reposted: bool,
}

/// Returns the order key of the created charges.
pub(crate) fn key() -> OrderKey {
    OrderKey::named("order-17")
}

/// Returns the JSON of a charge of the test order.
pub(crate) fn charge_json(id: &str, paid: bool) -> String {
    to_json(id, 4200, "tea", Some(&key().customer_id("")), paid)
}

fn to_json(id: &str, amount: u64, description: &str, customer_id: Option<&str>, paid: bool) -> String {
    serde_json::json!({
        "id": id, "object": "charge", "amount": amount, "currency": "btc", "amount_satoshi": amount,
        "payment_hash": "ab".repeat(32), "payment_request": "invented", "description": description,
        "customer_id": customer_id, "paid": paid, "created": 1_700_000_000_000_u64, "updated": 1_700_000_000_000_u64,
    })
    .to_string()
}

fn response(status: u16, body: impl Into<Vec<u8>>) -> Response<Vec<u8>> {
    Response::builder().status(status).body(body.into()).unwrap()
}

/// Returns true if the response shows that no charge was created.
///
/// The status decides, or the `code` in the body if the status is 2xx.
fn is_rejection(response: &Response<Vec<u8>>) -> bool {
    let body = || serde_json::from_slice::<serde_json::Value>(response.body()).ok();
    let status = match response.status().as_u16() {
        200..300 => body().and_then(|body| body.get("code")?.as_u64()),
        status => Some(status.into()),
    };
    status.is_some_and(|status| (400..500).contains(&status) && status != 408 && status != 425)
}

impl<'a> Driver<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self {
            input: Input::new(data),
            now: Now::new(Duration::ZERO, START),
            polls_left: 4_000 + 4 * data.len(),
            extreme_clocks: true,
            allow_repost: false,
            paid_received: false,
            possible_creates: 0,
            list_reads: 0,
            reposted: false,
        }
    }

    pub(crate) const fn input(&mut self) -> &mut Input<'a> {
        &mut self.input
    }

    fn advance(&mut self, time: Duration) {
        self.now.monotonic = self.now.monotonic.saturating_add(time);
        self.now.unix = self.now.unix.saturating_add(time);
    }

    /// Reads the clocks. Most readings are correct.
    fn read_clocks(&mut self) -> Now {
        let far = Duration::from_secs(u64::from(self.input.number() >> 8));
        match self.input.byte().unwrap_or_default() {
            1 => Now::new(self.now.monotonic.saturating_add(far), self.now.unix),
            2 => Now::new(self.now.monotonic.saturating_sub(far), self.now.unix),
            3 => Now::new(self.now.monotonic, self.now.unix.saturating_add(far)),
            4 => Now::new(self.now.monotonic, self.now.unix.saturating_sub(far)),
            5 if self.extreme_clocks => Now::new(Duration::MAX, UnixMillis::from_millis(u64::MAX)),
            6 if self.extreme_clocks => Now::new(Duration::ZERO, UnixMillis::from_millis(0)),
            _ => self.now,
        }
    }

    /// Runs the machine until it finishes. Checks that it then reports `Finished`.
    pub(crate) fn run<M: Machine>(&mut self, machine: &mut M) -> Result<M::Output, Error> {
        let result = self.drive(machine);
        if let Err(error) = &result {
            assert_ne!(error.kind(), &ErrorKind::AlreadyFinished);
            assert_loggable(error);
        }
        for _ in 0..2 {
            let Step::Done(Err(error)) = machine.poll(self.now) else {
                panic!("the machine does not report Finished")
            };
            assert_eq!(error.kind(), &ErrorKind::AlreadyFinished);
            machine.handle(Ok(response(200, charge_json("ch_1", true))), self.now);
        }
        result
    }

    fn drive<M: Machine>(&mut self, machine: &mut M) -> Result<M::Output, Error> {
        loop {
            self.polls_left = self
                .polls_left
                .checked_sub(1)
                .expect("no result although the input is used up and every response is valid");
            let now = self.read_clocks();
            match machine.poll(now) {
                Step::Send(exchange) => self.send(machine, &exchange),
                Step::Wait(wait) => {
                    assert!(!wait.is_zero(), "a zero wait causes a busy loop");
                    match self.input.below(4) {
                        1 => self.advance(wait / 2),
                        2 => {
                            // An unexpected reply during a wait must be ignored.
                            let now = self.read_clocks();
                            machine.handle(Ok(response(200, charge_json("ch_1", true))), now);
                        }
                        _ => self.advance(wait),
                    }
                }
                Step::Done(result) => return result,
            }
        }
    }

    fn send<M: Machine>(&mut self, machine: &mut M, exchange: &Exchange) {
        let is_post = exchange.request.method() == Method::POST;
        if is_post && self.possible_creates > 0 {
            assert!(self.allow_repost, "a create that the server may have processed was sent again");
            assert!(
                self.possible_creates == 1 && (self.reposted || self.list_reads >= 2),
                "a third create, or a repeat without two list reads"
            );
            self.reposted = true;
        }
        self.advance(Duration::from_millis(100));
        let replies = self.replies(exchange);
        if is_post {
            let certainly_not_created = match replies.first() {
                Some(Err(error)) => error.delivery() == Delivery::Unsent,
                Some(Ok(response)) => is_rejection(response),
                None => false,
            };
            self.possible_creates += u32::from(!certainly_not_created);
            self.list_reads = 0;
        } else if exchange.request.uri().query().is_some_and(|query| query.starts_with("page=0&")) {
            let readable =
                |reply: &Reply| reply.as_ref().is_ok_and(|response| response.status().is_success());
            self.list_reads += u32::from(replies.first().is_some_and(readable));
        }
        for reply in replies {
            if let Ok(response) = &reply {
                self.paid_received |= response.body().windows(4).any(|word| word == b"true");
            }
            let now = self.read_clocks();
            machine.handle(reply, now);
        }
    }

    /// Returns the replies to an exchange: usually one, but none or two for some inputs.
    fn replies(&mut self, exchange: &Exchange) -> Vec<Reply> {
        let Some(choice) = self.input.byte() else { return vec![Ok(self.valid_response(exchange, true))] };
        match choice % 12 {
            0 => vec![Ok(self.valid_response(exchange, true))],
            1 | 2 => vec![Ok(self.valid_response(exchange, false))],
            3 => vec![Ok(response(200, charge_json("ch_9", true)))],
            4 | 5 => {
                let status = 100 + u16::try_from(self.input.number() % 900).unwrap();
                vec![Ok(response(status, insert_key(self.input.bytes())))]
            }
            6 => {
                let mut response = response(429, Vec::new());
                self.add_header(&mut response, "retry-after");
                vec![Ok(response)]
            }
            7 => {
                let mut response = self.valid_response(exchange, false);
                self.add_header(&mut response, "date");
                vec![Ok(response)]
            }
            8 => {
                let delivery = [Delivery::Unsent, Delivery::MaybeSent][self.input.below(2)];
                vec![Err(TransportError::new(FAILURES[self.input.below(FAILURES.len())], delivery))]
            }
            9 => Vec::new(),
            10 => vec![Ok(self.valid_response(exchange, false)), Ok(self.valid_response(exchange, true))],
            _ => {
                // A valid response with some bytes replaced.
                let mut response = self.valid_response(exchange, false);
                let body = response.body_mut();
                let start = usize::try_from(self.input.number()).unwrap() % body.len();
                let changed = self.input.bytes();
                let end = (start + changed.len()).min(body.len());
                body.splice(start..end, insert_key(changed));
                vec![Ok(response)]
            }
        }
    }

    fn add_header(&mut self, response: &mut Response<Vec<u8>>, name: &'static str) {
        if let Ok(value) = HeaderValue::from_bytes(self.input.bytes()) {
            response.headers_mut().insert(name, value);
        }
    }

    /// Returns the response that the API specifies.
    fn valid_response(&mut self, exchange: &Exchange, paid: bool) -> Response<Vec<u8>> {
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
            return response(
                200,
                to_json("ch_1", amount, &field("description").unwrap(), customer_id.as_deref(), paid),
            );
        }
        let Some(query) = uri.query() else { return response(200, charge_json(id, paid)) };
        let rows: Vec<_> = match (query.starts_with("page=0&"), paid) {
            (true, true) => ["ch_3", "ch_2", "ch_1"].map(|id| charge_json(id, true)).into(),
            (true, false) => {
                let chosen = self.input.byte().unwrap_or_default();
                let rows = ["ch_8", "ch_3", "ch_2", "ch_1"].iter().enumerate();
                rows.filter(|(index, _)| chosen & (1 << index) != 0)
                    .map(|(_, id)| charge_json(id, false))
                    .collect()
            }
            (false, _) => Vec::new(),
        };
        response(200, format!("[{}]", rows.join(",")))
    }
}
