//! HTTPS: certificate names and validity, protocol negotiation, and requests to the wrong port.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConnection, ProtocolVersion, RootCertStore, StreamOwned, SupportedProtocolVersion};
use strike_core::UnixMillis;
use strike_sandbox::{RunningSandbox, Sandbox};

use crate::wire::{Connection, address, connect, id, list, post};

type Tls = StreamOwned<ClientConnection, TcpStream>;

fn start() -> RunningSandbox {
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    Sandbox::builder().api_key("sk_demo").tls().plain_listen(loopback).start().expect("two free ports")
}

fn plain_address(sandbox: &RunningSandbox) -> SocketAddr {
    address(sandbox.plain_base_url().expect("a plain HTTP base URL"))
}

/// Settings of a TLS client. `trusting` returns the defaults.
struct Client {
    roots: String,
    name: &'static str,
    versions: Vec<&'static SupportedProtocolVersion>,
    protocols: Vec<Vec<u8>>,
    clock: Arc<dyn TimeProvider>,
}

/// A clock that always returns the same time.
#[derive(Debug)]
struct FixedTime(u64);

impl TimeProvider for FixedTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0)))
    }
}

impl Client {
    fn trusting(sandbox: &RunningSandbox) -> Self {
        Self {
            roots: sandbox.ca_certificate().expect("a CA certificate").to_owned(),
            name: "localhost",
            versions: vec![&TLS12, &TLS13],
            protocols: Vec::new(),
            clock: Arc::new(DefaultTimeProvider),
        }
    }

    /// Connects and completes the TLS handshake.
    fn open(&self, address: SocketAddr) -> io::Result<Connection<Tls>> {
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(self.roots.as_bytes()) {
            roots.add(root.expect("valid PEM")).expect("a certificate");
        }
        let provider = Arc::new(ring::default_provider());
        let mut config = ClientConfig::builder_with_details(provider, self.clock.clone())
            .with_protocol_versions(&self.versions)
            .expect("supported TLS versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = self.protocols.clone();
        let name = ServerName::try_from(self.name).expect("a valid name");
        let mut tls = ClientConnection::new(Arc::new(config), name).expect("a TLS client");
        let mut tcp = connect(address);
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp)?;
        }
        Ok(Connection::from_stream(StreamOwned::new(tls, tcp)))
    }

    /// Returns the error of a handshake that must fail.
    fn handshake_error(&self, address: SocketAddr) -> String {
        self.open(address).map(drop).expect_err("a failed handshake").to_string()
    }
}

#[test]
fn certificate_covers_all_host_names_in_tls_1_2_and_1_3() {
    let sandbox = start();
    assert!(sandbox.base_url().starts_with("https://127.0.0.1:"), "{}", sandbox.base_url());
    let names = [
        "localhost",
        "127.0.0.1",
        "::1",
        "api.strike.acinq.co",
        "api.dev.strike.acinq.co",
        "api-strike.acinq.co",
        "strike.acinq.co",
        "dev.strike.acinq.co",
    ];
    for (version, number) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        for name in names {
            let client = Client { name, versions: vec![version], ..Client::trusting(&sandbox) };
            let mut connection = client.open(sandbox.address()).expect(name);
            assert_eq!(connection.send(&list()).body, "[ ]", "{name}");
            assert_eq!(connection.get_mut().conn.protocol_version(), Some(number), "{name}");
        }
    }
    assert_eq!(sandbox.requests(), 16);
    let other_name = Client { name: "acinq.co", ..Client::trusting(&sandbox) };
    let error = other_name.handshake_error(sandbox.address());
    assert!(error.contains("not valid for name"), "{error}");
}

