//! The tests of pystrike, against the server in the environment variables, and always against a
//! sandbox.
//!
//! | variable | meaning |
//! | --- | --- |
//! | `STRIKE_TESTNET_API_KEY` | an API key for a test network; without it, only the sandbox is used |
//! | `RETRIEVE_CHARGE_ID` | the id of a charge of that account, which is then retrieved |
//! | `STRIKE_TESTNET_HOST` | a host name or a base URL; the default is ACINQ's host, which is closed |
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::env;
use std::io::{self, Write};
use std::time::Duration;

use strike_async::AsyncTransport;
use strike_blocking::Transport;
use strike_core::machine::Operation;
use strike_core::{
    ApiKey, Charge, ChargeId, Create, Currency, Endpoint, ErrorKind, Exchange, Network, NewCharge, Now,
    Satoshi, UnixMillis,
};
use strike_sandbox::Sandbox;

const AMOUNT: u64 = 4200;
const DESCRIPTION: &str = "live test of Strike for Rust";
const CUSTOMER: &str = "customer 17";

/// The path of the service's API.
const PATH: &str = "/api/v1/";

fn base_url(host: &str) -> String {
    if host.contains("://") { host.to_owned() } else { format!("https://{host}{PATH}") }
}

/// Writes a line that is visible even if the test passes. The test harness captures the output of
/// `eprintln!`.
fn print_line(words: &str) {
    io::stderr().write_all(format!("{words}\n").as_bytes()).unwrap();
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Runs pystrike's four tests with both adapters.
async fn run(base_url: &str, key: &str, retrieve: Option<&ChargeId>) {
    let endpoint = Endpoint::new(base_url, ApiKey::new(key).unwrap(), Network::Testnet).unwrap();
    let retrieve = retrieve.cloned();
    let asynchronous = run_async(&endpoint, retrieve.as_ref()).await;
    let blocking = {
        let endpoint = endpoint.clone();
        tokio::task::spawn_blocking(move || run_blocking(&endpoint, retrieve.as_ref())).await.unwrap()
    };
    assert_ne!(asynchronous.id(), blocking.id());
}

fn run_blocking(endpoint: &Endpoint, retrieve: Option<&ChargeId>) -> Charge {
    let client = strike_blocking::Client::new(endpoint.clone()).unwrap();
    let charge = client.create(without_customer()).unwrap();
    check_new(&charge, None);
    check_new(&client.create(with_customer()).unwrap(), Some(CUSTOMER));
    check_retrieved(&client.get(charge.id()).unwrap(), &charge);
    if let Some(id) = retrieve {
        assert_eq!(client.get(id).unwrap().id(), id);
    }
    let transport = strike_blocking::UreqTransport::new().unwrap();
    check_rejected(endpoint, &transport.exchange(in_another_currency(endpoint)).unwrap());
    charge
}

async fn run_async(endpoint: &Endpoint, retrieve: Option<&ChargeId>) -> Charge {
    let client = strike_async::Client::new(endpoint.clone()).unwrap();
    let charge = client.create(without_customer()).await.unwrap();
    check_new(&charge, None);
    check_new(&client.create(with_customer()).await.unwrap(), Some(CUSTOMER));
    check_retrieved(&client.get(charge.id()).await.unwrap(), &charge);
    if let Some(id) = retrieve {
        assert_eq!(client.get(id).await.unwrap().id(), id);
    }
    let transport = strike_async::ReqwestTransport::new().unwrap();
    check_rejected(endpoint, &transport.exchange(in_another_currency(endpoint)).await.unwrap());
    charge
}

fn without_customer() -> NewCharge {
    NewCharge::satoshis(AMOUNT, DESCRIPTION)
}

fn with_customer() -> NewCharge {
    without_customer().customer_id(CUSTOMER)
}

/// Checks the attributes that pystrike's test checks.
fn check_new(charge: &Charge, customer: Option<&str>) {
    assert_eq!(charge.amount(), Satoshi::new(AMOUNT));
    assert_eq!(charge.currency(), Currency::Btc);
    assert_eq!(charge.description(), DESCRIPTION);
    assert_eq!(charge.raw_customer_id().filter(|id| !id.is_empty()), customer);
    assert!(charge.payment_request().starts_with("lntb"));
    assert!(!charge.is_paid());
    assert_eq!(charge.created(), charge.updated());
}

fn check_retrieved(seen: &Charge, made: &Charge) {
    assert_eq!(seen.id(), made.id());
    assert_eq!(seen.payment_request(), made.payment_request());
    assert_eq!(seen.payment_hash(), made.payment_hash());
}

/// The SDK has no type for other currencies, so this edits the form.
fn in_another_currency(endpoint: &Endpoint) -> Exchange {
    let mut request = Create::new(without_customer()).request(endpoint).unwrap();
    let form = String::from_utf8(std::mem::take(request.body_mut())).unwrap();
    assert!(form.contains("currency=btc"));
    *request.body_mut() = form.replace("currency=btc", "currency=xyz").into_bytes();
    Exchange::new(request, Duration::from_secs(30), 1 << 20)
}

fn check_rejected(endpoint: &Endpoint, response: &strike_core::HttpResponse) {
    let now = Now::new(Duration::ZERO, UnixMillis::from_millis(0));
    let error = Create::new(without_customer()).parse(endpoint, response, now).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::BadRequest, "{error:?}");
}

#[tokio::test]
async fn live_server_behaves_as_pystrike_expects() {
    let Some(key) = variable("STRIKE_TESTNET_API_KEY") else {
        print_line("skipped: no live server is used, since STRIKE_TESTNET_API_KEY is not set");
        return;
    };
    let host = variable("STRIKE_TESTNET_HOST").unwrap_or_else(|| "api.dev.strike.acinq.co".to_owned());
    let id = variable("RETRIEVE_CHARGE_ID").map(|id| ChargeId::new(id).unwrap());
    if id.is_none() {
        print_line("skipped: no earlier charge is retrieved, since RETRIEVE_CHARGE_ID is not set");
    }
    run(&base_url(&host), &key, id.as_ref()).await;
}

#[tokio::test]
async fn sandbox_behaves_as_pystrike_expects() {
    let sandbox = Sandbox::builder().start().unwrap();
    let endpoint =
        Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key()).unwrap(), sandbox.network())
            .unwrap();
    let id =
        strike_async::Client::new(endpoint).unwrap().create(without_customer()).await.unwrap().id().clone();
    run(&base_url(sandbox.base_url()), sandbox.api_key(), Some(&id)).await;
    // Each adapter created two. The create in another currency was rejected.
    assert_eq!(sandbox.charges(), 5);
    assert_eq!(sandbox.requests(), 1 + 2 * 5);
}

#[test]
fn host_name_is_expanded_to_a_base_url() {
    assert_eq!(base_url("pay.example.com"), "https://pay.example.com/api/v1/");
    assert_eq!(base_url("http://127.0.0.1:8420/api/v1/"), "http://127.0.0.1:8420/api/v1/");
    assert!("xyz".parse::<Currency>().is_err());
}
