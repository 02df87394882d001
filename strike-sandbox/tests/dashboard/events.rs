//! Server-sent events, as they stand on the wire.

use std::time::Duration;

use strike_core::http::Method;
use strike_sandbox::{RunningSandbox, Sandbox};

use crate::support::{any_charge, bare, error};
use crate::wire::Connection;

fn start() -> RunningSandbox {
    Sandbox::builder().api_key("sk_demo").start().expect("a free port")
}

/// A follower of the events, and the count that it begins with.
fn follow(sandbox: &RunningSandbox) -> (Connection, u64) {
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
    let count = event(&mut connection);
    (connection, count)
}

/// The count in the next event.
fn event(connection: &mut Connection) -> u64 {
    let mut count = None;
    loop {
        let line = connection.line();
        assert_ne!(line, "", "the stream ended");
        if let Some(data) = line.strip_prefix("data: ") {
            let data: serde_json::Value = serde_json::from_str(data).expect("JSON");
            count = data["change"].as_u64();
        }
        // Between the lines of events stand the lengths of chunks.
        if let (Some(count), "\n") = (count, line.as_str()) {
            return count;
        }
    }
}

#[test]
fn every_subscriber_receives_every_change() {
    let sandbox = start();
    let (mut one, first) = follow(&sandbox);
    let id = any_charge(&sandbox);
    let created = event(&mut one);
    assert!(created > first, "{created} after {first}");
    let (mut two, so_far) = follow(&sandbox);
    assert_eq!(so_far, created, "who comes later hears at once how things stand");
    sandbox.pay(&id).expect("it is pending");
    let paid = event(&mut one);
    assert!(paid > created);
    assert_eq!(event(&mut two), paid);
    sandbox.advance(Duration::from_secs(1));
    assert!(event(&mut one) > paid);
}

#[test]
fn subscribers_are_limited_to_64_and_closed_streams_free_a_slot() {
    let sandbox = start();
    let mut followers: Vec<_> = (0..64).map(|_| follow(&sandbox).0).collect();
    let send = || sandbox.respond(&bare(Method::GET, "/sandbox/events"));
    let (status, message) = error(&send());
    assert!(status == 503 && message.contains("64"), "{status} {message}");
    let wire = format!("GET /sandbox/events HTTP/1.1\r\nHost: {}\r\n\r\n", sandbox.address());
    assert_eq!(Connection::open(sandbox.address()).send(&wire).status(), 503);

    followers.pop();
    // That someone has left is seen when it is seen: no event tells of it.
    while send().status() != 200 {
        std::thread::yield_now();
    }
    follow(&sandbox);
}

#[test]
fn stopping_the_sandbox_ends_event_streams() {
    let sandbox = start();
    let (mut connection, _) = follow(&sandbox);
    drop(sandbox);
    // What is left of the event, and then the end.
    while !connection.line().is_empty() {}
}

#[test]
fn in_memory_request_gets_one_event_and_foreign_origins_get_403() {
    let sandbox = start();
    let response = sandbox.respond(&bare(Method::GET, "/sandbox/events"));
    assert_eq!(response.body(), b"event: change\ndata: {\"change\":0}\n\n");
    let head = sandbox.respond(&bare(Method::HEAD, "/sandbox/events"));
    assert_eq!((head.headers(), head.body().len()), (response.headers(), 0));
    assert_eq!(error(&sandbox.respond(&bare(Method::POST, "/sandbox/events"))).0, 405);

    let mut foreign = bare(Method::GET, "/sandbox/events");
    foreign.headers_mut().insert("origin", "http://evil.example".parse().expect("a header"));
    assert_eq!(error(&sandbox.respond(&foreign)).0, 403);
    // The same over the socket, where it must not become a stream.
    let wire = format!("GET /sandbox/events HTTP/1.1\r\nHost: {0}\r\n", sandbox.address());
    let mut connection = Connection::open(sandbox.address());
    assert_eq!(connection.send(&format!("{wire}Origin: null\r\n\r\n")).status(), 403);
    connection.write(wire.replace("GET", "HEAD").as_bytes());
    connection.write(b"\r\n");
    while connection.line() != "\r\n" {}
    assert_eq!(connection.send(&format!("{wire}Origin: http://evil.example\r\n\r\n")).status(), 403);
}
