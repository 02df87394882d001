//! Idle timeout: connections are closed only when no request is in progress after a response.

use std::time::Duration;

use strike_sandbox::faults::{Fault, Match, Plan};
use strike_sandbox::{RunningSandbox, Sandbox};

use crate::wire::{Connection, list, post};

/// Short, but long enough for a client in this process to send its next request.
const IDLE: Duration = Duration::from_millis(600);

fn start(plan: Plan) -> RunningSandbox {
    Sandbox::builder().api_key("sk_demo").faults(plan).close_idle_after(IDLE).start().expect("a free port")
}

/// Waits for at least `IDLE`: opens and uses a connection, then waits until the server closes it.
fn wait_for_idle_timeout(sandbox: &RunningSandbox) {
    let mut used = Connection::open(sandbox.address());
    assert_eq!(used.send(&list()).status(), 200);
    assert!(used.is_closed());
}

#[test]
fn idle_keep_alive_connection_is_closed() {
    let sandbox = start(Plan::new());
    let mut connection = Connection::open(sandbox.address());
    assert_eq!(connection.send(&list()).status(), 200);
    // A second request within the timeout keeps the connection open.
    assert_eq!(connection.send(&list()).status(), 200);
    // The server closes the idle connection without a reset.
    connection.assert_clean_close();
}

#[test]
fn new_connection_is_not_idle_before_its_first_request() {
    let sandbox = start(Plan::new());
    let mut silent = Connection::open(sandbox.address());
    let mut partial = Connection::open(sandbox.address());
    let request = list();
    partial.write(&request.as_bytes()[..40]);
    for _ in 0..3 {
        wait_for_idle_timeout(&sandbox);
    }
    partial.write(&request.as_bytes()[40..]);
    assert_eq!([partial.read().status(), silent.send(&list()).status()], [200, 200]);
}

#[test]
fn partial_requests_and_delayed_responses_are_not_idle() {
    let latency = Fault::latency(IDLE * 3, Duration::ZERO);
    let sandbox = start(Plan::new().on(Match::create(), latency));
    let mut connection = Connection::open(sandbox.address());
    assert_eq!(connection.send(&list()).status(), 200);
    // The second request pauses within its head, within its body and before its response.
    let request = post(1);
    let body = request.len() - 10;
    connection.write(&request.as_bytes()[..20]);
    wait_for_idle_timeout(&sandbox);
    connection.write(&request.as_bytes()[20..body]);
    wait_for_idle_timeout(&sandbox);
    connection.write(&request.as_bytes()[body..]);
    assert_eq!(connection.read().status(), 200);
    // The third request arrives together with the first part of the fourth.
    connection.write(format!("{}{}", list(), &request[..body]).as_bytes());
    assert_eq!(connection.read().status(), 200);
    wait_for_idle_timeout(&sandbox);
    connection.write(&request.as_bytes()[body..]);
    assert_eq!(connection.read().status(), 200);
    connection.assert_clean_close();
}

impl Connection {
    /// Asserts that the server closes the connection without a reset and without more data.
    fn assert_clean_close(&mut self) {
        assert_eq!(std::io::Read::read(&mut self.0, &mut [0]).expect("an orderly close"), 0);
    }
}
