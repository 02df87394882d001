//! phoenixd's API over sockets: responses, websockets, signed webhooks, and a port that opens late.

use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};
use data_encoding::BASE64;
use strike_core::{ChargeId, UnixMillis};
use strike_sandbox::faults::{After, Fault, Match, Plan};
use strike_sandbox::{Phoenixd, RunningSandbox, Sandbox, SandboxBuilder, Webhook};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

use crate::receiver::{Receiver, TIMEOUT};
use crate::wire::{Connection, Response};

const CLOCK: UnixMillis = UnixMillis::from_millis(1_542_221_803_505);

fn settings() -> Phoenixd {
    Phoenixd::new().limited_password("limited").full_password("full").webhook_secret("secret")
}

fn builder(settings: Phoenixd) -> SandboxBuilder {
    Sandbox::builder().api_key("sk_demo").seed(7).clock_at(CLOCK).phoenixd(settings)
}

fn start() -> RunningSandbox {
    builder(settings()).start().expect("a free port")
}

fn basic(password: &str) -> String {
    format!("Basic {}", BASE64.encode(format!(":{password}").as_bytes()))
}

fn request(line: &str, form: &str) -> String {
    format!(
        "{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {}\r\nContent-Type: \
         application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        basic("limited"),
        form.len()
    )
}

fn send(sandbox: &RunningSandbox, line: &str, form: &str) -> Response {
    Connection::open(sandbox.address()).send(&request(line, form))
}

/// Creates an invoice and returns its payment hash, which the sandbox accepts as an id.
fn create(sandbox: &RunningSandbox, form: &str) -> ChargeId {
    let response = send(sandbox, "POST /createinvoice", form);
    let body: serde_json::Value = serde_json::from_str(&response.body).expect("JSON");
    body["paymentHash"].as_str().expect("a hash").parse().expect("an id")
}

type Client = WebSocket<TcpStream>;

/// Opens a websocket with this header.
fn try_websocket(sandbox: &RunningSandbox, header: &'static str, value: &str) -> Result<Client, u16> {
    let stream = TcpStream::connect(sandbox.address()).expect("a connection");
    stream.set_read_timeout(Some(TIMEOUT)).expect("the read timeout can be set");
    let url = format!("ws://{}/websocket", sandbox.address());
    let mut request = url.into_client_request().expect("a valid URL");
    request.headers_mut().insert(header, HeaderValue::try_from(value).expect("a header"));
    match tungstenite::client(request, stream) {
        Ok((client, _)) => Ok(client),
        Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(response))) => {
            Err(response.status().as_u16())
        }
        Err(error) => panic!("{error}"),
    }
}

fn websocket(sandbox: &RunningSandbox) -> Client {
    try_websocket(sandbox, "authorization", &basic("limited")).expect("the password is right")
}

