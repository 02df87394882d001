//! Direct connections to the sandbox: the certificate needs a trusted issuer, the right name, and a
//! valid date.

use strike_core::{Advice, Delivery, ErrorKind};
use strike_sandbox::{RunningSandbox, Sandbox};
use strike_test_support::Server;
use strike_test_support::certs::Authority;
use strike_tests::AnyClient;

use crate::clients::{Setup, assert_untrusted, endpoint, order, sell};

pub(crate) fn start() -> RunningSandbox {
    Sandbox::builder().tls().plain_listen(([127, 0, 0, 1], 0).into()).start().unwrap()
}

/// Checks that create, get and list all fail.
fn assert_all_untrusted(client: &dyn AnyClient, reason: &str) {
    assert_untrusted(&client.create(order()).unwrap_err(), reason);
    assert_untrusted(&client.get(&"ch_unknown".parse().unwrap()).unwrap_err(), reason);
    assert_untrusted(&client.list(0).unwrap_err(), reason);
}

#[test]
fn clients_work_over_tls_and_over_plain_http() {
    let sandbox = start();
    let by_name = sandbox.base_url().replace("127.0.0.1", "localhost");
    let urls = [sandbox.base_url(), &by_name, sandbox.plain_base_url().unwrap()];
    for url in urls {
        for client in Setup::with_ca_of(&sandbox).clients(&endpoint(url, &sandbox)) {
            sell(&*client, &sandbox);
        }
    }
    assert_eq!(sandbox.charges(), 6);
}

#[test]
fn clients_without_the_right_ca_certificate_send_nothing() {
    let (sandbox, other) = (start(), start());
    for setup in [Setup::default(), Setup::with_ca_of(&other)] {
        for client in setup.clients(&endpoint(sandbox.base_url(), &sandbox)) {
            assert_all_untrusted(&*client, "issuer is not trusted");
        }
    }
    assert_eq!(sandbox.requests(), 0);
}

/// The sandbox has no expired certificate, so another server presents it.
#[test]
fn expired_certificate_is_rejected() {
    let sandbox = start();
    let authority = Authority::new();
    let server = Server::start_tls(authority.expired_server("localhost"), |mut peer| {
        peer.request();
    });
    let endpoint = endpoint(&format!("https://localhost:{}/api/v1/", server.port()), &sandbox);
    let setup = Setup { ca_certificate: Some(authority.pem().to_owned()), proxy: None };
    for client in setup.clients(&endpoint) {
        assert_all_untrusted(&*client, "it has expired");
    }
    assert_eq!(server.requests().len(), 0);
    // Three operations of two clients, without a retry.
    assert_eq!(server.connections(), 6);
}

#[test]
fn plain_http_to_the_https_port_creates_no_charge() {
    let sandbox = start();
    let url = sandbox.base_url().replace("https:", "http:");
    for client in Setup::with_ca_of(&sandbox).clients(&endpoint(&url, &sandbox)) {
        let error = client.create(order()).unwrap_err();
        assert_eq!((error.kind(), error.status()), (&ErrorKind::BadRequest, Some(400)), "{error:?}");
        assert_eq!((error.advice(), error.attempts().len()), (Advice::CheckHost, 1));
        assert!(error.excerpt().unwrap().contains("HTTPS port"), "{error:?}");
    }
    assert_eq!((sandbox.requests(), sandbox.charges()), (0, 0));
}

#[test]
fn https_to_the_plain_http_port_sends_nothing() {
    let sandbox = start();
    let url = sandbox.plain_base_url().unwrap().replace("http:", "https:");
    for client in Setup::with_ca_of(&sandbox).clients(&endpoint(&url, &sandbox)) {
        assert_all_untrusted(&*client, "Tls");
    }
    assert_eq!(sandbox.requests(), 0);
}

/// The pooled connection ends with the first server. The next connection gets a certificate of
/// another authority.
#[test]
fn certificate_is_checked_again_after_the_server_was_replaced() {
    let sandbox = start();
    let address = sandbox.address();
    let clients = Setup::with_ca_of(&sandbox).clients(&endpoint(sandbox.base_url(), &sandbox));
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
