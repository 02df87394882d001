//! Both transports pass the conformance check with the optional features of ureq and reqwest
//! switched on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::{Arc, Mutex};

use strike_async::{AsyncTransport, ReqwestTransport};
use strike_blocking::{Transport, UreqTransport};
use strike_core::{ConnectionUse, Exchange, Reply};
use strike_test_support::certs::Authority;
use strike_test_support::{Server, expect_status, get, post};

type Exchanger = Arc<dyn Fn(Exchange) -> Reply + Send + Sync>;

/// Both transports, with the authority's CA certificate.
fn transports(authority: &Authority) -> [(&'static str, Exchanger); 2] {
    let ureq = UreqTransport::builder().ca_certificate(authority.pem()).build().unwrap();
    let reqwest = ReqwestTransport::builder().ca_certificate(authority.pem()).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let runtime = Mutex::new(runtime);
    let block = move |exchange| runtime.lock().unwrap().block_on(reqwest.exchange(exchange));
    [("ureq", Arc::new(move |exchange| ureq.exchange(exchange))), ("reqwest", Arc::new(block))]
}

#[test]
fn both_transports_pass_the_conformance_check() {
    for (name, transport) in transports(&Authority::new()) {
        let report = strike_conformance::check(move |exchange| transport(exchange)).unwrap();
        report.into_result().unwrap_or_else(|violations| panic!("{name}: {violations}"));
    }
}

/// The body is not encoded as the header says: decoding it would fail or change it.
#[test]
fn response_bodies_are_not_decoded() {
    for (name, transport) in transports(&Authority::new()) {
        for encoding in ["gzip", "br", "deflate", "zstd", "GZIP", "gzip, br"] {
            let server = Server::start(move |mut peer| {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=iso-8859-1\r\n";
                while peer
                    .answer(format!("{head}Content-Encoding: {encoding}\r\nContent-Length: 5\r\n\r\nhello"))
                {
                }
            });
            for connection in [ConnectionUse::Any, ConnectionUse::New] {
                let mut exchange = get(&server.url("http", "/"));
                exchange.connection = connection;
                let response = expect_status(transport(exchange), 200, "hello");
                assert_eq!(response.headers()["content-encoding"], encoding, "{name}");
                assert_eq!(response.headers()["content-length"], "5", "{name}");
            }
            assert!(server.requests().iter().all(|request| !request.contains("accept-encoding")), "{name}");
        }
    }
}

#[test]
fn cookies_are_not_stored_or_sent() {
    let authority = Authority::new();
    for (name, transport) in transports(&authority) {
        let server = Server::start_tls(authority.server("localhost"), |mut peer| {
            let interim = "HTTP/1.1 103 Early Hints\r\nSet-Cookie: early=1; Path=/\r\n\r\n";
            let cookies = "set-cookie: a=1; Path=/\r\nSET-COOKIE: b=2; Path=/; Secure; Max-Age=3600\r\n";
            while peer.answer(format!("{interim}HTTP/1.1 200 OK\r\n{cookies}Content-Length: 2\r\n\r\n[]")) {}
        });
        let url = format!("https://localhost:{}/api/v1/charges", server.port());
        for exchange in [get, post, get, post] {
            for connection in [ConnectionUse::Any, ConnectionUse::New] {
                let mut exchange = exchange(&url);
                exchange.connection = connection;
                let response = expect_status(transport(exchange), 200, "[]");
                let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
                assert_eq!(cookies, ["a=1; Path=/", "b=2; Path=/; Secure; Max-Age=3600"], "{name}");
            }
        }
        for request in server.requests() {
            assert!(!request.to_ascii_lowercase().contains("cookie"), "{name}: {request}");
        }
    }
}

#[test]
fn http_2_is_not_offered() {
    let authority = Authority::new();
    for (name, transport) in transports(&authority) {
        let mut config = (*authority.server("localhost")).clone();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let server = Server::start_tls(Arc::new(config), |mut peer| {
            while peer.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]") {}
        });
        expect_status(transport(get(&format!("https://localhost:{}/", server.port()))), 200, "[]");
        assert!(server.requests()[0].contains("HTTP/1.1"), "{name}");
    }
}
