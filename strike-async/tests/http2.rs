//! HTTP/2: negotiated with TLS, and as careful with creates as HTTP/1.1.
#![cfg(feature = "http2")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use h2::Reason;
use rustls::ServerConfig;
use strike_async::strike_core::{Delivery, TransportErrorKind};
use strike_async::{
    ApiKey, AsyncTransport, BoxFuture, Client, ConnectionUse, Endpoint, ErrorKind, Exchange, Network,
    NewCharge, Reply, ReqwestTransport, RetryPolicy, http,
};
use strike_sandbox::Sandbox;
use strike_test_support::certs::Authority;
use strike_test_support::{Server, expect, expect_status, get, post};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A server that speaks only HTTP/2. What it does with a request depends on the path.
struct Http2Server {
    address: SocketAddr,
    authority: Authority,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    connections: AtomicUsize,
    requests: AtomicUsize,
}

const KEY: &str = "sk_demo";

/// The server responds like the sandbox, but ends badly what is sent to these paths.
const REFUSED: &str = "/refused";
const GOAWAY: &str = "/goaway";
const SILENT: &str = "/silent";
const CUT: &str = "/cut";

impl Http2Server {
    async fn start() -> Self {
        let authority = Authority::new();
        let mut config = ServerConfig::clone(&authority.server("localhost"));
        config.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, counts) = (listener.local_addr().unwrap(), Arc::new(Counts::default()));
        let (seen, sandbox) = (counts.clone(), Sandbox::builder().api_key(KEY).build());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                seen.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(acceptor.clone(), stream, seen.clone(), sandbox.clone()));
            }
        });
        Self { address, authority, counts }
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address.port())
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::new(&self.url("/api/v1/"), ApiKey::new(KEY).unwrap(), Network::Testnet).unwrap()
    }

    fn transport(&self) -> ReqwestTransport {
        ReqwestTransport::builder().ca_certificate(self.authority.pem()).http2().build().unwrap()
    }

    fn seen(&self) -> (usize, usize) {
        (self.counts.connections.load(Ordering::SeqCst), self.counts.requests.load(Ordering::SeqCst))
    }
}

async fn serve(acceptor: TlsAcceptor, stream: TcpStream, counts: Arc<Counts>, sandbox: Sandbox) {
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    // Requests that never get a response.
    let held = Mutex::new(Vec::new());
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        counts.requests.fetch_add(1, Ordering::SeqCst);
        let path = request.uri().path().to_string();
        match path.as_str() {
            REFUSED => respond.send_reset(Reason::REFUSED_STREAM),
            GOAWAY => connection.abrupt_shutdown(Reason::NO_ERROR),
            SILENT => held.lock().unwrap().push((request, respond)),
            CUT => {
                let head = http::Response::builder().header("content-length", "9").body(()).unwrap();
                let mut body = respond.send_response(head, false).unwrap();
                body.send_data("[".into(), false).unwrap();
                body.send_reset(Reason::CANCEL);
            }
            _ => {
                let sandbox = sandbox.clone();
                tokio::spawn(async move {
                    let (head, mut incoming) = request.into_parts();
                    let mut bytes = Vec::new();
                    while let Some(Ok(data)) = incoming.data().await {
                        bytes.extend_from_slice(&data);
                    }
                    let response = sandbox.respond(&http::Request::from_parts(head, bytes));
                    let (mut head, body) = response.into_parts();
                    // HTTP/2 has no such header.
                    head.headers.remove(http::header::CONNECTION);
                    let head = http::Response::from_parts(head, ());
                    respond.send_response(head, false).unwrap().send_data(body.into(), true).unwrap();
                });
            }
        }
    }
}

fn create(url: &str, connection: ConnectionUse) -> Exchange {
    let mut exchange = post(url);
    exchange.connection = connection;
    exchange
}

#[tokio::test]
async fn requests_at_once_share_one_http2_connection() {
    let server = Http2Server::start().await;
    let transport = Arc::new(server.transport());
    let first = transport.exchange(get(&server.url("/"))).await.unwrap();
    assert_eq!(first.version(), http::Version::HTTP_2);
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let (transport, exchange) = (transport.clone(), get(&server.url("/nothing")));
            tokio::spawn(async move { transport.exchange(exchange).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().status(), 404);
    }
    assert_eq!(server.seen(), (1, 33));
}

