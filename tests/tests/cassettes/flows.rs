//! The recorded flows: the quickstart, and a day with several failures.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strike_core::fixture::{Cassette, SIMULATION_START};
use strike_core::{
    ApiKey, ChargeId, CreateOutcome, Delivery, Endpoint, Exchange, HttpResponse, Network, NewCharge, Now,
    Reply, TransportError, TransportErrorKind, Wait,
};
use strike_sandbox::Sandbox;
use strike_tests::AnyClient;

/// When the payer pays, counted from the start.
const PAID_AFTER: Duration = Duration::from_secs(600);

pub const KEY: &str = "sk_of_a_recording";

pub fn endpoint() -> Endpoint {
    Endpoint::new("http://127.0.0.1/api/v1/", ApiKey::new(KEY).unwrap(), Network::Testnet).unwrap()
}

/// The charge that is to be paid. Nothing pays while a cassette is replayed.
pub type Due = Arc<Mutex<Option<ChargeId>>>;

/// A flow.
pub struct Flow {
    pub name: &'static str,
    /// The fault of each exchange, counted from 1, during recording.
    faults: fn(usize) -> Option<Fault>,
    pub run: fn(&dyn AnyClient, &Due) -> Vec<String>,
}

enum Fault {
    /// The create is processed, and the connection is closed without a response.
    ResponseLost,
    /// Not processed: 429, with a Retry-After of 7 seconds.
    RateLimited,
}

pub const FLOWS: [Flow; 2] = [
    Flow { name: "quickstart", faults: |_| None, run: quickstart },
    Flow {
        name: "faulty_network",
        // Exchange 1 is the read before the create, 2 is the create. The wait begins with 5.
        faults: |number| match number {
            2 => Some(Fault::ResponseLost),
            5 => Some(Fault::RateLimited),
            _ => None,
        },
        run: faulty_network,
    },
];

fn quickstart(client: &dyn AnyClient, due: &Due) -> Vec<String> {
    let charge = client.create(NewCharge::satoshis(4200, "services rendered")).unwrap();
    let seen = client.get(charge.id());
    *due.lock().unwrap() = Some(charge.id().clone());
    let waited = client.wait_until_paid(&charge, Wait::until_expiry());
    vec![format!("{charge:?}"), format!("{seen:?}"), format!("{waited:?}")]
}

fn faulty_network(client: &dyn AnyClient, due: &Due) -> Vec<String> {
    let made = client
        .create_once(NewCharge::satoshis(1, "café & \"tea\"").customer_id("table 7"), "order-17")
        .unwrap();
    let CreateOutcome::Payable(charge) = &made else { panic!("{made:?}") };
    let unknown = client.get(&"ch_unknown".parse().unwrap());
    let brief = client.wait_until_paid(charge, Wait::at_most(Duration::from_secs(60)));
    *due.lock().unwrap() = Some(charge.id().clone());
    let waited = client.wait_until_paid(charge, Wait::until_expiry());
    let again =
        client.create_once(NewCharge::satoshis(1, "café & \"tea\"").customer_id("table 7"), "order-17");
    vec![
        format!("{made:?}"),
        format!("{unknown:?}"),
        format!("{brief:?}"),
        format!("{waited:?}"),
        format!("{again:?}"),
    ]
}

impl Flow {
    /// The path of its cassette.
    pub fn file(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(format!("{}.json", self.name))
    }

    /// The cassette in the repository.
    pub fn committed(&self) -> Cassette {
        fs::read_to_string(self.file()).unwrap().parse().unwrap()
    }

    /// The sandbox for recording: the same in every run.
    pub fn world(&self, due: &Due) -> impl FnMut(Exchange, Now) -> Reply + Send + 'static {
        let sandbox = Sandbox::builder()
            .api_key(KEY)
            .network(Network::Testnet)
            .seed(7)
            .clock_at(SIMULATION_START)
            .build();
        let (due, faults) = (Arc::clone(due), self.faults);
        let mut number = 0;
        move |exchange, now| {
            sandbox.advance_to(now.unix);
            if now.monotonic >= PAID_AFTER
                && let Some(id) = due.lock().unwrap().take()
            {
                sandbox.pay(&id).unwrap();
            }
            number += 1;
            match faults(number) {
                None => sandbox.reply(exchange),
                Some(Fault::ResponseLost) => {
                    let _lost = sandbox.reply(exchange);
                    Err(TransportError::new(TransportErrorKind::Closed, Delivery::MaybeSent))
                }
                Some(Fault::RateLimited) => {
                    let mut response = HttpResponse::new(br#"{"code":429,"message":"too many"}"#.to_vec());
                    *response.status_mut() = strike_core::http::StatusCode::TOO_MANY_REQUESTS;
                    response.headers_mut().insert("retry-after", "7".parse().unwrap());
                    Ok(response)
                }
            }
        }
    }
}
