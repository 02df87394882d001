//! Clients that mean harm or do not know better: they never stop the server, and do not keep others from it.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use strike_sandbox::faults::{After, Fault, On, Plan};
use strike_sandbox::{RunningSandbox, Sandbox};

use crate::wire::{Connection, list, post, request};

/// Room for few, so that a crowd needs few files.
const ROOM: usize = 24;
const CROWD: usize = 60;

fn start(plan: Plan) -> RunningSandbox {
    Sandbox::builder().api_key("sk_demo").faults(plan).most_connections(ROOM).start().expect("a free port")
}

/// Whether somebody polite is served, on a fresh connection.
fn serves(sandbox: &RunningSandbox) -> bool {
    let mut connection = Connection::open(sandbox.address());
    connection.send(&list()).status() == 200 && connection.send(&post(1)).status() == 200
}

/// A crowd of connections that each said this and then nothing more.
fn crowd(sandbox: &RunningSandbox, says: &str) -> Vec<TcpStream> {
    let one = |_| {
        let mut stream = TcpStream::connect(sandbox.address()).expect("it listens");
        // A connection that already had to make room is as good.
        let _ = stream.write_all(says.as_bytes());
        stream
    };
    (0..CROWD).map(one).collect()
}

/// How many of them the server has closed or reset.
fn closed(crowd: &[TcpStream]) -> usize {
    let is_closed = |stream: &&TcpStream| {
        let mut stream = *stream;
        stream.set_nonblocking(true).expect("an option");
        loop {
            match stream.read(&mut [0; 4096]) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() != ErrorKind::WouldBlock,
            }
        }
    };
    crowd.iter().filter(is_closed).count()
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
    let noises = proptest::collection::vec(pieces, 0..4).prop_map(|pieces| pieces.concat());
    let outcome = runner.run(&noises, |noise| {
        let mut connection = Connection::open(sandbox.address());
        // It may close in the middle of what it is sent.
        let _ = connection.0.get_mut().write_all(&noise);
        let _ = connection.0.get_mut().shutdown(std::net::Shutdown::Write);
        let mut received = Vec::new();
        match connection.0.read_to_end(&mut received) {
            Ok(_) => prop_assert!(received.is_empty() || received.starts_with(b"HTTP/1.")),
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
        Ok(())
    });
    outcome.expect("it answers or closes");
    assert!(serves(&sandbox));
}

#[test]
fn oversized_request_head_closes_the_connection() {
    let sandbox = start(Plan::new());
    for filler in [format!("X: {}\r\n", "x".repeat(200_000)), "X: y\r\n".repeat(30_000)] {
        let mut connection = Connection::open(sandbox.address());
        let _ = connection.0.get_mut().write_all(request("GET /api/v1/charges", &filler, "").as_bytes());
        let mut received = Vec::new();
        // Whatever is told before the end, there is one, and it is no answer of the service.
        let _ = connection.0.read_to_end(&mut received);
        assert!(!received.starts_with(b"HTTP/1.1 200"));
    }
    assert_eq!(sandbox.requests(), 0);
    assert!(serves(&sandbox));
}

#[test]
fn silent_connections_are_closed_at_the_connection_limit() {
    let sandbox = start(Plan::new());
    let silent = crowd(&sandbox, "");
    assert!(serves(&sandbox));
    // Those who came first had to go.
    assert!(closed(&silent[..CROWD - ROOM]) >= CROWD - ROOM);
    assert!(closed(&silent) < CROWD);
}

#[test]
fn partial_requests_are_closed_at_the_connection_limit() {
    for says in ["GET /api/v1/charges HTTP/1.1\r\nHost: ", &post(1)[..post(1).len() - 1]] {
        let sandbox = start(Plan::new());
        let slow = crowd(&sandbox, says);
        assert!(serves(&sandbox));
        assert!(closed(&slow) >= CROWD - ROOM);
        assert_eq!(sandbox.charges(), 1);
    }
}

#[test]
fn stalled_clients_do_not_block_the_control_api() {
    let sandbox = start(Plan::new().on(On::list(), Fault::stall(After::Bytes(0))));
    let stalled = crowd(&sandbox, &list());
    let controls = "DELETE /sandbox/faults HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(Connection::open(sandbox.address()).send(controls).status(), 200);
    assert!(closed(&stalled) >= CROWD - ROOM);
    assert!(serves(&sandbox));
}

#[test]
fn active_connections_survive_the_connection_limit() {
    let sandbox = start(Plan::new());
    let mut polite = Connection::open(sandbox.address());
    for _ in 0..4 {
        // Fewer than there is room for come between two requests.
        let crowd: Vec<_> = (0..ROOM - 2).map(|_| TcpStream::connect(sandbox.address())).collect();
        assert_eq!(polite.send(&list()).status(), 200);
        drop(crowd);
    }
    let late = Fault::latency(Duration::from_millis(300), Duration::ZERO);
    sandbox.add_faults(Plan::new().on(On::create(), late));
    polite.write(post(1).as_bytes());
    // Nor is one whose answer is not yet made, however many wait beside it. That the crowd is large enough, another test
    // shows; here it must have come while the answer was awaited.
    let _silent = crowd(&sandbox, "");
    assert_eq!(polite.read().status(), 200);
}

#[test]
fn client_that_does_not_read_does_not_block_others() {
    let sandbox = start(Plan::new());
    let mut connection = Connection::open(sandbox.address());
    for _ in 0..40 {
        connection.send(&post(1));
    }
    // Many answers are asked for, and none is read.
    let stream = connection.0.get_mut();
    stream.set_nonblocking(true).expect("an option");
    let asks = list().repeat(1000);
    while stream.write(asks.as_bytes()).is_ok() {}
    assert!(serves(&sandbox));
}