fn next_text(client: &mut Client) -> String {
    match client.read().expect("an event") {
        Message::Text(text) => text.as_str().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn phoenixd_response_over_a_socket_has_no_date() {
    let sandbox = start();
    let response = send(&sandbox, "GET /payments/incoming", "");
    let expected = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n";
    assert_eq!((response.head.as_str(), response.body.as_str()), (expected, "[]"));
    let error = send(&sandbox, "GET /nowhere", "");
    assert!(error.head.starts_with("HTTP/1.1 404 Not Found\r\n"));
    assert!(error.head.contains("Content-Type: text/plain; charset=UTF-8\r\n"));
    assert_eq!(error.body, "Unknown endpoint (check api doc)");
}

#[test]
fn websocket_receives_payments_of_both_apis_without_nulls() {
    let sandbox = start();
    let charge = crate::wire::id(&Connection::open(sandbox.address()).send(&crate::wire::post(42)).body);
    let hash = create(&sandbox, "amountSat=4200&description=tea&externalId=order-17");
    let mut clients = [websocket(&sandbox), websocket(&sandbox)];
    sandbox.pay(&charge.parse().expect("an id")).expect("it is unpaid");
    sandbox.pay(&hash).expect("it is unpaid");
    let expected = format!(
        "{{\n    \"type\": \"payment_received\",\n    \"timestamp\": 1542221803505,\n    \"amountSat\": 4200,\n    \
         \"paymentHash\": \"{hash}\",\n    \"externalId\": \"order-17\"\n}}"
    );
    for client in &mut clients {
        let first = next_text(client);
        assert!(first.contains("\"amountSat\": 42,") && !first.contains("null"), "{first}");
        assert_eq!(next_text(client), expected);
    }
}

#[test]
fn websocket_does_not_replay_earlier_payments() {
    let sandbox = start();
    let early = create(&sandbox, "amountSat=1&description=early");
    sandbox.pay(&early).expect("it is unpaid");
    let mut client = websocket(&sandbox);
    let late = create(&sandbox, "amountSat=2&description=late");
    sandbox.pay(&late).expect("it is unpaid");
    assert!(next_text(&mut client).contains(late.as_str()));
}

#[test]
fn websocket_accepts_a_password_as_its_protocol() {
    let sandbox = start();
    for protocols in ["limited", "full", "x, limited"] {
        let mut client =
            try_websocket(&sandbox, "sec-websocket-protocol", protocols).expect("the password is right");
        let hash = create(&sandbox, "amountSat=1&description=");
        sandbox.pay(&hash).expect("it is unpaid");
        assert!(next_text(&mut client).contains(hash.as_str()));
    }
    for (header, value) in
        [("sec-websocket-protocol", "wrong"), ("authorization", &basic("wrong")), ("x-none", "limited")]
    {
        assert_eq!(try_websocket(&sandbox, header, value).err(), Some(401), "{header}: {value}");
    }
    assert_eq!(try_websocket(&sandbox, "authorization", &basic("full")).err(), None);
}

#[test]
fn websocket_route_without_an_upgrade_is_a_400() {
    let sandbox = start();
    let response = send(&sandbox, "GET /websocket", "");
    assert!(response.head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{}", response.head);
    let response = send(&sandbox, "POST /websocket", "");
    assert!(response.head.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{}", response.head);
}

#[test]
fn websocket_closes_when_the_client_says_so_or_the_server_stops() {
    let sandbox = start();
    let mut client = websocket(&sandbox);
    client.close(None).expect("the connection is open");
    let closed = loop {
        match client.read() {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(closed, tungstenite::Error::ConnectionClosed), "{closed}");

    let mut client = websocket(&sandbox);
    drop(sandbox);
    assert!(client.read().is_err());
}

#[test]
fn phoenixd_webhook_over_a_socket_has_a_signature_over_its_bytes() {
    let (node, own) = (Receiver::bind(), Receiver::bind());
    let webhook = Webhook::to(&node.url()).expect("a valid URL");
    let sandbox = builder(settings().webhook(webhook)).start().expect("a free port");
    let url: String = form_urlencoded::byte_serialize(own.url().as_bytes()).collect();
    let hash = create(&sandbox, &format!("amountSat=4200&description=tea&webhookUrl={url}"));
    sandbox.pay(&hash).expect("it is unpaid");
    for receiver in [&node, &own] {
        let received = receiver.next();
        let mut engine = HmacEngine::<sha256::Hash>::new(b"secret");
        engine.input(received.body.as_bytes());
        let signature = format!("X-Phoenix-Signature: {}\r\n", Hmac::from_engine(engine));
        assert!(received.head.contains(&signature), "{}", received.head);
        assert!(received.body.contains(hash.as_str()));
        // It is not sent again, whatever the response.
        received.respond("500 Internal Server Error");
        assert!(receiver.is_empty());
    }
}

#[test]
fn invoice_webhook_needs_no_webhook_in_the_settings() {
    let own = Receiver::bind();
    let sandbox = start();
    let url: String = form_urlencoded::byte_serialize(own.url().as_bytes()).collect();
    let hash = create(&sandbox, &format!("amountSat=1&description=&webhookUrl={url}"));
    sandbox.pay(&hash).expect("it is unpaid");
    assert!(own.next().body.contains(hash.as_str()));
}

#[test]
fn phoenixd_responses_can_be_cut_on_the_socket() {
    let plan = Plan::new().on(Match::phoenixd_create(), Fault::cut(After::BodyBytes(5)));
    let sandbox = builder(settings()).faults(plan).start().expect("a free port");
    let mut connection = Connection::open(sandbox.address());
    connection.write(request("POST /createinvoice", "amountSat=1&description=").as_bytes());
    let mut received = String::new();
    connection.0.read_to_string(&mut received).expect("UTF-8");
    assert!(received.ends_with("\r\n\r\n{\n   "), "{received:?}");
    assert_eq!(sandbox.charges(), 1);
}

/// Returns true if the port refuses connections.
fn is_refused(address: SocketAddr) -> bool {
    match TcpStream::connect_timeout(&address, TIMEOUT) {
        Ok(_) => false,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{error}");
            true
        }
    }
}

fn wait_until_open(address: SocketAddr) {
    let start = Instant::now();
    while is_refused(address) {
        assert!(start.elapsed() < TIMEOUT, "the port does not open");
        std::thread::yield_now();
    }
}

#[test]
fn late_port_refuses_connections_until_the_clock_reaches_its_time() {
    let late = settings().opens_after(Duration::from_secs(60));
    let sandbox = builder(late.clone()).start().expect("a free port");
    let address = sandbox.address();
    sandbox.advance(Duration::from_secs(59));
    assert!(is_refused(address));
    // The port is reserved nevertheless.
    assert!(TcpListener::bind(address).is_err());
    sandbox.advance(Duration::from_secs(1));
    wait_until_open(address);
    assert_eq!(send(&sandbox, "GET /payments/incoming", "").body, "[]");
    drop(sandbox);
    assert!(is_refused(address));

    let both = builder(late).listen_localhost(0).start().expect("a free port");
    assert!(is_refused(both.address()));
    both.advance(Duration::from_secs(60));
    wait_until_open(both.address());
}

#[test]
fn late_port_opens_by_the_system_clock() {
    let sandbox = Sandbox::builder().phoenixd(settings().opens_after(Duration::from_millis(1)));
    let sandbox = sandbox.start().expect("a free port");
    wait_until_open(sandbox.address());
}