#[test]
fn alpn_selects_http_1_1_and_rejects_http_2_only_clients() {
    let sandbox = start();
    let offers = |protocols: &[&str]| {
        let protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Client { protocols, ..Client::trusting(&sandbox) }
    };
    let mut both = offers(&["h2", "http/1.1"]).open(sandbox.address()).expect("a successful handshake");
    assert_eq!(both.get_mut().conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert_eq!(both.send(&list()).body, "[ ]");
    let error = offers(&["h2"]).handshake_error(sandbox.address());
    assert!(error.contains("NoApplicationProtocol"), "{error}");
}

#[test]
fn each_sandbox_has_its_own_certificate_authority() {
    let (sandbox, other) = (start(), start());
    let error = Client::trusting(&other).handshake_error(sandbox.address());
    assert!(error.contains("invalid peer certificate"), "{error}");
    assert_eq!(sandbox.requests(), 0);
    // The authorities differ even with the same seed.
    let seeded = || Sandbox::builder().seed(7).tls().start().expect("a free port");
    assert_ne!(seeded().ca_certificate(), seeded().ca_certificate());
}

#[test]
fn certificate_is_valid_at_system_and_sandbox_time() {
    const THEN: u64 = 1_542_221_803;
    let now = DefaultTimeProvider.current_time().expect("a current time").as_secs();
    let sandbox = Sandbox::builder().api_key("sk_demo").tls().clock_at(UnixMillis::from_secs(THEN));
    let sandbox = sandbox.start().expect("a free port");
    let client_at = |seconds| Client { clock: Arc::new(FixedTime(seconds)), ..Client::trusting(&sandbox) };
    for seconds in [THEN - 3_600, THEN, now, now + 300 * 86_400] {
        assert!(client_at(seconds).open(sandbox.address()).is_ok(), "{seconds}");
    }
    let late = client_at(now + 400 * 86_400).handshake_error(sandbox.address());
    assert!(late.contains("expired"), "{late}");
    let early = client_at(THEN - 2 * 86_400).handshake_error(sandbox.address());
    assert!(early.contains("not valid yet"), "{early}");
}

#[test]
fn only_the_ca_certificate_is_exposed() {
    let sandbox = start();
    let pem = sandbox.ca_certificate().expect("a certificate");
    assert!(
        pem.starts_with("-----BEGIN CERTIFICATE-----") && pem.matches("-----BEGIN").count() == 1,
        "{pem}"
    );
    assert!(!format!("{sandbox:?}").contains("PRIVATE KEY"));
    let without = Sandbox::builder().start().expect("a free port");
    assert_eq!((without.ca_certificate(), without.plain_base_url()), (None, None));
}

#[test]
fn https_and_http_ports_share_charges() {
    let sandbox = start();
    let mut tls = Client::trusting(&sandbox).open(sandbox.address()).expect("a successful handshake");
    let mut plain = Connection::open(plain_address(&sandbox));
    let charge = tls.send(&post(42)).body;
    assert_eq!(plain.send(&list()).body, format!("[ {charge} ]"));
    let pay = format!("POST /sandbox/charges/{}/pay HTTP/1.1\r\nHost: x\r\n\r\n", id(&charge));
    assert_eq!(plain.send(&pay).status(), 200);
    assert!(tls.send(&list()).body.contains("\"paid\" : true"));
    assert_eq!((sandbox.charges(), sandbox.requests()), (1, 4));
}

#[test]
fn plain_http_on_the_https_port_gets_400() {
    let sandbox = start();
    for request in [list(), post(42)] {
        let mut connection = Connection::open(sandbox.address());
        let response = connection.send(&request);
        assert!(
            response.head.starts_with("HTTP/1.1 400 Bad Request\r\nServer: nginx/1.12.1\r\n"),
            "{}",
            response.head
        );
        assert!(response.head.contains("\r\nContent-Type: text/html\r\n"), "{}", response.head);
        assert!(response.body.contains("The plain HTTP request was sent to HTTPS port"), "{}", response.body);
        assert!(connection.is_closed());
    }
    assert_eq!((sandbox.requests(), sandbox.charges()), (0, 0));
    // Invalid and incomplete handshakes do not affect other clients.
    for input in [&b"\0\x01\x02"[..], b"\x16\x03\x01\x00\x04abcd", b"\x16"] {
        connect(sandbox.address()).write_all(input).expect("the peer accepts the bytes");
    }
    let mut healthy = Client::trusting(&sandbox).open(sandbox.address()).expect("a successful handshake");
    assert_eq!(healthy.send(&list()).status(), 200);
}

#[test]
fn tls_on_the_http_port_fails() {
    let sandbox = start();
    let error = Client::trusting(&sandbox).handshake_error(plain_address(&sandbox));
    assert!(!error.contains("invalid peer certificate"), "{error}");
    assert_eq!(sandbox.requests(), 0);
}

#[test]
fn origin_check_includes_the_scheme() {
    let sandbox = start();
    let mut connection = Client::trusting(&sandbox).open(sandbox.address()).expect("a successful handshake");
    let charge = id(&connection.send(&post(42)).body);
    let mut pay_from = |scheme: &str| {
        let address = sandbox.address();
        let head = format!("POST /sandbox/charges/{charge}/pay HTTP/1.1\r\nHost: {address}\r\n");
        connection.send(&format!("{head}Origin: {scheme}://{address}\r\n\r\n")).status()
    };
    assert_eq!((pay_from("http"), pay_from("https"), pay_from("https")), (403, 200, 409));
}

#[test]
fn connection_close_over_tls_sends_close_notify() {
    let sandbox = start();
    let mut connection = Client::trusting(&sandbox).open(sandbox.address()).expect("a successful handshake");
    let close = list().replacen("\r\n", "\r\nConnection: close\r\n", 1);
    assert_eq!(connection.send(&close).body, "[ ]");
    // Without a close_notify alert, rustls would report a truncation attack.
    let end = io::Read::read(connection.get_mut(), &mut [0]).expect("a close_notify alert");
    assert_eq!(end, 0);
}

#[test]
fn drop_closes_both_ports() {
    let sandbox = start();
    let (https, plain) = (sandbox.address(), plain_address(&sandbox));
    let mut idle = Client::trusting(&sandbox).open(https).expect("a successful handshake");
    idle.send(&list());
    drop(sandbox);
    assert!(TcpListener::bind(https).is_ok() && TcpListener::bind(plain).is_ok());
    assert!(idle.is_closed());
}

#[test]
fn plain_port_in_use_is_named_in_the_error() {
    let taken =
        TcpListener::bind("127.0.0.1:0").and_then(|taken| taken.local_addr().map(|address| (taken, address)));
    let (_taken, address) = taken.expect("a free port");
    let error = Sandbox::builder().tls().plain_listen(address).start().expect_err("the port is in use");
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}
