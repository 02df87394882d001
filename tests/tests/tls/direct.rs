//! Straight to the sandbox: a certificate is believed only from its authority, for its name, and in its time.

use strike_core::{Advice, Delivery, ErrorKind};
use strike_sandbox::{RunningSandbox, Sandbox};
use strike_test_support::Server;
use strike_test_support::certs::Authority;

use crate::clients::{Client, Setup, assert_untrusted, endpoint, order, sell};

pub(crate) fn start() -> RunningSandbox {
    Sandbox::builder().tls().plain_listen(([127, 0, 0, 1], 0).into()).start().unwrap()
}

/// Creates, gets and lists are refused alike.
fn assert_nobody_is_trusted(client: &dyn Client, reason: &str) {
    assert_untrusted(&client.create(order()).unwrap_err(), reason);
    assert_untrusted(&client.get(&"ch_of_another_day".parse().unwrap()).unwrap_err(), reason);
    assert_untrusted(&client.list().unwrap_err(), reason);
}

#[test]
fn both_sell_and_are_paid_over_tls_and_beside_it() {
    let sandbox = start();
    let by_name = sandbox.base_url().replace("127.0.0.1", "localhost");
    let urls = [sandbox.base_url(), &by_name, sandbox.plain_base_url().unwrap()];
    for url in urls {
        for client in Setup::trusting(&sandbox).clients(&endpoint(url, &sandbox)) {
            sell(&*client, &sandbox);
        }
    }
    assert_eq!(sandbox.charges(), 6);
}

#[test]
fn who_was_told_of_no_authority_or_of_another_sends_nothing() {
    let (sandbox, other) = (start(), start());
    for setup in [Setup::default(), Setup::trusting(&other)] {
        for client in setup.clients(&endpoint(sandbox.base_url(), &sandbox)) {
            assert_nobody_is_trusted(&*client, "issuer is not trusted");
        }
    }
    assert_eq!(sandbox.requests(), 0);
}

/// No sandbox shows such a certificate, so another server does.
#[test]
fn a_certificate_that_has_expired_is_no_certificate() {
    let sandbox = start();
    let authority = Authority::new();
    let server = Server::start_tls(authority.expired_server("localhost"), |mut peer| {
        peer.request();
    });
    let at = endpoint(&format!("https://localhost:{}/api/v1/", server.port()), &sandbox);
    let setup = Setup { trusts: Some(authority.pem().to_owned()), proxy: None };
    for client in setup.clients(&at) {
        assert_nobody_is_trusted(&*client, "it has expired");
    }
    assert_eq!(server.requests().len(), 0);
    // Three operations of two clients, and not one attempt more.
    assert_eq!(server.connections(), 6);
}

#[test]
fn http_to_the_port_for_https_makes_no_charge() {
    let sandbox = start();
    let url = sandbox.base_url().replace("https:", "http:");
    for client in Setup::trusting(&sandbox).clients(&endpoint(&url, &sandbox)) {
        let error = client.create(order()).unwrap_err();
        assert_eq!((error.kind(), error.status()), (&ErrorKind::BadRequest, Some(400)), "{error:?}");
        assert_eq!((error.advice(), error.attempts().len()), (Advice::CheckHost, 1));
        assert!(error.excerpt().unwrap().contains("HTTPS port"), "{error:?}");
    }
    assert_eq!((sandbox.requests(), sandbox.charges()), (0, 0));
}

#[test]
fn https_to_the_port_for_http_sends_nothing() {
    let sandbox = start();
    let url = sandbox.plain_base_url().unwrap().replace("http:", "https:");
    for client in Setup::trusting(&sandbox).clients(&endpoint(&url, &sandbox)) {
        assert_nobody_is_trusted(&*client, "Tls");
    }
    assert_eq!(sandbox.requests(), 0);
}

/// The connection that was kept ends with the server; the next one meets a certificate of another authority.
#[test]
fn a_server_that_came_back_as_another_is_not_trusted() {
    let sandbox = start();
    let address = sandbox.address();
    let clients = Setup::trusting(&sandbox).clients(&endpoint(sandbox.base_url(), &sandbox));
    let charges = clients.each_ref().map(|client| client.create(order()).unwrap());
    drop(sandbox);
    let impostor = Sandbox::builder().tls().listen(address).start().unwrap();
    for (client, charge) in clients.iter().zip(&charges) {
        let error = client.get(charge.id()).unwrap_err();
        let last = error.attempts().last().unwrap().outcome();
        assert!(
            matches!(error.kind(), ErrorKind::Connection { delivery: Delivery::Unsent, .. }),
            "{error:?}"
        );
        assert!(format!("{last:?}").contains("Tls"), "{error:?}");
        assert_untrusted(&client.create(order()).unwrap_err(), "issuer is not trusted");
    }
    assert_eq!(impostor.requests(), 0);
}
