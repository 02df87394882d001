//! Create, get, list and wait, the number of requests of each, and charges that end in unusual
//! ways.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use strike_core::{Advice, CreateOutcome, ErrorKind, NewCharge, Schedule, Wait, WaitOutcome};

use crate::clients::{Adapter, both, endpoint};
use crate::server::Lnbits;
use crate::wallet::Wallet;

/// How long a payment that was made may take to be seen.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The lifetime of an invoice that is to expire, in seconds. Longer than its create takes on a busy machine.
const LIFETIME: u32 = 3;

const HOUR: Duration = Duration::from_secs(3600);

/// Often enough for a test.
fn often() -> Schedule {
    Schedule::every(Duration::from_millis(50))
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn created_charge_is_read_listed_and_paid() {
    let lnbits = Lnbits::shared();
    let (shop, payer) = (Wallet::new(&lnbits, "shop"), Wallet::funded(&lnbits, "payer"));
    for client in both(&endpoint(&lnbits, &shop)) {
        let order = NewCharge::satoshis(4200, "café & \"tea\" ☕").customer_id("table-7");
        let charge = client.create(order).unwrap();
        assert_eq!((charge.amount().get(), charge.description()), (4200, "café & \"tea\" ☕"));
        assert_eq!((charge.customer_id(), charge.is_paid()), (Some("table-7"), false));
        assert_eq!(charge.id().as_str(), charge.payment_hash().to_string());
        assert_eq!(client.get(charge.id()).unwrap(), charge, "{}", client.name);
        assert_eq!(client.list(0).unwrap().charges().next(), Some(&charge), "{}", client.name);

        payer.pay(charge.payment_request());
        let WaitOutcome::Paid(paid) = client.wait_until_paid(&charge, Wait::at_most(PATIENCE)).unwrap()
        else {
            panic!("{}: not paid", client.name)
        };
        assert_eq!((paid.id(), paid.amount()), (charge.id(), charge.amount()));
        let settlement = paid.settlement().unwrap();
        assert_eq!((settlement.received_msat(), settlement.fee_msat()), (4_200_000, 0));
        let paid_at = settlement.paid_at().unwrap();
        assert!((charge.created()..=charge.created().saturating_add(HOUR)).contains(&paid_at), "{paid_at:?}");
        assert!(client.get(charge.id()).unwrap().is_paid());
        assert!(client.list(0).unwrap().charges().next().unwrap().is_paid());
    }
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn order_that_lnbits_would_change_or_reject_is_not_sent() {
    let lnbits = Lnbits::shared();
    let shop = Wallet::new(&lnbits, "shop");
    for client in both(&endpoint(&lnbits, &shop)) {
        let rejected = [
            NewCharge::satoshis(4200, ""),
            NewCharge::satoshis(4200, "tea").customer_id("table 7"),
            NewCharge::satoshis(0, "tea"),
        ];
        for order in rejected {
            let error = client.create(order).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::InvalidInput(_)), "{}: {error:?}", client.name);
        }
        assert_eq!(client.traffic.take().len(), 0, "{}", client.name);
        // What LNbits rejects itself is a clear error too.
        let error = client.create(NewCharge::satoshis(10_000_001, "tea")).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::BadRequest, "{}: {error:?}", client.name);
        assert!(error.to_string().contains("too high"), "{}: {error}", client.name);
    }
    assert_eq!(shop.rows().len(), 0);
}

