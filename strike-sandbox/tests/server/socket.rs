//! HTTP responses and connection handling of the server in this process.

use std::net::{SocketAddr, TcpListener, TcpStream};

use strike_core::UnixMillis;
use strike_core::http::Request;
use strike_sandbox::{RunningSandbox, Sandbox};

use crate::wire::{Connection, FORM, id, list, post, request};

fn start() -> RunningSandbox {
    let clock = UnixMillis::from_millis(1_542_221_803_505);
    Sandbox::builder().api_key("sk_demo").seed(7).clock_at(clock).start().expect("a free port")
}

#[test]
fn response_head_matches_the_recording() {
    let sandbox = start();
    let response = Connection::open(sandbox.address()).send(&list());
    assert_eq!(
        response.head,
        "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Headers: Content-Type, Authorization, X-XSRF-TOKEN\r\n\
         Access-Control-Allow-Headers: x-requested-with\r\n\
         Access-Control-Allow-Methods: GET, POST, OPTIONS\r\nAccess-Control-Allow-Origin: *\r\n\
         Cache-Control: public, no-store, max-age=0\r\nContent-Type: application/json\r\n\
         Date: Wed, 14 Nov 2018 18:56:43 GMT\r\nServer: nginx/1.12.1\r\n\
         Content-Length: 3\r\nConnection: keep-alive\r\n\r\n"
    );
    assert_eq!(response.body, "[ ]");
}

#[test]
fn socket_and_in_memory_responses_are_equal() {
    let sandbox = start();
    let over_socket = Connection::open(sandbox.address()).send(&post(42));

    let twin = start();
    let request = Request::post(format!("{}charges", twin.base_url()))
        .header("authorization", "Basic c2tfZGVtbzo=")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(b"amount=42&currency=btc&description=x".to_vec())
        .expect("a valid request");
    assert_eq!(twin.respond(&request).body(), over_socket.body.as_bytes());
}

#[test]
fn one_connection_serves_sequential_and_pipelined_requests() {
    let sandbox = start();
    let mut connection = Connection::open(sandbox.address());
    let first = connection.send(&post(1));
    let read = connection.send(&request(&format!("GET /api/v1/charges/{}", id(&first.body)), "", ""));
    assert_eq!(read.body, first.body);
    // An error response keeps the connection open.
    assert_eq!(connection.send(&request("GET /nowhere", "", "")).status(), 404);

    connection.write(format!("{}{}", post(2), list()).as_bytes());
    let second = connection.read();
    assert_eq!(connection.read().body, format!("[ {}, {} ]", second.body, first.body));
    assert_eq!((sandbox.requests(), sandbox.charges()), (5, 2));
}

#[test]
fn connection_closes_when_the_client_requests_it() {
    let sandbox = start();
    let mut connection = Connection::open(sandbox.address());
    let response = connection.send(&request("GET /api/v1/charges", "Connection: close\r\n", ""));
    assert!(response.head.contains("\r\nConnection: close\r\n"), "{}", response.head);
    assert!(connection.is_closed());

    let mut connection = Connection::open(sandbox.address());
    let response =
        connection.send("GET /api/v1/charges HTTP/1.0\r\nAuthorization: Basic c2tfZGVtbzo=\r\n\r\n");
    assert_eq!(response.body, "[ ]");
    assert!(connection.is_closed());
}

#[test]
fn absolute_urls_and_chunked_bodies_are_accepted() {
    let sandbox = start();
    let mut connection = Connection::open(sandbox.address());
    let target = format!("GET {}charges", sandbox.base_url());
    assert_eq!(connection.send(&request(&target, "", "")).body, "[ ]");

    let chunked = format!(
        "POST /api/v1/charges HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic c2tfZGVtbzo=\r\n{FORM}\
         Transfer-Encoding: chunked\r\n\r\n7\r\namount=\r\n10\r\n42&currency=btc&\r\n0\r\n\r\n"
    );
    assert!(connection.send(&chunked).body.contains("\"amount\" : 42,"));
}

#[test]
fn expect_header_gets_100_continue() {
    let sandbox = start();
    let mut connection = Connection::open(sandbox.address());
    let full =
        request("POST /api/v1/charges", &format!("{FORM}Expect: 100-continue\r\n"), "amount=42&currency=btc");
    let (head, body) = full.split_at(full.len() - "amount=42&currency=btc".len());
    connection.write(head.as_bytes());
    assert_eq!(connection.line(), "HTTP/1.1 100 Continue\r\n");
    assert_eq!(connection.line(), "\r\n");
    connection.write(body.as_bytes());
    assert_eq!(connection.read().status(), 200);
}

