//! The closed loop: a client, a real LNbits, and the sandbox as the phoenixd behind it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use strike_core::{Advice, Charge, Network, NewCharge, Schedule, Wait, WaitOutcome};
use strike_sandbox::{Phoenixd, RunningSandbox, Sandbox};
use strike_tests::Loopback;

use crate::charges::PATIENCE;
use crate::clients::{both, endpoint};
use crate::server::Lnbits;
use crate::wallet::Wallet;

const FEE_MSAT: u64 = 1_500_000;

pub fn node() -> RunningSandbox {
    let settings = Phoenixd::new().fee_millisatoshi(FEE_MSAT);
    Sandbox::builder().network(Network::Bitcoin).phoenixd(settings).start().unwrap()
}

/// Starts an LNbits in front of a phoenixd at this URL.
pub fn lnbits_before(url: &str, node: &Sandbox) -> Arc<Lnbits> {
    Arc::new(Lnbits::start(&[
        ("LNBITS_BACKEND_WALLET_CLASS", "PhoenixdWallet"),
        ("PHOENIXD_API_ENDPOINT", url),
        ("PHOENIXD_API_PASSWORD", &node.phoenixd_password()),
    ]))
}

/// Pays a charge at the node, as someone elsewhere on the Lightning network would.
pub fn pay_at(node: &Sandbox, charge: &Charge) {
    let record = node.list_all().into_iter().find(|record| record.payment_hash() == charge.payment_hash());
    let record = record.expect("the node should have the invoice");
    assert_eq!(record.payment_request(), charge.payment_request());
    node.pay(record.id()).unwrap();
}

/// Checks the settlement facts as well. LNbits shows the fee as a positive number if it learned of
/// the payment from an event, else as a negative one.
fn assert_paid(client: &str, outcome: &WaitOutcome, lnbits: &Lnbits) {
    let WaitOutcome::Paid(paid) = outcome else {
        panic!("{client}: {outcome:?}; LNbits printed:\n{}", lnbits.log())
    };
    let settlement = paid.settlement().unwrap();
    let facts = (paid.amount().get(), settlement.received_msat(), settlement.fee_msat());
    assert_eq!(facts, (4200, 2_700_000, FEE_MSAT), "{client}");
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn payment_at_the_node_reaches_the_client_through_lnbits() {
    let node = node();
    let lnbits = lnbits_before(node.phoenixd_url(), &node);
    let shop = Wallet::new(&lnbits, "shop");
    for client in both(&endpoint(&lnbits, &shop)) {
        let charge =
            client.create(NewCharge::satoshis(4200, "café & \"tea\"").customer_id("table-7")).unwrap();
        assert_eq!(client.get(charge.id()).unwrap(), charge, "{}", client.name);
        pay_at(&node, &charge);
        let outcome = client.wait_until_paid(&charge, Wait::at_most(PATIENCE)).unwrap();
        assert_eq!(outcome.charge().customer_id(), Some("table-7"));
        assert_paid(client.name, &outcome, &lnbits);
    }
}

/// A phoenixd without a websocket, so that LNbits learns of a payment only from its own requests.
fn without_events(node: SocketAddr) -> Loopback {
    Loopback::serve(move |_, request| {
        if request.starts_with(b"GET /websocket") {
            return Some(
                b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec(),
            );
        }
        let text = String::from_utf8(request.to_vec()).unwrap();
        let mut upstream = TcpStream::connect(node).unwrap();
        upstream.write_all(text.replacen("keep-alive", "close", 1).as_bytes()).unwrap();
        let mut response = Vec::new();
        upstream.read_to_end(&mut response).unwrap();
        Some(response)
    })
    .unwrap()
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn last_look_before_the_expiry_finds_a_payment_that_lnbits_has_missed() {
    let node = node();
    let proxy = without_events(node.address());
    let lnbits = lnbits_before(proxy.base_url().trim_end_matches("/api/v1/"), &node);
    let shop = Wallet::new(&lnbits, "shop");
    for client in both(&endpoint(&lnbits, &shop)) {
        let charge = client.create(NewCharge::satoshis(4200, "tea").expiry_sec(10)).unwrap();
        let (sandbox, unpaid) = (Sandbox::clone(&node), charge.clone());
        client.traffic.after_the_next_read(move || pay_at(&sandbox, &unpaid));
        // By its schedule, the wait reads the charge now and after the expiry.
        let rarely = Schedule::every(Duration::from_secs(600));
        let outcome = client.wait_until_paid(&charge, Wait::until_expiry().schedule(rarely)).unwrap();
        assert_paid(client.name, &outcome, &lnbits);
    }
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn create_while_the_node_is_down_is_in_doubt_and_leaves_no_charge() {
    let node = node();
    let lnbits = lnbits_before(node.phoenixd_url(), &node);
    let shop = Wallet::new(&lnbits, "shop");
    drop(node);
    for client in both(&endpoint(&lnbits, &shop)) {
        let error = client.create(NewCharge::satoshis(4200, "tea")).unwrap_err();
        assert_eq!(error.advice(), Advice::LookFirst, "{}: {error:?}", client.name);
    }
    assert_eq!(shop.rows().len(), 0);
}
