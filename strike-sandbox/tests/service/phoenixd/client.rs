//! The client library against phoenixd's API: create, get, find, webhooks and the setup check.

use std::time::Duration;

use strike_core::http::StatusCode;
use strike_core::machine::{Machine, Step};
use strike_core::{
    Charge, CoreClient, Create, Endpoint, EndpointBuilder, Get, List, Network, NewCharge, Now, Password,
    RetryPolicy, Satoshi,
};
use strike_sandbox::{Phoenixd, Sandbox, Webhook};

use super::{builder, sandbox};

fn endpoint(sandbox: &Sandbox) -> Endpoint {
    sandbox.phoenixd_endpoint().expect("a valid endpoint")
}

/// Runs a machine in the sandbox's time.
fn run<M: Machine>(sandbox: &Sandbox, mut machine: M) -> Result<M::Output, strike_core::Error> {
    let mut elapsed = Duration::ZERO;
    loop {
        let now = Now::new(elapsed, sandbox.now());
        match machine.poll(now) {
            Step::Send(exchange) => machine.handle(sandbox.reply(exchange), now),
            Step::Wait(wait) => {
                elapsed += wait;
                sandbox.advance(wait);
            }
            Step::Done(result) => return result,
        }
    }
}

fn create(sandbox: &Sandbox, endpoint: &Endpoint) -> Charge {
    let client = CoreClient::new(endpoint.clone(), RetryPolicy::never(), 0);
    let order = NewCharge::satoshis(4200, "tea").customer_id("order-17");
    run(sandbox, client.call(Create::new(order))).expect("a charge")
}

#[test]
fn client_creates_reads_and_lists_over_phoenixd() {
    let settings = Phoenixd::new().fee_millisatoshi(5_000_500);
    let sandbox = builder().phoenixd(settings).build();
    let endpoint = endpoint(&sandbox);
    let client = CoreClient::new(endpoint.clone(), RetryPolicy::never(), 0);
    let charge = create(&sandbox, &endpoint);
    assert_eq!(
        (charge.amount().get(), charge.customer_id(), charge.is_paid()),
        (4200, Some("order-17"), false)
    );
    assert_eq!(charge.id().as_str(), charge.payment_hash().to_string());

    // The id of a client is the payment hash, and the sandbox accepts it.
    sandbox.advance(Duration::from_secs(2));
    sandbox.pay(charge.id()).expect("it is unpaid");
    let paid = run(&sandbox, client.call(Get::new(charge.id().clone()))).expect("the charge");
    let settlement = paid.settlement().expect("it is paid");
    assert!(paid.is_paid());
    assert_eq!(paid.payment_request(), charge.payment_request());
    assert_eq!((settlement.received_msat(), settlement.fee_msat()), (-800_000, 5_000_500));
    assert_eq!(settlement.paid_at(), Some(sandbox.now()));

    let page = run(&sandbox, client.call(List::page(0))).expect("a page");
    assert_eq!(page.charges().map(Charge::id).collect::<Vec<_>>(), [charge.id()]);
}

#[test]
fn setup_check_accepts_the_limited_password_only() {
    let sandbox = sandbox();
    let check = |password: String, network| {
        let password = Password::new(password).expect("a valid password");
        let endpoint = EndpointBuilder::phoenixd(sandbox.phoenixd_url(), password, network).build();
        let client = CoreClient::new(endpoint.expect("a valid endpoint"), RetryPolicy::never(), 0);
        run(&sandbox, client.check_setup())
    };
    check(sandbox.phoenixd_password(), Network::Testnet).expect("it is set up");
    assert!(check(sandbox.phoenixd_full_password(), Network::Testnet).is_err());
    assert!(check(sandbox.phoenixd_password(), Network::Bitcoin).is_err());
    assert!(check("wrong".to_owned(), Network::Testnet).is_err());
    assert_eq!(sandbox.charges(), 0);
}

#[test]
fn client_verifies_the_webhook_of_phoenixd() {
    let webhook = Webhook::to("http://shop.example/").expect("a valid URL");
    let sandbox = builder().phoenixd(Phoenixd::new().webhook(webhook)).build();
    let endpoint = endpoint(&sandbox);
    let charge = create(&sandbox, &endpoint);
    sandbox.pay(charge.id()).expect("it is unpaid");
    let due = sandbox.next_webhook().expect("one is due");
    let notification = endpoint.read_webhook(due.request().headers(), due.request().body());
    assert_eq!(notification.expect("a valid signature").id(), charge.id());
    let mut forged = due.request().body().clone();
    forged[30] ^= 1;
    assert!(endpoint.read_webhook(due.request().headers(), &forged).is_err());
    due.answered(StatusCode::OK);
}

#[test]
fn client_of_phoenixd_checks_a_hashed_description() {
    let sandbox = sandbox();
    let password = Password::new(sandbox.phoenixd_password()).expect("a valid password");
    let endpoint = EndpointBuilder::phoenixd(sandbox.phoenixd_url(), password, sandbox.network())
        .hash_long_descriptions()
        .build()
        .expect("a valid endpoint");
    let client = CoreClient::new(endpoint, RetryPolicy::never(), 0);
    let order = NewCharge::new(Satoshi::new(1), "x".repeat(200));
    let charge = run(&sandbox, client.call(Create::new(order))).expect("the invoice has the hash");
    assert_eq!(charge.description(), "");
}
