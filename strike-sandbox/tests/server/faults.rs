//! The bytes that each fault produces on a socket.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::time::Duration;

use strike_core::UnixMillis;
use strike_core::http::{Response, StatusCode};
use strike_sandbox::faults::{After, Fault, Match, Plan};
use strike_sandbox::{RunningSandbox, Sandbox};

use crate::wire::{Connection, list, post};

fn start(plan: Plan) -> RunningSandbox {
    let clock = UnixMillis::from_millis(1_542_221_803_505);
    Sandbox::builder().api_key("sk_demo").seed(7).clock_at(clock).faults(plan).start().expect("a free port")
}

/// How a connection ended.
#[derive(Debug, PartialEq)]
enum End {
    Closed,
    Reset,
}

/// Sends a request on a new connection. Returns everything received and how the connection ended.
fn exchange(sandbox: &RunningSandbox, request: &str) -> (Vec<u8>, End) {
    let mut connection = Connection::open(sandbox.address());
    connection.write(request.as_bytes());
    connection.rest()
}

/// Returns the list response without a fault, except that it says `Connection: close`.
fn full_response() -> String {
    let sandbox = start(Plan::new());
    let response = Connection::open(sandbox.address()).send(&list());
    format!("{}{}", response.head.replace("keep-alive", "close"), response.body)
}

/// Returns what a client receives for a list request with this fault, and how the connection ends.
fn list_with_fault(fault: Fault) -> (String, End) {
    let sandbox = start(Plan::new().on(Match::list(), fault));
    let (bytes, end) = exchange(&sandbox, &list());
    (String::from_utf8(bytes).expect("text"), end)
}

#[test]
fn refuse_fault_resets_the_connection_without_sending_data() {
    let sandbox = start(Plan::new().on(Match::create().first(1), Fault::refuse()));
    assert_eq!(exchange(&sandbox, &post(1)), (Vec::new(), End::Reset));
    assert_eq!(sandbox.charges(), 0);
    assert_eq!(Connection::open(sandbox.address()).send(&post(1)).status(), 200);
}

#[test]
fn close_fault_stores_the_charge_and_closes_without_sending_data() {
    let sandbox = start(Plan::new().on(Match::create().first(1), Fault::close()));
    assert_eq!(exchange(&sandbox, &post(1)), (Vec::new(), End::Closed));
    assert_eq!(sandbox.charges(), 1);
}

#[test]
fn cut_fault_closes_after_the_given_number_of_bytes() {
    let full = full_response();
    let head = full.len() - 3;
    for (after, count) in [
        (After::Bytes(0), 0),
        (After::Bytes(1), 1),
        (After::Bytes(head - 1), head - 1),
        (After::BodyBytes(0), head),
        (After::BodyBytes(2), head + 2),
        (After::BodyBytes(usize::MAX), head + 3),
    ] {
        assert_eq!(list_with_fault(Fault::cut(after)), (full[..count].to_owned(), End::Closed), "{after:?}");
    }
}

#[test]
fn drip_fault_sends_the_full_response() {
    assert_eq!(list_with_fault(Fault::drip(Duration::ZERO)), (full_response(), End::Closed));
}

#[test]
fn wrong_length_fault_changes_only_the_content_length() {
    for (off_by, length) in [(40, "43"), (-1, "2"), (-9, "0")] {
        let wrong = full_response().replace("Content-Length: 3", &format!("Content-Length: {length}"));
        assert_eq!(list_with_fault(Fault::wrong_length(off_by)), (wrong, End::Closed));
    }
}

#[test]
fn garbage_fault_sends_reproducible_non_ascii_bytes() {
    let garbage = || exchange(&start(Plan::new().on(Match::list(), Fault::garbage())), &list());
    let (bytes, end) = garbage();
    assert_eq!((bytes.len(), end), (256, End::Closed));
    assert!(bytes.iter().all(|byte| *byte >= 0x80));
    assert_eq!(bytes, garbage().0);
}