#[tokio::test]
async fn server_without_http2_gets_http1() {
    let authority = Authority::new();
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";
    let server = Server::start_tls(authority.server("localhost"), move |mut peer| while peer.answer(ok) {});
    let transport = ReqwestTransport::builder().ca_certificate(authority.pem()).http2().build().unwrap();
    let url = format!("https://localhost:{}/", server.port());
    expect_status(transport.exchange(get(&url)).await, 200, "[]");
    expect_status(transport.exchange(create(&url, ConnectionUse::New)).await, 200, "[]");
    assert!(server.requests()[0].starts_with("GET / HTTP/1.1\r\n"));
}

#[tokio::test]
async fn http2_is_not_offered_unless_it_was_asked_for() {
    let server = Http2Server::start().await;
    let transport = ReqwestTransport::builder().ca_certificate(server.authority.pem()).build().unwrap();
    // The server accepts nothing else.
    assert!(transport.exchange(get(&server.url("/"))).await.is_err());
    assert_eq!(server.seen().1, 0);
}

#[tokio::test]
async fn refused_create_over_http2_is_not_sent_again() {
    for path in [REFUSED, GOAWAY] {
        for connection in [ConnectionUse::New, ConnectionUse::Any] {
            let server = Http2Server::start().await;
            let transport = server.transport();
            // The create finds a kept connection.
            assert!(transport.exchange(get(&server.url("/"))).await.is_ok());
            let Err(error) = transport.exchange(create(&server.url(path), connection)).await else {
                panic!("{path} should not get a response");
            };
            assert_eq!((error.kind(), error.delivery()), (TransportErrorKind::Closed, Delivery::MaybeSent));
            let connections = if connection == ConnectionUse::New { 2 } else { 1 };
            assert_eq!(server.seen(), (connections, 2), "{path}");
        }
    }
}

#[tokio::test]
async fn client_calls_a_refused_http2_create_an_unknown_outcome() {
    let server = Http2Server::start().await;
    for reuse in [false, true] {
        let before = server.seen().1;
        let client = Client::builder(server.endpoint())
            .transport(Rewritten(server.transport(), server.url(GOAWAY)))
            .retry(RetryPolicy::default().reuse_connections_for_creates(reuse))
            .build()
            .unwrap();
        let error = client.create(NewCharge::satoshis(1, "")).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::OutcomeUnknown), "{error:?}");
        assert_eq!(server.seen().1, before + 1);
    }
}

/// Sends every request to one URL.
struct Rewritten(ReqwestTransport, String);

impl AsyncTransport for Rewritten {
    fn exchange(&self, mut exchange: Exchange) -> BoxFuture<'_, Reply> {
        *exchange.request.uri_mut() = self.1.parse().unwrap();
        self.0.exchange(exchange)
    }
}

#[tokio::test]
async fn each_create_over_http2_gets_a_connection() {
    let server = Http2Server::start().await;
    let transport = server.transport();
    for _ in 0..2 {
        let reply = transport.exchange(create(&server.url("/nothing"), ConnectionUse::New)).await;
        assert_eq!(reply.unwrap().version(), http::Version::HTTP_2);
    }
    assert_eq!(server.seen(), (2, 2));
}

#[tokio::test]
async fn deadline_over_http2_does_not_end_other_requests() {
    let server = Http2Server::start().await;
    let transport = server.transport();
    let mut late = get(&server.url(SILENT));
    late.timeout = Duration::from_millis(200);
    expect(transport.exchange(late).await, TransportErrorKind::Timeout, Delivery::MaybeSent);
    assert!(transport.exchange(get(&server.url("/"))).await.is_ok());
    assert_eq!(server.seen(), (1, 2));
}

#[tokio::test]
async fn truncated_http2_response_is_an_error() {
    let server = Http2Server::start().await;
    let error = server.transport().exchange(get(&server.url(CUT))).await.unwrap_err();
    // The reset may arrive before the head is read.
    assert!(matches!(error.kind(), TransportErrorKind::Cut | TransportErrorKind::Closed), "{error:?}");
    assert_eq!(error.delivery(), Delivery::MaybeSent);
}

#[tokio::test]
async fn charges_are_created_and_read_over_http2() {
    let server = Http2Server::start().await;
    let client = Client::builder(server.endpoint()).transport(server.transport()).build().unwrap();
    let charge = client.create(NewCharge::satoshis(4200, "tea")).await.unwrap();
    assert_eq!(client.get(charge.id()).await.unwrap().id(), charge.id());
    assert_eq!(client.list(0).await.unwrap().rows(), 1);
}
