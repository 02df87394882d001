//! Settlement over a Lightning channel between two nodes.

use bitcoin::hashes::{Hash, sha256};
use strike_core::http::Method;
use strike_core::{Network, UnixMillis};
use strike_sandbox::{PayError, Sandbox, Settlement};

use crate::support::{FORM, create, get, id, json, request_without_key};

fn sandbox() -> Sandbox {
    let builder = Sandbox::builder().network(Network::Regtest).seed(7).api_key("sk_demo");
    builder.clock_at(UnixMillis::from_secs(1_700_000_000)).settlement(Settlement::Lightning).build()
}

#[test]
fn lightning_payment_returns_the_preimage_of_the_invoice() {
    let sandbox = sandbox();
    let charge = create(&sandbox, FORM, "amount=4294967&currency=btc&description=tea");
    let invoice = charge["payment_request"].as_str().expect("a JSON string");
    assert!(invoice.starts_with("lnbcrt42949670n1"), "{invoice}");

    let response = json(
        &sandbox
            .respond(&request_without_key(Method::POST, &format!("/sandbox/charges/{}/pay", id(&charge)))),
    );
    let preimage = data_encoding::HEXLOWER
        .decode(response["preimage"].as_str().expect("a JSON string").as_bytes())
        .expect("a JSON string");
    assert_eq!(
        sha256::Hash::hash(&preimage).to_string(),
        charge["payment_hash"].as_str().expect("a JSON string")
    );
    assert_eq!(json(&get(&sandbox, &format!("charges/{}", id(&charge))))["paid"], true);
    assert_eq!(sandbox.pay(&id(&charge)), Err(PayError::AlreadyPaid));
}

#[test]
fn lightning_nodes_and_invoices_are_reproducible() {
    let invoice = |sandbox: &Sandbox| create(sandbox, FORM, "amount=1&currency=btc&description=tea");
    let (one, two) = (sandbox(), sandbox());
    assert_eq!(one.payee(), two.payee());
    assert_eq!(invoice(&one), invoice(&two));
}

#[test]
fn lightning_pays_one_satoshi_and_rejects_expired_invoices() {
    let sandbox = sandbox();
    let [in_time, late] =
        [(); 2].map(|()| id(&create(&sandbox, FORM, "amount=1&currency=btc&description=tea")));
    assert!(sandbox.pay(&in_time).is_ok());
    sandbox.advance(std::time::Duration::from_secs(3600));
    assert_eq!(sandbox.pay(&late), Err(PayError::Expired));
    let next = id(&create(&sandbox, FORM, "amount=1&currency=btc&description=tea"));
    assert!(sandbox.pay(&next).is_ok(), "payments still work after the clock has moved");
}