#[test]
fn oversized_body_gets_413_and_keeps_the_connection() {
    let sandbox = start();
    let mut connection = Connection::open(sandbox.address());
    let large = |length| request("POST /api/v1/charges", FORM, &"x".repeat(length));
    assert_eq!(connection.send(&large(65_537)).status(), 413);
    assert_eq!(connection.send(&large(500_000)).status(), 413);
    // The server has read the rest of the body, so the connection can be reused.
    assert_eq!(connection.send(&list()).body, "[ ]");
}

#[test]
fn truncated_body_is_not_processed() {
    let sandbox = start();
    let mut connection = Connection::open(sandbox.address());
    let body = "amount=42&currency=btc";
    connection.write(request("POST /api/v1/charges", FORM, body).replace("h: 22", "h: 23").as_bytes());
    connection.finish_sending();
    assert!(connection.is_closed());
    // The truncated request was not counted. The next request succeeds.
    assert_eq!(Connection::open(sandbox.address()).send(&list()).body, "[ ]");
    assert_eq!(sandbox.requests(), 1);
}

#[test]
fn non_http_input_does_not_affect_other_connections() {
    let sandbox = start();
    let mut healthy = Connection::open(sandbox.address());
    assert_eq!(healthy.send(&list()).status(), 200);
    for input in [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"\r\n\r\n\0\r\n\r\n", b"GET\r\n\r\n"]
    {
        let mut connection = Connection::open(sandbox.address());
        connection.write(input);
    }
    assert_eq!(healthy.send(&list()).status(), 200);
}

#[test]
fn charge_can_be_paid_from_rust_and_over_http() {
    let sandbox = start();
    let mut connection = Connection::open(sandbox.address());
    let [first, second] = [1, 2].map(|amount| id(&connection.send(&post(amount)).body));
    sandbox.pay(&first.parse().expect("a charge id")).expect("the charge can be paid");
    let head = format!("POST /sandbox/charges/{second}/pay HTTP/1.1\r\nHost: {}\r\n", sandbox.address());
    let same_origin = format!("{head}Origin: http://{}\r\n\r\n", sandbox.address());
    let foreign_origin = format!("{head}Origin: http://evil.example\r\n\r\n");
    assert_eq!(connection.send(&foreign_origin).status(), 403);
    assert_eq!(connection.send(&same_origin).status(), 200);
    assert_eq!(connection.send(&same_origin).status(), 409);
    assert_eq!(connection.send(&list()).body.matches("\"paid\" : true").count(), 2);
}

#[test]
fn two_sandboxes_are_independent() {
    let (one, two) = (start(), start());
    assert_ne!(one.address(), two.address());
    Connection::open(one.address()).send(&post(1));
    assert_eq!((one.charges(), two.charges()), (1, 0));
    assert_eq!(Connection::open(two.address()).send(&list()).body, "[ ]");
}

#[test]
fn drop_closes_the_port_and_connections_but_keeps_charges() {
    let running = start();
    let (address, sandbox) = (running.address(), running.sandbox());
    let mut idle = Connection::open(address);
    idle.send(&post(1));
    let mut partial = Connection::open(address);
    partial.write(b"POST /api/v1/charges HTTP/1.1\r\nContent-Le");
    drop(running);

    // The port must already be closed when `drop` returns.
    let refused = TcpStream::connect(address).expect_err("the port is closed");
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    assert!(idle.is_closed() && partial.is_closed());
    // The port is free again. The charges exist as long as a `Sandbox` handle does.
    assert!(TcpListener::bind(address).is_ok());
    assert_eq!(sandbox.charges(), 1);
}

#[test]
fn sandbox_starts_and_stops_inside_a_tokio_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let sandbox = start();
        // This blocks the runtime's only thread. The sandbox responds from its own thread.
        assert_eq!(Connection::open(sandbox.address()).send(&list()).body, "[ ]");
    });
}

#[test]
fn address_in_use_is_an_error_and_base_url_is_loopback() {
    let sandbox = start();
    let error = Sandbox::builder().listen(sandbox.address()).start().expect_err("the port is in use");
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);

    let all_interfaces: SocketAddr = "0.0.0.0:0".parse().expect("a local address");
    let sandbox = Sandbox::builder().listen(all_interfaces).start().expect("a free port");
    assert_eq!(sandbox.base_url(), format!("http://127.0.0.1:{}/api/v1/", sandbox.address().port()));
}
