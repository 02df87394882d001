//! Many sandboxes in one process, used from threads and from a Tokio runtime.

use strike_sandbox::{RunningSandbox, Sandbox};
use tokio::task::yield_now;

use crate::wire::{Connection, list, post};

const SANDBOXES: u64 = 50;

fn start() -> RunningSandbox {
    Sandbox::builder().api_key("sk_demo").start().expect("a free port")
}

/// Creates a charge over the socket and asserts that it is the only one.
fn assert_isolated(sandbox: &RunningSandbox, amount: u64) {
    let mut connection = Connection::open(sandbox.address());
    let charge = connection.send(&post(amount)).body;
    assert!(charge.contains(&format!("\"amount\" : {amount},")), "{charge}");
    assert_eq!(connection.send(&list()).body, format!("[ {charge} ]"));
}

#[test]
fn fifty_sandboxes_on_threads_are_independent() {
    let sandboxes: Vec<_> = (0..SANDBOXES).map(|_| start()).collect();
    std::thread::scope(|scope| {
        for (sandbox, amount) in sandboxes.iter().zip(1..) {
            scope.spawn(move || assert_isolated(sandbox, amount));
        }
    });
    assert!(sandboxes.iter().all(|sandbox| sandbox.charges() == 1));
    // The sandboxes can also be stopped from different threads.
    std::thread::scope(|scope| {
        for sandbox in sandboxes {
            scope.spawn(move || drop(sandbox));
        }
    });
}

#[test]
fn fifty_sandboxes_run_inside_a_tokio_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let tasks: Vec<_> = (1..=SANDBOXES)
            .map(|amount| {
                tokio::spawn(async move {
                    let sandbox = start();
                    // All sandboxes start before the first is used. All are used before the
                    // first is dropped.
                    yield_now().await;
                    // This blocks the runtime's only thread. The sandbox responds from its own.
                    assert_isolated(&sandbox, amount);
                    yield_now().await;
                    drop(sandbox);
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("the task does not panic");
        }
    });
}
