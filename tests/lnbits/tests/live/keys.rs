//! Wrong keys and wrong places: each is a clear error.

use strike_core::{Advice, ApiKey, Endpoint, EndpointBuilder, ErrorKind, Network, NewCharge};

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
fn setup_check_tells_the_invoice_key_from_others() {
    let lnbits = Lnbits::shared();
    let shop = Wallet::funded(&lnbits, "shop");
    for client in both(&endpoint(&lnbits, &shop)) {
        client.check_setup().unwrap();
    }
    for client in both(&endpoint_with(lnbits.url(), &shop.admin_key)) {
        let error = client.check_setup().unwrap_err();
        assert_eq!(error.advice(), Advice::UseReceiveOnlyCredential, "{}: {error}", client.name);
        println!("{}: {error}", client.name);
    }
    for client in both(&endpoint_with(lnbits.url(), &"0".repeat(32))) {
        let error = client.check_setup().unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Unauthorized, "{}: {error}", client.name);
    }
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn uninstalled_lnbits_and_wrong_path_are_configuration_errors() {
    let uninstalled = Lnbits::uninstalled(&[("LNBITS_BACKEND_WALLET_CLASS", "FakeWallet")]);
    let lnbits = Lnbits::shared();
    let shop = Wallet::new(&lnbits, "shop");
    let invoice_key = || ApiKey::new(shop.invoice_key.as_str()).unwrap();
    let elsewhere = format!("{}/elsewhere", lnbits.url());
    assert!(Endpoint::lnbits(&elsewhere, invoice_key(), Network::Bitcoin).is_err());
    for url in [uninstalled.url(), &elsewhere] {
        let builder = EndpointBuilder::lnbits(url, invoice_key(), Network::Bitcoin).allow_path();
        for client in both(&builder.build().unwrap()) {
            for error in [
                client.check_setup().unwrap_err(),
                client.get(&"ab".repeat(32).parse().unwrap()).unwrap_err(),
                client.list(0).unwrap_err(),
            ] {
                println!("{}: {error}", client.name);
                let is_about_the_host =
                    matches!(error.kind(), ErrorKind::Redirected | ErrorKind::PathNotFound);
                assert!(is_about_the_host, "{}: {error:?}", client.name);
            }
        }
    }
}
