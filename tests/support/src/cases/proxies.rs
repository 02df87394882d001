//! Proxies: only the configured one is used, and never for loopback hosts. If it fails, the request is unsent.

use std::process::Command;
use std::time::Duration;

use strike_core::Delivery::Unsent;
use strike_core::TransportErrorKind::{Connect, Dns, Timeout, Tls};

use crate::certs::Authority;
use crate::{Server, Setup, TransportFactory, connect_proxy, expect, expect_status, get, post};

const URL: &str = "https://strike.test/api/v1/charges";
const PATH: &str = "/api/v1/charges";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";

fn with_proxy(proxy: &Server, credentials: &str, authority: &Authority) -> Setup {
    let proxy = format!("http://{credentials}{}", proxy.addr());
    Setup { proxy: Some(proxy), ..Setup::trusting(authority.pem()) }
}

pub fn a_proxy_learns_only_the_host(factory: &impl TransportFactory) {
    let authority = Authority::new();
    let server = Server::start_tls(authority.server("strike.test"), |mut peer| while peer.answer(OK) {});
    let proxy = connect_proxy(server.addr());
    let transport = factory.with(with_proxy(&proxy, "", &authority));
    expect_status(transport(get(URL)), 200, "[]");
    expect_status(transport(post(URL)), 200, "[]");
    assert_eq!((server.connections(), server.requests().len()), (1, 2));
    // The proxy learns the host and the port, and nothing else.
    let [connect] = proxy.requests().try_into().unwrap();
    assert!(connect.starts_with("CONNECT strike.test:443 HTTP/1.1\r\n"), "{connect}");
    let connect = connect.to_ascii_lowercase();
    assert!(!connect.contains("authorization") && !connect.contains("user-agent"), "{connect}");
}

pub fn proxy_credentials_go_to_the_proxy_only(factory: &impl TransportFactory) {
    let authority = Authority::new();
    let server = Server::start_tls(authority.server("strike.test"), |mut peer| while peer.answer(OK) {});
    let proxy = connect_proxy(server.addr());
    let setup = with_proxy(&proxy, "user:hunter2%21@", &authority);
    let (transport, shown) = factory.build(setup).unwrap();
    assert!(!shown.contains("hunter2") && !shown.contains("user"), "{shown}");
    expect_status(transport(post(URL)), 200, "[]");
    // "user:hunter2!" in base64.
    let connect = proxy.requests()[0].to_ascii_lowercase();
    assert!(connect.contains("proxy-authorization: basic dxnlcjpodw50zxiyiq=="), "{connect}");
    let sent = server.requests()[0].to_ascii_lowercase();
    assert!(!sent.contains("proxy-"), "the server should not see the credentials: {sent}");
}

/// The certificate is checked against the host, not the proxy.
pub fn a_certificate_behind_a_proxy_is_checked_for_the_host(factory: &impl TransportFactory) {
    let authority = Authority::new();
    let server = Server::start_tls(authority.server("127.0.0.1"), |mut peer| while peer.answer(OK) {});
    let proxy = connect_proxy(server.addr());
    expect(factory.with(with_proxy(&proxy, "", &authority))(post(URL)), Tls, Unsent);
    assert_eq!(server.requests().len(), 0);
}

pub fn a_proxy_that_refuses_is_unsent(factory: &impl TransportFactory) {
    for status in [407, 502] {
        let proxy = Server::start(move |mut peer| {
            peer.answer(format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n"));
            peer.hang();
        });
        let setup = with_proxy(&proxy, "user:hunter2@", &Authority::new());
        expect(factory.with(setup)(post(URL)), Connect, Unsent);
    }
}

pub fn a_proxy_that_closes_is_unsent(factory: &impl TransportFactory) {
    for resets in [false, true] {
        let proxy = Server::start(move |mut peer| {
            peer.request();
            if resets {
                peer.reset();
            }
        });
        expect(factory.with(with_proxy(&proxy, "", &Authority::new()))(post(URL)), Connect, Unsent);
    }
}

pub fn a_proxy_that_never_responds_is_unsent(factory: &impl TransportFactory) {
    let proxy = Server::start(|peer| peer.hang());
    let mut exchange = post(URL);
    exchange.timeout = Duration::from_millis(300);
    expect(factory.with(with_proxy(&proxy, "", &Authority::new()))(exchange), Timeout, Unsent);
}

/// The timeout covers the whole exchange. A byte that arrives does not restart it.
pub fn a_proxy_that_responds_byte_by_byte_is_unsent(factory: &impl TransportFactory) {
    let proxy = Server::start(|mut peer| {
        peer.answer("HTTP/1.1 200 OK\r\nX-Filler: ");
        peer.drip(b"x", Duration::from_millis(40));
    });
    let mut exchange = post(URL);
    exchange.timeout = Duration::from_millis(300);
    expect(factory.with(with_proxy(&proxy, "", &Authority::new()))(exchange), Timeout, Unsent);
}

pub fn loopback_hosts_are_reached_without_the_proxy(factory: &impl TransportFactory) {
    let proxy = Server::start(|peer| peer.hang());
    let server = Server::start(|mut peer| while peer.answer(OK) {});
    let transport = factory.with(with_proxy(&proxy, "user:hunter2@", &Authority::new()));
    for host in ["127.0.0.1", "localhost", "LocalHost", "127.8.9.1"] {
        let reply = transport(get(&format!("http://{host}:{}{PATH}", server.port())));
        // Not every system accepts connections on all of 127.0.0.0/8. The proxy must not be used in any case.
        if host != "127.8.9.1" {
            expect_status(reply, 200, "[]");
        }
    }
    let ipv6 = transport(get(&format!("http://[::1]:{}{PATH}", server.port())));
    assert!(ipv6.is_err(), "no server listens on [::1]");
    assert_eq!(proxy.connections(), 0);
    assert!(server.requests().iter().all(|request| !request.to_ascii_lowercase().contains("proxy-")));
}

/// Runs the test again in a process with these variables. A test must not change its own environment.
pub fn environment_is_not_read(factory: &impl TransportFactory, test: &str) {
    const VARIABLES: [&str; 6] =
        ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];
    const CHILD: &str = "STRIKE_TEST_IS_CHILD";
    if std::env::var_os(CHILD).is_some() {
        expect(factory.transport()(post("https://no-such-host.invalid/api/v1/charges")), Dns, Unsent);
        return;
    }
    let proxy = Server::start(|peer| peer.hang());
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([test, "--exact"]).env(CHILD, "1").env_remove("NO_PROXY").env_remove("no_proxy");
    for variable in VARIABLES {
        child.env(variable, proxy.url("http", ""));
    }
    let output = child.output().unwrap();
    let output_text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && output_text.contains("1 passed"), "{output_text}");
    assert_eq!(proxy.connections(), 0);
}
