//! What is recorded: the quickstart, and a day on which much goes wrong.

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

use crate::ways::Way;

/// When the payer pays.
const PAID_AFTER: Duration = Duration::from_secs(600);

pub const KEY: &str = "sk_of_a_recording";

pub fn endpoint() -> Endpoint {
    Endpoint::new("http://127.0.0.1/api/v1/", ApiKey::new(KEY).unwrap(), Network::Testnet).unwrap()
}

/// Who is to pay what; nobody, when a cassette is played.
pub type Due = Arc<Mutex<Option<ChargeId>>>;

/// A flow, and what it was told.
pub struct Flow {
    pub name: &'static str,
    /// What happens to which exchange, counted from 1, when it is recorded.
    faults: fn(usize) -> Option<Fault>,
    pub run: fn(&mut dyn Way, &Due) -> Vec<String>,
}

enum Fault {
    /// Carried out, and never answered.
    HangsUp,
    /// Not carried out: too many requests, again in 7 s.
    TooMany,
}

pub const FLOWS: [Flow; 2] = [
    Flow { name: "quickstart", faults: |_| None, run: quickstart },
    Flow {
        name: "a_bad_day",
        // The create is the second: a look comes first. The wait begins with the fifth.
        faults: |number| match number {
            2 => Some(Fault::HangsUp),
            5 => Some(Fault::TooMany),
            _ => None,
        },
        run: a_bad_day,
    },
];

fn quickstart(way: &mut dyn Way, due: &Due) -> Vec<String> {
    let charge = way.create(NewCharge::satoshis(4200, "services rendered")).unwrap();
    let seen = way.get(charge.id());
    *due.lock().unwrap() = Some(charge.id().clone());
    let waited = way.wait(&charge, Wait::until_expiry());
    vec![format!("{charge:?}"), format!("{seen:?}"), format!("{waited:?}")]
}

fn a_bad_day(way: &mut dyn Way, due: &Due) -> Vec<String> {
    let made = way.once(NewCharge::satoshis(1, "café & \"tea\"").customer_id("table 7"), "order-17").unwrap();
    let CreateOutcome::Payable(charge) = &made else { panic!("{made:?}") };
    let unknown = way.get(&"ch_unknown".parse().unwrap());
    let brief = way.wait(charge, Wait::at_most(Duration::from_secs(60)));
    *due.lock().unwrap() = Some(charge.id().clone());
    let waited = way.wait(charge, Wait::until_expiry());
    let again = way.once(NewCharge::satoshis(1, "café & \"tea\"").customer_id("table 7"), "order-17");
    vec![
        format!("{made:?}"),
        format!("{unknown:?}"),
        format!("{brief:?}"),
        format!("{waited:?}"),
        format!("{again:?}"),
    ]
}

impl Flow {
    /// Where its cassette is.
    pub fn file(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(format!("{}.json", self.name))
    }

    /// Its cassette.
    pub fn committed(&self) -> Cassette {
        fs::read_to_string(self.file()).unwrap().parse().unwrap()
    }

    /// The sandbox that answers when this is recorded: the same in every run.
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
                Some(Fault::HangsUp) => {
                    let _lost = sandbox.reply(exchange);
                    Err(TransportError::new(TransportErrorKind::Closed, Delivery::MaybeSent))
                }
                Some(Fault::TooMany) => {
                    let mut response = HttpResponse::new(br#"{"code":429,"message":"too many"}"#.to_vec());
                    *response.status_mut() = strike_core::http::StatusCode::TOO_MANY_REQUESTS;
                    response.headers_mut().insert("retry-after", "7".parse().unwrap());
                    Ok(response)
                }
            }
        }
    }
}
