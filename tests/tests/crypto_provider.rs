//! Both adapters work in one process, with no default TLS provider and with an unusable one.
//!
//! This test is a program of its own, since a process can install a default provider only once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};

use rustls::crypto::{CryptoProvider, ring};
use strike_core::{
    ApiKey, Delivery, Endpoint, Error, ErrorKind, Network, NewCharge, RetryPolicy, TransportErrorKind,
};
use strike_tests::ClosedPort;

/// A port whose server does not speak TLS: it reads the TLS handshake, and responds in plain HTTP.
fn plain_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut handshake = [0; 4096];
            let read = stream.read(&mut handshake).unwrap();
            assert_eq!(handshake[0], 22, "this should be a TLS handshake: {:?}", &handshake[..read]);
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").unwrap();
            // Waits until the client has closed, so that it reads the response and not a reset.
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    port
}

/// Sends a create over https to this port, with each adapter.
async fn creates(port: u16) -> [Error; 2] {
    let url = format!("https://127.0.0.1:{port}/api/v1/");
    let endpoint = Endpoint::new(&url, ApiKey::new("sk_tls").unwrap(), Network::Testnet).unwrap();
    let order = || NewCharge::satoshis(4200, "over TLS");
    let asynchronous =
        strike_async::Client::builder(endpoint.clone()).retry(RetryPolicy::never()).build().unwrap();
    let blocking = strike_blocking::Client::builder(endpoint).retry(RetryPolicy::never()).build().unwrap();
    let blocked = tokio::task::spawn_blocking(move || blocking.create(order())).await.unwrap();
    [blocked.unwrap_err(), asynchronous.create(order()).await.unwrap_err()]
}

/// Checks the errors of both adapters for a closed port and for a port without TLS.
async fn check_both(closed: u16, plain: u16) {
    let unsent = |kind| ErrorKind::Connection { kind, delivery: Delivery::Unsent };
    for error in creates(closed).await {
        assert_eq!(error.kind(), &unsent(TransportErrorKind::ConnectionRefused), "{error:?}");
    }
    for error in creates(plain).await {
        assert_eq!(error.kind(), &unsent(TransportErrorKind::Tls), "{error:?}");
    }
}

#[tokio::test]
async fn adapters_do_not_use_or_install_the_default_crypto_provider() {
    let (port, plain) = (ClosedPort::take().unwrap(), plain_port());
    let closed = port.port();
    assert!(CryptoProvider::get_default().is_none());
    check_both(closed, plain).await;
    assert!(
        CryptoProvider::get_default().is_none(),
        "an adapter has installed a provider for the whole process"
    );

    // A client that used this provider would have no cipher suite.
    let useless = CryptoProvider { cipher_suites: Vec::new(), ..ring::default_provider() };
    useless.install_default().unwrap();
    check_both(closed, plain).await;
    assert!(CryptoProvider::get_default().unwrap().cipher_suites.is_empty());
}