#[test]
fn stall_fault_blocks_only_its_own_connection() {
    let text = full_response();
    let stall = || start(Plan::new().on(Match::list(), Fault::stall(After::BodyBytes(1))));
    let sandbox = stall();
    let mut stalled = Connection::open(sandbox.address());
    stalled.write(list().as_bytes());
    let mut received = vec![0; text.len() - 2];
    stalled.read_exact(&mut received);
    assert_eq!(received, text.as_bytes()[..text.len() - 2]);
    // Other clients are served in the meantime. The stalled one receives nothing more.
    assert_eq!(Connection::open(sandbox.address()).send(&post(1)).status(), 200);
    assert!(stalled.is_silent());
    // The stall ends when the client closes its sending side.
    stalled.finish_sending();
    assert_eq!(stalled.rest(), (Vec::new(), End::Closed));

    // The stall also ends when the server stops.
    let sandbox = stall();
    let mut stalled = Connection::open(sandbox.address());
    stalled.write(list().as_bytes());
    stalled.read_exact(&mut received);
    drop(sandbox);
    assert!(stalled.is_closed());
}

#[test]
fn status_answer_and_latency_faults_keep_the_connection_open() {
    let canned = Response::builder().status(429).header("Retry-After", "2").body(b"busy".to_vec());
    let nothing = Response::builder().status(204).body(b"a 204 has no body".to_vec());
    let plan = Plan::new()
        .on(Match::create().nth(1), Fault::status(StatusCode::SERVICE_UNAVAILABLE))
        .on(Match::create().nth(2), Fault::answer(canned.expect("a response")))
        .on(Match::create().nth(3), Fault::answer(nothing.expect("a response")))
        .on(Match::create().nth(4), Fault::latency(Duration::from_millis(1), Duration::from_millis(1)));
    let sandbox = start(plan);
    let mut connection = Connection::open(sandbox.address());
    let response = connection.send(&post(1));
    assert!(response.head.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{}", response.head);
    assert!(response.head.contains("\r\nServer: nginx"), "{}", response.head);
    assert_eq!(response.body, "{\n  \"code\" : 503,\n  \"message\" : \"service unavailable\"\n}");
    let response = connection.send(&post(1));
    assert_eq!(
        response.head,
        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 2\r\nContent-Length: 4\r\n\r\n"
    );
    assert_eq!(response.body, "busy");
    connection.write(post(1).as_bytes());
    assert_eq!([connection.line(), connection.line()], ["HTTP/1.1 204 No Content\r\n", "\r\n"]);
    assert_eq!(sandbox.charges(), 0);
    assert_eq!(connection.send(&post(1)).status(), 200);
    assert_eq!((connection.send(&list()).status(), sandbox.charges()), (200, 1));
}

#[test]
fn fault_plan_can_be_changed_while_the_server_runs() {
    let sandbox = start(Plan::new());
    let mut connection = Connection::open(sandbox.address());
    sandbox.add_faults(Plan::new().on(Match::list(), Fault::status(StatusCode::BAD_GATEWAY)));
    assert_eq!(connection.send(&list()).status(), 502);
    let clear = "DELETE /sandbox/faults HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(connection.send(clear).body, "{\n  \"faults\": []\n}");
    assert_eq!(connection.send(&list()).status(), 200);
}

impl Connection {
    /// Reads until the connection ends. Returns the bytes and how it ended.
    fn rest(&mut self) -> (Vec<u8>, End) {
        let mut bytes = Vec::new();
        let end = match self.0.read_to_end(&mut bytes) {
            Ok(_) => End::Closed,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => End::Reset,
            Err(error) => panic!("neither closed nor reset after {bytes:?}: {error}"),
        };
        (bytes, end)
    }

    fn read_exact(&mut self, bytes: &mut [u8]) {
        self.0.read_exact(bytes).expect("the expected number of bytes");
    }

    /// Returns true if no data is available to read.
    fn is_silent(&mut self) -> bool {
        let stream: &TcpStream = self.0.get_ref();
        stream.set_nonblocking(true).expect("the socket option can be set");
        let silent = matches!(self.0.read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock);
        self.0.get_ref().set_nonblocking(false).expect("the socket option can be set");
        silent
    }
}

#[test]
fn answer_fault_with_an_event_stream_type_is_sent_unchanged() {
    let response = Response::builder().header("Content-Type", "text/event-stream").body(b"data: 1".to_vec());
    let sandbox = start(Plan::new().on(Match::list(), Fault::answer(response.expect("a response"))));
    let mut connection = Connection::open(sandbox.address());
    let received = connection.send(&list());
    assert!(received.head.contains("Content-Length: 7\r\n"), "{}", received.head);
    assert_eq!(received.body, "data: 1");
}
