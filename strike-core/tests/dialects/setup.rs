//! Tests of the setup check: wrong credentials, credentials that can spend, and networks.

use strike_core::{Advice, ApiKey, Endpoint, Error, ErrorKind, Exchange, Network, Password, Reply};

use crate::support::{Virtual, respond};
use crate::{INVOICE_KEY, client, lnbits, phoenixd};

fn check(endpoint: Endpoint, mut server: impl FnMut(Exchange) -> Reply) -> (Result<(), Error>, Vec<String>) {
    let mut paths = Vec::new();
    let mut machine = client(endpoint).check_setup();
    let result = Virtual::new().run(&mut machine, |exchange, _| {
        paths.push(exchange.request.uri().path().to_owned());
        server(exchange)
    });
    (result, paths)
}

/// A phoenixd on this chain, whose password may pay if `pays` is 400.
fn node(chain: &'static str, pays: u16) -> impl FnMut(Exchange) -> Reply {
    move |exchange| match exchange.request.uri().path() {
        "/getinfo" => respond(200, format!(r#"{{"nodeId":"02","chain":"{chain}","version":"0.8.0"}}"#)),
        "/payinvoice" => {
            assert!(exchange.request.body().is_empty(), "it must not be able to pay anything");
            respond(pays, "text")
        }
        path => panic!("unexpected {path}"),
    }
}

#[test]
fn the_limited_password_on_the_right_network_is_accepted() {
    for pays in [401, 403, 404, 405] {
        let (result, paths) = check(phoenixd(), node("testnet3", pays));
        assert!(result.is_ok(), "{pays}: {result:?}");
        assert_eq!(paths, ["/getinfo", "/payinvoice"]);
    }
    let password = Password::new(crate::PASSWORD).unwrap();
    let mainnet = Endpoint::phoenixd("http://127.0.0.1:9740", password, Network::Bitcoin).unwrap();
    assert!(check(mainnet, node("mainnet", 401)).0.is_ok());
}

#[test]
fn a_password_that_can_spend_is_refused() {
    for pays in [200, 400, 415, 422] {
        let error = check(phoenixd(), node("testnet3", pays)).0.unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Mismatch(m) if m.field() == "credential"),
            "{pays}: {error}"
        );
        assert_eq!(error.advice(), Advice::UseReceiveOnlyCredential);
        assert!(error.to_string().contains("limited password"), "{error}");
    }
}

#[test]
fn a_node_on_another_network_is_refused() {
    for chain in ["mainnet", "regtest", "", "signet"] {
        let (result, paths) = check(phoenixd(), node(chain, 401));
        let error = result.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Mismatch(m) if m.field() == "network"), "{chain}: {error}");
        assert_eq!((error.advice(), paths.len()), (Advice::CheckNetwork, 1));
    }
    let error = check(phoenixd(), |_| respond(200, "[]")).0.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Mismatch(m) if m.field() == "network"), "{error}");
}

#[test]
fn wrong_credentials_and_failures_keep_their_meaning() {
    let error = check(phoenixd(), |_| respond(401, "Invalid authentication")).0.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Unauthorized);
    let error = check(phoenixd(), |_| respond(404, "Unknown endpoint (check api doc)")).0.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::PathNotFound);
    let error = check(phoenixd(), node("testnet3", 500)).0.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Server);
    let error = check(lnbits(), |_| respond(404, r#"{"detail":"Wallet not found."}"#)).0.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Unauthorized);
    let error = check(lnbits(), |_| respond(307, "")).0.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Redirected);
}

#[test]
fn an_admin_key_of_lnbits_is_refused() {
    let (result, paths) = check(lnbits(), |_| respond(200, r#"{"name":"shop","balance":1000}"#));
    assert!(result.is_ok());
    assert_eq!(paths, ["/api/v1/wallet"]);
    let admin = r#"{"name":"shop","balance":1000,"id":"6d8ee6fe"}"#;
    let error = check(lnbits(), |_| respond(200, admin)).0.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Mismatch(m) if m.field() == "credential"), "{error}");
    assert!(error.to_string().contains("invoice key"), "{error}");
    assert_eq!(*check(lnbits(), |_| respond(200, "<html>")).0.unwrap_err().kind(), ErrorKind::Undecodable);
}

#[test]
fn the_setup_of_a_strike_endpoint_is_checked_with_its_list() {
    let endpoint = || {
        Endpoint::new("http://127.0.0.1/api/v1/", ApiKey::new(INVOICE_KEY).unwrap(), Network::Testnet)
            .unwrap()
    };
    let (result, paths) = check(endpoint(), |_| respond(200, "[ ]"));
    assert!(result.is_ok());
    assert_eq!(paths, ["/api/v1/charges"]);
    let error = check(endpoint(), |_| respond(401, r#"{"code":401,"message":"no"}"#)).0.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Unauthorized);
    assert!(check(endpoint(), |_| respond(200, "<html>")).0.is_err());
}

#[test]
fn a_finished_check_says_so() {
    use strike_core::machine::{Machine, Step};
    let mut machine = client(lnbits()).check_setup();
    let ok = Virtual::new().run(&mut machine, |_, _| respond(200, r#"{"name":"shop","balance":1}"#));
    assert!(ok.is_ok());
    let Step::Done(Err(error)) = machine.poll(crate::support::start()) else { panic!() };
    assert_eq!(*error.kind(), ErrorKind::AlreadyFinished);
}
