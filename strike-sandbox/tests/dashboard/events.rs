//! Server-sent events over the socket.

use std::time::Duration;

use strike_core::http::Method;
use strike_sandbox::{RunningSandbox, Sandbox};

use crate::support::{any_charge, error, request_without_key};
use crate::wire::Connection;

fn start() -> RunningSandbox {
    Sandbox::builder().api_key("sk_demo").start().expect("a free port")
}

/// Subscribes to the events. Returns the connection and the first change count.
fn subscribe(sandbox: &RunningSandbox) -> (Connection, u64) {
    let mut connection = Connection::open(sandbox.address());
    connection
        .write(format!("GET /sandbox/events HTTP/1.1\r\nHost: {}\r\n\r\n", sandbox.address()).as_bytes());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let line = connection.line();
        assert_ne!(line, "", "closed after {head}");
        head.push_str(&line);
    }
    let head = head.to_ascii_lowercase();
    assert!(
        head.starts_with("http/1.1 200 ") && head.contains("\r\ncontent-type: text/event-stream\r\n"),
        "{head}"
    );
    assert!(!head.contains("content-length") && !head.contains("access-control"), "{head}");
    let count = next_event(&mut connection);
    (connection, count)
}

/// Reads the next event and returns its change count.
fn next_event(connection: &mut Connection) -> u64 {
    let mut count = None;
    loop {
        let line = connection.line();
        assert_ne!(line, "", "the stream ended");
        if let Some(data) = line.strip_prefix("data: ") {
            let data: serde_json::Value = serde_json::from_str(data).expect("JSON");
            count = data["change"].as_u64();
        }
        // Lines with chunk lengths appear between the lines of the events.
        if let (Some(count), "\n") = (count, line.as_str()) {
            return count;
        }
    }
}

#[test]
fn every_subscriber_receives_every_change() {
    let sandbox = start();
    let (mut one, first) = subscribe(&sandbox);
    let id = any_charge(&sandbox);
    let created = next_event(&mut one);
    assert!(created > first, "{created} after {first}");
    let (mut two, current) = subscribe(&sandbox);
    assert_eq!(current, created, "a new subscriber receives the current count immediately");
    sandbox.pay(&id).expect("the charge is pending");
    let paid = next_event(&mut one);
    assert!(paid > created);
    assert_eq!(next_event(&mut two), paid);
    sandbox.advance(Duration::from_secs(1));
    assert!(next_event(&mut one) > paid);
}

#[test]
fn subscribers_are_limited_to_64_and_closed_streams_free_a_slot() {
    let sandbox = start();
    let mut subscribers: Vec<_> = (0..64).map(|_| subscribe(&sandbox).0).collect();
    let send = || sandbox.respond(&request_without_key(Method::GET, "/sandbox/events"));
    let (status, message) = error(&send());
    assert!(status == 503 && message.contains("64"), "{status} {message}");
    let wire = format!("GET /sandbox/events HTTP/1.1\r\nHost: {}\r\n\r\n", sandbox.address());
    assert_eq!(Connection::open(sandbox.address()).send(&wire).status(), 503);

    subscribers.pop();
    // The server notices a closed connection only after a while.
    while send().status() != 200 {
        std::thread::yield_now();
    }
    subscribe(&sandbox);
}

#[test]
fn stopping_the_sandbox_ends_event_streams() {
    let sandbox = start();
    let (mut connection, _) = subscribe(&sandbox);
    drop(sandbox);
    // Reads the rest of the event and then the end of the stream.
    while !connection.line().is_empty() {}
}

#[test]
fn in_memory_request_gets_one_event_and_foreign_origins_get_403() {
    let sandbox = start();
    let response = sandbox.respond(&request_without_key(Method::GET, "/sandbox/events"));
    assert_eq!(response.body(), b"event: change\ndata: {\"change\":0}\n\n");
    let head = sandbox.respond(&request_without_key(Method::HEAD, "/sandbox/events"));
    assert_eq!((head.headers(), head.body().len()), (response.headers(), 0));
    assert_eq!(error(&sandbox.respond(&request_without_key(Method::POST, "/sandbox/events"))).0, 405);

    let mut foreign = request_without_key(Method::GET, "/sandbox/events");
    foreign.headers_mut().insert("origin", "http://evil.example".parse().expect("a header"));
    assert_eq!(error(&sandbox.respond(&foreign)).0, 403);
    // The same over the socket, where a rejected request must not open a stream.
    let wire = format!("GET /sandbox/events HTTP/1.1\r\nHost: {0}\r\n", sandbox.address());
    let mut connection = Connection::open(sandbox.address());
    assert_eq!(connection.send(&format!("{wire}Origin: null\r\n\r\n")).status(), 403);
    connection.write(wire.replace("GET", "HEAD").as_bytes());
    connection.write(b"\r\n");
    while connection.line() != "\r\n" {}
    assert_eq!(connection.send(&format!("{wire}Origin: http://evil.example\r\n\r\n")).status(), 403);
}