/// Runs a verb, and returns its result and the number of its requests.
fn counted<T>(client: &Adapter, verb: &str, run: impl FnOnce(&Adapter) -> T) -> (T, usize) {
    client.traffic.take();
    let output = run(client);
    let sent = client.traffic.take();
    println!("{}: requests of {verb}: {} ({})", client.name, sent.len(), sent.join(", "));
    (output, sent.len())
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn each_verb_sends_as_few_requests_as_it_can() {
    let lnbits = Lnbits::shared();
    let (shop, payer) = (Wallet::new(&lnbits, "shop"), Wallet::funded(&lnbits, "payer"));
    // Another wallet's rows must not count: a search that walks the list would read several pages.
    for client in both(&endpoint(&lnbits, &shop)) {
        for number in 0..5 {
            shop.invoice(&json!({ "external_id": format!("other-{number}") }));
        }
        let order = || NewCharge::satoshis(4200, "tea");
        let (charge, create) = counted(&client, "create", |client| client.create(order()).unwrap());
        let (_, get) = counted(&client, "get", |client| client.get(charge.id()).unwrap());
        let (_, list) = counted(&client, "list", |client| client.list(0).unwrap());
        let name = format!("order of {}", client.name);
        let once = |client: &Adapter| client.create_once(order(), &name).unwrap();
        let (made, first) = counted(&client, "create_once of a new order", once);
        let (again, second) = counted(&client, "create_once again", once);
        assert!(matches!(made, CreateOutcome::Payable(_)), "{made:?}");
        assert_eq!(made.charge(), again.charge());
        payer.pay(charge.payment_request());
        let (_, wait) = counted(&client, "wait of a paid charge", |client| {
            client.wait_until_paid(&charge, Wait::at_most(PATIENCE)).unwrap()
        });
        assert_eq!((create, get, list, first, second, wait), (1, 1, 1, 2, 1, 1), "{}", client.name);
    }
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn unpaid_charge_expires() {
    let lnbits = Lnbits::shared();
    let shop = Wallet::new(&lnbits, "shop");
    for client in both(&endpoint(&lnbits, &shop)) {
        let charge = client.create(NewCharge::satoshis(4200, "tea").expiry_sec(LIFETIME)).unwrap();
        let wait = Wait::until_expiry().schedule(often()).grace(Duration::ZERO);
        let outcome = client.wait_until_paid(&charge, wait).unwrap();
        assert!(matches!(outcome, WaitOutcome::Expired(_)), "{}: {outcome:?}", client.name);
        // LNbits calls it failed, and still returns it.
        assert!(!client.get(charge.id()).unwrap().is_paid());
        assert_eq!(client.list(0).unwrap().charges().next().unwrap().id(), charge.id());
    }
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn payment_after_the_expiry_counts() {
    let lnbits = Lnbits::shared();
    let (shop, payer) = (Wallet::new(&lnbits, "shop"), Wallet::funded(&lnbits, "payer"));
    for client in both(&endpoint(&lnbits, &shop)) {
        let charge = client.create(NewCharge::satoshis(4200, "tea").expiry_sec(LIFETIME)).unwrap();
        lnbits.wait_until(charge.created().saturating_add(Duration::from_secs(u64::from(LIFETIME) + 1)));
        payer.pay(charge.payment_request());
        let outcome = client.wait_until_paid(&charge, Wait::at_most(PATIENCE)).unwrap();
        assert!(outcome.is_paid(), "{}: {outcome:?}", client.name);
    }
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn charge_that_its_own_wallet_paid_is_paid() {
    let lnbits = Lnbits::shared();
    let shop = Wallet::funded(&lnbits, "shop");
    for client in both(&endpoint(&lnbits, &shop)) {
        let charge = client.create(NewCharge::satoshis(4200, "tea").customer_id("table-7")).unwrap();
        shop.pay(charge.payment_request());
        let got = client.get(charge.id()).unwrap();
        assert!(got.is_paid(), "{}", client.name);
        assert_eq!((got.amount(), got.customer_id()), (charge.amount(), Some("table-7")));
        let waited = client.wait_until_paid(&charge, Wait::at_most(PATIENCE)).unwrap();
        assert!(waited.is_paid(), "{}", client.name);
        // The outgoing row is no charge.
        let listed = client.list(0).unwrap();
        assert_eq!(listed.charges().filter(|listed| listed.id() == charge.id()).count(), 1);
    }
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn invoice_without_an_amount_is_no_charge() {
    let lnbits = Lnbits::shared();
    let shop = Wallet::new(&lnbits, "shop");
    // LNbits makes such an invoice from an amount below one satoshi.
    let row = shop.invoice(&json!({ "amount": 0.4 }));
    let id = row["payment_hash"].as_str().unwrap().parse().unwrap();
    for client in both(&endpoint(&lnbits, &shop)) {
        let page = client.list(0).unwrap();
        assert_eq!((page.charges().count(), page.unreadable().count()), (0, 0), "{}", client.name);
        let error = client.get(&id).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Undecodable, "{}: {error:?}", client.name);
    }
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn rate_limit_is_reported_and_a_wait_outlasts_it() {
    let lnbits = Arc::new(Lnbits::start(&[
        ("LNBITS_BACKEND_WALLET_CLASS", "FakeWallet"),
        ("LNBITS_RATE_LIMIT_NO", "2"),
        ("LNBITS_RATE_LIMIT_UNIT", "second"),
    ]));
    let shop = Wallet::funded(&lnbits, "shop");
    let [client, _] = both(&endpoint(&lnbits, &shop));
    let charge = client.create(NewCharge::satoshis(4200, "tea")).unwrap();
    shop.pay(charge.payment_request());
    let error = (0..10).find_map(|_| client.get(charge.id()).err());
    let error = error.expect("LNbits should have rejected one of ten reads");
    assert_eq!(*error.kind(), ErrorKind::RateLimited { retry_after: None }, "{error:?}");
    assert_eq!(error.advice(), Advice::RetryLater);
    assert!(client.wait_until_paid(&charge, Wait::at_most(PATIENCE)).unwrap().is_paid());
}
