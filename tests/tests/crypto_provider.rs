//! Both adapters in one program, whatever TLS provider the process has: none, or one that can do nothing.
//!
//! This is a program of its own with one test, since a process installs a provider once, and for good.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};

use rustls::crypto::{CryptoProvider, ring};
use strike_core::{
    ApiKey, Delivery, Endpoint, Error, ErrorKind, Network, NewCharge, RetryPolicy, TransportErrorKind,
};
use strike_tests::ClosedPort;

/// A port whose listener does not speak TLS: it reads a greeting, and answers in plain HTTP.
fn plain_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut greeting = [0; 4096];
            let read = stream.read(&mut greeting).unwrap();
            assert_eq!(greeting[0], 22, "this should be a TLS handshake: {:?}", &greeting[..read]);
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").unwrap();
            // Until the client has closed, so that it reads the answer and not a reset.
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    port
}

/// A create through each adapter, over https to that port.
async fn creates(port: u16) -> [Error; 2] {
    let url = format!("https://127.0.0.1:{port}/api/v1/");
    let at = Endpoint::new(&url, ApiKey::new("sk_tls").unwrap(), Network::Testnet).unwrap();
    let order = || NewCharge::satoshis(4200, "over TLS");
    let asynchronous = strike_async::Client::builder(at.clone()).retry(RetryPolicy::never()).build().unwrap();
    let blocking = strike_blocking::Client::builder(at).retry(RetryPolicy::never()).build().unwrap();
    let blocked = tokio::task::spawn_blocking(move || blocking.create(order())).await.unwrap();
    [blocked.unwrap_err(), asynchronous.create(order()).await.unwrap_err()]
}

/// What both adapters make of a closed port, and of one that speaks no TLS.
async fn use_both(closed: u16, plain: u16) {
    let unsent = |kind| ErrorKind::Connection { kind, delivery: Delivery::Unsent };
    for error in creates(closed).await {
        assert_eq!(error.kind(), &unsent(TransportErrorKind::ConnectionRefused), "{error:?}");
    }
    for error in creates(plain).await {
        assert_eq!(error.kind(), &unsent(TransportErrorKind::Tls), "{error:?}");
    }
}

#[tokio::test]
async fn both_adapters_bring_their_own_provider() {
    let (port, plain) = (ClosedPort::take().unwrap(), plain_port());
    let closed = port.port();
    assert!(CryptoProvider::get_default().is_none());
    use_both(closed, plain).await;
    assert!(
        CryptoProvider::get_default().is_none(),
        "an adapter has installed a provider for the whole process"
    );

    // Whoever took this one would have no cipher suite left to offer.
    let useless = CryptoProvider { cipher_suites: Vec::new(), ..ring::default_provider() };
    useless.install_default().unwrap();
    use_both(closed, plain).await;
    assert!(CryptoProvider::get_default().unwrap().cipher_suites.is_empty());
}
