//! Wrong keys and wrong places: each is a clear error.

use strike_core::{Advice, ErrorKind, NewCharge};

use crate::clients::{both, endpoint, endpoint_with};
use crate::server::Lnbits;
use crate::wallet::Wallet;

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "tea")
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn wrong_key_is_unauthorized_for_every_verb() {
    let lnbits = Lnbits::shared();
    let shop = Wallet::new(&lnbits, "shop");
    let charges = both(&endpoint(&lnbits, &shop)).map(|client| client.create(order()).unwrap());
    for client in both(&endpoint_with(lnbits.url(), &"0".repeat(32))) {
        let failures = [
            ("create", client.create(order()).unwrap_err()),
            ("get", client.get(charges[0].id()).unwrap_err()),
            ("list", client.list(0).unwrap_err()),
            ("create_once", client.create_once(order(), "order-1").unwrap_err()),
        ];
        for (verb, error) in failures {
            assert_eq!(*error.kind(), ErrorKind::Unauthorized, "{}: {verb}: {error:?}", client.name);
            assert!(!format!("{error:?} {error}").contains(&"0".repeat(32)), "the key is in {error:?}");
        }
    }
    // Nothing was created but the two.
    assert_eq!(shop.rows().len(), 2);
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn another_wallet_does_not_know_the_charge() {
    let lnbits = Lnbits::shared();
    let (shop, other) = (Wallet::new(&lnbits, "shop"), Wallet::new(&lnbits, "other"));
    let charges = both(&endpoint(&lnbits, &shop)).map(|client| client.create(order()).unwrap());
    for client in both(&endpoint(&lnbits, &other)) {
        for charge in &charges {
            let error = client.get(charge.id()).unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::NotFound, "{}: {error:?}", client.name);
        }
        assert_eq!(client.list(0).unwrap().charges().count(), 0, "{}", client.name);
    }
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn uninstalled_lnbits_and_wrong_path_are_configuration_errors() {
    let uninstalled = Lnbits::uninstalled(&[("LNBITS_BACKEND_WALLET_CLASS", "FakeWallet")]);
    let lnbits = Lnbits::shared();
    let shop = Wallet::new(&lnbits, "shop");
    let elsewhere = format!("{}/elsewhere", lnbits.url());
    for url in [uninstalled.url(), &elsewhere] {
        for client in both(&endpoint_with(url, &shop.invoice_key)) {
            for error in [
                client.create(order()).unwrap_err(),
                client.get(&"ab".repeat(32).parse().unwrap()).unwrap_err(),
                client.list(0).unwrap_err(),
            ] {
                println!("{}: {url}: {error}", client.name);
                assert_ne!(*error.kind(), ErrorKind::NotFound, "{}: {error:?}", client.name);
                assert_eq!(error.advice(), Advice::CheckHost, "{}: {error:?}", client.name);
            }
        }
    }
    assert_eq!(shop.rows().len(), 0);
}
