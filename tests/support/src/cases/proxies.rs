//! Proxies: only the one that is given, never for this machine, and nothing leaves if it refuses.

use std::process::Command;
use std::time::Duration;

use strike_core::Delivery::Unsent;
use strike_core::TransportErrorKind::{Connect, Dns, Timeout, Tls};

use crate::certs::Authority;
use crate::{Lab, Server, Setup, connect_proxy, expect, expect_status, get, post};

const URL: &str = "https://strike.test/api/v1/charges";
const PATH: &str = "/api/v1/charges";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";

fn through(proxy: &Server, credentials: &str, authority: &Authority) -> Setup {
    let proxy = format!("http://{credentials}{}", proxy.addr());
    Setup { proxy: Some(proxy), ..Setup::trusting(authority.pem()) }
}

pub fn tunnel(lab: &impl Lab) {
    let authority = Authority::new();
    let server = Server::start_tls(authority.server("strike.test"), |mut peer| while peer.answer(OK) {});
    let proxy = connect_proxy(server.addr());
    let transport = lab.with(through(&proxy, "", &authority));
    expect_status(transport(get(URL)), 200, "[]");
    expect_status(transport(post(URL)), 200, "[]");
    assert_eq!((server.connections(), server.requests().len()), (1, 2));
    // The proxy learns where to, and nothing else.
    let [asked] = proxy.requests().try_into().unwrap();
    assert!(asked.starts_with("CONNECT strike.test:443 HTTP/1.1\r\n"), "{asked}");
    let asked = asked.to_ascii_lowercase();
    assert!(!asked.contains("authorization") && !asked.contains("user-agent"), "{asked}");
}

pub fn credentials(lab: &impl Lab) {
    let authority = Authority::new();
    let server = Server::start_tls(authority.server("strike.test"), |mut peer| while peer.answer(OK) {});
    let proxy = connect_proxy(server.addr());
    let setup = through(&proxy, "user:hunter2%21@", &authority);
    let (transport, shown) = lab.build(setup).unwrap();
    assert!(!shown.contains("hunter2") && !shown.contains("user"), "{shown}");
    expect_status(transport(post(URL)), 200, "[]");
    // "user:hunter2!" in base64.
    let asked = proxy.requests()[0].to_ascii_lowercase();
    assert!(asked.contains("proxy-authorization: basic dxnlcjpodw50zxiyiq=="), "{asked}");
    let sent = server.requests()[0].to_ascii_lowercase();
    assert!(!sent.contains("proxy-"), "the server is not told: {sent}");
}

/// The certificate is checked against the host, not the proxy.
pub fn wrong_name_behind_a_tunnel(lab: &impl Lab) {
    let authority = Authority::new();
    let server = Server::start_tls(authority.server("127.0.0.1"), |mut peer| while peer.answer(OK) {});
    let proxy = connect_proxy(server.addr());
    expect(lab.with(through(&proxy, "", &authority))(post(URL)), Tls, Unsent);
    assert_eq!(server.requests().len(), 0);
}

pub fn refuses(lab: &impl Lab) {
    for status in [407, 502] {
        let proxy = Server::start(move |mut peer| {
            peer.answer(format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n"));
            peer.hang();
        });
        let setup = through(&proxy, "user:hunter2@", &Authority::new());
        expect(lab.with(setup)(post(URL)), Connect, Unsent);
    }
}

pub fn closes(lab: &impl Lab) {
    for resets in [false, true] {
        let proxy = Server::start(move |mut peer| {
            peer.request();
            if resets {
                peer.reset();
            }
        });
        expect(lab.with(through(&proxy, "", &Authority::new()))(post(URL)), Connect, Unsent);
    }
}

pub fn hangs(lab: &impl Lab) {
    let proxy = Server::start(|peer| peer.hang());
    let mut exchange = post(URL);
    exchange.timeout = Duration::from_millis(300);
    expect(lab.with(through(&proxy, "", &Authority::new()))(exchange), Timeout, Unsent);
}

/// The timeout is for the whole: each byte that still comes must not start it anew.
pub fn drips(lab: &impl Lab) {
    let proxy = Server::start(|mut peer| {
        peer.answer("HTTP/1.1 200 OK\r\nX-Filler: ");
        peer.drip(b"x", Duration::from_millis(40));
    });
    let mut exchange = post(URL);
    exchange.timeout = Duration::from_millis(300);
    expect(lab.with(through(&proxy, "", &Authority::new()))(exchange), Timeout, Unsent);
}

pub fn not_for_this_machine(lab: &impl Lab) {
    let proxy = Server::start(|peer| peer.hang());
    let server = Server::start(|mut peer| while peer.answer(OK) {});
    let transport = lab.with(through(&proxy, "user:hunter2@", &Authority::new()));
    for host in ["127.0.0.1", "localhost", "LocalHost", "127.8.9.1"] {
        let reply = transport(get(&format!("http://{host}:{}{PATH}", server.port())));
        // Not every system answers on all of 127.0.0.0/8; what counts is that the proxy is not asked.
        if host != "127.8.9.1" {
            expect_status(reply, 200, "[]");
        }
    }
    let ipv6 = transport(get(&format!("http://[::1]:{}{PATH}", server.port())));
    assert!(ipv6.is_err(), "nobody listens there");
    assert_eq!(proxy.connections(), 0);
    assert!(server.requests().iter().all(|request| !request.to_ascii_lowercase().contains("proxy-")));
}

/// Runs itself again with the variables set, since a test may not change its own environment.
pub fn environment_is_not_read(lab: &impl Lab, test: &str) {
    const VARIABLES: [&str; 6] =
        ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];
    const CHILD: &str = "STRIKE_TEST_IS_CHILD";
    if std::env::var_os(CHILD).is_some() {
        expect(lab.transport()(post("https://no-such-host.invalid/api/v1/charges")), Dns, Unsent);
        return;
    }
    let proxy = Server::start(|peer| peer.hang());
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([test, "--exact"]).env(CHILD, "1").env_remove("NO_PROXY").env_remove("no_proxy");
    for variable in VARIABLES {
        child.env(variable, proxy.url("http", ""));
    }
    let output = child.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
    assert_eq!(proxy.connections(), 0);
}
