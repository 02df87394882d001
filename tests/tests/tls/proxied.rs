//! Connections to the service's own host names, through a proxy that connects them to a sandbox.

use std::net::SocketAddr;

use strike_core::{ApiKey, AttemptOutcome, Delivery, Endpoint, Network, TransportErrorKind};
use strike_sandbox::RunningSandbox;

use crate::clients::{Setup, assert_untrusted, endpoint, order, outcomes, sell};
use crate::direct::start;
use crate::proxy::{Behavior, Proxy};

const NO_TUNNEL: AttemptOutcome = AttemptOutcome::NoResponse(TransportErrorKind::Connect, Delivery::Unsent);

fn proxy(behavior: Behavior, sandbox: &RunningSandbox) -> Proxy {
    let plain = sandbox.plain_base_url().unwrap();
    let plain: SocketAddr = plain["http://".len()..].split('/').next().unwrap().parse().unwrap();
    Proxy::start(behavior, sandbox.address(), plain)
}

fn key(sandbox: &RunningSandbox) -> ApiKey {
    ApiKey::new(sandbox.api_key()).unwrap()
}

/// The key as it is encoded in a request.
fn credentials(sandbox: &RunningSandbox) -> String {
    data_encoding::BASE64.encode(format!("{}:", sandbox.api_key()).as_bytes())
}

#[test]
fn clients_reach_the_service_through_a_proxy_that_sees_no_secret() {
    let sandbox = start();
    let hosts = [
        Endpoint::acinq_testnet(key(&sandbox)).unwrap(),
        endpoint("https://api.strike.acinq.co/api/v1/", &sandbox),
        endpoint("https://api-strike.acinq.co/api/v1/", &sandbox),
    ];
    for endpoint in hosts {
        let proxy = proxy(Behavior::Connects, &sandbox);
        for client in Setup::with_ca_of(&sandbox).with_proxy(proxy.url()).clients(&endpoint) {
            sell(&*client, &sandbox);
        }
        let host = endpoint.base_url().replace("https://", "").replace("/api/v1/", "");
        // Each client opens one tunnel for the create, and another, which it reuses, for its reads.
        assert_eq!(proxy.first_lines(), [(); 4].map(|()| format!("CONNECT {host}:443 HTTP/1.1")));
        // The proxy sees its own password, and the host name, which TLS does not hide.
        let password = data_encoding::BASE64.encode(b"till:hunter2");
        assert!(proxy.saw(&password) && proxy.saw(&host));
        for secret in
            [sandbox.api_key(), &credentials(&sandbox), "Basic c2", "over+TLS", "amount", "/api/v1/"]
        {
            assert!(!proxy.saw(secret), "the proxy has seen {secret}");
        }
    }
    assert_eq!(sandbox.charges(), 6);
}

#[test]
fn certificate_for_another_name_is_rejected_behind_a_proxy() {
    let sandbox = start();
    for host in ["strike.example", "api.strike.acinq.co.example", "acinq.co", "192.0.2.1"] {
        let proxy = proxy(Behavior::Connects, &sandbox);
        let endpoint = endpoint(&format!("https://{host}/api/v1/"), &sandbox);
        for client in Setup::with_ca_of(&sandbox).with_proxy(proxy.url()).clients(&endpoint) {
            assert_untrusted(&client.create(order()).unwrap_err(), "it is for another host");
        }
        assert_eq!(proxy.first_lines().len(), 2, "{host}");
    }
    assert_eq!(sandbox.requests(), 0);
}

#[test]
fn proxy_that_connects_to_another_server_is_detected() {
    let (sandbox, impostor) = (start(), start());
    let proxy = proxy(Behavior::Connects, &impostor);
    let endpoint = Endpoint::acinq_testnet(key(&sandbox)).unwrap();
    for client in Setup::with_ca_of(&sandbox).with_proxy(proxy.url()).clients(&endpoint) {
        assert_untrusted(&client.create(order()).unwrap_err(), "issuer is not trusted");
    }
    assert_eq!(impostor.requests(), 0);
}

#[test]
fn rejected_proxy_tunnels_are_retried_and_nothing_is_sent() {
    let sandbox = start();
    for status in [407, 502] {
        let proxy = proxy(Behavior::Rejects(status, usize::MAX), &sandbox);
        let endpoint = Endpoint::acinq_testnet(key(&sandbox)).unwrap();
        for client in Setup::with_ca_of(&sandbox).with_proxy(proxy.url()).clients(&endpoint) {
            let before = proxy.first_lines().len();
            let error = client.create(order()).unwrap_err();
            let attempts = proxy.first_lines().len() - before;
            assert!(attempts > 1, "{error:?}");
            assert_eq!(outcomes(&error), vec![NO_TUNNEL; attempts], "{error:?}");
        }
        assert!(!proxy.saw(sandbox.api_key()));
    }
    assert_eq!(sandbox.requests(), 0);
}

#[test]
fn proxy_that_recovers_leads_to_one_charge_per_order() {
    let sandbox = start();
    let endpoint = Endpoint::acinq_testnet(key(&sandbox)).unwrap();
    for which in [0, 1] {
        let proxy = proxy(Behavior::Rejects(502, 2), &sandbox);
        let clients = Setup::with_ca_of(&sandbox).with_proxy(proxy.url()).clients(&endpoint);
        clients[which].create(order()).unwrap();
        assert_eq!(proxy.first_lines().len(), 3);
    }
    assert_eq!(sandbox.charges(), 2);
}

/// With plain HTTP, the proxy can read everything. The program has to allow it.
#[test]
fn plain_http_works_through_a_proxy_if_allowed() {
    let sandbox = start();
    let proxy = proxy(Behavior::Connects, &sandbox);
    let url = "http://api.dev.strike.acinq.co/api/v1/";
    assert!(Endpoint::new(url, key(&sandbox), Network::Testnet).is_err(), "plain HTTP has to be allowed");
    let endpoint =
        Endpoint::builder(url, key(&sandbox), Network::Testnet).allow_plain_http().build().unwrap();
    for client in Setup::default().with_proxy(proxy.url()).clients(&endpoint) {
        sell(&*client, &sandbox);
    }
    let first_lines = proxy.first_lines();
    assert!(proxy.saw(&credentials(&sandbox)));
    // ureq also opens tunnels here, for the create and for the reads. reqwest sends the request to
    // the proxy.
    assert_eq!(first_lines[0], "CONNECT api.dev.strike.acinq.co:80 HTTP/1.1");
    assert_eq!(first_lines[1], first_lines[0]);
    assert_eq!(first_lines[2], "POST http://api.dev.strike.acinq.co/api/v1/charges HTTP/1.1");
    assert_eq!(sandbox.charges(), 2);
}
