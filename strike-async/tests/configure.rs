//! Configuration of the reqwest transport, and the rules that configuration cannot change.
#![cfg(feature = "reqwest")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use std::time::Duration;

use strike_async::strike_core::{Delivery, TransportErrorKind};
use strike_async::{AsyncTransport, ReqwestTransport, Timer, TokioTimer};
use strike_test_support::{Server, expect, expect_status, get, post};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";

#[tokio::test]
async fn configure_cannot_override_the_transport_rules() {
    let redirect_target = Server::start(|mut peer| while peer.answer(OK) {});
    let to = redirect_target.url("http", "/");
    let server = Server::start(move |mut peer| {
        peer.answer(format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"));
    });
    let proxy = redirect_target.url("http", "");
    let transport = ReqwestTransport::builder()
        .configure(|reqwest| reqwest.redirect(reqwest::redirect::Policy::limited(5)))
        .configure(move |reqwest| reqwest.proxy(reqwest::Proxy::all(&proxy).unwrap()))
        .build()
        .unwrap();
    let mut exchange = get(&server.url("http", "/api"));
    exchange.request.headers_mut().clear();
    expect_status(transport.exchange(exchange).await, 302, "");
    assert_eq!(redirect_target.connections(), 0);
    // reqwest always adds an `Accept` header if the request has none. Requests of core always have
    // one.
    let expected = format!("GET /api HTTP/1.1\r\naccept: */*\r\nhost: {}\r\n\r\n", server.addr());
    assert_eq!(server.requests(), [expected]);
}

/// reqwest would normalize dot segments in the path.
#[tokio::test]
async fn urls_that_reqwest_would_rewrite_are_rejected() {
    let server = Server::start(|mut peer| while peer.answer(OK) {});
    let transport = ReqwestTransport::new().unwrap();
    for path in ["/api/../v1", "/api/./v1", "/api/%2e%2e/v1", "/api/{id}"] {
        let reply = transport.exchange(post(&server.url("http", path))).await;
        expect(reply, TransportErrorKind::Setup, Delivery::Unsent);
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn one_transport_can_be_shared_by_tasks() {
    let server = Server::start(|mut peer| while peer.answer(OK) {});
    let shared: Arc<dyn AsyncTransport> = Arc::new(ReqwestTransport::new().unwrap());
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (shared, exchange) = (shared.clone(), get(&server.url("http", "/")));
            tokio::spawn(async move { shared.exchange(exchange).await })
        })
        .collect();
    for task in tasks {
        expect_status(task.await.unwrap(), 200, "[]");
    }
    assert_eq!(server.requests().len(), 8);
}

#[tokio::test]
async fn shared_timer_returns_monotonic_and_wall_time() {
    let timer: Arc<dyn Timer> = Arc::new(TokioTimer::new());
    let first = timer.now();
    timer.wait(Duration::from_millis(1)).await;
    let second = timer.now();
    assert!(second.monotonic > first.monotonic);
    // 2020 in milliseconds.
    assert!(second.unix.as_millis() > 1_577_836_800_000);
}

#[cfg(feature = "platform-verifier")]
#[tokio::test]
async fn platform_verifier_rejects_an_authority_that_was_not_added() {
    use strike_test_support::certs::Authority;

    let authority = Authority::new();
    let server = Server::start_tls(authority.server("localhost"), |mut peer| while peer.answer(OK) {});
    let url = format!("https://localhost:{}/", server.port());
    let platform = ReqwestTransport::builder().platform_verifier().build().unwrap();
    expect(platform.exchange(get(&url)).await, TransportErrorKind::Tls, Delivery::Unsent);
    let own =
        ReqwestTransport::builder().platform_verifier().ca_certificate(authority.pem()).build().unwrap();
    expect_status(own.exchange(get(&url)).await, 200, "[]");
}
