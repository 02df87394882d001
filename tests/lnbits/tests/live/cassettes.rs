//! Cassettes recorded from a real LNbits, and replayed without one. `STRIKE_RECORD=1 .ci/lnbits`
//! records them again.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strike_blocking::fixture::{Cassette, RecordTransport, Recorder, ReplayTransport};
use strike_blocking::{Transport, UreqTransport};
use strike_core::http::Method;
use strike_core::{CreateOutcome, ErrorKind, Exchange, NewCharge, Reply, Wait};
use strike_tests::{AnyClient, AsyncClient};

use crate::clients::endpoint_with;
use crate::server::Lnbits;
use crate::wallet::Wallet;

/// A key that belongs to no wallet, for the replay and for the flow with a wrong key.
const KEY: &str = "00000000000000000000000000000000";

/// A payment request that is to be paid after the next read. Nobody pays while a cassette is
/// replayed.
type Due = Arc<Mutex<Option<String>>>;

/// What a shop does. It returns what the client returned.
struct Flow {
    name: &'static str,
    /// Whether it has the key of a wallet.
    authorized: bool,
    run: fn(&dyn AnyClient, &Due) -> Vec<String>,
}

const FLOWS: [Flow; 2] = [
    Flow { name: "shop", authorized: true, run: shop },
    Flow { name: "wrong_key", authorized: false, run: wrong_key },
];

fn shop(client: &dyn AnyClient, due: &Due) -> Vec<String> {
    let charge = client.create(NewCharge::satoshis(4200, "café & \"tea\"")).unwrap();
    let unpaid = client.get(charge.id()).unwrap();
    let order = || NewCharge::satoshis(21, "cake").customer_id("table 7");
    let made = client.create_once(order(), "order-17").unwrap();
    assert!(matches!(made, CreateOutcome::Payable(_)), "{made:?}");
    let again = client.create_once(order(), "order-17").unwrap();
    assert_eq!(made.charge(), again.charge());

    *due.lock().unwrap() = Some(charge.payment_request().to_owned());
    let waited = client.wait_until_paid(&charge, Wait::at_most(Duration::from_secs(60))).unwrap();
    assert!(waited.is_paid(), "{waited:?}");
    let paid = client.get(charge.id()).unwrap();
    assert!(!unpaid.is_paid() && paid.is_paid());
    let listed = client.list_all().unwrap();
    assert_eq!(listed, [made.charge().clone(), paid.clone()]);
    vec![format!("{charge:?}"), format!("{made:?}"), format!("{waited:?}"), format!("{listed:?}")]
}

fn wrong_key(client: &dyn AnyClient, _: &Due) -> Vec<String> {
    let errors = [
        client.create(NewCharge::satoshis(4200, "tea")).unwrap_err(),
        client.create_once(NewCharge::satoshis(4200, "tea"), "order-17").unwrap_err(),
        client.list(0).unwrap_err(),
    ];
    assert!(errors.iter().all(|error| *error.kind() == ErrorKind::Unauthorized), "{errors:?}");
    errors.iter().map(ToString::to_string).collect()
}

impl Flow {
    fn file(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(format!("{}.json", self.name))
    }

    fn committed(&self) -> Cassette {
        fs::read_to_string(self.file()).unwrap().parse().unwrap()
    }

    /// Runs the flow at a real LNbits, and returns what was sent and received.
    fn record(&self, lnbits: &Arc<Lnbits>) -> Cassette {
        let (shop, payer) = (Wallet::new(lnbits, "shop"), Wallet::funded(lnbits, "payer"));
        let key = if self.authorized { shop.invoice_key.as_str() } else { KEY }.to_owned();
        let due = Due::default();
        let recorder = Recorder::new().redact_field("wallet_id");
        let recording = RecordTransport::with(paying(payer, Arc::clone(&due)), recorder);
        let endpoint = endpoint_with(lnbits.url(), &key);
        let client = strike_blocking::Client::builder(endpoint).transport(recording.clone()).build().unwrap();
        (self.run)(&client, &due);
        let mut cassette = recording.cassette().unwrap();
        let private = [shop.invoice_key, shop.admin_key];
        assert!(private.iter().all(|key| !cassette.to_json().unwrap().contains(key)), "a key was recorded");
        cassette
            .set_notes("Recorded from LNbits 1.6.2 with its FakeWallet, by `STRIKE_RECORD=1 .ci/lnbits`.");
        cassette
    }
}

/// Returns a transport that pays what is due once the response to a read has arrived.
fn paying(payer: Wallet, due: Due) -> impl Transport {
    let transport = UreqTransport::new().unwrap();
    move |exchange: Exchange| -> Reply {
        let is_read = exchange.request.method() == Method::GET;
        let reply = transport.exchange(exchange);
        if is_read && let Some(payment_request) = due.lock().unwrap().take() {
            payer.pay(&payment_request);
        }
        reply
    }
}

/// Returns the requests and the statuses of a cassette, without hashes.
fn outline(cassette: &Cassette) -> Vec<String> {
    let entries = cassette.entries().iter().map(|entry| {
        let target = entry.path_and_query();
        let without_hash = target.rsplit_once('/').filter(|(_, id)| id.len() == 64);
        let target = without_hash.map_or(target, |(path, _)| path);
        let status = entry.reply().unwrap().status();
        format!("{} {target} {status}", entry.method())
    });
    entries.collect()
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn lnbits_still_responds_as_in_the_cassettes() {
    let lnbits = Lnbits::shared();
    for flow in &FLOWS {
        let recorded = flow.record(&lnbits);
        let json = recorded.to_json().unwrap();
        if std::env::var("STRIKE_RECORD").is_ok_and(|value| value == "1") {
            fs::write(flow.file(), &json).unwrap();
        }
        assert_eq!(
            outline(&recorded),
            outline(&flow.committed()),
            "{}: if the change is intended, record it again with STRIKE_RECORD=1",
            flow.name
        );
    }
}

#[test]
fn both_clients_replay_the_responses_of_lnbits() {
    let endpoint = endpoint_with("http://127.0.0.1", KEY);
    for flow in &FLOWS {
        let due = Due::default();
        let host = ReplayTransport::strict(flow.committed());
        let client = strike_blocking::Client::builder(endpoint.clone()).simulated(&host).build().unwrap();
        let by_blocking = (flow.run)(&client, &due);
        host.finish().unwrap();

        let host = ReplayTransport::strict(flow.committed());
        let client = strike_async::Client::builder(endpoint.clone()).simulated(&host).build().unwrap();
        let by_async = (flow.run)(&AsyncClient::without_drivers(client), &due);
        host.finish().unwrap();
        assert_eq!(by_blocking, by_async, "{}", flow.name);
    }
}

#[test]
fn cassettes_hold_no_secret() {
    for flow in &FLOWS {
        let text = fs::read_to_string(flow.file()).unwrap();
        let cassette = flow.committed();
        assert!(!text.to_lowercase().contains("x-api-key"), "{}", flow.name);
        for entry in cassette.entries() {
            let body = entry.reply().unwrap().into_body();
            for private in ["preimage", "wallet_id"] {
                // Each has no value, or a placeholder.
                let mut rest = std::str::from_utf8(&body).unwrap();
                while let Some((_, after)) = rest.split_once(&format!("\"{private}\":")) {
                    assert!(after.starts_with("null") || after.starts_with("\"[redacted]\""), "{after}");
                    rest = after;
                }
            }
        }
    }
}
