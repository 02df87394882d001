//! Idle connections: closed when an answer was sent and the client stays quiet, and only then.

use std::time::Duration;

use strike_sandbox::faults::{Fault, On, Plan};
use strike_sandbox::{RunningSandbox, Sandbox};

use crate::wire::{Connection, list, post};

/// Short, and yet time for a client in the same process to ask again at once.
const IDLE: Duration = Duration::from_millis(600);

fn start(plan: Plan) -> RunningSandbox {
    Sandbox::builder().api_key("sk_demo").faults(plan).close_idle_after(IDLE).start().expect("a free port")
}

/// Waits for the server to close a connection that was used: so at least `IDLE` has passed since it was.
fn until_idle_is_closed(sandbox: &RunningSandbox) {
    let mut used = Connection::open(sandbox.address());
    assert_eq!(used.send(&list()).status(), 200);
    assert!(used.is_closed());
}

#[test]
fn idle_keep_alive_connection_is_closed() {
    let sandbox = start(Plan::new());
    let mut connection = Connection::open(sandbox.address());
    assert_eq!(connection.send(&list()).status(), 200);
    // Asked again at once, it is kept.
    assert_eq!(connection.send(&list()).status(), 200);
    // Left alone, it ends, and in order: the read is an end and no reset.
    assert_eq!(connection.end_of_file(), 0);
}

#[test]
fn new_connection_is_not_idle_before_its_first_request() {
    let sandbox = start(Plan::new());
    let mut silent = Connection::open(sandbox.address());
    let mut half = Connection::open(sandbox.address());
    let request = list();
    half.write(&request.as_bytes()[..40]);
    for _ in 0..3 {
        until_idle_is_closed(&sandbox);
    }
    half.write(&request.as_bytes()[40..]);
    assert_eq!([half.read().status(), silent.send(&list()).status()], [200, 200]);
}

#[test]
fn partial_requests_and_delayed_responses_are_not_idle() {
    let late = Fault::latency(IDLE * 3, Duration::ZERO);
    let sandbox = start(Plan::new().on(On::create(), late));
    let mut connection = Connection::open(sandbox.address());
    assert_eq!(connection.send(&list()).status(), 200);
    // The second request has begun, and takes its time: in its head, in its body, and over its answer.
    let request = post(1);
    let body = request.len() - 10;
    connection.write(&request.as_bytes()[..20]);
    until_idle_is_closed(&sandbox);
    connection.write(&request.as_bytes()[20..body]);
    until_idle_is_closed(&sandbox);
    connection.write(&request.as_bytes()[body..]);
    assert_eq!(connection.read().status(), 200);
    // The third comes together with the next one's beginning.
    connection.write(format!("{}{}", list(), &request[..body]).as_bytes());
    assert_eq!(connection.read().status(), 200);
    until_idle_is_closed(&sandbox);
    connection.write(&request.as_bytes()[body..]);
    assert_eq!(connection.read().status(), 200);
    assert_eq!(connection.end_of_file(), 0);
}

impl Connection {
    /// How much is read when nothing more comes: 0 at an orderly end.
    fn end_of_file(&mut self) -> usize {
        std::io::Read::read(&mut self.0, &mut [0]).expect("an orderly end")
    }
}
