//! Malformed input and misbehaving clients do not stop the server or block other clients.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use strike_sandbox::faults::{After, Fault, Match, Plan};
use strike_sandbox::{RunningSandbox, Sandbox};

use crate::wire::{Connection, list, post, request};

/// A low connection limit, so that the tests need few file descriptors.
const MAX_CONNECTIONS: usize = 24;
const CLIENTS: usize = 60;

fn start(plan: Plan) -> RunningSandbox {
    Sandbox::builder()
        .api_key("sk_demo")
        .faults(plan)
        .most_connections(MAX_CONNECTIONS)
        .start()
        .expect("a free port")
}

/// Returns true if a list and a create on a new connection succeed.
fn accepts_requests(sandbox: &RunningSandbox) -> bool {
    let mut connection = Connection::open(sandbox.address());
    connection.send(&list()).status() == 200 && connection.send(&post(1)).status() == 200
}

/// Opens `CLIENTS` connections. Each sends `text` and nothing more.
fn open_clients(sandbox: &RunningSandbox, text: &str) -> Vec<TcpStream> {
    let open = |_| {
        let mut stream = TcpStream::connect(sandbox.address()).expect("the server is listening");
        // The write fails if the server has already closed this connection, which is fine.
        let _ = stream.write_all(text.as_bytes());
        stream
    };
    (0..CLIENTS).map(open).collect()
}

/// Returns how many of the connections the server has closed or reset.
fn count_closed(clients: &[TcpStream]) -> usize {
    let is_closed = |stream: &&TcpStream| {
        let mut stream = *stream;
        stream.set_nonblocking(true).expect("the socket option can be set");
        loop {
            match stream.read(&mut [0; 4096]) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() != ErrorKind::WouldBlock,
            }
        }
    };
    clients.iter().filter(is_closed).count()
}

#[test]
fn random_bytes_get_an_http_response_or_a_closed_connection() {
    let sandbox = start(Plan::new());
    let pieces = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        Just(list().into_bytes()),
        Just(b"POST /api/v1/charges HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec()),
        Just(b"Content-Length: 18446744073709551616\r\n\r\n".to_vec()),
        Just(b"ffffffffffffffff1\r\n".to_vec()),
        Just(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
    ];
    let mut runner = TestRunner::new(Config::with_cases(200));
    let inputs = proptest::collection::vec(pieces, 0..4).prop_map(|pieces| pieces.concat());
    let outcome = runner.run(&inputs, |input| {
        let mut connection = Connection::open(sandbox.address());
        // The server may close the connection before it has read everything.
        let _ = connection.0.get_mut().write_all(&input);
        let _ = connection.0.get_mut().shutdown(std::net::Shutdown::Write);
        let mut received = Vec::new();
        match connection.0.read_to_end(&mut received) {
            Ok(_) => prop_assert!(received.is_empty() || received.starts_with(b"HTTP/1.")),
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
        Ok(())
    });
    outcome.expect("every input gets a response or a closed connection");
    assert!(accepts_requests(&sandbox));
}

#[test]
fn oversized_request_head_closes_the_connection() {
    let sandbox = start(Plan::new());
    for filler in [format!("X: {}\r\n", "x".repeat(200_000)), "X: y\r\n".repeat(30_000)] {
        let mut connection = Connection::open(sandbox.address());
        let _ = connection.0.get_mut().write_all(request("GET /api/v1/charges", &filler, "").as_bytes());
        let mut received = Vec::new();
        // The connection ends. The server may send an error first, but not a successful response.
        let _ = connection.0.read_to_end(&mut received);
        assert!(!received.starts_with(b"HTTP/1.1 200"));
    }
    assert_eq!(sandbox.requests(), 0);
    assert!(accepts_requests(&sandbox));
}

#[test]
fn silent_connections_are_closed_at_the_connection_limit() {
    let sandbox = start(Plan::new());
    let silent = open_clients(&sandbox, "");
    assert!(accepts_requests(&sandbox));
    // The oldest connections are closed first.
    assert!(count_closed(&silent[..CLIENTS - MAX_CONNECTIONS]) >= CLIENTS - MAX_CONNECTIONS);
    assert!(count_closed(&silent) < CLIENTS);
}

#[test]
fn partial_requests_are_closed_at_the_connection_limit() {
    for text in ["GET /api/v1/charges HTTP/1.1\r\nHost: ", &post(1)[..post(1).len() - 1]] {
        let sandbox = start(Plan::new());
        let clients = open_clients(&sandbox, text);
        assert!(accepts_requests(&sandbox));
        assert!(count_closed(&clients) >= CLIENTS - MAX_CONNECTIONS);
        assert_eq!(sandbox.charges(), 1);
    }
}

#[test]
fn stalled_clients_do_not_block_the_control_api() {
    let sandbox = start(Plan::new().on(Match::list(), Fault::stall(After::Bytes(0))));
    let stalled = open_clients(&sandbox, &list());
    let controls = "DELETE /sandbox/faults HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(Connection::open(sandbox.address()).send(controls).status(), 200);
    assert!(count_closed(&stalled) >= CLIENTS - MAX_CONNECTIONS);
    assert!(accepts_requests(&sandbox));
}

#[test]
fn active_connections_survive_the_connection_limit() {
    let sandbox = start(Plan::new());
    let mut active = Connection::open(sandbox.address());
    for _ in 0..4 {
        // Fewer new connections than the limit arrive between two requests.
        let others: Vec<_> =
            (0..MAX_CONNECTIONS - 2).map(|_| TcpStream::connect(sandbox.address())).collect();
        // The server accepts connections in order. After this response it has accepted all others.
        let mut last = Connection::open(sandbox.address());
        assert_eq!(last.send(&list()).status(), 200);
        assert_eq!(active.send(&list()).status(), 200);
        drop((others, last));
    }
    let latency = Fault::latency(Duration::from_millis(300), Duration::ZERO);
    sandbox.add_faults(Plan::new().on(Match::create(), latency));
    let requests = sandbox.requests();
    active.write(post(1).as_bytes());
    while sandbox.requests() == requests {
        std::thread::sleep(Duration::from_millis(1));
    }
    // A connection that waits for its response is not closed either, even when more clients than
    // the limit connect in the meantime.
    let _silent = open_clients(&sandbox, "");
    assert_eq!(active.read().status(), 200);
}

#[test]
fn client_that_does_not_read_does_not_block_others() {
    let sandbox = start(Plan::new());
    let mut connection = Connection::open(sandbox.address());
    for _ in 0..40 {
        connection.send(&post(1));
    }
    // The client sends many requests and reads no response.
    let stream = connection.0.get_mut();
    stream.set_nonblocking(true).expect("the socket option can be set");
    let requests = list().repeat(1000);
    while stream.write(requests.as_bytes()).is_ok() {}
    assert!(accepts_requests(&sandbox));
}
