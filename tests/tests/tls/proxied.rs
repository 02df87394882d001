//! By the service's own names, through a proxy that leads them to a sandbox: the names are what is checked.

use std::net::SocketAddr;

use strike_core::{ApiKey, AttemptOutcome, Delivery, Endpoint, Network, TransportErrorKind};
use strike_sandbox::RunningSandbox;

use crate::clients::{Setup, assert_untrusted, endpoint, order, outcomes, sell};
use crate::direct::start;
use crate::proxy::{Manner, Proxy};

const NO_TUNNEL: AttemptOutcome = AttemptOutcome::NoResponse(TransportErrorKind::Connect, Delivery::Unsent);

fn proxy(manner: Manner, sandbox: &RunningSandbox) -> Proxy {
    let plain = sandbox.plain_base_url().unwrap();
    let plain: SocketAddr = plain["http://".len()..].split('/').next().unwrap().parse().unwrap();
    Proxy::start(manner, sandbox.address(), plain)
}

fn key(sandbox: &RunningSandbox) -> ApiKey {
    ApiKey::new(sandbox.api_key()).unwrap()
}

/// The key as it stands in a request.
fn credentials(sandbox: &RunningSandbox) -> String {
    data_encoding::BASE64.encode(format!("{}:", sandbox.api_key()).as_bytes())
}

#[test]
fn both_reach_the_service_by_its_names_and_the_proxy_learns_no_more() {
    let sandbox = start();
    let hosts = [
        Endpoint::acinq_testnet(key(&sandbox)).unwrap(),
        endpoint("https://api.strike.acinq.co/api/v1/", &sandbox),
        endpoint("https://api-strike.acinq.co/api/v1/", &sandbox),
    ];
    for at in hosts {
        let proxy = proxy(Manner::Willing, &sandbox);
        for client in Setup::trusting(&sandbox).through(proxy.url()).clients(&at) {
            sell(&*client, &sandbox);
        }
        let host = at.base_url().replace("https://", "").replace("/api/v1/", "");
        // Each client opens a tunnel for the create and another one, which it keeps, for its reads.
        assert_eq!(proxy.asked(), [(); 4].map(|()| format!("CONNECT {host}:443 HTTP/1.1")));
        // The proxy's own password it must see; and the host's name, which TLS does not hide.
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
fn a_name_that_the_certificate_is_not_for_is_refused_behind_a_proxy_too() {
    let sandbox = start();
    for host in ["strike.example", "api.strike.acinq.co.example", "acinq.co", "192.0.2.1"] {
        let proxy = proxy(Manner::Willing, &sandbox);
        let at = endpoint(&format!("https://{host}/api/v1/"), &sandbox);
        for client in Setup::trusting(&sandbox).through(proxy.url()).clients(&at) {
            assert_untrusted(&client.create(order()).unwrap_err(), "it is for another host");
        }
        assert_eq!(proxy.asked().len(), 2, "{host}");
    }
    assert_eq!(sandbox.requests(), 0);
}

#[test]
fn a_proxy_cannot_stand_in_for_the_service() {
    let (sandbox, impostor) = (start(), start());
    let proxy = proxy(Manner::Willing, &impostor);
    let at = Endpoint::acinq_testnet(key(&sandbox)).unwrap();
    for client in Setup::trusting(&sandbox).through(proxy.url()).clients(&at) {
        assert_untrusted(&client.create(order()).unwrap_err(), "issuer is not trusted");
    }
    assert_eq!(impostor.requests(), 0);
}

#[test]
fn a_proxy_that_refuses_is_asked_again_and_nothing_has_left() {
    let sandbox = start();
    for status in [407, 502] {
        let proxy = proxy(Manner::Refuses(status, usize::MAX), &sandbox);
        let at = Endpoint::acinq_testnet(key(&sandbox)).unwrap();
        for client in Setup::trusting(&sandbox).through(proxy.url()).clients(&at) {
            let before = proxy.asked().len();
            let error = client.create(order()).unwrap_err();
            let attempts = proxy.asked().len() - before;
            assert!(attempts > 1, "{error:?}");
            assert_eq!(outcomes(&error), vec![NO_TUNNEL; attempts], "{error:?}");
        }
        assert!(!proxy.saw(sandbox.api_key()));
    }
    assert_eq!(sandbox.requests(), 0);
}

#[test]
fn a_proxy_that_comes_to_its_senses_makes_one_charge_of_one_order() {
    let sandbox = start();
    let at = Endpoint::acinq_testnet(key(&sandbox)).unwrap();
    for which in [0, 1] {
        let proxy = proxy(Manner::Refuses(502, 2), &sandbox);
        let clients = Setup::trusting(&sandbox).through(proxy.url()).clients(&at);
        clients[which].create(order()).unwrap();
        assert_eq!(proxy.asked().len(), 3);
    }
    assert_eq!(sandbox.charges(), 2);
}

/// Whoever allows plain HTTP to another machine lets the proxy read along; it works all the same.
#[test]
fn plain_http_on_purpose_goes_through_a_proxy() {
    let sandbox = start();
    let proxy = proxy(Manner::Willing, &sandbox);
    let url = "http://api.dev.strike.acinq.co/api/v1/";
    assert!(Endpoint::new(url, key(&sandbox), Network::Testnet).is_err(), "only on purpose");
    let at = Endpoint::builder(url, key(&sandbox), Network::Testnet).allow_plain_http().build().unwrap();
    for client in Setup::default().through(proxy.url()).clients(&at) {
        sell(&*client, &sandbox);
    }
    let asked = proxy.asked();
    assert!(proxy.saw(&credentials(&sandbox)));
    // ureq asks for a tunnel here, too, for the create and for the reads; reqwest hands the request over.
    assert_eq!(asked[0], "CONNECT api.dev.strike.acinq.co:80 HTTP/1.1");
    assert_eq!(asked[1], asked[0]);
    assert_eq!(asked[2], "POST http://api.dev.strike.acinq.co/api/v1/charges HTTP/1.1");
    assert_eq!(sandbox.charges(), 2);
}
